"""Cuts one direction of a line into pieces: HDLC frames, wrapper frames, and what is neither."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import hdlc, wrapper
from emulator.codecs.dlms.hdlc import Frame
from emulator.codecs.dlms.wrapper import WrapperFrame
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick
from harness.dlms.settings import Framing


@quick
@dataclass(frozen=True, slots=True)
class Piece:
    """A part of what crossed in one direction.

    Attributes:
        start: Offset of its first octet in all that crossed in this direction.
        octets: As they crossed.
        frame: What they are; None for text, noise and what does not check.
    """

    start: int
    octets: bytes
    frame: Frame | WrapperFrame | None = None

    @property
    def end(self) -> int:
        """Offset behind its last octet."""
        return self.start + len(self.octets)


_SHORTEST: Final = hdlc.MIN_BODY_BYTES + 2
#: Beginning and end of a line of the sign-on, even parity on top; and how long one may be.
_SLASH: Final = 0xAF
_LINE_END: Final = b"\x8d\x0a"
_LONGEST_LINE: Final = 40


class Scanner:
    """Takes octets as they come and says which pieces they make; keeps what is not yet whole.

    Every octet ends in exactly one piece, but for a flag that closes one HDLC frame and opens the
    next: it belongs to both.

    Attributes:
        wrapped: Whether the line carries the wrapper; None until the first octets show it.
    """

    def __init__(self, framing: Framing | None = None) -> None:
        """Make a scanner; without ``framing`` the first two octets decide (0001: wrapper)."""
        self.wrapped = None if framing is None else framing is Framing.WRAPPER
        self._kept = bytearray()
        self._base = 0  # offset of the first octet kept
        self._told = 0  # offset behind the last octet that is in a piece

    @property
    def pending_bytes(self) -> int:
        """Octets that wait for the rest of their frame; a lone closing flag counts for nothing."""
        return self._base + len(self._kept) - max(self._told, self._base)

    def feed(self, octets: bytes) -> list[Piece]:
        """Take more octets; return the pieces they complete, in order."""
        self._kept += octets
        return self._cut(final=False)

    def end(self) -> list[Piece]:
        """Give up what waits: nothing more comes (or nothing for a while)."""
        pieces = self._cut(final=True)
        self._forget(len(self._kept))
        return pieces

    def _cut(self, *, final: bool) -> list[Piece]:
        if self.wrapped is None and (len(self._kept) >= 2 or final):
            self.wrapped = self._kept[:2] == b"\x00\x01"
        if self.wrapped is None:
            return []
        return self._wrapper(final=final) if self.wrapped else self._hdlc(final=final)

    def _hdlc(self, *, final: bool) -> list[Piece]:
        pieces: list[Piece] = []
        kept, at, loose = self._kept, 0, 0
        while at < len(kept):
            size = _hdlc_bytes(kept, at) if kept[at] == hdlc.FLAG else -1
            if (size == 0 or at + size > len(kept)) and not final:
                break
            frame = _hdlc_frame(bytes(kept[at : at + size])) if size > 0 else None
            if frame is None:
                at += 1
                continue
            self._loose(pieces, loose, at)
            pieces.append(self._piece(at, at + size, frame))
            at += size - 1  # the closing flag may open the next frame
            loose = at + 1
        self._loose(pieces, loose, at)
        self._forget(at)
        return pieces

    def _wrapper(self, *, final: bool) -> list[Piece]:
        pieces: list[Piece] = []
        kept, at = self._kept, 0
        while at < len(kept):
            head = bytes(kept[at : at + wrapper.HEADER_BYTES])
            size = wrapper.HEADER_BYTES + int.from_bytes(head[6:8], "big")
            broken = not b"\x00\x01".startswith(head[:2])
            if not broken and (len(head) < wrapper.HEADER_BYTES or at + size > len(kept)):
                if not final:
                    break
                broken = True
            end = len(kept) if broken else at + size
            frame = None if broken else wrapper.decode(bytes(kept[at:end]))
            pieces.append(self._piece(at, end, frame))
            at = end
        self._forget(at)
        return pieces

    def _loose(self, pieces: list[Piece], start: int, end: int) -> None:
        """Make a piece of octets that are no frame, without those told before."""
        start = max(start, self._told - self._base)
        if start < end:
            pieces.append(self._piece(start, end, None))

    def _piece(self, start: int, end: int, frame: Frame | WrapperFrame | None) -> Piece:
        self._told = self._base + end
        return Piece(self._base + start, bytes(self._kept[start:end]), frame)

    def _forget(self, count: int) -> None:
        del self._kept[:count]
        self._base += count


def _hdlc_bytes(kept: bytearray, at: int) -> int:
    """Return how long the frame at ``at`` says it is; 0 when not known yet, -1 when it is none."""
    if len(kept) - at < 3:
        return 0 if len(kept) - at == 1 or kept[at + 1] & 0xF0 == 0xA0 else -1
    if kept[at + 1] & 0xF0 != 0xA0 or _is_sign_on(kept, at + 1):
        return -1
    size = ((kept[at + 1] & 0x07) << 8 | kept[at + 2]) + 2
    if size < _SHORTEST or (at + size <= len(kept) and kept[at + size - 1] != hdlc.FLAG):
        return -1
    return size


def _is_sign_on(kept: bytearray, at: int) -> bool:
    """Say whether an IEC 62056-21 line stands at ``at``: ``/`` with even parity looks like a frame.

    After a link has ended its last flag stays behind, and the next sign-on would be read as a
    frame of some 1,850 octets.
    """
    if kept[at] != _SLASH:
        return False
    end = kept.find(_LINE_END, at, at + _LONGEST_LINE)
    return end > 0 and all(octet.bit_count() % 2 == 0 for octet in kept[at:end])


def _hdlc_frame(octets: bytes) -> Frame | None:
    try:
        return hdlc.decode(octets)
    except MalformedFrameError:
        return None


def pieces_of(octets: bytes, framing: Framing | None = None) -> list[Piece]:
    """Return all pieces of one direction at once."""
    scanner = Scanner(framing)
    return scanner.feed(octets) + scanner.end()
