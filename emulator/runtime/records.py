"""What a world tells of itself: facts and frames, until somebody takes them."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.core.clock import UtcMs
from emulator.core.effects import Note, Value
from emulator.core.ids import Eui64


@dataclass(frozen=True, slots=True)
class Fact:
    """A note, with the moment and the device it is about."""

    at: UtcMs
    device: Eui64
    kind: str
    fields: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Seen:
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


class Records:
    """Facts and frames in the order they happened, and how many frames of each kind there were.

    Attributes:
        traffic: ``RECEIVER/KIND`` -> number of frames sent there so far.
    """

    def __init__(self) -> None:
        self._facts: list[Fact] = []
        self._frames: list[Seen] = []
        self.traffic: dict[str, int] = {}

    def count(self, receiver: str, label: str) -> None:
        """Count a frame on its way to a role."""
        key = f"{receiver}/{label}"
        self.traffic[key] = self.traffic.get(key, 0) + 1

    def note(self, now_us: int, device: Eui64, note: Note) -> None:
        """Remember a fact."""
        fields = tuple((name, _bare(value)) for name, value in note.fields)
        self._facts.append(Fact(UtcMs(now_us // 1000), device, note.kind, fields))

    def frame(self, at_us: int, link: str, octets: bytes, comment: str) -> None:
        """Remember a frame."""
        self._frames.append(Seen(at_us, link, octets, comment))

    def take_facts(self) -> list[Fact]:
        """Return the facts since the last call."""
        taken, self._facts = self._facts, []
        return taken

    def take_frames(self, until_us: int) -> list[Seen]:
        """Return the frames since the last call that went out by ``until_us``, in that order.

        A frame that waits for the air is known before it goes out; it is returned later.
        """
        ordered = sorted(self._frames, key=lambda seen: seen.at_us)
        count = bisect_right(ordered, until_us, key=lambda seen: seen.at_us)
        self._frames = ordered[count:]
        return ordered[:count]

    def dump(self) -> dict[str, Any]:
        """Return what nobody has taken yet, as plain data."""
        return {
            "facts": [
                [fact.at, fact.device.hex, fact.kind, [list(pair) for pair in fact.fields]]
                for fact in self._facts
            ],
            "traffic": {**self.traffic},
            "frames": [[seen.at_us, seen.link, seen.octets, seen.comment] for seen in self._frames],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put it back."""
        self._facts = [
            Fact(
                UtcMs(at), Eui64.parse(device), kind, tuple((name, value) for name, value in pairs)
            )
            for at, device, kind, pairs in state["facts"]
        ]
        self._frames = [Seen(*row) for row in state["frames"]]
        self.traffic = dict(state["traffic"])


def _bare(value: Value) -> Value:
    """Return a member of an enumeration as the text or number it is, so that it can be stored."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value
