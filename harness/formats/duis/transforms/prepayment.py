"""Prepayment settings: 2.1.

Source:
    RTDS 4.5.0 ECS08; ECS08a and GCS05 have no message at hand: the use-case tables. Calendars of
    gas: known (Smart Energy 1.2) with the identifiers of RTDS GCS21b.
"""

from collections.abc import Iterator
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import account
from emulator.codecs.zcl.account import (
    EmergencyCreditSetup,
    SetLowCreditWarningLevel,
    SetMaximumCreditLimit,
    SetOverallDebtCap,
)
from emulator.codecs.zcl.calendar import CalendarType
from harness.formats.duis.transforms.account_bodies import (
    ElectricitySettings,
    GasDayOfFive,
    GasSettings,
    NonDisablementRow,
)
from harness.formats.duis.transforms.dlms_data import (
    ScheduleRow,
    array,
    bits,
    special_day_rows,
    whole_date,
)
from harness.formats.duis.transforms.gas_calendar import GasCalendar
from harness.formats.duis.transforms.outcome import Refusal, TransformError
from harness.formats.duis.transforms.payloads import (
    Asked,
    Payload,
    commanded,
    written,
    wrong_device,
)

#: Debts are capped by the week. Source: RTDS ECS08.
_WEEK_S: Final = 604_800
_SWITCH_SCRIPTS: Final = "0-0:10.0.106.255"
#: Scripts by which non-disablement begins and ends. Source: RTDS ECS08.
_SCRIPTS: Final = {"START": 32, "STOP": 33}
_FRIENDLY: Final = {"START": 1, "STOP": 0}


def configure(asked: Asked) -> Payload:
    """Return ECS08 or ECS08a."""
    settings = asked.body.settings
    if not isinstance(settings, ElectricitySettings):
        raise wrong_device(asked, DeviceType.GSME)
    values = _settings(settings, later=asked.device.later)
    values |= dict.fromkeys(_ACTIVATIONS, asked.activation)
    code = MessageCode.ECS08A if asked.device.later else MessageCode.ECS08
    return written(asked, code, values)


#: What the settings come into force by.
_ACTIVATIONS: Final = (
    "non_disablement_special_days_activation",
    "max_balance_millipence_activation",
    "max_credit_millipence_activation",
    "debt_recovery_cap_activation",
    "debt_recovery_cap_period_s_activation",
    "low_credit_threshold_millipence_activation",
    "emergency_credit_limit_millipence_activation",
    "emergency_credit_threshold_millipence_activation",
    "non_disablement_calendar_activation",
)


def _settings(settings: ElectricitySettings, *, later: bool) -> dict[str, Any]:
    """Return the settings by name; the earlier use case sets the most balance at once."""
    days = sorted(settings.calendar.special_days.days, key=lambda one: one.index)
    rows = enumerate(settings.calendar.rows, 1)
    balance = "passive_max_balance_millipence" if later else "max_balance_millipence"
    return {
        "passive_non_disablement_special_days": special_day_rows(
            [(one.index, one.date.octets, one.index) for one in days]
        ),
        balance: settings.most_balance,
        "passive_max_credit_millipence": settings.most_credit,
        "passive_non_disablement_calendar": array(_row(n, row, len(days)) for n, row in rows),
        "passive_debt_recovery_cap": settings.recovery_cap,
        "passive_debt_recovery_cap_period_s": _WEEK_S,
        "passive_low_credit_threshold_millipence": settings.low_threshold,
        "passive_emergency_credit_limit_millipence": settings.emergency_limit,
        "passive_emergency_credit_threshold_millipence": settings.emergency_threshold,
    }


def _row(index: int, row: NonDisablementRow, special_days: int) -> Data:
    span = row.span
    return ScheduleRow(
        _SWITCH_SCRIPTS,
        _SCRIPTS[row.script],
        span.at,
        bits(7, [one.number for one in row.weekdays.days]),
        bits(special_days, [one.number - 1 for one in row.special_days.days]),
        (whole_date(span.begin), whole_date(span.end)),
    ).data(index)


# -- gas -----------------------------------------------------------------------------------------


def configure_gas(asked: Asked) -> Payload:
    """Return GCS05."""
    settings = asked.body.settings
    if not isinstance(settings, GasSettings):
        raise wrong_device(asked, DeviceType.ESME)
    event, start = asked.issuer_event, asked.start_s
    commands = (
        EmergencyCreditSetup(event, start, settings.emergency_limit, settings.emergency_threshold),
        SetOverallDebtCap(0, event, start, settings.recovery_cap),
        SetLowCreditWarningLevel(settings.low_threshold),
        SetMaximumCreditLimit(0, event, start, settings.most_balance, settings.most_credit),
    )
    calendar = GasCalendar(CalendarType.FRIENDLY_CREDIT, event, start)
    return commanded(
        MessageCode.GCS05,
        (
            *((account.COMMANDS, command) for command in commands),
            *calendar.parts(
                days=dict(_days(settings)),
                weeks={
                    week.name: {one.index: one.day for one in week.days}
                    for week in settings.calendar.weeks.weeks
                },
                seasons=settings.calendar.seasons.seasons,
                special_days=settings.calendar.special_days.days,
            ),
        ),
    )


def _days(settings: GasSettings) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    for day in settings.calendar.days.days:
        yield day.day, tuple(_switches(day))


def _switches(day: GasDayOfFive) -> Iterator[tuple[int, int]]:
    for switch in day.switches:
        hour, minute, second = (int(part) for part in switch.at.split(":"))
        if second:
            raise TransformError(Refusal.OUT_OF_RANGE, "a gas calendar knows whole minutes only")
        yield hour * 60 + minute, _FRIENDLY[switch.action]
