"""Schedules (class 10): which script they ran last, at any moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from emulator.codecs.dlms.axdr import BitString, Data
from emulator.core.clock import UtcMs
from emulator.devices.consumption import DAY_MS
from emulator.devices.esme.model.store import Store
from emulator.devices.esme.model.tariff import day_of

#: A schedule is looked back through so far. Source: invented.
_MOST_DAYS: Final = 8
_UNSAID: Final = 0xFF
_YEAR_UNSAID: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a schedule.

    Attributes:
        selector: Script that it runs.
        at_ms: Milliseconds of the day.
        weekdays: Bits, Monday first.
        special_days: Bits, day id 1 first.
        begin: First date, five octets.
        end: Last date, five octets.
    """

    selector: int
    at_ms: int
    weekdays: str
    special_days: str
    begin: bytes
    end: bytes

    def runs_on(self, day: date, special: int | None) -> bool:
        """Say whether it runs on a day; ``special`` is the day id of a special day."""
        if not _reached(self.begin, day, first=True) or not _reached(self.end, day, first=False):
            return False
        if special is not None:
            return self.special_days[special - 1 : special] == "1"
        return self.weekdays[day.weekday() : day.weekday() + 1] == "1"


class Schedule:
    """The rows of a schedule, and the special days that it goes by."""

    def __init__(self, store: Store, name: str, special_days: str = "") -> None:
        self._rows = [row for row in map(_row, store.items(name)) if row is not None]
        self._special = [_special(row) for row in store.items(special_days)]

    def __bool__(self) -> bool:
        return bool(self._rows)

    def last(self, at: UtcMs, of: Callable[[int], bool] = lambda _: True) -> int | None:
        """Return the selector that ran last at or before a moment; None where none did.

        Args:
            at: The moment.
            of: Says which selectors are looked for.
        """
        for back in range(_MOST_DAYS):
            start = at - at % DAY_MS - back * DAY_MS
            ran = [one for one in self.of_day(UtcMs(start)) if one[0] <= at and of(one[1])]
            if ran:
                return ran[-1][1]
        return None

    def of_day(self, start: UtcMs) -> list[tuple[int, int]]:
        """Return (moment, selector) of a day, in order."""
        day = day_of(start)
        special = next((day_id for on, day_id in self._special if _is_date(on, day)), None)
        return sorted(
            (start + row.at_ms, row.selector) for row in self._rows if row.runs_on(day, special)
        )


def _row(data: Data) -> Row | None:
    cells = data.value if isinstance(data.value, tuple) else ()
    if len(cells) != 10 or not cells[1].value:
        return None
    values = [cell.value for cell in cells]
    selector, at, begin, end = values[3], values[4], values[8], values[9]
    if not isinstance(selector, int) or not isinstance(at, bytes):
        return None
    if not isinstance(begin, bytes) or not isinstance(end, bytes) or at[0] > 23 or at[1] > 59:
        return None
    second = at[2] if at[2] < 60 else 0
    at_ms = (at[0] * 3600 + at[1] * 60 + second) * 1000
    return Row(selector, at_ms, _bits(values[6]), _bits(values[7]), begin, end)


def _special(data: Data) -> tuple[bytes, int]:
    cells = data.value if isinstance(data.value, tuple) else ()
    on, day_id = cells[1].value, cells[2].value
    return (on if isinstance(on, bytes) else b""), (day_id if isinstance(day_id, int) else 0)


def _bits(value: object) -> str:
    if not isinstance(value, BitString):
        return ""
    text = "".join(f"{octet:08b}" for octet in value.octets)
    return text[: value.count]


def _is_date(octets: bytes, day: date) -> bool:
    if len(octets) < 4:
        return False
    said = (int.from_bytes(octets[:2], "big"), octets[2], octets[3])
    unsaid = (_YEAR_UNSAID, _UNSAID, _UNSAID)
    is_day = zip(said, unsaid, (day.year, day.month, day.day), strict=True)
    return all(value in (none, wanted) for value, none, wanted in is_day)


def _reached(octets: bytes, day: date, *, first: bool) -> bool:
    """Say whether a day is not before a first date, or not after a last one.

    What a date does not say limits nothing; year 0 is the beginning of time (RTDS ECS37).
    """
    year, month, of_month = int.from_bytes(octets[:2], "big"), octets[2], octets[3]
    if year == _YEAR_UNSAID or month == _UNSAID:
        return True
    ends = (year, month, (1 if first else 31) if of_month == _UNSAID else of_month)
    actual = (day.year, day.month, day.day)
    return actual >= ends if first else actual <= ends
