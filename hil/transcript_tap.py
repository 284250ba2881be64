"""A tap on one line that writes a transcript while the line is used."""

import threading
import time
from typing import Final

from harness.dlms_view.line import Way
from harness.errors import HarnessError
from harness.transcript import Chunk, EventKind, EventValue, LineEvent, Record
from harness.transcript_file import TranscriptWriter
from hil import wall_clock
from hil.tap import Direction, Fields

#: Fields of events that tell where the bench is, not what happened; they stay on the bench.
_PLACES: Final = frozenset({"url", "node", "what"})
_MS: Final = 1_000_000


class TranscriptTap:
    """Writes what crosses a port, and what befalls it, to a transcript.

    The wall clock is read once; moments are counted on from there, so they never go back. An
    error of writing (a secret in clear, a full disk) is kept and raised by ``check``: a tap must
    not break the line it listens to.

    Attributes:
        records: Number of records taken.
    """

    def __init__(self, writer: TranscriptWriter, channel: int = 0) -> None:
        """Write to one channel of a transcript."""
        self.records = 0
        self._writer = writer
        self._channel = channel
        self._offset_ns = wall_clock.now() * _MS - time.monotonic_ns()
        self._failed: HarnessError | OSError | None = None
        self._lock = threading.Lock()

    def chunk(self, direction: Direction, octets: bytes, at_ns: int) -> None:
        """Take octets that crossed the port in one go."""
        self._take(Chunk(at_ns + self._offset_ns, Way(direction), octets, self._channel))

    def event(self, kind: str, fields: Fields, at_ns: int) -> None:
        """Take something that befell the port; where the port is does not go into the file."""
        told: dict[str, EventValue] = {
            name: value for name, value in fields.items() if name not in _PLACES
        }
        moment = at_ns + self._offset_ns
        self._take(LineEvent(moment, EventKind(kind), told, self._channel))

    def session(self) -> None:
        """Note that client and device begin anew, as for another scenario."""
        self._take(LineEvent(wall_clock.now() * _MS, EventKind.SESSION, {}, self._channel))

    def check(self) -> None:
        """Raise what went wrong in writing, if anything did.

        Raises:
            HarnessError: A secret in clear, or a file that cannot be written.
        """
        if isinstance(self._failed, HarnessError):
            raise self._failed
        if self._failed is not None:
            raise HarnessError(
                f"the capture cannot be written: {self._failed.strerror or self._failed}",
                where=str(self._writer.path),
                cause="a full disk",
                next_command=f"df {self._writer.path.parent}",
            ) from self._failed

    def _take(self, record: Record) -> None:
        with self._lock:
            self.records += 1
            if self._failed is not None:
                return
            try:
                self._writer.write(record)
            except (HarnessError, OSError) as error:
                self._failed = error
