"""What is said on a line: the reading machine's wishes done on a port, and a lost port met."""

import threading
import time
from typing import Final

from emulator.crypto.dlms_keys import SecurityKeys
from harness.dlms.association import Draw
from harness.dlms.jobs import (
    AssociateJob,
    Done,
    Job,
    Output,
    ReleaseJob,
    SetSpeed,
    SignOnJob,
    Value,
    Write,
    failed,
)
from harness.dlms.line import ReaderLine
from harness.dlms.settings import LineSettings
from harness.meter import Silence, Unanswered
from hil.errors import LineClosedError, PortError, PortLostError
from hil.reopen import Cancelled, Reopener
from hil.serial_port import SerialPort

_LOST: Final = Unanswered(
    Silence.LINK_LOST, "the port went away and took the association with it: associate again"
)
#: A line without a deadline of its own is asked this often.
_IDLE_MS: Final = 1000
#: Jobs that begin anew, whatever was before.
_FRESH: Final = (AssociateJob, SignOnJob)
#: Jobs that end the association that stands.
_ENDING: Final = (AssociateJob, SignOnJob, ReleaseJob)


class Conversation:
    """One reading line on one port: jobs in, values out, each call until its end.

    A port that goes away raises in the job under way. The next job opens it again by what it is;
    the association is gone then, and jobs that need one say so until there is a new one.

    Attributes:
        generation: Grows whenever an association may have ended; what was learnt of the meter
            before is not known to hold after.
    """

    def __init__(
        self, port: SerialPort, settings: LineSettings, reopener: Reopener, draw: Draw
    ) -> None:
        """Take over an open port.

        Args:
            port: The line.
            settings: How the meter is spoken to.
            reopener: How the port is opened again.
            draw: Count -> so many octets of chance.
        """
        self.generation = 0
        self._port = port
        self._line = ReaderLine(settings, draw)
        self._reopener = reopener
        self._association_lost = False
        self._stop = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether the port is there, as far as was seen."""
        return self._port.is_open

    def perform(self, job: Job) -> Value:
        """Do a job.

        Raises:
            PortLostError: The port went away, or did not come back.
            PortError: The port fails in another way.
            Cancelled: ``stop`` was called.
        """
        self._association_lost &= not isinstance(job, _FRESH)
        self.generation += isinstance(job, _ENDING)
        try:
            self._ready()
            if self._association_lost:
                return _LOST
            return self._converse(self._line.begin(job, _now_ms()))
        except LineClosedError as closed:
            return self._hung_up(job, closed)
        except (PortError, Cancelled, KeyboardInterrupt) as error:
            if isinstance(error, PortLostError):
                self._line.lost(_now_ms())
            self._line.abandon()
            self._forget()
            raise

    def resume_counter(self, keys: SecurityKeys, title: bytes, last_sent: int) -> None:
        """Go on after an invocation counter that the meter says it has seen; never back."""
        self._line.resume_counter(keys, title, last_sent)

    def stop(self) -> None:
        """Have the job under way end soon, in ``Cancelled``; may be called from any thread."""
        self._stop.set()

    def resume(self) -> None:
        """Take back a ``stop``."""
        self._stop.clear()

    def close(self) -> None:
        """Let go of the port, without a word to the meter."""
        self._line.abandon()
        self._port.close()

    def _converse(self, outputs: list[Output]) -> Value:
        """Do what the line asks for, until the job has ended."""
        while True:
            for output in outputs:
                if isinstance(output, Write):
                    self._port.write(output.octets)
                elif isinstance(output, SetSpeed):
                    self._port.set_baud(output.baud)
                else:
                    return output.value
            outputs = self._hear()

    def _hear(self) -> list[Output]:
        due_ms = self._line.deadline_ms
        wait_ms = _IDLE_MS if due_ms is None else max(0, due_ms - _now_ms())
        octets = self._port.read(wait_ms / 1000, self._stop)
        if self._stop.is_set():
            raise Cancelled(self._port.identity)
        if octets:
            return self._line.receive(octets, _now_ms())
        return self._line.expire(_now_ms())

    def _ready(self) -> None:
        """Have the port open, and hand over what came while nobody asked.

        Raises:
            PortLostError: It is gone; or was, and did not come back.
        """
        if self._port.is_open:
            if self._line.wants_reopening and self._port.address.is_network:
                self._port.close()
            else:
                self._catch_up()
        if not self._port.is_open:
            self._line.lost(_now_ms())
            self.generation += 1
            self._port = self._reopener.reopen(self._stop)

    def _catch_up(self) -> None:
        """Take what came since the last job; a network line may have been closed by its peer."""
        try:
            octets = self._port.take()
        except LineClosedError:
            return
        if octets:
            self._line.receive(octets, _now_ms())

    def _hung_up(self, job: Job, closed: LineClosedError) -> Value:
        """Tell a meter that dropped the line from one that is gone.

        Who closes a connection and takes a new one at once is a meter that dropped its link, and
        that is an answer; where nobody takes it, the bench has lost its meter.
        """
        self.generation += 1
        ended = [item.value for item in self._line.lost(_now_ms()) if isinstance(item, Done)]
        try:
            self._port = self._reopener.once()
        except PortError:
            self._forget()
            raise closed from None
        # A job that had ended, but for what was to be sent last, has no other value any more.
        return ended[0] if ended else failed(job, Silence.LINK_LOST, closed.what)

    def _forget(self) -> None:
        self._association_lost = True
        self.generation += 1


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
