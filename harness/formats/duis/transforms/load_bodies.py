"""Bodies about auxiliary loads and controllers: 6.14, 7.5 to 7.16."""

from dataclasses import dataclass
from typing import Annotated, Final

from emulator.core.clock import UtcMs
from harness.formats.duis import kinds
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.transforms.declared import UNSIGNED_SHORT, Body, element, mark
from harness.formats.duis.transforms.partial_dates import TIME, PartialDate, Weekday

_CONTROLLER: Final = kinds.whole_number(1, 5)
_LEVEL: Final = kinds.whole_number(0, 100)
_SPECIAL: Final = kinds.whole_number(1, 20)
#: Source: DUIS 5.4 XSD, ALCSHCALCSDescription.
_DESCRIPTION: Final = kinds.text("SwitchDescription", 1, 22)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input(Body):
    """The mark that a level is of what flows in from a controlled load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLoad(Body):
    """A load, and for how many minutes it is switched."""

    index: Annotated[int, mark("index", _CONTROLLER)]
    duration_min: Annotated[int, element("Duration", UNSIGNED_SHORT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLoad(Body):
    """A load by its index."""

    index: Annotated[int, mark("index", _CONTROLLER)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateLoad(Body):
    """7.5."""

    load: Annotated[TimedLoad, element("ActivateALCSHCALCS", TimedLoad)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeactivateLoad(Body):
    """7.6."""

    load: Annotated[TimedLoad, element("DeactivateALCSHCALCS", TimedLoad)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetLoad(Body):
    """7.8."""

    load: Annotated[NamedLoad, element("ResetALCSHCALCS", NamedLoad)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOffsetLimit(Body):
    """7.12: the most by which randomised switching is late, seconds."""

    limit_s: Annotated[int, element("RandomisedOffsetLimit", kinds.whole_number(0, 1799))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerLevel(Body):
    """7.13 and 7.16: a level for a span of time; 7.13 sets it, 7.16 limits it."""

    controller: Annotated[int, mark("auxiliaryControllerN", _CONTROLLER)]
    begin: Annotated[UtcMs, element("StartDateTime", kinds.DATE_TIME)]
    end: Annotated[UtcMs, element("EndDateTime", kinds.DATE_TIME)]
    level: Annotated[int, element("CommandedStateLevel", _LEVEL)]
    inward: Annotated[Input | None, element("InputFromControlledLoad", Input, optional=True)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description(Body):
    """The name of a controller."""

    index: Annotated[int, mark("index", _CONTROLLER)]
    name: Annotated[str, element("SwitchDescription", _DESCRIPTION)]

    def check(self) -> None:
        """Check that the name is printable ASCII."""
        if not (self.name.isascii() and self.name.isprintable()):
            raise DuisError(DuisFault.BAD_LENGTH, "a description is of printable ASCII")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDescriptions(Body):
    """6.14.1: names of controllers."""

    descriptions: Annotated[
        tuple[Description, ...], element("ALCSHCALCSDescription", Description, most=5)
    ]

    def check(self) -> None:
        """Check that no controller stands twice."""
        if len({one.index for one in self.descriptions}) != len(self.descriptions):
            raise DuisError(DuisFault.BAD_NUMBER, "a controller stands twice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Body):
    """What a calendar has a controller do."""

    controller: Annotated[int, mark("auxiliaryControllerN", _CONTROLLER)]
    level: Annotated[int, element("CommandedStateLevel", _LEVEL)]
    inward: Annotated[Input | None, element("InputFromControlledLoad", Input, optional=True)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDayNumber(Body):
    """A special day by its number."""

    number: Annotated[int, mark("identifier", _SPECIAL)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekdays(Body):
    """Days of the week."""

    days: Annotated[
        tuple[Weekday, ...], element("DayOfWeekApplicability", Weekday, least=0, most=7)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(Body):
    """A time of day, between two dates."""

    at: Annotated[str, element("SwitchTime", TIME)]
    begin: Annotated[PartialDate, element("StartDate", PartialDate)]
    end: Annotated[PartialDate, element("EndDate", PartialDate)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Body):
    """One row of a controller calendar."""

    action: Annotated[Action, element("AuxiliaryControllerAction", Action)]
    special_days: Annotated[
        tuple[SpecialDayNumber, ...],
        element("SpecialDaysApplicability", SpecialDayNumber, least=0, most=20),
    ] = ()
    weekdays: Annotated[
        Weekdays | None, element("DaysOfWeekApplicability", Weekdays, optional=True)
    ] = None
    span: Annotated[Span, element("AuxiliaryControllerSchedulePeriodAndTime", Span)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay(PartialDate):
    """A special day of a controller calendar."""

    number: Annotated[int, mark("identifier", _SPECIAL)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDays(Body):
    """Special days of a controller calendar."""

    days: Annotated[
        tuple[SpecialDay, ...],
        element("AuxiliaryControllerSpecialDayDefinition", SpecialDay, least=0, most=20),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetControllerCalendar(Body):
    """6.14.3: the calendar of the auxiliary controllers."""

    execution_time: Annotated[
        UtcMs | None, element("ExecutionDateTime", kinds.DATE_TIME, optional=True)
    ] = None
    rows: Annotated[
        tuple[Row, ...], element("AuxiliaryControllerSchedule", Row, least=0, most=120)
    ] = ()
    special_days: Annotated[
        SpecialDays, element("AuxiliaryControllerSpecialDayDefinitions", SpecialDays)
    ]
