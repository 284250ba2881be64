"""When a recorded device thought it was: its clock against the recording's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from emulator.core.clock import from_datetime
from harness.dlms_view.conversation import Exchange
from harness.dlms_view.readings import readings_of

_CLOCK: Final = (8, 2)
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) status")
_SECOND_MS: Final = 1000
#: How many moments within a second are tried.
_TRIED: Final = 6


@dataclass(frozen=True, slots=True)
class Offsets:
    """How far a device's clock was before the recording's, in milliseconds: between two limits."""

    low_ms: int
    high_ms: int

    def candidates(self) -> tuple[int, ...]:
        """Return moments to try: the recording's own time first, where it may be right.

        Then the middle, and outwards from there, a sixth of the way apart.
        """
        middle, width = (self.low_ms + self.high_ms) // 2, self.high_ms - self.low_ms
        steps = [sign * number for number in range(1, _TRIED // 2 + 1) for sign in (1, -1)]
        own = (0,) if self.low_ms <= 0 <= self.high_ms else ()
        tried = (*own, middle, *(middle + width * step // _TRIED for step in steps))
        return tuple(dict.fromkeys(tried))


def offsets_of(exchanges: Sequence[Exchange]) -> Offsets:
    """Return what the device's answers about its clock say of its offset.

    A clock tells whole seconds, so that each answer leaves a second open; several narrow it. Where
    nobody asked, or the clock was set meanwhile, the recording's own time is taken.
    """
    low, high = -(1 << 62), 1 << 62
    for exchange in exchanges:
        for reading in readings_of(exchange):
            target = reading.target
            if target is None or (target.class_id, target.index) != _CLOCK or not reading.rows:
                continue
            told = _TIME.match(reading.rows[0][1])
            if told is not None and not reading.written:
                ahead = _moment_ms(told[1]) - exchange.at_ns // 1_000_000
                low, high = max(low, ahead), min(high, ahead + _SECOND_MS)
    if low >= high or low < -(1 << 61):
        return Offsets(0, 0)
    return Offsets(low, high)


def _moment_ms(text: str) -> int:
    return from_datetime(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC))
