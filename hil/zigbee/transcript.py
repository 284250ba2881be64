"""The line to a dongle as a pair of files: every octet both ways, but those of keys.

The files are those of a meter's line (`harness.transcript_file`): ``NAME.pcapng`` with the octets,
their moments and what befell the line, ``NAME.toml`` with what it is and its hash. A tap cuts the
octets at ASH's flags and hands them to a `Redactor`; all but keys stands as it crossed the line.
So the files may leave the bench, and still play the dongle (`hil.zigbee.replay`).
"""

import hashlib
import threading
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, Final

from emulator.codecs.ezsp import ash
from emulator.codecs.ezsp.ash import DataFrame
from emulator.codecs.ezsp.ash_octets import CANCEL, FLAG, XOFF, XON, unstuff
from emulator.core.clock import UtcMs, iso
from emulator.core.errors import MalformedFrameError
from harness.dlms_view.line import Way
from harness.errors import BenchError, UsageError
from harness.report import pcapng_blocks as blocks
from harness.transcript import Chunk, EventKind, EventValue, LineEvent, Record, Transcript
from harness.transcript_about import DONGLE, About, Masked
from harness.transcript_file import header_of, load, packet_of, pcapng_of, read_records, toml_of
from hil import wall_clock
from hil.tap import Direction, Fields
from hil.zigbee.redaction import Redactor

_PRIVATE: Final = 0o600
_PLACES: Final = frozenset({"url", "node", "what"})
_MS: Final = 1_000_000
_SPEED_MARKS: Final = bytes((XON, XOFF))
#: Octets that wait at most for a flag: far more than the longest frame.
_MAX_HELD_BYTES: Final = 4096
_TOOLS: Final = ("smetsbench", "bellows", "zigpy")


def data_frame(part: bytes) -> DataFrame | None:
    """Return the data frame that octets up to a flag are, or None."""
    last = part.rpartition(bytes((CANCEL,)))[2].rstrip(bytes((FLAG,)))
    body = unstuff(last.translate(None, _SPEED_MARKS))
    if not body:
        return None
    try:
        frame = ash.decode(body)
    except MalformedFrameError:
        return None
    return frame if isinstance(frame, DataFrame) else None


class DongleTranscript:
    """A `hil.tap.Tap` that writes a dongle's line to a pair of files; its owner alone reads them.

    A transcript that is there already goes on: a run has one, whatever number of scenarios it
    plays and however often it is resumed. An error of writing is kept and raised by ``finish``,
    because a tap must not break the line it listens to.

    Attributes:
        path: The file of octets.
    """

    def __init__(
        self,
        name: Path,
        about: About | None = None,
        *,
        secrets: Iterable[bytes] = (),
        clear: bool = False,
    ) -> None:
        """Make the files, or open them to go on.

        Args:
            name: Where to, without ending.
            about: What is known of the dongle.
            secrets: Further keys that may cross the line.
            clear: Keep keys as they crossed the line.

        Raises:
            UsageError: A file cannot be made, or is something else.
        """
        self.path = pcapng_of(name)
        self._redactor = None if clear else Redactor(secrets)
        self._version = 0
        self._held: dict[Way, bytearray] = {way: bytearray() for way in Way}
        self._offset_ns = wall_clock.now() * _MS - time.monotonic_ns()
        self._lock = threading.Lock()
        self._failed: OSError | None = None
        self._file: BinaryIO
        self._about = (about or About()).model_copy(
            update={
                "line": DONGLE,
                "keys_in_clear": clear,
                "tools": {one: version(one) for one in _TOOLS},
                "started_at": iso(UtcMs(wall_clock.now())),
            }
        )
        try:
            self._open()
        except OSError as error:
            raise UsageError(
                "the transcript of the dongle's line cannot be written",
                where=str(self.path),
                cause=error.strerror or str(error),
                next_command="choose another folder",
            ) from error
        self._about.write(toml_of(self.path))

    def _open(self) -> None:
        if not self.path.is_file() or not toml_of(self.path).is_file():
            self.path.touch(_PRIVATE)
            self.path.chmod(_PRIVATE)
            self._file = self.path.open("wb")
            self._file.write(header_of(("dongle",), "a dongle's line; inbound is towards it"))
            return
        before = About.read(toml_of(self.path))
        if before.line != DONGLE:
            raise UsageError("there is another capture already", where=str(self.path))
        self._about = self._about.model_copy(
            update={
                "started_at": before.started_at,
                "masked": before.masked,
                "ezsp": before.ezsp,
                "keys_in_clear": before.keys_in_clear or self._about.keys_in_clear,
            }
        )
        self._file = self.path.open("r+b")
        blocks.interfaces(self.path, self._file)
        end = self._file.tell()
        for end, _body in blocks.packets(self.path, self._file):  # noqa: B007 - the last one counts
            continue
        self._file.seek(end)
        self._file.truncate()

    def session(self) -> None:
        """Note that host and dongle begin anew: another scenario, or a resumed run."""
        self._write(LineEvent(wall_clock.now() * _MS, EventKind.SESSION))

    def watch(self, secrets: Iterable[bytes]) -> None:
        """Look for further keys in what is written from here on."""
        if self._redactor is not None:
            self._redactor.watch(secrets)

    def chunk(self, direction: Direction, octets: bytes, at_ns: int) -> None:
        """Take octets; what is no whole frame yet waits for its rest."""
        way = Way(direction)
        held = self._held[way]
        held += octets
        while (end := held.find(FLAG)) >= 0:
            self._take(way, bytes(held[: end + 1]), at_ns)
            del held[: end + 1]
        if len(held) > _MAX_HELD_BYTES:
            self._rest(way, at_ns)

    def event(self, kind: str, fields: Fields, at_ns: int) -> None:
        """Take something that befell the line; what was cut off by it is written before it."""
        for way in Way:
            self._rest(way, at_ns)
        told: dict[str, EventValue] = {
            name: value for name, value in fields.items() if name not in _PLACES
        }
        self._write(LineEvent(at_ns + self._offset_ns, EventKind(kind), told))

    def finish(self) -> About:
        """Close the files, with the hash of the octets; once closed, nothing more is written.

        Raises:
            BenchError: Something could not be written.
        """
        for way in Way:
            self._rest(way, time.monotonic_ns())
        try:
            with self._lock:
                if not self._file.closed:
                    self._file.close()
                    self._conclude()
        except OSError as error:
            self._failed = self._failed or error
        if self._failed is not None:
            raise BenchError(
                "the transcript of the dongle's line cannot be written: "
                f"{self._failed.strerror or self._failed}",
                where=str(self.path),
                cause="a full disk",
                next_command=f"df {self.path.parent}",
            ) from self._failed
        return self._about

    def _conclude(self) -> None:
        redactor = self._redactor
        found = dict.fromkeys((one.what for one in self._about.masked), 0)
        found |= {one.what: one.times for one in self._about.masked}
        for what, times in () if redactor is None else redactor.found.items():
            found[what] = found.get(what, 0) + times
        told = self._version if redactor is None else redactor.version
        self._about = self._about.model_copy(
            update={
                "ezsp": told or self._about.ezsp,
                "masked": tuple(Masked(what=one, client=0, times=n) for one, n in found.items()),
                "complete": True,
                "sha256": hashlib.sha256(self.path.read_bytes()).hexdigest(),
            }
        )
        self._about.write(toml_of(self.path))

    def _rest(self, way: Way, at_ns: int) -> None:
        part = bytes(self._held[way])
        self._held[way].clear()
        if part:
            self._take(way, part, at_ns)

    def _take(self, way: Way, part: bytes, at_ns: int) -> None:
        if self._redactor is None:
            self._hear(way, part)
        else:
            part = self._redactor.redacted(way, part)
        self._write(Chunk(at_ns + self._offset_ns, way, part))

    def _hear(self, way: Way, part: bytes) -> None:
        """Learn the version from the first answer to ``version``."""
        if way is Way.OUT and not self._version:
            frame = data_frame(part)
            if frame is not None and len(frame.payload) == 7 and not frame.payload[2]:
                self._version = frame.payload[3]

    def _write(self, record: Record) -> None:
        with self._lock:
            if self._file.closed or self._failed is not None:
                return
            try:
                self._file.write(packet_of(record))
            except OSError as error:
                self._failed = error


def is_dongle(transcript: Transcript) -> bool:
    """Say whether a transcript is of a dongle's line."""
    return transcript.about.line == DONGLE


def load_dongle(name: Path) -> Transcript:
    """Read the transcript of a dongle's line, by the name of either file or without ending.

    Raises:
        UsageError: There is none, it was changed, or it is of a meter's line.
    """
    found = load(name)
    if is_dongle(found):
        return found
    raise UsageError(
        "this is a transcript of a meter's line, and none of a dongle's",
        where=str(pcapng_of(name)),
        cause="a mistyped name",
        next_command="smetsbench run ID --bench FILE   (a dongle's is dongle.pcapng in its folder)",
    )


def read(path: Path) -> tuple[Chunk, ...]:
    """Return the octets of a transcript, in order.

    Raises:
        UsageError: It is no such file.
    """
    _channels, records = read_records(path)
    return tuple(one for one in records if isinstance(one, Chunk))
