"""IEEE 802.15.4 frames beside the plain data frame of `mac`: commands, beacons, acknowledgements.

Everything here is a frame with its frame check sequence; data frames are left to `mac`.
"""

import enum
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import construct as c

from emulator.codecs.zigbee import mac
from emulator.codecs.zigbee.blocks import Eui64LittleEndian, build, parse_part, parse_whole
from emulator.codecs.zigbee.mac import MacFrame
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

#: No PAN, or every one.
ANY_PAN: Final = 0xFFFF
_LAYER: Final = "zigbee.mac_command"
_FCS_BYTES: Final = 2
_NONE, _SHORT, _LONG = 0, 2, 3


class FrameType(enum.IntEnum):
    """Types of frames."""

    BEACON = 0
    DATA = 1
    ACK = 2
    COMMAND = 3


class MacCommandId(enum.IntEnum):
    """Commands that Zigbee uses.

    Source:
        IEEE 802.15.4-2006, table 82 (known); checked with tshark 4.0.17.
    """

    ASSOCIATION_REQUEST = 1
    ASSOCIATION_RESPONSE = 2
    DATA_REQUEST = 4
    BEACON_REQUEST = 7


@dataclass(frozen=True, slots=True)
class Ack:
    """A receiver's radio says that it has a frame.

    Attributes:
        sequence: Of that frame.
        pending: Whether something waits for the one who asked.
    """

    sequence: int
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Beacon:
    """A coordinator or router shows its network.

    Attributes:
        sequence: Beacon sequence number.
        pan_id: Of the network.
        source: Short address of the sender.
        permit: Whether nodes may associate.
        coordinator: Whether the sender is the network's coordinator.
        payload: What Zigbee says in it (`beacon`).
    """

    sequence: int
    pan_id: int
    source: int
    permit: bool
    coordinator: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class BeaconRequest:
    """Somebody asks for beacons."""

    sequence: int


@dataclass(frozen=True, slots=True)
class AssociationRequest:
    """A node asks to join.

    Attributes:
        sequence: MAC sequence number.
        pan_id: Of the network.
        destination: Short address of the one asked.
        source: The node.
        capability: `zdo.Capability`.
    """

    sequence: int
    pan_id: int
    destination: int
    source: Eui64
    capability: int


@dataclass(frozen=True, slots=True)
class AssociationResponse:
    """The answer.

    Attributes:
        sequence: MAC sequence number.
        pan_id: Of the network.
        destination: The node that asked.
        source: The one asked.
        short: Short address of the node; 0xFFFF with a refusal.
        status: 0 taken, 1 no room, 2 access denied.
    """

    sequence: int
    pan_id: int
    destination: Eui64
    source: Eui64
    short: int
    status: int


@dataclass(frozen=True, slots=True)
class DataRequest:
    """A node asks its parent for what waits for it.

    Attributes:
        sequence: MAC sequence number.
        pan_id: Of the network.
        destination: Short address of the parent.
        source: The node: its short address, or its EUI-64 while it has none.
    """

    sequence: int
    pan_id: int
    destination: int
    source: int | Eui64


MacAny: TypeAlias = (
    MacFrame | Ack | Beacon | BeaconRequest | AssociationRequest | AssociationResponse | DataRequest
)

_ADDRESS: Final = {_SHORT: c.Int16ul, _LONG: Eui64LittleEndian()}
_FORMAT: Final = c.Struct(
    "control"
    / c.ByteSwapped(
        c.BitStruct(
            "source_mode" / c.BitsInteger(2),
            "version" / c.Const(0, c.BitsInteger(2)),
            "destination_mode" / c.BitsInteger(2),
            c.Const(0, c.BitsInteger(3)),
            "pan_id_compression" / c.Flag,
            "ack_request" / c.Flag,
            "frame_pending" / c.Flag,
            c.Const(0, c.BitsInteger(1)),
            "frame_type" / c.BitsInteger(3),
        )
    ),
    "sequence" / c.Int8ul,
    "pan_id" / c.If(c.this.control.destination_mode != _NONE, c.Int16ul),
    "destination" / c.Switch(c.this.control.destination_mode, _ADDRESS),
    "source_pan_id"
    / c.If((c.this.control.source_mode != _NONE) & ~c.this.control.pan_id_compression, c.Int16ul),
    "source" / c.Switch(c.this.control.source_mode, _ADDRESS),
)
_BEACON: Final = c.Struct(
    "superframe"
    / c.ByteSwapped(
        c.BitStruct(
            "permit" / c.Flag,
            "coordinator" / c.Flag,
            c.Const(0, c.BitsInteger(1)),
            "battery" / c.Const(0, c.BitsInteger(1)),
            "final_slot" / c.Const(15, c.BitsInteger(4)),
            "superframe_order" / c.Const(15, c.BitsInteger(4)),
            "beacon_order" / c.Const(15, c.BitsInteger(4)),
        )
    ),
    "guaranteed_slots" / c.Const(0, c.Int8ul),
    "pending_addresses" / c.Const(0, c.Int8ul),
    "payload" / c.GreedyBytes,
)
_ASSOCIATION_RESPONSE: Final = c.Struct("short" / c.Int16ul, "status" / c.Int8ul)


def encode(frame: MacAny) -> bytes:
    """Write one frame with its FCS.

    Raises:
        ValueError: A field is out of range, or the frame is longer than 127 octets.
    """
    match frame:
        case MacFrame():
            return mac.encode(frame)
        case Ack():
            return _whole(FrameType.ACK, frame.sequence, pending=frame.pending)
        case Beacon():
            superframe = {"permit": frame.permit, "coordinator": frame.coordinator}
            body = {"superframe": superframe, "payload": frame.payload}
            rest = build(_LAYER, _BEACON, body)
            source = (frame.pan_id, frame.source)
            return _whole(FrameType.BEACON, frame.sequence, source=source, rest=rest)
        case BeaconRequest():
            rest = bytes((MacCommandId.BEACON_REQUEST,))
            return _whole(FrameType.COMMAND, frame.sequence, to=(ANY_PAN, mac.BROADCAST), rest=rest)
        case AssociationRequest():
            rest = bytes((MacCommandId.ASSOCIATION_REQUEST, frame.capability))
            to, source_eui64 = (frame.pan_id, frame.destination), (ANY_PAN, frame.source)
            return _whole(
                FrameType.COMMAND, frame.sequence, to=to, source=source_eui64, rest=rest, ack=True
            )
        case _:
            return _compressed(frame)


def _compressed(frame: AssociationResponse | DataRequest) -> bytes:
    """Write a command whose sender and receiver are in one PAN."""
    if isinstance(frame, AssociationResponse):
        values = {"short": frame.short, "status": frame.status}
        number, rest = (
            MacCommandId.ASSOCIATION_RESPONSE,
            build(_LAYER, _ASSOCIATION_RESPONSE, values),
        )
    else:
        number, rest = MacCommandId.DATA_REQUEST, b""
    return _whole(
        FrameType.COMMAND,
        frame.sequence,
        to=(frame.pan_id, frame.destination),
        source=(None, frame.source),
        rest=bytes((number,)) + rest,
        ack=True,
    )


def _whole(  # noqa: PLR0913 -- the fields of a MAC header
    kind: FrameType,
    sequence: int,
    *,
    to: tuple[int, int | Eui64] | None = None,
    source: tuple[int | None, int | Eui64] | None = None,
    rest: bytes = b"",
    ack: bool = False,
    pending: bool = False,
) -> bytes:
    compressed = source is not None and source[0] is None
    values = {
        "control": {
            "source_mode": _mode(source),
            "destination_mode": _mode(to),
            "pan_id_compression": compressed,
            "ack_request": ack,
            "frame_pending": pending,
            "frame_type": int(kind),
        },
        "sequence": sequence,
        "pan_id": None if to is None else to[0],
        "destination": None if to is None else to[1],
        "source_pan_id": None if source is None else source[0],
        "source": None if source is None else source[1],
    }
    body = build(_LAYER, _FORMAT, values) + rest
    if len(body) + _FCS_BYTES > mac.MAX_FRAME_BYTES:
        raise ValueError(f"{_LAYER}: {len(body) + _FCS_BYTES} octets, a frame has 127 at most")
    return body + mac.fcs(body).to_bytes(_FCS_BYTES, "little")


def _mode(place: tuple[int | None, int | Eui64] | None) -> int:
    if place is None:
        return _NONE
    return _SHORT if isinstance(place[1], int) else _LONG


def decode(data: bytes) -> MacAny:
    """Read one frame, FCS included.

    Raises:
        MalformedFrameError: Wrong FCS, longer than 127 octets, or a frame that Zigbee does not use.

    Source:
        IEEE 802.15.4-2006 7.2 and 7.3; checked with tshark 4.0.17.
    """
    body = data[:-_FCS_BYTES]
    if len(data) > mac.MAX_FRAME_BYTES or len(body) < 3:
        raise MalformedFrameError(_LAYER, data, f"a frame of {len(data)} octets")
    if mac.fcs(body) != int.from_bytes(data[-_FCS_BYTES:], "little"):
        raise MalformedFrameError(_LAYER, data, "frame check sequence wrong", len(body))
    if body[0] & 7 == FrameType.DATA:
        return mac.decode(data)
    raw: Any
    raw, end = parse_part(_LAYER, _FORMAT, body)
    frame = _of_kind(raw, body[end:])
    if frame is None or encode(frame) != data:
        raise MalformedFrameError(_LAYER, data, "no frame of a Zigbee network", 0)
    return frame


def _of_kind(raw: Any, rest: bytes) -> MacAny | None:
    kind = raw.control.frame_type
    if kind == FrameType.ACK:
        return Ack(raw.sequence, raw.control.frame_pending)
    if kind == FrameType.BEACON and isinstance(raw.source, int) and raw.source_pan_id is not None:
        told: Any = parse_whole(_LAYER, _BEACON, rest)
        shown = told.superframe
        where = (raw.sequence, raw.source_pan_id, raw.source)
        return Beacon(*where, shown.permit, shown.coordinator, told.payload)
    return _command(raw, rest) if kind == FrameType.COMMAND and rest else None


def _command(raw: Any, rest: bytes) -> MacAny | None:
    number, rest = rest[0], rest[1:]
    long_source, long_to = isinstance(raw.source, Eui64), isinstance(raw.destination, Eui64)
    where = (raw.sequence, raw.pan_id, raw.destination)
    if number == MacCommandId.BEACON_REQUEST:
        return BeaconRequest(raw.sequence)
    if number == MacCommandId.ASSOCIATION_REQUEST and long_source and not long_to and rest:
        return AssociationRequest(*where, raw.source, rest[0])
    if number == MacCommandId.ASSOCIATION_RESPONSE and long_source and long_to:
        told: Any = parse_whole(_LAYER, _ASSOCIATION_RESPONSE, rest)
        return AssociationResponse(*where, raw.source, told.short, told.status)
    if number == MacCommandId.DATA_REQUEST and not long_to and raw.source is not None:
        return DataRequest(*where, raw.source)
    return None
