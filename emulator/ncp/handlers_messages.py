"""Messages of the host: unicasts, broadcasts, multicasts, replies, and bindings."""

from dataclasses import replace
from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    ApsOption,
    ConfigId,
    Counter,
    IncomingType,
    OutgoingType,
    PolicyId,
)
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame, BindingEntry
from emulator.codecs.ezsp.values import ByIndex, Nothing, PayloadLength, StatusOnly
from emulator.codecs.ezsp.values_messages import (
    MessageSent,
    Reply,
    SendAnswer,
    SendBroadcast,
    SendMulticast,
    SendUnicast,
)
from emulator.codecs.ezsp.values_network import (
    UNKNOWN_NODE,
    BindingAnswer,
    BindingSetting,
)
from emulator.codecs.zigbee import zdo
from emulator.core.ids import Eui64
from emulator.ncp import own_zdo
from emulator.ncp.radio_frames import BROADCASTS, EVERYBODY, DataFrame
from emulator.ncp.receiving import ack_of
from emulator.ncp.sending import (
    data_frame,
    inner_frame,
    link_key_of,
    max_payload,
    put,
    start,
    transmit,
)
from emulator.ncp.state import HandlerTable, NcpState
from emulator.ncp.traffic import Sending

MESSAGES: Final = HandlerTable()
_WITH_CONTENTS: Final = 0x41
#: As numbers: flags of `enum` are slow to combine.
_ENCRYPTION: Final = int(ApsOption.ENCRYPTION)
_FRAGMENT: Final = int(ApsOption.FRAGMENT)
_UNBOUND: Final = BindingEntry(0, 0, 0, 0, Eui64(bytes(8)), 0)
_TO_NODE: Final = 1
_ALL_ENDPOINTS: Final = 0xFF


@MESSAGES.handles(Frame.MAXIMUM_PAYLOAD_LENGTH)
def maximum_payload_length(_ncp: NcpState, _asked: Nothing) -> PayloadLength:
    """Say how long a message without further options may be."""
    return PayloadLength(max_payload(0))


# Unicasts


@MESSAGES.handles(Frame.SEND_UNICAST)
def send_unicast(ncp: NcpState, asked: SendUnicast) -> SendAnswer:
    """Take a message for one node; what becomes of it is told later."""
    destination = _destination(ncp, asked)
    refusal = _refusal(ncp, asked.aps, asked.message)
    if refusal is None and destination is None:
        refusal = Status.INVALID_PARAMETER
    if refusal is None and len(ncp.traffic.pending) >= _most_unicasts(ncp):
        refusal = Status.MAX_MESSAGE_LIMIT_REACHED
    if refusal is not None or destination is None:
        return SendAnswer(refusal or Status.FAIL, 0)
    link_key = None
    if asked.aps.options & _ENCRYPTION:
        node = ncp.nv.by_short(destination)
        link_key = None if node is None else link_key_of(ncp, node.eui64)
        if link_key is None:
            return SendAnswer(Status.APS_ENCRYPTION_ERROR, 0)
    counter = _counter(ncp, asked.aps)
    ncp.ram.spoke_from.add((asked.aps.source_endpoint, asked.aps.profile))
    aps = asked.aps.numbered(counter)
    head = (asked.message_type, asked.destination, aps, asked.tag)
    contents = asked.message if _with_contents(ncp) else b""
    if destination == ncp.short:
        ncp.later(Frame.MESSAGE_SENT_HANDLER, MessageSent(*head, Status.OK, contents))
        _to_self(ncp, aps, asked.message)
    else:
        frame = data_frame(ncp, destination, inner_frame(aps, counter, asked.message), link_key)
        start(ncp, Sending(*head, frame, contents))
    return SendAnswer(Status.OK, counter)


def _to_self(ncp: NcpState, aps: ApsFrame, message: bytes) -> None:
    if aps.profile == zdo.PROFILE:
        own_zdo.ask_self(ncp, aps, message)
    elif aps.destination_endpoint in ncp.ram.endpoints:
        ncp.hear_itself(IncomingType.UNICAST, aps, message)


def _destination(ncp: NcpState, asked: SendUnicast) -> int | None:
    """Return the short address that is meant; None: there is none."""
    if asked.message_type == OutgoingType.DIRECT:
        return asked.destination
    if asked.message_type == OutgoingType.VIA_ADDRESS_TABLE:
        row = ncp.ram.addresses.get(asked.destination)
        return None if row is None or row[1] == UNKNOWN_NODE else row[1]
    if asked.message_type == OutgoingType.VIA_BINDING:
        entry = ncp.ram.bindings.get(asked.destination, _UNBOUND)
        node = ncp.nv.nodes.get(entry.identifier) if entry.kind == _TO_NODE else None
        return None if node is None else node.short
    return None


def _refusal(ncp: NcpState, aps: ApsFrame, message: bytes) -> Status | None:
    if not ncp.ram.joined:
        return Status.NETWORK_DOWN
    if len(message) > max_payload(aps.options):
        return Status.MESSAGE_TOO_LONG
    return None


def _counter(ncp: NcpState, aps: ApsFrame) -> int:
    """Return the counter of a message: later fragments have that of the first."""
    if aps.options & _FRAGMENT and aps.group & 0xFF:
        return aps.sequence
    return ncp.traffic.next_counter()


def _most_unicasts(ncp: NcpState) -> int:
    return ncp.ram.configuration[ConfigId.APS_UNICAST_MESSAGE_COUNT]


def _with_contents(ncp: NcpState) -> bool:
    policy = ncp.ram.policies[PolicyId.MESSAGE_CONTENTS_IN_CALLBACK_POLICY]
    return policy == _WITH_CONTENTS


# Broadcasts and multicasts


@MESSAGES.handles(Frame.SEND_BROADCAST)
def send_broadcast(ncp: NcpState, asked: SendBroadcast) -> SendAnswer:
    """Send a message to all nodes, or all that listen, or all routers."""
    refusal = _refusal(ncp, asked.aps, asked.message)
    if refusal is None and asked.destination not in BROADCASTS:
        refusal = Status.INVALID_PARAMETER
    if refusal is not None:
        return SendAnswer(refusal, 0)
    aps = replace(asked.aps, sequence=ncp.traffic.next_counter())
    _spread(ncp, asked.destination, aps, asked.message, None)
    endpoints = ncp.ram.endpoints
    own = {*endpoints, _ALL_ENDPOINTS} if endpoints else set()
    if aps.destination_endpoint in own and aps.profile != zdo.PROFILE:
        ncp.hear_itself(IncomingType.BROADCAST_LOOPBACK, aps, asked.message)
    head = (int(OutgoingType.BROADCAST), asked.destination, aps, asked.tag)
    contents = asked.message if _with_contents(ncp) else b""
    ncp.later(Frame.MESSAGE_SENT_HANDLER, MessageSent(*head, Status.OK, contents))
    return SendAnswer(Status.OK, aps.sequence)


@MESSAGES.handles(Frame.SEND_MULTICAST)
def send_multicast(ncp: NcpState, asked: SendMulticast) -> SendAnswer:
    """Send a message to a group."""
    refusal = _refusal(ncp, asked.aps, asked.message)
    if refusal is not None:
        return SendAnswer(refusal, 0)
    aps = replace(asked.aps, sequence=ncp.traffic.next_counter())
    _spread(ncp, asked.broadcast_address, aps, asked.message, aps.group)
    groups = {entry.group for entry in ncp.ram.multicast.values() if entry.endpoint}
    if aps.group in groups:
        ncp.hear_itself(IncomingType.MULTICAST_LOOPBACK, aps, asked.message)
    head = (int(OutgoingType.MULTICAST), aps.group, aps, asked.tag)
    contents = asked.message if _with_contents(ncp) else b""
    ncp.later(Frame.MESSAGE_SENT_HANDLER, MessageSent(*head, Status.OK, contents))
    return SendAnswer(Status.OK, aps.sequence)


def _spread(ncp: NcpState, to: int, aps: ApsFrame, message: bytes, group: int | None) -> None:
    ncp.count(Counter.MAC_TX_BROADCAST)
    ncp.count(Counter.APS_DATA_TX_BROADCAST)
    own = data_frame(ncp, to, replace(inner_frame(aps, aps.sequence, message), ack_request=False))
    frame: DataFrame = replace(own, group=group)
    transmit(ncp, frame)
    if to == EVERYBODY:
        for child in ncp.nv.children():
            if child.sleepy and child.authenticated:
                put(ncp, replace(frame, destination=child.short), child.short)


# Replies


@MESSAGES.handles(Frame.SEND_REPLY)
def send_reply(ncp: NcpState, asked: Reply) -> StatusOnly:
    """Acknowledge a message or fragment whose acknowledgement is the host's."""
    if not ncp.ram.joined:
        return StatusOnly(Status.NETWORK_DOWN)
    held = ncp.traffic.replies.get((asked.sender, asked.aps.sequence))
    if held is None or held[0].cluster != asked.aps.cluster:
        return StatusOnly(Status.INVALID_STATE)
    inner, link_key = held
    fragment = inner.fragment
    if fragment is not None and fragment.number != asked.aps.group & 0xFF:
        return StatusOnly(Status.INVALID_STATE)
    del ncp.traffic.replies[asked.sender, asked.aps.sequence]
    received = asked.aps.group >> 8 if fragment is not None else 0xFF
    put(ncp, data_frame(ncp, asked.sender, ack_of(inner, received), link_key), asked.sender)
    return StatusOnly()


# Bindings


@MESSAGES.handles(Frame.SET_BINDING)
def set_binding(ncp: NcpState, asked: BindingSetting) -> StatusOnly:
    """Write a row of the binding table."""
    if asked.index >= ncp.ram.configuration[ConfigId.BINDING_TABLE_SIZE]:
        return StatusOnly(Status.INVALID_INDEX)
    ncp.ram.bindings[asked.index] = asked.entry
    return StatusOnly()


@MESSAGES.handles(Frame.GET_BINDING)
def binding(ncp: NcpState, asked: ByIndex) -> BindingAnswer:
    """Tell a row of the binding table."""
    if asked.index >= ncp.ram.configuration[ConfigId.BINDING_TABLE_SIZE]:
        return BindingAnswer(Status.INVALID_INDEX, _UNBOUND)
    return BindingAnswer(Status.OK, ncp.ram.bindings.get(asked.index, _UNBOUND))
