"""The radio stack of an emulated node: APS frames and their security, its device objects."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from emulator.codecs.zcl import key_establishment
from emulator.codecs.zigbee import aps, zdo
from emulator.codecs.zigbee.zdo import Capability, NodeDescriptor, SimpleDescriptor, ZdoCluster
from emulator.core.effects import Note
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.han.aps_receiver import ApsReceiver, Whole
from emulator.han.aps_sender import ApsSender, Outgoing, SenderOutput, Transfer
from emulator.han.labels import label_of, wants_ack
from emulator.han.outputs import Settled, StartTimer, StopTimer
from emulator.ncp import zdo_server
from emulator.ncp.member_keys import MemberKeys
from emulator.ncp.member_plan import MemberPlan
from emulator.ncp.radio_frames import BROADCASTS, EVERYBODY, DataFrame
from emulator.ncp.zdo_server import Described

#: Short address of the coordinator.
HUB: Final = 0x0000
#: Longest APS payload of one fragment. Source: reference zigbee-dongle.md section 1.3-4.
MAX_BLOCK_BYTES: Final = 64
#: Longest APS payload of a frame that is not in fragments, unsealed and sealed (an auxiliary header
#: of 5 octets, a check of 4): a certificate of suite 2 still goes in one piece. Source: the same
#: section (about 82 octets, known).
MAX_WHOLE_BYTES: Final = 82
MAX_SEALED_BYTES: Final = MAX_WHOLE_BYTES - 9
_ALL_ENDPOINTS: Final = 0xFF
_SUCCESS: Final = 0x00
_REJOIN: Final = 0x80
_LABEL: Final = "zdo"


def new_sender() -> ApsSender:
    """Return what counts and repeats a node's messages."""
    return ApsSender(MAX_BLOCK_BYTES)


@quick
@dataclass(frozen=True, slots=True)
class Heard:
    """A ZCL frame for the node's application.

    Attributes:
        source: Short address of its sender, ``HUB`` or another node.
        endpoint: The sender's.
        cluster: Cluster identifier.
        frame: The ZCL frame, whole.
    """

    source: int
    endpoint: int
    cluster: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class AskedToLeave:
    """Device objects ask the node to leave the network."""

    rejoin: bool


StackOutput = DataFrame | Heard | AskedToLeave | Settled | StartTimer | StopTimer | Note


@dataclass(slots=True)
class MemberStack:
    """APS and device objects of one node on one network.

    Attributes:
        eui64: Its own address.
        capability: `zdo.Capability`.
        endpoint: Its one application.
        manufacturer: Code of its maker.
        short: Its short address.
        network_key: Key of the network.
        hub_endpoint: Endpoint of the hub that last spoke to it.
        keys: Its link key.
        sender: Counts and repeats what it sends; a counter goes on from network to network.
        gpf_endpoint: Endpoint of the hub's GPF, which is not the one to talk to otherwise; 0: none.
        keys_endpoint: Endpoint of the hub that agrees on keys; 0: it was not found.
    """

    eui64: Eui64
    capability: int
    endpoint: SimpleDescriptor
    manufacturer: int
    short: int
    network_key: bytes = field(repr=False)
    hub_endpoint: int
    keys: MemberKeys
    sender: ApsSender
    gpf_endpoint: int = 0
    keys_endpoint: int = 0
    _asked_for_keys: int = -1
    _receiver: ApsReceiver = field(default_factory=ApsReceiver)
    _sequence: int = 0

    @classmethod
    def of(
        cls, plan: MemberPlan, short: int, network_key: bytes, keys: MemberKeys, sender: ApsSender
    ) -> Self:
        """Return the stack of a node that has come onto a network."""
        return cls(
            plan.eui64,
            plan.capability,
            plan.endpoint,
            plan.manufacturer,
            short,
            network_key,
            plan.hub_endpoint,
            keys,
            sender,
            0 if plan.gpf is None else plan.gpf[1],
        )

    def announce(self) -> DataFrame:
        """Return the broadcast by which the node tells everybody that it is here."""
        self._sequence = (self._sequence + 1) & 0xFF
        payload = zdo.device_announce(self._sequence, self.short, self.eui64, self.capability)
        return self._zdo(EVERYBODY, ZdoCluster.DEVICE_ANNOUNCE, payload)

    def find_hub(self, clusters: tuple[int, ...]) -> DataFrame:
        """Return the request for the hub's endpoint that serves one of these clusters."""
        self._sequence = (self._sequence + 1) & 0xFF
        wanted = (HUB, self.endpoint.profile, clusters)
        payload = zdo.match_request(self._sequence, *wanted)
        return self._zdo(HUB, ZdoCluster.MATCH_DESCRIPTOR, payload)

    def find_keys(self) -> DataFrame:
        """Return the request for the hub's endpoint that agrees on keys."""
        found = self.find_hub((key_establishment.CLUSTER,))
        self._asked_for_keys = self._sequence
        return found

    def send(
        self,
        cluster: int,
        frame: bytes,
        now_us: int,
        place: tuple[int, int] = (HUB, 0),
        handle: int = 0,
    ) -> list[StackOutput]:
        """Send a ZCL frame to the hub, or to another node.

        Args:
            cluster: Cluster identifier.
            frame: The ZCL frame.
            now_us: The present moment of the air.
            place: Short address and endpoint; endpoint 0: the hub's that last spoke.
            handle: With a number, the transfer is acknowledged and ends in `Settled`.
        """
        to, endpoint = place
        label = label_of(cluster, frame)
        places = (endpoint or self._endpoint_for(cluster), self.endpoint.endpoint)
        sealed = to == HUB and self.keys.seal(cluster) is not None
        whole = len(frame) <= (MAX_SEALED_BYTES if sealed else MAX_WHOLE_BYTES)
        if whole and not handle and not wants_ack(label):
            return [self._up(self.sender.send_plain(to, places, cluster, frame, label))]
        blocks = (frame,) if whole else self.sender.split(frame)
        transfer = Transfer(to, places, cluster, blocks, label, handle)
        return self._lower(self.sender.send_acked(transfer, now_us))

    def _endpoint_for(self, cluster: int) -> int:
        keys = cluster == key_establishment.CLUSTER and self.keys_endpoint
        return keys or self.hub_endpoint

    def cancel(self, handle: int, now_us: int) -> list[StackOutput]:
        """Give up the acknowledged transfer with this handle, if it still runs."""
        return self._lower(self.sender.cancel(handle, now_us))

    def expire(self, timer: str, now_us: int) -> list[StackOutput]:
        """A timer of this stack has run out."""
        kind, _, rest = timer.partition("/")
        if kind == "ack":
            return self._lower(self.sender.expire(int(rest), now_us))
        source, _, counter = rest.partition("/")
        return list(self._receiver.expire(int(source), int(counter)))

    def receive(self, outer: DataFrame, now_us: int) -> list[StackOutput]:
        """Take a frame off the air; one under another network key is not understood."""
        if outer.network_key != self.network_key:
            return [Note("han_frame_discarded", (("why", "another network key"),))]
        inner = outer.frame
        if isinstance(inner, aps.ApsAck):
            return self._lower(self.sender.acknowledged(outer.source, inner, now_us))
        if inner.profile == zdo.PROFILE:
            return self._take(outer, inner, now_us)
        mine = inner.destination_endpoint in {self.endpoint.endpoint, _ALL_ENDPOINTS}
        if not mine or inner.profile != self.endpoint.profile or outer.group is not None:
            fields = (("endpoint", inner.destination_endpoint), ("profile", inner.profile))
            return [Note("han_frame_discarded", (("why", "no such endpoint"), *fields))]
        return self._take(outer, inner, now_us)

    def _take(self, outer: DataFrame, inner: aps.ApsFrame, now_us: int) -> list[StackOutput]:
        why = self._objection(outer, inner)
        if why:
            fields = (("why", why), ("cluster", f"{inner.cluster:04x}"))
            return [Note("han_frame_discarded", fields)]
        outputs: list[StackOutput] = []
        for out in self._receiver.take(outer.source, inner, now_us):
            if isinstance(out, aps.ApsAck):
                ack = DataFrame(self.short, outer.source, out, self.network_key, outer.link_key)
                outputs.append(ack)
            elif not isinstance(out, Whole):
                outputs.append(out)
            elif inner.profile == zdo.PROFILE:
                outputs += self._device_objects(outer, inner)
            else:
                outputs.append(self._whole(outer, inner, out.payload))
        return outputs

    def _objection(self, outer: DataFrame, inner: aps.ApsFrame) -> str:
        """Say why the security of a frame is not the one due; empty where it is."""
        if outer.source != HUB:
            return ""
        if inner.profile == zdo.PROFILE:
            sealed = outer.link_key
            return "" if sealed in {None, self.keys.current} else "another link key"
        part = inner.fragment is not None
        return self.keys.objection(inner.cluster, outer.link_key, inner.payload, part=part)

    def _whole(self, outer: DataFrame, inner: aps.ApsFrame, payload: bytes) -> Heard:
        if outer.source == HUB:
            elsewhere = inner.source_endpoint == self.gpf_endpoint
            if inner.cluster != key_establishment.CLUSTER and not elsewhere:
                self.hub_endpoint = inner.source_endpoint
            self.keys.follow(inner.cluster, sealed=outer.link_key is not None)
        return Heard(outer.source, inner.source_endpoint, inner.cluster, payload)

    def _device_objects(self, outer: DataFrame, inner: aps.ApsFrame) -> list[StackOutput]:
        if inner.cluster & zdo.RESPONSE:
            if inner.cluster == ZdoCluster.MATCH_DESCRIPTOR | zdo.RESPONSE:
                self._matched(inner.payload)
            return []
        try:
            request = zdo.decode_request(inner.cluster, inner.payload)
        except MalformedFrameError as error:
            return [Note("han_frame_discarded", (("why", error.why),))]
        if inner.cluster == ZdoCluster.MGMT_LEAVE:
            payload = zdo.status_answer(request.sequence, _SUCCESS)
            answer = self._zdo(outer.source, inner.cluster | zdo.RESPONSE, payload)
            return [answer, AskedToLeave(bool(request.flags & _REJOIN))]
        everybody = outer.destination in BROADCASTS
        told = zdo_server.answer(self._described(), request, everybody=everybody)
        if told is None:
            return []
        return [self._zdo(outer.source, inner.cluster | zdo.RESPONSE, told)]

    def _matched(self, payload: bytes) -> None:
        """Take the hub's answer to ``find_hub`` or ``find_keys``."""
        found = zdo.read_match(payload)
        if found and payload[0] == self._asked_for_keys:
            self.keys_endpoint = found[0]
        elif found:
            self.hub_endpoint = found[0]

    def _described(self) -> Described:
        router = bool(self.capability & Capability.FULL_FUNCTION)
        node = NodeDescriptor(1 if router else 2, self.capability, self.manufacturer)
        mains = bool(self.capability & Capability.MAINS_POWER)
        return Described(self.eui64, self.short, node, (self.endpoint,), mains)

    def _zdo(self, to: int, cluster: int, payload: bytes) -> DataFrame:
        places = (zdo.ENDPOINT, zdo.ENDPOINT)
        out = self.sender.send_plain(HUB, places, cluster, payload, _LABEL)
        inner = aps.ApsFrame(*places, cluster, out.frame.counter, payload, zdo.PROFILE)
        return DataFrame(self.short, to, inner, self.network_key)

    def _lower(self, outputs: Sequence[SenderOutput]) -> list[StackOutput]:
        return [self._up(out) if isinstance(out, Outgoing) else out for out in outputs]

    def _up(self, out: Outgoing) -> DataFrame:
        sealed = self.keys.seal(out.frame.cluster) if out.to == HUB else None
        return DataFrame(self.short, out.to, out.frame, self.network_key, sealed)
