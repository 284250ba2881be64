"""Where frames of a line end, what they are called, and how they are closed again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import hdlc, mode_e
from emulator.codecs.dlms.hdlc_control import Kind
from emulator.servers.line_frames import APDU_WORDS, FrameCutter, label_of, seal_of
from emulator.servers.line_parts import Framing
from tests.emulator.servers.line_kit import (
    ANSWER,
    GET,
    IDENTIFICATION,
    OPTION_E,
    REQUEST,
    HdlcClient,
    wrapped,
)

CLIENT = HdlcClient()
SNRM, QUESTION = CLIENT.snrm(), CLIENT.ask()
READ_OUT = mode_e.with_even_parity(mode_e.encode_read_out("1.8.0(1)"))


def cut(framing: Framing, octets: bytes, size: int = 1 << 20) -> list[bytes]:
    cutter = FrameCutter(framing)
    parts = [octets[at : at + size] for at in range(0, len(octets), size)]
    pieces = [piece for part in parts for piece in cutter.feed(part)]
    return [*pieces, *cutter.flush()]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    ("framing", "pieces"),
    [
        (Framing.HDLC, [SNRM, QUESTION, SNRM]),
        (Framing.OPTICAL, [REQUEST, OPTION_E, SNRM, REQUEST]),
        (Framing.WRAPPER, [wrapped(), wrapped(b"\xff" * 300), wrapped()]),
        (Framing.HDLC, [SNRM, b"\x00\xff", QUESTION]),
        (Framing.HDLC, [b"\x7e", SNRM, b"\x7e", QUESTION]),
    ],
)
def test_frames_are_cut_apart_however_they_come(
    framing: Framing, pieces: list[bytes], size: int
) -> None:
    assert cut(framing, b"".join(pieces), size) == pieces


@settings(deadline=None)
@given(st.sampled_from(list(Framing)), st.binary(max_size=200), st.integers(1, 50))
def test_the_pieces_put_together_are_what_came(framing: Framing, octets: bytes, size: int) -> None:
    assert b"".join(cut(framing, octets, size)) == octets


@pytest.mark.parametrize(
    ("framing", "piece", "label"),
    [
        (Framing.HDLC, SNRM, "hdlc.snrm"),
        (Framing.HDLC, CLIENT.frame(Kind.RR), "hdlc.rr"),
        (Framing.HDLC, QUESTION, "hdlc.i.get-request"),
        (Framing.OPTICAL, CLIENT.tell(b"\x0f1"), "hdlc.ui.data-notification"),
        (Framing.HDLC, QUESTION[:-4] + b"xx~", "noise"),
        (Framing.OPTICAL, REQUEST, "sign-on.request"),
        (Framing.OPTICAL, IDENTIFICATION, "sign-on.identification"),
        (Framing.OPTICAL, OPTION_E, "sign-on.option"),
        (Framing.OPTICAL, READ_OUT, "sign-on.read-out"),
        (Framing.OPTICAL, b"\x00\x01", "noise"),
        (Framing.WRAPPER, wrapped(ANSWER), "wrapper.get-response"),
        (Framing.WRAPPER, wrapped(b"\x99"), "wrapper.unknown"),
        (Framing.WRAPPER, b"", "noise"),
        (Framing.HDLC, b"", "noise"),
    ],
)
def test_every_piece_has_a_name(framing: Framing, piece: bytes, label: str) -> None:
    assert label_of(framing, piece) == label


def test_words_of_apdus_are_all_different() -> None:
    assert len(set(APDU_WORDS.values())) == len(APDU_WORDS)


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("piece", [SNRM, QUESTION, REQUEST, OPTION_E, wrapped(), CLIENT.tell(GET)])
def test_a_frame_closed_again_unchanged_is_the_same(framing: Framing, piece: bytes) -> None:
    if (piece == wrapped()) is not (framing is Framing.WRAPPER):
        return
    seal = seal_of(framing, piece)
    assert seal.put(piece[: len(piece) - seal.check_bytes]) == piece


@pytest.mark.parametrize("at", range(1, len(QUESTION) - 3))
def test_a_changed_frame_closed_again_checks(at: int) -> None:
    seal = seal_of(Framing.HDLC, QUESTION)
    body = bytearray(QUESTION[: -seal.check_bytes])
    body[at] ^= 0x20
    closed = seal.put(bytes(body))
    assert hdlc.is_intact(closed[1:-1])
    if at > 10:
        assert hdlc.decode(closed).information != hdlc.decode(QUESTION).information


def test_a_changed_sign_on_has_right_parity() -> None:
    seal = seal_of(Framing.OPTICAL, REQUEST)
    closed = seal.put(bytes([REQUEST[0] ^ 1]) + REQUEST[1:])
    assert mode_e.SUBSTITUTE not in mode_e.with_substitutes(closed)
