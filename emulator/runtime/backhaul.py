"""The lines of a world's hub to the outside: SM WAN and image transfer."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from emulator.core.effects import (
    CancelTimer,
    DeviceEvent,
    Note,
    SendCsp,
    SendWan,
    SetTimer,
)
from emulator.core.ids import Eui64
from emulator.runtime.air import DeviceDoor
from emulator.runtime.scene import NO_BOX, Crossed, Scene
from emulator.wan import csp, sm_wan
from emulator.wan.csp import CspOutput, CspSender, Outcome, csp_line
from emulator.wan.line import Passage
from emulator.wan.sm_wan import SmWan

_STAND_IN: Final = "stand-in: the real image transfer between CSP and hub is not public"
_TIMER: Final = "csp"


class Backhaul:
    """SM WAN, the stand-in image transfer, and what waits for the DSP.

    Attributes:
        sm_wan: The SM WAN, with the messages that wait for the DSP.
        attention: Called when a message or an outcome is there that someone may wait for.
    """

    def __init__(self, scene: Scene, door: DeviceDoor) -> None:
        """Take the shared state, and the way to the hub's device."""
        self._scene = scene
        self._door = door
        self.sm_wan = SmWan(scene.schedule)
        self._csp = CspSender()
        self._csp_line = csp_line(scene.schedule)
        self.attention: Callable[[], None] = _nobody
        self.entries: dict[str, Callable[[int, Any], None]] = {
            sm_wan.IN: self._on_wan_in,
            sm_wan.OUT: self._on_wan_out,
            csp.IN: self._on_csp_in,
            csp.OUT: self._on_csp_out,
            _TIMER: self._on_csp_timer,
        }

    def send_in(self, message: bytes) -> None:
        """Put a GBCS message on its way to the hub."""
        self._wan(sm_wan.IN, message)

    def send_out(self, order: SendWan) -> None:
        """Put a GBCS message of the hub on its way to the DSP."""
        self._wan(sm_wan.OUT, order.message)

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

    def _wan(self, link: str, message: bytes) -> None:
        self._put(link, message, self.sm_wan.send(link, message, self._scene.now_us), "")

    def _transfer(self, link: str, frame: bytes) -> None:
        passage = self._csp_line.carry(link, frame, self._scene.now_us)
        self._put(link, frame, passage, _STAND_IN)

    def _put(self, link: str, octets: bytes, passage: Passage, comment: str) -> None:
        scene = self._scene
        for due_us, arrived in passage.arrivals:
            scene.agenda.put(due_us, link, NO_BOX, arrived)
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

    def _on_wan_in(self, _index: int, message: bytes) -> None:
        hub = self._scene.hub
        if hub.powered:
            self._door(hub, DeviceEvent.WAN, message)
            return
        self._scene.note(hub, Note("wan_message_waits", (("octets", len(message)),)))
        self.sm_wan.wait(message)

    def _on_wan_out(self, _index: int, message: bytes) -> None:
        self.sm_wan.to_dsp.append(message)
        self.attention()

    def _on_csp_in(self, _index: int, frame: bytes) -> None:
        if self._scene.hub.powered:
            self._door(self._scene.hub, DeviceEvent.CSP, frame)

    def _on_csp_out(self, _index: int, frame: bytes) -> None:
        self._perform(self._csp.arrived(frame, self._scene.now))

    def _on_csp_timer(self, _index: int, name: str) -> None:
        self._perform(self._csp.expire(name, self._scene.now))

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {"sm_wan": self.sm_wan.dump(), "csp": self._csp.dump()}

    def load(self, state: dict[str, Any]) -> None:
        """Put everything back."""
        self.sm_wan.load(state["sm_wan"])
        self._csp.load(state["csp"])


def _nobody() -> None:
    """Nobody waits."""
