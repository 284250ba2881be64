"""Forming, resuming and leaving a network, permitting others to join, and scanning."""

from dataclasses import replace
from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    CurrentSecurityBit,
    InitialSecurityBit,
    NetworkInitBit,
    NetworkState,
    NodeType,
    ScanType,
    ValueId,
)
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import Beacon, NetworkParameters
from emulator.codecs.ezsp.values import ByEui64, ByNodeId, Nothing, Power, StatusOnly
from emulator.codecs.ezsp.values_network import (
    BeaconAnswer,
    CcaMode,
    Concentrator,
    EnergyResult,
    FormNetwork,
    Leave,
    ManyToOneRequest,
    NetworkFound,
    NetworkInit,
    NetworkParametersAnswer,
    NetworkStateAnswer,
    ParentChild,
    RemainingTime,
    Scan,
    ScanComplete,
    SourceRouteMode,
)
from emulator.core.ids import Eui64
from emulator.ncp.air import CHANNELS, HeardNetwork
from emulator.ncp.join_table import TOLD, JoinEvent
from emulator.ncp.joining import happen, return_attempt, scan_ms
from emulator.ncp.leaving import forget_network
from emulator.ncp.memory import StoredNetwork, StoredSecurity
from emulator.ncp.state import HandlerTable, NcpState

NETWORK: Final = HandlerTable()
_NOBODY: Final = Eui64(bytes(8))
_NO_NETWORK: Final = NetworkParameters(_NOBODY, 0xFFFF, 0, 0)
_NO_BEACON: Final = Beacon(0, 0, 0, 0, 0, 0, 0, 0xFFFF, _NOBODY, 0xFFFF, False, False, False)
_INIT_BITS: Final = NetworkInitBit.PARENT_INFO_IN_TOKEN | NetworkInitBit.END_DEVICE_REJOIN_ON_REBOOT
_ANY_PAN: Final = 0xFFFF
_NO_NODE: Final = 0xFFFE
_MAX_DURATION: Final = 14
_CALLBACKS_OF_A_SCAN: Final = (
    Frame.NETWORK_FOUND_HANDLER,
    Frame.ENERGY_SCAN_RESULT_HANDLER,
    Frame.SCAN_COMPLETE_HANDLER,
)


@NETWORK.handles(Frame.GET_EUI64)
def eui64(ncp: NcpState, _asked: Nothing) -> ByEui64:
    """Tell the dongle's own address."""
    return ByEui64(ncp.identity.eui64)


@NETWORK.handles(Frame.GET_NODE_ID)
def node_id(ncp: NcpState, _asked: Nothing) -> ByNodeId:
    """Tell the short address."""
    stored = ncp.nv.network
    return ByNodeId(stored.node_id if ncp.ram.joined and stored is not None else _NO_NODE)


@NETWORK.handles(Frame.NETWORK_STATE)
def network_state(ncp: NcpState, _asked: Nothing) -> NetworkStateAnswer:
    """Say whether the NCP is on a network."""
    if ncp.is_node:
        return NetworkStateAnswer(int(TOLD[ncp.ram.stage]))
    state = NetworkState.JOINED_NETWORK if ncp.ram.joined else NetworkState.NO_NETWORK
    return NetworkStateAnswer(int(state))


@NETWORK.handles(Frame.GET_NETWORK_PARAMETERS)
def network_parameters(ncp: NcpState, _asked: Nothing) -> NetworkParametersAnswer:
    """Tell the present network."""
    stored = ncp.nv.network
    if not ncp.ram.joined or stored is None:
        return NetworkParametersAnswer(Status.NOT_JOINED, NodeType.UNKNOWN_DEVICE, _NO_NETWORK)
    return NetworkParametersAnswer(Status.OK, stored.node_type, stored.parameters)


@NETWORK.handles(Frame.GET_PARENT_CHILD_PARAMETERS)
def parent_child(ncp: NcpState, _asked: Nothing) -> ParentChild:
    """Tell how many children there are; neither coordinator nor router has a parent."""
    stored = ncp.nv.network
    parent = (_NOBODY, 0xFFFF)
    if ncp.ram.joined and stored is not None:
        parent = (stored.parent_eui64, stored.parent)
    return ParentChild(len(ncp.nv.children()), *parent)


@NETWORK.handles(Frame.NETWORK_INIT)
def network_init(ncp: NcpState, asked: NetworkInit) -> StatusOnly:
    """Resume the stored network; that it is up is told after the answer.

    A coordinator or router is there again at once. An end device asks its parent first, by a
    secured rejoin, unless the host has it keep the parent and not ask.
    """
    stored = ncp.nv.network
    if not ncp.is_free:
        return StatusOnly(Status.INVALID_STATE)
    if stored is None:
        return StatusOnly(Status.NOT_JOINED)
    if not stored.is_own:
        asks = asked.bitmask & _INIT_BITS != NetworkInitBit.PARENT_INFO_IN_TOKEN
        if stored.is_end_device and asks:
            happen(ncp, JoinEvent.RESUME_ASKING, return_attempt(ncp, stored))
        else:
            happen(ncp, JoinEvent.RESUME)
        return StatusOnly()
    ncp.ram.joined = True
    ncp.show_network()
    ncp.tell_status(Status.NETWORK_UP)
    return StatusOnly()


@NETWORK.handles(Frame.FORM_NETWORK)
def form_network(ncp: NcpState, asked: FormNetwork) -> StatusOnly:
    """Form a network with the security that was set, and store it."""
    if not ncp.is_free:
        return StatusOnly(Status.INVALID_STATE)
    if ncp.ram.security is None:
        return StatusOnly(Status.SECURITY_STATE_NOT_SET)
    wanted = asked.parameters
    if wanted.channel not in CHANNELS:
        return StatusOnly(Status.TRANSMIT_INVALID_CHANNEL)
    if wanted.extended_pan_id == _NOBODY:
        wanted = replace(wanted, extended_pan_id=ncp.identity.eui64)
    if wanted.pan_id == _ANY_PAN:
        wanted = replace(wanted, pan_id=1 + ncp.chance.below(0xFFFE))
    ncp.nv.network = StoredNetwork(wanted)
    ncp.nv.security = _security(ncp)
    ncp.nv.nodes.clear()
    ncp.ram.joined = True
    ncp.show_network()
    ncp.tell_status(Status.NETWORK_UP)
    return StatusOnly()


def _security(ncp: NcpState) -> StoredSecurity:
    """Return the keys of a network that is being formed; what is not given is drawn."""
    given = ncp.ram.security
    bits = 0 if given is None else given.bitmask
    network_key = ncp.chance.octets(16)
    tc_key = ncp.chance.octets(16)
    if given is not None and bits & InitialSecurityBit.HAVE_NETWORK_KEY:
        network_key = given.network_key
    if given is not None and bits & InitialSecurityBit.HAVE_PRECONFIGURED_KEY:
        tc_key = given.preconfigured_key
    current = int(CurrentSecurityBit.HAVE_TRUST_CENTER_LINK_KEY)
    if bits & InitialSecurityBit.TRUST_CENTER_GLOBAL_LINK_KEY:
        current |= CurrentSecurityBit.GLOBAL_LINK_KEY
    sequence = 0 if given is None else given.network_key_sequence
    counter = 0
    if bits & InitialSecurityBit.NO_FRAME_COUNTER_RESET:
        counter = int.from_bytes(ncp.ram.values[ValueId.NWK_FRAME_COUNTER], "little")
    return StoredSecurity(current, network_key, sequence, tc_key, ncp.identity.eui64, counter)


@NETWORK.handles(Frame.LEAVE_NETWORK)
def leave_network(ncp: NcpState, _asked: Leave) -> StatusOnly:
    """Leave and forget the network; the host is told after the answer."""
    if not ncp.ram.joined:
        return StatusOnly(Status.INVALID_STATE)
    if not happen(ncp, JoinEvent.LEAVE):
        forget_network(ncp)
    return StatusOnly()


@NETWORK.handles(Frame.START_SCAN)
def start_scan(ncp: NcpState, asked: Scan) -> StatusOnly:
    """Listen on the channels one after the other, as long as the host says."""
    if ncp.ram.scanning:
        return StatusOnly(Status.MAC_SCANNING)
    if ncp.ram.library is not None or ncp.ram.attempt is not None:
        return StatusOnly(Status.INVALID_STATE)
    channels = [channel for channel in CHANNELS if asked.channel_mask >> channel & 1]
    if not channels:
        return StatusOnly(Status.INVALID_CHANNEL_MASK)
    if asked.duration > _MAX_DURATION:
        return StatusOnly(Status.BAD_SCAN_DURATION)
    if asked.scan_type not in set(ScanType):
        return StatusOnly(Status.MAC_INCORRECT_SCAN_TYPE)
    each_ms = scan_ms(asked.duration)
    if asked.scan_type == ScanType.ACTIVE_SCAN:
        ncp.ram.beacons.clear()
    for number, channel in enumerate(channels, 1):
        if asked.scan_type == ScanType.ENERGY_SCAN:
            heard = EnergyResult(channel, ncp.air.energy(channel))
            ncp.later(Frame.ENERGY_SCAN_RESULT_HANDLER, heard, number * each_ms)
            continue
        for beacon in ncp.air.networks(channel):
            ncp.ram.beacons.append(_kept(beacon))
            found = NetworkFound(beacon.network, beacon.lqi, beacon.rssi)
            ncp.later(Frame.NETWORK_FOUND_HANDLER, found, number * each_ms)
    ncp.ram.scanning = True
    done = ScanComplete(channels[-1], Status.OK)
    ncp.later(Frame.SCAN_COMPLETE_HANDLER, done, len(channels) * each_ms)
    return StatusOnly()


def _kept(heard: HeardNetwork) -> Beacon:
    """Return a beacon as the stack keeps it."""
    found = heard.network
    return Beacon(
        found.channel,
        heard.lqi,
        heard.rssi,
        heard.depth,
        found.update_id,
        0,
        0,
        found.pan_id,
        found.extended_pan_id,
        heard.sender,
        False,
        found.allowing_join,
        heard.has_capacity,
    )


@NETWORK.handles(Frame.GET_NEXT_BEACON)
def next_beacon(ncp: NcpState, _asked: Nothing) -> BeaconAnswer:
    """Tell and forget a beacon of the last active scan."""
    if not ncp.ram.beacons:
        return BeaconAnswer(Status.NOT_FOUND, _NO_BEACON)
    return BeaconAnswer(Status.OK, ncp.ram.beacons.pop(0))


@NETWORK.handles(Frame.STOP_SCAN)
def stop_scan(ncp: NcpState, _asked: Nothing) -> StatusOnly:
    """End a scan now."""
    if ncp.ram.scanning:
        ncp.forget(*_CALLBACKS_OF_A_SCAN)
        ncp.later(Frame.SCAN_COMPLETE_HANDLER, ScanComplete(0, Status.OK))
    return StatusOnly()


@NETWORK.handles(Frame.SET_RADIO_POWER)
def radio_power(ncp: NcpState, asked: Power) -> StatusOnly:
    """Take a transmit power that the radio can do."""
    if not -30 <= asked.power <= 20:
        return StatusOnly(Status.TRANSMIT_INVALID_POWER)
    stored = ncp.nv.network
    if stored is not None:
        power = asked.power & 0xFF
        ncp.nv.network = replace(stored, parameters=replace(stored.parameters, tx_power=power))
    return StatusOnly()


@NETWORK.handles(Frame.SET_RADIO_IEEE802154_CCA_MODE)
def cca_mode(_ncp: NcpState, asked: CcaMode) -> StatusOnly:
    """Take one of the four modes."""
    return StatusOnly(Status.OK if asked.mode <= 3 else Status.INVALID_PARAMETER)


@NETWORK.handles(Frame.SET_CONCENTRATOR)
def concentrator(ncp: NcpState, asked: Concentrator) -> StatusOnly:
    """Be a concentrator: the ways of messages are told to the host from now on."""
    ncp.ram.concentrator = asked if asked.on else None
    ncp.ram.route_told.clear()
    return StatusOnly()


@NETWORK.handles(Frame.SEND_MANY_TO_ONE_ROUTE_REQUEST)
def many_to_one(ncp: NcpState, _asked: ManyToOneRequest) -> StatusOnly:
    """Agree while on a network; nodes tell their way anew."""
    ncp.ram.route_told.clear()
    return StatusOnly(Status.OK if ncp.ram.joined else Status.NOT_JOINED)


@NETWORK.handles(Frame.SET_SOURCE_ROUTE_DISCOVERY_MODE)
def source_route_mode(_ncp: NcpState, _asked: SourceRouteMode) -> RemainingTime:
    """Say that no route request is due."""
    return RemainingTime(0)


@NETWORK.handles(Frame.GP_SINK_TABLE_CLEAR_ALL, Frame.GP_CLEAR_PROXY_TABLE)
def clear_green_power(_ncp: NcpState, _asked: Nothing) -> Nothing:
    """Agree: the tables of Green Power are always empty."""
    return Nothing()
