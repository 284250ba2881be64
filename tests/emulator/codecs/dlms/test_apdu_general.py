from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import apdu_general as general
from emulator.codecs.dlms.apdu_ciphered import BOTH, SecurityControl
from emulator.codecs.dlms.apdu_general import (
    AgreedKey,
    GeneralCiphering,
    GeneralHeader,
    GeneralSigning,
    IdentifiedKey,
    WrappedKey,
)
from emulator.core.errors import MalformedFrameError
from tests.given import needs_rtds, rtds_messages
from tests.sampling import examples

HEADER = GeneralHeader(b"\1\2", b"ORIGINAT", b"RECIPIEN", b"", b"\xee")
CONTROL = SecurityControl(1, BOTH)
TAIL = "07 31 00000005 aabb"
#: Written by hand from the layouts of the standard.
FORMS: list[tuple[Any, str]] = [
    (
        GeneralCiphering(HEADER, None, CONTROL, 5, b"\xaa\xbb"),
        "dd 020102 084f524947494e4154 08524543495049454e 00 01ee 00" + TAIL,
    ),
    (
        GeneralCiphering(HEADER, IdentifiedKey(1), CONTROL, 5, b"\xaa\xbb"),
        "dd 020102 084f524947494e4154 08524543495049454e 00 01ee 01 00 01" + TAIL,
    ),
    (
        GeneralCiphering(HEADER, WrappedKey(0, b"\xcc\xdd"), CONTROL, 5, b"\xaa\xbb"),
        "dd 020102 084f524947494e4154 08524543495049454e 00 01ee 01 01 00 02ccdd" + TAIL,
    ),
    (
        GeneralCiphering(HEADER, AgreedKey(2), CONTROL, 5, b"\xaa\xbb"),
        "dd 020102 084f524947494e4154 08524543495049454e 00 01ee 01 02 0102 00" + TAIL,
    ),
    (
        GeneralSigning(HEADER, b"\xc0\1", b"\xaa" * 3),
        "df 020102 084f524947494e4154 08524543495049454e 00 01ee 02c001 03aaaaaa",
    ),
]
CASES = [(value, bytes.fromhex(text)) for value, text in FORMS]


def decode(data: bytes) -> object:
    signing = data[:1] == b"\xdf"
    return general.decode_signing(data) if signing else general.decode_ciphering(data)


def encode(value: Any) -> bytes:
    if isinstance(value, GeneralSigning):
        return general.encode_signing(value)
    return general.encode_ciphering(value)


@pytest.mark.parametrize(("value", "octets"), CASES)
def test_every_form_is_written_and_read_as_its_layout_says(value: Any, octets: bytes) -> None:
    assert encode(value) == octets
    assert decode(octets) == value


@pytest.mark.parametrize("octets", [octets for _, octets in CASES])
def test_every_truncation_and_extension_is_refused(octets: bytes) -> None:
    for damaged in [octets[:cut] for cut in range(len(octets))] + [octets + b"\0"]:
        with pytest.raises(MalformedFrameError):
            decode(damaged)


HEAD = "dd 00 00 00 00 00 "


@pytest.mark.parametrize(
    ("read", "octets", "why"),
    [
        (general.decode_ciphering, "df", "APDU tag"),
        (general.decode_signing, "dd", "APDU tag"),
        (general.decode_ciphering, HEAD + "02", "usage flag"),
        (general.decode_ciphering, HEAD + "01 03", "key information 3"),
        (general.decode_ciphering, HEAD + "01 02 00 00 05 3000000000", "not one octet"),
        (general.decode_ciphering, HEAD + "01 02 020101 00 05 3000000000", "not one octet"),
        (general.decode_ciphering, HEAD + "00 04 30000000", "no room"),
        (general.decode_ciphering, HEAD + "00 06 3000000000", "length is not that"),
        (general.decode_ciphering, HEAD + "00 8105 3000000000", "shortest"),
        (general.decode_signing, "df 00 00 00 00 00 00 00 00", "octets too many"),
    ],
)
def test_each_fault_is_named(read: Callable[[bytes], object], octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        read(bytes.fromhex(octets))


@settings(max_examples=examples(200), deadline=None)
@given(tag=st.sampled_from([0xDD, 0xDF]), body=st.binary(max_size=40))
def test_octets_of_any_kind_come_back_or_are_refused(tag: int, body: bytes) -> None:
    data = bytes((tag,)) + body
    try:
        value = decode(data)
    except MalformedFrameError:
        return
    assert encode(value) == data


def test_what_does_not_fit_is_our_own_fault() -> None:
    ciphering = CASES[0][0]
    with pytest.raises(ValueError, match="32 bits"):
        encode(replace(ciphering, counter=1 << 32))
    with pytest.raises(ValueError, match="65536 octets"):
        encode(replace(ciphering, header=replace(HEADER, other=bytes(65_536))))


@needs_rtds
def test_the_given_messages_are_general_apdus_and_come_back_octet_for_octet() -> None:
    seen = {0xDD: 0, 0xDF: 0}
    for name, data in rtds_messages():
        value = decode(data) if data[0] == 0xDD else None
        signed = value.content[:-12] if isinstance(value, GeneralCiphering) else data
        if value is not None:
            assert encode(value) == data, name
            seen[0xDD] += 1
        if signed[0] != 0xDF:
            continue
        try:
            inner = general.decode_signing(signed)
        except MalformedFrameError:  # a pre-command has no signature field at all
            inner = general.decode_signing(signed + b"\0")
            assert encode(inner) == signed + b"\0", name
        else:
            assert encode(inner) == signed, name
        seen[0xDF] += 1
    assert seen[0xDD] > 400
    assert seen[0xDF] > 600
