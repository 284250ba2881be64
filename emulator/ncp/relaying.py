"""An NCP that is a router in somebody else's network: parent of nodes that join through it."""

from dataclasses import replace
from functools import partial
from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    ConfigId,
    Counter,
    DeviceUpdate,
    NodeType,
    ValueId,
)
from emulator.codecs.ezsp.values_network import ChildJoined
from emulator.core.ids import Eui64
from emulator.ncp.join_table import JoinStage
from emulator.ncp.memory import Node
from emulator.ncp.radio_frames import (
    BROADCASTS,
    NO_SHORT,
    AssociationRequest,
    AssociationResponse,
    DataFrame,
    LeaveOrder,
    Left,
    Poll,
    RadioFrame,
    TransportKey,
    UpdateDevice,
)
from emulator.ncp.sending import forget_node, polled, put
from emulator.ncp.state import NcpState

_TAKEN, _NO_ROOM, _DENIED = 0, 1, 2
_HUB: Final = 0x0000
_SHORTS: Final = range(1, 0xFFF8)


def relay(ncp: NcpState, frame: RadioFrame) -> bool:
    """Take a frame of a child, or for one; say whether it was nothing for the NCP itself."""
    stored = ncp.nv.network
    router = stored is not None and stored.node_type == NodeType.ROUTER
    if not router or ncp.ram.stage is not JoinStage.UP:
        return False
    if isinstance(frame, DataFrame):
        return _data(ncp, frame)
    if isinstance(frame, TransportKey | LeaveOrder):
        return frame.via == ncp.short and _down(ncp, frame)
    return _up(ncp, frame)


def _up(ncp: NcpState, frame: RadioFrame) -> bool:
    if isinstance(frame, AssociationRequest):
        _associate(ncp, frame)
    elif isinstance(frame, Left):
        child = _child(ncp, frame.source)
        if child is not None and not frame.rejoin:
            _gone(ncp, child)
    elif isinstance(frame, Poll):
        polled(ncp, frame.source)
    else:
        return False
    return True


def _child(ncp: NcpState, short: int) -> Node | None:
    """Return a node that has joined through the NCP."""
    return None if short == _HUB else ncp.nv.by_short(short)


# Coming and going


def _associate(ncp: NcpState, asked: AssociationRequest) -> None:
    known = ncp.nv.nodes.get(asked.eui64)
    status = _status(ncp, asked, known)
    if status != _TAKEN:
        ncp.air.send(AssociationResponse(asked.eui64, NO_SHORT, status), ncp.now)
        return
    rejoin = asked.short != NO_SHORT
    short = known.short if known is not None else _draw_short(ncp)
    child = Node(asked.eui64, short, asked.capability, rejoin and asked.network_key is not None)
    ncp.nv.nodes[asked.eui64] = child
    ncp.count(Counter.JOIN_INDICATION)
    ncp.air.send(AssociationResponse(asked.eui64, short, _TAKEN), ncp.now)
    _tell(ncp, child, joining=True)
    update = DeviceUpdate.STANDARD_SECURITY_UNSECURED_JOIN
    if rejoin:
        secured = asked.network_key is not None
        update = (
            DeviceUpdate.STANDARD_SECURITY_SECURED_REJOIN
            if secured
            else DeviceUpdate.STANDARD_SECURITY_UNSECURED_REJOIN
        )
    _update(ncp, child, update)
    if not child.authenticated:
        wait_ms = int.from_bytes(ncp.ram.values[ValueId.TRANSIENT_DEVICE_TIMEOUT], "little")
        ncp.alarm(("joining", child.eui64), wait_ms, partial(_give_up, eui64=child.eui64))


def _status(ncp: NcpState, asked: AssociationRequest, known: Node | None) -> int:
    """Judge a request: a rejoin needs no permission, but the network key or an old place."""
    if asked.short == NO_SHORT:
        if not ncp.ram.permit:
            return _DENIED
        room = ncp.ram.configuration[ConfigId.MAX_END_DEVICE_CHILDREN]
        return _NO_ROOM if known is None and len(ncp.nv.children()) >= room else _TAKEN
    security = ncp.nv.security
    if asked.network_key is None:
        return _DENIED if known is None else _TAKEN
    right = security is not None and asked.network_key == security.network_key
    return _TAKEN if right else _DENIED


def _draw_short(ncp: NcpState) -> int:
    taken = {ncp.short, *(node.short for node in ncp.nv.nodes.values())}
    while True:
        short = _SHORTS.start + ncp.chance.below(len(_SHORTS))
        if short not in taken:
            return short


def _give_up(ncp: NcpState, eui64: Eui64) -> None:
    child = ncp.nv.nodes.get(eui64)
    if child is not None and not child.authenticated:
        _gone(ncp, child)


def _gone(ncp: NcpState, child: Node) -> None:
    _drop(ncp, child)
    _update(ncp, child, DeviceUpdate.DEVICE_LEFT)


def _drop(ncp: NcpState, child: Node) -> None:
    ncp.stop_alarm(("joining", child.eui64))
    ncp.nv.nodes.pop(child.eui64, None)
    forget_node(ncp, child.short)
    ncp.count(Counter.CHILD_REMOVED)
    _tell(ncp, child, joining=False)


def _update(ncp: NcpState, child: Node, update: DeviceUpdate) -> None:
    ncp.air.emit(UpdateDevice(ncp.short, child.eui64, child.short, int(update)), ncp.now)


def _tell(ncp: NcpState, child: Node, *, joining: bool) -> None:
    kind = NodeType.SLEEPY_END_DEVICE if child.sleepy else NodeType.END_DEVICE
    if child.is_child:
        told = ChildJoined(0, joining, child.short, child.eui64, int(kind))
        ncp.later(Frame.CHILD_JOIN_HANDLER, told)


# Passing on


def _down(ncp: NcpState, frame: TransportKey | LeaveOrder) -> bool:
    """Bring a child the key or the order that its trust centre has for it."""
    child = ncp.nv.nodes.get(frame.eui64)
    if child is None or child.short == _HUB:
        return True
    put(ncp, replace(frame, via=None), child.short)
    if isinstance(frame, LeaveOrder) and not frame.rejoin:
        _drop(ncp, child)
    return True


def _data(ncp: NcpState, frame: DataFrame) -> bool:
    security = ncp.nv.security
    if security is None or frame.network_key != security.network_key:
        return False
    child = _child(ncp, frame.source)
    if child is not None and not child.authenticated:
        ncp.stop_alarm(("joining", child.eui64))
        ncp.nv.nodes[child.eui64] = replace(child, authenticated=True)
    everybody = frame.destination in BROADCASTS
    to = None if everybody else _child(ncp, frame.destination)
    if to is not None:
        ncp.count(Counter.RELAYED_UNICAST)
        put(ncp, frame, to.short)
        return True
    if child is None or frame.destination == ncp.short:
        return False
    if not everybody:
        ncp.count(Counter.RELAYED_UNICAST)
    ncp.air.emit(frame, ncp.now)
    return not everybody
