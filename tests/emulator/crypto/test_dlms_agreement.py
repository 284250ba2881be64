import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from emulator.codecs.dlms import access, apdu_general
from emulator.codecs.dlms.apdu_general import AgreedKey, GeneralHeader
from emulator.core.chance import Chance
from emulator.core.ids import Eui64
from emulator.crypto import dlms_agreement as agreement
from emulator.crypto import key_agreement
from emulator.crypto import signature as ecdsa
from emulator.crypto.dlms_agreement import Algorithm
from emulator.crypto.pki import scalar_from
from tests.emulator.crypto import dlms_green_book as book


def test_the_green_books_private_and_public_key_belong_together() -> None:
    assert ecdsa.point_of(book.CLIENT_SIGNING) == book.CLIENT_SIGNING_POINT


@pytest.mark.parametrize(
    ("offer", "signer", "prefix"),
    [
        (book.CLIENT_OFFER, book.CLIENT_SIGNING_POINT, b""),
        (book.SERVER_OFFER, book.SERVER_SIGNING_POINT, b""),
        (book.AGREEMENT_OFFER, book.CLIENT_SIGNING_POINT, b"\0"),
    ],
)
def test_the_green_books_signed_ephemeral_keys_are_accepted_and_nothing_near_them(
    offer: bytes, signer: bytes, prefix: bytes
) -> None:
    assert agreement.offered_point(offer, signer, prefix) == offer[:64]
    assert agreement.offered_point(offer, signer, b"\1" + prefix) is None
    other = book.SERVER_SIGNING_POINT if offer != book.SERVER_OFFER else book.CLIENT_SIGNING_POINT
    assert agreement.offered_point(offer, other, prefix) is None
    for bit in range(0, len(offer) * 8, 3):
        spoiled = bytearray(offer)
        spoiled[bit // 8] ^= 1 << bit % 8
        assert agreement.offered_point(bytes(spoiled), signer, prefix) is None
    for damaged in (offer[:-1], offer + b"\0", b""):
        assert agreement.offered_point(damaged, signer, prefix) is None


def test_the_green_books_shared_secrets_follow_from_its_keys() -> None:
    secret = agreement.shared_secret(book.SERVER_AGREEMENT, book.CLIENT_OFFER[:64])
    assert secret == book.CLIENT_SECRET
    secret = agreement.shared_secret(book.AGREEMENT_EPHEMERAL, book.AGREEMENT_OFFER[:64])
    assert secret == book.AGREEMENT_SECRET


def test_the_green_books_general_ciphering_apdu_deciphers_under_the_one_pass_key() -> None:
    apdu = apdu_general.decode_ciphering(book.GENERAL_CIPHERING)
    assert apdu_general.encode_ciphering(apdu) == book.GENERAL_CIPHERING
    assert apdu.header == GeneralHeader(bytes(range(1, 9)), book.CLIENT, book.SERVER)
    assert apdu.key_info == AgreedKey(1, book.CLIENT_OFFER)
    key = agreement.one_pass_key(book.CLIENT_SECRET, apdu.header)
    block = book.CLIENT + apdu.counter.to_bytes(4, "big") + b"\0\0\0\2"
    text = Cipher(algorithms.AES(key), modes.CTR(block)).decryptor().update(apdu.content[:-12])
    request = access.decode_request(text)
    assert [(item.class_id, item.index) for item in request.items] == [
        (1, 2),
        (8, 2),
        (20, 7),
        (20, 8),
    ]


def test_the_static_key_is_derived_as_gbcs_does_but_for_the_algorithms_name() -> None:
    z = bytes(range(32))
    originator, target = Eui64(b"ORIGINAT"), Eui64(b"TARGETED")
    header = GeneralHeader(b"\1" + (7).to_bytes(8, "big"), originator.octets, target.octets)
    info = originator.octets + b"\x09" + header.transaction_id + target.octets

    def derived(algorithm: str) -> bytes:
        return hashlib.sha256(b"\0\0\0\1" + z + bytes.fromhex(algorithm) + info).digest()[:16]

    assert key_agreement.derive_key(z, originator, target, 7, 1) == derived("60857406080300")
    assert agreement.static_key(z, header) == derived("60857405080300")


def test_keys_differ_by_secret_parties_nonce_and_purpose() -> None:
    z, u, v = bytes(32), b"A" * 8, b"B" * 8
    keys = {
        agreement.derive(z, Algorithm.AES_GCM_128, u, v),
        agreement.derive(z, Algorithm.AES_WRAP_128, u, v),
        agreement.derive(z, Algorithm.AES_GCM_128, v, u),
        agreement.derive(bytes(31) + b"\1", Algorithm.AES_GCM_128, u, v),
        agreement.static_key(z, GeneralHeader(b"1", u, v)),
        agreement.static_key(z, GeneralHeader(b"2", u, v)),
    }
    assert len(keys) == 6
    assert {len(key) for key in keys} == {16}


def test_both_sides_come_to_one_secret_and_an_offer_is_the_same_each_time() -> None:
    draw = Chance(1).stream("scalars").octets
    one, other, signing = (scalar_from(draw) for _ in range(3))
    offer = agreement.signed_offer(one, signing, b"\2")
    assert agreement.signed_offer(one, signing, b"\2") == offer
    point = agreement.offered_point(offer, ecdsa.point_of(signing), b"\2")
    assert point == ecdsa.point_of(one)[1:]
    back = ecdsa.point_of(other)[1:]
    assert agreement.shared_secret(one, back) == agreement.shared_secret(other, point)


def test_a_signed_point_off_the_curve_is_not_taken() -> None:
    point = ecdsa.point_of(7)[1:-1] + bytes((ecdsa.point_of(7)[-1] ^ 1,))
    offer = point + ecdsa.sign(book.CLIENT_SIGNING, point)
    assert ecdsa.verify(book.CLIENT_SIGNING_POINT, point, offer[64:])
    assert agreement.offered_point(offer, book.CLIENT_SIGNING_POINT) is None
