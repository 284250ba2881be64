"""What waits for its date: the timer to the next one, what is due, and how much may wait."""

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, SetTimer
from emulator.core.ids import Eui64
from emulator.devices.access_engine import Turn

#: Timer of the next value that comes into force.
ACTIVATION_TIMER: Final = "model.activation"


class Dated(Protocol):
    """Something that waits for its date."""

    @property
    def at(self) -> UtcMs:
        """The date, by the device's clock; 0 for at once."""


class Ordered(Dated, Protocol):
    """Something that a future-dated command brought."""

    @property
    def code(self) -> int:
        """Message code of the command."""

    @property
    def counter(self) -> int:
        """Its originator counter."""

    @property
    def originator(self) -> Eui64:
        """Who sent it."""


class Clocked(Protocol):
    """A device with a clock and timers."""

    timers: dict[str, UtcMs]
    clock_offset_ms: int


Waiting = TypeVar("Waiting", bound=Dated)


def wait_for(device: Clocked, timer: str, dates: Iterable[UtcMs], now: UtcMs) -> list[Effect]:
    """Set a timer to the first of some dates; cancel it where there is none."""
    first = min(dates, default=None)
    if first is None:
        return [CancelTimer(timer)] if timer in device.timers else []
    return [SetTimer(timer, UtcMs(max(first - device.clock_offset_ms, now)))]


def parted(waiting: Iterable[Waiting], shown: UtcMs) -> tuple[list[Waiting], list[Waiting]]:
    """Return what is due at a time of the device's clock, and what waits on, in their order."""
    due: list[Waiting] = []
    later: list[Waiting] = []
    for one in waiting:
        (due if one.at <= shown else later).append(one)
    return due, later


def has_room(waiting: Iterable[Ordered], turn: Turn, most: int) -> bool:
    """Say whether one more date of a command may wait.

    Args:
        waiting: What waits already.
        turn: The command; all its dates count as one.
        most: Future-dated commands held at once.
    """
    commands = {(one.code, one.counter, one.originator) for one in waiting if one.at}
    own = (turn.code, turn.header.counter, turn.header.originator)
    return own in commands or len(commands) < most
