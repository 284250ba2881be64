import binascii
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs import csp_transfer
from emulator.codecs.csp_transfer import (
    Chunk,
    ChunkAnswer,
    Close,
    Closed,
    Offer,
    OfferAnswer,
    Reason,
)
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from tests.sampling import examples

NODE = Eui64.parse("00-DB-12-34-56-78-90-A0")
HASH = bytes(range(32))

# kind and body; the frame around them is `framed`
VECTORS: list[tuple[Any, int, str]] = [
    (
        Offer(7, "R-1", 361, HASH, (NODE,)),
        0,
        f"00000007 03522d31 00000169 {HASH.hex()} 0001 00db1234567890a0",
    ),
    (Offer(7, "", 1, HASH, ()), 0, f"00000007 00 00000001 {HASH.hex()} 0000"),
    (OfferAnswer(7, Reason.TOO_LARGE), 1, "00000007 04"),
    (Chunk(7, 1024, b"abc"), 2, "00000007 00000400 0003 616263"),
    (ChunkAnswer(7, 1027), 3, "00000007 00000403"),
    (Close(7, Reason.COMPLETE), 4, "00000007 02"),
    (Closed(7, Reason.HELD), 5, "00000007 01"),
]
IDS = [type(frame).__name__ for frame, _, _ in VECTORS]

long = st.integers(0, 0xFFFFFFFF)
reasons = st.sampled_from(Reason)
euis = st.binary(min_size=8, max_size=8).map(Eui64)
frames = st.one_of(
    st.builds(
        Offer,
        long,
        st.text(max_size=60),
        long,
        st.binary(min_size=32, max_size=32),
        st.lists(euis, max_size=3).map(tuple),
    ),
    st.builds(OfferAnswer, long, reasons),
    st.builds(Chunk, long, long, st.binary(min_size=1, max_size=90)),
    st.builds(ChunkAnswer, long, long),
    st.builds(Close, long, reasons),
    st.builds(Closed, long, reasons),
)


def framed(kind: int, body: bytes, *, start: bytes = b"SBIT\x01") -> bytes:
    whole = start + bytes([kind]) + len(body).to_bytes(4, "big") + body
    return whole + binascii.crc32(whole).to_bytes(4, "big")


OCTETS = [framed(kind, bytes.fromhex(body)) for _, kind, body in VECTORS]


def test_the_module_says_that_it_is_a_stand_in() -> None:
    assert (csp_transfer.__doc__ or "").startswith("STAND-IN")


@pytest.mark.parametrize(("frame", "kind", "body"), VECTORS, ids=IDS)
def test_a_frame_has_the_octets_that_are_written_down(frame: Any, kind: int, body: str) -> None:
    octets = framed(kind, bytes.fromhex(body))
    assert csp_transfer.encode(frame) == octets
    assert csp_transfer.decode(octets) == frame


@given(frames)
@settings(max_examples=examples(150), derandomize=True)
def test_what_was_encoded_decodes_to_the_same_frame(frame: Any) -> None:
    assert csp_transfer.decode(csp_transfer.encode(frame)) == frame


@pytest.mark.parametrize("octets", OCTETS, ids=IDS)
def test_truncations_an_extension_and_every_flip_are_refused(octets: bytes) -> None:
    for length in range(len(octets)):
        with pytest.raises(MalformedFrameError):
            csp_transfer.decode(octets[:length])
    with pytest.raises(MalformedFrameError):
        csp_transfer.decode(octets + b"\x00")
    for bit in range(8 * len(octets)):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(MalformedFrameError):
            csp_transfer.decode(bytes(flipped))


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "less than 14"),
        (framed(1, bytes(5), start=b"XBIT\x01"), "not a frame of this format"),
        (framed(1, bytes(5), start=b"SBIT\x02"), "not a frame of this format"),
        (framed(6, bytes(5)), "kind 6 is not known"),
        (framed(1, bytes.fromhex("0000000763")), "99 is no reason"),
        (framed(1, bytes(6)), "left over"),
        (framed(3, bytes(9)), "left over"),
        (framed(2, bytes.fromhex("00000007 00000400 0000")), "check"),
        (framed(2, bytes.fromhex("00000007 00000400 0004 616263")), "stream"),
        (framed(0, bytes.fromhex("00000007 01ff")), "utf"),
        (framed(1, bytes(5))[:-4] + bytes(4), "CRC wrong"),
        (framed(1, bytes(5))[:-1], "announced"),
    ],
)
def test_each_damage_has_its_own_reason(octets: bytes, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=f"(?i){why}") as refused:
        csp_transfer.decode(octets)
    assert refused.value.layer == "csp_transfer"


@pytest.mark.parametrize(
    "frame",
    [
        Chunk(7, 0, b""),
        Chunk(7, 0, bytes(0x10000)),
        ChunkAnswer(1 << 32, 0),
        Offer(7, "x" * 256, 1, HASH, ()),
        Offer(7, "x", 1, HASH[:31], ()),
    ],
)
def test_a_value_that_does_not_fit_is_our_own_error(frame: Any) -> None:
    with pytest.raises(ValueError, match="csp_transfer"):
        csp_transfer.encode(frame)


def test_reasons_have_the_words_of_a_stage_outcome() -> None:
    words = {reason.word for reason in Reason}
    outcomes = {"held", "too-large", "store-full", "busy", "transfer-failed", "metadata-mismatch"}
    assert outcomes | {"malformed"} <= words
    assert len(words) == len(Reason)


@given(st.integers(0, 6), st.binary(max_size=60))
@settings(max_examples=examples(300), derandomize=True)
def test_octets_of_chance_are_read_or_refused_and_never_break(kind: int, body: bytes) -> None:
    octets = framed(kind, body)
    try:
        frame = csp_transfer.decode(octets)
    except MalformedFrameError:
        return
    assert csp_transfer.encode(frame) == octets
