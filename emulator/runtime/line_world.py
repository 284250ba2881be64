"""One meter on one line as a discrete-event world: octets at line speed, faults, power, timers."""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import CloseDlms, DeviceEvent, Note, SendDlms
from emulator.core.fault_schedule import FaultSchedule
from emulator.runtime import snapshot
from emulator.runtime.agenda import POWER_RETURN
from emulator.runtime.line_device import (
    DEVICE,
    FAULT,
    LINE,
    POWER,
    TIMER,
    LineScene,
    PoweredDevice,
)
from emulator.runtime.line_wire import LineWire
from emulator.runtime.records import Records
from emulator.runtime.snapshot import SnapshotError
from emulator.servers.line_parts import Framing, HangUp, LineOutput, SetSpeed, Transmit
from emulator.servers.meter_line import MeterLine
from emulator.servers.served_meter import LineDevice

#: Silence after which an unfinished frame is given up, and octet times that are none at any speed.
#: Source: reference serial-dlms.md section 4.2 (25 ms or more); the octets: invented.
SILENCE_US: Final = 25_000
_SILENT_OCTETS: Final = 3
_IN, _OUT = "in", "out"
_DEADLINE, _SILENCE = "deadline", "silence"


class LineWorld:
    """A device, the line to it, and what happens on both; advances only when told.

    An optical line is always there. The others are connections: the meter may hang up, and a power
    loss ends them; ``connected`` says so, and ``connect`` makes a new one.

    Attributes:
        connected: Whether the line is there.
    """

    def __init__(
        self,
        device: LineDevice,
        line: MeterLine,
        faults: FaultSchedule,
        chance: Chance,
        start: UtcMs,
    ) -> None:
        """Take a device without power and a line to it; ``start`` switches it on.

        Args:
            device: The device; ``line`` must be a line of it.
            line: The line.
            faults: The run's faults.
            chance: The run's chance.
            start: First moment.
        """
        self.connected = True
        self._scene = LineScene(faults, start * 1000)
        self._device = PoweredDevice(device, self._scene, self._switched)
        self._line = line
        self._chance = chance
        self._wire = LineWire(line.framing, faults, self._device.role)
        self._received: deque[tuple[int, bytes]] = deque()
        self._attention: Callable[[], None] = _nobody
        self._life = 0  # of the connection; what is under way belongs to one
        self._entries: dict[str, Callable[[int, Any], None]] = {
            _IN: lambda _index, what: self._on_in(*what),
            _OUT: lambda _index, what: self._on_out(*what),
            TIMER: self._on_timer,
            POWER: lambda _index, on: self._device.switch(on),
            POWER_RETURN: lambda _index, _name: self._device.switch(True),
            FAULT: lambda _index, place: self._device.strike(place),
        }

    # -- from outside --------------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """The present moment, microseconds since 1970."""
        return self._scene.now_us

    @property
    def device(self) -> LineDevice:
        """The device."""
        return self._device.device

    @property
    def powered(self) -> bool:
        """Whether the device has power."""
        return self._device.powered

    @property
    def records(self) -> Records:
        """Facts and frames nobody has taken yet."""
        return self._scene.records

    @property
    def baud(self) -> int | None:
        """Speed the meter listens at now; None where the line has none."""
        return self._line.baud

    def call_on_attention(self, call: Callable[[], None]) -> None:
        """Have ``call`` called when octets came, the power changed, or the meter hung up."""
        self._attention = call

    def start(self) -> None:
        """Switch the device on, and enter the faults that name a time."""
        self._device.start()

    def disturb(self, order: str) -> None:
        """Put one more fault into force from now on; ``clear@LINK`` ends those of a link.

        Raises:
            FaultError: The order means nothing.
        """
        due = self._scene.faults.order(order, self._scene.now)
        if due is not None:
            self._scene.agenda.put(due[0] * 1000, FAULT, DEVICE, due[1])

    def send(self, octets: bytes) -> None:
        """Put octets of the reader on the line, at the speed the meter listens at.

        What is sent on a connection that is closed, or to a meter without power, is lost.
        """
        self._put("line-in", octets, self._line.baud, self.now_us)

    def take_received(self) -> list[tuple[int, bytes]]:
        """Return what the reader has received since the last call: moment in us, octets."""
        taken = list(self._received)
        self._received.clear()
        return taken

    def connect(self) -> bool:
        """Make a new connection where there is none; say whether the meter has one now."""
        if self.connected or not self.powered:
            return self.connected and self.powered
        self.connected = True
        self._begin()
        return True

    def disconnect(self) -> None:
        """Close the connection from the reader's end; an optical head has none to close."""
        if self._is_connection and self.connected:
            self._perform(self._line.lost(self._scene.now))
            self._end()
            self.connected = False

    def cut_power(self, off_s: float) -> None:
        """Take the supply from the device now; it returns after ``off_s`` seconds (0: never)."""
        self._device.cut_power(off_s)

    def next_due(self) -> int | None:
        """Return when (microseconds since 1970) the next thing happens; None when nothing will."""
        return self._scene.agenda.next_due()

    def step(self) -> None:
        """Let the next thing happen; ask `next_due` first."""
        due_us, _sequence, kind, index, what = self._scene.agenda.pop()
        self.pass_time(due_us)
        self._entries[kind](index, what)

    def run_until(self, at_us: int) -> None:
        """Let everything happen that is due up to and including ``at_us``."""
        due = self.next_due()
        while due is not None and due <= at_us:
            self.step()
            due = self.next_due()
        self.pass_time(at_us)

    def pass_time(self, at_us: int) -> None:
        """Move the present moment on to ``at_us``; everything due before has happened."""
        self._scene.now_us = max(self._scene.now_us, at_us)

    # -- entries of the agenda -----------------------------------------------------------------

    def _on_in(self, life: int, octets: bytes) -> None:
        if life != self._life or not self.powered or not self.connected:
            return
        self._wire.heard_us = self.now_us
        self._perform(self._line.receive(octets, self._scene.now))
        self._device.watch_transfer()
        if self._line.kept_bytes:
            octets_us = self._wire.octets_us(_SILENT_OCTETS, self._line.baud)
            due_us = self.now_us + max(SILENCE_US, octets_us)
            self._scene.agenda.start_timer(due_us, TIMER, LINE, _SILENCE)
        else:
            self._scene.agenda.stop_timer(TIMER, LINE, _SILENCE)

    def _on_out(self, life: int, octets: bytes) -> None:
        if life == self._life:
            self._received.append((self.now_us, octets))
            self._attention()

    def _on_timer(self, index: int, name: str) -> None:
        if index == DEVICE:
            orders = self._device.handle(DeviceEvent.TIMER, name)
            self._perform(self._line.perform(orders, self._scene.now))
        elif name == _SILENCE:
            self._perform(self._line.silence(self._scene.now))
        else:
            self._perform(self._line.expire(self._scene.now))

    def _switched(self, on: bool) -> None:
        """The device has power now, or has lost it: whatever the line was doing is over."""
        if not on:
            self._end()
            self.connected = self.connected and not self._is_connection
        elif self.connected:
            self._begin()
        self._attention()

    # -- the line ------------------------------------------------------------------------------

    @property
    def _is_connection(self) -> bool:
        return self._line.framing is not Framing.OPTICAL

    def _begin(self) -> None:
        self._life += 1
        self._line.reset()
        self._line.begin(self._scene.now)
        self._set_deadline()

    def _end(self) -> None:
        """Lose what is under way, and forget the state of the line."""
        self._life += 1
        self._wire.free(self.now_us)
        self._scene.agenda.stop_timers_of(LINE)
        self._line.reset()

    def _perform(self, outputs: list[LineOutput]) -> None:
        for output in outputs:
            if isinstance(output, Transmit):
                at_us = max(self.now_us, self._wire.heard_us + output.reaction_ms * 1000)
                self._put("line-out", output.octets, output.baud, at_us)
            elif isinstance(output, HangUp):
                self._hang_up(output)
            elif not isinstance(output, SetSpeed | SendDlms | CloseDlms):
                self._device.perform(output)  # speeds are asked for; this line is the only one
        self._set_deadline()

    def _put(self, link: str, octets: bytes, baud: int | None, at_us: int) -> None:
        """Put octets on the line; enter when they arrive, remember frames and faults."""
        inward = link == "line-in"
        for carried in self._wire.carry(link, octets, baud, at_us):
            self.records.count(self._device.role if inward else "reader", carried.label)
            self.records.frame(carried.start_us, link, carried.octets, carried.comment)
            for text in carried.faults:
                self._device.note(Note("fault", (("fault", text), ("frame", carried.label))))
            for due_us, arrived in carried.copies:
                kind = _IN if inward else _OUT
                self._scene.agenda.put(due_us, kind, LINE, (self._life, arrived))

    def _hang_up(self, order: HangUp) -> None:
        """The meter closes the connection; what it has sent before still arrives."""
        self._device.note(Note("line_hung_up", (("line", self._line.name), ("why", order.why))))
        if self._is_connection:
            self._perform(self._line.lost(self._scene.now))
            self.connected = False
            self._scene.agenda.stop_timers_of(LINE)
            self._attention()

    def _set_deadline(self) -> None:
        deadline_ms = self._line.deadline_ms
        if deadline_ms is None or not self.powered or not self.connected:
            self._scene.agenda.stop_timer(TIMER, LINE, _DEADLINE)
        else:
            due_us = max(deadline_ms * 1000, self.now_us)
            self._scene.agenda.start_timer(due_us, TIMER, LINE, _DEADLINE)

    # -- memory --------------------------------------------------------------------------------

    def _identity(self) -> dict[str, Any]:
        return {
            "seed": self._chance.seed,
            "faults": [fault.text for fault in self._scene.faults.ordered],
            "device": self.device.eui64.hex,
            "profile": self.device.profile.name,
            "framing": self._line.framing.value,
        }

    def idle_faults(self) -> tuple[str, ...]:
        """Return the texts of the run's faults that never happened so far."""
        return self._scene.faults.idle()

    def dump(self) -> bytes:
        """Return the whole state; a world that loads it goes on with the same octets."""
        return snapshot.pack(
            {
                "identity": self._identity(),
                "now_us": self.now_us,
                "powered": self.powered,
                "connected": self.connected,
                "life": self._life,
                "agenda": self._scene.agenda.dump(),
                "device": self.device.dump(),
                "line": self._line.dump(),
                "wire": self._wire.dump(),
                "received": list(self._received),
                "schedule": self._scene.faults.dump(),
                "chance": self._chance.dump(),
                "records": self.records.dump(),
            }
        )

    def load(self, octets: bytes) -> None:
        """Take over a dumped state; device, line, seed and faults must be those of the dump.

        Raises:
            SnapshotError: The octets are damaged or belong to another device, line, seed or faults.
        """
        state = snapshot.unpack(octets)
        if state["identity"] != self._identity():
            raise SnapshotError("the stored state belongs to another meter, line, seed or faults")
        self._line.load(state["line"])
        self.device.load(state["device"])
        self._scene.now_us, self._device.powered = state["now_us"], state["powered"]
        self.connected, self._life = state["connected"], state["life"]
        self._scene.agenda.load(state["agenda"])
        self._wire.load(state["wire"])
        self._received = deque(state["received"])
        self._scene.faults.load(state["schedule"])
        for name in {*self._chance.dump(), *state["chance"]}:
            self._chance.stream(name).position = state["chance"].get(name, 0)
        self.records.load(state["records"])


def _nobody() -> None:
    """Nobody waits."""
