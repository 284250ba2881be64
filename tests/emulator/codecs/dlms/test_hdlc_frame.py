import binascii

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import hdlc, hdlc_declaration
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import (
    CONTROLS,
    Fault,
    FrameReject,
    Kind,
    control,
    i_control,
)
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

SERVER, CLIENT = Address(1), Address(16)
SNRM = bytes.fromhex("7EA0070321930F017E")
UA = bytes.fromhex("7EA01E2103 73C37A 818012050180060180070400000001080400000001 533B 7E")
GET = bytes.fromhex("7EA01C2103523E73E6E700C401C100090A31345031323334353637217D7E")
FLAG_IN_FCS = bytes.fromhex("7EA01C2103523E73E6E700C401C100090A31345030303030323035457E7E")
GOLDEN = [SNRM, UA, GET, FLAG_IN_FCS]


def addresses() -> st.SearchStrategy[Address]:
    small, large = st.integers(0, 0x7F), st.integers(0, 0x3FFF)
    return st.one_of(
        st.builds(Address, small),
        st.builds(Address, small, small, st.just(2)),
        st.builds(Address, large, large, st.just(4)),
    )


frames = st.builds(
    Frame,
    destination=addresses(),
    source=addresses(),
    control=st.sampled_from(CONTROLS),
    information=st.binary(max_size=300) | st.binary(max_size=40).map(lambda part: part * 50),
    segmented=st.booleans(),
)


def divided(octets: bytes) -> int:
    """CRC-16/X.25 bit by bit."""
    remainder = 0xFFFF
    for octet in octets:
        for bit in range(8):
            out = (remainder & 1) ^ (octet >> bit & 1)
            remainder = remainder >> 1 ^ (0x8408 if out else 0)
    return remainder ^ 0xFFFF


def sealed(body: bytes) -> bytes:
    """A frame of any octets whose last check sequence is right."""
    return b"\x7e" + body + hdlc.fcs(body) + b"\x7e"


def test_the_check_sequence_of_the_catalogue_string_is_906e() -> None:
    assert hdlc.fcs(b"123456789") == bytes.fromhex("6e90")


@given(st.binary(max_size=200))
@settings(max_examples=examples(50), derandomize=True)
def test_the_fast_check_sequence_is_the_one_divided_bit_by_bit(octets: bytes) -> None:
    assert hdlc.fcs(octets) == divided(octets).to_bytes(2, "little")
    assert hdlc.is_intact(octets + hdlc.fcs(octets))


@pytest.mark.parametrize("octets", GOLDEN, ids=["snrm", "ua", "get", "fcs-ends-in-flag"])
def test_the_golden_frames_come_back_octet_for_octet(octets: bytes) -> None:
    assert hdlc.encode(hdlc.decode(octets)) == octets
    assert hdlc_declaration.decode(octets) == hdlc.decode(octets)
    assert hdlc_declaration.encode(hdlc.decode(octets)) == octets


def test_the_golden_frames_mean_what_the_reference_says() -> None:
    assert hdlc.decode(SNRM) == Frame(SERVER, CLIENT, control(Kind.SNRM))
    response = hdlc.decode(FLAG_IN_FCS)
    assert (response.destination, response.source) == (CLIENT, SERVER)
    assert response.control == i_control(1, 2, poll=True)
    assert response.information[-10:] == b"14P0000205"


@given(frames)
@settings(max_examples=examples(80), derandomize=True)
def test_any_frame_round_trips_and_both_codecs_agree(frame: Frame) -> None:
    octets = hdlc.encode(frame)
    assert hdlc.decode(octets) == frame
    assert hdlc_declaration.encode(frame) == octets
    assert hdlc_declaration.decode(octets) == frame


def _outcome(decode: object, octets: bytes) -> object:
    try:
        return decode(octets)  # type: ignore[operator]  # one of the two codecs
    except MalformedFrameError:
        return "refused"


@given(frames, st.data())
@settings(max_examples=examples(80), derandomize=True)
def test_both_codecs_agree_on_bodies_that_only_look_right(
    frame: Frame, data: st.DataObject
) -> None:
    body = bytearray(hdlc.encode(frame)[1:-3])
    at = data.draw(st.integers(0, min(len(body), 14) - 1))
    body[at] ^= 1 << data.draw(st.integers(0, 7))
    octets = sealed(bytes(body))
    assert _outcome(hdlc.decode, octets) == _outcome(hdlc_declaration.decode, octets)


@pytest.mark.parametrize("octets", GOLDEN, ids=["snrm", "ua", "get", "fcs-ends-in-flag"])
def test_every_truncation_extension_and_flipped_bit_is_refused(octets: bytes) -> None:
    spoilt = [octets[:size] for size in range(len(octets))]
    spoilt += [octets + bytes((octet,)) for octet in range(256)]
    spoilt += [octets[:-1] + bytes((octet,)) + octets[-1:] for octet in range(256)]
    for bit in range(len(octets) * 8):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        spoilt.append(bytes(flipped))
    for wrong in spoilt:
        with pytest.raises(MalformedFrameError) as caught:
            hdlc.decode(wrong)
        assert caught.value.layer == "dlms.hdlc"
        assert caught.value.offset >= 0


@given(st.binary(max_size=80))
@settings(max_examples=examples(80), derandomize=True)
def test_any_octets_decode_or_are_refused_by_name(octets: bytes) -> None:
    for data in (octets, sealed(octets), sealed(_headed(octets))):
        if _outcome(hdlc.decode, data) != "refused":
            assert hdlc.encode(hdlc.decode(data)) == data


def _headed(octets: bytes) -> bytes:
    return (0xA000 | len(octets) + 4).to_bytes(2, "big") + octets


@pytest.mark.parametrize(
    ("body", "why", "offset"),
    [
        ("b007 03 21 93", "format type b", 1),
        ("a008 03 21 93", "8 octets announced, 7 present", 1),
        ("a009 02 02 03 21 93", "1, 2 or 4 octets", 3),
        ("a00a 02 02 02 02 21 93", "1, 2 or 4 octets", 3),
        ("a007 03 02 21", "no room for the control field", 6),
        ("a009 03 21 93 0f01", "empty", 6),
        ("a008 03 21 93 0f", "empty", 6),
        ("a00a 03 21 13 1234 55", "header check", 6),
    ],
)
def test_each_fault_inside_an_intact_frame_has_its_own_words(
    body: str, why: str, offset: int
) -> None:
    with pytest.raises(MalformedFrameError, match=why) as caught:
        hdlc.decode(sealed(bytes.fromhex(body)))
    assert caught.value.offset == offset


@given(addresses())
@settings(max_examples=examples(100), derandomize=True)
def test_every_address_round_trips_in_its_size(address: Address) -> None:
    octets = hdlc.encode_address(address)
    assert len(octets) == address.size
    assert hdlc.decode_address(octets) == address


@pytest.mark.parametrize(
    "address",
    [Address(128), Address(1, 1), Address(1, None, 2), Address(1, 128, 2), Address(1, 0x4000, 4),
     Address(-1), Address(1, 1, 3)],
)  # fmt: skip
def test_an_address_that_does_not_fit_is_our_own_mistake(address: Address) -> None:
    with pytest.raises(ValueError, match="address"):
        hdlc.encode_address(address)


@pytest.mark.parametrize(
    "octets", [b"", b"\x02", b"\x03\x03", b"\x02\x02\x03", b"\x02\x03\x02\x03"]
)
def test_an_address_of_wrong_octets_is_refused(octets: bytes) -> None:
    with pytest.raises(MalformedFrameError):
        hdlc.decode_address(octets)


def test_a_frame_longer_than_its_length_field_is_our_own_mistake() -> None:
    longest = Frame(SERVER, CLIENT, control(Kind.UI), bytes(2047 - 9))
    assert hdlc.decode(hdlc.encode(longest)) == longest
    too_long = Frame(SERVER, CLIENT, control(Kind.UI), bytes(2047 - 8))
    for encode in (hdlc.encode, hdlc_declaration.encode):
        with pytest.raises(ValueError, match="2048"):
            encode(too_long)


def test_a_segmented_frame_of_more_than_1024_octets_keeps_both_facts_apart() -> None:
    frame = Frame(SERVER, CLIENT, i_control(0, 0, poll=True), bytes(1024), segmented=True)
    assert hdlc.encode(frame)[1:3] == bytes.fromhex("ac09")  # not ab.., reference section 4.1


def test_every_control_octet_is_taken_apart_and_put_together() -> None:
    for octet, value in enumerate(CONTROLS):
        assert value.octet == octet
        if value.kind is Kind.I:
            assert i_control(value.send, value.receive, poll=value.poll) is value
        elif value.kind is not Kind.UNKNOWN:
            assert control(value.kind, poll=value.poll, receive=value.receive) is value


@pytest.mark.parametrize("kind", [Kind.I, Kind.UNKNOWN])
def test_a_frame_with_numbers_or_without_meaning_has_no_control_octet_of_its_own(
    kind: Kind,
) -> None:
    with pytest.raises(ValueError, match="no control octet"):
        control(kind)


@pytest.mark.parametrize(
    ("octet", "kind"),
    [(0x93, Kind.SNRM), (0x53, Kind.DISC), (0x73, Kind.UA), (0x1F, Kind.DM), (0x97, Kind.FRMR),
     (0x13, Kind.UI), (0x03, Kind.UI), (0x11, Kind.RR), (0x15, Kind.RNR), (0x52, Kind.I),
     (0x19, Kind.UNKNOWN), (0xFF, Kind.UNKNOWN)],
)  # fmt: skip
def test_the_control_octets_of_the_standard_have_their_names(octet: int, kind: Kind) -> None:
    assert CONTROLS[octet].kind is kind


@given(
    st.builds(
        FrameReject,
        st.integers(0, 255),
        st.integers(0, 7),
        st.integers(0, 7),
        st.sampled_from(Fault),
        st.booleans(),
    )
)
@settings(max_examples=examples(50), derandomize=True)
def test_a_frame_reject_round_trips(reject: FrameReject) -> None:
    assert FrameReject.decode(reject.encode()) == reject


@pytest.mark.parametrize("octets", ["", "1000", "10000000", "100100", "100010"])
def test_a_malformed_frame_reject_is_refused(octets: str) -> None:
    with pytest.raises(MalformedFrameError):
        FrameReject.decode(bytes.fromhex(octets))


def test_the_library_crc_shifts_the_other_way_which_is_why_octets_are_reversed() -> None:
    assert binascii.crc_hqx(b"123456789", 0xFFFF) != 0x906E
