"""Calendar cluster 0x0707: calendars of tariffs and of friendly credit, published and asked for."""

import enum
from dataclasses import dataclass
from typing import ClassVar, Final

import construct as c

from emulator.codecs.zcl.cluster import ClusterCommands, Declared
from emulator.codecs.zcl.fields import OCTETS, U8, U16, U32, pairs_to_end
from emulator.codecs.zigbee.blocks import Row

CLUSTER: Final = 0x0707


class CalendarType(enum.IntEnum):
    """What a calendar switches. Source: RTDS GCS21b, GCS21f; names known (Smart Energy 1.2)."""

    DELIVERED = 0
    FRIENDLY_CREDIT = 3


#: Calendar identifiers that a read names the calendar in force by. Source: RTDS GCS21f, GCS21b.
TARIFF_CALENDAR: Final = 0xFFFFFFFF
FRIENDLY_CREDIT_CALENDAR: Final = 0xFFFFFFFE

_HEAD: Final = ("provider_id" / U32, "issuer_event_id" / U32, "calendar_id" / U32)


@dataclass(frozen=True, slots=True)
class PublishCalendar(Declared):
    """Server to client: a calendar begins; its parts follow.

    Attributes:
        provider_id: 32 bits.
        issuer_event_id: Higher for newer information.
        calendar_id: Identifier that its parts repeat.
        start_s: Seconds since 2000; 0: now.
        calendar_type: `CalendarType`.
        time_reference: 0: UTC.
        name: Name of the calendar.
        seasons: How many seasons follow.
        weeks: How many week profiles.
        days: How many day profiles.

    Source:
        known (Smart Energy 1.2); no message of GCS01a or GCS05 is at hand.
    """

    provider_id: int
    issuer_event_id: int
    calendar_id: int
    start_s: int
    calendar_type: int
    time_reference: int
    name: bytes
    seasons: int
    weeks: int
    days: int

    FORM: ClassVar[c.Construct] = c.Struct(
        *_HEAD,
        "start_s" / U32,
        "calendar_type" / U8,
        "time_reference" / U8,
        "name" / OCTETS,
        "seasons" / U8,
        "weeks" / U8,
        "days" / U8,
    )


@dataclass(frozen=True, slots=True)
class PublishDayProfile(Declared):
    """Server to client: one day of a calendar.

    Attributes:
        provider_id: 32 bits.
        issuer_event_id: Higher for newer information.
        calendar_id: Its calendar.
        day: Identifier of the day.
        total: Entries of the day in all commands.
        index: Number of this command.
        commands: How many there are.
        calendar_type: `CalendarType`.
        entries: (minute of the day; price tier, or 1 where friendly credit is enabled).

    Source:
        RTDS GCS21f, GCS21b; names known (Smart Energy 1.2).
    """

    provider_id: int
    issuer_event_id: int
    calendar_id: int
    day: int
    total: int
    index: int
    commands: int
    calendar_type: int
    entries: tuple[tuple[int, int], ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        *_HEAD,
        "day" / U8,
        "total" / U8,
        "index" / U8,
        "commands" / U8,
        "calendar_type" / U8,
        "entries" / pairs_to_end(U16, U8),
    )


@dataclass(frozen=True, slots=True)
class PublishWeekProfile(Declared):
    """Server to client: one week of a calendar.

    Attributes:
        provider_id: 32 bits.
        issuer_event_id: Higher for newer information.
        calendar_id: Its calendar.
        week: Identifier of the week.
        days: Seven day identifiers, Monday first.
    """

    provider_id: int
    issuer_event_id: int
    calendar_id: int
    week: int
    days: tuple[int, ...]

    FORM: ClassVar[c.Construct] = c.Struct(*_HEAD, "week" / U8, "days" / Row(c.Array(7, U8)))


@dataclass(frozen=True, slots=True)
class PublishSeasons(Declared):
    """Server to client: the seasons of a calendar.

    Attributes:
        provider_id: 32 bits.
        issuer_event_id: Higher for newer information.
        calendar_id: Its calendar.
        index: Number of this command.
        commands: How many there are.
        seasons: (ZCL date on which it begins, week identifier).
    """

    provider_id: int
    issuer_event_id: int
    calendar_id: int
    index: int
    commands: int
    seasons: tuple[tuple[int, int], ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        *_HEAD, "index" / U8, "commands" / U8, "seasons" / pairs_to_end(U32, U8)
    )


@dataclass(frozen=True, slots=True)
class PublishSpecialDays(Declared):
    """Server to client: days that have a profile of their own.

    Attributes:
        provider_id: 32 bits.
        issuer_event_id: Higher for newer information.
        calendar_id: Its calendar.
        start_s: Seconds since 2000; 0: now.
        calendar_type: `CalendarType`.
        total: Special days in all commands.
        index: Number of this command.
        commands: How many there are.
        days: (ZCL date, day identifier).
    """

    provider_id: int
    issuer_event_id: int
    calendar_id: int
    start_s: int
    calendar_type: int
    total: int
    index: int
    commands: int
    days: tuple[tuple[int, int], ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        *_HEAD,
        "start_s" / U32,
        "calendar_type" / U8,
        "total" / U8,
        "index" / U8,
        "commands" / U8,
        "days" / pairs_to_end(U32, U8),
    )


@dataclass(frozen=True, slots=True)
class GetCalendar(Declared):
    """Client to server: publish calendars.

    Attributes:
        earliest_s: Seconds since 2000.
        least_issuer_event_id: Oldest information wanted; all ones: any.
        most: How many; 0: all.
        calendar_type: `CalendarType`, or all ones for any.
        provider_id: 32 bits; all ones: any.
    """

    earliest_s: int
    least_issuer_event_id: int
    most: int
    calendar_type: int
    provider_id: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "earliest_s" / U32,
        "least_issuer_event_id" / U32,
        "most" / U8,
        "calendar_type" / U8,
        "provider_id" / U32,
    )


@dataclass(frozen=True, slots=True)
class GetDayProfiles(Declared):
    """Client to server: publish days of a calendar.

    Attributes:
        provider_id: 32 bits.
        calendar_id: Calendar; `TARIFF_CALENDAR` or `FRIENDLY_CREDIT_CALENDAR`.
        first: First day identifier wanted.
        most: How many; 0: all.
    """

    provider_id: int
    calendar_id: int
    first: int
    most: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "provider_id" / U32, "calendar_id" / U32, "first" / U8, "most" / U8
    )


@dataclass(frozen=True, slots=True)
class GetWeekProfiles(Declared):
    """Client to server: publish weeks of a calendar; fields as in `GetDayProfiles`."""

    provider_id: int
    calendar_id: int
    first: int
    most: int

    FORM: ClassVar[c.Construct] = GetDayProfiles.FORM


@dataclass(frozen=True, slots=True)
class GetSeasons(Declared):
    """Client to server: publish the seasons of a calendar."""

    provider_id: int
    calendar_id: int

    FORM: ClassVar[c.Construct] = c.Struct("provider_id" / U32, "calendar_id" / U32)


@dataclass(frozen=True, slots=True)
class GetSpecialDays(Declared):
    """Client to server: publish special days.

    Attributes:
        start_s: Earliest, seconds since 2000.
        most: How many commands; 0: all.
        calendar_type: `CalendarType`.
        provider_id: 32 bits.
        calendar_id: As in `GetDayProfiles`.
    """

    start_s: int
    most: int
    calendar_type: int
    provider_id: int
    calendar_id: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "start_s" / U32,
        "most" / U8,
        "calendar_type" / U8,
        "provider_id" / U32,
        "calendar_id" / U32,
    )


#: The cluster's table.
COMMANDS: Final = ClusterCommands(
    CLUSTER,
    "calendar",
    to_server={
        0x00: (GetCalendar,),
        0x01: (GetDayProfiles,),
        0x02: (GetWeekProfiles,),
        0x03: (GetSeasons,),
        0x04: (GetSpecialDays,),
    },
    to_client={
        0x00: (PublishCalendar,),
        0x01: (PublishDayProfile,),
        0x02: (PublishWeekProfile,),
        0x03: (PublishSeasons,),
        0x04: (PublishSpecialDays,),
    },
)
decode = COMMANDS.decode
encode = COMMANDS.encode
