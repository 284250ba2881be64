"""Bodies about balances, debts and prepayment: 1.5, 1.7, 2.1, 2.3."""

from dataclasses import dataclass
from typing import Annotated

from emulator.core.clock import UtcMs
from harness.formats.duis import kinds
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.transforms.calendar_bodies import GasSeasons, GasSpecialDays
from harness.formats.duis.transforms.declared import (
    INT,
    SCALE,
    SHORT,
    UNSIGNED_INT,
    UNSIGNED_SHORT,
    Body,
    element,
    mark,
    one_of,
    text,
)
from harness.formats.duis.transforms.load_bodies import Weekdays
from harness.formats.duis.transforms.partial_dates import TIME, PartialDate

_PERIOD = kinds.one_of("DebtRecoveryRatePeriod", frozenset({"HOURLY", "DAILY"}))
_SCRIPT = kinds.one_of("NonDisablementScript", frozenset({"START", "STOP"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Body):
    """The wish to set a balance to zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepaymentBalance(Body):
    """The balance of prepayment mode; a number is added to it, thousandths of a penny."""

    change: Annotated[
        int | Reset, one_of(("AdjustMeterBalance", INT), ("ResetMeterBalance", Reset))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditBalance(Body):
    """The balance of credit mode; fields as of `PrepaymentBalance`."""

    change: Annotated[
        int | Reset, one_of(("AdjustMeterBalance", INT), ("ResetMeterBalance", Reset))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMeterBalance(Body):
    """1.5."""

    balance: Annotated[
        PrepaymentBalance | CreditBalance,
        one_of(("PrepaymentMode", PrepaymentBalance), ("CreditMode", CreditBalance)),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetBlockCounters(Body):
    """1.7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricityRecovery(Body):
    """How a debt of an ESME is recovered: rate times ten to the scale, in pounds."""

    rate: Annotated[int, element("DebtRecoveryRate", SHORT)]
    scale: Annotated[int, element("DebtRecoveryRatePriceScale", SCALE)]
    period: Annotated[str, element("DebtRecoveryRatePeriod", _PERIOD)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasRecovery(Body):
    """How a debt of a GSME is recovered: thousandths of a penny each period."""

    rate: Annotated[int, element("DebtRecoveryRate", INT)]
    period: Annotated[str, element("DebtRecoveryRatePeriod", _PERIOD)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDebt(Body):
    """2.3: add to debts, and say how they are recovered."""

    time_debt_1: Annotated[int, element("TimeDebtRegister1", INT)]
    time_debt_2: Annotated[int, element("TimeDebtRegister2", INT)]
    payment_debt: Annotated[int, element("PaymentDebtRegister", INT)]
    per_payment: Annotated[int, element("DebtRecoveryPerPayment", kinds.whole_number(0, 10_000))]
    electricity_1: Annotated[
        ElectricityRecovery | None, element("ElecDebtRecovery1", ElectricityRecovery, optional=True)
    ] = None
    electricity_2: Annotated[
        ElectricityRecovery | None, element("ElecDebtRecovery2", ElectricityRecovery, optional=True)
    ] = None
    gas_1: Annotated[
        GasRecovery | None, element("GasDebtRecovery1", GasRecovery, optional=True)
    ] = None
    gas_2: Annotated[
        GasRecovery | None, element("GasDebtRecovery2", GasRecovery, optional=True)
    ] = None

    def check(self) -> None:
        """Check that both recoveries of one fuel are there, and none of the other."""
        there = tuple(
            one is not None
            for one in (self.electricity_1, self.electricity_2, self.gas_1, self.gas_2)
        )
        if there not in {(True, True, False, False), (False, False, True, True)}:
            why = "both recoveries of electricity are due, or both of gas"
            raise DuisError(DuisFault.MISSING_ELEMENT, why)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDayId(Body):
    """A special day by its number."""

    number: Annotated[int, element("SpecialDayID", kinds.whole_number(1, 20))]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDayIds(Body):
    """Special days on which a row counts."""

    days: Annotated[
        tuple[SpecialDayId, ...], element("SpecialDayApplicability", SpecialDayId, least=0, most=20)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedDay(Body):
    """A special day of the non-disablement calendar."""

    index: Annotated[int, mark("index", kinds.whole_number(1, 20))]
    date: Annotated[PartialDate, element("Date", PartialDate)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedDays(Body):
    """Special days of the non-disablement calendar."""

    days: Annotated[
        tuple[NumberedDay, ...], element("SpecialDay", NumberedDay, least=0, most=20)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeSpan(Body):
    """A time of day, between two dates."""

    at: Annotated[str, element("SwitchTime", TIME)]
    begin: Annotated[str, element("StartDate", kinds.DATE)]
    end: Annotated[str, element("EndDate", kinds.DATE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NonDisablementRow(Body):
    """One row of the non-disablement calendar."""

    script: Annotated[str, element("NonDisablementScript", _SCRIPT)]
    special_days: Annotated[SpecialDayIds, element("SpecialDaysApplicability", SpecialDayIds)]
    weekdays: Annotated[Weekdays, element("DaysOfWeekApplicability", Weekdays)]
    span: Annotated[WholeSpan, element("ScheduleDatesAndTime", WholeSpan)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NonDisablement(Body):
    """When an ESME does not end supply."""

    special_days: Annotated[NumberedDays, element("ElectricitySpecialDays", NumberedDays)]
    rows: Annotated[
        tuple[NonDisablementRow, ...],
        element("ElectricityNonDisablementSchedule", NonDisablementRow, most=22),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricitySettings(Body):
    """Prepayment settings of an ESME, thousandths of a penny."""

    recovery_cap: Annotated[int, element("DebtRecoveryRateCap", UNSIGNED_SHORT)]
    emergency_limit: Annotated[int, element("EmergencyCreditLimit", INT)]
    emergency_threshold: Annotated[int, element("EmergencyCreditThreshold", INT)]
    low_threshold: Annotated[int, element("LowCreditThreshold", INT)]
    calendar: Annotated[
        NonDisablement, element("ElectricityNonDisablementCalendar", NonDisablement)
    ]
    most_balance: Annotated[int, element("MaxMeterBalance", INT)]
    most_credit: Annotated[int, element("MaxCreditThreshold", INT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasSwitch(Body):
    """When non-disablement begins or ends on a day."""

    at: Annotated[str, element("StartTime", TIME)]
    action: Annotated[str, element("NonDisablementAction", _SCRIPT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasDayOfFive(Body):
    """One day of the non-disablement calendar of a GSME."""

    switches: Annotated[tuple[GasSwitch, ...], element("TimeStartAction", GasSwitch, most=3)]
    day: Annotated[int, element("GasDayName", kinds.whole_number(1, 5))]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasDaysOfFive(Body):
    """Days of the non-disablement calendar of a GSME."""

    days: Annotated[
        tuple[GasDayOfFive, ...], element("GasNonDisablementDayProfile", GasDayOfFive, most=5)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasWeekdayOfFive(Body):
    """The profile of one day of the week."""

    index: Annotated[int, mark("index", kinds.whole_number(1, 7))]
    day: Annotated[int, text(kinds.whole_number(1, 5))]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasWeekOfFive(Body):
    """One week of the non-disablement calendar of a GSME."""

    name: Annotated[int, element("WeekName", kinds.whole_number(1, 2))]
    days: Annotated[
        tuple[GasWeekdayOfFive, ...],
        element("ReferencedDayName", GasWeekdayOfFive, least=7, most=7),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasWeeksOfFive(Body):
    """Weeks of the non-disablement calendar of a GSME."""

    weeks: Annotated[tuple[GasWeekOfFive, ...], element("WeekProfile", GasWeekOfFive, most=2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasNonDisablement(Body):
    """When a GSME does not end supply."""

    days: Annotated[GasDaysOfFive, element("DayProfiles", GasDaysOfFive)]
    weeks: Annotated[GasWeeksOfFive, element("WeekProfiles", GasWeeksOfFive)]
    seasons: Annotated[GasSeasons, element("SeasonProfiles", GasSeasons)]
    special_days: Annotated[GasSpecialDays, element("SpecialDays", GasSpecialDays)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasSettings(Body):
    """Prepayment settings of a GSME, thousandths of a penny."""

    recovery_cap: Annotated[int, element("DebtRecoveryRateCap", INT)]
    emergency_limit: Annotated[int, element("EmergencyCreditLimit", UNSIGNED_INT)]
    emergency_threshold: Annotated[int, element("EmergencyCreditThreshold", UNSIGNED_INT)]
    low_threshold: Annotated[int, element("LowCreditThreshold", UNSIGNED_INT)]
    calendar: Annotated[GasNonDisablement, element("GasNonDisablementCalendar", GasNonDisablement)]
    most_balance: Annotated[int, element("MaxMeterBalance", UNSIGNED_INT)]
    most_credit: Annotated[int, element("MaxCreditThreshold", UNSIGNED_INT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePrepayment(Body):
    """2.1."""

    execution_time: Annotated[
        UtcMs | None, element("ExecutionDateTime", kinds.DATE_TIME, optional=True)
    ] = None
    settings: Annotated[
        ElectricitySettings | GasSettings,
        one_of(
            ("UpdatePrepayConfigElectricity", ElectricitySettings),
            ("UpdatePrepayConfigGas", GasSettings),
        ),
    ]
