"""Captures as pcapng files for stock Wireshark, written, continued and read back.

Three interfaces: 0 ``sm-wan`` (GBCS messages as exported PDUs), 1 ``han`` (IEEE 802.15.4 with FCS,
TAP header), 2 ``csp-image-transfer (stand-in)``. Direction on the first and the last is as the hub
sees it: inbound is towards the hub.

Source:
    pcapng: draft-ietf-opsawg-pcapng; TAP header: the IEEE 802.15.4 TAP link type specification
    (link type 283); exported PDU tags: Wireshark's exported_pdu.h. All checked with tshark 4.0.17.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from harness.errors import UsageError
from harness.ports import CapturedFrame

#: What every packet of the stand-in interface says of itself; not part of a frame's own comment.
STAND_IN: Final = "stand-in: smetsbench's own format; the real CSP image transfer is not public"

_SHB, _IDB, _EPB = 0x0A0D0D0A, 1, 6
_MAGIC: Final = 0x1A2B3C4D
_COMMENT, _END = 1, 0
_IF_NAME, _IF_DESCRIPTION, _IF_TSRESOL = 2, 3, 9
_EPB_FLAGS: Final = 2
_SHB_USERAPPL: Final = 4
_MICROSECONDS: Final = b"\x06"  # 10^-6 s
_INBOUND, _OUTBOUND = 1, 2
_MAX_BLOCK_BYTES: Final = 1 << 24

_DISSECTOR: Final = b"gbcs_message"
#: Exported PDU header: tag 12 (dissector name, padded to fours), then end of options; big-endian.
_UPPER_PDU: Final = struct.pack(">HH", 12, len(_DISSECTOR)) + _DISSECTOR + bytes(4)
#: TAP header, little-endian: version 0, length, FCS type = 16-bit CRC, channel 11 on page 0.
_TAP: Final = struct.pack("<BxH HHBxxx HHHBx", 0, 20, 0, 1, 1, 3, 3, 11, 0)


@dataclass(frozen=True, slots=True)
class _Interface:
    name: str
    description: str
    link_type: int
    prefix: bytes
    comment: str = ""


_INTERFACES: Final = (
    _Interface(
        "sm-wan", "GBCS messages between DCC systems and the hub, as exported PDUs", 252, _UPPER_PDU
    ),
    _Interface("han", "IEEE 802.15.4 frames of the home area network, unencrypted", 283, _TAP),
    _Interface(
        "csp-image-transfer (stand-in)", "firmware image, CSP to hub; stand-in", 147, b"", STAND_IN
    ),
)
_LINKS: Final = {
    "wan-in": (0, _INBOUND),
    "wan-out": (0, _OUTBOUND),
    "han": (1, 0),
    "csp-in": (2, _INBOUND),
    "csp-out": (2, _OUTBOUND),
}
_LINK_NAMES: Final = {place: link for link, place in _LINKS.items()}


class PcapngWriter:
    """Writes one capture file; continues it where it exists.

    A file that a killed run left behind is cut after its last whole packet, but not before the
    first new one is written: until then `truncate_to` may still find the file not to be the one
    the journal speaks of.
    """

    def __init__(self, path: Path) -> None:
        """Open or create ``path``.

        Raises:
            UsageError: The file exists and is not a capture of this writer's.
        """
        self.path = path
        header = _file_header()
        path.touch()
        self._file: BinaryIO = path.open("r+b")
        self._first = len(header)
        self._cut_is_due = False
        try:
            self._continue(header)
        except UsageError:
            self._file.close()
            raise

    def _continue(self, header: bytes) -> None:
        start = self._file.read(len(header))
        if not header.startswith(start):
            raise _not_ours(self.path)
        if len(start) < len(header):
            self._file.write(header[len(start) :])
            return
        for _ in _packets(self.path, self._file):
            continue
        self._cut_is_due = True

    def write(self, frame: CapturedFrame) -> None:
        """Append one frame.

        Raises:
            ValueError: ``frame.link`` is none of the links of `CapturedFrame`.
        """
        if frame.link not in _LINKS:
            raise ValueError(f"no such link: {frame.link!r} (one of {', '.join(_LINKS)})")
        if self._cut_is_due:
            self._file.truncate()
            self._cut_is_due = False
        self._file.write(_packet(frame))

    def flush(self) -> int:
        """Hand all frames to the operating system; return the file's length in octets.

        The file is whole up to there, whatever happens to this process.
        """
        self._file.flush()
        return self._file.tell()

    def truncate_to(self, offset: int) -> None:
        """Forget every frame written after the `flush` that returned ``offset``.

        An offset before the first frame (0 in a journal that never flushed) empties the capture.

        Raises:
            UsageError: ``offset`` is no border between frames of this file.
        """
        self._file.flush()
        offset = max(offset, self._first)
        if offset not in self._borders():
            raise UsageError(
                f"offset {offset} is not between two frames",
                where=str(self.path),
                cause="the capture was changed since the journal named that offset",
                next_command="start the run again in a new folder",
            )
        self._file.seek(offset)
        self._file.truncate()

    def _borders(self) -> set[int]:
        self._file.seek(self._first)
        return {self._first, *(end for end, _ in _packets(self.path, self._file))}

    def close(self) -> None:
        """Hand all frames to the operating system and close; more than once does no harm."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read(path: Path) -> Iterator[CapturedFrame]:
    """Yield the frames of a capture of this writer's, in order.

    Raises:
        UsageError: Not such a capture, or one cut short.
    """
    with path.open("rb") as file:
        header = _file_header()
        if file.read(len(header)) != header:
            raise _not_ours(path)
        for end, body in _packets(path, file):
            try:
                yield _frame(body)
            except (struct.error, KeyError, ValueError) as error:
                raise UsageError(
                    f"a packet cannot be read: {error}", where=f"{path}, before octet {end}"
                ) from error
        if file.read(1):
            raise UsageError(
                "the capture ends inside a packet",
                where=str(path),
                cause="the run that wrote it was killed",
                next_command="smetsbench resume <run folder>",
            )


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _pad(value)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _file_header() -> bytes:
    """Section header and interface descriptions: the same octets in every file."""
    section = struct.pack("<IHHq", _MAGIC, 1, 0, -1) + _option(_SHB_USERAPPL, b"smetsbench")
    blocks = [_block(_SHB, section + _option(_END, b""))]
    for interface in _INTERFACES:
        body = struct.pack("<HHI", interface.link_type, 0, 0)
        if interface.comment:
            body += _option(_COMMENT, interface.comment.encode())
        body += _option(_IF_NAME, interface.name.encode())
        body += _option(_IF_DESCRIPTION, interface.description.encode())
        body += _option(_IF_TSRESOL, _MICROSECONDS) + _option(_END, b"")
        blocks.append(_block(_IDB, body))
    return b"".join(blocks)


def _packet(frame: CapturedFrame) -> bytes:
    number, direction = _LINKS[frame.link]
    interface = _INTERFACES[number]
    octets = interface.prefix + frame.frame
    high, low = divmod(frame.at_us, 1 << 32)
    body = struct.pack("<IIIII", number, high, low, len(octets), len(octets)) + _pad(octets)
    options = b""
    for comment in filter(None, (interface.comment, frame.comment)):
        options += _option(_COMMENT, comment.encode())
    if direction:
        options += _option(_EPB_FLAGS, struct.pack("<I", direction))
    return _block(_EPB, body + (options + _option(_END, b"") if options else b""))


def _packets(path: Path, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each packet block's end and body; stop before one that the file cuts short.

    Raises:
        UsageError: A block is none of ours, or damaged.
    """
    while True:
        start = file.tell()
        head = file.read(8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<II", head)
        if kind != _EPB or not 32 <= length <= _MAX_BLOCK_BYTES or length % 4:
            raise _damaged(path, start)
        rest = file.read(length - 8)
        if len(rest) < length - 8:
            break
        if rest[-4:] != head[4:]:
            raise _damaged(path, start)
        yield start + length, rest[:-4]
    file.seek(start)


def _frame(body: bytes) -> CapturedFrame:
    number, high, low, captured, _ = struct.unpack_from("<IIIII", body)
    octets = body[20 : 20 + captured]
    if number >= len(_INTERFACES) or len(octets) != captured:
        raise ValueError("unknown interface or length")
    interface = _INTERFACES[number]
    if not octets.startswith(interface.prefix):
        raise ValueError(f"the link header is not the one of {interface.name}")
    comments, direction = _options(body[20 + captured + -captured % 4 :])
    if interface.comment and comments[:1] == [interface.comment]:
        del comments[0]
    link = _LINK_NAMES[number, direction]
    at_us = high << 32 | low
    return CapturedFrame(at_us, link, octets[len(interface.prefix) :], "\n".join(comments))


def _options(data: bytes) -> tuple[list[str], int]:
    comments, direction, at = [], 0, 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        value = data[at + 4 : at + 4 + length]
        if code == _END:
            break
        if code == _COMMENT:
            comments.append(value.decode())
        elif code == _EPB_FLAGS:
            direction = struct.unpack("<I", value)[0] & 3
        at += 4 + length + -length % 4
    return comments, direction


def _damaged(path: Path, offset: int) -> UsageError:
    return UsageError(
        "the capture is damaged",
        where=f"{path}, octet {offset}",
        cause="it was changed after it was written",
        next_command="start the run again in a new folder",
    )


def _not_ours(path: Path) -> UsageError:
    return UsageError(
        "not a capture that smetsbench wrote",
        where=str(path),
        cause="another file of that name, or a capture of another version",
        next_command="open it with Wireshark, or start the run in a new folder",
    )
