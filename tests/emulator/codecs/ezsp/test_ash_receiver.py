"""Frames are found in a stream however it is cut and whatever stands between them."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.ezsp import ash
from emulator.codecs.ezsp.ash import (
    AckFrame,
    AshFrame,
    AshReason,
    DataFrame,
    MalformedAshError,
    RstFrame,
)
from emulator.codecs.ezsp.ash_receiver import MAX_KEPT_BYTES, AshReceiver
from tests.emulator.codecs.ezsp.ash_given import KNOWN
from tests.sampling import examples

_ALL = [frame for frame, _ in KNOWN]
_WIRE = b"".join(bytes.fromhex(octets) for _, octets in KNOWN)


def _frames(found: list[ash.AshFrame | MalformedAshError]) -> list[AshFrame]:
    return [frame for frame in found if not isinstance(frame, MalformedAshError)]


def _reasons(found: list[ash.AshFrame | MalformedAshError]) -> list[AshReason]:
    return [error.reason for error in found if isinstance(error, MalformedAshError)]


def test_a_stream_octet_by_octet_gives_the_frames_it_gives_whole() -> None:
    receiver = AshReceiver()
    assert AshReceiver().feed(_WIRE) == _ALL
    assert [frame for octet in _WIRE for frame in receiver.feed(bytes((octet,)))] == _ALL
    assert (receiver.refused, receiver.dropped_bytes, receiver.kept_bytes) == (0, 0, 0)


@settings(max_examples=examples(300))
@given(st.lists(st.integers(0, len(_WIRE)), max_size=12), st.data())
def test_cuts_and_flow_control_anywhere_change_nothing(
    cuts: list[int], data: st.DataObject
) -> None:
    marks = sorted({0, len(_WIRE), *cuts})
    receiver = AshReceiver()
    found: list[AshFrame] = []
    for start, end in pairwise(marks):
        flow = data.draw(st.lists(st.sampled_from([b"\x11", b"\x13"]), max_size=3))
        found += _frames(receiver.feed(b"".join(flow) + _WIRE[start:end]))
        if data.draw(st.booleans()):  # a dump in the middle loses nothing
            state = receiver.dump()
            receiver = AshReceiver()
            receiver.load(state)
    assert found == _ALL


@settings(max_examples=examples(300))
@given(st.binary(max_size=600))
def test_noise_before_a_cancel_never_costs_the_frame_behind_it(noise: bytes) -> None:
    receiver = AshReceiver()
    found = receiver.feed(noise + ash.encode_fresh(RstFrame()))
    assert found[-1] == RstFrame()
    assert receiver.kept_bytes == 0


@settings(max_examples=examples(300))
@given(st.lists(st.binary(max_size=700), max_size=20))
def test_noise_is_never_kept_without_bound_and_never_an_unknown_error(pieces: list[bytes]) -> None:
    receiver = AshReceiver()
    for piece in pieces:
        receiver.feed(piece)
        assert receiver.kept_bytes <= MAX_KEPT_BYTES
    receiver.feed(b"\x7e")
    assert receiver.feed(ash.encode(AckFrame(3))) == [AckFrame(3)]


def test_a_spoilt_frame_is_refused_by_name_and_the_next_one_is_read() -> None:
    good = ash.encode(AckFrame(1))
    for octets, reason in (
        (b"\x81\x18\x60\x59\x7e", AshReason.COMM_ERROR),
        (b"\x81\x60\x7d\x7e", AshReason.BAD_ESCAPE),
        (b"\x81\x60\x58\x7e", AshReason.BAD_CRC),
        (b"\x81\x7e", AshReason.TOO_SHORT),
        (b"\x42" * 300 + b"\x7e", AshReason.TOO_LONG),
        (b"\x42" * 3000 + b"\x7e", AshReason.TOO_LONG),
    ):
        receiver = AshReceiver()
        found = receiver.feed(octets + good)
        assert _reasons(found) == [reason]
        assert _frames(found) == [AckFrame(1)]
        assert receiver.refused == 1


def test_flags_in_a_row_are_no_frames() -> None:
    receiver = AshReceiver()
    assert receiver.feed(b"\x7e\x7e\x7e" + ash.encode(RstFrame()) + b"\x7e") == [RstFrame()]
    assert receiver.refused == 0


def test_a_cancel_disowns_what_is_unfinished_even_when_it_was_too_long() -> None:
    receiver = AshReceiver()
    frame = DataFrame(0, 0, bytes(3))
    assert receiver.feed(bytes(1000)) == []
    assert receiver.feed(b"\x1a" + ash.encode(frame)) == [frame]
    assert receiver.refused == 0
