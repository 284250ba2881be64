"""An emulated hub's radio, for an NCP that joins it: coordinator, trust centre, device objects.

What the hub's applications do stands elsewhere (a world with an outlet); here a ZCL frame comes in
and goes out, between a node that has joined and the applications of the home.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from emulator.codecs.zcl import key_establishment
from emulator.codecs.zigbee import zdo
from emulator.codecs.zigbee.aps import ApsFrame
from emulator.core.effects import (
    CancelTimer,
    Effect,
    Note,
    SendZcl,
    SetTimer,
    ZclIndication,
)
from emulator.core.ids import Eui64
from emulator.han.outputs import Settled, StartTimer, StopTimer
from emulator.ncp.hub_joining import HubDoor, HubRadio, Joined, Tell
from emulator.ncp.hub_node import Announced, HomeNode, Inward, NodeOut, Outward
from emulator.ncp.radio_frames import (
    BROADCASTS,
    AssociationRequest,
    DataFrame,
    FromNode,
    Left,
    Poll,
    RequestKey,
    VerifyKey,
)

_HUB: Final = 0x0000
_NODE, _KEYS = "node", "keys"


class AirHub(HubDoor):
    """One hub and the nodes that have joined it through the air.

    Attributes:
        arrived: ZCL frames for applications of the home, in order.
        settled: What became of acknowledged frames: sender and outcome, in order.
    """

    def __init__(self, plan: HubRadio, tell: Tell) -> None:
        """Take what the hub is, and who is told of what it notes."""
        super().__init__(plan, tell)
        self.arrived: list[ZclIndication] = []
        self.settled: list[tuple[Eui64, Settled]] = []
        self._nodes = {node.short: node for node in plan.nodes}

    def take(self, frame: FromNode, now: int) -> bool:
        """Take a frame off the air; say whether a radio has acknowledged it."""
        match frame:
            case AssociationRequest():
                return self.enter(frame, now)
            case DataFrame():
                return self._data(frame, now)
            case RequestKey():
                self.request(frame, now)
            case VerifyKey():
                self.verify(frame, now)
            case Left():
                self.left(frame)
            case Poll():
                self.poll(frame)
        return True

    # -- messages ------------------------------------------------------------------------------

    def _data(self, frame: DataFrame, now: int) -> bool:
        node = self._by_short(frame.source)
        everybody = frame.destination in BROADCASTS
        there = self._nodes.get(_HUB if everybody else frame.destination)
        if there is None:
            return False
        if frame.network_key != self.plan.network_key or node is None:
            self._note("han_frame_discarded", ("why", "another network key, or no node of ours"))
            return True
        if not node.authenticated:
            node = self.spoken(node)
        why = self._objection(node, frame, there)
        if why:
            self._note("han_frame_discarded", ("why", why), ("from", str(node.eui64)))
            return True
        self._perform(there, there.receive(frame, now * 1000), now)
        return True

    def _objection(self, node: Joined, frame: DataFrame, there: HomeNode) -> str:
        """Say why a frame is not taken; remember how, and from which endpoint, a node speaks."""
        inner = frame.frame
        if not isinstance(inner, ApsFrame) or inner.profile == zdo.PROFILE or there.short:
            return ""
        cluster = inner.cluster
        part = inner.payload if inner.fragment is None else b""
        why = self.keys.objection(node.eui64, cluster, frame.link_key, part)
        if not why:
            self.keys.follow(node.eui64, cluster, sealed=frame.link_key is not None)
            agrees = cluster == key_establishment.CLUSTER
            spoke = inner.source_endpoint
            self.joined[node.eui64] = (
                replace(node, keys_endpoint=spoke) if agrees else replace(node, endpoint=spoke)
            )
        return why

    def send(self, order: SendZcl, handle: int, now: int) -> None:
        """Send a ZCL frame of an application of the home to a node that has joined.

        Args:
            order: The frame; its ``source`` is the application.
            handle: With a number, its fate goes to ``settled``.
            now: The present moment.
        """
        source = order.source or self.plan.eui64
        places = ((node, node.endpoint_of(source)) for node in self._nodes.values())
        found = next(((node, number) for node, number in places if number is not None), None)
        to = self.joined.get(order.to)
        if found is None or to is None or not to.authenticated:
            self._unsent(order, source, handle, "it is not on the network")
            return
        here, endpoint = found
        if here.short == _HUB and not self.keys.may_send(order.to, order.cluster):
            self._unsent(order, source, handle, "no link key is agreed on")
            return
        agrees = order.cluster == key_establishment.CLUSTER
        there = to.keys_endpoint if agrees else to.endpoint
        ends = (there, endpoint)
        outputs = here.send(to.short, ends, order.cluster, order.frame, now * 1000, handle)
        self._perform(here, outputs, now)

    def _unsent(self, order: SendZcl, source: Eui64, handle: int, why: str) -> None:
        fields = (("to", str(order.to)), ("cluster", f"{order.cluster:#06x}"), ("why", why))
        self._note("han_frame_unsent", *fields)
        if handle:
            self.settled.append((source, Settled(handle, False, 0)))

    def cancel(self, handle: int, now: int) -> None:
        """Give up an acknowledged frame, whoever of the home sent it."""
        for node in self._nodes.values():
            self._perform(node, node.cancel(handle, now * 1000), now)

    def _perform(self, here: HomeNode, outputs: Sequence[NodeOut], now: int) -> None:
        """Do what a radio asks for, in order."""
        for out in outputs:
            match out:
                case Outward():
                    self._outward(here, out, now)
                case Inward():
                    self._inward(out, now)
                case StartTimer():
                    at = -(-out.due_us // 1000)
                    self.timers.start(_NODE, f"{here.short}:{out.name}", at)
                case StopTimer():
                    self.timers.stop(_NODE, f"{here.short}:{out.name}")
                case Settled():
                    self.settled.append((next(iter(here.places.values())), out))
                case Announced():
                    self._note("han_announced", ("device", str(out.eui64)))
                case _:
                    self._tell(out)

    def _outward(self, here: HomeNode, out: Outward, now: int) -> None:
        to, inner = self._by_short(out.to), out.frame
        if to is None:
            return
        key = None
        if here.short == _HUB and inner.profile != zdo.PROFILE:
            key = self.keys.seal(to.eui64, inner.cluster)
        frame = DataFrame(here.short, out.to, inner, self.plan.network_key, key)
        self._down(to, frame, now)

    def _inward(self, heard: Inward, now: int) -> None:
        node = self._by_short(heard.source)
        if node is None:
            return
        told = ZclIndication(node.eui64, heard.destination, heard.cluster, heard.frame)
        if heard.cluster == key_establishment.CLUSTER:
            self._key_effects(self.keys.hear(told, now), now)
        else:
            self.arrived.append(told)

    def _key_effects(self, effects: Sequence[Effect], now: int) -> None:
        for effect in effects:
            if isinstance(effect, SendZcl):
                self.send(effect, 0, now)
            elif isinstance(effect, SetTimer):
                self.timers.start(_KEYS, effect.name, max(now, effect.at))
            elif isinstance(effect, CancelTimer):
                self.timers.stop(_KEYS, effect.name)
            elif isinstance(effect, Note):
                self._tell(effect)

    # -- time ----------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Do what is due."""
        for kind, name in self.timers.take(now):
            if kind == _NODE:
                short, _, timer = name.partition(":")
                here = self._nodes[int(short)]
                self._perform(here, here.expire(timer, now * 1000), now)
            elif kind == _KEYS:
                self._key_effects(self.keys.timer(name, now), now)
            else:
                self.due(kind, name, now)

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power; keys are in the clear."""
        return {
            "permits": self.permits_for_good,
            "nodes": {str(short): node.dump() for short, node in self._nodes.items()},
            "drawn": self.plan.chance.position,
            "keys": self.keys.dump(),
            "joined": [
                [
                    one.eui64.hex, one.short, one.capability, one.endpoint, one.keys_endpoint,
                    one.authenticated,
                ]
                for one in self.joined.values()
                if one.authenticated
            ],
        }  # fmt: skip

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a ``dump``: transfers and joins that were under way are lost."""
        for short, dumped in state["nodes"].items():
            self._nodes[int(short)].load(dumped)
        self.permits = state["permits"]
        self.plan.chance.position = state["drawn"]
        self.keys.load(state["keys"])
        rows = (Joined(Eui64.parse(eui64), *row) for eui64, *row in state["joined"])
        self.joined = {one.eui64: one for one in rows}
