"""Zigbee network-layer data frames, protocol version 2, without security header."""

from dataclasses import dataclass
from struct import Struct, error
from typing import Final

import construct as c

from emulator.codecs.zigbee.blocks import Eui64LittleEndian, build, parse_part
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.core.values import quick

#: Short addresses with a meaning: everybody, receivers that stay on, routers and coordinator.
BROADCAST_ALL: Final = 0xFFFF
BROADCAST_RX_ON: Final = 0xFFFD
BROADCAST_ROUTERS: Final = 0xFFFC
#: Octets of the header without extended addresses.
HEADER_BYTES: Final = 8

_LAYER: Final = "zigbee.nwk"
_PLAIN: Final = 0x0008  # data frame, protocol version 2, nothing else
_HEADER: Final = Struct("<HHHBB")

_CONTROL: Final = c.ByteSwapped(
    c.BitStruct(
        c.Padding(2),
        "end_device_initiator" / c.Flag,
        "has_source_eui64" / c.Flag,
        "has_destination_eui64" / c.Flag,
        "source_route" / c.Flag,
        "security" / c.Flag,
        "multicast" / c.Flag,
        "discover_route" / c.BitsInteger(2),
        "version" / c.BitsInteger(4),
        "frame_type" / c.BitsInteger(2),
    )
)
_FORMAT: Final = c.Struct(
    "control" / _CONTROL,
    "destination" / c.Int16ul,
    "source" / c.Int16ul,
    "radius" / c.Int8ul,
    "sequence" / c.Int8ul,
    "destination_eui64" / c.If(c.this.control.has_destination_eui64, Eui64LittleEndian()),
    "source_eui64" / c.If(c.this.control.has_source_eui64, Eui64LittleEndian()),
)
_RESERVED: Final = 0xC000


@quick
@dataclass(frozen=True, slots=True)
class NwkFrame:
    """One network data frame.

    No security header in this phase: on a real HAN the payload is encrypted under the network key;
    that arrives with the dongle.

    Attributes:
        destination: Short address, 16 bits.
        source: Short address, 16 bits.
        radius: Hops it may still make, 1 to 255.
        sequence: NWK sequence number, one octet.
        payload: The APS frame.
        destination_eui64: Extended address of the destination, where the header carries it.
        source_eui64: Extended address of the source, where the header carries it.
    """

    destination: int
    source: int
    radius: int
    sequence: int
    payload: bytes
    destination_eui64: Eui64 | None = None
    source_eui64: Eui64 | None = None


def decode(data: bytes) -> NwkFrame:
    """Read one NWK data frame (the payload of a MAC data frame).

    Raises:
        MalformedFrameError: Too short, or not an unsecured unicast or broadcast data frame of
            protocol version 2.

    Source:
        Zigbee specification 05-3474, 3.3.1 and 3.3.2.1; checked with tshark 4.0.17.
    """
    if data[:2] == b"\x08\x00" and len(data) >= HEADER_BYTES:
        _, destination, source, radius, sequence = _HEADER.unpack_from(data)
        return NwkFrame(destination, source, radius, sequence, data[HEADER_BYTES:])
    return _decode_declared(data)


def encode(frame: NwkFrame) -> bytes:
    """Write one NWK data frame.

    Raises:
        ValueError: A field is out of range.
    """
    if frame.destination_eui64 is not None or frame.source_eui64 is not None:
        return _encode_declared(frame)
    try:
        header = _HEADER.pack(_PLAIN, frame.destination, frame.source, frame.radius, frame.sequence)
    except error as wrong:
        raise ValueError(f"{_LAYER}: {wrong}") from wrong
    return header + frame.payload


def _decode_declared(data: bytes) -> NwkFrame:
    raw, end = parse_part(_LAYER, _FORMAT, data)
    control = raw.control
    refusals = (
        (control.frame_type != 0, f"frame type {control.frame_type} is not data"),
        (control.version != 2, f"protocol version {control.version} is not 2"),
        (control.security, "a security header is announced; this phase has none"),
        (control.multicast, "multicast is not used on the GB HAN"),
        (control.source_route, "source routing is not used here"),
        (control.discover_route, "route discovery is not used here"),
        (control.end_device_initiator, "the end device initiator bit is not used here"),
        (data[1] & _RESERVED >> 8, "a reserved bit of the frame control is set"),
    )
    for wrong, why in refusals:
        if wrong:
            raise MalformedFrameError(_LAYER, data, why, 0)
    return NwkFrame(
        raw.destination,
        raw.source,
        raw.radius,
        raw.sequence,
        data[end:],
        raw.destination_eui64,
        raw.source_eui64,
    )


def _encode_declared(frame: NwkFrame) -> bytes:
    control = {
        "end_device_initiator": False,
        "has_source_eui64": frame.source_eui64 is not None,
        "has_destination_eui64": frame.destination_eui64 is not None,
        "source_route": False,
        "security": False,
        "multicast": False,
        "discover_route": 0,
        "version": 2,
        "frame_type": 0,
    }
    fields = (
        "destination", "source", "radius", "sequence", "destination_eui64", "source_eui64"
    )  # fmt: skip
    values = {"control": control, **{name: getattr(frame, name) for name in fields}}
    return build(_LAYER, _FORMAT, values) + frame.payload
