"""Answers to Zigbee device object requests, for any node: NCP and emulated devices alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.zigbee import zdo
from emulator.codecs.zigbee.zdo import (
    NodeDescriptor,
    SimpleDescriptor,
    ZdoCluster,
    ZdoRequest,
    ZdoStatus,
)
from emulator.core.ids import Eui64

#: Rows of a table that fit one answer. Source: known (22 octets each in about 80).
LQI_ROWS: Final = 3
#: Power descriptor of a node on the mains; of one with a battery. Source: known (layout).
_MAINS: Final = (0xC110).to_bytes(2, "little")
_BATTERY: Final = (0xC440).to_bytes(2, "little")
_ANY_PROFILE: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Described:
    """What a node says of itself.

    Attributes:
        eui64: Its own address.
        short: Its short address.
        node: Its node descriptor.
        endpoints: Its endpoints.
        mains: Whether it is on the mains.
        neighbours: Nodes it hears, encoded.
    """

    eui64: Eui64
    short: int
    node: NodeDescriptor
    endpoints: tuple[SimpleDescriptor, ...]
    mains: bool = True
    neighbours: Sequence[bytes] = field(default=())


def answer(described: Described, request: ZdoRequest, *, everybody: bool) -> bytes | None:
    """Return the payload of the answer to a request.

    Args:
        described: Who is asked.
        request: What is asked.
        everybody: Whether it was broadcast: then a node that is not meant keeps silent.

    Returns:
        None: no answer is due.
    """
    about_address = {ZdoCluster.NWK_ADDRESS, ZdoCluster.IEEE_ADDRESS}
    if request.cluster in about_address:
        return _address(described, request, everybody=everybody)
    if request.cluster in _ABOUT_NODE:
        return _about(described, request, everybody=everybody)
    if request.cluster == ZdoCluster.MGMT_LQI:
        rows = described.neighbours
        return zdo.table_answer(request.sequence, rows, request.start, LQI_ROWS)
    if request.cluster in {ZdoCluster.MGMT_RTG, ZdoCluster.MGMT_BIND}:
        return zdo.table_answer(request.sequence, (), request.start, LQI_ROWS)
    if everybody or request.cluster & zdo.RESPONSE:
        return None
    return zdo.status_answer(request.sequence, ZdoStatus.NOT_SUPPORTED)


def _address(described: Described, request: ZdoRequest, *, everybody: bool) -> bytes | None:
    by_eui64 = request.cluster == ZdoCluster.NWK_ADDRESS
    meant = request.eui64 == described.eui64 if by_eui64 else request.short == described.short
    if meant:
        told = (described.eui64, described.short)
        return zdo.address_answer(request.sequence, ZdoStatus.SUCCESS, *told)
    if everybody:
        return None
    missing = (request.eui64, request.short)
    return zdo.address_answer(request.sequence, ZdoStatus.DEVICE_NOT_FOUND, *missing)


_ABOUT_NODE: Final = frozenset(
    {
        ZdoCluster.NODE_DESCRIPTOR,
        ZdoCluster.POWER_DESCRIPTOR,
        ZdoCluster.SIMPLE_DESCRIPTOR,
        ZdoCluster.ACTIVE_ENDPOINTS,
        ZdoCluster.MATCH_DESCRIPTOR,
    }
)


def _about(described: Described, request: ZdoRequest, *, everybody: bool) -> bytes | None:
    match = request.cluster == ZdoCluster.MATCH_DESCRIPTOR
    if request.short != described.short and not (match and request.short >= 0xFFF8):
        if everybody:
            return None
        missing = b"\x00" if request.cluster in _WITH_LENGTH else b""
        status = ZdoStatus.DEVICE_NOT_FOUND
        return zdo.node_answer(request.sequence, status, request.short, missing)
    status, rest = _rest(described, request)
    if match and everybody and rest == b"\x00":
        return None
    return zdo.node_answer(request.sequence, status, described.short, rest)


_WITH_LENGTH: Final = frozenset(
    {
        ZdoCluster.SIMPLE_DESCRIPTOR,
        ZdoCluster.ACTIVE_ENDPOINTS,
        ZdoCluster.MATCH_DESCRIPTOR,
    }
)


def _rest(described: Described, request: ZdoRequest) -> tuple[ZdoStatus, bytes]:
    if request.cluster == ZdoCluster.NODE_DESCRIPTOR:
        return ZdoStatus.SUCCESS, described.node.encode()
    if request.cluster == ZdoCluster.POWER_DESCRIPTOR:
        return ZdoStatus.SUCCESS, _MAINS if described.mains else _BATTERY
    if request.cluster == ZdoCluster.SIMPLE_DESCRIPTOR:
        return _simple(described, request.endpoint)
    wanted = described.endpoints
    if request.cluster == ZdoCluster.MATCH_DESCRIPTOR:
        wanted = tuple(row for row in wanted if _matches(row, request))
    numbers = bytes(row.endpoint for row in wanted)
    return ZdoStatus.SUCCESS, bytes((len(numbers),)) + numbers


def _simple(described: Described, endpoint: int) -> tuple[ZdoStatus, bytes]:
    for row in described.endpoints:
        if row.endpoint == endpoint:
            octets = row.encode()
            return ZdoStatus.SUCCESS, bytes((len(octets),)) + octets
    known = 1 <= endpoint <= 254
    return ZdoStatus.NOT_ACTIVE if known else ZdoStatus.INVALID_ENDPOINT, b"\x00"


def _matches(row: SimpleDescriptor, request: ZdoRequest) -> bool:
    if request.profile not in {row.profile, _ANY_PROFILE}:
        return False
    served = set(row.inputs) & set(request.inputs)
    return bool(served or set(row.outputs) & set(request.outputs))
