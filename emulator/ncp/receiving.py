"""Frames in: to the host, to the NCP's own device objects, to the trust centre."""

from functools import singledispatch
from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    ApsOption,
    Counter,
    DeviceUpdate,
    IncomingType,
    PolicyId,
)
from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.ezsp.values_messages import IncomingMessage, Polled
from emulator.codecs.ezsp.values_network import RouteRecord
from emulator.codecs.zigbee import aps, zdo
from emulator.core.ids import Eui64
from emulator.ncp import hearing_hub, own_zdo, polling, trust_centre
from emulator.ncp.join_table import JoinStage
from emulator.ncp.memory import Node
from emulator.ncp.radio_frames import (
    BROADCASTS,
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
from emulator.ncp.relaying import relay
from emulator.ncp.sending import acknowledged, data_frame, is_fresh, link_key_of, polled, put
from emulator.ncp.state import NcpState

#: How well the last hop is heard in a home. Source: invented.
LQI: Final = 200
RSSI_DBM: Final = -50
_ANY_PROFILE: Final = 0xFFFF
_ALL_ENDPOINTS: Final = 0xFF
_HOST_REPLIES: Final = 0x21
_TELL_POLLS: Final = 0x31
_LOW_RAM: Final = 0xFFF8
#: As numbers: flags of `enum` are slow to combine.
_DISCOVER: Final = int(ApsOption.ENABLE_ROUTE_DISCOVERY)
_RETRY: Final = int(ApsOption.RETRY)
_ENCRYPTION: Final = int(ApsOption.ENCRYPTION)
_FRAGMENT: Final = int(ApsOption.FRAGMENT)

#: What only a node takes, and what only a coordinator takes.
_FOR_NODES: Final = (AssociationResponse, TransportKey, ConfirmKey, LeaveOrder)
_NOBODY: Final = Eui64(bytes(8))


def receive(ncp: NcpState, frame: RadioFrame) -> None:
    """Take a frame off the air; an NCP on no network, and on no way into one, hears none."""
    if ncp.is_node and relay(ncp, frame):
        return
    if isinstance(frame, DataFrame):
        stage = ncp.ram.stage
        if ncp.ram.joined and (stage is JoinStage.OUT or stage is JoinStage.UP):
            _data_frame(ncp, frame)
    elif ncp.is_node == isinstance(frame, _FOR_NODES) and (ncp.ram.joined or ncp.is_node):
        _take(frame, ncp)


@singledispatch
def _take(frame: RadioFrame, ncp: NcpState) -> None:
    """Take a frame of one of the types below; others are not for this NCP."""


@_take.register
def _(frame: AssociationResponse, ncp: NcpState) -> None:
    hearing_hub.answered(ncp, frame)


@_take.register
def _(frame: TransportKey, ncp: NcpState) -> None:
    hearing_hub.key_came(ncp, frame)


@_take.register
def _(frame: ConfirmKey, ncp: NcpState) -> None:
    hearing_hub.key_confirmed(ncp, frame)


@_take.register
def _(frame: LeaveOrder, ncp: NcpState) -> None:
    hearing_hub.told_to_leave(ncp, frame)


@_take.register
def _(frame: AssociationRequest, ncp: NcpState) -> None:
    trust_centre.associate(ncp, frame)


@_take.register
def _(frame: RequestKey, ncp: NcpState) -> None:
    trust_centre.request_key(ncp, frame)


@_take.register
def _(frame: VerifyKey, ncp: NcpState) -> None:
    trust_centre.verify_key(ncp, frame)


@_take.register
def _(frame: UpdateDevice, ncp: NcpState) -> None:
    trust_centre.update_device(ncp, frame)


@_take.register
def _(frame: Left, ncp: NcpState) -> None:
    node = ncp.nv.nodes.get(frame.eui64)
    if node is not None and not frame.rejoin:
        trust_centre.gone(ncp, node, DeviceUpdate.DEVICE_LEFT)


@_take.register
def _(frame: Poll, ncp: NcpState) -> None:
    node = ncp.nv.by_short(frame.source)
    if node is None:
        return
    expected = polled(ncp, node.short)
    if ncp.ram.policies[PolicyId.POLL_HANDLER_POLICY] == _TELL_POLLS:
        ncp.later(Frame.POLL_HANDLER, Polled(node.short, expected))


def _data_frame(ncp: NcpState, frame: DataFrame) -> None:
    everybody = frame.destination in BROADCASTS
    if ncp.is_node and not everybody and frame.destination != ncp.short:
        return
    security, node = ncp.nv.security, _sender(ncp, frame.source)
    if security is None or frame.network_key != security.network_key:
        ncp.count(Counter.NWK_DECRYPTION_FAILURE)
        return
    if node is None or not _is_genuine(ncp, node, frame):
        return
    if ncp.is_node:
        polling.brought(ncp)
    else:
        trust_centre.heard(ncp, node)
    ncp.count(Counter.MAC_RX_BROADCAST if everybody else Counter.MAC_RX_UNICAST)
    if isinstance(frame.frame, aps.ApsAck):
        acknowledged(ncp, frame.source, frame.frame)
        return
    ncp.count(Counter.APS_DATA_RX_BROADCAST if everybody else Counter.APS_DATA_RX_UNICAST)
    _data(ncp, node, frame, frame.frame)


def _sender(ncp: NcpState, short: int) -> Node | None:
    """Return who sends; a node hears others of its network of which it knows no more."""
    known = ncp.nv.by_short(short)
    if known is None and ncp.is_node and short != ncp.short:
        return Node(_NOBODY, short, int(zdo.Capability.RECEIVER_ON_WHEN_IDLE))
    return known


def _is_genuine(ncp: NcpState, node: Node, frame: DataFrame) -> bool:
    """Undo the APS layer's security; what cannot be read, or was heard before, is counted."""
    key = frame.link_key
    if key is None:
        return True
    if key != link_key_of(ncp, node.eui64):
        ncp.count(Counter.APS_DECRYPTION_FAILURE)
        return False
    if not is_fresh(ncp, node.eui64, key, frame.link_counter):
        ncp.count(Counter.APS_FRAME_COUNTER_FAILURE)
        return False
    return True


def _data(ncp: NcpState, node: Node, outer: DataFrame, inner: aps.ApsFrame) -> None:
    known = ncp.traffic.seen(node.short, inner, ncp.now)
    if inner.profile == zdo.PROFILE:
        _acknowledge(ncp, node, outer, inner)
        if not known and own_zdo.take(ncp, node, inner, everybody=outer.destination in BROADCASTS):
            _tell(ncp, node, outer, inner)
        return
    if not _serves(ncp, inner):
        return
    if inner.fragment is not None or _host_replies(ncp, inner):
        if known and (node.short, inner.counter) not in ncp.traffic.replies:
            _acknowledge(ncp, node, outer, inner)
            return
        ncp.traffic.replies[node.short, inner.counter] = (inner, outer.link_key)
        if known:
            return
    else:
        _acknowledge(ncp, node, outer, inner)
    if not known:
        _tell(ncp, node, outer, inner)


def _serves(ncp: NcpState, inner: aps.ApsFrame) -> bool:
    """Say whether the host has an endpoint for a message, or has spoken from that endpoint.

    Source:
        inferred: hosts in the field ask from endpoints they never added, and are answered.
    """
    if (inner.destination_endpoint, inner.profile) in ncp.ram.spoke_from:
        return True
    if inner.destination_endpoint == _ALL_ENDPOINTS:
        return any(row.profile == inner.profile for row in ncp.ram.endpoints.values())
    row = ncp.ram.endpoints.get(inner.destination_endpoint)
    return row is not None and inner.profile in {row.profile, _ANY_PROFILE}


def _host_replies(ncp: NcpState, inner: aps.ApsFrame) -> bool:
    policy = ncp.ram.policies[PolicyId.UNICAST_REPLIES_POLICY]
    return inner.ack_request and policy == _HOST_REPLIES


def ack_of(inner: aps.ApsFrame, received: int = 0xFF) -> aps.ApsAck:
    """Return the acknowledgement of a message or fragment."""
    fragment = inner.fragment
    block = None if fragment is None else aps.FragmentAck(fragment.number, received)
    return aps.ApsAck(
        inner.source_endpoint,
        inner.destination_endpoint,
        inner.cluster,
        inner.counter,
        inner.profile,
        block,
    )


def _acknowledge(ncp: NcpState, node: Node, outer: DataFrame, inner: aps.ApsFrame) -> None:
    """Acknowledge a message, sealed as it was; never one for all."""
    if inner.ack_request and outer.destination not in BROADCASTS:
        put(ncp, data_frame(ncp, node.short, ack_of(inner), outer.link_key), node.short)


def _tell(ncp: NcpState, node: Node, outer: DataFrame, inner: aps.ApsFrame) -> None:
    """Tell the host of a message."""
    kind, group = IncomingType.UNICAST, 0
    if outer.group is not None:
        kind, group = IncomingType.MULTICAST, outer.group
    elif outer.destination in BROADCASTS:
        kind = IncomingType.BROADCAST
    options = _DISCOVER
    options |= _RETRY if inner.ack_request else 0
    options |= _ENCRYPTION if outer.link_key is not None else 0
    if inner.fragment is not None:
        options |= _FRAGMENT
        count = inner.fragment.block if inner.fragment.first else 0
        group = count << 8 | inner.fragment.number
    described = ApsFrame(
        inner.profile,
        inner.cluster,
        inner.source_endpoint,
        inner.destination_endpoint,
        options,
        group,
        inner.counter,
    )
    _tell_route(ncp, node)
    told = IncomingMessage(
        kind,
        described,
        node.short,
        LQI,
        RSSI_DBM,
        inner.payload,
        sender_eui64=node.eui64,
        timestamp=ncp.now & 0xFFFFFFFF,
    )
    ncp.later(Frame.INCOMING_MESSAGE_HANDLER, told)


def _tell_route(ncp: NcpState, node: Node) -> None:
    """Tell a concentrator's host the way of a message: every time, or once a route request."""
    concentrator = ncp.ram.concentrator
    if concentrator is None or not concentrator.on:
        return
    if concentrator.concentrator_type != _LOW_RAM and node.short in ncp.ram.route_told:
        return
    ncp.ram.route_told.add(node.short)
    record = RouteRecord(node.short, node.eui64, LQI, RSSI_DBM, ())
    ncp.later(Frame.INCOMING_ROUTE_RECORD_HANDLER, record)
