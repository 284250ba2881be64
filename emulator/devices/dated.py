"""What waits for its date: the timer to the next one, what is due, and how much may wait."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from emulator.codecs.gbcs.alerts import AlertCode
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, SetTimer
from emulator.core.ids import Eui64
from emulator.devices.access_engine import Turn
from emulator.devices.credentials.holders import roles_of

if TYPE_CHECKING:
    from emulator.devices.base import Device

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
    """Return what is due at a time of the device's clock, the earliest first, and what waits on."""
    due: list[Waiting] = []
    later: list[Waiting] = []
    for one in waiting:
        (due if one.at <= shown else later).append(one)
    return sorted(due, key=lambda one: one.at), later


def has_lapsed(device: "Device", one: Ordered) -> bool:
    """Say whether who ordered it may order it no more: nothing is carried out, nobody told.

    Source:
        inferred, as for credentials: what a party ordered may not outlast its role.
    """
    return not roles_of(device, one.originator) & (device.roles_for(one.code) or frozenset())


def lapse(device: "Device", one: Ordered, now: UtcMs) -> list[Effect]:
    """Enter into the event log that an order came to nothing."""
    code = AlertCode.FUTURE_DATED_FAILURE
    return [device.log(code, f"{one.originator} has lost its role", now)]


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
