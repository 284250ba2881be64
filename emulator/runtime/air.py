"""The HAN of a world: performs what radio stacks and tunnels ask for."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from emulator.codecs.zcl import ota, tunneling
from emulator.core.effects import DeviceEvent, Note, Payload, SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.han.medium import LINK, Medium
from emulator.han.outputs import (
    CancelFrame,
    Hand,
    NodeOutput,
    SendFrame,
    Settled,
    StartTimer,
    StopTimer,
    Transmit,
    TunnelOutput,
)
from emulator.runtime.border import LATE_IN, LATE_OUT, Border
from emulator.runtime.box import Box
from emulator.runtime.outlet import Outlet
from emulator.runtime.progress import STEP_PERCENT, OtaProgress
from emulator.runtime.scene import Crossed, Scene

#: Hands an event to the device of a box and does what the device wants.
DeviceDoor = Callable[[Box, DeviceEvent, Payload], None]
_AIR: Final = "air"
_NODE: Final = "node"
_TUNNEL: Final = "tunnel"
_LOST: Final = "outlet-lost"


class Air:
    """Radio stacks, tunnels, the medium between them, and the border to nodes elsewhere."""

    def __init__(self, scene: Scene, door: DeviceDoor, outlet: Outlet | None = None) -> None:
        """Take the shared state, the way to the devices, and that to nodes elsewhere."""
        self._scene = scene
        self._door = door
        self._border = None if outlet is None else Border(scene, outlet)
        self._medium = Medium(scene.schedule)
        self._boxes, self._struck = scene.boxes, scene.schedule.struck
        self._agenda, self._records = scene.agenda, scene.records
        self._progress = OtaProgress()
        self._by_short = {box.node.short: box for box in scene.boxes}
        self._by_eui64 = {eui64: box for box in scene.boxes for eui64 in box.eui64s}
        self.entries: dict[str, Callable[[int, Any], None]] = {
            _AIR: self._on_air,
            _NODE: self._on_node_timer,
            _TUNNEL: self._on_tunnel_timer,
            _LOST: self._on_lost,
            LATE_OUT: self._on_late_out,
            LATE_IN: self._on_late_in,
        }

    def send(self, box: Box, order: SendZcl) -> None:
        """Send a device's ZCL frame; a receiver that is off sends nothing either."""
        if not box.awake:
            fields = (("cluster", f"{order.cluster:04x}"),)
            self._scene.note(box, Note("han_radio_off", fields))
            return
        if order.cluster == ota.CLUSTER:
            self._watch_progress(box.eui64, order)
        self._carry(box, order, 0)

    def heard(self, frame: ZclIndication) -> None:
        """Take a frame of a node that is elsewhere."""
        box = self._by_eui64.get(frame.destination)
        if box is None or self._border is None:
            why = (("why", "no such endpoint"), ("from", str(frame.source)))
            self._scene.note(self._scene.hub, Note("han_frame_discarded", why))
            return
        for copy in self._border.heard(box, frame):
            self._take(box, copy)

    def _take(self, box: Box, frame: ZclIndication) -> None:
        if not box.powered or not box.awake:
            self._missed(box, len(frame.frame))
            return
        if frame.cluster == ota.CLUSTER:
            order = SendZcl(frame.destination, frame.cluster, frame.frame)
            self._watch_progress(frame.source, order)
        self._arrived(box, frame)

    def settled(self, eui64: Eui64, output: Settled) -> None:
        """Learn what became of a frame to a node that is elsewhere; late word is of no use."""
        box = self._by_eui64[eui64]
        if self._border is not None and self._border.settles(box, output.handle):
            self._settled(box, output)

    def forget_border(self, box: Box) -> None:
        """A box has lost power: it waits for nothing that is on its way out."""
        if self._border is not None:
            self._border.forget(box)

    def perform_node(self, box: Box, outputs: Sequence[NodeOutput]) -> None:
        """Do what a radio stack asks for, in order."""
        acts = _NODE_ACTS
        for output in outputs:
            acts[type(output)](self, box, output)

    def perform_tunnel(self, box: Box, outputs: Sequence[TunnelOutput]) -> None:
        """Do what a tunnel machine asks for, in order."""
        acts = _TUNNEL_ACTS
        for output in outputs:
            acts[type(output)](self, box, output)

    def _settled(self, box: Box, output: Settled) -> None:
        self.perform_tunnel(box, box.tunnel.settled(output, self._scene.now_us))

    def _send_frame(self, box: Box, output: SendFrame) -> None:
        if self._border is None:
            node = box.node
            self.perform_node(box, node.send(output, self._scene.now_us, output.handle))
        else:
            self._carry(box, output, output.handle)

    def _carry(self, box: Box, order: SendZcl | SendFrame, handle: int) -> None:
        """Send a frame by the node's radio, or out of this world."""
        if self._border is None or order.to in self._by_eui64:
            self.perform_node(box, box.node.send(order, self._scene.now_us, handle))
            return
        if isinstance(order, SendFrame):
            order = SendZcl(order.to, order.cluster, order.frame)
        for swallowed in self._border.send(box, order, handle):
            self.settled(box.eui64, swallowed)

    def _cancel_frame(self, box: Box, output: CancelFrame) -> None:
        if self._border is None or not self._border.cancel(box, output.handle):
            self.perform_node(box, box.node.cancel(output.handle, self._scene.now_us))

    def _hand(self, box: Box, output: Hand) -> None:
        self._door(box, DeviceEvent.GBCS, output.message)

    def _start_of_node(self, box: Box, output: StartTimer) -> None:
        self._agenda.start_timer(output.due_us, _NODE, box.index, output.name)

    def _stop_of_node(self, box: Box, output: StopTimer) -> None:
        self._agenda.stop_timer(_NODE, box.index, output.name)

    def _start_of_tunnel(self, box: Box, output: StartTimer) -> None:
        self._agenda.start_timer(output.due_us, _TUNNEL, box.index, output.name)

    def _stop_of_tunnel(self, box: Box, output: StopTimer) -> None:
        self._agenda.stop_timer(_TUNNEL, box.index, output.name)

    def _note(self, box: Box, note: Note) -> None:
        self._scene.note(box, note)

    def _on_air(self, index: int, octets: bytes) -> None:
        box = self._boxes[index]
        if box.powered and box.awake:
            self.perform_node(box, box.node.receive(octets, self._scene.now_us))
            return
        self._missed(box, len(octets))

    def _missed(self, box: Box, octets: int) -> None:
        why = "receiver asleep" if box.powered else "no power"
        self._scene.note(box, Note("han_frame_missed", (("why", why), ("octets", octets))))

    def _on_node_timer(self, index: int, name: str) -> None:
        box = self._scene.boxes[index]
        self.perform_node(box, box.node.expire(name, self._scene.now_us))

    def _on_tunnel_timer(self, index: int, name: str) -> None:
        box = self._scene.boxes[index]
        self.perform_tunnel(box, box.tunnel.expire(name, self._scene.now_us))

    def _arrived(self, box: Box, frame: ZclIndication) -> None:
        if frame.cluster == tunneling.CLUSTER:
            self.perform_tunnel(box, box.tunnel.arrived(frame, self._scene.now_us))
        else:
            self._door(box, DeviceEvent.ZCL, frame)

    def _transmit(self, box: Box, order: Transmit) -> None:
        scene, there, octets = self._scene, self._by_short[order.to], order.octets
        index = there.index
        if LINK not in self._struck:
            start_us, due_us = self._medium.occupy(len(octets), scene.now_us)
            self._agenda.put(due_us, _AIR, index, octets)
            self._records.crossed(there.role, order.label, (start_us, LINK, octets, ""))
            return
        roles = (box.role, there.role)
        carried = self._medium.carry(order.octets, order.label, roles, scene.now_us)
        for arrival in carried.arrivals:
            scene.agenda.put(arrival.due_us, _AIR, index, arrival.octets)
        arrived = [arrival.octets for arrival in carried.arrivals]
        crossed = Crossed(carried.start_us, LINK, order.octets, arrived, carried.faults)
        scene.record(crossed, there, order.label)

    def _on_lost(self, index: int, handle: int) -> None:
        """Settle what was on its way out when the state was stored: it may have arrived."""
        self.settled(self._scene.boxes[index].eui64, Settled(handle, False, 1))

    def _on_late_out(self, index: int, what: Sequence[Any]) -> None:
        if self._border is not None:
            self._border.send_late(self._scene.boxes[index], what)

    def _on_late_in(self, index: int, what: Sequence[Any]) -> None:
        if self._border is not None:
            self._take(self._scene.boxes[index], self._border.heard_late(what))

    def _watch_progress(self, sender: Eui64, order: SendZcl) -> None:
        further = self._progress.passed(sender, order)
        if further is None:
            return
        device, note = further
        there = self._by_eui64.get(device)
        if there is None:
            self._scene.records.note(self._scene.now_us, device, note)
        elif self._progress.percents[device] % STEP_PERCENT:
            self._scene.watch(there, note)
        else:
            self._scene.note(there, note)

    def dump(self) -> dict[str, Any]:
        """Return everything that is not in the boxes, as plain data."""
        return {
            "medium": self._medium.dump(),
            "progress": self._progress.dump(),
            "border": None if self._border is None else self._border.dump(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Put everything back."""
        self._medium.load(state["medium"])
        self._progress.load(state["progress"])
        if self._border is not None and state["border"] is not None:
            for index, handle in self._border.load(state["border"]):
                self._scene.agenda.put(self._scene.now_us, _LOST, index, handle)


#: What radio stacks and tunnels ask for -> what does it: one table each for all worlds.
_NODE_ACTS: Final[dict[type[Any], Callable[[Air, Box, Any], None]]] = {
    Transmit: Air._transmit,  # noqa: SLF001 - methods of this very class, here and below
    ZclIndication: Air._arrived,  # noqa: SLF001
    StartTimer: Air._start_of_node,  # noqa: SLF001
    StopTimer: Air._stop_of_node,  # noqa: SLF001
    Settled: Air._settled,  # noqa: SLF001
    Note: Air._note,  # noqa: SLF001
}
_TUNNEL_ACTS: Final[dict[type[Any], Callable[[Air, Box, Any], None]]] = {
    SendFrame: Air._send_frame,  # noqa: SLF001
    CancelFrame: Air._cancel_frame,  # noqa: SLF001
    Hand: Air._hand,  # noqa: SLF001
    StartTimer: Air._start_of_tunnel,  # noqa: SLF001
    StopTimer: Air._stop_of_tunnel,  # noqa: SLF001
    Note: Air._note,  # noqa: SLF001
}
