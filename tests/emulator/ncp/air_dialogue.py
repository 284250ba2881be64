"""A small network, and one frame of every kind that is said on it."""

from typing import Final

from emulator.codecs.zigbee import zdo
from emulator.codecs.zigbee.aps import ApsAck, ApsFrame, Fragment, FragmentAck
from emulator.codecs.zigbee.nwk_commands import Link
from emulator.core.ids import Eui64
from emulator.crypto.install_code import WELL_KNOWN_LINK_KEY
from emulator.ncp.air_octets import AirOctets
from emulator.ncp.radio_frames import (
    EVERYBODY,
    LINK_KEY,
    LISTENING,
    NETWORK_KEY,
    NO_SHORT,
    Announcement,
    AssociationRequest,
    AssociationResponse,
    ConfirmKey,
    DataFrame,
    LeaveOrder,
    Left,
    Poll,
    RadioFrame,
    RequestKey,
    TransportKey,
    UpdateDevice,
    VerifyKey,
)

HUB: Final = Eui64.parse("02-11-22-33-44-55-66-77")
NODE: Final = Eui64.parse("02-AA-BB-CC-DD-EE-FF-01")
CHILD: Final = Eui64.parse("02-AA-BB-CC-DD-EE-FF-02")
NETWORK: Final = bytes(range(0x10, 0x20))
LINK: Final = bytes(range(0x30, 0x40))
NEW_LINK: Final = bytes(range(0x50, 0x60))
NODE_SHORT: Final = 0x1A2B
CHILD_SHORT: Final = 0x3C4D
PAN: Final = 0xBEEF
CHANNEL: Final = 15
SHOWN: Final = Announcement(HUB, PAN, CHANNEL, True, HUB, NETWORK)
#: Reads the Basic cluster: a ZCL frame of five octets.
_ZCL: Final = bytes.fromhex("0001000400")


def _metering(payload: bytes = _ZCL, fragment: Fragment | None = None) -> ApsFrame:
    return ApsFrame(1, 1, 0x0702, 7, payload, ack_request=True, fragment=fragment)


def dialogue() -> list[RadioFrame]:
    """Return a join, keys, messages, a child behind the router, a rejoin and a farewell."""
    announced = zdo.device_announce(1, NODE_SHORT, NODE, 0x8E)
    announce = ApsFrame(0, 0, 0x0013, 1, announced, zdo.PROFILE)
    window = FragmentAck(0, 0xFF)
    return [
        AssociationRequest(NODE, 0x8E, pan_id=PAN),
        AssociationResponse(NODE, NODE_SHORT, 0),
        TransportKey(NODE, NETWORK, NETWORK_KEY, 0, HUB, LINK),
        DataFrame(NODE_SHORT, EVERYBODY, announce, NETWORK),
        RequestKey(NODE_SHORT, NODE),
        TransportKey(NODE, NEW_LINK, LINK_KEY, 0, HUB, LINK),
        VerifyKey(NODE_SHORT, NODE, NEW_LINK),
        ConfirmKey(NODE, 0),
        DataFrame(0, NODE_SHORT, ApsFrame(1, 1, 0x0000, 2, _ZCL, ack_request=True), NETWORK),
        DataFrame(NODE_SHORT, 0, ApsAck(1, 1, 0x0000, 2), NETWORK),
        DataFrame(0, NODE_SHORT, _metering(), NETWORK, NEW_LINK),
        DataFrame(NODE_SHORT, 0, ApsAck(1, 1, 0x0702, 7), NETWORK, NEW_LINK),
        DataFrame(0, NODE_SHORT, _metering(bytes(64), Fragment(True, 2)), NETWORK, NEW_LINK),
        DataFrame(NODE_SHORT, 0, ApsAck(1, 1, 0x0702, 7, fragments=window), NETWORK, NEW_LINK),
        DataFrame(0, NODE_SHORT, _metering(bytes(9), Fragment(False, 1)), NETWORK, NEW_LINK),
        DataFrame(0, LISTENING, ApsFrame(0xFF, 1, 0x0000, 3, _ZCL), NETWORK, group=0x0102),
        UpdateDevice(NODE_SHORT, CHILD, CHILD_SHORT, 1),
        TransportKey(CHILD, NETWORK, NETWORK_KEY, 0, HUB, WELL_KNOWN_LINK_KEY, NODE_SHORT),
        LeaveOrder(CHILD, via=NODE_SHORT),
        Poll(NODE_SHORT),
        AssociationRequest(NODE, 0x8E, NODE_SHORT, NETWORK),
        AssociationResponse(NODE, NODE_SHORT, 0),
        LeaveOrder(NODE, rejoin=True),
        Left(NODE_SHORT, NODE, rejoin=True),
        AssociationRequest(CHILD, 0x80, pan_id=PAN),
        AssociationResponse(CHILD, NO_SHORT, 2),
    ]


def written(frames: list[RadioFrame]) -> list[bytes]:
    """Return the octets of frames, after a beacon request and a beacon, before a link status."""
    writer = AirOctets(SHOWN)
    said = [writer.beacon_request(NODE), writer.beacon()]
    for frame in frames:
        said += writer.write(frame)
    said.append(writer.link_status((Link(NODE_SHORT, 1, 1),)))
    return [one.octets for one in said]
