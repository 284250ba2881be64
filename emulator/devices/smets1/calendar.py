"""Activity calendar (class 20), special days (11), tariff scripts (9): which rate counts when."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms import axdr, date_time
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.devices.saved import Saved, State
from emulator.devices.smets1.binding import Binding, items_of, number_of, octets_of, refused
from emulator.devices.smets1.object_model import Moment
from emulator.devices.smets1.rates import SwitchingTable

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

#: Timer of a passive calendar that waits for its time.
CALENDAR_TIMER: Final = "calendar.activate"
#: Parts of a calendar, as attributes 2 to 5 (active) and 6 to 9 (passive) have them.
PARTS: Final = ("name", "seasons", "weeks", "days")
_SCRIPTS: Final = bytes((0, 0, 10, 0, 100, 255))
_UNSAID: Final = 0xFF
_MS: Final = 1000
MAX_SPECIAL_DAYS: Final = 50


def _day(day_id: int, *parts: tuple[int, int, int]) -> Data:
    schedule = [
        axdr.structure(
            axdr.octets(bytes((hour, minute, 0, 0))), axdr.octets(_SCRIPTS), axdr.uint16(rate)
        )
        for hour, minute, rate in parts
    ]
    return axdr.structure(Data(Tag.UINT8, day_id), Data(Tag.ARRAY, tuple(schedule)))


def _week(name: bytes, *days: int) -> Data:
    return axdr.structure(axdr.octets(name), *(Data(Tag.UINT8, day) for day in days))


#: The calendar a meter leaves the factory with: night, day, evening; another day at weekends.
#: Source: invented.
FACTORY: Final = {
    "name": axdr.octets(b"factory"),
    "seasons": Data(
        Tag.ARRAY,
        (
            axdr.structure(
                axdr.octets(b"year"), axdr.octets(date_time.UNDEFINED), axdr.octets(b"week")
            ),
        ),
    ),
    "weeks": Data(Tag.ARRAY, (_week(b"week", 1, 1, 1, 1, 1, 2, 2),)),
    "days": Data(
        Tag.ARRAY,
        (
            _day(1, (0, 0, 1), (7, 0, 2), (16, 0, 3), (19, 0, 2), (23, 30, 1)),
            _day(2, (0, 0, 1), (8, 30, 4), (23, 30, 1)),
        ),
    ),
}


class CalendarError(ValueError):
    """A calendar that means nothing: its parts do not fit each other."""


class Calendar:
    """The active and the passive calendar, and the special days.

    Attributes:
        active: Part -> data, in force.
        passive: Part -> data, waiting.
        special: Special days, as class 11 holds them.
        activate_at: When the passive calendar comes into force, in UTC; None for never.
    """

    def __init__(self) -> None:
        self.active: dict[str, Data] = dict(FACTORY)
        self.passive: dict[str, Data] = dict(FACTORY)
        self.special: dict[int, Data] = {}
        self.activate_at: UtcMs | None = None

    def table(self) -> SwitchingTable:
        """Return what the active calendar and the special days say.

        Raises:
            CalendarError: They say nothing that can be followed.
        """
        if not self.special and self.active == FACTORY:  # every meter begins so
            return _factory_table()
        return switching_table(self.active, [*self.special.values()])

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "active": {part: axdr.encode(data).hex() for part, data in self.active.items()},
            "passive": {part: axdr.encode(data).hex() for part, data in self.passive.items()},
            "special": [
                {"number": number, "day": axdr.encode(day).hex()}
                for number, day in self.special.items()
            ],
            "activate_at": self.activate_at,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        active, passive = saved.part("active"), saved.part("passive")
        self.active = {part: axdr.decode(active.octets(part)) for part in PARTS}
        self.passive = {part: axdr.decode(passive.octets(part)) for part in PARTS}
        self.special = {
            row.number("number"): axdr.decode(row.octets("day")) for row in saved.rows("special")
        }
        self.activate_at = saved.optional_moment("activate_at")


@cache
def _factory_table() -> SwitchingTable:
    return switching_table(FACTORY, [])


def switching_table(parts: dict[str, Data], special: list[Data]) -> SwitchingTable:
    """Return the switching table that a calendar means.

    Raises:
        CalendarError: A part is malformed, or names a week, day or script that is not there.

    Source:
        IEC 62056-6-2 Activity calendar, Special days table (known); times are taken as UTC, and a
        season begins on the same day of every year: inferred.
    """
    try:
        day_ids, days = _days(parts["days"])
        week_names, weeks = _weeks(parts["weeks"], day_ids)
        seasons = _seasons(parts["seasons"], week_names)
        dates = sorted((date_key(_items(day, 3)[1]), _special(day, day_ids)) for day in special)
        return SwitchingTable(tuple(days), tuple(weeks), seasons, tuple(dates))
    except (ValueError, IndexError, MalformedFrameError) as error:
        raise CalendarError(str(error)) from error


def _items(data: Data, count: int) -> tuple[Data, ...]:
    items = items_of(data, Tag.STRUCTURE, count)
    if items is None:
        raise CalendarError(f"a structure of {count} is due")
    return items


def _rows(data: Data) -> tuple[Data, ...]:
    rows = items_of(data, Tag.ARRAY)
    if rows is None:
        raise CalendarError("an array is due")
    return rows


def _number(data: Data, tag: Tag) -> int:
    number = number_of(data, tag)
    if number is None:
        raise CalendarError(f"{tag.name} is due")
    return number


def _octets(data: Data, count: int | None = None) -> bytes:
    octets = octets_of(data, count)
    if octets is None:
        raise CalendarError("an octet-string of its length is due")
    return octets


def _days(data: Data) -> tuple[list[int], list[tuple[tuple[int, int], ...]]]:
    ids, schedules = [], []
    for row in _rows(data):
        day_id, schedule = _items(row, 2)
        ids.append(_number(day_id, Tag.UINT8))
        schedules.append(tuple(_part(part) for part in _rows(schedule)))
    return ids, schedules


def _part(data: Data) -> tuple[int, int]:
    start, script, selector = _items(data, 3)
    if _octets(script) != _SCRIPTS:
        raise CalendarError("a part of a day runs a tariff script")
    hour, minute, second, _ = _octets(start, 4)
    if hour > 23 or minute > 59 or second not in {*range(60), _UNSAID}:
        raise CalendarError("a part of a day begins at a time of day")
    seconds = hour * 3600 + minute * 60 + second % _UNSAID
    return seconds * _MS, _number(selector, Tag.UINT16)


def _weeks(data: Data, day_ids: list[int]) -> tuple[list[bytes], list[tuple[int, ...]]]:
    names, weeks = [], []
    for row in _rows(data):
        name, *days = _items(row, 8)
        names.append(_octets(name))
        weeks.append(tuple(day_ids.index(_number(day, Tag.UINT8)) for day in days))
    return names, weeks


def _seasons(data: Data, week_names: list[bytes]) -> tuple[tuple[int, int], ...]:
    seasons = []
    for row in _rows(data):
        _, start, week = _items(row, 3)
        when = date_time.decode(_octets(start))
        of_year = (when.month or 1) * 100 + (when.day or 1)
        seasons.append((of_year, week_names.index(_octets(week))))
    return tuple(sorted(seasons))


def date_key(data: Data) -> int:
    """Return a COSEM date of five octets as a number, ``SwitchingTable.special``'s.

    Raises:
        CalendarError: It is none, or names no day of a year.
    """
    octets = _octets(data, 5)
    year, month, day = int.from_bytes(octets[:2], "big"), octets[2], octets[3]
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        raise CalendarError("a special day has a month and a day")
    return (0 if year == 0xFFFF else year * 10_000) + month * 100 + day


def _special(row: Data, day_ids: list[int]) -> int:
    return day_ids.index(_number(_items(row, 3)[2], Tag.UINT8))


# -- bindings: the row's value names the part ----------------------------------------------------

_CHECKS: Final[dict[str, Callable[[Data], object]]] = {
    "name": _octets,
    "seasons": lambda data: [_items(row, 3) for row in _rows(data)],
    "weeks": lambda data: [_items(row, 8) for row in _rows(data)],
    "days": _days,
}


def _active(meter: "Meter", row: CatalogueRow, _at: Moment) -> Data:
    return meter.calendar.active[row.value]


def _passive(meter: "Meter", row: CatalogueRow, _at: Moment) -> Data:
    return meter.calendar.passive[row.value]


def _set_passive(meter: "Meter", row: CatalogueRow, value: Data, _at: Moment) -> DataAccessResult:
    try:
        _CHECKS[row.value](value)
    except CalendarError:
        return DataAccessResult.TYPE_UNMATCHED
    meter.calendar.passive[row.value] = value
    return DataAccessResult.SUCCESS


def _activate(meter: "Meter", _row: CatalogueRow, _data: Data | None, at: Moment) -> MethodOutcome:
    done = meter.activate_calendar(at)
    return MethodOutcome(ActionResult.SUCCESS if done else ActionResult.OTHER_REASON)


def _time(meter: "Meter", _row: CatalogueRow, _at: Moment) -> bytes:
    at = meter.calendar.activate_at
    return date_time.UNDEFINED if at is None else meter.clock.octets(at)


def _set_time(meter: "Meter", _row: CatalogueRow, value: Data, at: Moment) -> DataAccessResult:
    shown = meter.clock.read(value)
    if shown is None and value.value != date_time.UNDEFINED:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    meter.calendar.activate_at = shown
    meter.await_calendar(at)
    return DataAccessResult.SUCCESS


def _special_days(meter: "Meter", _row: CatalogueRow, _at: Moment) -> Data:
    return Data(Tag.ARRAY, tuple(day for _, day in sorted(meter.calendar.special.items())))


def _insert(meter: "Meter", _row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    items = items_of(data, Tag.STRUCTURE, 3)
    number = number_of(items[0], Tag.UINT16) if items else None
    if data is None or number is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    special = {**meter.calendar.special, number: data}
    return _new_special(meter, special, at)


def _delete(meter: "Meter", _row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    number = number_of(data, Tag.UINT16)
    if number is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    if number not in meter.calendar.special:
        return refused(ActionResult.SCOPE_OF_ACCESS_VIOLATED)
    special = {at: day for at, day in meter.calendar.special.items() if at != number}
    return _new_special(meter, special, at)


def _set_special(meter: "Meter", _row: CatalogueRow, value: Data, at: Moment) -> DataAccessResult:
    special: dict[int, Data] = {}
    for row in items_of(value, Tag.ARRAY) or ():
        items = items_of(row, Tag.STRUCTURE, 3)
        number = number_of(items[0], Tag.UINT16) if items else None
        if number is None or number in special:
            return DataAccessResult.TYPE_UNMATCHED
        special[number] = row
    return DataAccessResult(_new_special(meter, special, at).result)


def _new_special(meter: "Meter", special: dict[int, Data], at: Moment) -> MethodOutcome:
    if len(special) > MAX_SPECIAL_DAYS:
        return refused(ActionResult.SCOPE_OF_ACCESS_VIOLATED)
    try:
        table = switching_table(meter.calendar.active, [*special.values()])
    except CalendarError:
        return refused(ActionResult.SCOPE_OF_ACCESS_VIOLATED)
    meter.calendar.special = special
    meter.switch_rates(table, at.now)
    return MethodOutcome(ActionResult.SUCCESS)


def _scripts(meter: "Meter", _row: CatalogueRow, _at: Moment) -> Data:
    rates = sorted({rate for day in meter.rates.table.days for _, rate in day})
    rows = [axdr.structure(axdr.uint16(rate), Data(Tag.ARRAY, ())) for rate in rates]
    return Data(Tag.ARRAY, tuple(rows))


#: Binding word -> what it does.
BINDINGS: Final = {
    "calendar.active": Binding(_active),
    "calendar.passive": Binding(_passive, _set_passive),
    "calendar.time": Binding(_time, _set_time),
    "calendar.activate": Binding(invoke=_activate),
    "calendar.scripts": Binding(_scripts),
    "special-days.entries": Binding(_special_days, _set_special),
    "special-days.insert": Binding(invoke=_insert),
    "special-days.delete": Binding(invoke=_delete),
}
