"""Bodies of all kinds with values drawn by hypothesis."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from harness.formats.duis.smets1_bodies import (
    ActivateEmergencyCredit,
    ArmSupply,
    CommissionDevice,
    Credit,
    DisableSupply,
    EnableSupply,
    Prepayment,
    SynchroniseClock,
    UpdatePaymentMode,
)
from harness.formats.duis.transforms import account_bodies as account
from harness.formats.duis.transforms import calendar_bodies as calendar
from harness.formats.duis.transforms import load_bodies as load
from harness.formats.duis.transforms import other_bodies as other
from harness.formats.duis.transforms import partial_dates as partial
from harness.formats.duis.transforms import tariff_bodies as tariff
from tests.harness.formats.transforms.from_vectors import utc

_INT = st.integers(-(2**31), 2**31 - 1)
_U32 = st.integers(0, 2**32 - 1)
_SHORT = st.integers(-(2**15), 2**15 - 1)
_SCALE = st.integers(-128, 127)
_MOMENT = st.integers(utc(2014, 1, 1) // 1000, utc(2040, 1, 1) // 1000).map(lambda s: s * 1000)
_WHEN = st.none() | _MOMENT
_TIME = st.times().map(lambda at: at.replace(microsecond=0).isoformat())
_MINUTE = st.times().map(lambda at: at.replace(second=0, microsecond=0).isoformat())
_PERIOD = st.sampled_from(["HOURLY", "DAILY"])
_SCRIPT = st.sampled_from(["START", "STOP"])
_LOCKED = st.sampled_from(["Locked", "Unchanged"])
_CURRENCY = st.sampled_from(["GBP", "ECB"])


def _made(kind: Any, **fields: Any) -> Any:
    return st.builds(kind, **fields)


def _open(number: Any, kind: Any) -> Any:
    return st.builds(kind, said=number | st.just(partial.Unsaid()))


_DATE_FIELDS = {
    "year": _open(st.integers(2014, 2100), partial.Year),
    "month": _open(st.integers(1, 12), partial.Month),
    "day": _open(st.integers(1, 31) | st.just(partial.Last()), partial.Day),
    "weekday": _open(st.integers(1, 7), partial.DayOfWeek),
}
_DATE = _made(partial.PartialDate, **_DATE_FIELDS)
_GAS_DATE = _made(
    partial.GasDate, **_DATE_FIELDS | {"day": _open(st.integers(1, 31), partial.GasDay)}
)
_WHOLE_DATE = st.dates().filter(lambda day: day.year >= 2000).map(str)
_WEEKDAYS = _made(
    load.Weekdays,
    days=st.lists(
        st.sampled_from(partial.WEEKDAYS).map(lambda name: partial.Weekday(name=name)),
        max_size=7,
        unique=True,
    ),
)


def _some(kind: Any, most: int, least: int = 1) -> Any:
    return st.lists(kind, min_size=least, max_size=min(most, least + 2))


def _week(kind: Any, day_kind: Any, most_days: int, names: int) -> Any:
    days = st.lists(st.integers(1, most_days), min_size=7, max_size=7).map(
        lambda named: tuple(day_kind(index=n, day=day) for n, day in enumerate(named, 1))
    )
    return _made(kind, name=st.integers(1, names), days=days)


def _indexed(kind: Any, most: int, value: str, number: Any) -> Any:
    return st.dictionaries(st.integers(1, most), number, min_size=1, max_size=4).map(
        lambda said: tuple(kind(index=n, **{value: one}) for n, one in said.items())
    )


# -- tariffs -------------------------------------------------------------------------------------

_TIERS = _indexed(tariff.TouPrice, 48, "price", _SHORT)
_BLOCKS = st.dictionaries(
    st.integers(1, 8), _indexed(tariff.BlockPrice, 4, "price", _SHORT), min_size=1, max_size=3
).map(lambda said: tuple(tariff.BlockPrices(index=n, prices=one) for n, one in said.items()))
_PRICES = _made(
    tariff.PrimaryPrices,
    prices=_made(
        tariff.ElectricityPrices,
        standing=_SHORT,
        standing_scale=_SCALE,
        scale=_SCALE,
        tariff=_made(tariff.TouTariff, tiers=_TIERS)
        | _made(tariff.BlockTariff, blocks=_BLOCKS)
        | _made(tariff.HybridTariff, tiers=_TIERS, blocks=_BLOCKS),
    ),
)
_GAS_ROWS = _indexed(tariff.GasBlockPrice, 4, "price", _U32)
_GAS_PRICES = _made(
    tariff.PrimaryPrices,
    prices=_made(
        tariff.GasPrices,
        currency=_CURRENCY,
        standing=_U32,
        tariff=_made(tariff.GasTouTariff, tiers=_GAS_ROWS)
        | _made(tariff.GasBlockTariff, blocks=_GAS_ROWS, thresholds=st.integers(1, 3)),
    ),
)
_SECOND_PRICES = _made(
    tariff.SecondPrices, scale=_SCALE, tiers=_indexed(tariff.SecondPrice, 4, "price", _SHORT)
)
_SEASON_NAME = st.text("abcXYZ ", min_size=1, max_size=8).filter(lambda name: name == name.strip())
_SEASONS = _made(
    calendar.Seasons,
    seasons=_some(
        _made(calendar.Season, name=_SEASON_NAME, start=_DATE, week=st.integers(1, 4)), 4
    ),
)
_WEEKS = _made(
    calendar.WeekProfiles, weeks=_some(_week(calendar.WeekProfile, calendar.WeekDay, 16, 4), 4)
)
_DAYS = _made(
    calendar.DayProfiles,
    days=_some(
        _made(
            calendar.DayProfile,
            name=st.integers(1, 16),
            switches=_some(
                _made(
                    calendar.Switch,
                    at=_TIME,
                    action=_made(calendar.Tou, number=st.integers(1, 48))
                    | _made(calendar.Block, number=st.integers(1, 8)),
                ),
                48,
            ),
        ),
        16,
    ),
)
_SECOND_DAYS = _made(
    calendar.SecondDayProfiles,
    days=_some(
        _made(
            calendar.SecondDayProfile,
            name=st.integers(1, 16),
            switches=_some(_made(calendar.SecondSwitch, at=_TIME, tou=st.integers(1, 4)), 48),
        ),
        16,
    ),
)
_SPECIAL = _made(
    calendar.SpecialDays,
    days=_some(_made(calendar.SpecialDay, date=_DATE, day=st.integers(1, 16)), 50, 0),
)
_THRESHOLDS = st.lists(_indexed(tariff.Threshold, 3, "wh", _U32), min_size=8, max_size=8).map(
    lambda sets: tariff.ThresholdMatrix(
        sets=tuple(tariff.Thresholds(index=n, blocks=one) for n, one in enumerate(sets, 1))
    )
)
_GAS_SEASONS = _made(
    calendar.GasSeasons,
    seasons=_some(_made(calendar.GasSeason, start=_GAS_DATE, week=st.integers(1, 2)), 3),
)


def _gas_special(most_day: int) -> Any:
    day = _made(calendar.GasSpecialDay, date=_GAS_DATE, day=st.integers(1, most_day))
    return _made(calendar.GasSpecialDays, days=_some(day, 20, 0))


_GAS_TABLE = _made(
    calendar.GasSwitchingTable,
    days=_made(
        calendar.GasDayProfiles,
        days=_some(
            _made(
                calendar.GasDayProfile,
                name=st.integers(1, 4),
                action=st.integers(1, 4) | st.just(partial.Unsaid()),
            ),
            4,
        ),
    ),
    weeks=_made(
        calendar.GasWeekProfiles,
        weeks=_some(_week(calendar.GasWeekProfile, calendar.GasWeekDay, 4, 2), 2),
    ),
    seasons=_GAS_SEASONS,
)
_GAS_TARIFF = _made(
    tariff.GasTariff,
    table=_GAS_TABLE,
    special_days=_gas_special(4),
    thresholds=_made(
        tariff.GasThresholds,
        blocks=_indexed(tariff.GasThreshold, 3, "value", st.integers(0, 2**48 - 1)),
    ),
)

# -- prepayment ----------------------------------------------------------------------------------

_ROW = _made(
    account.NonDisablementRow,
    script=_SCRIPT,
    special_days=st.just(account.SpecialDayIds()),
    weekdays=_WEEKDAYS,
    span=_made(account.WholeSpan, at=_TIME, begin=_WHOLE_DATE, end=_WHOLE_DATE),
)
_SETTINGS = _made(
    account.ElectricitySettings,
    recovery_cap=st.integers(0, 2**16 - 1),
    emergency_limit=_INT,
    emergency_threshold=_INT,
    low_threshold=_INT,
    most_balance=_INT,
    most_credit=_INT,
    calendar=_made(
        account.NonDisablement,
        special_days=_made(
            account.NumberedDays,
            days=st.lists(_DATE, max_size=3).map(
                lambda dates: tuple(
                    account.NumberedDay(index=n, date=one) for n, one in enumerate(dates, 1)
                )
            ),
        ),
        rows=_some(_ROW, 22),
    ),
)
_GAS_SETTINGS = _made(
    account.GasSettings,
    recovery_cap=_INT,
    emergency_limit=_U32,
    emergency_threshold=_U32,
    low_threshold=_U32,
    most_balance=_U32,
    most_credit=_U32,
    calendar=_made(
        account.GasNonDisablement,
        days=_made(
            account.GasDaysOfFive,
            days=_some(
                _made(
                    account.GasDayOfFive,
                    day=st.integers(1, 5),
                    switches=_some(_made(account.GasSwitch, at=_MINUTE, action=_SCRIPT), 3),
                ),
                5,
            ),
        ),
        weeks=_made(
            account.GasWeeksOfFive,
            weeks=_some(_week(account.GasWeekOfFive, account.GasWeekdayOfFive, 5, 2), 2),
        ),
        seasons=_GAS_SEASONS,
        special_days=_gas_special(5),
    ),
)
_ELECTRICITY_DEBT = _made(account.ElectricityRecovery, rate=_SHORT, scale=_SCALE, period=_PERIOD)
_GAS_DEBT = _made(account.GasRecovery, rate=st.integers(0, 2**31 - 1), period=_PERIOD)
_DEBTS = {
    "time_debt_1": _INT,
    "time_debt_2": _INT,
    "payment_debt": _INT,
    "per_payment": st.integers(0, 10_000),
}
_CHANGE = _INT | st.just(account.Reset())
_BALANCE = _made(
    account.UpdateMeterBalance,
    balance=_made(account.PrepaymentBalance, change=_CHANGE)
    | _made(account.CreditBalance, change=_CHANGE),
)
_MODE = _made(
    UpdatePaymentMode,
    mode=st.just(Credit()) | _made(Prepayment, disablement_threshold_millipence=_INT),
    execution_time=_WHEN,
)
_CLOCK = {"now": _MOMENT, "tolerance_s": st.integers(0, 86_400)}
_CONTROLLER = st.integers(1, 5)
_INWARD = st.none() | st.just(load.Input())
_LEVEL = st.tuples(_CONTROLLER, _MOMENT, st.integers(1, 10**6), st.integers(0, 100), _INWARD).map(
    lambda said: load.ControllerLevel(
        controller=said[0],
        begin=UtcMs(said[1]),
        end=UtcMs(said[1] + said[2] * 1000),
        level=said[3],
        inward=said[4],
    )
)
_TIMED = _made(load.TimedLoad, index=_CONTROLLER, duration_min=st.integers(0, 2**16 - 1))
_CONTROLLER_ROW = _made(
    load.Row,
    action=_made(load.Action, controller=_CONTROLLER, level=st.integers(0, 100), inward=_INWARD),
    special_days=st.just(()),
    weekdays=st.none() | _WEEKDAYS,
    span=_made(load.Span, at=_TIME, begin=_DATE, end=_DATE),
)
_DESCRIPTIONS = _indexed(
    load.Description, 5, "name", st.text("abc XYZ-09", min_size=1, max_size=22).filter(str.strip)
)
_BILLING_PERIOD = (
    st.just(calendar.Daily())
    | _made(calendar.Weekly, day=st.integers(1, 7))
    | _made(calendar.Monthly, day=st.integers(1, 28))
    | _made(calendar.Quarterly, day=st.integers(1, 28), month=st.integers(1, 12))
    | _made(calendar.HalfYearly, day=st.integers(1, 28), month=st.integers(1, 12))
    | _made(calendar.Yearly, day=st.integers(1, 28), month=st.integers(1, 12))
)
_E, _G = DeviceType.ESME, DeviceType.GSME
#: Service and device type -> bodies.
BODIES: Mapping[tuple[str, DeviceType], st.SearchStrategy[Any]] = {
    ("1.1.1", _E): _made(
        tariff.UpdateTariff,
        execution_time=_WHEN,
        tariff=_made(
            tariff.ElectricityTariff,
            currency=_CURRENCY,
            table=_made(calendar.SwitchingTable, days=_DAYS, weeks=_WEEKS, seasons=_SEASONS),
            special_days=_SPECIAL,
            thresholds=_THRESHOLDS,
        ),
        prices=_PRICES,
    ),
    ("1.1.1", _G): _made(
        tariff.UpdateTariff, execution_time=_WHEN, tariff=_GAS_TARIFF, prices=_GAS_PRICES
    ),
    ("1.1.2", _E): _made(
        tariff.UpdateSecondTariff,
        execution_time=_WHEN,
        table=_made(
            calendar.SecondSwitchingTable, days=_SECOND_DAYS, weeks=_WEEKS, seasons=_SEASONS
        ),
        special_days=_SPECIAL,
        prices=_SECOND_PRICES,
    ),
    ("1.2.1", _E): _made(tariff.UpdatePrices, execution_time=_WHEN, prices=_PRICES),
    ("1.2.1", _G): _made(tariff.UpdatePrices, execution_time=_WHEN, prices=_GAS_PRICES),
    ("1.2.2", _E): _made(tariff.UpdateSecondPrices, execution_time=_WHEN, prices=_SECOND_PRICES),
    ("1.5", _E): _BALANCE,
    ("1.5", _G): _BALANCE,
    ("1.6", _E): _MODE,
    ("1.6", _G): _MODE,
    ("1.7", _E): st.just(account.ResetBlockCounters()),
    ("2.1", _E): _made(account.UpdatePrepayment, execution_time=_WHEN, settings=_SETTINGS),
    ("2.1", _G): _made(account.UpdatePrepayment, execution_time=_WHEN, settings=_GAS_SETTINGS),
    ("2.3", _E): _made(
        account.UpdateDebt,
        **_DEBTS,
        electricity_1=_ELECTRICITY_DEBT,
        electricity_2=_ELECTRICITY_DEBT,
        gas_1=st.none(),
        gas_2=st.none(),
    ),
    ("2.3", _G): _made(
        account.UpdateDebt,
        **_DEBTS,
        gas_1=_GAS_DEBT,
        gas_2=_GAS_DEBT,
        electricity_1=st.none(),
        electricity_2=st.none(),
    ),
    ("2.5", _E): st.just(ActivateEmergencyCredit()),
    ("2.5", _G): st.just(ActivateEmergencyCredit()),
    ("6.4.1", _E): _made(
        other.SetLoadLimit,
        execution_time=_WHEN,
        period_s=_U32,
        threshold_w=_U32,
        restoration_s=_U32,
        supply=st.sampled_from(["Disable", "Unchanged"]),
    ),
    ("6.6", _G): _made(other.SetConversion, calorific=_U32, conversion=_U32),
    ("6.7", _G): _made(
        other.SetGasFlow,
        flow=_made(other.WholeFlow, rate=st.integers(0, 2**16 - 1))
        | _made(other.DecimalFlow, rate=st.integers(0, 2**16 - 1)),
        depletion=_LOCKED,
        tamper=_LOCKED,
        stabilisation=st.integers(1, 255),
        measurement_s=st.integers(1, 65_535),
    ),
    ("6.8", _E): _made(
        calendar.SetBillingCalendar,
        calendar=_made(calendar.ElectricityBilling, at=_TIME, period=_BILLING_PERIOD),
    ),
    ("6.8", _G): _made(
        calendar.SetBillingCalendar,
        calendar=_made(
            calendar.GasBilling, start=_MOMENT, period=st.sampled_from(calendar.PERIODS)
        ),
    ),
    ("6.11", _E): _made(SynchroniseClock, **_CLOCK),
    ("6.11", _G): _made(SynchroniseClock, **_CLOCK),
    ("6.14.1", _E): _made(load.SetDescriptions, descriptions=_DESCRIPTIONS),
    ("6.14.3", _E): _made(
        load.SetControllerCalendar,
        execution_time=_WHEN,
        rows=_some(_CONTROLLER_ROW, 120, 0),
        special_days=_made(
            load.SpecialDays,
            days=st.lists(_made(dict, **_DATE_FIELDS), max_size=3).map(
                lambda dates: tuple(
                    load.SpecialDay(number=n, **said) for n, said in enumerate(dates, 1)
                )
            ),
        ),
    ),
    ("6.17", _E): _made(
        other.IssueCredentials, credential=st.sampled_from(["Digital Signature", "Key Agreement"])
    ),
    ("6.24.2", _E): _made(
        other.ReadDeviceCertificate,
        credential=st.sampled_from(["Digital Signature", "Key Agreement"]),
    ),
    ("6.25", _E): _made(other.SetTamperState, state=_LOCKED),
    ("6.26", _E): _made(other.SetDailyReset, daily=st.booleans()),
    ("7.1", _E): st.just(EnableSupply()),
    ("7.2", _E): st.just(DisableSupply()),
    ("7.2", _G): st.just(DisableSupply()),
    ("7.3", _E): st.just(ArmSupply()),
    ("7.3", _G): st.just(ArmSupply()),
    ("7.5", _E): _made(load.ActivateLoad, load=_TIMED),
    ("7.6", _E): _made(load.DeactivateLoad, load=_TIMED),
    ("7.8", _E): _made(load.ResetLoad, load=_made(load.NamedLoad, index=_CONTROLLER)),
    ("7.12", _E): _made(load.SetOffsetLimit, limit_s=st.integers(0, 1799)),
    ("7.13", _E): _LEVEL,
    ("7.16", _E): _LEVEL,
    ("8.1.1", _E): _made(CommissionDevice, **_CLOCK),
    ("8.1.1", _G): _made(CommissionDevice, **_CLOCK),
}
