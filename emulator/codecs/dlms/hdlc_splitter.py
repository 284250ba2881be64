"""Finding HDLC frames in a stream of octets that arrives in any pieces, with noise between."""

from typing import Final

from emulator.codecs.dlms import hdlc
from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.dlms.hdlc import Frame
from emulator.core.errors import MalformedFrameError

_LONGEST_HEADER: Final = 1 + 2 + 4 + 4 + 1 + 2  # flag, format, two addresses, control, check
#: A closing flag and the longest frame: no more is ever kept between two calls.
MAX_KEPT_BYTES: Final = hdlc.MAX_BODY_BYTES + 2
_DUMPED: Final = frozenset({"refused", "dropped_bytes", "kept"})


class FrameSplitter:
    """Keeps what may become a frame, drops what cannot, and returns the frames that check.

    A false header in noise can announce up to 2047 octets. Its header check gives most of them
    away at once; a frame without one is only given away by its length not coming true, so the
    owner of the line calls ``silence`` when nothing came for a while (25 ms will do at 300 baud
    and above, reference serial-dlms.md section 4.2).

    Attributes:
        refused: Frames found whole whose check sequence or content was wrong.
        dropped_bytes: Octets that belonged to no good frame.
    """

    def __init__(self) -> None:
        self.refused = 0
        self.dropped_bytes = 0
        self._kept = bytearray()

    @property
    def kept_bytes(self) -> int:
        """Octets that wait for the rest of their frame."""
        return len(self._kept)

    def feed(self, octets: bytes) -> list[Frame]:
        """Take more octets of the line; return the frames they complete, in order."""
        frames: list[Frame] = []
        for start in range(0, len(octets), MAX_KEPT_BYTES):
            self._kept += octets[start : start + MAX_KEPT_BYTES]
            self._scan(frames)
        return frames

    def silence(self) -> list[Frame]:
        """Give up what waits: nothing more of it will come.

        Returns:
            Good frames that stood behind a false header.
        """
        frames: list[Frame] = []
        while len(self._kept) > 1:
            self._drop(1)
            self._scan(frames)
        self._kept.clear()  # a flag alone is no loss
        return frames

    def dump(self) -> State:
        """Return the counters and what waits, as JSON-able data."""
        return {
            "refused": self.refused,
            "dropped_bytes": self.dropped_bytes,
            "kept": self._kept.hex(),
        }

    def load(self, state: Json, path: str = "splitter") -> None:
        """Take over a ``dump``.

        Raises:
            DumpedStateError: A value is missing, mistyped or too long; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        refused, dropped = dumped.number("refused"), dumped.number("dropped_bytes")
        self._kept = bytearray(dumped.octets("kept", MAX_KEPT_BYTES))
        self.refused, self.dropped_bytes = refused, dropped

    def _scan(self, frames: list[Frame]) -> None:
        """Take every frame out of what is kept; leave what may still become one."""
        kept = self._kept
        at = 0
        while True:
            flag = kept.find(hdlc.FLAG, at)
            if flag < 0:
                self._note(len(kept) - at)
                kept.clear()
                return
            self._note(flag - at)
            at = flag
            end = _end(kept, at)
            if end == 0:  # not known yet
                del kept[:at]
                return
            frame = self._read(bytes(kept[at:end])) if end > 0 else None
            if frame is None:  # this flag opened nothing
                if kept[at + 1] != hdlc.FLAG:
                    self._note(1)
                at += 1
                continue
            frames.append(frame)
            at = end - 1  # the closing flag may open the next frame

    def _read(self, octets: bytes) -> Frame | None:
        try:
            return hdlc.decode(octets)
        except MalformedFrameError:
            self.refused += 1
            return None

    def _drop(self, count: int) -> None:
        del self._kept[:count]
        self._note(count)

    def _note(self, count: int) -> None:
        self.dropped_bytes += count


def _end(kept: bytearray, at: int) -> int:
    """Return where the frame at ``at`` ends; 0 when that is not known yet, -1 when it is none."""
    left = len(kept) - at
    if left < 3:
        return 0 if left == 1 or kept[at + 1] & 0xF0 == 0xA0 else -1
    if kept[at + 1] & 0xF0 != 0xA0:
        return -1
    size = (kept[at + 1] & 0x07) << 8 | kept[at + 2]
    if size < hdlc.MIN_BODY_BYTES:
        return -1
    end = at + size + 2
    if end <= len(kept):
        return end if kept[end - 1] == hdlc.FLAG else -1
    return 0 if _header_may_stand(bytes(kept[at : at + _LONGEST_HEADER]), size) else -1


def _header_may_stand(start: bytes, size: int) -> bool:
    """Say whether the first octets of an unfinished frame can be those of a good one."""
    at = 3
    for _address in range(2):
        length = hdlc.address_size(start, at)
        if length == 0:
            return len(start) - at < 4
        if length == 3:
            return False
        at += length
    check_end = at + 3
    if size + 1 <= check_end + 2:  # too short for information: nothing to check before the end
        return True
    return len(start) < check_end or hdlc.is_intact(start[1:check_end])
