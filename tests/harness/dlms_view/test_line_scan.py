import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import hdlc, wrapper
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import i_control
from emulator.codecs.dlms.mode_e import SignOn, with_even_parity
from emulator.codecs.dlms.wrapper import WrapperFrame
from harness.dlms.settings import Framing
from harness.dlms_view.scan import Piece, Scanner, pieces_of
from harness.line_secrets import joined
from tests.sampling import examples

SNRM = bytes.fromhex("7ea0070321930f017e")
FCS_ENDS_IN_A_FLAG = bytes.fromhex("7ea01c2103523e73e6e700c401c100090a31345030303030323035457e7e")
SIGN_ON = with_even_parity(SignOn().encode())


def frames(pieces: list[Piece]) -> list[bytes]:
    return [piece.octets for piece in pieces if piece.frame is not None]


def test_a_frame_is_found_between_noise() -> None:
    pieces = pieces_of(b"\x00\x7e\x55" + SNRM + b"\xff")
    assert frames(pieces) == [SNRM]
    assert [piece.octets for piece in pieces if piece.frame is None] == [b"\x00\x7e\x55", b"\xff"]


def test_a_frame_whose_check_ends_in_a_flag_is_one_frame() -> None:
    assert frames(pieces_of(FCS_ENDS_IN_A_FLAG + SNRM)) == [FCS_ENDS_IN_A_FLAG, SNRM]


def test_a_flag_that_closes_one_frame_and_opens_the_next_belongs_to_both() -> None:
    octets = SNRM + SNRM[1:]
    pieces = pieces_of(octets)
    assert frames(pieces) == [SNRM, SNRM]
    assert pieces[1].start == pieces[0].end - 1
    assert joined(pieces) == octets


def test_a_sign_on_behind_the_last_flag_of_a_link_is_no_frame_of_1850_octets() -> None:
    scanner = Scanner(Framing.OPTICAL)
    assert frames(scanner.feed(SNRM)) == [SNRM]
    assert [piece.octets for piece in scanner.feed(SIGN_ON)] == [SIGN_ON]
    assert scanner.pending_bytes == 0
    assert frames(scanner.feed(SNRM)) == [SNRM]


def test_a_frame_cut_short_is_loose_octets_once_nothing_more_comes() -> None:
    scanner = Scanner()
    assert scanner.feed(SNRM[:5]) == []
    assert scanner.pending_bytes == 5
    assert [(piece.octets, piece.frame) for piece in scanner.end()] == [(SNRM[:5], None)]
    assert scanner.pending_bytes == 0


def test_a_wrong_check_makes_no_frame() -> None:
    spoilt = SNRM[:-2] + bytes([SNRM[-2] ^ 1]) + SNRM[-1:]
    assert frames(pieces_of(spoilt)) == []


def test_wrapper_frames_are_cut_by_their_length() -> None:
    first = wrapper.encode(WrapperFrame(16, 1, b"\x60\x00"))
    second = wrapper.encode(WrapperFrame(16, 1, b"\xc0"))
    pieces = pieces_of(first + second)
    assert frames(pieces) == [first, second]
    assert isinstance(pieces[0].frame, WrapperFrame)


def test_a_wrapper_stream_that_lost_its_frames_is_loose_to_its_end() -> None:
    first = wrapper.encode(WrapperFrame(16, 1, b"\x60\x00"))
    pieces = pieces_of(first + b"\x00\x02" + first, Framing.WRAPPER)
    assert frames(pieces) == [first]
    assert pieces[-1].octets == b"\x00\x02" + first


streams = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.builds(
            lambda text, number: hdlc.encode(
                Frame(Address(1), Address(16), i_control(number, 0, poll=True), text)
            ),
            st.binary(min_size=1, max_size=40),
            st.integers(0, 7),
        ),
        st.just(SIGN_ON),
    ),
    max_size=6,
).map(b"".join)


@given(octets=streams, cuts=st.lists(st.integers(0, 200), max_size=6))
@settings(max_examples=examples(150), derandomize=True)
def test_pieces_cover_every_octet_once_however_they_arrive(octets: bytes, cuts: list[int]) -> None:
    borders = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    scanner = Scanner(Framing.HDLC)
    pieces = [
        piece
        for start, end in itertools.pairwise(borders)
        for piece in scanner.feed(octets[start:end])
    ]
    pieces += scanner.end()
    assert joined(pieces) == octets
    assert frames(pieces) == frames(pieces_of(octets, Framing.HDLC)) or b"\xaf" in octets


@pytest.mark.parametrize("framing", [None, Framing.HDLC, Framing.OPTICAL])
def test_nothing_makes_no_piece(framing: Framing | None) -> None:
    assert pieces_of(b"", framing) == []
