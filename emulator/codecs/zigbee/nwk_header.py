"""The Zigbee network header of any frame: data or command, secured or not."""

from dataclasses import dataclass
from typing import Any, Final

import construct as c

from emulator.codecs.zigbee.blocks import Eui64LittleEndian, Row, build, parse_part
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

_LAYER: Final = "zigbee.nwk_header"
_VERSION: Final = 2
_DATA, _COMMAND = 0, 1

_FORMAT: Final = c.Struct(
    "control"
    / c.ByteSwapped(
        c.BitStruct(
            c.Const(0, c.BitsInteger(2)),
            "from_end_device" / c.Flag,
            "has_source_eui64" / c.Flag,
            "has_destination_eui64" / c.Flag,
            "has_relays" / c.Flag,
            "secured" / c.Flag,
            "multicast" / c.Const(0, c.BitsInteger(1)),
            "discover_route" / c.BitsInteger(2),
            "version" / c.Const(_VERSION, c.BitsInteger(4)),
            "frame_type" / c.BitsInteger(2),
        )
    ),
    "destination" / c.Int16ul,
    "source" / c.Int16ul,
    "radius" / c.Int8ul,
    "sequence" / c.Int8ul,
    "destination_eui64" / c.If(c.this.control.has_destination_eui64, Eui64LittleEndian()),
    "source_eui64" / c.If(c.this.control.has_source_eui64, Eui64LittleEndian()),
    "relays"
    / c.If(
        c.this.control.has_relays,
        c.Struct(
            "count" / c.Rebuild(c.Int8ul, c.len_(c.this.shorts)),
            "index" / c.Int8ul,
            "shorts" / Row(c.Array(c.this.count, c.Int16ul)),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class NwkHeader:
    """A network header.

    Attributes:
        destination: Short address, 16 bits.
        source: Short address, 16 bits.
        radius: Hops it may still make.
        sequence: NWK sequence number.
        command: Whether a network command follows; else an APS frame.
        secured: Whether an auxiliary header follows.
        destination_eui64: Extended address of the destination, where it is there.
        source_eui64: Extended address of the source, where it is there.
        discover_route: 0 no, 1 where needed.
        from_end_device: Whether an end device began it.
        relays: Nodes of a source route, and the index of the next; None: there is none.
    """

    destination: int
    source: int
    radius: int
    sequence: int
    command: bool = False
    secured: bool = False
    destination_eui64: Eui64 | None = None
    source_eui64: Eui64 | None = None
    discover_route: int = 0
    from_end_device: bool = False
    relays: tuple[int, tuple[int, ...]] | None = None


def encode(header: NwkHeader) -> bytes:
    """Write a network header.

    Raises:
        ValueError: A field is out of range.
    """
    relays = header.relays
    values = {
        "control": {
            "from_end_device": header.from_end_device,
            "has_source_eui64": header.source_eui64 is not None,
            "has_destination_eui64": header.destination_eui64 is not None,
            "has_relays": relays is not None,
            "secured": header.secured,
            "discover_route": header.discover_route,
            "frame_type": _COMMAND if header.command else _DATA,
        },
        "destination": header.destination,
        "source": header.source,
        "radius": header.radius,
        "sequence": header.sequence,
        "destination_eui64": header.destination_eui64,
        "source_eui64": header.source_eui64,
        "relays": None if relays is None else {"index": relays[0], "shorts": relays[1]},
    }
    return build(_LAYER, _FORMAT, values)


def decode(data: bytes) -> tuple[NwkHeader, int]:
    """Read the network header that ``data`` begins with; return it and the offset behind it.

    Raises:
        MalformedFrameError: Too short, or not a data or command frame of protocol version 2.

    Source:
        Zigbee specification 05-3474, 3.3.1; checked with tshark 4.0.17.
    """
    raw: Any
    raw, end = parse_part(_LAYER, _FORMAT, data)
    control = raw.control
    if control.frame_type not in {_DATA, _COMMAND}:
        raise MalformedFrameError(_LAYER, data, f"frame type {control.frame_type}", 0)
    return NwkHeader(
        raw.destination,
        raw.source,
        raw.radius,
        raw.sequence,
        control.frame_type == _COMMAND,
        control.secured,
        raw.destination_eui64,
        raw.source_eui64,
        control.discover_route,
        control.from_end_device,
        None if raw.relays is None else (raw.relays.index, raw.relays.shorts),
    ), end
