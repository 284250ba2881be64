"""A whole installation as one discrete-event world: devices, radios, tunnels, lines, faults."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    BrownOut,
    CancelTimer,
    DeviceEvent,
    Effect,
    Note,
    Payload,
    Radio,
    SeekNetwork,
    SendCsp,
    SendGbcs,
    SendWan,
    SendZcl,
    SetTimer,
    ZclIndication,
)
from emulator.core.errors import MalformedFrameError
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import PowerCut
from emulator.core.ids import Eui64
from emulator.devices.chf.trouble import expect_trouble
from emulator.han.medium import LINK
from emulator.han.outputs import Settled
from emulator.han.tunnel_client import TunnelClient
from emulator.han.tunnel_server import TunnelServer
from emulator.runtime import snapshot
from emulator.runtime.agenda import POWER_RETURN
from emulator.runtime.air import Air
from emulator.runtime.backhaul import Backhaul
from emulator.runtime.box import Box
from emulator.runtime.marks import Mark, mark_of
from emulator.runtime.moving_world import MovingWorld
from emulator.runtime.outlet import Outlet
from emulator.runtime.records import Records
from emulator.runtime.scene import NO_BOX, Scene
from emulator.runtime.snapshot import SnapshotError
from emulator.servers.device_faults import effect_of, put_in
from emulator.wan.csp import Outcome
from emulator.wan.sim_network import Move, SimNetwork
from emulator.wan.sm_wan import Reading

#: From one box switched on to the next, when a world starts. Source: invented.
START_GAP_US: Final = 250_000
_TIMER: Final = "timer"
_POWER: Final = "power"
_FAULT: Final = "fault"


class World(MovingWorld):
    """Everything below the device seam; advances only when told, and only by its agenda."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a world is made of; the last three are rare
        self,
        boxes: Sequence[Box],
        schedule: FaultSchedule,
        chance: Chance,
        start: UtcMs,
        sim: SimNetwork | None = None,
        reading: Reading | None = None,
        outlet: Outlet | None = None,
    ) -> None:
        """Take the boxes (hub first), the run's faults and chance, and the first moment.

        Args:
            boxes: The boxes.
            schedule: The run's faults.
            chance: The run's chance.
            start: The first moment.
            sim: The SIM of a SMETS1 hub; None where the WAN is always there.
            reading: How faults see what crosses the WAN; None: as GBCS messages.
            outlet: What carries frames to nodes that are not among the boxes; None: there are
                none.
        """
        scene = Scene(boxes, schedule, start * 1000)
        super().__init__(scene)
        self._chance = chance
        self._air = Air(self._scene, self._event, outlet)
        self._backhaul = Backhaul(self._scene, self._event, sim, reading)
        self._by_eui64 = {eui64: box for box in boxes for eui64 in box.eui64s}
        self._entries = {
            **self._air.entries,
            **self._backhaul.entries,
            _TIMER: lambda index, name: self._event(scene.boxes[index], DeviceEvent.TIMER, name),
            _POWER: self._on_power,
            POWER_RETURN: lambda index, _name: self._on_power(index, on=True),
            _FAULT: self._on_fault,
        }

    # -- from outside --------------------------------------------------------------------------

    @property
    def records(self) -> Records:
        """Facts and frames nobody has taken yet."""
        return self._scene.records

    @property
    def to_dsp(self) -> deque[bytes]:
        """GBCS messages of the hub that wait for the DSP."""
        return self._backhaul.sm_wan.to_dsp

    def call_on_attention(self, call: Callable[[], None]) -> None:
        """Have ``call`` called when a message, an outcome or a change of power is there."""
        self._backhaul.attention = call

    def call_on_entry(self, call: Callable[[], None]) -> None:
        """Have ``call`` called when something that will happen was entered."""
        self._scene.agenda.on_entry = call

    def start(self, after_us: int = 0) -> None:
        """Enter the first events: every box is switched on, hub first; timed faults.

        Args:
            after_us: From the first moment to the first box switched on, microseconds.
        """
        scene = self._scene
        for index in range(len(scene.boxes)):
            due_us = scene.now_us + after_us + index * START_GAP_US
            scene.agenda.put(due_us, _POWER, index, True)
        for at, fault in scene.schedule.timed(scene.now):
            scene.agenda.put(at * 1000, _FAULT, NO_BOX, fault)

    def box(self, eui64: Eui64) -> Box:
        """Return the box of a device.

        Raises:
            KeyError: No such device in this world.
        """
        self._come()
        return self._by_eui64[eui64]

    def send_wan(self, message: bytes, party: str = "") -> None:
        """Put a message on its way to the hub; of a party, over that party's network alone."""
        self._come()
        self._backhaul.send_in(message, party)

    @property
    def sim(self) -> SimNetwork | None:
        """The SIM of a SMETS1 hub; None where the WAN is always there."""
        return self._backhaul.sim

    def move_sim(self, to: str) -> Move:
        """Move the SIM of the hub to a party's network.

        Raises:
            ValueError: It cannot be moved, or not there.
        """
        self._come()
        return self._backhaul.move_sim(to)

    def heard(self, frame: ZclIndication) -> None:
        """Take a frame of a node that is not in this world, at the present moment."""
        self._come()
        self._air.heard(frame)

    def settled(self, eui64: Eui64, outcome: Settled) -> None:
        """Learn what became of a frame that a box gave to the outlet with a handle.

        Args:
            eui64: Who sent it (``source`` of the order).
            outcome: What became of it; the second time, or after a loss of power, it is ignored.
        """
        self._come()
        self._air.settled(eui64, outcome)

    def take_arrived(self) -> list[tuple[str, int, bytes]]:
        """Return what came to the head ends of parties: party, moment (us), frame."""
        arrived, self._backhaul.arrived = self._backhaul.arrived, []
        return arrived

    def disturb(self, order: str) -> None:
        """Put one more fault into force from now on; ``clear@LINK`` ends those of a place.

        Raises:
            FaultError: The order means nothing.
        """
        self._come()
        due = self._scene.schedule.order(order, self._scene.now)
        if due is not None:
            self._scene.agenda.put(due[0] * 1000, _FAULT, NO_BOX, due[1])
        self._scene.agenda.look_again()  # a home with a fault in force does not doze

    def idle_faults(self) -> tuple[str, ...]:
        """Return the texts of the run's faults that never happened so far."""
        return self._scene.schedule.idle()

    def rest_faults(self, *, on: bool) -> None:
        """Let everything pass by radio, or have the faults of the HAN strike again."""
        self._come()
        self._scene.schedule.rest(LINK, on=on)

    def has_taken(self, octets: bytes) -> bool:
        """Say whether this very message or image reached the hub, or is on its way and will."""
        return self._backhaul.has_taken(octets)

    def begin_transfer(self, request_id: str, image: bytes, targets: tuple[Eui64, ...]) -> int:
        """Begin (or return to) an image transfer to the hub; return its number."""
        self._come()
        return self._backhaul.begin_transfer(request_id, image, targets)

    def transfer_outcome(self, number: int) -> Outcome | None:
        """Return how an image transfer ended, or None while it runs."""
        return self._backhaul.outcome(number)

    def cut_power(self, eui64: Eui64, off_s: float) -> None:
        """Take the supply from a device now; it returns after ``off_s`` seconds (0: never).

        When cuts overlap, the last one says when the supply returns.
        """
        scene, index = self._scene, self.box(eui64).index
        scene.agenda.put(scene.now_us, _POWER, index, False)
        if off_s:
            due_us = scene.now_us + round(off_s * 1_000_000)
            scene.agenda.start_timer(due_us, POWER_RETURN, index, "")
        else:
            scene.agenda.stop_timer(POWER_RETURN, index, "")

    def trouble(self, hub: Eui64, at: UtcMs) -> None:
        """Have a hub notice trouble with its network at a moment, and tell of it."""
        box = self.box(hub)
        name = expect_trouble(box.device, at)
        self._scene.agenda.start_timer(at * 1000, _TIMER, box.index, name)

    # -- entries of the agenda -----------------------------------------------------------------

    def _on_power(self, index: int, on: bool) -> None:
        box = self._scene.boxes[index]
        if on == box.powered:
            return
        if on:
            self._switch_on(box)
        else:
            self._switch_off(box)
        self._backhaul.attention()

    def _on_fault(self, _index: int, place: int) -> None:
        if self._scene.schedule.is_over(place):
            return
        fault, act = self._scene.schedule.act(place)
        box = next((box for box in self._scene.boxes if box.role == fault.link), None)
        if box is None:
            lacking = Note("fault", (("fault", fault.text), ("effect", "no such device here")))
            self._scene.note(self._scene.hub, lacking)
            return
        self._scene.note(box, Note("fault", (("fault", fault.text), ("effect", effect_of(act)))))
        if isinstance(act, PowerCut):
            self.cut_power(box.eui64, act.off_s)
            return
        why = put_in(box.device, act)
        if why:
            self._scene.note(box, Note("fault_without_effect", (("why", why),)))

    # -- power ---------------------------------------------------------------------------------

    def _switch_on(self, box: Box) -> None:
        box.powered = True
        box.awake = not box.sleepy
        self._air.perform_tunnel(box, box.tunnel.power_on(self._scene.now_us))
        self._event(box, DeviceEvent.POWER_ON, None)
        if box is self._scene.hub:
            self._backhaul.release()

    def _switch_off(self, box: Box) -> None:
        effects = box.device.handle(DeviceEvent.POWER_OFF, None, self._scene.now)
        box.powered = box.awake = False
        for effect in effects:
            if isinstance(effect, Note):
                self._scene.note(box, effect)
        self._air.perform_tunnel(box, box.tunnel.power_off())
        box.node.forget()
        self._air.forget_border(box)
        self._scene.agenda.stop_timers_of(box.index)

    # -- devices -------------------------------------------------------------------------------

    def _event(self, box: Box, event: DeviceEvent, payload: Payload) -> None:
        """Let a device handle an event, and do what it wants, in order."""
        if not box.powered:
            return
        try:
            now = UtcMs(self._scene.now_us // 1000)
            effects: list[Effect] = box.device.handle(event, payload, now)
        except MalformedFrameError as error:  # the peer's octets: noted here should a device not
            why = (("event", event.value), ("layer", error.layer), ("why", error.why))
            self._scene.note(box, Note("malformed_frame", why))
            return
        self.perform(box, effects)

    def perform(self, box: Box, effects: list[Effect]) -> None:
        """Do what a device wants after an event, or after somebody acted at its keypad."""
        for effect in effects:
            _EFFECTS[type(effect)](self, box, effect)

    def _send_gbcs(self, box: Box, order: SendGbcs) -> None:
        tunnel = box.tunnel
        if isinstance(tunnel, TunnelServer):
            outputs = tunnel.submit(order.to, order.message, self._scene.now_us)
        else:
            outputs = tunnel.submit(order.message)
        self._air.perform_tunnel(box, outputs)

    def _set_timer(self, box: Box, order: SetTimer) -> None:
        scene = self._scene
        due_us = max(order.at * 1000, scene.now_us)
        scene.agenda.start_timer(due_us, _TIMER, box.index, order.name)

    def _cancel_timer(self, box: Box, order: CancelTimer) -> None:
        self._scene.agenda.stop_timer(_TIMER, box.index, order.name)

    def _switch_radio(self, box: Box, order: Radio) -> None:
        if order.awake == box.awake:
            return
        box.awake = order.awake
        tunnel = box.tunnel
        if isinstance(tunnel, TunnelClient):
            outputs = tunnel.radio(awake=order.awake, now_us=self._scene.now_us)
            self._air.perform_tunnel(box, outputs)
        if not order.awake:
            self._air.perform_node(box, box.node.fall_silent())

    # -- memory --------------------------------------------------------------------------------

    def _identity(self) -> dict[str, Any]:
        return {
            "seed": self._chance.seed,
            "faults": [fault.text for fault in self._scene.schedule.ordered],
            "devices": [[box.role, *(one.hex for one in box.eui64s)] for box in self._scene.boxes],
        }

    def dump(self) -> bytes:
        """Return the whole state; a world that loads it goes on with the same octets."""
        return snapshot.pack(self.state())

    def mark(self) -> Mark | None:
        """Return what is another once anything but time happened here; None: it may have."""
        self._come()  # a window that is open now is lived through: that is something
        return mark_of(self._scene, (self._air, self._backhaul, self._chance))

    def state(self) -> dict[str, Any]:
        """Return the whole state as plain data, for ``snapshot.pack``."""
        return {
            "identity": self._identity(),
            "now_us": self.now_us,
            "agenda": self._scene.agenda.dump(),
            "boxes": [box.dump() for box in self.boxes],
            "air": self._air.dump(),
            "backhaul": self._backhaul.dump(),
            "schedule": self._scene.schedule.dump(),
            "chance": self._chance.dump(),
            "records": self.records.dump(),
        }

    def load(self, octets: bytes) -> None:
        """Take over a dumped state; installation, seed and faults must be those of the dump.

        Raises:
            SnapshotError: The octets are damaged or belong to another installation.
        """
        self.load_state(snapshot.unpack(octets))

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` returned.

        Raises:
            SnapshotError: It belongs to another installation.
        """
        if state["identity"] != self._identity():
            raise SnapshotError("the stored state belongs to another installation, seed or faults")
        self._scene.now_us = state["now_us"]
        self._scene.agenda.load(state["agenda"])
        for box, dumped in zip(self._scene.boxes, state["boxes"], strict=True):
            box.load(dumped)
        self._air.load(state["air"])
        self._backhaul.load(state["backhaul"])
        self._scene.schedule.load(state["schedule"])
        for name in {*self._chance.dump(), *state["chance"]}:
            self._chance.stream(name).position = state["chance"].get(name, 0)
        self.records.load(state["records"])


#: Effect -> what performs it: one table for all worlds, of which there may be thousands.
_EFFECTS: Final[dict[type, Callable[[World, Box, Any], None]]] = {
    SendZcl: lambda self, box, order: self._air.send(box, order),
    SendGbcs: World._send_gbcs,  # noqa: SLF001 -- methods of this very class, here and below
    SendWan: lambda self, _box, order: self._backhaul.send_out(order),
    SendCsp: lambda self, _box, order: self._backhaul.send_csp(order),
    SetTimer: World._set_timer,  # noqa: SLF001
    CancelTimer: World._cancel_timer,  # noqa: SLF001
    Radio: World._switch_radio,  # noqa: SLF001
    Note: lambda self, box, note: self._scene.note(box, note),
    SeekNetwork: lambda self, _box, _order: self._backhaul.seek(),
    BrownOut: lambda self, box, order: self.cut_power(box.eui64, order.off_s),
}
