import pytest

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.chance import Chance
from emulator.crypto import dlms_agreement as agreement
from emulator.crypto import dlms_key_agreement as method
from emulator.crypto import signature as ecdsa
from emulator.crypto.dlms_agreement import Algorithm
from emulator.crypto.dlms_key_agreement import Agreed, AgreementRefusal, Offer
from emulator.crypto.dlms_keys import KeyId
from emulator.crypto.pki import scalar_from
from tests.emulator.crypto import dlms_green_book as book

DRAW = Chance(3).stream("key agreement").octets
CLIENT_KEY, SERVER_KEY = scalar_from(DRAW), scalar_from(DRAW)
CLIENT, SERVER = b"CLIENT01", b"METER001"
OFFERS = [Offer(key_id, scalar_from(DRAW)) for key_id in KeyId]


def row(key_id: int, offer: bytes) -> Data:
    return axdr.structure(Data(Tag.ENUM, key_id), axdr.octets(offer))


def array(*rows: Data) -> Data:
    return Data(Tag.ARRAY, rows)


def answer(parameters: Data) -> Agreed | AgreementRefusal:
    return method.answer_agreement(
        parameters,
        ecdsa.point_of(CLIENT_KEY),
        signing=SERVER_KEY,
        client=CLIENT,
        server=SERVER,
        draw=DRAW,
    )


def test_both_sides_derive_the_same_keys_for_every_key_id() -> None:
    agreed = answer(method.agreement_parameters(OFFERS, CLIENT_KEY))
    assert isinstance(agreed, Agreed)
    keys = method.agreed_keys(
        OFFERS, agreed.returned, ecdsa.point_of(SERVER_KEY), client=CLIENT, server=SERVER
    )
    assert keys == agreed.keys
    assert [new.key_id for new in agreed.keys] == list(KeyId)
    assert len({new.key for new in agreed.keys}) == 4


def test_the_green_books_offer_is_read_and_its_secret_becomes_a_key() -> None:
    read = method.read_agreement(array(row(0, book.AGREEMENT_OFFER)), book.CLIENT_SIGNING_POINT)
    assert read == ((KeyId.UNICAST, book.AGREEMENT_OFFER[:64]),)
    new = method.agreed_key(
        KeyId.UNICAST,
        book.AGREEMENT_EPHEMERAL,
        book.AGREEMENT_OFFER[:64],
        client=book.CLIENT,
        server=book.SERVER,
    )
    derived = agreement.derive(
        book.AGREEMENT_SECRET, Algorithm.AES_GCM_128, book.CLIENT, book.SERVER
    )
    assert new.key == derived


def test_the_master_key_is_derived_for_wrapping_and_all_others_for_gcm() -> None:
    point = book.AGREEMENT_OFFER[:64]
    for key_id in KeyId:
        algorithm = Algorithm.AES_WRAP_128 if key_id is KeyId.MASTER else Algorithm.AES_GCM_128
        new = method.agreed_key(
            key_id, book.AGREEMENT_EPHEMERAL, point, client=CLIENT, server=SERVER
        )
        assert new.key == agreement.derive(book.AGREEMENT_SECRET, algorithm, CLIENT, SERVER)


U8, ZERO = Data(Tag.UINT8, 0), Data(Tag.ENUM, 0)
GOOD = agreement.signed_offer(OFFERS[0].ephemeral, CLIENT_KEY, b"\0")


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        (axdr.NULL, AgreementRefusal.WRONG_SHAPE),
        (array(), AgreementRefusal.WRONG_SHAPE),
        (array(axdr.octets(GOOD)), AgreementRefusal.WRONG_SHAPE),
        (array(axdr.structure(axdr.octets(GOOD))), AgreementRefusal.WRONG_SHAPE),
        (array(axdr.structure(U8, axdr.octets(GOOD))), AgreementRefusal.WRONG_SHAPE),
        (array(axdr.structure(ZERO, Data(Tag.VISIBLE, GOOD))), AgreementRefusal.WRONG_SHAPE),
        (array(row(0, GOOD[:-1])), AgreementRefusal.WRONG_SHAPE),
        (array(row(4, GOOD)), AgreementRefusal.UNKNOWN_KEY_ID),
        (array(row(1, GOOD)), AgreementRefusal.WRONG_SIGNATURE),
        (array(row(0, GOOD[:64] + GOOD[:64])), AgreementRefusal.WRONG_SIGNATURE),
        (array(row(0, GOOD), row(0, GOOD)), AgreementRefusal.SAME_KEY_TWICE),
    ],
)
def test_a_faulty_agreement_is_refused_as_a_whole(
    parameters: Data, refusal: AgreementRefusal
) -> None:
    assert answer(parameters) is refusal


def test_an_answer_about_other_keys_or_of_another_signer_is_refused() -> None:
    agreed = answer(method.agreement_parameters(OFFERS[:2], CLIENT_KEY))
    assert isinstance(agreed, Agreed)
    for offers, signer, refusal in (
        (OFFERS[:1], SERVER_KEY, AgreementRefusal.OTHER_KEYS),
        (OFFERS[1::-1], SERVER_KEY, AgreementRefusal.OTHER_KEYS),
        (OFFERS[:2], CLIENT_KEY, AgreementRefusal.WRONG_SIGNATURE),
    ):
        got = method.agreed_keys(
            offers, agreed.returned, ecdsa.point_of(signer), client=CLIENT, server=SERVER
        )
        assert got is refusal


def test_no_scalar_shows_in_print() -> None:
    assert str(OFFERS[0].ephemeral) not in repr(OFFERS[0])
