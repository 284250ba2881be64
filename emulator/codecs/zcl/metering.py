"""Metering cluster 0x0702: mirror and supply commands, notification flags, attributes."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final

import construct as c

from emulator.codecs.zcl.cluster import ClusterCommands, Declared
from emulator.codecs.zcl.values import ZclType
from emulator.codecs.zigbee.blocks import Boolean, Named, Row

CLUSTER: Final = 0x0702
#: Endpoint of a Request Mirror Response that has no room for a mirror.
NO_MIRROR: Final = 0xFFFF


class MeteringAttribute(enum.IntEnum):
    """Attribute identifiers of the server: those GBCS reads, and the mirror's own.

    Source:
        firmware.md 8.2 [RTDS]; names of Smart Energy 1.2 as tshark 4.0.17 prints them. GBCS keeps
        the firmware version in CURRENT_METER_ID (GCS38).
    """

    CURRENT_SUMMATION_DELIVERED = 0x0000
    SUPPLY_STATUS = 0x0014
    TIER_1_SUMMATION_DELIVERED = 0x0100
    TIER_2_SUMMATION_DELIVERED = 0x0102
    TIER_3_SUMMATION_DELIVERED = 0x0104
    TIER_4_SUMMATION_DELIVERED = 0x0106
    STATUS = 0x0200
    REMAINING_BATTERY_LIFE_DAYS = 0x0205
    CURRENT_METER_ID = 0x0206
    UNIT_OF_MEASURE = 0x0300
    MULTIPLIER = 0x0301
    DIVISOR = 0x0302
    METERING_DEVICE_TYPE = 0x0306
    SITE_ID = 0x0307
    SUPPLY_TAMPER_STATE = 0x0607
    SUPPLY_DEPLETION_STATE = 0x0608
    BILL_TO_DATE_DELIVERED = 0x0A00
    UNCONTROLLED_FLOW_THRESHOLD = 0x0B10
    ATTRIBUTE_REPORTING_STATUS = 0xFFFE


TYPES: Final[Mapping[MeteringAttribute, ZclType]] = MappingProxyType(
    {
        MeteringAttribute.CURRENT_SUMMATION_DELIVERED: ZclType.UINT48,
        MeteringAttribute.SUPPLY_STATUS: ZclType.ENUM8,
        MeteringAttribute.TIER_1_SUMMATION_DELIVERED: ZclType.UINT48,
        MeteringAttribute.TIER_2_SUMMATION_DELIVERED: ZclType.UINT48,
        MeteringAttribute.TIER_3_SUMMATION_DELIVERED: ZclType.UINT48,
        MeteringAttribute.TIER_4_SUMMATION_DELIVERED: ZclType.UINT48,
        MeteringAttribute.STATUS: ZclType.BITMAP8,
        MeteringAttribute.REMAINING_BATTERY_LIFE_DAYS: ZclType.UINT16,
        MeteringAttribute.CURRENT_METER_ID: ZclType.OCTETS,
        MeteringAttribute.UNIT_OF_MEASURE: ZclType.ENUM8,
        MeteringAttribute.MULTIPLIER: ZclType.UINT24,
        MeteringAttribute.DIVISOR: ZclType.UINT24,
        MeteringAttribute.METERING_DEVICE_TYPE: ZclType.BITMAP8,
        MeteringAttribute.SITE_ID: ZclType.OCTETS,
        MeteringAttribute.SUPPLY_TAMPER_STATE: ZclType.ENUM8,
        MeteringAttribute.SUPPLY_DEPLETION_STATE: ZclType.ENUM8,
        MeteringAttribute.BILL_TO_DATE_DELIVERED: ZclType.UINT32,
        MeteringAttribute.UNCONTROLLED_FLOW_THRESHOLD: ZclType.UINT16,
        MeteringAttribute.ATTRIBUTE_REPORTING_STATUS: ZclType.ENUM8,
    }
)


class MeteringClientAttribute(enum.IntEnum):
    """Attribute identifiers of the client (the mirror's side): 32-bit notification flag words."""

    FUNCTIONAL_NOTIFICATION_FLAGS = 0x0000
    NOTIFICATION_FLAGS_2 = 0x0001
    NOTIFICATION_FLAGS_3 = 0x0002
    NOTIFICATION_FLAGS_4 = 0x0003
    NOTIFICATION_FLAGS_5 = 0x0004


class SupplyStatus(enum.IntEnum):
    """Values of attribute 0x0014 and of the supply commands.

    Source:
        known (Smart Energy 1.2); names checked with tshark 4.0.17.
    """

    OFF = 0
    OFF_ARMED = 1
    ON = 2


class ReportingStatus(enum.IntEnum):
    """Values of attribute 0xFFFE: whether more reports of a set follow."""

    PENDING = 0
    COMPLETE = 1


class FunctionalFlag(enum.IntFlag):
    """Bits of the Functional Notification Flags: what a sleepy device is to fetch or do.

    Source:
        Bit names and masks as tshark 4.0.17 prints them (Smart Energy 1.2); bit 0 also firmware.md
        4.1.
    """

    NEW_OTA_FIRMWARE = 1 << 0
    CBKE_UPDATE_REQUEST = 1 << 1
    TIME_SYNC = 1 << 2
    STAY_AWAKE_REQUEST_HAN = 1 << 4
    STAY_AWAKE_REQUEST_WAN = 1 << 5
    PUSH_STATIC_BASIC = 1 << 12
    PUSH_STATIC_METERING = 1 << 13
    PUSH_STATIC_PREPAYMENT = 1 << 14
    NETWORK_KEY_ACTIVE = 1 << 15
    DISPLAY_MESSAGE = 1 << 16
    CANCEL_ALL_MESSAGES = 1 << 17
    CHANGE_SUPPLY = 1 << 18
    LOCAL_CHANGE_SUPPLY = 1 << 19
    SET_UNCONTROLLED_FLOW_THRESHOLD = 1 << 20
    TUNNEL_MESSAGE_PENDING = 1 << 21
    GET_SNAPSHOT = 1 << 22
    GET_SAMPLED_DATA = 1 << 23


class NotificationScheme(enum.IntEnum):
    """Which flag words a Mirror Report Attribute Response carries."""

    NONE = 0
    FUNCTIONAL_ONLY = 1
    ALL_FIVE = 2


FLAG_WORDS: Final[Mapping[NotificationScheme, int]] = MappingProxyType(
    {
        NotificationScheme.NONE: 0,
        NotificationScheme.FUNCTIONAL_ONLY: 1,
        NotificationScheme.ALL_FIVE: 5,
    }
)

_SCHEME: Final = "scheme" / Named(c.Int8ul, NotificationScheme)


@dataclass(frozen=True, slots=True)
class RequestMirror(Declared):
    """Server (meter) to client (GPF): hold a mirror of me."""

    FORM: ClassVar[c.Construct] = c.Struct()


@dataclass(frozen=True, slots=True)
class RequestMirrorResponse(Declared):
    """Client to server: the mirror's endpoint, or NO_MIRROR."""

    endpoint: int

    FORM: ClassVar[c.Construct] = c.Struct("endpoint" / c.Int16ul)


@dataclass(frozen=True, slots=True)
class RemoveMirror(Declared):
    """Server to client: hold my mirror no longer."""

    FORM: ClassVar[c.Construct] = c.Struct()


@dataclass(frozen=True, slots=True)
class MirrorRemoved(Declared):
    """Client to server: the mirror on this endpoint is gone."""

    endpoint: int

    FORM: ClassVar[c.Construct] = c.Struct("endpoint" / c.Int16ul)


@dataclass(frozen=True, slots=True)
class ConfigureMirror(Declared):
    """Server to client: how I report, and how you are to answer.

    Attributes:
        issuer_event_id: 32 bits, higher for a newer configuration.
        reporting_interval_s: Seconds between reports, 24 bits.
        notify: True asks for a Mirror Report Attribute Response to each set of reports.
        scheme: Which flag words that response has.
    """

    issuer_event_id: int
    reporting_interval_s: int
    notify: bool
    scheme: NotificationScheme

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / c.Int32ul,
        "reporting_interval_s" / c.Int24ul,
        "notify" / Boolean(c.Int8ul),
        _SCHEME,
    )


def _word_count(values: Any) -> int:
    return FLAG_WORDS[values.scheme]


@dataclass(frozen=True, slots=True)
class MirrorReportAttributeResponse(Declared):
    """Client (GPF) to server (sleepy meter), after its reports: what waits for you.

    Attributes:
        scheme: Decides how many words follow.
        flags: 32-bit words; the first is made of `FunctionalFlag`.

    Source:
        Smart Energy 1.2, command 0x09; scheme 2 with five words in GB (firmware.md 4.1).
    """

    scheme: NotificationScheme
    flags: tuple[int, ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        _SCHEME,
        "flags" / Row(c.Array(_word_count, c.Int32ul)),
    )

    @property
    def functional(self) -> FunctionalFlag:
        """The first word, bits without a name left out; no flags when there is no word."""
        named = FunctionalFlag(0)
        for flag in FunctionalFlag:
            named |= flag
        return FunctionalFlag(self.flags[0] & int(named)) if self.flags else FunctionalFlag(0)


@dataclass(frozen=True, slots=True)
class ChangeSupply(Declared):
    """Client to server: change the supply, now or later.

    Attributes:
        provider_id: 32 bits.
        issuer_event_id: 32 bits.
        request_time_s: When it was asked for, seconds since 2000.
        implementation_time_s: When it is to happen, seconds since 2000; 0 means now.
        proposed_status: OFF, OFF_ARMED or ON.
        control_bits: Bit 0 asks for an acknowledgement.
    """

    provider_id: int
    issuer_event_id: int
    request_time_s: int
    implementation_time_s: int
    proposed_status: SupplyStatus
    control_bits: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "provider_id" / c.Int32ul,
        "issuer_event_id" / c.Int32ul,
        "request_time_s" / c.Int32ul,
        "implementation_time_s" / c.Int32ul,
        "proposed_status" / Named(c.Int8ul, SupplyStatus),
        "control_bits" / c.Int8ul,
    )


@dataclass(frozen=True, slots=True)
class LocalChangeSupply(Declared):
    """Client to server: the consumer asks to change the supply."""

    proposed_status: SupplyStatus

    FORM: ClassVar[c.Construct] = c.Struct("proposed_status" / Named(c.Int8ul, SupplyStatus))


@dataclass(frozen=True, slots=True)
class SupplyStatusResponse(Declared):
    """Server to client: the supply has changed; fields as in `ChangeSupply`."""

    provider_id: int
    issuer_event_id: int
    implementation_time_s: int
    status: SupplyStatus

    FORM: ClassVar[c.Construct] = c.Struct(
        "provider_id" / c.Int32ul,
        "issuer_event_id" / c.Int32ul,
        "implementation_time_s" / c.Int32ul,
        "status" / Named(c.Int8ul, SupplyStatus),
    )


#: The cluster's table.
COMMANDS: Final = ClusterCommands(
    CLUSTER,
    "metering",
    to_server={
        0x01: (RequestMirrorResponse,),
        0x02: (MirrorRemoved,),
        0x09: (MirrorReportAttributeResponse,),
        0x0B: (ChangeSupply,),
        0x0C: (LocalChangeSupply,),
    },
    to_client={
        0x01: (RequestMirror,),
        0x02: (RemoveMirror,),
        0x08: (ConfigureMirror,),
        0x0C: (SupplyStatusResponse,),
    },
)
decode = COMMANDS.decode
encode = COMMANDS.encode
