"""Frames of some installations of a migration run, in one capture file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from harness.migration.volume_journal import VolumeJournal
from harness.ports import CapturedFrame
from harness.report.pcapng import PcapngWriter
from harness.run_folder import RunFolder

#: A frame as it comes from a worker: fields of ``CapturedFrame`` in their order.
Row = tuple[int, str, bytes, str]


@dataclass(slots=True)
class Capture:
    """``wire.pcapng`` of a migration run; the frames of one installation stand together.

    Attributes:
        frames: How many frames it holds.
    """

    _writer: PcapngWriter
    frames: int

    @classmethod
    @contextmanager
    def open(cls, folder: RunFolder, journal: VolumeJournal) -> Iterator[Self]:
        """Open the capture, cut back to what the journal vouches for."""
        path, end = folder.file("capture"), journal.capture_end()
        if end is None:
            path.unlink(missing_ok=True)
        with PcapngWriter(path) as writer:
            if end is not None:
                writer.truncate_to(end[0])
            yield cls(writer, 0 if end is None else end[1])

    def take(self, ref: str, rows: Sequence[Row]) -> tuple[int, int]:
        """Append an installation's frames, each with its ref; returns length and frames so far."""
        named = f"installation {ref}"
        for at_us, link, octets, comment in rows:
            told = f"{named}; {comment}" if comment else named
            self._writer.write(CapturedFrame(at_us, link, octets, told))
            self.frames += 1
        return self._writer.flush(), self.frames
