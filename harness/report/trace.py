"""Everything that crossed between parties and devices, in one order."""

import itertools
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import UsageError
from harness.journal import Journal
from harness.ports import CapturedFrame
from harness.report.dissect import Dissector
from harness.report.layers import Dissection, Layers
from harness.report.naming import Directory, unnamed
from harness.report.pcapng import read


@dataclass(frozen=True, slots=True)
class TraceItem:
    """One arrow of the sequence diagram.

    Attributes:
        at_us: Microseconds since 1970.
        link: ``party``, or the link of the captured frame.
        step: Step number from 1.
        sender: Party or device.
        receiver: Party or device.
        label: One line.
        family: Frames of one family between the same two fold into one row; empty never folds.
        layers: Decoded layers, outermost first.
        octets: As it crossed; may be empty.
        comment: Stand-ins, and faults that touched it; may be empty.
        damaged: Whether it could not be decoded.
    """

    at_us: int
    link: str
    step: int
    sender: str
    receiver: str
    label: str
    family: str
    layers: Layers
    octets: bytes
    comment: str = ""
    damaged: bool = False


def trace_of(journal: Journal, capture: Path) -> tuple[dict[int, list[TraceItem]], tuple[str, ...]]:
    """Return the trace of every scenario by number, and notes on what is missing."""
    notes: list[str] = []
    ends = journal.rows(
        "SELECT scenario, ordinal, step, capture_frames FROM operations"
        " WHERE outcome IS NOT NULL ORDER BY scenario, ordinal"
    )
    frames = _frames(capture, ends[-1]["capture_frames"] if ends else 0, notes)
    traces: dict[int, list[TraceItem]] = {}
    begins_at = 0
    for scenario, group in itertools.groupby(ends, key=lambda row: int(row["scenario"])):
        rows = list(group)
        ends_at = rows[-1]["capture_frames"]
        dissector, messages = _dissector(journal, scenario)
        operations = _by_operation(rows, frames[begins_at:ends_at], begins_at)
        items = list(_merged(operations, messages, dissector))
        names = {unnamed(short): name for short, name in dissector.learnt.items()}
        hub = dissector.directory.hub
        traces[scenario] = _once([_named(item, names) for item in items], hub)
        begins_at = ends_at
    return traces, tuple(notes)


def _by_operation(
    ends: Sequence[sqlite3.Row], frames: Sequence[CapturedFrame], begins_at: int
) -> Iterator[tuple[int, int, Sequence[CapturedFrame]]]:
    """Yield each operation's ordinal, step from 1, and frames."""
    done = 0
    for end in ends:
        count = end["capture_frames"] - begins_at
        yield end["ordinal"], end["step"] + 1, frames[done:count]
        done = count


def _frames(capture: Path, total: int, notes: list[str]) -> Sequence[CapturedFrame]:
    """Return the frames the journal vouches for; fewer, with a note, where they are gone."""
    found: list[CapturedFrame] = []
    if not total:
        return found
    try:
        for frame in itertools.islice(read(capture), total):
            found.append(frame)  # noqa: PERF402 - what was read before an error counts
    except FileNotFoundError:
        notes.append(f"{capture.name} is gone: frames are missing from the diagrams")
    except UsageError as error:
        notes.append(f"{capture.name}: {error.what}: frames are missing from the diagrams")
    return found


def _dissector(journal: Journal, scenario: int) -> tuple[Dissector, list[sqlite3.Row]]:
    """Return what decodes a scenario's frames, and the messages its steps traced."""
    row = journal.rows("SELECT names, before FROM scenarios WHERE n = ?", scenario)[0]
    messages = journal.rows(
        "SELECT step, operation, at, body, octets FROM records"
        " WHERE scenario = ? AND kind = 'message' ORDER BY step, n",
        scenario,
    )
    parties = {json.loads(item["body"])[end] for item in messages for end in ("sender", "receiver")}
    directory = Directory.of(json.loads(row["names"]), json.loads(row["before"]), parties)
    return Dissector(directory), messages


def _merged(
    operations: Iterator[tuple[int, int, Sequence[CapturedFrame]]],
    messages: list[sqlite3.Row],
    dissector: Dissector,
) -> Iterator[TraceItem]:
    """Yield messages and frames in the order they happened."""
    waiting = list(messages)
    for ordinal, step, frames in operations:
        while waiting and waiting[0]["operation"] < ordinal:
            yield _message(waiting.pop(0), dissector)
        for frame in frames:
            yield _frame(frame, step, dissector.dissect(frame))
    for item in waiting:
        yield _message(item, dissector)


def _frame(frame: CapturedFrame, step: int, told: Dissection) -> TraceItem:
    return TraceItem(
        at_us=frame.at_us,
        link=frame.link,
        step=step,
        sender=told.sender,
        receiver=told.receiver,
        label=told.label,
        family=told.family,
        layers=told.layers,
        octets=frame.frame,
        comment=frame.comment,
        damaged=told.damaged,
    )


def _message(row: sqlite3.Row, dissector: Dissector) -> TraceItem:
    body = json.loads(row["body"])
    told = dissector.message(body["kind"], row["octets"])
    return TraceItem(
        at_us=row["at"] * 1000,
        link="party",
        step=row["step"] + 1,
        sender=dissector.directory.party(body["sender"]),
        receiver=dissector.directory.party(body["receiver"]),
        label=body["summary"] or told.label,
        family="",
        layers=told.layers,
        octets=row["octets"],
    )


def _named(item: TraceItem, names: dict[str, str]) -> TraceItem:
    """Give nodes the names that later frames told."""
    sender, receiver = (names.get(end, end) for end in (item.sender, item.receiver))
    if (sender, receiver) == (item.sender, item.receiver):
        return item
    return replace(item, sender=sender, receiver=receiver)


def _once(items: list[TraceItem], hub: str) -> list[TraceItem]:
    """Draw what a step traced and the capture shows too once: as the frame, between its parties.

    A frame of the SM WAN does not say which party stands behind it; the step does.
    """
    crossed = {item.octets for item in items if item.link.startswith("wan")}
    told = {
        item.octets: (item.sender, item.receiver)
        for item in items
        if item.link == "party" and item.octets in crossed and hub in {item.sender, item.receiver}
    }
    drawn = []
    for item in items:
        ends = told.get(item.octets)
        if ends is None or hub not in {item.sender, item.receiver}:
            drawn.append(item)
        elif item.link.startswith("wan"):
            drawn.append(replace(item, sender=ends[0], receiver=ends[1]))
    return drawn
