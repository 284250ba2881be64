"""Messages out: on the air, repeated until acknowledged, or waiting for a child that sleeps."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import ApsOption, ConfigId, Counter, CurrentSecurityBit
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.ezsp.values_messages import MessageSent
from emulator.codecs.zigbee import aps
from emulator.codecs.zigbee.aps import Fragment
from emulator.core.ids import Eui64
from emulator.ncp.join_table import JoinStage
from emulator.ncp.memory import LinkCounters, Node
from emulator.ncp.radio_frames import DataFrame, ToNode
from emulator.ncp.state import NcpState
from emulator.ncp.traffic import MAX_REPEATS, Sending, Waiting

#: Longest payload of one frame with the security of the network.
#: Source: reference zigbee-dongle.md section 1.3-4 (about 82 octets, known).
MAX_PAYLOAD_BYTES: Final = 82
#: What the APS layer's own security and other options take of it. Source: known (auxiliary header
#: of 5 octets and a check of 4; an EUI-64; the extended header of a fragment).
_OPTIONS_BYTES: Final = {
    int(ApsOption.ENCRYPTION): 9,
    int(ApsOption.SOURCE_EUI64): 8,
    int(ApsOption.DESTINATION_EUI64): 8,
    int(ApsOption.FRAGMENT): 2,
}
#: As numbers: flags of `enum` are slow to combine.
_FRAGMENT: Final = int(ApsOption.FRAGMENT)
_ACKNOWLEDGED: Final = int(ApsOption.RETRY | ApsOption.FRAGMENT)
#: Messages that wait for one sleeping child. Source: invented.
MAX_WAITING: Final = 8
#: Until a message to a node that is nowhere is given up. Source: invented.
_NO_ROUTE_MS: Final = 50
_HUB: Final = 0x0000
#: In frames of an NCP that has lost its network: nobody understands them.
_LOST_KEY: Final = bytes(16)


@lru_cache
def max_payload(options: int) -> int:
    """Return how long a message with these options of `ApsOption` may be, in octets."""
    taken = sum(octets for option, octets in _OPTIONS_BYTES.items() if options & option)
    return MAX_PAYLOAD_BYTES - taken


def inner_frame(aps_frame: ApsFrame, counter: int, message: bytes) -> aps.ApsFrame:
    """Return the APS frame for the air of one that the host describes."""
    fragment = None
    if aps_frame.options & _FRAGMENT:
        index, count = aps_frame.group & 0xFF, aps_frame.group >> 8
        fragment = Fragment(index == 0, index or count)
    return aps.ApsFrame(
        aps_frame.destination_endpoint,
        aps_frame.source_endpoint,
        aps_frame.cluster,
        counter,
        message,
        aps_frame.profile,
        bool(aps_frame.options & _ACKNOWLEDGED),
        fragment,
    )


def data_frame(
    ncp: NcpState, destination: int, inner: aps.ApsFrame | aps.ApsAck, link_key: bytes | None = None
) -> DataFrame:
    """Return a frame of the NCP's own for the air."""
    security = ncp.nv.security
    key = _LOST_KEY if security is None else security.network_key
    return DataFrame(ncp.short, destination, inner, key, link_key)


def start(ncp: NcpState, sending: Sending) -> None:
    """Send a unicast; its fate is told by ``messageSentHandler``."""
    ncp.traffic.pending[sending.key] = sending
    if not ncp.is_node and ncp.nv.by_short(sending.frame.destination) is None:
        ncp.count(Counter.ROUTE_DISCOVERY_INITIATED)
        lost = partial(_finish, sending=sending, status=Status.DELIVERY_FAILED)
        ncp.alarm(("lost", sending.key), _NO_ROUTE_MS, lost)
        return
    _try(ncp, sending)


def _try(ncp: NcpState, sending: Sending) -> None:
    sending.tries += 1
    if sending.tries > 1:
        ncp.count(Counter.APS_DATA_TX_UNICAST_RETRY)
    put(ncp, sending.frame, sending.frame.destination, partial(_on_air, ncp, sending))


def _on_air(ncp: NcpState, sending: Sending, heard: bool) -> None:
    """The receiver's radio has taken the frame, or has not."""
    if ncp.traffic.pending.get(sending.key) is not sending:
        return
    if heard and not sending.acked:
        _finish(ncp, sending, Status.OK)
        return
    if not heard and not sending.acked:
        _finish(ncp, sending, Status.DELIVERY_FAILED)
        return
    wait_ms = ncp.ram.configuration[ConfigId.APS_ACK_TIMEOUT]
    ncp.alarm(("ack", sending.key), wait_ms, partial(_not_acknowledged, sending=sending))


def _not_acknowledged(ncp: NcpState, sending: Sending) -> None:
    if sending.tries <= MAX_REPEATS:
        _try(ncp, sending)
    else:
        _finish(ncp, sending, Status.DELIVERY_FAILED)


def acknowledged(ncp: NcpState, source: int, ack: aps.ApsAck) -> None:
    """Take an acknowledgement; one that fits nothing on its way is ignored."""
    block = None if ack.fragments is None else ack.fragments.window_start
    sending = ncp.traffic.pending.get((source, ack.counter, block))
    if sending is None or sending.aps.cluster != ack.cluster:
        return
    _finish(ncp, sending, Status.OK)


def _finish(ncp: NcpState, sending: Sending, status: Status) -> None:
    ncp.traffic.pending.pop(sending.key, None)
    ncp.stop_alarm(("ack", sending.key))
    delivered = status is Status.OK
    counter = Counter.APS_DATA_TX_UNICAST_SUCCESS
    ncp.count(counter if delivered else Counter.APS_DATA_TX_UNICAST_FAILED)
    told = MessageSent(
        sending.kind, sending.destination, sending.aps, sending.tag, status, sending.message
    )
    ncp.later(Frame.MESSAGE_SENT_HANDLER, told)


# Frames


def put(
    ncp: NcpState, frame: ToNode, short: int, done: Callable[[bool], None] = lambda _heard: None
) -> None:
    """Put a frame on the air, or keep it until the child it is for asks.

    Args:
        ncp: The NCP.
        frame: The frame.
        short: Short address of its receiver.
        done: Called with whether the receiver's radio has taken it.
    """
    node = ncp.nv.by_short(short)
    if node is not None and node.sleepy and node.authenticated:
        _keep(ncp, frame, node, done)
        return
    done(transmit(ncp, frame))


def transmit(ncp: NcpState, frame: ToNode) -> bool:
    """Put a frame on the air now; say whether the receiver's radio has taken it."""
    security = ncp.nv.security
    if security is not None and isinstance(frame, DataFrame):
        ncp.nv.security = security.counted()
        if frame.link_key is not None and frame.source == ncp.short:
            frame = _counted(ncp, frame, frame.link_key)
    if isinstance(frame, DataFrame) and _goes_up(ncp, frame.destination):
        heard = ncp.ram.stage is JoinStage.UP and ncp.air.emit(frame, ncp.now)
    else:
        heard = ncp.air.send(frame, ncp.now)
    counter = Counter.MAC_TX_UNICAST_SUCCESS
    ncp.count(counter if heard else Counter.MAC_TX_UNICAST_FAILED)
    return heard


def _goes_up(ncp: NcpState, destination: int) -> bool:
    """Say whether a frame of a node leaves it towards its parent, and not to a child of its own."""
    return ncp.is_node and (destination == _HUB or ncp.nv.by_short(destination) is None)


def _keep(ncp: NcpState, frame: ToNode, node: Node, done: Callable[[bool], None]) -> None:
    queue = ncp.traffic.indirect.setdefault(node.short, deque())
    if len(queue) >= MAX_WAITING:
        done(False)
        return
    ncp.traffic.number += 1
    number = ncp.traffic.number
    queue.append(Waiting(number, frame, done))
    wait_ms = ncp.ram.configuration[ConfigId.INDIRECT_TRANSMISSION_TIMEOUT]
    ncp.alarm(("indirect", number), wait_ms, partial(_expire, short=node.short, number=number))


def _expire(ncp: NcpState, short: int, number: int) -> None:
    queue = ncp.traffic.indirect.get(short, deque())
    for waiting in list(queue):
        if waiting.number == number:
            queue.remove(waiting)
            ncp.count(Counter.MAC_TX_UNICAST_FAILED)
            waiting.fetched(False)


def polled(ncp: NcpState, short: int) -> bool:
    """A child asks: send it everything that waits for it; say whether there was anything."""
    queue = ncp.traffic.indirect.pop(short, deque())
    for waiting in queue:
        ncp.stop_alarm(("indirect", waiting.number))
        waiting.fetched(transmit(ncp, waiting.frame))
    return bool(queue)


def forget_node(ncp: NcpState, short: int) -> None:
    """Drop what waits for a node that has left; its senders are told that it failed."""
    for waiting in ncp.traffic.indirect.pop(short, deque()):
        ncp.stop_alarm(("indirect", waiting.number))
        waiting.fetched(False)


def link_key_of(ncp: NcpState, eui64: Eui64) -> bytes | None:
    """Return the link key shared with a node: of the key table, else transient, else the hub's."""
    for partner, key in ncp.nv.link_keys.values():
        if partner == eui64:
            return key
    transient = ncp.ram.transient_keys.get(eui64)
    if transient is not None:
        return transient[0]
    security = ncp.nv.security
    if ncp.nv.is_node and security is not None and security.trust_center == eui64:
        return hub_link_key(ncp)
    return None


def hub_link_key(ncp: NcpState) -> bytes | None:
    """Return the link key of the NCP and its trust centre: that of its joining, or a later one."""
    security = ncp.nv.security
    if security is None or not security.bitmask & CurrentSecurityBit.HAVE_TRUST_CENTER_LINK_KEY:
        return None
    return security.tc_key


def _counted(ncp: NcpState, frame: DataFrame, key: bytes) -> DataFrame:
    """Give a sealed frame the next frame counter of its link key."""
    node = ncp.nv.by_short(frame.destination)
    if node is None:
        return frame
    counters = ncp.nv.link_counters.get((node.eui64, key))
    if counters is None:
        counters = LinkCounters()
        _forget_counters(ncp, node.eui64)
    number = counters.outgoing
    after = LinkCounters((number + 1) & 0xFFFFFFFF, counters.incoming)
    ncp.nv.link_counters[node.eui64, key] = after
    return frame.counted(number)


def is_fresh(ncp: NcpState, eui64: Eui64, key: bytes, counter: int | None) -> bool:
    """Note the frame counter of a sealed frame; say whether it is greater than the last one's."""
    if counter is None:
        return True
    counters = ncp.nv.link_counters.get((eui64, key))
    if counters is None:
        counters = LinkCounters()
        _forget_counters(ncp, eui64)
    if counters.incoming is not None and counter <= counters.incoming:
        return False
    ncp.nv.link_counters[eui64, key] = LinkCounters(counters.outgoing, counter)
    return True


def expect_anew(ncp: NcpState, eui64: Eui64) -> None:
    """Take sealed frames of a partner from any counter on: it has joined anew, or the NCP has.

    The NCP's own counters go on: no counter is used twice under one key.
    """
    for pair, counters in ncp.nv.link_counters.items():
        if pair[0] == eui64:
            ncp.nv.link_counters[pair] = replace(counters, incoming=None)


def _forget_counters(ncp: NcpState, eui64: Eui64) -> None:
    """Forget the counters of keys that are no longer the partner's."""
    kept = {link_key_of(ncp, eui64), *(key for _eui64, key in ncp.nv.link_keys.values())}
    for pair in [pair for pair in ncp.nv.link_counters if pair[0] == eui64]:
        if pair[1] not in kept:
            del ncp.nv.link_counters[pair]
