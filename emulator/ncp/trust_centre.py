"""The trust centre: who may join, with which key, and what becomes of it."""

import enum
from dataclasses import replace
from functools import partial
from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    ConfigId,
    Counter,
    CurrentSecurityBit,
    DeviceUpdate,
    JoinBits,
    JoinDecision,
    NodeType,
    PolicyId,
    ValueId,
)
from emulator.codecs.ezsp.values_network import ChildJoined, TrustCenterJoin
from emulator.codecs.ezsp.values_security import KeyEstablished
from emulator.codecs.zigbee.zdo import Capability
from emulator.core.ids import Eui64
from emulator.ncp.memory import Node
from emulator.ncp.radio_frames import (
    LINK_KEY,
    NETWORK_KEY,
    NO_SHORT,
    AssociationRequest,
    AssociationResponse,
    ConfirmKey,
    LeaveOrder,
    RequestKey,
    TransportKey,
    UpdateDevice,
    VerifyKey,
)
from emulator.ncp.sending import expect_anew, forget_node, link_key_of, put, transmit
from emulator.ncp.state import NcpState

#: A transient key for every node.
ANYBODY: Final = Eui64(b"\xff" * 8)
#: Transient keys at one time. Source: invented (a chip's buffers set the limit).
MAX_TRANSIENT_KEYS: Final = 32
#: Nodes that are remembered at one time. Source: invented.
MAX_NODES: Final = 128
_ALLOWED, _NO_ROOM, _DENIED = 0, 1, 2
#: Of a node that is its router's matter: nothing waits for it here.
_BEHIND_ROUTER: Final = int(Capability.FULL_FUNCTION | Capability.RECEIVER_ON_WHEN_IDLE)
_FIRST_SHORT, _SHORT_LIMIT = 0x0001, 0xFFF8
#: Status of a proof that is none. Source: Zigbee specification, SECURITY_FAIL (known).
_WRONG_PROOF: Final = 0xAD
_DENY_KEY_REQUESTS: Final = 0x50


class KeyStatus(enum.IntEnum):
    """How a key request ended, as ``zigbeeKeyEstablishmentHandler`` tells.

    Source:
        UG100, EmberKeyStatus (known).
    """

    KEY_TABLE_FULL = 5
    TC_RESPONDED_TO_KEY_REQUEST = 6
    TC_NO_LINK_KEY_FOR_REQUESTER = 10
    TC_REJECTED_KEY_REQUEST = 17
    TC_REQUESTER_VERIFY_KEY_SUCCESS = 52
    TC_REQUESTER_VERIFY_KEY_FAILURE = 51


# Association


def associate(ncp: NcpState, asked: AssociationRequest) -> None:
    """Take a node that asks to join, or to come back.

    A node that has joined already and joins a second time is sent the network key under the link
    key it has, so that whoever lacks that key stays outside; then the first one's place is as it
    was, and the host hears of no departure.
    """
    known = ncp.nv.nodes.get(asked.eui64)
    if asked.short != NO_SHORT:
        _rejoin(ncp, asked, known)
        return
    status = _association_status(ncp, asked, known)
    if status != _ALLOWED:
        ncp.air.send(AssociationResponse(asked.eui64, NO_SHORT, status), ncp.now)
        return
    ncp.count(Counter.JOIN_INDICATION)
    short = known.short if known is not None else _draw_short(ncp)
    if known is not None:
        forget_node(ncp, known.short)
    node = Node(asked.eui64, short, asked.capability, known is not None and known.authenticated)
    ncp.nv.nodes[asked.eui64] = node
    expect_anew(ncp, node.eui64)
    ncp.count(Counter.NEIGHBOR_ADDED)
    if node.is_child:
        _tell_child(ncp, node, joining=True)
    ncp.air.send(AssociationResponse(asked.eui64, short, _ALLOWED), ncp.now)
    _decide(ncp, node, DeviceUpdate.STANDARD_SECURITY_UNSECURED_JOIN)


def _association_status(ncp: NcpState, asked: AssociationRequest, known: Node | None) -> int:
    if not ncp.ram.permit:
        return _DENIED
    node = Node(asked.eui64, NO_SHORT, asked.capability)
    if known is not None:
        return _ALLOWED
    room = ncp.ram.configuration[ConfigId.MAX_END_DEVICE_CHILDREN]
    if node.is_child and len(ncp.nv.children()) >= room:
        return _NO_ROOM
    return _NO_ROOM if len(ncp.nv.nodes) >= MAX_NODES else _ALLOWED


def _rejoin(ncp: NcpState, asked: AssociationRequest, known: Node | None) -> None:
    security = ncp.nv.security
    secured = asked.network_key is not None
    if security is None or known is None or (secured and asked.network_key != security.network_key):
        ncp.count(Counter.NWK_DECRYPTION_FAILURE)
        ncp.air.send(AssociationResponse(asked.eui64, NO_SHORT, _DENIED), ncp.now)
        return
    ncp.air.send(AssociationResponse(asked.eui64, known.short, _ALLOWED), ncp.now)
    if secured:
        heard(ncp, known)
        _tell_join(ncp, known, DeviceUpdate.STANDARD_SECURITY_SECURED_REJOIN, None)
    else:
        _decide(ncp, known, DeviceUpdate.STANDARD_SECURITY_UNSECURED_REJOIN)


def update_device(ncp: NcpState, told: UpdateDevice) -> None:
    """Take a router's word on a node that came, came back or left through it."""
    router, known = ncp.nv.by_short(told.source), ncp.nv.nodes.get(told.eui64)
    if router is None or not router.authenticated or told.status not in set(DeviceUpdate):
        return
    update = DeviceUpdate(told.status)
    if update is DeviceUpdate.DEVICE_LEFT:
        if known is not None:
            gone(ncp, known, update)
        return
    capability = _BEHIND_ROUTER if known is None else known.capability
    secured = update is DeviceUpdate.STANDARD_SECURITY_SECURED_REJOIN
    node = Node(told.eui64, told.short, capability, secured, told.source)
    ncp.nv.nodes[told.eui64] = node
    if secured:
        _tell_join(ncp, node, update, None)
    else:
        _decide(ncp, node, update)


def _draw_short(ncp: NcpState) -> int:
    taken = {node.short for node in ncp.nv.nodes.values()}
    while True:
        short = _FIRST_SHORT + ncp.chance.below(_SHORT_LIMIT - _FIRST_SHORT)
        if short not in taken:
            return short


# The decision


def _decide(ncp: NcpState, node: Node, update: DeviceUpdate) -> None:
    """Apply the policy to a node that needs the network key, and tell the host."""
    decision = _decision(ncp, node, update)
    _tell_join(ncp, node, update, decision)
    if decision is JoinDecision.DENY_JOIN:
        _turn_away(ncp, node)
        return
    if decision is not JoinDecision.NO_ACTION:
        in_clear = decision is JoinDecision.SEND_KEY_IN_THE_CLEAR
        send_network_key(ncp, node, None if in_clear else _key_for(ncp, node.eui64))
    wait_ms = int.from_bytes(ncp.ram.values[ValueId.TRANSIENT_DEVICE_TIMEOUT], "little")
    ncp.alarm(("joining", node.eui64), wait_ms, partial(_give_up, eui64=node.eui64))


def _decision(ncp: NcpState, node: Node, update: DeviceUpdate) -> JoinDecision:
    bits = JoinBits(ncp.ram.policies[PolicyId.TRUST_CENTER_POLICY])
    wanted = JoinBits.ALLOW_JOINS
    if update is DeviceUpdate.STANDARD_SECURITY_UNSECURED_REJOIN:
        if JoinBits.IGNORE_UNSECURED_REJOINS in bits:
            return JoinDecision.NO_ACTION
        wanted = JoinBits.ALLOW_UNSECURED_REJOINS
    if JoinBits.DEFER_JOINS in bits:
        return JoinDecision.NO_ACTION
    if wanted not in bits:
        return JoinDecision.DENY_JOIN
    if JoinBits.SEND_KEY_IN_CLEAR in bits:
        return JoinDecision.SEND_KEY_IN_THE_CLEAR
    found = _key_for(ncp, node.eui64) is not None
    return JoinDecision.USE_PRECONFIGURED_KEY if found else JoinDecision.DENY_JOIN


def _key_for(ncp: NcpState, eui64: Eui64) -> bytes | None:
    """Return the key a node is sent the network key under, or None where policy knows none.

    A key of the node's own goes first: for a node that is on the network the one of the key table,
    for every other a transient one (its install code's, given anew). Without one, the transient key
    for everybody or the trust centre's global key serves, unless the policy insists on install
    codes. Which of the two goes first is inferred.
    """
    node, given = ncp.nv.nodes.get(eui64), ncp.ram.transient_keys.get(eui64)
    anew = given is not None and (node is None or not node.authenticated)
    own = given[0] if anew and given is not None else link_key_of(ncp, eui64)
    bits = JoinBits(ncp.ram.policies[PolicyId.TRUST_CENTER_POLICY])
    if own is not None or JoinBits.JOINS_USE_INSTALL_CODE_KEY in bits:
        return own
    everybodys = ncp.ram.transient_keys.get(ANYBODY)
    if everybodys is not None:
        return everybodys[0]
    security = ncp.nv.security
    if security is not None and security.bitmask & CurrentSecurityBit.GLOBAL_LINK_KEY:
        return security.tc_key
    return None


def send_network_key(ncp: NcpState, node: Node, sealed_under: bytes | None) -> None:
    """Send a node the network key, under a link key or (None) in the clear."""
    security = ncp.nv.security
    if security is not None:
        frame = TransportKey(
            node.eui64,
            security.network_key,
            NETWORK_KEY,
            security.sequence,
            ncp.identity.eui64,
            sealed_under,
            node.parent or None,
        )
        transmit(ncp, frame)


def key_of_requester(ncp: NcpState, eui64: Eui64) -> bytes | None:
    """Return the key a node joins with, by the present policy."""
    return _key_for(ncp, eui64)


def _turn_away(ncp: NcpState, node: Node) -> None:
    transmit(ncp, LeaveOrder(node.eui64, via=node.parent or None))
    if not node.authenticated:
        _drop(ncp, node)


def _give_up(ncp: NcpState, eui64: Eui64) -> None:
    """A node that was given the key has not been heard since: its place is free again."""
    node = ncp.nv.nodes.get(eui64)
    if node is not None and not node.authenticated:
        gone(ncp, node, DeviceUpdate.DEVICE_LEFT)


def gone(ncp: NcpState, node: Node, update: DeviceUpdate) -> None:
    """A node has left."""
    _drop(ncp, node)
    _tell_join(ncp, node, update, JoinDecision.NO_ACTION)


def _drop(ncp: NcpState, node: Node) -> None:
    ncp.stop_alarm(("joining", node.eui64))
    ncp.nv.nodes.pop(node.eui64, None)
    forget_node(ncp, node.short)
    ncp.count(Counter.CHILD_REMOVED if node.is_child else Counter.NEIGHBOR_REMOVED)
    if node.is_child:
        _tell_child(ncp, node, joining=False)


def heard(ncp: NcpState, node: Node) -> None:
    """A node has sent something secured with the network key: it has joined.

    The key it joined with moves into the key table; without room there the host is told, and the
    key stays transient.
    """
    first = not node.authenticated
    if first:
        ncp.stop_alarm(("joining", node.eui64))
        ncp.nv.nodes[node.eui64] = replace(node, authenticated=True)
    transient = ncp.ram.transient_keys.get(node.eui64)
    known = any(held[0] == node.eui64 for held in ncp.nv.link_keys.values())
    if transient is None or (known and not first):
        return
    if store_link_key(ncp, node.eui64, transient[0]):
        del ncp.ram.transient_keys[node.eui64]
    elif first:
        tell_key(ncp, node.eui64, KeyStatus.KEY_TABLE_FULL)


def store_link_key(ncp: NcpState, eui64: Eui64, key: bytes) -> bool:
    """Keep a link key, in the partner's row or a free one; say whether there was one."""
    rows = [row for row, held in ncp.nv.link_keys.items() if held[0] == eui64]
    size = ncp.ram.configuration[ConfigId.KEY_TABLE_SIZE]
    free = (row for row in range(size) if row not in ncp.nv.link_keys)
    row = rows[0] if rows else next(free, None)
    if row is None:
        return False
    ncp.nv.link_keys[row] = (eui64, key)
    return True


# Keys a node asks for


def request_key(ncp: NcpState, asked: RequestKey) -> None:
    """Send a node its trust centre link key, where the policy allows it."""
    node, security = ncp.nv.nodes.get(asked.eui64), ncp.nv.security
    if node is None or security is None:
        return
    key = _key_for(ncp, asked.eui64)
    if key is None:
        tell_key(ncp, asked.eui64, KeyStatus.TC_NO_LINK_KEY_FOR_REQUESTER)
    elif ncp.ram.policies[PolicyId.TC_KEY_REQUEST_POLICY] == _DENY_KEY_REQUESTS:
        tell_key(ncp, asked.eui64, KeyStatus.TC_REJECTED_KEY_REQUEST)
    else:
        put(
            ncp,
            TransportKey(asked.eui64, key, LINK_KEY, 0, ncp.identity.eui64, key),
            node.short,
        )
        tell_key(ncp, asked.eui64, KeyStatus.TC_RESPONDED_TO_KEY_REQUEST)


def verify_key(ncp: NcpState, asked: VerifyKey) -> None:
    """Compare the key a node holds with the one it was sent, keep it, and tell the node."""
    right = asked.key == _key_for(ncp, asked.eui64)
    node = ncp.nv.nodes.get(asked.eui64)
    if node is not None:
        put(ncp, ConfirmKey(asked.eui64, 0 if right else _WRONG_PROOF), node.short)
    if right and not store_link_key(ncp, asked.eui64, asked.key):
        tell_key(ncp, asked.eui64, KeyStatus.KEY_TABLE_FULL)
        return
    success = KeyStatus.TC_REQUESTER_VERIFY_KEY_SUCCESS
    tell_key(ncp, asked.eui64, success if right else KeyStatus.TC_REQUESTER_VERIFY_KEY_FAILURE)


# What the host is told


def tell_key(ncp: NcpState, eui64: Eui64, status: KeyStatus) -> None:
    """Tell the host how a key request ended."""
    ncp.later(Frame.ZIGBEE_KEY_ESTABLISHMENT_HANDLER, KeyEstablished(eui64, int(status)))


def _tell_join(
    ncp: NcpState, node: Node, update: DeviceUpdate, decision: JoinDecision | None
) -> None:
    told = JoinDecision.NO_ACTION if decision is None else decision
    ncp.later(
        Frame.TRUST_CENTER_JOIN_HANDLER,
        TrustCenterJoin(node.short, node.eui64, int(update), int(told), node.parent),
    )


def _tell_child(ncp: NcpState, node: Node, *, joining: bool) -> None:
    children = [child.eui64 for child in ncp.nv.children()]
    index = children.index(node.eui64) if node.eui64 in children else len(children)
    kind = NodeType.SLEEPY_END_DEVICE if node.sleepy else NodeType.END_DEVICE
    told = ChildJoined(index, joining, node.short, node.eui64, int(kind))
    ncp.later(Frame.CHILD_JOIN_HANDLER, told)


def add_transient_key(ncp: NcpState, eui64: Eui64, key: bytes) -> bool:
    """Take a key for a node that is to join, for a while; say whether there was room."""
    held = ncp.ram.transient_keys
    if eui64 not in held and len(held) >= MAX_TRANSIENT_KEYS:
        return False
    lasts_ms = 1000 * ncp.ram.configuration[ConfigId.TRANSIENT_KEY_TIMEOUT_S]
    held[eui64] = (key, ncp.now + lasts_ms)
    ncp.alarm(("transient", eui64), lasts_ms, partial(_forget_transient, eui64=eui64))
    return True


def _forget_transient(ncp: NcpState, eui64: Eui64) -> None:
    ncp.ram.transient_keys.pop(eui64, None)
