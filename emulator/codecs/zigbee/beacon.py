"""The payload of a Zigbee beacon: which network this is, and who may still join it."""

from dataclasses import dataclass
from typing import Any, Final

import construct as c

from emulator.codecs.zigbee.blocks import Eui64LittleEndian, build, parse_whole
from emulator.core.ids import Eui64

#: Zigbee PRO.
STACK_PROFILE: Final = 2
_LAYER: Final = "zigbee.beacon"
_VERSION: Final = 2
#: Offset of a beacon's time in networks that have none.
_NO_OFFSET: Final = b"\xff\xff\xff"

_FORMAT: Final = c.Struct(
    "protocol" / c.Const(0, c.Int8ul),
    "kind"
    / c.BitStruct(
        "version" / c.Const(_VERSION, c.BitsInteger(4)), "stack_profile" / c.BitsInteger(4)
    ),
    "room"
    / c.BitStruct(
        "end_devices" / c.Flag,
        "depth" / c.BitsInteger(4),
        "routers" / c.Flag,
        c.Const(0, c.BitsInteger(2)),
    ),
    "extended_pan_id" / Eui64LittleEndian(),
    "offset" / c.Const(_NO_OFFSET),
    "update_id" / c.Int8ul,
)


@dataclass(frozen=True, slots=True)
class BeaconPayload:
    """What a Zigbee beacon says besides its MAC header.

    Attributes:
        extended_pan_id: In a GB HAN the EUI-64 of the CHF.
        routers: Whether there is room for routers.
        end_devices: Whether there is room for end devices.
        depth: Hops from the coordinator.
        update_id: Counts changes of the network's parameters.
        stack_profile: 2: Zigbee PRO.
    """

    extended_pan_id: Eui64
    routers: bool = True
    end_devices: bool = True
    depth: int = 0
    update_id: int = 0
    stack_profile: int = STACK_PROFILE


def encode(payload: BeaconPayload) -> bytes:
    """Write the 15 octets of a beacon's payload.

    Raises:
        ValueError: A field is out of range.
    """
    values = {
        "protocol": 0,
        "kind": {"version": _VERSION, "stack_profile": payload.stack_profile},
        "room": {
            "end_devices": payload.end_devices,
            "depth": payload.depth,
            "routers": payload.routers,
        },
        "extended_pan_id": payload.extended_pan_id,
        "offset": _NO_OFFSET,
        "update_id": payload.update_id,
    }
    return build(_LAYER, _FORMAT, values)


def decode(data: bytes) -> BeaconPayload:
    """Read a beacon's payload.

    Raises:
        MalformedFrameError: No Zigbee beacon of protocol version 2.

    Source:
        Zigbee specification 05-3474, 3.6.7; checked with tshark 4.0.17.
    """
    raw: Any = parse_whole(_LAYER, _FORMAT, data)
    room = raw.room
    return BeaconPayload(
        raw.extended_pan_id,
        room.routers,
        room.end_devices,
        room.depth,
        raw.update_id,
        raw.kind.stack_profile,
    )
