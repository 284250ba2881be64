"""Commands that ask a gas device for logs, calendars, periods and configuration."""

from collections.abc import Mapping
from typing import Final

from emulator.codecs.gbcs.gbz import GbzComponent
from emulator.codecs.zcl import calendar as zcl_calendar
from emulator.codecs.zcl.account import (
    GetDebtRepaymentLog,
    GetPrepaySnapshot,
    GetTopUpLog,
    PublishDebtLog,
    PublishPrepaySnapshot,
    PublishTopUpLog,
)
from emulator.codecs.zcl.calendar import (
    CalendarType,
    GetDayProfiles,
    GetSeasons,
    GetSpecialDays,
    GetWeekProfiles,
    PublishDayProfile,
    PublishSeasons,
    PublishSpecialDays,
    PublishWeekProfile,
)
from emulator.codecs.zcl.cluster import Command
from emulator.codecs.zcl.device_management import (
    GetEventConfiguration,
    PublishWholeEventLog,
    ReportEventConfiguration,
)
from emulator.codecs.zcl.events import ANY_EVENT, GetEventLog, LogId
from emulator.codecs.zcl.price import GetBillingPeriod, PublishBillingPeriod, PublishPrice
from emulator.codecs.zcl.snapshots import (
    GetSampledData,
    GetSampledDataResponse,
    GetSnapshot,
    PublishSnapshot,
)
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.devices.gbz_engine import ComponentFailedError, GbzTurn, NotThereError
from emulator.devices.gsme.model.clusters import ClusterModel, Work
from emulator.devices.gsme.model.ledger import DAILY_ROWS, END_OF_PERIOD, GENERAL
from emulator.devices.gsme.model.snapshot_log import BLOCKS, TIERS
from emulator.devices.gsme.model.store import Row

#: Entries of an event list that the nibble of its head can count.
_NIBBLE: Final = 0xF
_GROUP: Final = 0xFF
#: A series' interval as messages say it: seconds, or all ones for a day.
_A_DAY: Final = 0xFFFF
_DAY_S: Final = 86_400
#: Sample identifier -> (series, seconds between samples; 0: as the store says).
_SERIES: Final = {0: ("profile", 1800), 1: ("daily", _DAY_S), 2: ("network", 0)}
#: Samples of a series that a message can carry.
_MOST_SAMPLES: Final = 20_000
#: One tier has blocks in a gas meter. Source: RTDS GCS15b, GCS16a (14 hex).
_BLOCK_HEAD: Final = 1 << 4 | BLOCKS


def _log_of(cause: int) -> str:
    if cause & GENERAL:
        return "daily"
    return "billing" if cause & END_OF_PERIOD else "change"


def _chosen(
    model: ClusterModel, log: str, rows: list[Row], asked: GetSnapshot | GetPrepaySnapshot
) -> tuple[Row, int]:
    """Return the entry asked for and how many there are.

    Of the daily log the latter is its length. Source: RTDS GCS16a and GCS16b (31 beside two found).
    """
    found = [
        row for row in rows if row[2] & asked.cause and asked.earliest_s <= row[1] <= asked.latest_s
    ]
    found.sort(key=lambda row: row[1])
    if asked.offset >= len(found):
        raise NotThereError
    if f"{log}/{asked.offset}" in model.broken:
        raise ComponentFailedError
    total = DAILY_ROWS if asked.cause & GENERAL else len(found)
    return found[asked.offset], total


def price_told(
    model: ClusterModel, price: tuple[int, int, UtcMs], shown: UtcMs, unit: int, tiers: int
) -> PublishPrice:
    """Return the price that counts now, as it is published.

    Args:
        model: The clusters.
        price: Tier, price, and until when it counts.
        shown: What the device's clock shows.
        unit: Unit of what the price is for.
        tiers: Tiers in use.
    """
    tier, amount, until = price
    number = model.store.number
    return PublishPrice(
        number("tariff_provider"),
        model.store.octets("tariff_label"),
        number("tariff_issued"),
        to_zigbee_seconds(shown),
        unit,
        number("currency"),
        number("price_digits") & 0xF0 | tier,
        tiers << 4 | tier,
        0,
        (until - shown) // 60_000,
        amount,
    )


def get_snapshot(
    model: ClusterModel, _component: GbzComponent, asked: GetSnapshot, turn: GbzTurn
) -> list[Command]:
    """Publish one entry of a log of registers."""
    name = _log_of(asked.cause)
    rows = model.registers_log(name, turn.now)
    row, total = _chosen(model, f"{name}_registers", rows, asked)
    number, at, cause, register, *parts = row
    tiers, blocks = tuple(parts[:TIERS]), tuple(parts[TIERS:])
    return [
        PublishSnapshot(number, at, total, 0, 1, cause, register, tiers, _BLOCK_HEAD, blocks),
    ]


def get_account_snapshot(
    model: ClusterModel, _component: GbzComponent, asked: GetPrepaySnapshot, turn: GbzTurn
) -> list[Command]:
    """Publish one entry of a log of accounts."""
    name = _log_of(asked.cause)
    rows = model.accounts_log(name, turn.now)
    row, total = _chosen(model, f"{name}_accounts", rows, asked)
    number, at, cause, accumulated, *debts, emergency, credit = row
    return [
        PublishPrepaySnapshot(
            number, at, total, 0, 1, cause, accumulated, tuple(debts), emergency, credit
        )
    ]


def get_samples(
    model: ClusterModel, _component: GbzComponent, asked: GetSampledData, turn: GbzTurn
) -> list[Command]:
    """Publish samples from a moment on."""
    if asked.sample_id not in _SERIES:
        raise NotThereError
    name, step = _SERIES[asked.sample_id]
    step = step or model.store.number("network_interval_s", 1)
    series = model.series(name, step, turn.now)
    if series is None:
        raise NotThereError
    left_out = max(0, -(-(asked.earliest_s - series.start_s) // series.step_s))
    most = min(asked.most or _MOST_SAMPLES, _MOST_SAMPLES)
    samples = series.samples[left_out : left_out + most]
    if not samples:
        raise NotThereError
    start = series.start_s + left_out * series.step_s
    interval = _A_DAY if series.step_s == _DAY_S else series.step_s
    return [GetSampledDataResponse(asked.sample_id, start, asked.sample_type, interval, samples)]


def get_top_ups(
    model: ClusterModel, component: GbzComponent, asked: GetTopUpLog, turn: GbzTurn
) -> list[Command]:
    """Publish top-ups, the latest first."""
    since = _since(component)
    rows = [row for row in model.table("top_ups", turn.now) if since <= row[2] <= asked.latest_s]
    rows.sort(key=lambda row: -row[2])
    if not rows:
        raise NotThereError
    shown = [(code.encode(), amount, at) for code, amount, at in rows[: asked.most or None]]
    return [PublishTopUpLog(0, 1, tuple(shown))]


def get_debt_payments(
    model: ClusterModel, component: GbzComponent, asked: GetDebtRepaymentLog, turn: GbzTurn
) -> list[Command]:
    """Publish payments of a debt, the earliest first."""
    since = _since(component)
    rows = [
        row
        for row in model.table("debt_payments", turn.now)
        if since <= row[0] <= asked.latest_s and row[2] == asked.debt
    ]
    rows.sort(key=lambda row: row[0])
    if not rows:
        raise NotThereError
    shown = rows[-asked.most :] if asked.most else rows
    return [PublishDebtLog(0, 1, tuple([tuple(row) for row in shown]))]


def _since(component: GbzComponent) -> int:
    return 0 if component.from_time is None else to_zigbee_seconds(component.from_time)


def get_event_log(
    model: ClusterModel, _component: GbzComponent, asked: GetEventLog, turn: GbzTurn
) -> list[Command]:
    """Publish the events of a log, the earliest first."""
    names = {LogId.GENERAL: "events", LogId.SECURITY: "security_events"}
    if asked.log not in names:
        raise NotThereError
    rows = [
        (at, code)
        for at, code in model.table(names[LogId(asked.log)], turn.now)
        if asked.start_s <= at <= asked.end_s and asked.event in {ANY_EVENT, code}
    ]
    rows.sort(key=lambda row: row[0])
    found = rows[: len(rows) - asked.offset] if asked.offset else rows
    found = found[-asked.most :] if asked.most else found
    if not found:
        raise NotThereError
    events = tuple([(asked.log, code, at, b"") for at, code in found])
    head = len(events) << 4 if len(events) <= _NIBBLE else 0
    return [PublishWholeEventLog(len(rows), 0, 1, head, events)]


def get_billing_period(
    model: ClusterModel, _component: GbzComponent, _asked: GetBillingPeriod, _turn: GbzTurn
) -> list[Command]:
    """Publish the billing calendar."""
    number = model.store.number
    if model.store.find("billing_start") is None:
        raise NotThereError
    return [
        PublishBillingPeriod(
            number("billing_provider"),
            number("billing_issued"),
            number("billing_start"),
            number("billing_duration"),
            number("billing_duration_type"),
            number("billing_tariff_type"),
        )
    ]


def get_event_configuration(
    model: ClusterModel, _component: GbzComponent, asked: GetEventConfiguration, _turn: GbzTurn
) -> list[Command]:
    """Report what an event does, or all events of a group."""
    rows = model.store.rows("event_configuration")
    group, event = divmod(asked.event, 1 << 8)
    if event == _GROUP:
        found = [row for row in rows if group == _GROUP or row[0] >> 8 == group]
    else:
        found = [row for row in rows if row[0] == asked.event]
    if not found:
        raise NotThereError
    return [ReportEventConfiguration(0, 1, tuple([(event, bits) for event, bits in found]))]


# -- calendars -----------------------------------------------------------------------------------


def _calendar_name(model: ClusterModel, calendar_id: int) -> str:
    if calendar_id == zcl_calendar.TARIFF_CALENDAR:
        return "tariff"
    if calendar_id == zcl_calendar.FRIENDLY_CREDIT_CALENDAR:
        return "friendly"
    for name in ("tariff", "friendly"):
        if model.store.find(f"{name}_calendar_id") == calendar_id:
            return name
    raise NotThereError


def _part(model: ClusterModel, calendar_id: int, part: str) -> tuple[str, tuple[Row, ...]]:
    """Return a calendar's name and the rows of one of its parts.

    Raises:
        ComponentFailedError: It is broken; NotThereError where there are none.
    """
    name = _calendar_name(model, calendar_id)
    table = f"{name}_{part}"
    if table in model.broken:
        raise ComponentFailedError
    rows = model.store.rows(table)
    if not rows:
        raise NotThereError
    return name, rows


def _head(model: ClusterModel, name: str) -> tuple[int, int, int]:
    parts = ("provider", "issued", "id")
    provider, issued, number = [model.store.number(f"{name}_calendar_{part}") for part in parts]
    return provider, issued, number


def _type(name: str) -> int:
    return int(CalendarType.FRIENDLY_CREDIT if name == "friendly" else CalendarType.DELIVERED)


def get_days(
    model: ClusterModel, _component: GbzComponent, asked: GetDayProfiles, _turn: GbzTurn
) -> list[Command]:
    """Publish the days of a calendar, each in a command of its own."""
    name, rows = _part(model, asked.calendar_id, "days")
    days = sorted({row[0] for row in rows if row[0] >= asked.first})[: asked.most or None]
    if not days:
        raise NotThereError
    found: list[Command] = []
    for day in days:
        entries = tuple([(minute, value) for each, minute, value in rows if each == day])
        head = _head(model, name)
        found.append(PublishDayProfile(*head, day, len(entries), 0, 1, _type(name), entries))
    return found


def get_weeks(
    model: ClusterModel, _component: GbzComponent, asked: GetWeekProfiles, _turn: GbzTurn
) -> list[Command]:
    """Publish the weeks of a calendar, each in a command of its own."""
    name, rows = _part(model, asked.calendar_id, "weeks")
    weeks = [row for row in rows if row[0] >= asked.first][: asked.most or None]
    if not weeks:
        raise NotThereError
    return [PublishWeekProfile(*_head(model, name), week, tuple(days)) for week, *days in weeks]


def get_seasons(
    model: ClusterModel, _component: GbzComponent, asked: GetSeasons, _turn: GbzTurn
) -> list[Command]:
    """Publish the seasons of a calendar."""
    name, rows = _part(model, asked.calendar_id, "seasons")
    return [PublishSeasons(*_head(model, name), 0, 1, tuple([(on, week) for on, week in rows]))]


def get_special_days(
    model: ClusterModel, _component: GbzComponent, asked: GetSpecialDays, _turn: GbzTurn
) -> list[Command]:
    """Publish the special days of a calendar."""
    name, rows = _part(model, asked.calendar_id, "special_days")
    days = tuple([(on, day) for on, day in rows])
    head = _head(model, name)
    return [PublishSpecialDays(*head, 0, _type(name), len(days), 0, 1, days)]


#: Binding word -> what carries it out.
READS: Final[Mapping[str, Work]] = {
    "get-snapshot": get_snapshot,
    "get-account-snapshot": get_account_snapshot,
    "get-samples": get_samples,
    "get-top-ups": get_top_ups,
    "get-debt-payments": get_debt_payments,
    "get-event-log": get_event_log,
    "get-billing": get_billing_period,
    "get-events": get_event_configuration,
    "get-days": get_days,
    "get-weeks": get_weeks,
    "get-seasons": get_seasons,
    "get-special-days": get_special_days,
}
