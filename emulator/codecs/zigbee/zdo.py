"""Zigbee device objects: the requests a node answers about itself, and the answers."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct, error
from typing import Final

from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

#: Profile of device objects; they live on endpoint 0.
PROFILE: Final = 0x0000
ENDPOINT: Final = 0
#: What the cluster of an answer has more than that of its request.
RESPONSE: Final = 0x8000
_LAYER: Final = "zigbee.zdo"
_SHORT: Final = Struct("<H")
_NOBODY: Final = Eui64(bytes(8))


class ZdoCluster(enum.IntEnum):
    """Requests and announcements.

    Source:
        Zigbee specification, table 2-43 (known).
    """

    NWK_ADDRESS = 0x0000
    IEEE_ADDRESS = 0x0001
    NODE_DESCRIPTOR = 0x0002
    POWER_DESCRIPTOR = 0x0003
    SIMPLE_DESCRIPTOR = 0x0004
    ACTIVE_ENDPOINTS = 0x0005
    MATCH_DESCRIPTOR = 0x0006
    DEVICE_ANNOUNCE = 0x0013
    PARENT_ANNOUNCE = 0x001F
    BIND = 0x0021
    UNBIND = 0x0022
    MGMT_LQI = 0x0031
    MGMT_RTG = 0x0032
    MGMT_BIND = 0x0033
    MGMT_LEAVE = 0x0034
    MGMT_PERMIT_JOINING = 0x0036


class ZdoStatus(enum.IntEnum):
    """Outcomes of a request."""

    SUCCESS = 0x00
    INVALID_REQUEST_TYPE = 0x80
    DEVICE_NOT_FOUND = 0x81
    INVALID_ENDPOINT = 0x82
    NOT_ACTIVE = 0x83
    NOT_SUPPORTED = 0x84
    NOT_PERMITTED = 0x8B
    TABLE_FULL = 0x8C


class Capability(enum.IntFlag):
    """What a node says of itself when it joins."""

    FULL_FUNCTION = 0x02
    MAINS_POWER = 0x04
    RECEIVER_ON_WHEN_IDLE = 0x08
    ALLOCATE_ADDRESS = 0x80


@dataclass(frozen=True, slots=True)
class SimpleDescriptor:
    """One endpoint of a node.

    Attributes:
        endpoint: 1 to 254.
        profile: Application profile.
        device: Device identifier.
        version: Of the device, 4 bits.
        inputs: Clusters it serves.
        outputs: Clusters it uses.
    """

    endpoint: int
    profile: int
    device: int
    version: int = 0
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """Write it as a Simple Descriptor Response carries it, without its length."""
        head = Struct("<BHHB").pack(self.endpoint, self.profile, self.device, self.version & 0x0F)
        return head + _list(self.inputs) + _list(self.outputs)


@dataclass(frozen=True, slots=True)
class NodeDescriptor:
    """What a node is.

    Attributes:
        logical_type: 0 coordinator, 1 router, 2 end device.
        capability: `Capability`.
        manufacturer: Code of its maker.
        max_buffer: Longest NWK payload it takes.
        max_transfer: Longest ASDU it takes, fragments put together.
        server_mask: Services, e.g. 0x0001 primary trust centre; revision in the upper bits.
    """

    logical_type: int
    capability: int
    manufacturer: int
    max_buffer: int = 82
    max_transfer: int = 1500
    server_mask: int = 0x2C00

    def encode(self) -> bytes:
        """Write its 13 octets."""
        octets = (self.logical_type & 7, 0x40, self.capability)  # 0x40: the 2.4 GHz band
        tail = (self.max_buffer, self.max_transfer, self.server_mask, self.max_transfer, 0)
        return bytes(octets) + Struct("<HBHHHB").pack(self.manufacturer, *tail)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A node as a Mgmt LQI Response tells of it.

    Attributes:
        extended_pan_id: Of the network.
        eui64: The node's.
        short: Its short address.
        device_type: 0 coordinator, 1 router, 2 end device.
        receiver_on: Whether it listens when idle.
        child: Whether it is a child of who answers (else it is a sibling).
        lqi: Link quality.
    """

    extended_pan_id: Eui64
    eui64: Eui64
    short: int
    device_type: int
    receiver_on: bool
    child: bool
    lqi: int

    def encode(self) -> bytes:
        """Write its 22 octets."""
        kind = self.device_type | self.receiver_on << 2 | (1 if self.child else 2) << 4
        ids = self.extended_pan_id.octets[::-1] + self.eui64.octets[::-1]
        return ids + Struct("<HBBBB").pack(self.short, kind, 2, 1 if self.child else 0, self.lqi)


@dataclass(frozen=True, slots=True)
class ZdoRequest:
    """A request or an announcement; fields that its cluster has not stay as they are here.

    Attributes:
        cluster: `ZdoCluster` or any other.
        sequence: Transaction number.
        short: The node it asks about, or announces.
        eui64: Likewise.
        start: First row asked for; of an address request: 1 asks for associated nodes too.
        endpoint: Endpoint asked for.
        profile: Profile looked for.
        inputs: Clusters looked for.
        outputs: Clusters looked for.
        flags: Of a leave: bit 7 rejoin; of an announcement: `Capability`.
        duration_s: Of a permission to join.
    """

    cluster: int
    sequence: int
    short: int = 0xFFFF
    eui64: Eui64 = _NOBODY
    start: int = 0
    endpoint: int = 0
    profile: int = 0
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    flags: int = 0
    duration_s: int = 0


_OF_A_NODE: Final = frozenset(
    {
        ZdoCluster.NODE_DESCRIPTOR,
        ZdoCluster.POWER_DESCRIPTOR,
        ZdoCluster.ACTIVE_ENDPOINTS,
    }
)
_TABLES: Final = frozenset({ZdoCluster.MGMT_LQI, ZdoCluster.MGMT_RTG, ZdoCluster.MGMT_BIND})


def decode_request(cluster: int, payload: bytes) -> ZdoRequest:
    """Read a request or an announcement; of clusters not known here only the number.

    Raises:
        MalformedFrameError: Too short.
    """
    try:
        return _decode(cluster, payload)
    except (error, IndexError, ValueError) as caught:
        raise MalformedFrameError(_LAYER, payload, f"cluster {cluster:#06x}: {caught}") from caught


def _decode(cluster: int, data: bytes) -> ZdoRequest:  # noqa: PLR0911 - one for each form
    sequence = data[0]
    if cluster == ZdoCluster.NWK_ADDRESS:
        return ZdoRequest(cluster, sequence, eui64=_eui64(data, 1), start=data[9])
    if cluster == ZdoCluster.IEEE_ADDRESS:
        return ZdoRequest(cluster, sequence, _u16(data, 1), start=data[3])
    if cluster in _OF_A_NODE:
        return ZdoRequest(cluster, sequence, _u16(data, 1))
    if cluster == ZdoCluster.SIMPLE_DESCRIPTOR:
        return ZdoRequest(cluster, sequence, _u16(data, 1), endpoint=data[3])
    if cluster == ZdoCluster.MATCH_DESCRIPTOR:
        inputs, at = _read_list(data, 5)
        outputs, _end = _read_list(data, at)
        profile = _u16(data, 3)
        return ZdoRequest(
            cluster, sequence, _u16(data, 1), profile=profile, inputs=inputs, outputs=outputs
        )
    if cluster == ZdoCluster.DEVICE_ANNOUNCE:
        return ZdoRequest(cluster, sequence, _u16(data, 1), _eui64(data, 3), flags=data[11])
    if cluster in _TABLES:
        return ZdoRequest(cluster, sequence, start=data[1])
    if cluster == ZdoCluster.MGMT_LEAVE:
        return ZdoRequest(cluster, sequence, eui64=_eui64(data, 1), flags=data[9])
    if cluster == ZdoCluster.MGMT_PERMIT_JOINING:
        return ZdoRequest(cluster, sequence, duration_s=data[1])
    return ZdoRequest(cluster, sequence)


def device_announce(sequence: int, short: int, eui64: Eui64, capability: int) -> bytes:
    """Write a Device Announce."""
    return bytes((sequence,)) + _SHORT.pack(short) + eui64.octets[::-1] + bytes((capability,))


def match_request(sequence: int, short: int, profile: int, inputs: tuple[int, ...]) -> bytes:
    """Write a Match Descriptor Request for a server of any of these clusters."""
    head = bytes((sequence,)) + Struct("<HH").pack(short, profile)
    return head + _list(inputs) + _list(())


def read_match(payload: bytes) -> tuple[int, ...]:
    """Return the endpoints of a Match Descriptor Response; none of one that tells none."""
    count = payload[4] if len(payload) > 4 and not payload[1] else 0
    return tuple(payload[5 : 5 + count])


def address_answer(sequence: int, status: int, eui64: Eui64, short: int) -> bytes:
    """Write a NWK or IEEE Address Response."""
    return bytes((sequence, status)) + eui64.octets[::-1] + _SHORT.pack(short)


def node_answer(sequence: int, status: int, short: int, rest: bytes = b"") -> bytes:
    """Write an answer about a node: status, its short address, what was asked for."""
    return bytes((sequence, status)) + _SHORT.pack(short) + rest


def table_answer(sequence: int, rows: Sequence[bytes], start: int, most: int) -> bytes:
    """Write rows of a table from ``start`` on, at most ``most`` of them."""
    told = rows[start : start + most]
    return bytes((sequence, ZdoStatus.SUCCESS, len(rows), start, len(told))) + b"".join(told)


def status_answer(sequence: int, status: int) -> bytes:
    """Write an answer that is a status alone."""
    return bytes((sequence, status))


def _list(clusters: tuple[int, ...]) -> bytes:
    return bytes((len(clusters),)) + b"".join(map(_SHORT.pack, clusters))


def _read_list(data: bytes, at: int) -> tuple[tuple[int, ...], int]:
    end = at + 1 + 2 * data[at]
    return tuple(_u16(data, place) for place in range(at + 1, end, 2)), end


def _u16(data: bytes, at: int) -> int:
    value: int = _SHORT.unpack_from(data, at)[0]
    return value


def _eui64(data: bytes, at: int) -> Eui64:
    return Eui64(data[at : at + 8][::-1])
