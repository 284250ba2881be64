"""The header of any Zigbee APS frame: data, acknowledgement or command, secured or not."""

import enum
from dataclasses import dataclass
from typing import Any, Final

import construct as c

from emulator.codecs.zigbee.aps import ApsAck, ApsFrame, Fragment, FragmentAck
from emulator.codecs.zigbee.blocks import build, parse_part
from emulator.core.errors import MalformedFrameError

_LAYER: Final = "zigbee.aps_header"
_FIRST, _PART = 1, 2


class ApsKind(enum.IntEnum):
    """Types of frames."""

    DATA = 0
    COMMAND = 1
    ACK = 2


class Delivery(enum.IntEnum):
    """Whom a frame is for."""

    UNICAST = 0
    BROADCAST = 2
    GROUP = 3


_IS_COMMAND: Final = c.this.control.kind == ApsKind.COMMAND
_FORMAT: Final = c.Struct(
    "control"
    / c.BitStruct(
        "extended" / c.Flag,
        "ack_request" / c.Flag,
        "secured" / c.Flag,
        "ack_format" / c.Const(0, c.BitsInteger(1)),
        "delivery" / c.BitsInteger(2),
        "kind" / c.BitsInteger(2),
    ),
    "addresses"
    / c.IfThenElse(
        _IS_COMMAND,
        c.Pass,
        c.Struct(
            "group" / c.If(c.this._.control.delivery == Delivery.GROUP, c.Int16ul),
            "destination_endpoint" / c.If(c.this._.control.delivery != Delivery.GROUP, c.Int8ul),
            "cluster" / c.Int16ul,
            "profile" / c.Int16ul,
            "source_endpoint" / c.Int8ul,
        ),
    ),
    "counter" / c.Int8ul,
    "fragmentation" / c.If(c.this.control.extended, c.Int8ul),
    "block" / c.If(c.this.control.extended, c.Int8ul),
    "received" / c.If(c.this.control.extended & (c.this.control.kind == ApsKind.ACK), c.Int8ul),
)


@dataclass(frozen=True, slots=True)
class ApsCommandFrame:
    """An APS command frame.

    Attributes:
        counter: APS counter.
        payload: The command (`aps_commands`).
        ack_request: Ask the other node's APS for an acknowledgement.
    """

    counter: int
    payload: bytes
    ack_request: bool = False


Carried = ApsFrame | ApsAck | ApsCommandFrame


@dataclass(frozen=True, slots=True)
class ApsOuter:
    """How a frame goes.

    Attributes:
        delivery: Whom it is for.
        group: Group it is for; None: none.
        secured: Whether an auxiliary header follows its header.
    """

    delivery: Delivery = Delivery.UNICAST
    group: int | None = None
    secured: bool = False


def encode_header(frame: Carried, outer: ApsOuter) -> bytes:
    """Write the header of a frame; its payload is what may be enciphered.

    Raises:
        ValueError: A field is out of range.
    """
    extension = _extension(frame)
    asks = not isinstance(frame, ApsAck) and frame.ack_request
    values: dict[str, Any] = {
        "control": {
            "extended": extension is not None,
            "ack_request": asks,
            "secured": outer.secured,
            "delivery": int(outer.delivery),
            "kind": int(_kind(frame)),
        },
        "addresses": None,
        "counter": frame.counter,
    }
    if not isinstance(frame, ApsCommandFrame):
        values["addresses"] = {
            "group": outer.group,
            "destination_endpoint": frame.destination_endpoint,
            "cluster": frame.cluster,
            "profile": frame.profile,
            "source_endpoint": frame.source_endpoint,
        }
    names = ("fragmentation", "block", "received")
    values |= dict(zip(names, extension or (None, None, None), strict=True))
    return build(_LAYER, _FORMAT, values)


def _kind(frame: Carried) -> ApsKind:
    if isinstance(frame, ApsAck):
        return ApsKind.ACK
    return ApsKind.COMMAND if isinstance(frame, ApsCommandFrame) else ApsKind.DATA


def _extension(frame: Carried) -> tuple[int, int, int | None] | None:
    if isinstance(frame, ApsFrame) and frame.fragment is not None:
        return _FIRST if frame.fragment.first else _PART, frame.fragment.block, None
    if isinstance(frame, ApsAck) and frame.fragments is not None:
        start = frame.fragments.window_start
        return _PART if start else _FIRST, start, frame.fragments.received
    return None


def decode_header(data: bytes) -> tuple[Carried, ApsOuter, int]:
    """Read the header that ``data`` begins with.

    Returns:
        The frame with no payload, how it goes, and the offset behind the header.

    Raises:
        MalformedFrameError: Too short, or no data, acknowledgement or command frame.

    Source:
        Zigbee specification 05-3474, 2.2.5; checked with tshark 4.0.17.
    """
    raw: Any
    raw, end = parse_part(_LAYER, _FORMAT, data)
    control = raw.control
    if control.kind not in set(ApsKind) or control.delivery not in set(Delivery):
        raise MalformedFrameError(_LAYER, data, "unknown type or delivery", 0)
    group = None if raw.addresses is None else raw.addresses.group
    outer = ApsOuter(Delivery(control.delivery), group, control.secured)
    return _frame(raw, data), outer, end


def _frame(raw: Any, data: bytes) -> Carried:
    control, there = raw.control, raw.addresses
    if control.extended and (raw.fragmentation not in {_FIRST, _PART} or there is None):
        raise MalformedFrameError(_LAYER, data, "unknown extended header", 0)
    if control.kind == ApsKind.COMMAND:
        return ApsCommandFrame(raw.counter, b"", control.ack_request)
    endpoint = 0xFF if there.destination_endpoint is None else there.destination_endpoint
    addressing = (endpoint, there.source_endpoint, there.cluster, raw.counter)
    if control.kind == ApsKind.DATA:
        fragment = Fragment(raw.fragmentation == _FIRST, raw.block) if control.extended else None
        return ApsFrame(*addressing, b"", there.profile, control.ack_request, fragment)
    if control.ack_request:
        raise MalformedFrameError(_LAYER, data, "an acknowledgement asks for one", 0)
    window = FragmentAck(raw.block, raw.received) if control.extended else None
    return ApsAck(*addressing, there.profile, window)
