from dataclasses import replace

import pytest

from emulator.codecs.dlms import apdu_general
from emulator.codecs.dlms.apdu_ciphered import BOTH, Protection, SecurityControl
from emulator.codecs.dlms.apdu_general import (
    AgreedKey,
    GeneralHeader,
    IdentifiedKey,
    KeyInfo,
    WrappedKey,
)
from emulator.core.chance import Chance
from emulator.core.errors import KeyNotHeldError, MalformedFrameError
from emulator.crypto import signature as ecdsa
from emulator.crypto.dlms_general import GeneralProtection, Opened, Signed
from emulator.crypto.dlms_general_keys import (
    GeneralRefusal,
    KeyChoice,
    OwnKeys,
    Party,
    Refused,
)
from emulator.crypto.dlms_keys import InvocationCounters, SecurityKeys
from emulator.crypto.pki import scalar_from

DRAW = Chance(5).stream("general").octets
CLIENT, METER = b"CLIENT01", b"METER001"
KEYS = SecurityKeys(*(DRAW(16) for _ in range(4)))
SCALARS = [scalar_from(DRAW) for _ in range(4)]
POINTS = [ecdsa.point_of(scalar) for scalar in SCALARS]
PARTIES = {CLIENT: Party(POINTS[0], POINTS[1]), METER: Party(POINTS[2], POINTS[3])}
HEADER = GeneralHeader(b"\0\1\2\3\4\5\6\7", CLIENT, METER, b"", b"info")
APDU = bytes.fromhex("c001c100010000600100ff0200")
#: Suite and ways to come by a key that it has.
WAYS = [(1, choice) for choice in KeyChoice] + [
    (0, choice) for choice in (KeyChoice.UNICAST, KeyChoice.BROADCAST, KeyChoice.WRAPPED)
]


def end(title: bytes, suite: int = 1, /, **changed: object) -> GeneralProtection:
    first = 0 if title == CLIENT else 2
    own = OwnKeys(title, KEYS, SCALARS[first], SCALARS[first + 1])
    own = replace(own, **changed)  # type: ignore[arg-type]  # one field by name
    return GeneralProtection(own, PARTIES, InvocationCounters(), DRAW, suite)


def reason(result: object) -> GeneralRefusal | None:
    return result.reason if isinstance(result, Refused) else None


@pytest.mark.parametrize(("suite", "choice"), WAYS)
@pytest.mark.parametrize("protection", [BOTH, Protection.AUTHENTICATED])
def test_what_is_sealed_is_opened_and_answered_in_kind(
    suite: int, choice: KeyChoice, protection: Protection
) -> None:
    client, meter = end(CLIENT, suite), end(METER, suite)
    sealed = client.seal(APDU, HEADER, choice, protection)
    assert (APDU in sealed) is (protection is Protection.AUTHENTICATED)
    opened = meter.open(sealed)
    assert opened == Opened(HEADER, APDU, choice, protection)
    back = replace(HEADER, originator=METER, recipient=CLIENT)
    answered = client.open(meter.seal(b"\xc4answer", back, choice, protection))
    assert answered == Opened(back, b"\xc4answer", choice, protection)


@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_no_flip_truncation_or_extension_of_a_sealed_apdu_is_accepted(
    suite: int, choice: KeyChoice
) -> None:
    sealed = end(CLIENT, suite).seal(APDU, HEADER, choice)
    meter = end(METER, suite)
    damaged = [sealed[:cut] for cut in range(len(sealed))] + [sealed + b"\0"]
    for bit in range(len(sealed) * 8):
        spoiled = bytearray(sealed)
        spoiled[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(spoiled))
    for copy in damaged:
        try:
            result = meter.open(copy)
        except MalformedFrameError:
            continue
        assert isinstance(result, Refused), copy.hex()
    assert isinstance(meter.open(sealed), Opened)


def test_no_flip_truncation_or_extension_of_a_signed_apdu_is_accepted() -> None:
    signed = end(CLIENT).sign(APDU, HEADER)
    meter = end(METER)
    assert meter.verify(signed) == Signed(HEADER, APDU)
    damaged = [signed[:cut] for cut in range(len(signed))] + [signed + b"\0"]
    for bit in range(len(signed) * 8):
        spoiled = bytearray(signed)
        spoiled[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(spoiled))
    for copy in damaged:
        try:
            result = meter.verify(copy)
        except MalformedFrameError:
            continue
        assert isinstance(result, Refused), copy.hex()


@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_a_replayed_apdu_is_refused_by_name(suite: int, choice: KeyChoice) -> None:
    client, meter = end(CLIENT, suite), end(METER, suite)
    first, second = (client.seal(APDU, HEADER, choice) for _ in range(2))
    assert isinstance(meter.open(first), Opened)
    assert reason(meter.open(first)) is GeneralRefusal.COUNTER_NOT_RISING
    assert isinstance(meter.open(second), Opened)


def _resealed(**changed: object) -> bytes:
    apdu = apdu_general.decode_ciphering(end(CLIENT).seal(APDU, HEADER, KeyChoice.UNICAST))
    return apdu_general.encode_ciphering(replace(apdu, **changed))  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("control", "refusal"),
    [
        (SecurityControl(0, BOTH), GeneralRefusal.WRONG_SUITE),
        (SecurityControl(2, BOTH), GeneralRefusal.WRONG_SUITE),
        (SecurityControl(1, BOTH, compressed=True), GeneralRefusal.COMPRESSED),
        (SecurityControl(1, BOTH, broadcast=True), GeneralRefusal.WRONG_CONTROL),
        (SecurityControl(1, Protection.NONE), GeneralRefusal.NOT_PROTECTED),
        (SecurityControl(1, Protection.ENCRYPTED), GeneralRefusal.NOT_PROTECTED),
        (SecurityControl(1, Protection.AUTHENTICATED), GeneralRefusal.NOT_AUTHENTIC),
    ],
)
def test_each_fault_of_the_control_octet_is_named(
    control: SecurityControl, refusal: GeneralRefusal
) -> None:
    assert reason(end(METER).open(_resealed(control=control))) is refusal


@pytest.mark.parametrize(
    ("key_info", "refusal"),
    [
        (None, GeneralRefusal.NO_KEY_NAMED),
        (IdentifiedKey(2), GeneralRefusal.UNKNOWN_KEY),
        (WrappedKey(1, bytes(24)), GeneralRefusal.UNKNOWN_KEY),
        (WrappedKey(0, bytes(24)), GeneralRefusal.WRONG_KEY_DATA),
        (WrappedKey(0, b""), GeneralRefusal.WRONG_KEY_DATA),
        (AgreedKey(0), GeneralRefusal.UNKNOWN_KEY),
        (AgreedKey(3), GeneralRefusal.UNKNOWN_KEY),
        (AgreedKey(1, bytes(128)), GeneralRefusal.WRONG_KEY_DATA),
        (AgreedKey(1), GeneralRefusal.WRONG_KEY_DATA),
        (AgreedKey(2, b"\0"), GeneralRefusal.WRONG_KEY_DATA),
        (AgreedKey(2), GeneralRefusal.NOT_AUTHENTIC),
    ],
)
def test_each_fault_of_the_key_information_is_named(
    key_info: KeyInfo | None, refusal: GeneralRefusal
) -> None:
    assert reason(end(METER).open(_resealed(key_info=key_info))) is refusal


@pytest.mark.parametrize(
    ("header", "refusal"),
    [
        (replace(HEADER, recipient=CLIENT), GeneralRefusal.NOT_FOR_US),
        (replace(HEADER, originator=b"STRANGER"), GeneralRefusal.UNKNOWN_PARTY),
        (replace(HEADER, originator=b""), GeneralRefusal.UNKNOWN_PARTY),
        (replace(HEADER, originator=METER), GeneralRefusal.NOT_AUTHENTIC),
        (replace(HEADER, transaction_id=b""), GeneralRefusal.NOT_AUTHENTIC),
        (replace(HEADER, other=b""), GeneralRefusal.NOT_AUTHENTIC),
        (replace(HEADER, date_time=bytes(12)), GeneralRefusal.NOT_AUTHENTIC),
    ],
)
def test_every_part_of_the_header_is_authenticated(
    header: GeneralHeader, refusal: GeneralRefusal
) -> None:
    assert reason(end(METER).open(_resealed(header=header))) is refusal


def test_a_header_part_cannot_lend_an_octet_to_its_neighbour() -> None:
    moved = replace(HEADER, date_time=b"i", other=b"nfo")
    assert b"".join((moved.date_time, moved.other)) == HEADER.date_time + HEADER.other
    assert reason(end(METER).open(_resealed(header=moved))) is GeneralRefusal.NOT_AUTHENTIC


def test_keys_that_are_not_there_are_named() -> None:
    no_broadcast = replace(KEYS, broadcast=None)
    with pytest.raises(KeyNotHeldError, match="broadcast"):
        end(CLIENT, symmetric=no_broadcast).seal(APDU, HEADER, KeyChoice.BROADCAST)
    sealed = end(CLIENT).seal(APDU, HEADER, KeyChoice.BROADCAST)
    assert reason(end(METER, symmetric=no_broadcast).open(sealed)) is GeneralRefusal.KEY_NOT_HELD
    for choice in (KeyChoice.EPHEMERAL, KeyChoice.STATIC):
        with pytest.raises(KeyNotHeldError):
            end(CLIENT, 0).seal(APDU, HEADER, choice)
        sealed = end(CLIENT).seal(APDU, HEADER, choice)
        refused = end(METER, agreement=None).open(sealed)
        assert reason(refused) is GeneralRefusal.KEY_NOT_HELD
    with pytest.raises(KeyNotHeldError, match="key agreement"):
        end(CLIENT, agreement=None).seal(APDU, HEADER, KeyChoice.STATIC)
    for unable in (end(CLIENT, 0), end(CLIENT, signing=None)):
        with pytest.raises(KeyNotHeldError, match="signature"):
            unable.sign(APDU, HEADER)
    assert reason(end(METER, 0).verify(end(CLIENT).sign(APDU, HEADER))) is (
        GeneralRefusal.KEY_NOT_HELD
    )


def test_a_party_without_public_keys_cannot_agree() -> None:
    own = OwnKeys(METER, KEYS, SCALARS[2], SCALARS[3])
    bare = GeneralProtection(own, {CLIENT: Party()}, InvocationCounters(), DRAW)
    sealed = end(CLIENT).seal(APDU, HEADER, KeyChoice.STATIC)
    assert reason(bare.open(sealed)) is GeneralRefusal.KEY_NOT_HELD
    sealed = end(CLIENT).seal(APDU, HEADER, KeyChoice.EPHEMERAL)
    assert reason(bare.open(sealed)) is GeneralRefusal.WRONG_KEY_DATA
    back = replace(HEADER, originator=METER, recipient=CLIENT)
    with pytest.raises(KeyNotHeldError):
        bare.seal(APDU, back, KeyChoice.STATIC)


def test_what_cannot_be_sealed_is_our_own_fault() -> None:
    client = end(CLIENT)
    for plain, header, protection in (
        (b"", HEADER, BOTH),
        (APDU, replace(HEADER, originator=METER), BOTH),
        (APDU, HEADER, Protection.ENCRYPTED),
        (APDU, HEADER, Protection.NONE),
    ):
        with pytest.raises(ValueError, match=r"seal|originator"):
            client.seal(plain, header, KeyChoice.UNICAST, protection)
    with pytest.raises(ValueError, match="originator"):
        client.sign(APDU, replace(HEADER, originator=METER))
    with pytest.raises(ValueError, match="suite"):
        end(CLIENT, 2)
    with pytest.raises(ValueError, match="eight"):
        end(CLIENT, title=b"short")


def test_a_signed_apdu_travels_inside_a_ciphered_one() -> None:
    client, meter = end(CLIENT), end(METER)
    opened = meter.open(client.seal(client.sign(APDU, HEADER), HEADER, KeyChoice.EPHEMERAL))
    assert isinstance(opened, Opened)
    assert meter.verify(opened.plain) == Signed(HEADER, APDU)


def test_no_key_shows_in_print() -> None:
    shown = repr(OwnKeys(METER, KEYS, SCALARS[2], SCALARS[3]))
    assert str(SCALARS[2]) not in shown
    assert repr(KEYS.unicast) not in shown
