"""The line to a dongle as a file: every octet both ways, but those of keys.

A tap cuts the octets at ASH's flags. A frame that carries a key has the key's octets replaced by
zeros and its check made anew; all other octets stand as they crossed the line. So the file may
leave the bench, and still plays the dongle (`hil.zigbee.replay`).
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from emulator.codecs.ezsp import ash
from emulator.codecs.ezsp.ash import DataFrame
from emulator.codecs.ezsp.ash_octets import CANCEL, FLAG, unstuff
from emulator.core.errors import MalformedFrameError
from harness.dlms_view.line import Way
from harness.transcript import Chunk, EventKind, EventValue, LineEvent, Record
from harness.transcript_file import header_of, packet_of, read_records
from hil import wall_clock
from hil.tap import Direction, Fields
from hil.zigbee.messages import WIDE_VERSION

_KEY_OCTETS: Final = 16
_HEADER: Final = 5
_EXTENDED: Final = 0x01
_PRIVATE: Final = 0o600
#: Where keys stand in the parameters of commands, by frame id.
#: Source: reference zigbee-dongle.md 2.8, UG100 (known).
COMMAND_KEYS: Final[Mapping[int, tuple[int, ...]]] = {
    0x66: (9,),
    0x68: (2, 18),
    0x72: (10,),
    0xAF: (8,),
    0x10E: (9,),
    0x111: (8,),
}
#: The same of answers: up to v13, and since v14.
ANSWER_KEYS: Final[Mapping[int, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    0x6A: ((4,), (4,)),
    0x6D: ((9,), (9,)),
    0x71: ((4,), (4,)),
    0xCE: ((9,), (9,)),
    0x10D: ((0,), (22,)),
    0x10F: ((8,), (22,)),
    0x112: ((8,), (22,)),
    0x113: ((0,), (22,)),
    0x114: ((0,), (4,)),
}
_PLACES: Final = frozenset({"url", "node", "what"})


def masked(payload: bytes, way: Way, version: int) -> bytes:
    """Return an EZSP frame with zeros for its keys."""
    if len(payload) < _HEADER or payload[2] != _EXTENDED:
        return payload
    frame_id = int.from_bytes(payload[3:5], "little")
    if way is Way.IN:
        found = COMMAND_KEYS.get(frame_id, ())
    else:
        found = ANSWER_KEYS.get(frame_id, ((), ()))[version >= WIDE_VERSION]
    octets = bytearray(payload)
    for at in (_HEADER + one for one in found):
        part = octets[at : at + _KEY_OCTETS]
        octets[at : at + len(part)] = bytes(len(part))
    return bytes(octets)


def data_frame(part: bytes) -> DataFrame | None:
    """Return the data frame that octets up to a flag are, or None."""
    body = unstuff(part.rpartition(bytes([CANCEL]))[2].rstrip(bytes([FLAG])))
    if not body:
        return None
    try:
        frame = ash.decode(body)
    except MalformedFrameError:
        return None
    return frame if isinstance(frame, DataFrame) else None


class DongleTranscript:
    """A `hil.tap.Tap` that writes a dongle's line to a pcapng file.

    Attributes:
        path: The file; its owner alone may read it.
        version: EZSP version spoken, once the dongle has said.
    """

    def __init__(self, path: Path) -> None:
        """Make the file.

        Raises:
            OSError: It cannot be made.
        """
        self.path = path
        self.version = 0
        self._held: dict[Way, bytearray] = {way: bytearray() for way in Way}
        self._offset_ns = wall_clock.now() * 1_000_000 - time.monotonic_ns()
        path.touch(_PRIVATE)
        self._file = path.open("wb")
        self._file.write(header_of(("dongle",)))

    def chunk(self, direction: Direction, octets: bytes, at_ns: int) -> None:
        """Take octets; what is no whole frame yet waits for its rest."""
        way = Way(direction)
        held = self._held[way]
        held += octets
        while (end := held.find(FLAG)) >= 0:
            self._write(
                Chunk(at_ns + self._offset_ns, way, self._told(way, bytes(held[: end + 1])))
            )
            del held[: end + 1]

    def event(self, kind: str, fields: Fields, at_ns: int) -> None:
        """Take something that befell the line."""
        told: dict[str, EventValue] = {
            name: value for name, value in fields.items() if name not in _PLACES
        }
        self._write(LineEvent(at_ns + self._offset_ns, EventKind(kind), told))

    def finish(self) -> str:
        """Close the file; return the hash of it, SHA-256 in hex."""
        self._file.close()
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def _write(self, record: Record) -> None:
        if not self._file.closed:
            self._file.write(packet_of(record))

    def _told(self, way: Way, part: bytes) -> bytes:
        frame = data_frame(part)
        if frame is None:
            return part
        if way is Way.OUT and len(frame.payload) == 7 and not frame.payload[2]:
            self.version = frame.payload[3]  # the first answer to `version`, in the old form
        payload = masked(frame.payload, way, self.version)
        if payload == frame.payload:
            return part
        return ash.encode(replace(frame, payload=payload))


def read(path: Path) -> tuple[Chunk, ...]:
    """Return the octets of a transcript, in order.

    Raises:
        UsageError: It is no such file.
    """
    _channels, records = read_records(path)
    return tuple(one for one in records if isinstance(one, Chunk))
