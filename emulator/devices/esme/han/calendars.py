"""The Calendar cluster of an ESME: tariff calendar and days without disablement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from emulator.codecs.dlms.axdr import Data
from emulator.codecs.zcl import calendar
from emulator.codecs.zcl.calendar import CalendarType
from emulator.codecs.zcl.foundation import AttributeValue, Status, ZclType
from emulator.core.clock import UtcMs, to_datetime
from emulator.core.effects import Effect
from emulator.devices.consumption import DAY_MS
from emulator.devices.esme.han.answers import NO_PROVIDER, Request
from emulator.devices.esme.model.schedules import Schedule

if TYPE_CHECKING:
    from emulator.devices.esme.model.model import EsmeModel

_ANY_TYPE: Final = 0xFF
_TARIFF: Final = calendar.TARIFF_CALENDAR
_FRIENDLY: Final = calendar.FRIENDLY_CREDIT_CALENDAR
_ENTRIES_AT_ONCE: Final = 16
_MOST_TIER: Final = 0xFF
_NON_DISABLEMENT: Final = 32
_WEEK: Final = 7
_CONTROLLERS: Final = range(1, 6)
_LABEL: Final = 22

Entries = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A calendar as the cluster shows it.

    Attributes:
        calendar_id: Its identifier.
        calendar_type: What it switches.
        days: Day id -> (minute of the day; tier, or 1 for no disablement).
        weeks: Week id -> seven day ids.
        seasons: (ZCL date, week id).
        special_days: (ZCL date, day id).
    """

    calendar_id: int
    calendar_type: int
    days: dict[int, Entries]
    weeks: dict[int, tuple[int, ...]]
    seasons: Entries
    special_days: Entries


def attributes(model: "EsmeModel", now: UtcMs) -> Mapping[int, AttributeValue]:  # noqa: ARG001 - table
    """Return the attributes: what the auxiliary controllers are called.

    Source:
        Smart Energy 1.2 (labels of auxiliary switches, known).
    """
    names = [model.store.octets(f"aux_controller_{n}_description") for n in _CONTROLLERS]
    return {
        place: AttributeValue(ZclType.OCTETS, name[:_LABEL]) for place, name in enumerate(names)
    }


def take(model: "EsmeModel", request: Request, command: Any) -> list[Effect]:
    """Take a command."""
    if isinstance(command, calendar.GetCalendar):
        return _calendars(model, request, command)
    if isinstance(command, calendar.GetSpecialDays):
        return _special_days(model, request, command.calendar_id)
    shown = _shown(model, command.calendar_id, request.now)
    if shown is None:
        return [request.default(Status.NOT_FOUND)]
    if isinstance(command, calendar.GetDayProfiles):
        return _days(request, shown, command)
    if isinstance(command, calendar.GetWeekProfiles):
        return _weeks(request, shown, command)
    return _seasons(request, shown)


def _calendars(model: "EsmeModel", request: Request, command: calendar.GetCalendar) -> list[Effect]:
    held = [_shown(model, one, request.now) for one in (_TARIFF, _FRIENDLY)]
    wanted = [
        one
        for one in held
        if one is not None and command.calendar_type in {one.calendar_type, _ANY_TYPE}
    ]
    if not wanted:
        return [request.default(Status.NOT_FOUND)]
    return [
        request.answer(
            calendar.PublishCalendar(
                NO_PROVIDER, _issued(model), one.calendar_id, 0, one.calendar_type, 0, b"",
                len(one.seasons), len(one.weeks), len(one.days),
            )
        )
        for one in wanted[: command.most or None]
    ]  # fmt: skip


def _days(request: Request, shown: Shown, command: calendar.GetDayProfiles) -> list[Effect]:
    wanted = [day for day in sorted(shown.days) if day >= command.first][: command.most or None]
    answers: list[Effect] = []
    for day in wanted:
        entries = shown.days[day]
        parts = [
            entries[at : at + _ENTRIES_AT_ONCE] for at in range(0, len(entries), _ENTRIES_AT_ONCE)
        ] or [()]
        answers += [
            request.answer(
                calendar.PublishDayProfile(
                    NO_PROVIDER, 1, shown.calendar_id, day, len(entries), index, len(parts),
                    shown.calendar_type, part,
                )
            )
            for index, part in enumerate(parts)
        ]  # fmt: skip
    return answers or [request.default(Status.NOT_FOUND)]


def _weeks(request: Request, shown: Shown, command: calendar.GetWeekProfiles) -> list[Effect]:
    wanted = [one for one in sorted(shown.weeks) if one >= command.first][: command.most or None]
    if not wanted:
        return [request.default(Status.NOT_FOUND)]
    return [
        request.answer(
            calendar.PublishWeekProfile(NO_PROVIDER, 1, shown.calendar_id, week, shown.weeks[week])
        )
        for week in wanted
    ]


def _seasons(request: Request, shown: Shown) -> list[Effect]:
    if not shown.seasons:
        return [request.default(Status.NOT_FOUND)]
    found = calendar.PublishSeasons(NO_PROVIDER, 1, shown.calendar_id, 0, 1, shown.seasons)
    return [request.answer(found)]


def _special_days(model: "EsmeModel", request: Request, calendar_id: int) -> list[Effect]:
    shown = _shown(model, calendar_id, request.now)
    if shown is None or not shown.special_days:
        return [request.default(Status.NOT_FOUND)]
    total = len(shown.special_days)
    found = calendar.PublishSpecialDays(
        NO_PROVIDER, 1, calendar_id, 0, shown.calendar_type, total, 0, 1, shown.special_days
    )
    return [request.answer(found)]


def _issued(model: "EsmeModel") -> int:
    return len(model.ledger.changes) + 1


# -- out of the model ------------------------------------------------------------------------------


def _shown(model: "EsmeModel", calendar_id: int, now: UtcMs) -> Shown | None:
    if calendar_id == _TARIFF:
        return _of_tariff(model)
    return _of_schedule(model, now) if calendar_id == _FRIENDLY else None


def _of_tariff(model: "EsmeModel") -> Shown:
    tariff = model.ledger.tariff
    names = {name: number for number, name in enumerate(tariff.weeks, 1)}
    return Shown(
        _TARIFF,
        CalendarType.DELIVERED,
        {
            day: tuple([(at // 60_000, min(tier, _MOST_TIER)) for at, tier in rows])
            for day, rows in tariff.days.items()
        },
        {names[name]: days for name, days in tariff.weeks.items() if len(days) == _WEEK},
        tuple([(_date(start), names.get(name, 0)) for start, name in tariff.seasons]),
        tuple([(_date(on), day) for on, day in tariff.special_days]),
    )


def _of_schedule(model: "EsmeModel", now: UtcMs) -> Shown | None:
    """Return the schedule as the week that runs now, Monday first: a ZSE calendar has no ranges."""
    schedule = Schedule(model.store, "non_disablement_calendar")
    if not schedule:
        return None
    monday = now - now % DAY_MS - to_datetime(now).weekday() * DAY_MS
    days: dict[int, Entries] = {}
    week = []
    for day in range(_WEEK):
        start = UtcMs(monday + day * DAY_MS)
        rows = schedule.of_day(start)
        entries = tuple([((at - start) // 60_000, int(s == _NON_DISABLEMENT)) for at, s in rows])
        number = next((one for one, held in days.items() if held == entries), len(days) + 1)
        days[number] = entries
        week.append(number)
    special = model.store.items("non_disablement_special_days")
    found = [_special(row) for row in special]
    return Shown(
        _FRIENDLY, CalendarType.FRIENDLY_CREDIT, days, {1: tuple(week)},
        ((_date(b"\xff" * 5), 1),), tuple(found),
    )  # fmt: skip


def _special(row: Data) -> tuple[int, int]:
    cells = row.value if isinstance(row.value, tuple) else ()
    on, day = cells[1].value, cells[2].value
    octets = on if isinstance(on, bytes) else b"\xff" * 5
    return _date(octets), day if isinstance(day, int) else 0


def _date(octets: bytes) -> int:
    """Return a ZCL date (years since 1900, month, day, weekday) of a DLMS one."""
    year = int.from_bytes(octets[:2], "big")
    since = year - 1900 if 1900 <= year < 2155 else 0xFF
    return int.from_bytes(bytes((since, octets[2], octets[3], octets[4])), "little")
