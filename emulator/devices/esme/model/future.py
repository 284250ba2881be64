"""Values that come into force: at once, at a date, or not after all."""

from dataclasses import dataclass

from emulator.codecs.gbcs.dates import NEVER, NOW, decode_date_time
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.devices.saved_row import SavedRow


@dataclass(frozen=True, slots=True)
class Pending(SavedRow):
    """A value that waits for its date.

    Attributes:
        name: Row of the catalogue that was set to the date.
        at: The date, by the device's clock.
        code: Message code of the command.
        counter: Its originator counter.
        originator: Who sent it, and is told.
    """

    name: str
    at: UtcMs
    code: int
    counter: int
    originator: Eui64


def when(date_time: bytes) -> UtcMs | None:
    """Return the moment that an activation date names; None for "not after all".

    "At once" is the moment 0.

    Raises:
        MalformedFrameError: It names none of these.
    """
    if date_time == NEVER:
        return None
    if date_time == NOW:
        return UtcMs(0)
    return decode_date_time(date_time)[0]
