from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zigbee import nwk
from emulator.codecs.zigbee.nwk import NwkFrame
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from tests.sampling import examples

FRAME = NwkFrame(0x1234, 0x0000, 30, 0x2A, b"\x40\x01")
DESTINATION = Eui64.parse("90-B3-D5-1F-30-01-00-00")
SOURCE = Eui64.parse("00-DB-12-34-56-78-90-A0")

euis = st.none() | st.binary(min_size=8, max_size=8).map(Eui64)
frames = st.builds(
    NwkFrame,
    destination=st.integers(0, 0xFFFF),
    source=st.integers(0, 0xFFFF),
    radius=st.integers(0, 0xFF),
    sequence=st.integers(0, 0xFF),
    payload=st.binary(max_size=100),
    destination_eui64=euis,
    source_eui64=euis,
)


def test_a_plain_frame_has_the_octets_of_the_standard() -> None:
    # control 0008: data, protocol version 2; addresses low octet first; radius; sequence
    octets = bytes.fromhex("0800 3412 0000 1e 2a 4001")
    assert nwk.encode(FRAME) == octets
    assert nwk.decode(octets) == FRAME


def test_extended_addresses_follow_the_header_least_significant_octet_first() -> None:
    frame = replace(FRAME, destination_eui64=DESTINATION, source_eui64=SOURCE)
    octets = bytes.fromhex("0818 3412 0000 1e 2a 000001301fd5b390 a09078563412db00 4001")
    assert nwk.encode(frame) == octets
    assert nwk.decode(octets) == frame


def test_one_extended_address_alone_sets_its_own_bit() -> None:
    assert nwk.encode(replace(FRAME, destination_eui64=DESTINATION))[:2] == bytes.fromhex("0808")
    assert nwk.encode(replace(FRAME, source_eui64=SOURCE))[:2] == bytes.fromhex("0810")


@given(frames)
@settings(max_examples=examples(150), derandomize=True)
def test_fast_path_and_declaration_agree_and_round_trip(frame: NwkFrame) -> None:
    octets = nwk.encode(frame)
    assert nwk._encode_declared(frame) == octets
    assert nwk.decode(octets) == nwk._decode_declared(octets) == frame


def test_every_cut_through_the_header_is_refused() -> None:
    plain = nwk.encode(FRAME)
    extended = nwk.encode(replace(FRAME, destination_eui64=DESTINATION, source_eui64=SOURCE))
    for octets, header in ((plain, 8), (extended, 24)):
        for length in range(header):
            with pytest.raises(MalformedFrameError):
                nwk.decode(octets[:length])


@pytest.mark.parametrize(
    ("control", "why"),
    [
        ("0900", "frame type 1"),
        ("0c00", "protocol version 3"),
        ("0400", "protocol version 1"),
        ("0802", "security header"),
        ("0801", "multicast"),
        ("0804", "source routing"),
        ("4800", "route discovery"),
        ("0820", "end device initiator"),
        ("0840", "reserved bit"),
        ("0880", "reserved bit"),
    ],
)
def test_what_the_han_does_not_use_is_refused_each_with_its_reason(control: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why) as refused:
        nwk.decode(bytes.fromhex(control) + nwk.encode(FRAME)[2:] + bytes(16))
    assert refused.value.layer == "zigbee.nwk"


@given(st.binary(max_size=40))
@settings(max_examples=examples(200), derandomize=True)
def test_octets_of_chance_are_read_or_refused_and_never_break(octets: bytes) -> None:
    try:
        frame = nwk.decode(octets)
    except MalformedFrameError:
        return
    assert nwk.encode(frame) == octets


@pytest.mark.parametrize("wrong", [{"destination": 0x10000}, {"radius": 256}, {"sequence": -1}])
@pytest.mark.parametrize("eui64", [None, SOURCE])
def test_a_field_out_of_range_is_our_own_error(wrong: dict[str, int], eui64: Eui64 | None) -> None:
    frame = replace(FRAME, source_eui64=eui64, **wrong)  # type: ignore[arg-type]  # integers all
    with pytest.raises(ValueError, match=r"zigbee\.nwk"):
        nwk.encode(frame)
