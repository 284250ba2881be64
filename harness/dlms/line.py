"""One line from the reading end: sign-on, link, association and services, without I/O and clock.

Jobs, octets and the time go in; octets, speeds and the job's value come out. The owner of the line
writes what is to be written, hands over what it reads, and calls ``expire`` at ``deadline_ms``. All
times are milliseconds of one clock that never goes back. Every job ends: each wait has a deadline,
and a job as a whole has one.
"""

import enum
from collections import deque
from typing import Any, Final

from emulator.core.errors import IllegalEventError
from emulator.crypto.dlms_keys import SecurityKeys
from harness.dlms import dumping, jobs
from harness.dlms.association import Draw
from harness.dlms.carrier import Carrier, CarrierOutput, Gone, Heard, Stands
from harness.dlms.carrier_hdlc import HdlcCarrier
from harness.dlms.carrier_wrapper import WrapperCarrier
from harness.dlms.flows import (
    Connect,
    Disconnect,
    Event,
    Flow,
    Flows,
    Listen,
    Memory,
    Say,
    Sign,
    Wish,
)
from harness.dlms.jobs import Done, Job, Output, SetSpeed, Value, Write
from harness.dlms.opening import Opening, OpeningOutput, SignedOn
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Credentials, Silence

_CLOSED: Final = "the connection was closed"
_TOO_LONG: Final = "the job took longer than any may"
_GIVEN_UP: Final = "the job was given up"


class LineState(enum.Enum):
    """Where a line stands; the first four between jobs."""

    CLOSED = "no link"
    OPENED = "mode E stands, no link"
    LINKED = "the link stands, nobody is associated"
    ASSOCIATED = "an association stands"
    SIGNING_ON = "the sign-on is under way"
    CONNECTING = "the link is being opened"
    ASKING = "an APDU was sent, its answer is waited for"
    DISCONNECTING = "the link is being closed"


_BUSY: Final = {
    Say: LineState.ASKING,
    Listen: LineState.ASKING,
    Connect: LineState.CONNECTING,
    Disconnect: LineState.DISCONNECTING,
    Sign: LineState.SIGNING_ON,
}


class ReaderLine:
    """One line, one meter, one job at a time."""

    def __init__(self, settings: LineSettings, draw: Draw) -> None:
        """Make a line on which nothing was said yet.

        Args:
            settings: How the meter is spoken to.
            draw: Count -> so many octets of chance, for challenges and dedicated keys.
        """
        self._settings = settings
        self._memory = Memory()
        self._flows = Flows(settings, draw, self._memory)
        self._carrier: Carrier | None = None
        self._opening: Opening | None = None
        self._job: Job | None = None
        self._flow: Flow[Value] | None = None
        self._wish: Wish | None = None
        self._job_due_ms = 0
        self._now_ms = 0
        self._events: deque[Event] = deque()
        self._out: list[Output] = []

    @property
    def state(self) -> LineState:
        """Where the line stands."""
        if self._wish is not None:
            return _BUSY[type(self._wish)]
        if self._memory.session is not None:
            return LineState.ASSOCIATED
        if self._memory.linked is not None:
            return LineState.LINKED
        return LineState.CLOSED if self._memory.baud is None else LineState.OPENED

    @property
    def deadline_ms(self) -> int | None:
        """When ``expire`` is due; never None while a job is under way."""
        machine = self._opening or self._carrier
        due = None if machine is None else machine.deadline_ms
        if self._flow is None:
            return due
        return self._job_due_ms if due is None else min(due, self._job_due_ms)

    @property
    def wants_reopening(self) -> bool:
        """Whether the connection is of no more use: the owner closes it, and opens another."""
        broken = isinstance(self._carrier, WrapperCarrier) and self._carrier.is_broken
        return broken or self._memory.flush_due

    def resume_counter(self, keys: SecurityKeys, title: bytes, last_sent: int) -> None:
        """Go on after the counter that a meter says it has seen of ``title``; never back."""
        self._memory.counters.resume(keys.unicast, title, last_sent)

    def last_counter(self, keys: SecurityKeys, title: bytes) -> int:
        """Return the last counter this line has sent as ``title`` under these keys; 0 for none."""
        return self._memory.counters.sent(keys.unicast, title)

    # -- jobs ----------------------------------------------------------------------------------

    def begin(self, job: Job, now_ms: int) -> list[Output]:
        """Begin a job; it ends in ``Done``, perhaps at once.

        Raises:
            IllegalEventError: A job is under way.
            ValueError: Credentials lack what they need, or a value does not fit its format.
        """
        if self._flow is not None:
            raise IllegalEventError(f"a job began in state {self.state.name}")
        self.expire(now_ms)  # the link may have ended while nobody asked
        self._job, self._flow = job, self._flows.of(job)
        self._job_due_ms = now_ms + self._settings.job_timeout_ms
        self._now_ms = now_ms
        self._resume(None)
        return self._go_on()

    def receive(self, octets: bytes, now_ms: int) -> list[Output]:
        """Take octets of the line; what nobody waits for changes nothing."""
        self._now_ms = now_ms
        if self._opening is not None:
            self._take(self._opening.receive(octets, now_ms))
        elif self._carrier is not None:
            self._take(self._carrier.receive(octets, now_ms))
        out, due = self._go_on(), self.deadline_ms
        if due is not None and now_ms >= due:  # octets that never end must not put it off
            out += self.expire(now_ms)
        return out

    def silence(self, now_ms: int) -> list[Output]:
        """Note that the line was silent for a while: an unfinished frame stays so.

        The line asks for this itself through ``deadline_ms``; an owner may know it earlier.
        """
        self._now_ms = now_ms
        if self._carrier is not None and self._opening is None:
            self._take(self._carrier.silence(now_ms))
        return self._go_on()

    def expire(self, now_ms: int) -> list[Output]:
        """Note that time has passed; does nothing before ``deadline_ms``."""
        self._now_ms = now_ms
        if self._flow is not None and now_ms >= self._job_due_ms:
            return self._cut_short(Silence.NO_ANSWER, _TOO_LONG)
        machine = self._opening or self._carrier
        if machine is not None:
            self._take(machine.expire(now_ms))
        return self._go_on()

    def lost(self, now_ms: int) -> list[Output]:
        """Note that the connection is gone: port unplugged, peer hung up."""
        self._now_ms = now_ms
        had_link = self._memory.linked is not None
        out = self._cut_short(Silence.LINK_LOST, _CLOSED)
        if had_link and not out:
            self._memory.lost = _CLOSED
        self._memory.speed, self._memory.flush_due = None, False
        return out

    def abandon(self) -> None:
        """Give up the job under way, if one is; the next association opens the link anew."""
        if self._flow is not None:
            self._cut_short(Silence.NO_ANSWER, _GIVEN_UP)

    def _cut_short(self, why: Silence, detail: str) -> list[Output]:
        """End link and job, whatever they wait for."""
        job, self._job = self._job, None
        if self._flow is not None:
            self._flow.close()
        self._flow = self._wish = self._opening = self._carrier = None
        self._events.clear()
        self._memory.forget_link()
        self._memory.flush_due = self._settings.framing is Framing.WRAPPER
        out: list[Output] = [*self._out]
        self._out = []
        if job is not None:
            out.append(Done(jobs.failed(job, why, detail)))
        return out

    # -- between flow and line -----------------------------------------------------------------

    def _go_on(self) -> list[Output]:
        """Hand what has happened to the job, until it waits for the line again."""
        while self._events:
            event = self._events.popleft()
            self._note(event)
            if self._flow is not None:
                self._resume(event)
        out, self._out = self._out, []
        return out

    def _note(self, event: Event) -> None:
        match event:
            case Stands():
                if isinstance(self._wish, Connect):
                    self._memory.linked = self._wish.credentials
            case Gone():
                on_wrapper = self._settings.framing is Framing.WRAPPER
                self._memory.gone(event, told=self._flow is not None, on_wrapper=on_wrapper)
            case SignedOn():
                self._opening = None
                if event.report.answered:  # else HDLC may have the line still
                    self._memory.baud = event.baud

    def _resume(self, event: Event | None) -> None:
        flow = self._flow
        if flow is None:
            return
        self._wish = None
        try:
            self._wish = flow.send(event)  # type: ignore[arg-type]  # None starts a generator
            self._perform(self._wish)
        except StopIteration as stop:
            self._flow = self._job = None
            self._out.append(Done(stop.value))
        except BaseException:  # credentials or values that cannot be written down
            flow.close()
            self._flow = self._job = self._wish = None
            raise

    def _perform(self, wish: Wish) -> None:
        match wish:
            case Say(apdu):
                self._say(apdu)
            case Listen():
                if not self._events and self._carrier is not None:
                    self._take(self._carrier.listen(self._now_ms))
            case Connect(credentials, baud):
                self._carrier = self._new_carrier(credentials, baud)
                if baud is not None:
                    self._set_speed(baud)
                self._take(self._carrier.open(self._now_ms))
            case Disconnect():
                if self._carrier is not None:
                    self._take(self._carrier.close(self._now_ms))
            case Sign(read_out):
                self._opening = Opening(self._settings, read_out=read_out)
                self._take(self._opening.begin(self._now_ms))

    def _say(self, apdu: bytes) -> None:
        """Send an APDU; what came before it was asked is no answer to it."""
        left = [event for event in self._events if not isinstance(event, Heard)]
        self._events = deque(left)
        if not left and self._carrier is not None:
            self._take(self._carrier.send(apdu, self._now_ms))

    def _new_carrier(self, credentials: Credentials, baud: int | None) -> Carrier:
        if self._settings.framing is Framing.WRAPPER:
            return WrapperCarrier(self._settings, credentials)
        return HdlcCarrier(self._settings, credentials, baud)

    def _set_speed(self, baud: int) -> None:
        if baud != self._memory.speed:
            self._memory.speed = baud
            self._out.append(SetSpeed(baud))

    def _take(self, outputs: list[CarrierOutput] | list[OpeningOutput]) -> None:
        for output in outputs:
            match output:
                case Write():
                    self._out.append(output)
                case SetSpeed(baud):
                    self._set_speed(baud)
                case _:
                    self._events.append(output)

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return the line between two jobs as JSON-able data; it holds keys.

        Raises:
            IllegalEventError: A job is under way.
        """
        if self._flow is not None:
            raise IllegalEventError(f"a dump in state {self.state.name}")
        standing = self._carrier is not None and self._memory.linked is not None
        return {
            "memory": dumping.dump_memory(self._memory),
            "carrier": self._carrier.dump() if standing and self._carrier else None,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a ``dump`` of a line with the same settings; what was under way is forgotten.

        Raises:
            DumpedStateError: The state of the link cannot be read.
            KeyError: A part is missing.
        """
        self._cut_short(Silence.LINK_LOST, _GIVEN_UP)
        dumping.load_memory(self._memory, state["memory"])
        linked = self._memory.linked
        if state["carrier"] is not None and linked is not None:
            self._carrier = self._new_carrier(linked, self._memory.baud or self._settings.baud)
            self._carrier.load(state["carrier"])
