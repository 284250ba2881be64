"""The host's orders to join somebody else's network, to find it again, and to ask the parent."""

from dataclasses import replace
from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    EventUnits,
    InitialSecurityBit,
    JoinMethod,
    NodeType,
)
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import InitialSecurityState, NetworkParameters
from emulator.codecs.ezsp.values import StatusOnly
from emulator.codecs.ezsp.values_messages import PollForData
from emulator.codecs.ezsp.values_network import JoinDirectly, JoinNetwork, Rejoin
from emulator.ncp import polling
from emulator.ncp.air import CHANNELS
from emulator.ncp.join_table import JoinEvent, JoinStage
from emulator.ncp.joining import happen, return_attempt
from emulator.ncp.state import HandlerTable, NcpState
from emulator.ncp.undertakings import Attempt, Polls

JOINER: Final = HandlerTable()
_NODES: Final = frozenset({NodeType.ROUTER, NodeType.END_DEVICE, NodeType.SLEEPY_END_DEVICE})
_NEED_KEY: Final = frozenset(
    {JoinMethod.USE_NWK_REJOIN_HAVE_NWK_KEY, JoinMethod.USE_CONFIGURED_NWK_STATE}
)
_UNITS_MS: Final = {
    EventUnits.MS_TIME: 1,
    EventUnits.QS_TIME: 250,
    EventUnits.MINUTE_TIME: 60_000,
}
_MAX_INTERVAL: Final = 32_767


@JOINER.handles(Frame.JOIN_NETWORK)
def join_network(ncp: NcpState, asked: JoinNetwork) -> StatusOnly:
    """Look for a network and ask to be let in; how it ends is told by ``stackStatusHandler``."""
    wanted, given = asked.parameters, ncp.ram.security
    refusal = _refusal(ncp, asked.node_type, wanted.channel)
    if refusal is not None or given is None:
        return StatusOnly(refusal or Status.SECURITY_STATE_NOT_SET)
    if wanted.join_method not in set(JoinMethod):
        return StatusOnly(Status.INVALID_PARAMETER)
    key = given.network_key if given.bitmask & InitialSecurityBit.HAVE_NETWORK_KEY else None
    if wanted.join_method in _NEED_KEY and key is None:
        return StatusOnly(Status.SECURITY_CONFIGURATION_INVALID)
    attempt = Attempt(asked.node_type, wanted, (wanted.channel,))
    if wanted.join_method != JoinMethod.USE_MAC_ASSOCIATION:
        attempt = _with_key(ncp, attempt, given, key)
    if wanted.join_method == JoinMethod.USE_CONFIGURED_NWK_STATE:
        happen(ncp, JoinEvent.CONFIGURE, attempt)
    else:
        happen(ncp, JoinEvent.JOIN, attempt)
    return StatusOnly()


def _with_key(
    ncp: NcpState, attempt: Attempt, given: InitialSecurityState, key: bytes | None
) -> Attempt:
    """Return an attempt by rejoin, under the short address the NCP had, or one of chance."""
    stored = ncp.nv.network
    short = 1 + ncp.chance.below(0xFFF6) if stored is None else stored.node_id
    secured = attempt.parameters.join_method != JoinMethod.USE_NWK_REJOIN
    return replace(
        attempt,
        rejoin=True,
        short=short,
        network_key=key if secured else None,
        sequence=given.network_key_sequence,
        trust_center=given.trust_center,
    )


@JOINER.handles(Frame.JOIN_NETWORK_DIRECTLY)
def join_directly(ncp: NcpState, asked: JoinDirectly) -> StatusOnly:
    """Ask the sender of a beacon to be let in, without looking for it first."""
    beacon = asked.beacon
    refusal = _refusal(ncp, asked.node_type, beacon.channel)
    if refusal is not None:
        return StatusOnly(refusal)
    parameters = NetworkParameters(
        beacon.extended_pan_id,
        beacon.pan_id,
        asked.tx_power & 0xFF,
        beacon.channel,
        update_id=beacon.update_id,
    )
    attempt = Attempt(asked.node_type, parameters, (beacon.channel,), parent=beacon.sender)
    happen(ncp, JoinEvent.JOIN_AT, replace(attempt, clear_beacons=asked.clear_beacons))
    return StatusOnly()


def _refusal(ncp: NcpState, node_type: int, channel: int) -> Status | None:
    """Return why the NCP cannot join now, or not so; None: it can."""
    if ncp.ram.scanning:
        return Status.MAC_SCANNING
    if not ncp.is_free:
        return Status.INVALID_STATE
    if node_type not in _NODES:
        return Status.INVALID_PARAMETER
    if channel not in CHANNELS:
        return Status.TRANSMIT_INVALID_CHANNEL
    return Status.SECURITY_STATE_NOT_SET if ncp.ram.security is None else None


@JOINER.handles(Frame.FIND_AND_REJOIN_NETWORK)
def find_and_rejoin(ncp: NcpState, asked: Rejoin) -> StatusOnly:
    """Look for the present network and come back to it, on its channel or wherever it is."""
    stored = ncp.nv.network
    if stored is None or not ncp.ram.joined:
        return StatusOnly(Status.NOT_JOINED)
    if ncp.ram.scanning:
        return StatusOnly(Status.MAC_SCANNING)
    if asked.node_type and asked.node_type not in _NODES:
        return StatusOnly(Status.INVALID_PARAMETER)
    channels = tuple(channel for channel in CHANNELS if asked.channel_mask >> channel & 1)
    if asked.channel_mask and not channels:
        return StatusOnly(Status.INVALID_CHANNEL_MASK)
    attempt = return_attempt(ncp, stored, secured=asked.have_key)
    attempt = replace(
        attempt,
        channels=channels or attempt.channels,
        node_type=asked.node_type or attempt.node_type,
    )
    taken = happen(ncp, JoinEvent.REJOIN, attempt)
    return StatusOnly(Status.OK if taken else Status.INVALID_STATE)


@JOINER.handles(Frame.POLL_FOR_DATA)
def poll_for_data(ncp: NcpState, asked: PollForData) -> StatusOnly:
    """Ask the parent once or regularly; only an end device has one."""
    stored = ncp.nv.network
    child = stored is not None and stored.is_end_device
    if not child or ncp.ram.stage is not JoinStage.UP:
        return StatusOnly(Status.INVALID_STATE if ncp.ram.joined else Status.NOT_JOINED)
    units = _UNITS_MS.get(EventUnits(asked.units)) if asked.units in set(EventUnits) else None
    if asked.interval > _MAX_INTERVAL or (units is None and asked.units != EventUnits.INACTIVE):
        return StatusOnly(Status.INVALID_PARAMETER)
    interval_ms = asked.interval * units if units is not None and asked.interval else None
    polling.begin(ncp, Polls(interval_ms, asked.failure_limit))
    return StatusOnly()
