"""What a world tells of itself: facts and frames, until somebody takes them."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, Final, NamedTuple

from emulator.core.clock import UtcMs
from emulator.core.effects import Note, Value
from emulator.core.ids import Eui64
from emulator.core.values import quick


@quick
@dataclass(frozen=True, slots=True)
class Fact:
    """A note, with the moment and the device it is about."""

    at: UtcMs
    device: Eui64
    kind: str
    fields: tuple[tuple[str, Value], ...]


class Seen(NamedTuple):
    """A frame as it crossed a link.

    Attributes:
        at_us: Microseconds since 1970.
        link: ``han``, ``wan-in``, ``wan-out``, ``csp-in`` or ``csp-out``.
        octets: The frame.
        comment: What a reader must know: a stand-in, faults that touched it.
    """

    at_us: int
    link: str
    octets: bytes
    comment: str = ""


#: A frame that nobody has taken: the fields of `Seen`.
_Row = tuple[int, str, bytes, str]
_AT: Final = itemgetter(0)
#: The fields as they stand, a thousand times a home, without a call for each.
_SEEN: Final[Callable[[_Row], Seen]] = partial(tuple.__new__, Seen)


class Records:
    """Facts and frames in the order they happened, and how many frames of each kind there were.

    Attributes:
        keeps_frames: Whether frames are kept for somebody to take; they are counted all the same.
    """

    def __init__(self) -> None:
        self.keeps_frames = True
        #: Notes, each with its moment and device: facts once somebody asks for them.
        self._notes: list[tuple[int, Eui64, Note]] = []
        self._frames: list[_Row] = []
        self._traffic: dict[tuple[str, str], int] = {}
        self._on_fact: Callable[[], None] = _nobody
        self._on_frame: Callable[[], None] = _nobody

    def call_on_first(self, fact: Callable[[], None], frame: Callable[[], None]) -> None:
        """Have something called when there is a first fact, or frame, that nobody has taken."""
        self._on_fact, self._on_frame = fact, frame

    @property
    def has_frames(self) -> bool:
        """Whether there are frames that nobody has taken."""
        return bool(self._frames)

    @property
    def traffic(self) -> dict[str, int]:
        """``RECEIVER/KIND`` -> number of frames sent there so far."""
        return {f"{receiver}/{label}": count for (receiver, label), count in self._traffic.items()}

    def count(self, receiver: str, label: str) -> None:
        """Count a frame on its way to a role."""
        traffic, key = self._traffic, (receiver, label)
        traffic[key] = traffic.get(key, 0) + 1

    def crossed(self, receiver: str, label: str, row: tuple[int, str, bytes, str]) -> None:
        """Count a frame that went out untouched, and remember it, where frames are kept.

        Args:
            receiver: Role of the receiver.
            label: What it is.
            row: When (us), over which link, its octets, what a reader must know.
        """
        traffic, key = self._traffic, (receiver, label)
        traffic[key] = traffic.get(key, 0) + 1
        if self.keeps_frames:
            if not self._frames:
                self._on_frame()
            self._frames.append(row)

    def note(self, now_us: int, device: Eui64, note: Note) -> None:
        """Remember a fact."""
        if not self._notes:
            self._on_fact()
        self._notes.append((now_us, device, note))

    def frame(self, at_us: int, link: str, octets: bytes, comment: str) -> None:
        """Remember a frame, where frames are kept."""
        if self.keeps_frames:
            if not self._frames:
                self._on_frame()
            self._frames.append((at_us, link, octets, comment))

    def take_facts(self) -> list[Fact]:
        """Return the facts since the last call."""
        taken, self._notes = self._notes, []
        return [_fact(*noted) for noted in taken]

    def take_frames(self, until_us: int) -> list[Seen]:
        """Return the frames since the last call that went out by ``until_us``, in that order.

        A frame that waits for the air is known before it goes out; it is returned later.
        """
        ordered = sorted(self._frames, key=_AT)
        count = bisect_right(ordered, until_us, key=_AT)
        self._frames = ordered[count:]
        return [*map(_SEEN, ordered[:count])]

    def dump(self) -> dict[str, Any]:
        """Return what nobody has taken yet, as plain data."""
        return {
            "facts": [
                [fact.at, fact.device.hex, fact.kind, [list(pair) for pair in fact.fields]]
                for fact in (_fact(*noted) for noted in self._notes)
            ],
            "traffic": self.traffic,
            "frames": [[*row] for row in self._frames],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put it back."""
        self._notes = [
            (at * 1000, Eui64.parse(device), Note(kind, tuple((name, one) for name, one in pairs)))
            for at, device, kind, pairs in state["facts"]
        ]
        self._frames = [
            (at_us, link, octets, comment) for at_us, link, octets, comment in state["frames"]
        ]
        counted = ((*key.split("/", 1), count) for key, count in state["traffic"].items())
        self._traffic = {(receiver, label): count for receiver, label, count in counted}


def _nobody() -> None:
    """Nobody looks."""


def _fact(now_us: int, device: Eui64, note: Note) -> Fact:
    fields = tuple((name, _bare(value)) for name, value in note.fields)
    return Fact(UtcMs(now_us // 1000), device, note.kind, fields)


def _bare(value: Value) -> Value:
    """Return a member of an enumeration as the text or number it is, so that it can be stored."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value
