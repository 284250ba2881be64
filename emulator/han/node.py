"""The radio stack of one node: ZCL frames to MAC octets, and back."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.codecs.zigbee import aps, mac, nwk
from emulator.codecs.zigbee.aps import ApsAck, ApsFrame
from emulator.codecs.zigbee.quick import decode, encode
from emulator.core.effects import Note, SendZcl, ZclIndication
from emulator.core.errors import MalformedFrameError
from emulator.han.address_book import AddressBook
from emulator.han.aps_receiver import ApsReceiver, Whole, ack_of, duplicate
from emulator.han.aps_sender import ApsSender, Transfer
from emulator.han.labels import APS_ACK, label_of, wants_ack
from emulator.han.outputs import Micros, NodeOutput, SendFrame, Transmit

#: Hops a frame may make. Source: known (Zigbee specification, twice nwkMaxDepth of 15).
RADIUS: Final = 30
#: Longest APS payload of one frame: what MAC, NWK and a fragment's APS header leave of 127.
MAX_PAYLOAD_BYTES: Final = (
    mac.MAX_FRAME_BYTES - mac.OVERHEAD_BYTES - nwk.HEADER_BYTES - aps.FRAGMENT_HEADER_BYTES
)


class RadioNode:
    """One radio with the endpoints behind it; moves octets, knows no device.

    Frames that cannot be right (damaged, of another PAN, for another node or an endpoint that is
    not here, from nobody known) are dropped with a note. Frames are not encrypted in this phase.
    """

    def __init__(self, short: int, book: AddressBook, max_apdu_bytes: int) -> None:
        """Take the node's short address, its HAN, and the longest APS payload it sends whole."""
        places = book.of_node(short)
        if not places:
            raise ValueError(f"no endpoint at node {short:#06x}")
        self.short = short
        self.book = book
        self._here = places[0]
        self._endpoints = {place.endpoint: place for place in places}
        self._pan_id = book.pan_id
        self._sender = ApsSender(min(max_apdu_bytes, MAX_PAYLOAD_BYTES), self._put)
        self._receiver = ApsReceiver()
        #: Number of the last frame, in its MAC header and in its NWK header.
        self._sequence = 0

    def send(self, order: SendZcl | SendFrame, now_us: Micros, handle: int = 0) -> list[NodeOutput]:
        """Send one ZCL frame.

        Args:
            order: The frame, and where it goes.
            now_us: The present moment.
            handle: With a number, the transfer is acknowledged and ends in `Settled`.
        """
        there, source, sender = self.book.find(order.to), order.source, self._sender
        here = self._here if source is None else self.book.find(source)
        cluster, frame = order.cluster, order.frame
        label = label_of(cluster, frame)
        if there is None or here is None or there.short == self.short:
            return [Note("han_no_such_node", (("to", str(order.to)), ("frame", label)))]
        endpoints = (there.endpoint, here.endpoint)
        whole = len(frame) <= sender.max_apdu_bytes
        if whole and not handle and not wants_ack(label):
            return [sender.send_plain(there.short, endpoints, cluster, frame, label)]
        blocks = (frame,) if whole else sender.split(frame)
        transfer = Transfer(there.short, endpoints, cluster, blocks, label, handle)
        return sender.send_acked(transfer, now_us)

    def receive(self, octets: bytes, now_us: Micros) -> list[NodeOutput]:
        """Take one MAC frame off the air."""
        found = decode(octets)
        if found is None:
            return self._receive_odd(octets, now_us)
        pan_id, outer_to, to, source, inner = found
        if pan_id != self._pan_id:
            return [_discarded("another PAN", ("pan_id", pan_id))]
        short = self.short
        if outer_to != short or to != short:
            other = to if outer_to == short else outer_to
            return [_discarded("for another node", ("to_short", other))]
        if isinstance(inner, ApsAck):
            return self._sender.acknowledged(source, inner, now_us)
        return self._data(source, inner, now_us)

    def _receive_odd(self, octets: bytes, now_us: Micros) -> list[NodeOutput]:
        """Take a frame that is damaged, or not of the form that all of ours have."""
        try:
            outer = mac.decode(octets)
            if outer.pan_id != self.book.pan_id:
                return [_discarded("another PAN", ("pan_id", outer.pan_id))]
            if outer.destination != self.short:
                return [_discarded("for another node", ("to_short", outer.destination))]
            middle = nwk.decode(outer.payload)
            if middle.destination != self.short:
                return [_discarded("for another node", ("to_short", middle.destination))]
            inner = aps.decode(middle.payload)
        except MalformedFrameError as error:
            return [_discarded(error.why, ("layer", error.layer))]
        if isinstance(inner, ApsAck):
            return self._sender.acknowledged(middle.source, inner, now_us)
        return self._data(middle.source, inner, now_us)

    def expire(self, timer: str, now_us: Micros) -> list[NodeOutput]:
        """A timer of this node has run out."""
        kind, _, rest = timer.partition("/")
        if kind == "ack":
            return self._sender.expire(int(rest), now_us)
        source, _, counter = rest.partition("/")
        return [*self._receiver.expire(int(source), int(counter))]

    def cancel(self, handle: int, now_us: Micros) -> list[NodeOutput]:
        """Give up the acknowledged transfer with this handle, if it still runs."""
        return self._sender.cancel(handle, now_us)

    def forget(self) -> None:
        """Lose power: transfers and reassemblies are gone, counters are kept."""
        self._sender.forget()
        self._receiver.forget()

    def fall_silent(self) -> list[NodeOutput]:
        """The receiver goes off: what was half done on the air is dropped."""
        return [*self._sender.forget(), *self._receiver.forget_pieces()]

    def _data(self, source: int, frame: ApsFrame, now_us: Micros) -> list[NodeOutput]:
        at = self.book.at
        here = self._endpoints.get(frame.destination_endpoint)
        if here is None or frame.profile != aps.PROFILE_SMART_ENERGY:
            return [_discarded("no such endpoint", ("endpoint", frame.destination_endpoint))]
        there = at(source, frame.source_endpoint)
        if there is None:
            return [_discarded("from nobody known", ("from_short", source))]
        if frame.ack_request and frame.fragment is None:  # nearly all of them
            answer = self._put(source, ack_of(frame), APS_ACK)
            if self._receiver.seen(source, frame.counter, now_us):
                return [answer, duplicate(source, frame)]
            return [answer, ZclIndication(there.eui64, here.eui64, frame.cluster, frame.payload)]
        outputs: list[NodeOutput] = []
        for out in self._receiver.take(source, frame, now_us):
            if isinstance(out, ApsAck):
                outputs.append(self._put(source, out, APS_ACK))
            elif isinstance(out, Whole):
                outputs.append(ZclIndication(there.eui64, here.eui64, frame.cluster, out.payload))
            else:
                outputs.append(out)
        return outputs

    def _put(self, to: int, frame: ApsFrame | ApsAck, label: str) -> Transmit:
        """Number a frame, write its octets, and ask for them to go out."""
        self._sequence = number = (self._sequence + 1) & 0xFF
        octets = encode(self._pan_id, to, self.short, RADIUS, (number, number), frame)
        return Transmit(to, octets, label)

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "mac": self._sequence,
            "nwk": self._sequence,
            "sender": self._sender.dump(),
            "receiver": self._receiver.dump(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self._sequence = state["nwk"]
        self._sender.load(state["sender"])
        self._receiver.load(state["receiver"])


def _discarded(why: str, detail: tuple[str, str | int]) -> Note:
    return Note("han_frame_discarded", (("why", why), detail))
