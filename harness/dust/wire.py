"""The capture of a run: frames as they crossed, in ``wire.pcapng``, as far as they say something.

Homes at rest poll their hubs all day long. Frames of the home area network are kept while parties
work at homes; what crosses the WAN is kept always.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from harness.ports import CapturedFrame
from harness.report.pcapng import PcapngWriter

CAPTURE: Final = "wire.pcapng"
_HAN: Final = "han"


class Wire:
    """Writes the capture; ``mark`` goes into the run's checkpoints.

    Attributes:
        path: The capture.
        mark: Its length at the last checkpoint, octets.
    """

    def __init__(self, folder: Path, mark: int | None = None) -> None:
        """Begin a capture, or go on behind a mark.

        Args:
            folder: The run folder.
            mark: Length that is vouched for; None begins anew.
        """
        self.path = folder / CAPTURE
        if mark is None:
            self.path.unlink(missing_ok=True)
        self._writer = PcapngWriter(self.path)
        if mark is not None:
            self._writer.truncate_to(mark)
        self.mark = self._writer.flush()

    def take(self, frames: Iterable[CapturedFrame], *, at_work: bool) -> None:
        """Append frames.

        Args:
            frames: What crossed.
            at_work: Whether anybody worked at a home meanwhile.
        """
        for frame in frames:
            if at_work or frame.link != _HAN:
                self._writer.write(frame)

    def settle(self) -> int:
        """Write everything out; returns the new mark."""
        self.mark = self._writer.flush()
        return self.mark

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
