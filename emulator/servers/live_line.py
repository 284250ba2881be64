"""One line of a served meter in real time: pacing, faults, silence, deadlines."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from emulator.core.effects import CloseDlms, Effect, Note, SendDlms
from emulator.core.fault_schedule import Frame
from emulator.servers.line_frames import FrameCutter, label_of, seal_of
from emulator.servers.line_parts import HangUp, LineOutput, SetSpeed, Transmit
from emulator.servers.meter_line import MeterLine
from emulator.servers.pacing import BITS_AN_OCTET, PacedQueue, line_seconds
from emulator.servers.served_meter import ServedMeter

#: Octets under way towards the meter before the client is made to wait.
MAX_PENDING_BYTES: Final = 4096
#: The same for octets under way to the client, which a client that asks without end would pile up.
MAX_PENDING_OUT_BYTES: Final = 0x10000
#: Silence after which an unfinished frame is given up, on a serial line.
#: Source: reference serial-dlms.md section 4.2 (25 ms or more); more, because a client on a busy
#: machine may pause between two writes of one frame.
SILENCE_S: Final = 0.05
#: The same on TCP, where a network may hold octets back. Source: invented.
TCP_SILENCE_S: Final = 0.5
_IN: Final = "line-in"
_OUT: Final = "line-out"
#: Octet times that are no silence yet at any speed. Source: invented.
_SILENT_OCTETS: Final = 3


@dataclass(frozen=True, slots=True)
class LineTiming:
    """How a line behaves in time.

    Attributes:
        pace: Fastest speed in bits a second; None: as fast as the computer.
        turn_round_s: Shortest time from the last octet heard to the first of an answer.
        keeps_reaction: Whether sign-on answers come no sooner than the meter's reaction time.
        silence_s: Pause after which an unfinished frame is given up.
    """

    pace: int | None = None
    turn_round_s: float = 0.0
    keeps_reaction: bool = False
    silence_s: float = SILENCE_S


class Sink(Protocol):
    """The transport of a line, from the meter's side."""

    def write(self, octets: bytes, baud: int | None) -> None:
        """Send octets to the client; ``baud`` is the speed they travel at."""
        ...

    def hold(self, *, on: bool) -> None:
        """Stop (or go on) taking octets of the client."""
        ...

    def hang_up(self, why: str) -> None:
        """Close the connection, if this is one."""
        ...

    def power_returned(self) -> None:
        """The meter was without power and is back."""
        ...


class LiveLine:
    """Moves octets between a transport and a ``MeterLine``, as a line of that speed does."""

    def __init__(self, meter: ServedMeter, line: MeterLine, sink: Sink, timing: LineTiming) -> None:
        """Attach a line to a meter."""
        self.line = line
        self._meter = meter
        self._sink = sink
        self._timing = timing
        self._loop: asyncio.AbstractEventLoop = meter.loop
        self._in = PacedQueue(self._loop, self._arrived)
        self._out = PacedQueue(self._loop, self._left)
        self._struck = meter.schedule.struck  # faults come and end while somebody is connected
        self._cutter = FrameCutter(line.framing)
        self._held = False
        self._heard_s = 0.0
        self._silence: asyncio.TimerHandle | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._late: set[asyncio.TimerHandle] = set()
        meter.attach(self)
        if meter.powered:
            line.begin(meter.clock.line_now())
            self._set_alarm()

    # -- from the transport --------------------------------------------------------------------

    def received(self, octets: bytes, bits_an_octet: int = BITS_AN_OCTET) -> None:
        """Take octets of the client."""
        if not self._meter.powered:
            return
        self._in.put(octets, self._pace(self.line.baud), bits_an_octet=bits_an_octet)
        crowded = self._out.pending_bytes > MAX_PENDING_OUT_BYTES
        if (crowded or self._in.pending_bytes > MAX_PENDING_BYTES) and not self._held:
            self._held = True
            self._sink.hold(on=True)

    def purge(self, *, towards_client: bool, towards_meter: bool) -> None:
        """Lose what is under way."""
        if towards_client:
            self._out.clear()
        if towards_meter:
            self._in.clear()
            self._release()

    def lost(self) -> None:
        """The connection is gone; the device is told."""
        self._perform(self.line.lost(self._meter.clock.line_now()))
        self.detach()

    def detach(self) -> None:
        """Leave the meter; nothing of this line happens any more."""
        self._forget()
        self._meter.detach(self)

    # -- from the meter ------------------------------------------------------------------------

    def perform(self, effect: Effect) -> None:
        """Do what the device ordered elsewhere, where it concerns this line."""
        if isinstance(effect, SendDlms | CloseDlms):
            self._perform(self.line.perform([effect], self._meter.clock.line_now()))

    def power_off(self) -> None:
        """The device has lost its supply: the line is dead, the connection does not know."""
        self.line.reset()
        self._forget()

    def power_on(self) -> None:
        """The device has its supply again."""
        self.line.begin(self._meter.clock.line_now())
        self._set_alarm()
        self._sink.power_returned()

    def _forget(self) -> None:
        self._in.clear()
        self._out.clear()
        self._cutter.clear()
        for handle in (self._silence, self._alarm, *self._late):
            if handle is not None:
                handle.cancel()
        self._silence = self._alarm = None
        self._late.clear()
        self._release()

    def _relax(self) -> None:
        """Go on listening to a client that was made to wait, once half of what waits is gone."""
        few_in = self._in.pending_bytes < MAX_PENDING_BYTES // 2
        if few_in and self._out.pending_bytes < MAX_PENDING_OUT_BYTES // 2:
            self._release()

    def _release(self) -> None:
        if self._held:
            self._held = False
            self._sink.hold(on=False)

    # -- inwards -------------------------------------------------------------------------------

    def _arrived(self, octets: bytes, _baud: int | None) -> None:
        """Octets have come to the meter's end of the line."""
        self._heard_s = self._loop.time()
        if self._held:
            self._relax()
        if _IN in self._struck:
            self._through_faults(self._cutter.feed(octets))
        else:  # what waited for a fault that has ended goes on with what comes now
            self._hear(b"".join((*self._cutter.flush(), octets)))
        self._watch_silence()

    def _through_faults(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            for delay_s, octets in self._crossed(_IN, piece):
                self._later(delay_s, octets, self._hear)

    def _hear(self, octets: bytes) -> None:
        self._perform(self.line.receive(octets, self._meter.clock.line_now()))

    def _watch_silence(self) -> None:
        if self._silence is None and self._unfinished:
            self._silence = self._loop.call_later(self._silence_s, self._was_silent)

    @property
    def _unfinished(self) -> int:
        return self._cutter.kept_bytes + self.line.kept_bytes

    @property
    def _silence_s(self) -> float:
        pace = self._pace(self.line.baud)
        octets_s = 0.0 if pace is None else line_seconds(_SILENT_OCTETS, pace)
        return max(self._timing.silence_s, octets_s)

    def _was_silent(self) -> None:
        """Perhaps the line was silent: only if nothing came since, and nothing is under way."""
        self._silence = None
        left_s = self._heard_s + self._silence_s - self._loop.time()
        if left_s > 0 or self._in.pending_bytes:
            wait_s = max(left_s, self._silence_s / 2)
            self._silence = self._loop.call_later(wait_s, self._was_silent)
            return
        self._through_faults(self._cutter.flush())
        self._perform(self.line.silence(self._meter.clock.line_now()))

    # -- outwards ------------------------------------------------------------------------------

    def _perform(self, outputs: list[LineOutput]) -> None:
        for output in outputs:
            if isinstance(output, Transmit):
                self._transmit(output)
            elif isinstance(output, HangUp):
                self._meter.note(
                    Note("line_hung_up", (("line", self.line.name), ("why", output.why)))
                )
                self._sink.hang_up(output.why)
            elif not isinstance(output, SetSpeed):  # the speed is asked for when it is needed
                self._meter.perform(output, self)
        self._set_alarm()

    def _transmit(self, order: Transmit) -> None:
        wait_s = self._timing.turn_round_s
        if self._timing.keeps_reaction:
            wait_s = max(wait_s, order.reaction_ms / 1000)
        not_before = self._heard_s + wait_s if wait_s else 0.0
        pace = self._pace(order.baud)
        if _OUT not in self._struck:
            self._out.put(order.octets, pace, mark=order.baud, not_before=not_before)
            return
        for delay_s, octets in self._crossed(_OUT, order.octets):
            late = max(not_before, self._loop.time() + delay_s) if delay_s else not_before
            self._out.put(octets, pace, mark=order.baud, not_before=late)

    def _left(self, octets: bytes, baud: int | None) -> None:
        """Octets have come to the client's end of the line."""
        self._sink.write(octets, baud)
        if self._held:
            self._relax()

    def _pace(self, baud: int | None) -> int | None:
        limit = self._timing.pace
        return limit if limit is None or baud is None else min(limit, baud)

    def _crossed(self, link: str, piece: bytes) -> list[tuple[float, bytes]]:
        """Send a frame through the faults of a link; return what comes out, and how late."""
        framing, role = self.line.framing, self._meter.role
        label = label_of(framing, piece)
        ends = ("", role) if link == _IN else (role, "")
        seal = seal_of(framing, piece)
        frame = Frame(link, piece, label, *ends)
        crossing = self._meter.schedule.cross(frame, seal.check_bytes, seal.put)
        for text in crossing.faults:
            self._meter.note(Note("fault", (("fault", text), ("frame", label))))
        return [(copy.delay_us / 1_000_000, copy.frame) for copy in crossing.copies]

    # -- time ----------------------------------------------------------------------------------

    def _later(self, delay_s: float, octets: bytes, call: Callable[[bytes], None]) -> None:
        if not delay_s:
            call(octets)
            return

        def now() -> None:
            self._late.discard(handle)
            call(octets)

        handle = self._loop.call_later(delay_s, now)
        self._late.add(handle)

    def _set_alarm(self) -> None:
        """Be woken when the line's deadline has come; an alarm that is set earlier stays."""
        deadline_ms = self.line.deadline_ms
        if deadline_ms is None or not self._meter.powered:
            return
        due = self._meter.clock.line_loop_time(deadline_ms)
        if self._alarm is not None:
            if self._alarm.when() <= due:
                return
            self._alarm.cancel()
        self._alarm = self._loop.call_at(due, self._woken)

    def _woken(self) -> None:
        self._alarm = None
        self._perform(self.line.expire(self._meter.clock.line_now()))
