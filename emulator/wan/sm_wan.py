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
#: Messages kept until their digests are made.
_MOST_FRESH: Final = 256


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
        #: Taken likewise; their digests are made when somebody asks.
        self._fresh: list[bytes] = []
        self._waiting: list[bytes] = []
        self.to_dsp: deque[bytes] = deque()

    def send(self, link: str, message: bytes, now_us: int) -> Passage:
        """Put a message on its way, ``wan-in`` or ``wan-out``."""
        touched = self._schedule.touches(link)
        role = self._reading.role_of(message) if touched else ""  # nobody asks else
        passage = self._line.carry(link, message, now_us, role)
        if link == IN:
            for _due_us, octets in passage.arrivals:
                self.note_taken(octets)
        return passage

    def send_untouched(self, link: str, message: bytes, now_us: int) -> int:
        """Put a message on its way that no fault can touch; returns when it arrives."""
        if link == IN:
            self.note_taken(message)
        return now_us + self._line.latency_us

    def note_taken(self, message: bytes) -> None:
        """Remember a message that has come or will; one in blocks is sent until they have come."""
        self._fresh.append(message)
        if len(self._fresh) >= _MOST_FRESH:
            self._digested()

    def _digested(self) -> set[str]:
        """Return the digests of all messages that have come or will."""
        self._taken.update(map(_digest, self._fresh))
        self._fresh.clear()
        return self._taken

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
        return _digest(message) in self._digested()

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "taken": sorted(self._digested()),
            "waiting": list(self._waiting),
            "to_dsp": list(self.to_dsp),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self._taken = set(state["taken"])
        self._fresh.clear()
        self._waiting = list(state["waiting"])
        self.to_dsp = deque(state["to_dsp"])


def _digest(message: bytes) -> str:
    return hashlib.sha256(message).hexdigest()
