"""The radio stack of an emulated node: APS frames in and out, its device objects."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.zigbee import aps, zdo
from emulator.codecs.zigbee.zdo import Capability, NodeDescriptor, SimpleDescriptor, ZdoCluster
from emulator.core.effects import Note
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.han.aps_receiver import REASSEMBLY_WAIT_US, ApsReceiver, Whole
from emulator.han.aps_sender import (
    DUPLICATE_MEMORY_US,
    ApsSender,
    Outgoing,
    SenderOutput,
    Transfer,
)
from emulator.han.labels import label_of, wants_ack
from emulator.han.outputs import Settled, StartTimer, StopTimer
from emulator.ncp import zdo_server
from emulator.ncp.radio_frames import BROADCASTS, EVERYBODY, DataFrame
from emulator.ncp.traffic import REMEMBERED
from emulator.ncp.zdo_server import Described

#: Short address of the coordinator.
HUB: Final = 0x0000
#: Longest APS payload of one fragment. Source: reference zigbee-dongle.md section 1.3-4.
MAX_BLOCK_BYTES: Final = 64
#: Time that passes between two messages for whoever remembers them by time: as in
#: `traffic.REMEMBERED`, so many of them are remembered, however fast they come.
_MESSAGE_US: Final = DUPLICATE_MEMORY_US // REMEMBERED
_ALL_ENDPOINTS: Final = 0xFF
_SUCCESS: Final = 0x00
_REJOIN: Final = 0x80
_LABEL: Final = "zdo"


@dataclass(frozen=True, slots=True)
class Heard:
    """A ZCL frame of the hub for the node's application.

    Attributes:
        endpoint: The hub's.
        cluster: Cluster identifier.
        frame: The ZCL frame, whole.
    """

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
    """

    eui64: Eui64
    capability: int
    endpoint: SimpleDescriptor
    manufacturer: int
    short: int
    network_key: bytes = field(repr=False)
    hub_endpoint: int
    _sender: ApsSender = field(default_factory=lambda: ApsSender(MAX_BLOCK_BYTES))
    _receiver: ApsReceiver = field(default_factory=ApsReceiver)
    _sequence: int = 0
    _heard_us: int = 0

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

    def send(
        self, cluster: int, frame: bytes, now_us: int, endpoint: int = 0, handle: int = 0
    ) -> list[StackOutput]:
        """Send a ZCL frame to the hub.

        Args:
            cluster: Cluster identifier.
            frame: The ZCL frame.
            now_us: The present moment of the air.
            endpoint: The hub's; 0: the one that last spoke.
            handle: With a number, the transfer is acknowledged and ends in `Settled`.
        """
        label = label_of(cluster, frame)
        places = (endpoint or self.hub_endpoint, self.endpoint.endpoint)
        whole = len(frame) <= self._sender.max_apdu_bytes
        if whole and not handle and not wants_ack(label):
            return [self._up(self._sender.send_plain(HUB, places, cluster, frame, label))]
        transfer = Transfer(HUB, places, cluster, self._sender.split(frame), label, handle)
        return self._lower(self._sender.send_acked(transfer, now_us))

    def cancel(self, handle: int, now_us: int) -> list[StackOutput]:
        """Give up the acknowledged transfer with this handle, if it still runs."""
        return self._lower(self._sender.cancel(handle, now_us))

    def expire(self, timer: str, now_us: int) -> list[StackOutput]:
        """A timer of this stack has run out."""
        kind, _, rest = timer.partition("/")
        if kind == "ack":
            return self._lower(self._sender.expire(int(rest), now_us))
        source, _, counter = rest.partition("/")
        return list(self._receiver.expire(int(source), int(counter)))

    def receive(self, outer: DataFrame, now_us: int) -> list[StackOutput]:
        """Take a frame off the air; one under another network key is not understood."""
        if outer.network_key != self.network_key:
            return [Note("han_frame_discarded", (("why", "another network key"),))]
        inner = outer.frame
        if isinstance(inner, aps.ApsAck):
            return self._lower(self._sender.acknowledged(outer.source, inner, now_us))
        if inner.profile == zdo.PROFILE:
            return self._take(outer, inner, now_us)
        mine = inner.destination_endpoint in {self.endpoint.endpoint, _ALL_ENDPOINTS}
        if not mine or inner.profile != self.endpoint.profile or outer.group is not None:
            fields = (("endpoint", inner.destination_endpoint), ("profile", inner.profile))
            return [Note("han_frame_discarded", (("why", "no such endpoint"), *fields))]
        return self._take(outer, inner, now_us)

    def _take(self, outer: DataFrame, inner: aps.ApsFrame, now_us: int) -> list[StackOutput]:
        outputs: list[StackOutput] = []
        self._heard_us += _MESSAGE_US
        for out in self._receiver.take(outer.source, inner, self._heard_us):
            if isinstance(out, StartTimer):
                outputs.append(StartTimer(out.name, now_us + REASSEMBLY_WAIT_US))
            elif isinstance(out, aps.ApsAck):
                outputs.append(DataFrame(self.short, outer.source, out, self.network_key))
            elif not isinstance(out, Whole):
                outputs.append(out)
            elif inner.profile == zdo.PROFILE:
                outputs += self._device_objects(outer, inner)
            else:
                self.hub_endpoint = inner.source_endpoint
                outputs.append(Heard(inner.source_endpoint, inner.cluster, out.payload))
        return outputs

    def _device_objects(self, outer: DataFrame, inner: aps.ApsFrame) -> list[StackOutput]:
        if inner.cluster & zdo.RESPONSE:
            if inner.cluster == ZdoCluster.MATCH_DESCRIPTOR | zdo.RESPONSE:
                found = zdo.read_match(inner.payload)
                self.hub_endpoint = found[0] if found else self.hub_endpoint
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

    def _described(self) -> Described:
        router = bool(self.capability & Capability.FULL_FUNCTION)
        node = NodeDescriptor(1 if router else 2, self.capability, self.manufacturer)
        mains = bool(self.capability & Capability.MAINS_POWER)
        return Described(self.eui64, self.short, node, (self.endpoint,), mains)

    def _zdo(self, to: int, cluster: int, payload: bytes) -> DataFrame:
        places = (zdo.ENDPOINT, zdo.ENDPOINT)
        out = self._sender.send_plain(HUB, places, cluster, payload, _LABEL)
        inner = aps.ApsFrame(*places, cluster, out.frame.counter, payload, zdo.PROFILE)
        return DataFrame(self.short, to, inner, self.network_key)

    def _lower(self, outputs: Sequence[SenderOutput]) -> list[StackOutput]:
        return [self._up(out) if isinstance(out, Outgoing) else out for out in outputs]

    def _up(self, out: Outgoing) -> DataFrame:
        return DataFrame(self.short, out.to, out.frame, self.network_key)
