"""Calendars of tariffs and billing, as DUIS spells them: days, weeks, seasons, special days."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from emulator.core.clock import UtcMs
from harness.formats.duis import kinds
from harness.formats.duis.transforms.declared import Body, element, mark, one_of, text
from harness.formats.duis.transforms.partial_dates import TIME, GasDate, PartialDate, Unsaid

_DAY: Final = kinds.whole_number(1, 16)
_WEEK: Final = kinds.whole_number(1, 4)
_GAS_DAY: Final = kinds.whole_number(1, 5)
_GAS_WEEK: Final = kinds.whole_number(1, 2)
_WEEKDAY: Final = kinds.whole_number(1, 7)
_SEASON: Final = kinds.text("SeasonName", 0, 8)
_OF_MONTH: Final = kinds.whole_number(1, 28)

# -- electricity ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Tou(Body):
    """A price tier by time of use."""

    number: Annotated[int, text(kinds.whole_number(1, 48))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Body):
    """A set of block prices."""

    number: Annotated[int, text(kinds.whole_number(1, 8))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Body):
    """From when on a price counts on a day."""

    at: Annotated[str, element("StartTime", TIME)]
    action: Annotated[Tou | Block, one_of(("TOUTariffAction", Tou), ("BlockTariffAction", Block))]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayProfile(Body):
    """One day."""

    name: Annotated[int, element("DayName", _DAY)]
    switches: Annotated[tuple[Switch, ...], element("ProfileSchedule", Switch, most=48)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayProfiles(Body):
    """The days of a switching table."""

    days: Annotated[tuple[DayProfile, ...], element("DayProfile", DayProfile, most=16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondSwitch(Body):
    """From when on a price of the second element counts on a day."""

    at: Annotated[str, element("StartTime", TIME)]
    tou: Annotated[int, element("TOUTariffAction", kinds.whole_number(1, 4))]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondDayProfile(Body):
    """One day of the second element."""

    name: Annotated[int, element("DayName", _DAY)]
    switches: Annotated[tuple[SecondSwitch, ...], element("ProfileSchedule", SecondSwitch, most=48)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondDayProfiles(Body):
    """The days of the second element's switching table."""

    days: Annotated[tuple[SecondDayProfile, ...], element("DayProfile", SecondDayProfile, most=16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekDay(Body):
    """The profile of one day of the week; 1 is Monday."""

    index: Annotated[int, mark("index", _WEEKDAY)]
    day: Annotated[int, text(_DAY)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekProfile(Body):
    """One week."""

    name: Annotated[int, element("WeekName", _WEEK)]
    days: Annotated[tuple[WeekDay, ...], element("ReferencedDayName", WeekDay, least=7, most=7)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekProfiles(Body):
    """The weeks of a switching table."""

    weeks: Annotated[tuple[WeekProfile, ...], element("WeekProfile", WeekProfile, most=4)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Season(Body):
    """One season."""

    name: Annotated[str, element("SeasonName", _SEASON)]
    start: Annotated[PartialDate, element("SeasonStartDate", PartialDate)]
    week: Annotated[int, element("ReferencedWeekName", _WEEK)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seasons(Body):
    """The seasons of a switching table."""

    seasons: Annotated[tuple[Season, ...], element("Season", Season, most=4)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchingTable(Body):
    """When which price counts."""

    days: Annotated[DayProfiles, element("DayProfiles", DayProfiles)]
    weeks: Annotated[WeekProfiles, element("WeekProfiles", WeekProfiles)]
    seasons: Annotated[Seasons, element("Seasons", Seasons)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondSwitchingTable(Body):
    """When which price of the second element counts."""

    days: Annotated[SecondDayProfiles, element("DayProfiles", SecondDayProfiles)]
    weeks: Annotated[WeekProfiles, element("WeekProfiles", WeekProfiles)]
    seasons: Annotated[Seasons, element("Seasons", Seasons)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay(Body):
    """A day with a profile of its own."""

    date: Annotated[PartialDate, element("Date", PartialDate)]
    day: Annotated[int, element("ReferencedDayName", _DAY)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDays(Body):
    """Days with profiles of their own."""

    days: Annotated[
        tuple[SpecialDay, ...], element("SpecialDay", SpecialDay, least=0, most=50)
    ] = ()


# -- gas -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GasDayProfile(Body):
    """One day: a tier by time of use, or block prices."""

    name: Annotated[int, element("DayName", kinds.whole_number(1, 4))]
    action: Annotated[
        int | Unsaid, one_of(("TOUTariffAction", kinds.whole_number(1, 4)), ("BlockTariff", Unsaid))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasDayProfiles(Body):
    """The days of a gas switching table."""

    days: Annotated[tuple[GasDayProfile, ...], element("DayProfile", GasDayProfile, most=4)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasWeekDay(Body):
    """The profile of one day of the week; 1 is Monday."""

    index: Annotated[int, mark("index", _WEEKDAY)]
    day: Annotated[int, text(kinds.whole_number(1, 4))]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasWeekProfile(Body):
    """One week."""

    name: Annotated[int, element("WeekName", _GAS_WEEK)]
    days: Annotated[
        tuple[GasWeekDay, ...], element("ReferencedDayName", GasWeekDay, least=7, most=7)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasWeekProfiles(Body):
    """The weeks of a gas switching table."""

    weeks: Annotated[tuple[GasWeekProfile, ...], element("WeekProfile", GasWeekProfile, most=2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasSeason(Body):
    """One season."""

    start: Annotated[GasDate, element("SeasonStartDate", GasDate)]
    week: Annotated[int, element("ReferencedWeekName", _GAS_WEEK)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasSeasons(Body):
    """The seasons of a gas calendar."""

    seasons: Annotated[tuple[GasSeason, ...], element("Season", GasSeason, most=3)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasSpecialDay(Body):
    """A day with a profile of its own."""

    date: Annotated[GasDate, element("Date", GasDate)]
    day: Annotated[int, element("ReferencedDayName", _GAS_DAY)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasSpecialDays(Body):
    """Days with profiles of their own."""

    days: Annotated[
        tuple[GasSpecialDay, ...], element("SpecialDay", GasSpecialDay, least=0, most=20)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GasSwitchingTable(Body):
    """When which price of gas counts."""

    days: Annotated[GasDayProfiles, element("DayProfiles", GasDayProfiles)]
    weeks: Annotated[GasWeekProfiles, element("WeekProfiles", GasWeekProfiles)]
    seasons: Annotated[GasSeasons, element("Seasons", GasSeasons)]


# -- billing -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily(Body):
    """Every day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly(Body):
    """A day of each week; 1 is Monday."""

    day: Annotated[int, text(_WEEKDAY)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly(Body):
    """A day of each month."""

    day: Annotated[int, text(_OF_MONTH)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Months(Body):
    """A day, and the month in which the first period of a year begins."""

    day: Annotated[int, element("DayOfMonth", _OF_MONTH)]
    month: Annotated[int, element("BillingPeriodStartMonth", kinds.whole_number(1, 12))]

    #: How many months a period has.
    STEP: ClassVar[int] = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarterly(Months):
    """Four days of a year."""

    STEP: ClassVar[int] = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfYearly(Months):
    """Two days of a year."""

    STEP: ClassVar[int] = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Yearly(Months):
    """One day of a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricityBilling(Body):
    """When an ESME writes its billing data log."""

    at: Annotated[str, element("BillingTime", TIME)]
    period: Annotated[
        Daily | Weekly | Monthly | Quarterly | HalfYearly | Yearly,
        one_of(
            ("Daily", Daily),
            ("Weekly", Weekly),
            ("Monthly", Monthly),
            ("Quarterly", Quarterly),
            ("SixMonthly", HalfYearly),
            ("Yearly", Yearly),
        ),
    ]


#: Words of a gas billing period.
PERIODS: Final = ("Daily", "Weekly", "Monthly", "Quarterly", "SixMonthly", "Yearly")


@dataclass(frozen=True, slots=True, kw_only=True)
class GasBilling(Body):
    """When a GSME writes its billing data log."""

    start: Annotated[UtcMs, element("BillingPeriodStart", kinds.DATE_TIME)]
    period: Annotated[str, element("Periodicity", kinds.one_of("Periodicity", frozenset(PERIODS)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBillingCalendar(Body):
    """6.8."""

    calendar: Annotated[
        ElectricityBilling | GasBilling,
        one_of(
            ("ElectricityBillingCalendar", ElectricityBilling), ("GasBillingCalendar", GasBilling)
        ),
    ]
