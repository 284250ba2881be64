"""The ZCL frame: header and payload of every message between clusters."""

from dataclasses import dataclass
from struct import Struct, error
from typing import Final

import construct as c

from emulator.codecs.zigbee.blocks import build, parse_part
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick

#: Octets of a header without manufacturer code.
HEADER_BYTES: Final = 3

_LAYER: Final = "zcl.frame"
_CLUSTER, _MANUFACTURER, _TO_CLIENT, _NO_DEFAULT = 0x01, 0x04, 0x08, 0x10
_PLAIN_CONTROLS: Final = frozenset({0x00, 0x01, 0x08, 0x09, 0x10, 0x11, 0x18, 0x19})
_HEADER: Final = Struct("<BBB")

_FORMAT: Final = c.Struct(
    "control"
    / c.BitStruct(
        "reserved" / c.BitsInteger(3),
        "disable_default_response" / c.Flag,
        "server_to_client" / c.Flag,
        "manufacturer_specific" / c.Flag,
        "frame_type" / c.BitsInteger(2),
    ),
    "manufacturer_code" / c.If(c.this.control.manufacturer_specific, c.Int16ul),
    "sequence" / c.Int8ul,
    "command" / c.Int8ul,
)


@quick
@dataclass(frozen=True, slots=True)
class ZclFrame:
    """One ZCL frame.

    Attributes:
        cluster_specific: True for a command of the cluster, False for a foundation command.
        server_to_client: Direction.
        disable_default_response: Ask for no Default Response unless something is wrong.
        sequence: Transaction number, one octet; an answer repeats it.
        command: Command identifier, one octet.
        payload: What follows the header.
        manufacturer_code: Of a manufacturer's own command, else None.
    """

    cluster_specific: bool
    server_to_client: bool
    disable_default_response: bool
    sequence: int
    command: int
    payload: bytes
    manufacturer_code: int | None = None


def decode(data: bytes) -> ZclFrame:
    """Read one ZCL frame.

    Raises:
        MalformedFrameError: Too short, a reserved frame type, or reserved bits set.

    Source:
        Zigbee Cluster Library 075123, 2.4.1; checked with tshark 4.0.17.
    """
    if len(data) >= HEADER_BYTES and data[0] in _PLAIN_CONTROLS:
        control, sequence, command = _HEADER.unpack_from(data)
        return ZclFrame(
            bool(control & _CLUSTER),
            bool(control & _TO_CLIENT),
            bool(control & _NO_DEFAULT),
            sequence,
            command,
            data[HEADER_BYTES:],
        )
    return _decode_declared(data)


def encode(frame: ZclFrame) -> bytes:
    """Write one ZCL frame.

    Raises:
        ValueError: A field is out of range.
    """
    if frame.manufacturer_code is not None:
        return _encode_declared(frame)
    control = (
        (_CLUSTER if frame.cluster_specific else 0)
        | (_TO_CLIENT if frame.server_to_client else 0)
        | (_NO_DEFAULT if frame.disable_default_response else 0)
    )
    try:
        return _HEADER.pack(control, frame.sequence, frame.command) + frame.payload
    except error as wrong:
        raise ValueError(f"{_LAYER}: {wrong}") from wrong


def encode_command(
    sequence: int,
    command: int,
    payload: bytes,
    *,
    server_to_client: bool,
    disable_default_response: bool,
) -> bytes:
    """Write the frame of a command of the cluster, without a manufacturer code.

    Raises:
        ValueError: A field is out of range.
    """
    way = _TO_CLIENT if server_to_client else 0
    control = _CLUSTER | way | (_NO_DEFAULT if disable_default_response else 0)
    try:
        return _HEADER.pack(control, sequence, command) + payload
    except error as wrong:
        raise ValueError(f"{_LAYER}: {wrong}") from wrong


def _decode_declared(data: bytes) -> ZclFrame:
    raw, end = parse_part(_LAYER, _FORMAT, data)
    if raw.control.frame_type > 1:
        raise MalformedFrameError(_LAYER, data, f"frame type {raw.control.frame_type} reserved", 0)
    if raw.control.reserved:
        raise MalformedFrameError(_LAYER, data, "a reserved bit of the frame control is set", 0)
    return ZclFrame(
        bool(raw.control.frame_type),
        bool(raw.control.server_to_client),
        bool(raw.control.disable_default_response),
        raw.sequence,
        raw.command,
        data[end:],
        raw.manufacturer_code,
    )


def _encode_declared(frame: ZclFrame) -> bytes:
    values = {
        "control": {
            "reserved": 0,
            "disable_default_response": frame.disable_default_response,
            "server_to_client": frame.server_to_client,
            "manufacturer_specific": frame.manufacturer_code is not None,
            "frame_type": int(frame.cluster_specific),
        },
        "manufacturer_code": frame.manufacturer_code,
        "sequence": frame.sequence,
        "command": frame.command,
    }
    return build(_LAYER, _FORMAT, values) + frame.payload
