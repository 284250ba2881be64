"""Events cluster 0x0709: the logs of a device, asked for and published."""

import enum
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

import construct as c

from emulator.codecs.zcl.cluster import ClusterCommands, Declared
from emulator.codecs.zigbee.blocks import Row

CLUSTER: Final = 0x0709


class LogId(enum.IntEnum):
    """Logs of a device.

    Source:
        Smart Energy 1.2 (known); the last two hold what GBCS asks a device to log.
    """

    ALL = 0
    TAMPER = 1
    FAULT = 2
    GENERAL = 3
    SECURITY = 4
    NETWORK = 5
    GBCS_GENERAL = 6
    GBCS_SECURITY = 7


#: An event identifier, and a time, that leave nothing out.
ANY_EVENT: Final = 0x0000
ANY_TIME: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class GetEventLog(Declared):
    """Client to server: publish what a log holds.

    Attributes:
        control: Bit 0 asks for all there is of each event.
        log: `LogId`.
        event: One kind of event, or ANY_EVENT.
        start_s: Earliest event, seconds since 2000.
        end_s: Time before which an event must lie, seconds since 2000; ANY_TIME: now.
        most: Events to publish at most; 0: all.
        offset: Events, from the latest on, to leave out.

    Source:
        Smart Energy 1.2; order and widths as tshark 4.0.17 prints them, nibbles known.
    """

    control: int
    log: int
    event: int
    start_s: int
    end_s: int
    most: int
    offset: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "which" / c.Rebuild(c.Int8ul, lambda values: values.control << 4 | values.log),
        "control" / c.Computed(lambda values: values.which >> 4),
        "log" / c.Computed(lambda values: values.which & 0xF),
        "event" / c.Int16ul,
        "start_s" / c.Int32ul,
        "end_s" / c.Int32ul,
        "most" / c.Int8ul,
        "offset" / c.Int16ul,
    )


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One entry.

    Attributes:
        log: `LogId`.
        event: Which event.
        at_s: When, seconds since 2000.
        detail: More of it.
    """

    log: int
    event: int
    at_s: int
    detail: bytes = b""


class _Entry(c.Adapter):
    """A `LoggedEvent` in Python."""

    def __init__(self) -> None:
        super().__init__(
            c.Struct(
                "log" / c.Int8ul,
                "event" / c.Int16ul,
                "at_s" / c.Int32ul,
                "detail" / c.Prefixed(c.Int8ul, c.GreedyBytes),
            )
        )

    def _decode(self, obj: Any, context: object, path: str) -> LoggedEvent:
        return LoggedEvent(obj.log, obj.event, obj.at_s, obj.detail)

    def _encode(self, obj: LoggedEvent, context: object, path: str) -> dict[str, Any]:
        return asdict(obj)


@dataclass(frozen=True, slots=True)
class PublishEventLog(Declared):
    """Server to client: some of the events asked for, the latest first.

    Attributes:
        matching: How many events fit the request.
        index: Number of this command among those that answer, from 0.
        commands: How many there are.
        events: The events of this one, at most 15.
    """

    matching: int
    index: int
    commands: int
    events: tuple[LoggedEvent, ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        "matching" / c.Int16ul,
        "index" / c.Int8ul,
        "commands" / c.Int8ul,
        "count" / c.Rebuild(c.Int8ul, lambda values: len(values.events) << 4),
        "events" / Row(c.Array(lambda values: values["count"] >> 4, _Entry())),
    )


#: The cluster's table, as far as devices here go.
COMMANDS: Final = ClusterCommands(
    CLUSTER,
    "events",
    to_server={0x00: (GetEventLog,)},
    to_client={0x01: (PublishEventLog,)},
)
decode = COMMANDS.decode
encode = COMMANDS.encode
