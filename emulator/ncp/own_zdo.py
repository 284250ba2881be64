"""The NCP's own device objects: what it answers itself, and what it leaves to the host."""

from functools import partial
from typing import Final

from emulator.codecs.ezsp.identifiers import ConfigId, IncomingType, NodeType
from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.zigbee import aps, zdo
from emulator.codecs.zigbee.zdo import (
    Capability,
    Neighbour,
    NodeDescriptor,
    SimpleDescriptor,
    ZdoCluster,
    ZdoRequest,
    ZdoStatus,
)
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.ncp import permission, zdo_server
from emulator.ncp.hearing_hub import leave_as_told
from emulator.ncp.memory import Node, capability_of
from emulator.ncp.sending import data_frame, put
from emulator.ncp.state import NcpState
from emulator.ncp.zdo_server import Described

#: Bits of CONFIG_APPLICATION_ZDO_FLAGS. Source: UG100, EmberZdoConfigurationFlags.
_HOST_HEARS_SUPPORTED: Final = 0x01
_HOST_HANDLES_UNSUPPORTED: Final = 0x02
_HOST_HANDLES_ENDPOINTS: Final = 0x04
_HOST_HANDLES_BINDINGS: Final = 0x08
_ENDPOINT_REQUESTS: Final = frozenset(
    {
        ZdoCluster.SIMPLE_DESCRIPTOR,
        ZdoCluster.ACTIVE_ENDPOINTS,
        ZdoCluster.MATCH_DESCRIPTOR,
    }
)
_BINDING_REQUESTS: Final = frozenset({ZdoCluster.BIND, ZdoCluster.UNBIND})
_SUPPORTED: Final = frozenset(
    {
        ZdoCluster.NWK_ADDRESS,
        ZdoCluster.IEEE_ADDRESS,
        ZdoCluster.NODE_DESCRIPTOR,
        ZdoCluster.POWER_DESCRIPTOR,
        ZdoCluster.MGMT_LQI,
        ZdoCluster.MGMT_RTG,
        ZdoCluster.MGMT_BIND,
        ZdoCluster.MGMT_PERMIT_JOINING,
        ZdoCluster.MGMT_LEAVE,
        *_ENDPOINT_REQUESTS,
        *_BINDING_REQUESTS,
    }
)
#: What is told to the host and never answered by anyone.
_ANNOUNCEMENTS: Final = frozenset({ZdoCluster.DEVICE_ANNOUNCE, ZdoCluster.PARENT_ANNOUNCE})
#: Primary trust centre, and revision 22 of the specification.
_SERVER_MASK: Final = 0x2C01
_REVISION: Final = 0x2C00
_LOGICAL_TYPES: Final = {
    NodeType.COORDINATOR: 0,
    NodeType.ROUTER: 1,
    NodeType.END_DEVICE: 2,
    NodeType.SLEEPY_END_DEVICE: 2,
}
_REJOIN: Final = 0x80
_NOBODY: Final = Eui64(bytes(8))
_LQI: Final = 200
_COORDINATOR: Final = 0x0000


def take(ncp: NcpState, node: Node, inner: aps.ApsFrame, *, everybody: bool) -> bool:
    """Take a device object message of a node; say whether the host is to be told of it."""
    if inner.cluster & zdo.RESPONSE or inner.cluster in _ANNOUNCEMENTS:
        return True
    flags = ncp.ram.configuration[ConfigId.APPLICATION_ZDO_FLAGS]
    if _left_to_host(inner.cluster, flags):
        return True
    payload = _answer(ncp, inner.cluster, inner.payload, everybody=everybody)
    if payload is not None:
        counter = ncp.traffic.next_counter()
        cluster = inner.cluster | zdo.RESPONSE
        answer = aps.ApsFrame(0, 0, cluster, counter, payload, zdo.PROFILE)
        put(ncp, data_frame(ncp, node.short, answer), node.short)
    return bool(flags & _HOST_HEARS_SUPPORTED and inner.cluster in _SUPPORTED)


def ask_self(ncp: NcpState, described: ApsFrame, message: bytes) -> None:
    """Answer a request of the host to its own NCP."""
    payload = _answer(ncp, described.cluster, message, everybody=False)
    if payload is None:
        return
    counter = ncp.traffic.next_counter()
    cluster = described.cluster | zdo.RESPONSE
    answer = ApsFrame(zdo.PROFILE, cluster, 0, 0, described.options, 0, counter)
    ncp.hear_itself(IncomingType.UNICAST, answer, payload)


def _left_to_host(cluster: int, flags: int) -> bool:
    if cluster in _ENDPOINT_REQUESTS and flags & _HOST_HANDLES_ENDPOINTS:
        return True
    if cluster in _BINDING_REQUESTS and flags & _HOST_HANDLES_BINDINGS:
        return True
    return cluster not in _SUPPORTED and bool(flags & _HOST_HANDLES_UNSUPPORTED)


def _answer(ncp: NcpState, cluster: int, message: bytes, *, everybody: bool) -> bytes | None:
    try:
        request = zdo.decode_request(cluster, message)
    except MalformedFrameError:
        return None
    stored = ncp.nv.network
    if cluster == ZdoCluster.MGMT_PERMIT_JOINING and stored is not None and stored.is_end_device:
        return None if everybody else _refused(request, ZdoStatus.NOT_SUPPORTED)
    if cluster == ZdoCluster.MGMT_PERMIT_JOINING:
        permission.permit(ncp, request.duration_s)
        return None if everybody else zdo.status_answer(request.sequence, ZdoStatus.SUCCESS)
    if cluster == ZdoCluster.MGMT_LEAVE:
        return _leave(ncp, request)
    if cluster in _BINDING_REQUESTS:
        return _refused(request, ZdoStatus.NOT_SUPPORTED)
    return zdo_server.answer(_described(ncp), request, everybody=everybody)


def _leave(ncp: NcpState, request: ZdoRequest) -> bytes:
    """Agree to leave, a moment after the answer; a coordinator does not leave its own network."""
    if not ncp.is_node:
        return _refused(request, ZdoStatus.NOT_PERMITTED)
    if request.eui64 not in {ncp.identity.eui64, _NOBODY}:
        return _refused(request, ZdoStatus.DEVICE_NOT_FOUND)
    go = partial(leave_as_told, rejoin=bool(request.flags & _REJOIN))
    ncp.alarm("zdo leave", 0, go)
    return zdo.status_answer(request.sequence, ZdoStatus.SUCCESS)


def _refused(request: ZdoRequest, status: ZdoStatus) -> bytes:
    return zdo.status_answer(request.sequence, status)


def _described(ncp: NcpState) -> Described:
    stored = ncp.nv.network
    kind = NodeType.COORDINATOR if stored is None else NodeType(stored.node_type)
    capability, code = capability_of(kind), ncp.ram.manufacturer_code
    mask = _SERVER_MASK if kind is NodeType.COORDINATOR else _REVISION
    node = NodeDescriptor(_LOGICAL_TYPES[kind], capability, code, server_mask=mask)
    mains = bool(capability & Capability.MAINS_POWER)
    endpoints = tuple(
        SimpleDescriptor(
            row.endpoint,
            row.profile,
            row.device,
            row.device_version,
            row.clusters.inputs,
            row.clusters.outputs,
        )
        for row in ncp.ram.endpoints.values()
    )
    own = (ncp.identity.eui64, ncp.short, node, endpoints, mains)
    return Described(*own, neighbours=_neighbours(ncp))


def _device_type(node: Node) -> int:
    if node.short == _COORDINATOR:
        return 0
    return 2 if node.is_child else 1


def _neighbours(ncp: NcpState) -> list[bytes]:
    stored = ncp.nv.network
    if stored is None:
        return []
    pan = stored.parameters.extended_pan_id
    return [
        Neighbour(
            pan,
            node.eui64,
            node.short,
            _device_type(node),
            not node.sleepy,
            node.is_child,
            _LQI,
        ).encode()
        for node in ncp.nv.nodes.values()
    ]
