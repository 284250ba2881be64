"""Construct declarations and hand-written codecs: same values, same octets, same refusals."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from emulator.codecs.dlms import (
    apdu,
    apdu_ciphered,
    apdu_declaration,
    apdu_general,
    axdr,
    ciphered_declaration,
    declaration_data,
)
from emulator.codecs.dlms.apdu_ciphered import CipheredApdu, Form, SecurityControl
from emulator.codecs.dlms.apdu_exception import ExceptionResponse, ServiceError, StateError
from emulator.codecs.dlms.apdu_general import GeneralSigning
from emulator.codecs.dlms.axdr import ArrayType, CompactArray, Data, StructureType, Tag
from emulator.codecs.dlms.initiate import ConfirmedServiceError
from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from tests.emulator.codecs.dlms.apdu_given import APDUS, ENCODERS, FORMS
from tests.emulator.codecs.dlms.test_apdu_general import CASES as GENERAL
from tests.emulator.codecs.dlms.test_axdr import DATA, VECTORS
from tests.sampling import examples

Decoder = Callable[[bytes], object]
TAGS = [tag for tags in apdu_ciphered.SERVICE_TAGS.values() for tag in tags]
SERVICES = [bytes.fromhex(text) for _, text in FORMS]
CONTROL = SecurityControl.of(0x30)
CIPHERED = [
    apdu_ciphered.encode(CipheredApdu(Form.SERVICE_GLOBAL, 0xC0, None, CONTROL, 7, b"0" * 12)),
    apdu_ciphered.encode(CipheredApdu(Form.SERVICE_DEDICATED, 0x01, None, CONTROL, 7, b"")),
    apdu_ciphered.encode(CipheredApdu(Form.GENERAL_GLOBAL, None, b"METER001", CONTROL, 7, b"01")),
    apdu_ciphered.encode(CipheredApdu(Form.GENERAL_DEDICATED, None, b"", CONTROL, 7, b"x" * 300)),
    *[octets for _, octets in GENERAL],
]


def fast_service(data: bytes) -> object:
    if data[:1] in {b"\x60", b"\x61", b"\x62", b"\x63", b"\xd9", b"\xda"}:
        raise MalformedFrameError("test", data, "declared elsewhere, or not at all (BER)")
    return apdu.decode(data)


def fast_ciphered(data: bytes) -> object:
    if data[:1] == b"\xdd":
        return apdu_general.decode_ciphering(data)
    return apdu_general.decode_signing(data) if data[:1] == b"\xdf" else apdu_ciphered.decode(data)


def encode_ciphered(frame: Any) -> bytes:
    if isinstance(frame, CipheredApdu):
        return apdu_ciphered.encode(frame)
    signing = isinstance(frame, GeneralSigning)
    return apdu_general.encode_signing(frame) if signing else apdu_general.encode_ciphering(frame)


def judged(decode: Decoder, data: bytes) -> object:
    try:
        return decode(data)
    except MalformedFrameError:
        return None


def damaged(octets: bytes) -> Iterator[bytes]:
    for cut in range(len(octets)):
        yield octets[:cut]
    yield octets + b"\0"
    for bit in range(min(len(octets), 90) * 8):
        spoiled = bytearray(octets)
        spoiled[bit // 8] ^= 1 << bit % 8
        yield bytes(spoiled)


@pytest.mark.parametrize("octets", SERVICES, ids=lambda octets: octets[:3].hex())
def test_both_read_and_write_every_form_of_every_service_alike(octets: bytes) -> None:
    value = apdu.decode(octets)
    assert apdu_declaration.decode(octets) == value
    assert apdu_declaration.encode(value) == octets
    for copy in damaged(octets):
        fast = judged(fast_service, copy)
        assert judged(apdu_declaration.decode, copy) == fast, copy.hex()
        if fast is not None:  # FF for TRUE is read and written as 01, so not every copy comes back
            assert apdu_declaration.encode(fast) == ENCODERS[copy[0]](fast)


@pytest.mark.parametrize("octets", CIPHERED, ids=lambda octets: octets[:2].hex())
def test_both_read_and_write_every_ciphered_frame_alike(octets: bytes) -> None:
    value: Any = fast_ciphered(octets)
    assert ciphered_declaration.decode(octets) == value
    assert ciphered_declaration.encode(value) == octets
    for copy in damaged(octets):
        fast = judged(fast_ciphered, copy)
        assert judged(ciphered_declaration.decode, copy) == fast, copy.hex()


@pytest.mark.parametrize("tag", TAGS)
def test_both_know_every_ciphered_tag(tag: int) -> None:
    octets = bytes((tag, 6, 0x30, 0, 0, 0, 1, 0xAA))
    assert ciphered_declaration.decode(octets) == apdu_ciphered.decode(octets)


@given(APDUS)
@settings(derandomize=True, max_examples=examples(100), deadline=None)
def test_both_write_and_read_any_service_alike(value: Any) -> None:
    octets = apdu_declaration.encode(value)
    assert octets == ENCODERS[octets[0]](value)
    assert apdu_declaration.decode(octets) == apdu.decode(octets) == value
    cut = Chance(len(octets)).stream("cut").below(len(octets))
    assert judged(apdu_declaration.decode, octets[:cut]) is None
    assert judged(apdu.decode, octets[:cut]) is None


@pytest.mark.parametrize("text", VECTORS)
def test_both_read_and_write_every_type_alike(text: str) -> None:
    octets = bytes.fromhex(text)
    assert declaration_data.encode(VECTORS[text]) == octets
    for copy in [octets, *damaged(octets)]:
        assert judged(declaration_data.decode, copy) == judged(axdr.decode, copy), copy.hex()


@given(DATA)
@settings(derandomize=True, max_examples=examples(60), deadline=None)
def test_both_write_and_read_any_data_alike(value: Data) -> None:
    octets = declaration_data.encode(value)
    assert octets == axdr.encode(value)
    assert declaration_data.decode(octets) == value


def test_both_judge_random_octets_alike() -> None:
    draw = Chance(11).stream("octets")
    decoders: list[tuple[Decoder, Decoder, bytes]] = [
        (axdr.decode, declaration_data.decode, bytes(range(34))),
        (fast_service, apdu_declaration.decode, bytes({octets[0] for octets in SERVICES})),
        (fast_ciphered, ciphered_declaration.decode, bytes({octets[0] for octets in CIPHERED})),
    ]
    read = 0
    for fast, declared, firsts in decoders:
        for _ in range(400):
            head = bytes((firsts[draw.below(len(firsts))], draw.below(7)))
            # octets below 34 are likely tags, counts and lengths
            tail = bytes(octet % 34 for octet in draw.octets(draw.below(24)))
            value = judged(fast, head + tail)
            read += value is not None
            assert judged(declared, head + tail) == value, (head + tail).hex()
    assert read > 10


ROW = StructureType((Tag.UINT8, Tag.NULL))


@pytest.mark.parametrize(
    ("fast", "declared", "value"),
    [
        (axdr.encode, declaration_data.encode, Data(Tag.UINT8, 256)),
        (axdr.encode, declaration_data.encode, Data(Tag.NULL, 0)),
        (axdr.encode, declaration_data.encode, axdr.octets(bytes(65_536))),
        (
            axdr.encode,
            declaration_data.encode,
            Data(Tag.COMPACT_ARRAY, CompactArray(ROW, (axdr.structure(Data(Tag.UINT8, 1)),))),
        ),
        (
            axdr.encode,
            declaration_data.encode,
            Data(Tag.COMPACT_ARRAY, CompactArray(Tag.UINT8, (axdr.uint16(1),))),
        ),
        (
            axdr.encode,
            declaration_data.encode,
            Data(Tag.COMPACT_ARRAY, CompactArray(ArrayType(65_536, Tag.UINT8), ())),
        ),
        (ENCODERS[0x0E], apdu_declaration.encode, ConfirmedServiceError(1, 11)),
        (
            ENCODERS[0xD8],
            apdu_declaration.encode,
            ExceptionResponse(StateError.SERVICE_UNKNOWN, ServiceError.INVOCATION_COUNTER_ERROR),
        ),
        (
            ENCODERS[0xD8],
            apdu_declaration.encode,
            ExceptionResponse(StateError.SERVICE_UNKNOWN, ServiceError.OTHER_REASON, 1),
        ),
        (
            encode_ciphered,
            ciphered_declaration.encode,
            CipheredApdu(Form.SERVICE_GLOBAL, None, None, CONTROL, 1, b""),
        ),
        (
            encode_ciphered,
            ciphered_declaration.encode,
            CipheredApdu(Form.SERVICE_GLOBAL, 0xC0, None, CONTROL, 1 << 32, b""),
        ),
    ],
)
def test_both_refuse_to_write_what_does_not_fit(
    fast: Callable[[Any], bytes], declared: Callable[[Any], bytes], value: object
) -> None:
    for encode in (fast, declared):
        with pytest.raises(ValueError, match=r"."):
            encode(value)
