"""The DLMS wrapper for TCP and UDP: eight octets before each APDU."""

from dataclasses import dataclass
from struct import Struct, error
from typing import Final

import construct as c

from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick

LAYER: Final = "dlms.wrapper"
#: Registered TCP and UDP port.
PORT: Final = 4059
VERSION: Final = 1
HEADER_BYTES: Final = 8
MAX_APDU_BYTES: Final = 0xFFFF

_HEADER: Final = Struct(">HHHH")
_DUMPED: Final = frozenset({"kept", "broken"})
_BROKEN: Final = frozenset({"header", "why", "offset"})
#: The declaration; a test holds the fast path to it.
DECLARATION: Final = c.Struct(
    "version" / c.Const(VERSION, c.Int16ub),
    "source" / c.Int16ub,
    "destination" / c.Int16ub,
    "length" / c.Rebuild(c.Int16ub, c.len_(c.this.apdu)),
    "apdu" / c.Bytes(c.this.length),
    c.Terminated,
)


@quick
@dataclass(frozen=True, slots=True)
class WrapperFrame:
    """One APDU with its ports.

    Attributes:
        source: Wrapper port of the sender: client SAP or logical device, 16 bits.
        destination: Wrapper port of the receiver.
        apdu: The APDU.
    """

    source: int
    destination: int
    apdu: bytes


def decode(data: bytes) -> WrapperFrame:
    """Read one frame that fills ``data``, as a UDP datagram does.

    Raises:
        MalformedFrameError: Another version, or the length is not that of the rest.

    Source:
        IEC 62056-47 (wrapper header: version 0001, source, destination, length; all big-endian);
        reference serial-dlms.md section 3.2.
    """
    if len(data) < HEADER_BYTES:
        raise MalformedFrameError(LAYER, data, f"8 octets wanted, {len(data)} there", len(data))
    version, source, destination, length = _HEADER.unpack_from(data)
    if version != VERSION:
        raise MalformedFrameError(LAYER, data, f"version {version} is not 1", 0)
    if length != len(data) - HEADER_BYTES:
        present = len(data) - HEADER_BYTES
        raise MalformedFrameError(LAYER, data, f"{length} octets announced, {present} present", 6)
    return WrapperFrame(source, destination, data[HEADER_BYTES:])


def encode(frame: WrapperFrame) -> bytes:
    """Write one frame.

    Raises:
        ValueError: A port or the length does not fit 16 bits.
    """
    apdu = frame.apdu
    try:
        return _HEADER.pack(VERSION, frame.source, frame.destination, len(apdu)) + apdu
    except error:
        values = (frame.source, frame.destination, len(apdu))
        wrong = next(value for value in values if not 0 <= value <= 0xFFFF)
        raise ValueError(f"{LAYER}: {wrong} does not fit 16 bits") from None


class WrapperSplitter:
    """Cuts a TCP stream into frames.

    A stream has no mark to find the next frame by, so the first wrong header ends it: the owner
    closes the connection when ``broken`` is set. Octets after that are ignored.

    Attributes:
        broken: What was wrong, or None.
    """

    def __init__(self, max_apdu_bytes: int = MAX_APDU_BYTES) -> None:
        """Make a splitter that keeps one frame of ``max_apdu_bytes`` at most."""
        self.broken: MalformedFrameError | None = None
        self._limit = max_apdu_bytes
        self._kept = bytearray()

    @property
    def kept_bytes(self) -> int:
        """Octets that wait for the rest of their frame."""
        return len(self._kept)

    def feed(self, octets: bytes) -> list[WrapperFrame]:
        """Take more octets; return the frames they complete, in order."""
        if not self._kept and self.broken is None and len(octets) >= HEADER_BYTES:
            version, source, destination, length = _HEADER.unpack_from(octets)
            if version == VERSION and length == len(octets) - HEADER_BYTES <= self._limit:
                return [WrapperFrame(source, destination, bytes(octets[HEADER_BYTES:]))]
        frames: list[WrapperFrame] = []
        step = self._limit + HEADER_BYTES
        for start in range(0, len(octets), step):
            if self.broken is not None:
                break
            self._kept += octets[start : start + step]
            self._cut(frames)
        return frames

    def dump(self) -> State:
        """Return what waits and what was wrong, as JSON-able data."""
        broken: State | None = None
        if self.broken is not None:
            error = self.broken
            broken = {"header": error.data.hex(), "why": error.why, "offset": error.offset}
        return {"kept": self._kept.hex(), "broken": broken}

    def load(self, state: Json, path: str = "splitter") -> None:
        """Take over a ``dump`` of a splitter with the same limit.

        Raises:
            DumpedStateError: A value is missing, mistyped or too long; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        kept = dumped.octets("kept", self._limit + HEADER_BYTES)
        broken = None
        if dumped.raw("broken") is not None:
            part = dumped.part("broken", _BROKEN)
            header, offset = part.octets("header", HEADER_BYTES), part.number("offset", 0, 7)
            broken = MalformedFrameError(LAYER, header, part.text("why"), offset)
        self._kept, self.broken = bytearray(kept), broken

    def _cut(self, frames: list[WrapperFrame]) -> None:
        at, kept = 0, self._kept
        while len(kept) - at >= HEADER_BYTES:
            version, _source, _destination, length = _HEADER.unpack_from(kept, at)
            why = _why_wrong(version, length, self._limit)
            if why:
                start = bytes(kept[at : at + HEADER_BYTES])
                self.broken = MalformedFrameError(LAYER, start, why, 6 if version == VERSION else 0)
                kept.clear()
                return
            end = at + HEADER_BYTES + length
            if end > len(kept):
                break
            frames.append(decode(bytes(kept[at:end])))
            at = end
        del kept[:at]


def _why_wrong(version: int, length: int, limit: int) -> str:
    if version != VERSION:
        return f"version {version} is not 1"
    return f"an APDU of {length} octets, {limit} are the limit" if length > limit else ""
