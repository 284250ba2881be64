"""What an NCP that is a node hears of its hub besides messages: answers, keys, orders to leave."""

from dataclasses import replace

from emulator.codecs.ezsp.identifiers import Counter, InitialSecurityBit
from emulator.core.ids import Eui64
from emulator.ncp.join_table import JoinEvent, JoinStage
from emulator.ncp.joining import happen, return_attempt
from emulator.ncp.radio_frames import (
    LINK_KEY,
    NETWORK_KEY,
    AssociationResponse,
    ConfirmKey,
    LeaveOrder,
    TransportKey,
    VerifyKey,
)
from emulator.ncp.sending import hub_link_key
from emulator.ncp.state import NcpState

_WAITING = frozenset({JoinStage.KEY_WAIT, JoinStage.RETURN_KEY_WAIT})


def answered(ncp: NcpState, frame: AssociationResponse) -> None:
    """A parent answers a request to join or to come back."""
    attempt = ncp.ram.attempt
    if frame.eui64 != ncp.identity.eui64 or attempt is None:
        return
    if frame.status:
        happen(ncp, JoinEvent.REFUSED)
    elif attempt.rejoin and attempt.network_key is not None:
        happen(ncp, JoinEvent.ACCEPTED_WITH_KEY, frame)
    else:
        happen(ncp, JoinEvent.ACCEPTED, frame)


def key_came(ncp: NcpState, frame: TransportKey) -> None:
    """The trust centre has sent a key."""
    attempt = ncp.ram.attempt
    if frame.eui64 != ncp.identity.eui64 or attempt is None:
        return
    if frame.kind == NETWORK_KEY and ncp.ram.stage in _WAITING:
        _network_key(ncp, frame)
    elif frame.kind == LINK_KEY and ncp.ram.stage is JoinStage.LINK_KEY_WAIT:
        if frame.sealed_under != _joining_key(ncp):
            ncp.count(Counter.APS_DECRYPTION_FAILURE)
            return
        ncp.ram.attempt = replace(attempt, link_key=frame.key)
        ncp.air.emit(VerifyKey(attempt.short, ncp.identity.eui64, frame.key), ncp.now)


def _network_key(ncp: NcpState, frame: TransportKey) -> None:
    bits = 0 if ncp.ram.security is None else ncp.ram.security.bitmask
    own = _joining_key(ncp)
    if frame.sealed_under is None:
        if bits & InitialSecurityBit.REQUIRE_ENCRYPTED_KEY:
            happen(ncp, JoinEvent.KEY_IN_CLEAR)
            return
    elif own is None:
        happen(ncp, JoinEvent.KEY_SEALED_FOR_NOBODY)
        return
    elif frame.sealed_under != own:
        ncp.count(Counter.APS_DECRYPTION_FAILURE)
        return
    if not _is_trusted(ncp, frame.trust_center) or ncp.ram.attempt is None:
        return
    attempt = replace(
        ncp.ram.attempt,
        network_key=frame.key,
        sequence=frame.sequence,
        trust_center=frame.trust_center,
    )
    wanted = bits & InitialSecurityBit.GET_LINK_KEY_WHEN_JOINING
    event = JoinEvent.KEY_LINK_KEY_WANTED if wanted else JoinEvent.KEY
    happen(ncp, event, attempt)


def _joining_key(ncp: NcpState) -> bytes | None:
    """Return the link key the trust centre has to use: of the stored network, or for the next."""
    if ncp.ram.stage is JoinStage.RETURN_KEY_WAIT:
        return hub_link_key(ncp)
    given = ncp.ram.security
    if given is None or not given.bitmask & InitialSecurityBit.HAVE_PRECONFIGURED_KEY:
        return None
    return given.preconfigured_key


def _is_trusted(ncp: NcpState, center: Eui64) -> bool:
    """Say whether the host, or the stored network, insists on no other trust centre."""
    if ncp.ram.stage is JoinStage.RETURN_KEY_WAIT:
        return ncp.nv.security is None or ncp.nv.security.trust_center == center
    given = ncp.ram.security
    insists = given is not None and given.bitmask & InitialSecurityBit.HAVE_TRUST_CENTER_EUI64
    return given is None or not insists or given.trust_center == center


def key_confirmed(ncp: NcpState, frame: ConfirmKey) -> None:
    """The trust centre agrees that the NCP holds the link key it was sent."""
    attempt = ncp.ram.attempt
    if frame.eui64 != ncp.identity.eui64 or frame.status or attempt is None:
        return
    if attempt.link_key is not None:
        happen(ncp, JoinEvent.LINK_KEY, attempt)


def told_to_leave(ncp: NcpState, frame: LeaveOrder) -> None:
    """Parent or trust centre send the NCP away, for good or to come back."""
    if frame.eui64 == ncp.identity.eui64:
        leave_as_told(ncp, rejoin=frame.rejoin)


def leave_as_told(ncp: NcpState, *, rejoin: bool) -> None:
    """Leave, or leave and come back, because the network says so."""
    stored = ncp.nv.network
    if rejoin and stored is not None:
        happen(ncp, JoinEvent.TOLD_TO_RETURN, return_attempt(ncp, stored))
    else:
        happen(ncp, JoinEvent.TOLD_TO_LEAVE)
