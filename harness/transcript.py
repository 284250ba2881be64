"""What crossed a meter's line, as values: chunks in both directions, and what befell the line."""

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from emulator.core.clock import UtcMs, iso
from harness.dlms.settings import Framing
from harness.dlms_view.line import LineReader, Seen, Way
from harness.transcript_about import About

#: Values of an event's fields.
EventValue = str | int | bool


class EventKind(enum.StrEnum):
    """What befalls a line besides octets."""

    SESSION = "session"  # client and device begin anew: another scenario, a fresh bench
    OPEN = "open"
    SPEED = "speed"
    LINES = "lines"  # DTR, RTS and what the other end answers with
    BREAK = "break"
    TIMEOUT = "timeout"
    CLOSE = "close"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Octets that crossed in one go; where a frame ends is not known here.

    Attributes:
        at_ns: Nanoseconds since 1970.
        way: Towards the meter (``in``) or from it.
        octets: As they crossed, secrets masked.
        channel: Number of the channel.
    """

    at_ns: int
    way: Way
    octets: bytes
    channel: int = 0


@dataclass(frozen=True, slots=True)
class LineEvent:
    """Something that befell a line.

    Attributes:
        at_ns: Nanoseconds since 1970.
        kind: What.
        fields: Names and values: ``baud``, ``dtr``, ``rts``, ``waited_ms`` …
        channel: Number of the channel.
    """

    at_ns: int
    kind: EventKind
    fields: Mapping[str, EventValue] = field(default_factory=dict)
    channel: int = 0


Record = Chunk | LineEvent


@dataclass(frozen=True, slots=True)
class Transcript:
    """A recorded conversation.

    Attributes:
        about: What is said of it.
        records: Chunks and events, in the order they were seen.
        channels: Names of its channels.
    """

    about: About
    records: tuple[Record, ...] = ()
    channels: tuple[str, ...] = ("meter",)

    def of(self, channel: int = 0) -> Iterator[Record]:
        """Yield the records of one channel."""
        return (record for record in self.records if record.channel == channel)

    def octets(self, way: Way, channel: int = 0) -> bytes:
        """Return all that crossed one way."""
        return b"".join(chunk.octets for chunk in self.chunks(channel) if chunk.way is way)

    def chunks(self, channel: int = 0) -> Iterator[Chunk]:
        """Yield the chunks of one channel."""
        return (record for record in self.of(channel) if isinstance(record, Chunk))


def sessions_of(transcript: Transcript) -> list[Transcript]:
    """Return a recording as one for each session, in which client and device began anew.

    Each says of itself when it began; what is before the first session belongs to it.
    """
    parts: list[list[Record]] = [[]]
    for record in transcript.records:
        begins = isinstance(record, LineEvent) and record.kind is EventKind.SESSION
        if begins and any(isinstance(one, Chunk) for one in parts[-1]):
            parts.append([])
        parts[-1].append(record)
    return [_session(transcript, part) for part in parts]


def _session(transcript: Transcript, records: list[Record]) -> Transcript:
    begun = next(
        (
            one.at_ns
            for one in records
            if isinstance(one, LineEvent) and one.kind is EventKind.SESSION
        ),
        None,
    )
    about = transcript.about
    if begun is not None:
        started = iso(UtcMs(begun // 1_000_000))
        about = about.model_copy(update={"started_at": started})
    return Transcript(about, tuple(records), transcript.channels)


@dataclass(frozen=True, slots=True)
class SeenAt:
    """A piece of a line with the moment at which its last octet was seen."""

    at_ns: int
    seen: Seen


def read_line(records: Iterable[Record], framing: Framing | None = None) -> Iterator[SeenAt]:
    """Yield what a reader of one channel's records sees, in order."""
    reader, at_ns = LineReader(framing), 0
    for record in records:
        at_ns = record.at_ns
        if isinstance(record, Chunk):
            for seen in reader.feed(record.way, record.octets):
                yield SeenAt(at_ns, seen)
        elif record.kind in {EventKind.SESSION, EventKind.OPEN, EventKind.CLOSE}:
            for seen in reader.end():
                yield SeenAt(at_ns, seen)
            reader = LineReader(framing)
    for seen in reader.end():
        yield SeenAt(at_ns, seen)
