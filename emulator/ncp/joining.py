"""An NCP on its way into somebody else's network, in it, and out of it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from emulator.codecs.ezsp.identifiers import (
    ConfigId,
    Counter,
    CurrentSecurityBit,
    InitialSecurityBit,
    NodeType,
    ValueId,
)
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import NetworkParameters
from emulator.codecs.zigbee import aps, zdo
from emulator.codecs.zigbee.zdo import ZdoCluster
from emulator.core.ids import Eui64
from emulator.ncp.air import HeardNetwork
from emulator.ncp.join_table import MEMBER, TRANSITIONS, JoinAct, JoinEvent
from emulator.ncp.leaving import forget_network
from emulator.ncp.memory import Node, StoredNetwork, StoredSecurity, capability_of
from emulator.ncp.radio_frames import (
    LISTENING,
    AssociationRequest,
    AssociationResponse,
    Left,
    Poll,
    RequestKey,
)
from emulator.ncp.sending import data_frame, expect_anew, transmit
from emulator.ncp.state import NcpState
from emulator.ncp.undertakings import Attempt

#: Until a parent that does not answer is given up. Source: known (IEEE 802.15.4,
#: macResponseWaitTime of 491 ms), rounded.
RESPONSE_MS: Final = 500
#: Until the network key must have come; the link key likewise. Source: invented.
KEY_MS: Final = 5_000
#: How often an NCP that does not listen when idle asks for its key. Source: invented.
KEY_POLL_MS: Final = 100
_ALARM: Final = "join"
_KEY_POLL: Final = "join poll"
_HUB: Final = 0x0000
_NO_PARENT: Final = 0xFFFF
_NOBODY: Final = Eui64(bytes(8))
_ANY_PAN: Final = 0xFFFF


def happen(ncp: NcpState, event: JoinEvent, detail: Any = None) -> bool:
    """Let something happen; say whether it is of any consequence now. If not, nothing changes."""
    found = TRANSITIONS.get((ncp.ram.stage, event))
    if found is None:
        return False
    ncp.stop_alarm(_ALARM)
    ncp.stop_alarm(_KEY_POLL)
    ncp.ram.stage, act = found
    ncp.ram.joined = ncp.ram.stage in MEMBER
    _ACTS[act](ncp, detail)
    return True


def _expire_in(ncp: NcpState, delay_ms: int) -> None:
    ncp.alarm(_ALARM, delay_ms, _expired)


def _expired(ncp: NcpState) -> None:
    happen(ncp, JoinEvent.TIME_OUT)


# Looking for the network


def _seek(ncp: NcpState, attempt: Attempt) -> None:
    ncp.ram.attempt = attempt
    each_ms = scan_ms(ncp.ram.configuration[ConfigId.ACTIVE_SCAN_DURATION])
    ncp.alarm(_ALARM, each_ms * len(attempt.channels), _sought)


def scan_ms(duration: int) -> int:
    """Return how long a channel is listened to, in milliseconds: 2^n + 1 of 15.36 ms."""
    return round(((1 << duration) + 1) * 15.36)


def _sought(ncp: NcpState) -> None:
    attempt = ncp.ram.attempt
    if attempt is None:
        return
    heard = [
        beacon
        for channel in attempt.channels
        for beacon in ncp.air.networks(channel)
        if _is_wanted(attempt.parameters, beacon)
    ]
    willing = [one for one in heard if attempt.rejoin or _takes_nodes(one)]
    if willing:
        happen(ncp, JoinEvent.FOUND, max(willing, key=lambda one: one.lqi))
    else:
        happen(ncp, JoinEvent.CLOSED if heard else JoinEvent.NOT_FOUND)


def _is_wanted(wanted: NetworkParameters, beacon: HeardNetwork) -> bool:
    """Compare extended PAN identifiers, or where the host left that open the short ones."""
    if wanted.extended_pan_id != _NOBODY:
        return beacon.network.extended_pan_id == wanted.extended_pan_id
    return wanted.pan_id in {_ANY_PAN, beacon.network.pan_id}


def _takes_nodes(beacon: HeardNetwork) -> bool:
    return beacon.network.allowing_join and beacon.has_capacity


# Asking to be let in


def _ask_found(ncp: NcpState, beacon: HeardNetwork) -> None:
    attempt, network = ncp.ram.attempt, beacon.network
    if attempt is None:
        return
    parameters = replace(
        attempt.parameters,
        extended_pan_id=network.extended_pan_id,
        pan_id=network.pan_id,
        channel=network.channel,
        update_id=network.update_id,
    )
    _ask(ncp, replace(attempt, parameters=parameters, parent=beacon.sender))


def _ask(ncp: NcpState, asked: Attempt | HeardNetwork) -> None:
    if isinstance(asked, HeardNetwork):
        _ask_found(ncp, asked)
        return
    ncp.ram.attempt = asked
    request = AssociationRequest(
        ncp.identity.eui64,
        capability_of(asked.node_type),
        pan_id=asked.parameters.pan_id,
        channel=asked.parameters.channel,
        parent=asked.parent,
    )
    if asked.rejoin:
        request = replace(request, short=asked.short, network_key=asked.network_key)
    _expire_in(ncp, RESPONSE_MS)
    ncp.air.emit(request, ncp.now)


def _await_key(ncp: NcpState, answer: AssociationResponse) -> None:
    _take_short(ncp, answer)
    _expire_in(ncp, KEY_MS)
    _poll_for_key(ncp)


def _take_short(ncp: NcpState, answer: AssociationResponse) -> None:
    if ncp.ram.attempt is not None:
        ncp.ram.attempt = replace(ncp.ram.attempt, short=answer.short)


def _poll_for_key(ncp: NcpState) -> None:
    attempt = ncp.ram.attempt
    if attempt is not None and attempt.node_type == NodeType.SLEEPY_END_DEVICE:
        ncp.alarm(_KEY_POLL, KEY_POLL_MS, _poll_for_key)
        ncp.air.emit(Poll(attempt.short), ncp.now)


def _request_link_key(ncp: NcpState, attempt: Attempt) -> None:
    ncp.ram.attempt = attempt
    _expire_in(ncp, KEY_MS)
    _poll_for_key(ncp)
    ncp.air.emit(RequestKey(attempt.short, ncp.identity.eui64), ncp.now)


# In


def _enter(ncp: NcpState, entered: Attempt | AssociationResponse) -> None:
    """Be a node of the network, for the first time."""
    attempt = _entered(ncp, entered)
    if attempt is None:
        return
    ncp.nv.security = _security(ncp, attempt)
    ncp.nv.nodes.clear()
    expect_anew(ncp, attempt.trust_center)
    for row in [row for row, held in ncp.nv.link_keys.items() if held[0] == attempt.trust_center]:
        del ncp.nv.link_keys[row]  # of an earlier membership; the key of joining counts now
    if attempt.clear_beacons:
        ncp.ram.beacons.clear()
    _settle(ncp, attempt)


def _return(ncp: NcpState, entered: Attempt | AssociationResponse) -> None:
    """Be back, maybe under another short address or with another network key."""
    attempt, stored, security = _entered(ncp, entered), ncp.nv.network, ncp.nv.security
    if attempt is None or stored is None or security is None:
        return
    key = attempt.network_key
    if key is not None and key != security.network_key:
        ncp.nv.security = replace(security, network_key=key, sequence=attempt.sequence, counter=0)
    if attempt.short != stored.node_id:
        ncp.tell_status(Status.NODE_ID_CHANGED)
    _settle(ncp, attempt)


def _entered(ncp: NcpState, entered: Attempt | AssociationResponse) -> Attempt | None:
    if isinstance(entered, AssociationResponse):
        _take_short(ncp, entered)
    else:
        ncp.ram.attempt = entered
    return ncp.ram.attempt


def _settle(ncp: NcpState, attempt: Attempt) -> None:
    security = ncp.nv.security
    center = _NOBODY if security is None else security.trust_center
    child = attempt.node_type != NodeType.ROUTER
    parent = attempt.parent if child else _NO_PARENT
    parent_eui64 = center if child and parent == _HUB else _NOBODY
    kept = (attempt.node_type, attempt.short, parent, parent_eui64)
    ncp.nv.network = StoredNetwork(replace(attempt.parameters, join_method=0), *kept)
    if center != _NOBODY:
        hub = Node(center, _HUB, capability_of(NodeType.COORDINATOR), authenticated=True)
        ncp.nv.nodes[center] = hub
    ncp.ram.attempt = None
    ncp.count(Counter.NEIGHBOR_ADDED)
    _appear(ncp)


def _resume(ncp: NcpState, _detail: None) -> None:
    """Be on the stored network again, as if nothing had been."""
    ncp.show_network()
    ncp.tell_status(Status.NETWORK_UP)


def _appear(ncp: NcpState) -> None:
    """Say to everybody that the NCP is here, and to the host that the network is up."""
    ncp.show_network()
    stored = ncp.nv.network
    if stored is not None:
        counter = ncp.traffic.next_counter()
        told = (stored.node_id, ncp.identity.eui64, capability_of(stored.node_type))
        payload = zdo.device_announce(counter, *told)
        announce = aps.ApsFrame(0, 0, ZdoCluster.DEVICE_ANNOUNCE, counter, payload, zdo.PROFILE)
        transmit(ncp, data_frame(ncp, LISTENING, announce))
    ncp.tell_status(Status.NETWORK_UP)


def _security(ncp: NcpState, attempt: Attempt) -> StoredSecurity:
    given = ncp.ram.security
    bits = 0 if given is None else given.bitmask
    link_key = attempt.link_key
    if link_key is None and given is not None and bits & InitialSecurityBit.HAVE_PRECONFIGURED_KEY:
        link_key = given.preconfigured_key
    current = 0
    if link_key is not None:
        current |= CurrentSecurityBit.HAVE_TRUST_CENTER_LINK_KEY
    if bits & InitialSecurityBit.TRUST_CENTER_GLOBAL_LINK_KEY:
        current |= CurrentSecurityBit.GLOBAL_LINK_KEY
    counter = 0
    if bits & InitialSecurityBit.NO_FRAME_COUNTER_RESET:
        counter = int.from_bytes(ncp.ram.values[ValueId.NWK_FRAME_COUNTER], "little")
    return StoredSecurity(
        int(current),
        attempt.network_key or bytes(16),
        attempt.sequence,
        link_key or bytes(16),
        attempt.trust_center,
        counter,
    )


# Out


def _leave(ncp: NcpState, _detail: None) -> None:
    stored = ncp.nv.network
    if stored is not None:
        ncp.air.emit(Left(stored.node_id, ncp.identity.eui64), ncp.now)
    forget_network(ncp)


def _stay_orphan(ncp: NcpState, _detail: None) -> None:
    ncp.ram.polls = None
    ncp.show_network()


def _fail(ncp: NcpState, _detail: None, status: Status) -> None:
    ncp.ram.attempt = None
    ncp.show_network()
    ncp.tell_status(status)


_FAILURES: Final = {
    JoinAct.FAIL_NO_BEACONS: Status.NO_BEACONS,
    JoinAct.FAIL_JOIN: Status.JOIN_FAILED,
    JoinAct.FAIL_NO_KEY: Status.NO_NETWORK_KEY_RECEIVED,
    JoinAct.FAIL_KEY_IN_CLEAR: Status.RECEIVED_KEY_IN_THE_CLEAR,
    JoinAct.FAIL_KEY_REQUIRED: Status.PRECONFIGURED_KEY_REQUIRED,
    JoinAct.FAIL_NO_LINK_KEY: Status.NO_LINK_KEY_RECEIVED,
    JoinAct.FAIL_MOVE: Status.MOVE_FAILED,
    JoinAct.FAIL_RETURN_KEY: Status.NO_NETWORK_KEY_RECEIVED,
}
_ACTS: Final[dict[JoinAct, Callable[[NcpState, Any], None]]] = {
    JoinAct.SEEK: _seek,
    JoinAct.SEEK_AGAIN: _seek,
    JoinAct.ASK: _ask,
    JoinAct.ASK_AGAIN: _ask,
    JoinAct.AWAIT_KEY: _await_key,
    JoinAct.REQUEST_LINK_KEY: _request_link_key,
    JoinAct.ENTER: _enter,
    JoinAct.RESUME: _resume,
    JoinAct.RETURN: _return,
    JoinAct.LEAVE: _leave,
    JoinAct.LEAVE_AS_TOLD: _leave,
    JoinAct.STAY_ORPHAN: _stay_orphan,
    **{act: partial(_fail, status=status) for act, status in _FAILURES.items()},
}


def return_attempt(ncp: NcpState, stored: StoredNetwork, *, secured: bool = True) -> Attempt:
    """Return the attempt to come back to the stored network, where it was."""
    security = ncp.nv.security
    key = security.network_key if secured and security is not None else None
    return Attempt(
        stored.node_type,
        stored.parameters,
        (stored.parameters.channel,),
        rejoin=True,
        network_key=key,
        short=stored.node_id,
        sequence=0 if security is None else security.sequence,
        trust_center=_NOBODY if security is None else security.trust_center,
    )
