"""Bodies of requests that the DCC answers by itself, and of those that are only passed by.

Source:
    Shapes: DUIS 5.4 XSD; checked by reading the sample requests at hand.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from lxml import etree

from device_profiles.duis_services import DuisService
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis import kinds
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.kinds import Simple
from harness.formats.duis.shape import Choice, Field, Shape, canonical, line_of, local, tag

MOST_SCHEDULE_ID: Final = 10**12
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.0+)?Z?")


class Frequency(enum.StrEnum):
    """How often a DSP schedule has its command sent."""

    DAILY = "Daily"
    WEEKLY = "Weekly"
    MONTHLY = "Monthly"
    QUARTERLY = "Quarterly"
    HALF_YEARLY = "Half-Yearly"
    YEARLY = "Yearly"


@dataclass(frozen=True, slots=True)
class DecommissionDevice:
    """8.3: a device is no longer part of its installation.

    Attributes:
        device: The device.
    """

    device: Eui64


@dataclass(frozen=True, slots=True)
class ScheduleIdentity:
    """A DSP schedule by its number.

    Attributes:
        schedule: The number.
    """

    schedule: int


@dataclass(frozen=True, slots=True)
class SchedulesOf:
    """All DSP schedules of a device.

    Attributes:
        device: The device.
    """

    device: Eui64


@dataclass(frozen=True, slots=True)
class ReadSchedule:
    """5.2: read one schedule, or those of a device.

    Attributes:
        which: Which.
    """

    which: ScheduleIdentity | SchedulesOf


@dataclass(frozen=True, slots=True)
class DeleteSchedule:
    """5.3: delete one schedule, or those of a device.

    Attributes:
        which: Which.
    """

    which: ScheduleIdentity | SchedulesOf


@dataclass(frozen=True, slots=True)
class ScheduledRead:
    """What a schedule asks for: the values as they are then.

    Attributes:
        element: Name of its element, one of ``SCHEDULED``.
    """

    element: str


@dataclass(frozen=True, slots=True)
class ScheduledLog:
    """The same of a log: a part of it, told by days before the one on which the schedule runs.

    Attributes:
        element: Name of its element, one of ``SCHEDULED``.
        first_day: Day on which the part begins, 0 or less.
        first_time: Time of that day, seconds UTC.
        last_day: Day on which it ends, 0 or less.
        last_time: Time of that day, seconds UTC.
    """

    element: str
    first_day: int
    first_time: int
    last_day: int
    last_time: int


@dataclass(frozen=True, slots=True)
class CreateSchedule:
    """5.1: have the DSP ask a device again and again.

    Attributes:
        frequency: How often.
        start: First day.
        service: Service reference of what is asked.
        variant: Its service reference variant.
        device: The device.
        command: What is asked.
        end: Last day, or None.
        time: Time of day in seconds UTC, or None for midnight.
        key_agreement: Certificate of a user that the device does not know, DER, or None.
    """

    frequency: Frequency
    start: date
    service: str
    variant: str
    device: Eui64
    command: ScheduledRead | ScheduledLog
    end: date | None = None
    time: int | None = None
    key_agreement: bytes | None = None


@dataclass(frozen=True, slots=True)
class OtherBody:
    """A body that is not read here: the DSP knows the service, and may know its command.

    Attributes:
        service: Service reference variant.
        element: Name of its element.
        octets: The element, canonical XML.
        execution_time: When the DSP is to send it; None for now.
    """

    service: str
    element: str
    octets: bytes
    execution_time: UtcMs | None = None


DccBody = DecommissionDevice | CreateSchedule | ReadSchedule | DeleteSchedule


def _read_time(text: str) -> int:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise DuisError(DuisFault.BAD_DATE_TIME, f"{text[:40]!r} is no time of day")
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _write_time(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}Z"


SCHEDULE_ID: Final = kinds.whole_number(0, MOST_SCHEDULE_ID)
_DAY: Final = Simple(
    "date", lambda text: date.fromisoformat(kinds.DATE.read(text)), lambda day: day.isoformat()
)
_WHICH: Final = Choice(
    (
        (
            "DSPScheduleID",
            Simple(
                "DSPScheduleID",
                lambda text: ScheduleIdentity(SCHEDULE_ID.read(text)),
                lambda one: SCHEDULE_ID.write(one.schedule),
            ),
            ScheduleIdentity,
        ),
        (
            "DeviceID",
            Simple(
                "DeviceID",
                lambda text: SchedulesOf(kinds.EUI.read(text)),
                lambda one: kinds.EUI.write(one.device),
            ),
            SchedulesOf,
        ),
    )
)
#: Elements of a schedule's command with their service variants, and whether they read a log.
SCHEDULED: Final[Mapping[str, tuple[str, bool]]] = {
    "DSPRetrieveImportDailyReadLog": ("4.6.1", True),
    "DSPRetrieveExportDailyReadLog": ("4.6.2", True),
    "DSPReadActiveImportProfileData": ("4.8.1", True),
    "DSPReadReactiveImportProfileData": ("4.8.2", True),
    "DSPReadExportProfileData": ("4.8.3", True),
    "DSPReadNetworkData": ("4.10", True),
    "DSPReadMaximumDemandImportRegisters": ("4.12.1", False),
    "DSPReadMaximumDemandExportRegisters": ("4.12.2", False),
    "DSPReadPrepaymentDailyReadLog": ("4.14", True),
    "DSPReadLoadLimitData": ("4.15", False),
    "DSPReadActivePowerImport": ("4.16", False),
    "DSPRetrieveDailyConsumptionLog": ("4.17", True),
    "DSPReadInstantaneousExportRegisters": ("4.2", False),
}
_OFFSET_DAYS: Final = kinds.whole_number(-(10**4), 0)
_TIME_OF_DAY: Final = Simple("time", _read_time, _write_time)
_PERIOD: Final = (
    Field("StartDateOffset", "first_day", _OFFSET_DAYS),
    Field("StartTime", "first_time", _TIME_OF_DAY),
    Field("EndDateOffset", "last_day", _OFFSET_DAYS),
    Field("EndTime", "last_time", _TIME_OF_DAY),
)
_COMMAND: Final = Choice(
    tuple(
        (name, Shape(partial(ScheduledLog, name), _PERIOD), ScheduledLog)
        if is_log
        else (name, Shape(partial(ScheduledRead, name)), ScheduledRead)
        for name, (_variant, is_log) in SCHEDULED.items()
    ),
    named="element",
)
_SERVICE: Final = kinds.text("DSPScheduledServiceReference", 1, 10)
SCHEDULE: Final = Shape(
    CreateSchedule,
    (
        Field("ScheduleFrequency", "frequency", kinds.words(Frequency)),
        Field("ScheduleStartDate", "start", _DAY),
        Field("ScheduleEndDate", "end", _DAY, optional=True),
        Field("ScheduleExecutionStartTime", "time", _TIME_OF_DAY, optional=True),
        Field("KAPublicSecurityCredential", "key_agreement", kinds.BASE64, optional=True),
        Field("DSPScheduledServiceReference", "service", _SERVICE),
        Field("DSPScheduledServiceReferenceVariant", "variant", _SERVICE),
        Field("DeviceID", "device", kinds.EUI),
        Field("", "command", _COMMAND),
    ),
)
#: Element, content and type of each body.
ROWS: Final[tuple[tuple[str, Shape, type], ...]] = (
    ("CreateSchedule", SCHEDULE, CreateSchedule),
    ("ReadSchedule", Shape(ReadSchedule, (Field("", "which", _WHICH),)), ReadSchedule),
    ("DeleteSchedule", Shape(DeleteSchedule, (Field("", "which", _WHICH),)), DeleteSchedule),
    (
        "DecommissionDevice",
        Shape(DecommissionDevice, (Field("DeviceID", "device", kinds.EUI),)),
        DecommissionDevice,
    ),
)


def read_other(row: DuisService, body: etree._Element) -> OtherBody:
    """Read a body that is only passed by: its one element has to be the service's.

    Raises:
        DuisError: It is another, or more than one.
    """
    children = list(body)
    if len(children) != 1 or children[0].tag != tag(row.body):
        found = local(children[0]) if children else "nothing"
        raise DuisError(
            DuisFault.WRONG_SERVICE_REFERENCE,
            f"service {row.service} has a body {row.body}, not {found}",
            line=line_of(children[0] if children else body),
            where="Body",
        )
    element = children[0]
    named = element.find(tag("ExecutionDateTime"))
    moment = None if named is None else kinds.DATE_TIME.read(named.text or "")
    return OtherBody(row.service, row.body, canonical(element), moment)
