"""The CSP's side of the stand-in image transfer."""

import hashlib
import itertools
from collections.abc import Sequence

import pytest

from emulator.codecs import csp_transfer
from emulator.codecs.csp_transfer import (
    Chunk,
    ChunkAnswer,
    Close,
    Closed,
    Frame,
    Offer,
    OfferAnswer,
    Reason,
)
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Note, SendCsp, SetTimer
from emulator.core.ids import Eui64
from emulator.wan.csp import (
    ANSWER_WAIT_MS,
    CHUNK_BYTES,
    MAX_REPEATS,
    CspOutput,
    CspSender,
    Outcome,
    label_of,
    with_crc,
)

IMAGE = bytes(range(256)) * 40  # two chunks and a half
TARGETS = (Eui64(b"\x00" * 7 + b"\x03"),)
NOW = UtcMs(1000)


def said(outputs: Sequence[CspOutput]) -> list[Frame]:
    return [csp_transfer.decode(o.frame) for o in outputs if isinstance(o, SendCsp)]


def begun() -> CspSender:
    sender = CspSender()
    assert sender.begin("r1", IMAGE, TARGETS, NOW)[0] == 1
    return sender


def sender_in(state: str) -> CspSender:
    sender = begun()
    if state == "offered":
        return sender
    sender.arrived(csp_transfer.encode(OfferAnswer(1, Reason.ACCEPTED)), NOW)
    if state == "sending":
        return sender
    sender.arrived(csp_transfer.encode(ChunkAnswer(1, len(IMAGE))), NOW)
    if state == "closing":
        return sender
    sender.arrived(csp_transfer.encode(Closed(1, Reason.HELD)), NOW)
    return sender


def test_an_image_goes_over_chunk_by_chunk_and_is_held() -> None:
    sender = CspSender()
    number, outputs = sender.begin("r1", IMAGE, TARGETS, NOW)
    (offer,) = said(outputs)
    assert offer == Offer(1, "r1", len(IMAGE), hashlib.sha256(IMAGE).digest(), TARGETS)
    assert SetTimer("1", UtcMs(NOW + ANSWER_WAIT_MS)) in outputs
    held = b""
    outputs = sender.arrived(csp_transfer.encode(OfferAnswer(1, Reason.ACCEPTED)), NOW)
    while isinstance(said(outputs)[0], Chunk):
        (chunk,) = said(outputs)
        assert isinstance(chunk, Chunk)
        assert chunk.offset == len(held)
        assert len(chunk.data) <= CHUNK_BYTES
        held += chunk.data
        outputs = sender.arrived(csp_transfer.encode(ChunkAnswer(1, len(held))), NOW)
    assert held == IMAGE
    assert said(outputs) == [Close(1, Reason.COMPLETE)]
    assert sender.outcome(number) is None
    assert not sender.holds(IMAGE)
    end = sender.arrived(csp_transfer.encode(Closed(1, Reason.HELD)), UtcMs(9))
    assert end[0] == CancelTimer("1")
    assert sender.outcome(number) == Outcome(True, "held", UtcMs(9))
    assert sender.holds(IMAGE)


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (Reason.TOO_LARGE, "too-large"),
        (Reason.STORE_FULL, "store-full"),
        (Reason.BUSY, "busy"),
        (Reason.METADATA_MISMATCH, "metadata-mismatch"),
        (Reason.MALFORMED, "malformed"),
    ],
)
def test_a_refused_offer_ends_with_the_hubs_reason(reason: Reason, word: str) -> None:
    sender = begun()
    sender.arrived(csp_transfer.encode(OfferAnswer(1, reason)), UtcMs(5))
    assert sender.outcome(1) == Outcome(False, word, UtcMs(5))


@pytest.mark.parametrize("state", ["offered", "sending", "closing"])
def test_a_frame_nobody_answers_is_repeated_and_in_the_end_given_up(state: str) -> None:
    sender = sender_in(state)
    repeated = [said(sender.expire("1", NOW)) for _ in range(MAX_REPEATS)]
    assert all(frames == repeated[0] for frames in repeated)
    assert len(repeated[0]) == 1
    assert said(sender.expire("1", UtcMs(7))) == [Close(1, Reason.ABANDONED)]
    assert sender.outcome(1) == Outcome(False, "transfer-failed", UtcMs(7))


def test_progress_begins_the_repeats_anew() -> None:
    sender = sender_in("sending")
    for _ in range(MAX_REPEATS):
        sender.expire("1", NOW)
    sender.arrived(csp_transfer.encode(ChunkAnswer(1, CHUNK_BYTES)), NOW)
    assert isinstance(said(sender.expire("1", NOW))[0], Chunk)


def test_the_hub_says_where_to_go_on() -> None:
    sender = sender_in("sending")
    (chunk,) = said(sender.arrived(csp_transfer.encode(ChunkAnswer(1, 5000)), NOW))
    assert isinstance(chunk, Chunk)
    assert chunk.offset == 5000
    (back,) = said(sender.arrived(csp_transfer.encode(ChunkAnswer(1, 10)), NOW))
    assert isinstance(back, Chunk)
    assert back.offset == 10


@pytest.mark.parametrize("offset", [0, len(IMAGE) + 1])
def test_an_answer_without_progress_waits_for_the_timer(offset: int) -> None:
    outputs = sender_in("sending").arrived(csp_transfer.encode(ChunkAnswer(1, offset)), NOW)
    assert said(outputs) == []


FRAMES: list[Frame] = [
    OfferAnswer(1, Reason.ACCEPTED),
    ChunkAnswer(1, CHUNK_BYTES),
    Closed(1, Reason.HELD),
    Closed(2, Reason.HELD),
    Offer(1, "x", 1, bytes(32), ()),
    Close(1, Reason.COMPLETE),
    Chunk(1, 0, b"x"),
]


@pytest.mark.parametrize(
    ("state", "frame"),
    list(itertools.product(("offered", "sending", "closing", "ended"), FRAMES)),
)
def test_every_state_takes_every_frame(state: str, frame: Frame) -> None:
    sender = sender_in(state)
    before = sender.dump()
    outputs = sender.arrived(csp_transfer.encode(frame), NOW)
    if outputs and isinstance(outputs[0], Note) and outputs[0].kind == "csp_frame_ignored":
        assert sender.dump() == before
    copy = CspSender()
    copy.load(sender.dump())
    assert copy.dump() == sender.dump()


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_damaged_answer_is_noted_and_changes_nothing(cut: int) -> None:
    sender = sender_in("sending")
    before = sender.dump()
    frame = csp_transfer.encode(ChunkAnswer(1, CHUNK_BYTES))
    (note,) = sender.arrived(frame[:-cut], NOW)
    assert isinstance(note, Note)
    assert note.kind == "csp_frame_discarded"
    assert sender.dump() == before


def test_the_same_order_begun_again_goes_on_until_its_outcome_was_heard() -> None:
    sender = sender_in("sending")
    assert sender.begin("r1", IMAGE, TARGETS, NOW) == (1, [])
    assert sender.begin("r2", IMAGE, TARGETS, NOW)[0] == 2
    sender.arrived(csp_transfer.encode(Closed(1, Reason.BUSY)), NOW)
    assert sender.begin("r1", IMAGE, TARGETS, NOW) == (1, [])
    assert sender.outcome(1) is not None
    assert sender.begin("r1", IMAGE, TARGETS, NOW)[0] == 3


def test_frames_have_names_and_a_check_sequence_that_can_be_made_right() -> None:
    frame = csp_transfer.encode(Chunk(1, 0, b"xyz"))
    assert label_of(frame) == "csp.chunk"
    assert label_of(frame[:-1]) == "csp.unreadable"
    assert with_crc(frame[:-4]) == frame
