"""Commands that tell a gas device of tariffs, prices, periods and calendars.

A GSME is told; its GPF overhears what the GSME accepted and keeps the same.
"""

from collections.abc import Mapping
from typing import Any, Final

from emulator.codecs.gbcs.gbz import GbzComponent
from emulator.codecs.zcl.calendar import (
    CalendarType,
    PublishCalendar,
    PublishDayProfile,
    PublishSeasons,
    PublishSpecialDays,
    PublishWeekProfile,
)
from emulator.codecs.zcl.foundation import Status
from emulator.codecs.zcl.price import (
    PublishBlockThresholds,
    PublishPriceMatrix,
)
from emulator.devices.gbz_engine import ComponentFailedError, GbzTurn
from emulator.devices.gsme.model.clusters import ClusterModel, Work
from emulator.devices.gsme.model.snapshot_log import BLOCKS, TIERS
from emulator.devices.gsme.model.types import Value

_TIER_PRICES: Final = 1


def publish_prices(
    model: ClusterModel, component: GbzComponent, told: PublishPriceMatrix, turn: GbzTurn
) -> None:
    """Set prices of tiers or of blocks.

    Blocks are counted from 0 where one of them is 0, else from 1. Source: inferred; no message of
    GCS01a or GCS01b is at hand.
    """
    values: dict[str, Value] = {}
    if told.control & _TIER_PRICES:
        for tier, price in told.prices:
            values[f"tier_price_{_within(tier, TIERS)}"] = price
    else:
        first = 0 if any(place & 0xF == 0 for place, _ in told.prices) else 1
        for place, price in told.prices:
            values[f"block_price_{_within((place & 0xF) - first + 1, BLOCKS)}"] = price
    model.dated(component, turn, told.start_s, values)


def _within(number: int, most: int) -> int:
    if not 1 <= number <= most:
        raise ComponentFailedError(Status.INVALID_FIELD)
    return number


def publish_thresholds(
    model: ClusterModel, component: GbzComponent, told: PublishBlockThresholds, turn: GbzTurn
) -> None:
    """Set where blocks end."""
    if len(told.thresholds) >= BLOCKS:
        raise ComponentFailedError(Status.INVALID_FIELD)
    values: dict[str, Value] = {
        f"block_threshold_{number}": limit for number, limit in enumerate(told.thresholds, 1)
    }
    model.dated(component, turn, told.start_s, values)


# -- calendars -----------------------------------------------------------------------------------


def _name(calendar_type: int) -> str:
    if calendar_type == CalendarType.DELIVERED:
        return "tariff"
    if calendar_type == CalendarType.FRIENDLY_CREDIT:
        return "friendly"
    raise ComponentFailedError(Status.INVALID_FIELD)


def publish_calendar(
    model: ClusterModel, component: GbzComponent, told: PublishCalendar, turn: GbzTurn
) -> None:
    """Begin a calendar; its days, weeks and seasons follow and come into force with it."""
    name = _name(told.calendar_type)
    values: dict[str, Value] = {
        f"{name}_calendar_id": told.calendar_id,
        f"{name}_calendar_provider": told.provider_id,
        f"{name}_calendar_issued": told.issuer_event_id,
    }
    model.dated(component, turn, told.start_s, values, calendar=name)
    model.drafts = {k: v for k, v in model.drafts.items() if not k.startswith(f"{name}_")}
    if any(one.calendar == name for one in model.pending):
        model.drafts[f"{name}_calendar_id"] = told.calendar_id


def _drafted(model: ClusterModel, calendar_id: int) -> str:
    """Return the calendar that is being drafted under an identifier, or is in force under it."""
    for name in ("tariff", "friendly"):
        drafted = model.drafts.get(f"{name}_calendar_id")
        held = model.store.find(f"{name}_calendar_id") if drafted is None else drafted
        if held == calendar_id:
            return name
    raise ComponentFailedError(Status.NOT_FOUND)


def _draft(
    model: ClusterModel, name: str, part: str, rows: tuple[Any, ...], keys: set[int]
) -> None:
    """Add rows to a part of a calendar, in place of those with the same keys."""
    table = f"{name}_{part}"
    model.check(table)
    target = f"{name}_calendar_id" in model.drafts
    held = model.drafts.get(table, ()) if target else model.store.rows(table)
    kept = tuple([row for row in held if row[0] not in keys]) if isinstance(held, tuple) else ()
    if target:
        model.drafts[table] = kept + rows
    else:
        model.store.put(table, kept + rows)


def publish_day(
    model: ClusterModel, _component: GbzComponent, told: PublishDayProfile, _turn: GbzTurn
) -> None:
    """Set a day of a calendar."""
    rows = tuple([(told.day, minute, value) for minute, value in told.entries])
    _draft(model, _drafted(model, told.calendar_id), "days", rows, {told.day})


def publish_week(
    model: ClusterModel, _component: GbzComponent, told: PublishWeekProfile, _turn: GbzTurn
) -> None:
    """Set a week of a calendar."""
    name = _drafted(model, told.calendar_id)
    _draft(model, name, "weeks", ((told.week, *told.days),), {told.week})


def publish_seasons(
    model: ClusterModel, _component: GbzComponent, told: PublishSeasons, _turn: GbzTurn
) -> None:
    """Set the seasons of a calendar."""
    name = _drafted(model, told.calendar_id)
    held = model.drafts.get(f"{name}_seasons", ())
    keys = {on for on, *_ in (*held, *told.seasons)} if isinstance(held, tuple) else set()
    _draft(model, name, "seasons", tuple(told.seasons), keys if told.index == 0 else set())


def publish_special_days(
    model: ClusterModel, component: GbzComponent, told: PublishSpecialDays, turn: GbzTurn
) -> None:
    """Set the special days of a calendar."""
    name = _name(told.calendar_type)
    days: tuple[Any, ...] = tuple([(on, day) for on, day in told.days])
    if told.index:
        earlier = [one for one in model.pending if one.is_of(component, turn.code)]
        held = earlier[-1].values.get(f"{name}_special_days") if earlier else None
        days = (*held, *days) if isinstance(held, tuple) else days
    model.dated(component, turn, told.start_s, {f"{name}_special_days": days})


#: Binding word -> what carries it out.
WRITES: Final[Mapping[str, Work]] = {
    "publish-prices": publish_prices,
    "publish-thresholds": publish_thresholds,
    "publish-calendar": publish_calendar,
    "publish-day": publish_day,
    "publish-week": publish_week,
    "publish-seasons": publish_seasons,
    "publish-special-days": publish_special_days,
}
