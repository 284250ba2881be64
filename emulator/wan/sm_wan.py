"""The SM WAN of one hub: GBCS messages between DSP and CHF."""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.core.errors import MalformedFrameError
from emulator.core.fault_schedule import FaultSchedule
from emulator.devices.chf.block_routing import header_of
from emulator.wan.line import Line, Passage

IN: Final = "wan-in"
OUT: Final = "wan-out"


def label_of(message: bytes) -> str:
    """Return the name of a message, or of the one that a block is of: ``gbcs.command.0012``."""
    try:
        header = header_of(message)
    except MalformedFrameError:
        return "gbcs.unreadable"
    return f"gbcs.{header.cra.name.lower()}.{header.other.message_code:04x}"


def _of_the_hub(_message: bytes) -> str:
    return "chf"


@dataclass(frozen=True, slots=True)
class Reading:
    """How faults see what crosses a WAN.

    Attributes:
        label_of: Names a message.
        role_of: Role of the device a message is for or from.
    """

    label_of: Callable[[bytes], str] = label_of
    role_of: Callable[[bytes], str] = _of_the_hub


class SmWan:
    """Messages on their way to one hub and from it.

    A message for a hub without power waits at the CSP and goes on when the hub is back.
    """

    def __init__(self, schedule: FaultSchedule, reading: Reading | None = None) -> None:
        """Take the run's faults, and how they see messages (None: as GBCS messages)."""
        self._reading = Reading() if reading is None else reading
        self._schedule = schedule
        self._line = Line(schedule, self._reading.label_of)
        self._taken: set[str] = set()
        self._waiting: list[bytes] = []
        self.to_dsp: deque[bytes] = deque()

    def send(self, link: str, message: bytes, now_us: int) -> Passage:
        """Put a message on its way, ``wan-in`` or ``wan-out``."""
        touched = self._schedule.touches(link)
        role = self._reading.role_of(message) if touched else ""  # nobody asks else
        passage = self._line.carry(link, message, now_us, role)
        if link == IN:
            self._taken.update(_digest(octets) for _due, octets in passage.arrivals)
        return passage

    def note_taken(self, message: bytes) -> None:
        """Remember a message that goes in blocks, which are sent until they have come."""
        self._taken.add(_digest(message))

    def wait(self, message: bytes) -> None:
        """Keep a message that has come to a hub without power."""
        self._waiting.append(message)

    def drop_waiting(self) -> None:
        """Forget what waits for the hub: it was sent over a network that the hub has left."""
        self._waiting.clear()

    def release(self) -> list[bytes]:
        """Return the messages that waited for the hub, in order; it has power again."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def has_taken(self, message: bytes) -> bool:
        """Say whether this very message reached the hub, or is on its way and will."""
        return _digest(message) in self._taken

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "taken": sorted(self._taken),
            "waiting": list(self._waiting),
            "to_dsp": list(self.to_dsp),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self._taken = set(state["taken"])
        self._waiting = list(state["waiting"])
        self.to_dsp = deque(state["to_dsp"])


def _digest(message: bytes) -> str:
    return hashlib.sha256(message).hexdigest()
