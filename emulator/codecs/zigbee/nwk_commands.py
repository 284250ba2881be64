"""Commands of the Zigbee network layer: leaving, coming back, routes and links."""

import enum
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

import construct as c

from emulator.codecs.zigbee.blocks import Must, Row, parse_part, parse_whole
from emulator.codecs.zigbee.commands import fields_of, numbered
from emulator.core.errors import MalformedFrameError

_LAYER: Final = "zigbee.nwk_command"


class NwkCommandId(enum.IntEnum):
    """Numbers of the commands.

    Source:
        Zigbee specification 05-3474, table 3-40 (known); checked with tshark 4.0.17.
    """

    LEAVE = 0x04
    ROUTE_RECORD = 0x05
    REJOIN_REQUEST = 0x06
    REJOIN_RESPONSE = 0x07
    LINK_STATUS = 0x08


@dataclass(frozen=True, slots=True)
class Leave:
    """A node goes, or is told to go.

    Attributes:
        request: Whether the receiver is told to go; else the sender says that it goes.
        rejoin: Whether to come back.
        children: Whether children go too.
    """

    request: bool
    rejoin: bool = False
    children: bool = False

    ID: ClassVar[NwkCommandId] = NwkCommandId.LEAVE
    FORM: ClassVar[c.Construct] = c.BitStruct(
        "children" / c.Flag,
        "request" / c.Flag,
        "rejoin" / c.Flag,
        c.Const(0, c.BitsInteger(5)),
    )


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """The way a message came, for a concentrator.

    Attributes:
        relays: Short addresses passed, the sender's side first; empty in a home without routers
            between.
    """

    relays: tuple[int, ...] = ()

    ID: ClassVar[NwkCommandId] = NwkCommandId.ROUTE_RECORD
    FORM: ClassVar[c.Construct] = c.Struct("relays" / Row(c.PrefixedArray(c.Int8ul, c.Int16ul)))


@dataclass(frozen=True, slots=True)
class RejoinRequest:
    """A node comes back.

    Attributes:
        capability: `zdo.Capability`.
    """

    capability: int

    ID: ClassVar[NwkCommandId] = NwkCommandId.REJOIN_REQUEST
    FORM: ClassVar[c.Construct] = c.Struct("capability" / c.Int8ul)


@dataclass(frozen=True, slots=True)
class RejoinResponse:
    """The answer to it.

    Attributes:
        short: Short address from now on; 0xFFFF with a refusal.
        status: 0 taken, 1 no room, 2 access denied.
    """

    short: int
    status: int

    ID: ClassVar[NwkCommandId] = NwkCommandId.REJOIN_RESPONSE
    FORM: ClassVar[c.Construct] = c.Struct("short" / c.Int16ul, "status" / c.Int8ul)


@dataclass(frozen=True, slots=True)
class Link:
    """How well a neighbour is heard.

    Attributes:
        short: The neighbour.
        incoming: Cost of the way from it, 1 (best) to 7.
        outgoing: Cost of the way to it, 0: not known.
    """

    short: int
    incoming: int
    outgoing: int


class _Links(c.Adapter):
    """Links of a Link Status command."""

    def _decode(self, obj: Any, context: Any, path: str) -> tuple[Link, ...]:
        return tuple(Link(row.short, row.costs.incoming, row.costs.outgoing) for row in obj)

    def _encode(self, obj: tuple[Link, ...], context: Any, path: str) -> list[Any]:
        return [
            {"short": row.short, "costs": {"incoming": row.incoming, "outgoing": row.outgoing}}
            for row in obj
        ]


_LINK: Final = c.Struct(
    "short" / c.Int16ul,
    "costs"
    / c.BitStruct(
        c.Const(0, c.BitsInteger(1)),
        "outgoing" / c.BitsInteger(3),
        c.Const(0, c.BitsInteger(1)),
        "incoming" / c.BitsInteger(3),
    ),
)


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """A router or coordinator tells its neighbours which of them it hears.

    Attributes:
        links: At most 31 of them.
        first: Whether it is the first frame of a longer list.
        last: Whether it is the last one.
    """

    links: tuple[Link, ...]
    first: bool = True
    last: bool = True

    ID: ClassVar[NwkCommandId] = NwkCommandId.LINK_STATUS
    FORM: ClassVar[c.Construct] = c.Struct(
        "options"
        / c.BitStruct(
            c.Const(0, c.BitsInteger(1)),
            "last" / c.Flag,
            "first" / c.Flag,
            "count" / c.BitsInteger(5),
        ),
        "links" / _Links(c.Array(c.this.options.count, _LINK)),
        Must(lambda read: len(read.links) == read.options.count, "the count is wrong"),
    )


NwkCommand: TypeAlias = Leave | RouteRecord | RejoinRequest | RejoinResponse | LinkStatus
_COMMANDS: Final[dict[int, type[Any]]] = {
    one.ID: one for one in (Leave, RouteRecord, RejoinRequest, RejoinResponse, LinkStatus)
}


def encode(command: NwkCommand) -> bytes:
    """Write a command: its number and its fields, without the NWK header.

    Raises:
        ValueError: A field is out of range.
    """
    if isinstance(command, LinkStatus):
        options = {"first": command.first, "last": command.last, "count": len(command.links)}
        return numbered(_LAYER, command, {"options": options, "links": command.links})
    return numbered(_LAYER, command)


def decode(data: bytes) -> NwkCommand:
    """Read a command from the payload of a NWK command frame.

    Raises:
        MalformedFrameError: No command of these, or one of another length or with reserved bits.

    Source:
        Zigbee specification 05-3474, 3.4; checked with tshark 4.0.17.
    """
    number, at = parse_part(_LAYER, c.Int8ul, data)
    kind = _COMMANDS.get(number)
    if kind is None:
        raise MalformedFrameError(_LAYER, data, f"no such command: {number:#04x}")
    if kind is LinkStatus:
        raw = parse_whole(_LAYER, kind.FORM, data[at:])
        return LinkStatus(raw.links, raw.options.first, raw.options.last)
    command: NwkCommand = fields_of(_LAYER, kind, data[at:])
    return command
