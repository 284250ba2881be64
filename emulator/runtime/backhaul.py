"""The lines of a world's hub to the outside: SM WAN and image transfer."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from emulator.codecs.gbcs import gbt
from emulator.core.effects import (
    CancelTimer,
    DeviceEvent,
    Note,
    SendCsp,
    SendWan,
    SetTimer,
)
from emulator.core.ids import Eui64
from emulator.devices.base import Device
from emulator.devices.gbt_end import GbtEnd
from emulator.runtime.air import DeviceDoor
from emulator.runtime.scene import NO_BOX, Crossed, Scene
from emulator.wan import csp, sm_wan
from emulator.wan.csp import CspOutput, CspSender, Outcome, csp_line
from emulator.wan.line import Passage
from emulator.wan.sim_network import STAND_IN as _DLMS_STAND_IN
from emulator.wan.sim_network import Move, SimNetwork
from emulator.wan.sm_wan import Reading, SmWan

_STAND_IN: Final = "stand-in: the real image transfer between CSP and hub is not public"
_TIMER: Final = "csp"
_SIM: Final = "sim"
_GBT: Final = "gbt"
#: A head end that stands on whichever network the SIM is on; and where nobody has a SIM.
ANY: Final = ""


class Backhaul:
    """SM WAN, the stand-in image transfer, and what waits for the DSP.

    Attributes:
        sm_wan: The SM WAN, with the messages that wait for the DSP.
        sim: The SIM of a SMETS1 hub; None where the WAN is always there.
        arrived: What came to the head ends of parties: party, moment (us), frame.
        attention: Called when a message or an outcome is there that someone may wait for.
    """

    def __init__(
        self,
        scene: Scene,
        door: DeviceDoor,
        sim: SimNetwork | None = None,
        reading: Reading | None = None,
    ) -> None:
        """Take the shared state, the way to the hub's device, its SIM and how faults see frames."""
        self._scene = scene
        self._struck = scene.schedule.struck
        self._door = door
        self.sim = sim
        self.arrived: list[tuple[str, int, bytes]] = []
        self.sm_wan = SmWan(scene.schedule, reading)
        self._csp = CspSender()
        self._csp_line = csp_line(scene.schedule)
        self._blocks = _block_end(scene.hub.device)
        self.attention: Callable[[], None] = _nobody
        self.entries: dict[str, Callable[[int, Any], None]] = {
            sm_wan.IN: self._on_wan_in,
            sm_wan.OUT: self._on_wan_out,
            csp.IN: self._on_csp_in,
            csp.OUT: self._on_csp_out,
            _TIMER: self._on_csp_timer,
            _SIM: self._on_sim,
            _GBT: self._on_blocks_timer,
        }

    def send_in(self, message: bytes, party: str = ANY) -> None:
        """Put a message on its way to the hub.

        Args:
            message: A GBCS message; to a SMETS1 hub, a wrapper frame.
            party: Whose head end sends it: it arrives only over that party's network.
        """
        if self._blocks is None:
            self._wan(sm_wan.IN, message, party)
            return
        frames = self._blocks.send(message, self._scene.now)
        if frames != (message,):
            self.sm_wan.note_taken(message)
        self._send_blocks(frames)

    def _send_blocks(self, frames: Sequence[bytes]) -> None:
        """Put blocks of a party on their way, and set the timer to what is awaited."""
        for frame in frames:
            self._wan(sm_wan.IN, frame, ANY)
        due = None if self._blocks is None else self._blocks.next_deadline()
        if due is None:
            self._scene.agenda.stop_timer(_GBT, NO_BOX, _GBT)
        else:
            self._scene.agenda.start_timer(due * 1000, _GBT, NO_BOX, _GBT)

    def _on_blocks_timer(self, _index: int, _name: str) -> None:
        if self._blocks is None:
            return
        frames, over = self._blocks.pass_time(self._scene.now)
        for why in over:
            self._scene.note(self._scene.hub, Note("gbt_given_up", (("why", why),)))
        self._send_blocks(frames)

    def send_out(self, order: SendWan) -> None:
        """Put a message of the hub on its way to the DSP, or to the head end of its network."""
        self._wan(sm_wan.OUT, order.message, ANY)

    # -- the SIM -------------------------------------------------------------------------------

    def move_sim(self, to: str) -> Move:
        """Move the SIM to another party's network; the hub is gone from the old one at once.

        Raises:
            ValueError: The hub's SIM cannot be moved, or not there.
        """
        if self.sim is None:
            raise ValueError("the SIM of this hub cannot be moved")
        scene, before = self._scene, self.sim.moves
        move = self.sim.move(to, scene.now_us)
        fields = (("to", to), ("done", move.done), ("faults", ", ".join(move.faults)))
        scene.note(scene.hub, Note("sim_moved", fields))
        if self.sim.moves != before:
            self.sm_wan.drop_waiting()
            self._door(scene.hub, DeviceEvent.NETWORK, ANY)
            self.attention()
        return move

    def seek(self) -> None:
        """The hub wants to attach: let it in now, or when the network is ready."""
        scene = self._scene
        if self.sim is None:
            self._door(scene.hub, DeviceEvent.NETWORK, ANY)
            return
        due_us = self.sim.seek(scene.now_us)
        if due_us is None:
            self._door(scene.hub, DeviceEvent.NETWORK, self.sim.owner)
        else:
            scene.agenda.put(due_us, _SIM, NO_BOX, due_us)

    def _on_sim(self, _index: int, due_us: int) -> None:
        scene = self._scene
        if self.sim is None or not scene.hub.powered:
            return
        let_in, kept_off = self.sim.answer(due_us)
        for text in kept_off:
            scene.note(scene.hub, Note("fault", (("fault", text), ("frame", "sim.attach"))))
        if let_in:
            self._door(scene.hub, DeviceEvent.NETWORK, self.sim.owner)

    def send_csp(self, order: SendCsp) -> None:
        """Put a frame of the hub on its way to the CSP."""
        self._transfer(csp.OUT, order.frame)

    def release(self) -> None:
        """The hub has power again: hand it the messages that waited."""
        for message in self.sm_wan.release():
            self._door(self._scene.hub, DeviceEvent.WAN, message)

    def begin_transfer(self, request_id: str, image: bytes, targets: tuple[Eui64, ...]) -> int:
        """Begin (or return to) an image transfer to the hub; return its number."""
        number, outputs = self._csp.begin(request_id, image, targets, self._scene.now)
        self._perform(outputs)
        return number

    def outcome(self, number: int) -> Outcome | None:
        """Return how an image transfer ended, or None while it runs."""
        return self._csp.outcome(number)

    def has_taken(self, octets: bytes) -> bool:
        """Say whether this very message or image reached the hub, or is on its way and will."""
        return self.sm_wan.has_taken(octets) or self._csp.holds(octets)

    def _wan(self, link: str, message: bytes, party: str) -> None:
        scene, sim = self._scene, self.sim
        owner, comment = ANY, ""
        if sim is not None:
            owner, comment = party or sim.owner, _DLMS_STAND_IN
        if sim is None or sim.serves(owner):
            if link in self._struck:
                passage = self.sm_wan.send(link, message, scene.now_us)
                self._put(link, message, passage, comment, owner)
                return
            now_us = scene.now_us
            due_us = self.sm_wan.send_untouched(link, message, now_us)
            scene.agenda.put(due_us, link, NO_BOX, (owner, message) if owner else message)
            scene.records.crossed(scene.hub.role, link, (now_us, link, message, comment))
            return
        comment = f"{_DLMS_STAND_IN}; the hub is not on the network of the {owner} (lost)"
        scene.record(Crossed(scene.now_us, link, message, [message], (), comment), scene.hub, link)

    def _transfer(self, link: str, frame: bytes) -> None:
        passage = self._csp_line.carry(link, frame, self._scene.now_us)
        self._put(link, frame, passage, _STAND_IN)

    def _put(
        self, link: str, octets: bytes, passage: Passage, comment: str, party: str = ANY
    ) -> None:
        scene = self._scene
        for due_us, arrived in passage.arrivals:
            what = (party, arrived) if party else arrived
            scene.agenda.put(due_us, link, NO_BOX, what)
        arrived_ = [arrived for _due_us, arrived in passage.arrivals]
        crossed = Crossed(scene.now_us, link, octets, arrived_, passage.faults, comment)
        scene.record(crossed, scene.hub, link)

    def _perform(self, outputs: Sequence[CspOutput]) -> None:
        agenda = self._scene.agenda
        for output in outputs:
            match output:
                case SendCsp():
                    self._transfer(csp.IN, output.frame)
                case SetTimer():
                    agenda.start_timer(output.at * 1000, _TIMER, NO_BOX, output.name)
                case CancelTimer():
                    agenda.stop_timer(_TIMER, NO_BOX, output.name)
                case Note():
                    self._scene.note(self._scene.hub, output)
                    self.attention()

    def _on_wan_in(self, _index: int, what: bytes | tuple[str, bytes]) -> None:
        hub = self._scene.hub
        party, message = _parted(what)
        if self.sim is not None and not self.sim.serves(party):
            self._scene.note(hub, Note("wan_message_lost", (("network", party),)))
            return
        if hub.powered:
            self._door(hub, DeviceEvent.WAN, message)
            return
        self._scene.note(hub, Note("wan_message_waits", (("octets", len(message)),)))
        self.sm_wan.wait(message)

    def _on_wan_out(self, _index: int, what: bytes | tuple[str, bytes]) -> None:
        party, message = _parted(what)
        if party:
            self.arrived.append((party, self._scene.now_us, message))
        elif self._blocks is not None and gbt.is_block(message):
            self._take_block(self._blocks, message)
        else:
            self.sm_wan.to_dsp.append(message)
        self.attention()

    def _take_block(self, end: GbtEnd, frame: bytes) -> None:
        """Take a block at the party's end; a message that is whole waits for the DSP."""
        taken = end.take(frame, self._scene.now)
        if taken.why:
            self._scene.note(self._scene.hub, Note("gbt_block_refused", (("why", taken.why),)))
        if taken.message is not None:
            self.sm_wan.to_dsp.append(taken.message)
        self._send_blocks(taken.frames)

    def _on_csp_in(self, _index: int, frame: bytes) -> None:
        if self._scene.hub.powered:
            self._door(self._scene.hub, DeviceEvent.CSP, frame)

    def _on_csp_out(self, _index: int, frame: bytes) -> None:
        self._perform(self._csp.arrived(frame, self._scene.now))

    def _on_csp_timer(self, _index: int, name: str) -> None:
        self._perform(self._csp.expire(name, self._scene.now))

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        state = {"sm_wan": self.sm_wan.dump(), "csp": self._csp.dump()}
        if self._blocks is not None:
            state["blocks"] = self._blocks.dump()
        if self.sim is None:
            return state
        arrived = [list(one) for one in self.arrived]
        return {**state, "sim": self.sim.dump(), "arrived": arrived}

    def load(self, state: dict[str, Any]) -> None:
        """Put everything back."""
        self.sm_wan.load(state["sm_wan"])
        self._csp.load(state["csp"])
        if self._blocks is not None:
            self._blocks.load(state["blocks"])
        if self.sim is not None:
            self.sim.load(state["sim"])
            self.arrived = [(party, at_us, octets) for party, at_us, octets in state["arrived"]]


def _parted(what: bytes | tuple[str, bytes]) -> tuple[str, bytes]:
    """Return whose head end sent or gets a frame, and the frame."""
    return (ANY, what) if isinstance(what, bytes) else what


def _block_end(hub: object) -> GbtEnd | None:
    """Return the parties' end of block transfer: with the limit of the hub's profile."""
    return GbtEnd.of(hub.profile.limits.gbt_block_bytes) if isinstance(hub, Device) else None


def _nobody() -> None:
    """Nobody waits."""
