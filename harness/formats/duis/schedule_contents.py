"""What responses say of DSP schedules.

Source:
    Shapes: DUIS 5.4 XSD.
"""

from dataclasses import dataclass
from typing import Final

from harness.formats.duis import kinds
from harness.formats.duis.dcc_bodies import SCHEDULE, SCHEDULE_ID, CreateSchedule
from harness.formats.duis.kinds import Simple
from harness.formats.duis.shape import Field, Shape


@dataclass(frozen=True, slots=True)
class ScheduleCreated:
    """The answer to 5.1.

    Attributes:
        schedule: Number of the schedule.
    """

    schedule: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule as 5.2 shows it.

    Attributes:
        schedule: Its number.
        details: What was asked for.
    """

    schedule: int
    details: CreateSchedule


@dataclass(frozen=True, slots=True)
class Schedules:
    """The answer to 5.2.

    Attributes:
        schedules: One to 99 of them.
    """

    schedules: tuple[Schedule, ...]


@dataclass(frozen=True, slots=True)
class ScheduledMessage:
    """A device's answer to what a schedule asked.

    Attributes:
        gbcs_payload: The whole GBCS message.
        schedule: Number of the schedule.
    """

    gbcs_payload: bytes
    schedule: int


_SCHEDULE_CREATED: Final = kinds.Simple(
    "DSPScheduleID",
    lambda value: ScheduleCreated(SCHEDULE_ID.read(value)),
    lambda value: SCHEDULE_ID.write(value.schedule),
)
_ONE_SCHEDULE: Final = Shape(
    Schedule,
    (
        Field("DSPScheduleID", "schedule", SCHEDULE_ID),
        Field("DSPScheduleDetails", "details", SCHEDULE),
    ),
)
#: Element, content and type of each.
ROWS: Final[tuple[tuple[str, Simple | Shape, type], ...]] = (
    ("DSPScheduleID", _SCHEDULE_CREATED, ScheduleCreated),
    (
        "DSPSchedulesRead",
        Shape(Schedules, (Field("DSPSchedules", "schedules", _ONE_SCHEDULE, most=99),)),
        Schedules,
    ),
    (
        "DSPScheduledMessage",
        Shape(
            ScheduledMessage,
            (
                Field("GBCSPayload", "gbcs_payload", kinds.BASE64),
                Field("DSPScheduleID", "schedule", SCHEDULE_ID),
            ),
        ),
        ScheduledMessage,
    ),
)
