"""One radio of an emulated home beside a joined NCP: APS frames and device objects, no keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.codecs.zigbee import aps, zdo
from emulator.codecs.zigbee.aps import ApsAck, ApsFrame
from emulator.codecs.zigbee.zdo import ZdoCluster
from emulator.core.effects import Note
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.han.aps_receiver import ApsReceiver, Whole
from emulator.han.aps_sender import ApsSender, Outgoing, SenderOutput, Transfer
from emulator.han.labels import label_of, wants_ack
from emulator.han.outputs import Settled, StartTimer, StopTimer
from emulator.ncp import zdo_server
from emulator.ncp.radio_frames import BROADCASTS, DataFrame
from emulator.ncp.zdo_server import Described

#: Longest APS payload of one fragment. Source: reference zigbee-dongle.md section 1.3-4.
MAX_BLOCK_BYTES: Final = 64
_ALL_ENDPOINTS: Final = 0xFF
_LABEL: Final = "zdo"


@dataclass(frozen=True, slots=True)
class Inward:
    """A ZCL frame that has arrived whole.

    Attributes:
        source: Short address of the sender.
        source_endpoint: Its endpoint.
        destination: Application it is for.
        cluster: Cluster identifier.
        frame: The ZCL frame.
    """

    source: int
    source_endpoint: int
    destination: Eui64
    cluster: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class Outward:
    """An APS frame on its way out, before anybody has sealed it."""

    to: int
    frame: ApsFrame | ApsAck


@dataclass(frozen=True, slots=True)
class Announced:
    """A node has told everybody that it is here."""

    eui64: Eui64
    short: int


NodeOut = Inward | Outward | Announced | Settled | StartTimer | StopTimer | Note


@dataclass(slots=True)
class HomeNode:
    """A radio and the applications on it.

    Attributes:
        described: What its device objects say.
        places: Applications by endpoint.
        max_bytes: Longest payload of one frame.
    """

    described: Described
    places: Mapping[int, Eui64]
    max_bytes: int = MAX_BLOCK_BYTES
    _sender: ApsSender = field(init=False)
    _receiver: ApsReceiver = field(default_factory=ApsReceiver)

    def __post_init__(self) -> None:
        self._sender = ApsSender(min(self.max_bytes, MAX_BLOCK_BYTES))

    @property
    def short(self) -> int:
        """Its short address."""
        return self.described.short

    def endpoint_of(self, application: Eui64) -> int | None:
        """Return the endpoint of an application; None: it is not here."""
        return next((number for number, one in self.places.items() if one == application), None)

    def send(  # noqa: PLR0913, PLR0917 -- two ends, a frame, a moment and who waits for its fate
        self,
        to: int,
        endpoints: tuple[int, int],
        cluster: int,
        frame: bytes,
        now_us: int,
        handle: int = 0,
    ) -> list[NodeOut]:
        """Send a ZCL frame.

        Args:
            to: Short address of the receiver.
            endpoints: The receiver's and ours.
            cluster: Cluster identifier.
            frame: The frame.
            now_us: The present moment.
            handle: With a number, the transfer is acknowledged and ends in `Settled`.
        """
        label = label_of(cluster, frame)
        whole = len(frame) <= self._sender.max_apdu_bytes
        if whole and not handle and not wants_ack(label):
            return [_out(self._sender.send_plain(to, endpoints, cluster, frame, label))]
        blocks = self._sender.split(frame)
        transfer = Transfer(to, endpoints, cluster, blocks, label, handle)
        return _lowered(self._sender.send_acked(transfer, now_us))

    def cancel(self, handle: int, now_us: int) -> list[NodeOut]:
        """Give up the acknowledged transfer with this handle, if it still runs."""
        return _lowered(self._sender.cancel(handle, now_us))

    def expire(self, timer: str, now_us: int) -> list[NodeOut]:
        """A timer of this node has run out."""
        kind, _, rest = timer.partition("/")
        if kind == "ack":
            return _lowered(self._sender.expire(int(rest), now_us))
        source, _, counter = rest.partition("/")
        return list(self._receiver.expire(int(source), int(counter)))

    def receive(self, outer: DataFrame, now_us: int) -> list[NodeOut]:
        """Take a frame that may be for this node; its seals have been looked at."""
        inner = outer.frame
        if isinstance(inner, ApsAck):
            return _lowered(self._sender.acknowledged(outer.source, inner, now_us))
        objects = inner.profile == zdo.PROFILE
        place = self._place(inner)
        if not objects and place is None:
            why = (("why", "no such endpoint"), ("endpoint", inner.destination_endpoint))
            return [Note("han_frame_discarded", why)]
        outputs: list[NodeOut] = []
        for out in self._receiver.take(outer.source, inner, now_us):
            if isinstance(out, ApsAck):
                outputs.append(Outward(outer.source, out))
            elif not isinstance(out, Whole):
                outputs.append(out)
            elif objects:
                outputs += self._device_objects(outer, inner)
            elif place is not None:
                sender = (outer.source, inner.source_endpoint)
                outputs.append(Inward(*sender, place, inner.cluster, out.payload))
        return outputs

    def _place(self, inner: ApsFrame) -> Eui64 | None:
        if inner.profile != aps.PROFILE_SMART_ENERGY:
            return None
        if inner.destination_endpoint == _ALL_ENDPOINTS:
            return next(iter(self.places.values()), None)
        return self.places.get(inner.destination_endpoint)

    def _device_objects(self, outer: DataFrame, inner: ApsFrame) -> list[NodeOut]:
        try:
            request = zdo.decode_request(inner.cluster, inner.payload)
        except MalformedFrameError as error:
            return [Note("han_frame_discarded", (("why", error.why),))]
        if inner.cluster == ZdoCluster.DEVICE_ANNOUNCE:
            return [Announced(request.eui64, request.short)]
        if inner.cluster & zdo.RESPONSE:
            return []
        everybody = outer.destination in BROADCASTS
        told = zdo_server.answer(self.described, request, everybody=everybody)
        if told is None:
            return []
        return [self._zdo(outer.source, inner.cluster | zdo.RESPONSE, told)]

    def _zdo(self, to: int, cluster: int, payload: bytes) -> Outward:
        places = (zdo.ENDPOINT, zdo.ENDPOINT)
        out = self._sender.send_plain(to, places, cluster, payload, _LABEL)
        inner = ApsFrame(*places, cluster, out.frame.counter, payload, zdo.PROFILE)
        return Outward(to, inner)

    def dump(self) -> dict[str, Any]:
        """Return the counters as plain data."""
        return {"sender": self._sender.dump()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a ``dump``; transfers that were under way are lost.

        What was lately received is forgotten, as a hub forgets it that was off: a dongle that was
        off beside it counts from the beginning, and would not be heard.
        """
        self._sender.load(state["sender"])
        self._sender.forget()


def _lowered(outputs: Sequence[SenderOutput]) -> list[NodeOut]:
    return [_out(out) if isinstance(out, Outgoing) else out for out in outputs]


def _out(out: Outgoing) -> Outward:
    return Outward(out.to, out.frame)
