"""Frames in: to the host, to the NCP's own device objects, to the trust centre."""

from dataclasses import replace
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
from emulator.ncp import own_zdo, trust_centre
from emulator.ncp.memory import Node
from emulator.ncp.radio_frames import (
    BROADCASTS,
    AssociationRequest,
    DataFrame,
    FromNode,
    Left,
    Poll,
    RequestKey,
    VerifyKey,
)
from emulator.ncp.sending import acknowledged, data_frame, link_key_of, polled, put
from emulator.ncp.state import NcpState

#: How well the last hop is heard in a home. Source: invented.
LQI: Final = 200
RSSI_DBM: Final = -50
_ANY_PROFILE: Final = 0xFFFF
_ALL_ENDPOINTS: Final = 0xFF
_HOST_REPLIES: Final = 0x21
_TELL_POLLS: Final = 0x31
_LOW_RAM: Final = 0xFFF8


def receive(ncp: NcpState, frame: FromNode) -> None:
    """Take a frame off the air; an NCP on no network hears none."""
    if ncp.ram.joined:
        _take(frame, ncp)


@singledispatch
def _take(frame: FromNode, ncp: NcpState) -> None:  # noqa: ARG001 - by type
    """Take a frame of one of the types below."""
    raise TypeError(f"{type(frame).__name__} is nothing that a node sends")


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


@_take.register
def _(frame: DataFrame, ncp: NcpState) -> None:
    security, node = ncp.nv.security, ncp.nv.by_short(frame.source)
    if security is None or frame.network_key != security.network_key:
        ncp.count(Counter.NWK_DECRYPTION_FAILURE)
        return
    if node is None:
        return
    if frame.link_key is not None and frame.link_key != link_key_of(ncp, node.eui64):
        ncp.count(Counter.APS_DECRYPTION_FAILURE)
        return
    trust_centre.heard(ncp, node)
    everybody = frame.destination in BROADCASTS
    ncp.count(Counter.MAC_RX_BROADCAST if everybody else Counter.MAC_RX_UNICAST)
    if isinstance(frame.frame, aps.ApsAck):
        acknowledged(ncp, frame.source, frame.frame)
        return
    ncp.count(Counter.APS_DATA_RX_BROADCAST if everybody else Counter.APS_DATA_RX_UNICAST)
    _data(ncp, node, frame, frame.frame)


def _data(ncp: NcpState, node: Node, outer: DataFrame, inner: aps.ApsFrame) -> None:
    known = ncp.traffic.seen(node.short, inner, ncp.now)
    if inner.profile == zdo.PROFILE:
        _acknowledge(ncp, node, inner)
        if not known and own_zdo.take(ncp, node, inner, everybody=outer.destination in BROADCASTS):
            _tell(ncp, node, outer, inner)
        return
    if not _serves(ncp, inner):
        return
    if inner.fragment is not None or _host_replies(ncp, inner):
        if known and (node.short, inner.counter) not in ncp.traffic.replies:
            _acknowledge(ncp, node, inner)
            return
        ncp.traffic.replies[node.short, inner.counter] = inner
        if known:
            return
    else:
        _acknowledge(ncp, node, inner)
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


def _acknowledge(ncp: NcpState, node: Node, inner: aps.ApsFrame) -> None:
    if inner.ack_request:
        put(ncp, data_frame(ncp, node.short, ack_of(inner)), node.short)


def _tell(ncp: NcpState, node: Node, outer: DataFrame, inner: aps.ApsFrame) -> None:
    """Tell the host of a message."""
    kind, group = IncomingType.UNICAST, 0
    if outer.group is not None:
        kind, group = IncomingType.MULTICAST, outer.group
    elif outer.destination in BROADCASTS:
        kind = IncomingType.BROADCAST
    options = int(ApsOption.ENABLE_ROUTE_DISCOVERY)
    options |= ApsOption.RETRY if inner.ack_request else 0
    options |= ApsOption.ENCRYPTION if outer.link_key is not None else 0
    if inner.fragment is not None:
        options |= ApsOption.FRAGMENT
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
    told = IncomingMessage(kind, described, node.short, LQI, RSSI_DBM, inner.payload)
    told = replace(told, sender_eui64=node.eui64, timestamp=ncp.now & 0xFFFFFFFF)
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
