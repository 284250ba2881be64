"""Device Management cluster 0x0708, Messaging cluster 0x0703 and the log commands of 0x0709."""

from dataclasses import dataclass
from typing import ClassVar, Final

import construct as c

from emulator.codecs.zcl.cluster import ClusterCommands, Declared
from emulator.codecs.zcl.events import CLUSTER as EVENTS
from emulator.codecs.zcl.events import GetEventLog
from emulator.codecs.zcl.fields import OCTETS, U8, U16, U32, rows_to_end

CLUSTER: Final = 0x0708
MESSAGING: Final = 0x0703


@dataclass(frozen=True, slots=True)
class PublishChangeOfTenancy(Declared):
    """Server to client: another customer lives here from a moment on.

    Attributes:
        provider_id: 32 bits.
        issuer_event_id: Higher for newer information.
        tariff_type: Low nibble.
        start_s: Seconds since 2000.
        control: What is to be done then.
    """

    provider_id: int
    issuer_event_id: int
    tariff_type: int
    start_s: int
    control: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "provider_id" / U32, "issuer_event_id" / U32, "tariff_type" / U8, "start_s" / U32,
        "control" / U32,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PublishChangeOfSupplier(Declared):
    """Server to client: who supplies, and how to reach them.

    Attributes:
        provider_id: 32 bits.
        issuer_event_id: Higher for newer information.
        tariff_type: Low nibble.
        proposed_provider_id: 32 bits.
        start_s: Seconds since 2000; 0: now.
        control: What is to be done then.
        name: Name of the supplier.
        contact: How to reach them.

    Source:
        known (Smart Energy 1.2); no message of GCS44 is at hand.
    """

    provider_id: int
    issuer_event_id: int
    tariff_type: int
    proposed_provider_id: int
    start_s: int
    control: int
    name: bytes
    contact: bytes

    FORM: ClassVar[c.Construct] = c.Struct(
        "provider_id" / U32,
        "issuer_event_id" / U32,
        "tariff_type" / U8,
        "proposed_provider_id" / U32,
        "start_s" / U32,
        "control" / U32,
        "name" / OCTETS,
        "contact" / OCTETS,
    )


@dataclass(frozen=True, slots=True)
class RequestNewPasswordResponse(Declared):
    """Server to client: a password, or none.

    Attributes:
        issuer_event_id: Higher for newer information.
        start_s: Seconds since 2000; 0: now.
        duration_min: Minutes it counts; 0: for ever.
        kind: 2: the customer's (RTDS GCS11).
        password: Empty: none any more.
    """

    issuer_event_id: int
    start_s: int
    duration_min: int
    kind: int
    password: bytes

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / U32, "start_s" / U32, "duration_min" / U16, "kind" / U8,
        "password" / OCTETS,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class UpdateSiteId(Declared):
    """Server to client: the MPRN.

    Attributes:
        issuer_event_id: Higher for newer information.
        start_s: Seconds since 2000; 0: now.
        provider_id: 32 bits.
        site_id: The MPRN's characters.
    """

    issuer_event_id: int
    start_s: int
    provider_id: int
    site_id: bytes

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / U32, "start_s" / U32, "provider_id" / U32, "site_id" / OCTETS
    )


@dataclass(frozen=True, slots=True)
class UpdateCin(Declared):
    """Server to client: the customer identification number to show.

    Attributes:
        issuer_event_id: Higher for newer information.
        start_s: Seconds since 2000; 0: now.
        provider_id: 32 bits.
        cin: Its characters.
    """

    issuer_event_id: int
    start_s: int
    provider_id: int
    cin: bytes

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / U32, "start_s" / U32, "provider_id" / U32, "cin" / OCTETS
    )


@dataclass(frozen=True, slots=True)
class SetEventConfiguration(Declared):
    """Server to client: what events do.

    Attributes:
        issuer_event_id: Higher for newer information.
        start_s: Seconds since 2000; 0: now.
        configuration: Bits: log, alert to HAN or WAN, and so on.
        control: 0: the events listed; 1: a group; 2: a log; 3: those of a configuration.
        payload: By ``control``: count and 16-bit events; group; log; configuration.

    Source:
        known (Smart Energy 1.2); no message of GCS20 is at hand.
    """

    issuer_event_id: int
    start_s: int
    configuration: int
    control: int
    payload: bytes

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / U32, "start_s" / U32, "configuration" / U8, "control" / U8,
        "payload" / c.GreedyBytes,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class GetEventConfiguration(Declared):
    """Server to client: report what an event does, or a group of them (low octet all ones)."""

    event: int

    FORM: ClassVar[c.Construct] = c.Struct("event" / U16)


@dataclass(frozen=True, slots=True)
class ReportEventConfiguration(Declared):
    """Client to server: what events do.

    Attributes:
        index: Number of this command.
        commands: How many there are.
        events: (event, bits as in `SetEventConfiguration`).
    """

    index: int
    commands: int
    events: tuple[tuple[int, int], ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        "index" / U8, "commands" / U8, "events" / rows_to_end(U16, U8)
    )


class _Bare(Declared):
    """A command without a payload."""

    __slots__ = ()
    FORM: ClassVar[c.Construct] = c.Struct()


@dataclass(frozen=True, slots=True)
class GetChangeOfTenancy(_Bare):
    """Client to server: publish since when the customer lives here."""


@dataclass(frozen=True, slots=True)
class GetChangeOfSupplier(_Bare):
    """Client to server: publish who supplies."""


@dataclass(frozen=True, slots=True)
class GetSiteId(_Bare):
    """Client to server: publish the MPxN."""


@dataclass(frozen=True, slots=True)
class GetCin(_Bare):
    """Client to server: publish the customer identification number."""


@dataclass(frozen=True, slots=True)
class GetLastMessage(_Bare):
    """Client to server: show me the message that is to be shown."""


@dataclass(frozen=True, slots=True)
class MessageConfirmation(Declared):
    """Client to server: the customer has confirmed a message.

    Attributes:
        message_id: 32 bits.
        confirmed_s: Seconds since 2000.
        answer: Control octet and text of an answer, or nothing.
    """

    message_id: int
    confirmed_s: int
    answer: bytes

    FORM: ClassVar[c.Construct] = c.Struct(
        "message_id" / U32, "confirmed_s" / U32, "answer" / c.GreedyBytes
    )


@dataclass(frozen=True, slots=True)
class DisplayMessage(Declared):
    """Server to client: show the customer a message.

    Attributes:
        message_id: 32 bits.
        control: How important, and whether to confirm.
        start_s: Seconds since 2000; 0: now.
        duration_min: Minutes to show it; all ones: until the next.
        text: Its characters.
        extended: Further control, or nothing.

    Source:
        known (Smart Energy 1.2); no message of GCS07 is at hand.
    """

    message_id: int
    control: int
    start_s: int
    duration_min: int
    text: bytes
    extended: bytes

    FORM: ClassVar[c.Construct] = c.Struct(
        "message_id" / U32, "control" / U8, "start_s" / U32, "duration_min" / U16,
        "text" / OCTETS, "extended" / c.GreedyBytes,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClearEventLog(Declared):
    """Client to server: empty a log: 3 events, 4 security (RTDS CS11, CS10b)."""

    log: int

    FORM: ClassVar[c.Construct] = c.Struct("log" / U8)


@dataclass(frozen=True, slots=True)
class ClearEventLogResponse(Declared):
    """Server to client: a bit for each log emptied; none where it failed."""

    logs: int

    FORM: ClassVar[c.Construct] = c.Struct("logs" / U8)


@dataclass(frozen=True, slots=True)
class PublishWholeEventLog(Declared):
    """Server to client: all events asked for, which may be more than 15.

    Attributes:
        matching: How many events fit the request.
        index: Number of this command.
        commands: How many there are.
        head: Number of events in the high nibble, or 0 where they are more than it holds.
        events: (log, event, seconds since 2000, detail), the earliest first.

    Source:
        RTDS CS10b: 32 events under a head of 0.
    """

    matching: int
    index: int
    commands: int
    head: int
    events: tuple[tuple[int, int, int, bytes], ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        "matching" / U16,
        "index" / U8,
        "commands" / U8,
        "head" / U8,
        "events" / rows_to_end(U8, U16, U32, OCTETS),
    )


#: Table of the Device Management cluster.
COMMANDS: Final = ClusterCommands(
    CLUSTER,
    "device management",
    to_server={
        0x00: (GetChangeOfTenancy,),
        0x01: (GetChangeOfSupplier,),
        0x03: (GetSiteId,),
        0x04: (ReportEventConfiguration,),
        0x05: (GetCin,),
    },
    to_client={
        0x00: (PublishChangeOfTenancy,),
        0x01: (PublishChangeOfSupplier,),
        0x02: (RequestNewPasswordResponse,),
        0x03: (UpdateSiteId,),
        0x04: (SetEventConfiguration,),
        0x05: (GetEventConfiguration,),
        0x06: (UpdateCin,),
    },
)
#: Table of the Messaging cluster.
MESSAGING_COMMANDS: Final = ClusterCommands(
    MESSAGING,
    "messaging",
    to_server={0x00: (GetLastMessage,), 0x01: (MessageConfirmation,)},
    to_client={0x00: (DisplayMessage,)},
)
#: Table of the Events cluster as GBCS uses it.
EVENT_COMMANDS: Final = ClusterCommands(
    EVENTS,
    "events",
    to_server={0x00: (GetEventLog,), 0x01: (ClearEventLog,)},
    to_client={0x01: (PublishWholeEventLog,), 0x02: (ClearEventLogResponse,)},
)
