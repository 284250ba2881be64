"""The boost button: controllers that a supplier gave to it are on for a while.

Source:
    ECS61c and ECS62 (RTDS 4.5.0) for what it is given and what is read of it; the periods are known
    (SMETS2: 15, 30, 45, 60 minutes). That it goes before calendar and orders but not before a limit
    that runs, and what its log says (minutes at its begin, 0 at its end): inferred.
"""

from typing import TYPE_CHECKING, Final

from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note
from emulator.devices.dated import wait_for
from emulator.devices.saved import Json, Saved, State

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme
    from emulator.devices.esme.model.model import EsmeModel

#: Timer of the boost's end.
BOOST_TIMER: Final = "model.boost"
PERIODS_MINUTES: Final = (15, 30, 45, 60)
_MINUTE_MS: Final = 60_000
_CONTROLLERS: Final = range(1, 6)
#: Entries kept. Source: invented.
_MOST_ENTRIES: Final = 100


class Boost:
    """State of the button.

    Attributes:
        end: When the boost ends, by the meter's clock; None where none runs.
        entries: (when, minutes; 0 for an end) of the last ones.
    """

    __slots__ = ("end", "entries")

    def __init__(self) -> None:
        self.end: UtcMs | None = None
        self.entries: list[tuple[int, int]] = []

    def note(self, at: UtcMs, code: int) -> None:
        """Enter a begin or an end into the log."""
        self.entries.append((at, code))
        del self.entries[:-_MOST_ENTRIES]

    def dump(self) -> State:
        """Return the state as JSON values."""
        entries: list[Json] = [[at, code] for at, code in self.entries]
        return {"end": self.end, "entries": entries}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.end = saved.optional_moment("end")
        self.entries = saved.pairs("entries")


def controllers(model: "EsmeModel") -> tuple[int, ...]:
    """Return the auxiliary controllers that the button switches."""
    return tuple([number for number in _CONTROLLERS if model.store.number(f"boost_{number}")])


def runs(model: "EsmeModel", number: int) -> bool:
    """Say whether a controller is on for a boost."""
    return model.boost.end is not None and number in controllers(model)


def press(device: "Esme", minutes: int, now: UtcMs) -> list[Effect] | None:
    """Begin a boost, or begin it anew; 0 minutes end it. None where it does nothing."""
    model, shown = device.model, device.local_time(now)
    if minutes == 0:
        return None if model.boost.end is None else _end(device, now)
    available = model.store.number("boost_available") and controllers(model)
    if not available or minutes not in PERIODS_MINUTES:
        return None
    model.boost.end = UtcMs(shown + minutes * _MINUTE_MS)
    model.boost.note(shown, minutes)
    return [*_switched(model, on=True), *wait(device, now)]


def reached(device: "Esme", now: UtcMs) -> list[Effect]:
    """End a boost whose time is over."""
    end = device.model.boost.end
    if end is None or end > device.local_time(now):
        return wait(device, now)
    return _end(device, now)


def wait(device: "Esme", now: UtcMs) -> list[Effect]:
    """Set the timer to the boost's end."""
    end = device.model.boost.end
    return wait_for(device, BOOST_TIMER, [] if end is None else [end], now)


def _end(device: "Esme", now: UtcMs) -> list[Effect]:
    boost = device.model.boost
    boost.end = None
    boost.note(device.local_time(now), 0)
    return [*_switched(device.model, on=False), *wait(device, now)]


def _switched(model: "EsmeModel", *, on: bool) -> list[Effect]:
    return [Note("boost", (("controller", number), ("on", on))) for number in controllers(model)]
