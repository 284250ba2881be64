"""The blocks pcapng files are made of: written, cut out of a file, and taken apart again.

Source:
    pcapng: draft-ietf-opsawg-pcapng; checked with tshark 4.0.17. All numbers little-endian.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from emulator.core.values import quick
from harness.errors import UsageError

SHB: Final = 0x0A0D0D0A
IDB: Final = 1
EPB: Final = 6
COMMENT: Final = 1
END: Final = 0
IF_NAME: Final = 2
IF_DESCRIPTION: Final = 3
IF_TSRESOL: Final = 9
SHB_USERAPPL: Final = 4
EPB_FLAGS: Final = 2
#: Direction bits of ``EPB_FLAGS``.
INBOUND: Final = 1
OUTBOUND: Final = 2
#: Resolution of an interface: microseconds, as if_tsresol says it.
MICROSECONDS: Final = b"\x06"
#: Longest block read; more is no block of ours.
MAX_BLOCK_BYTES: Final = 1 << 24
_MAGIC: Final = 0x1A2B3C4D


@quick
@dataclass(frozen=True, slots=True)
class Packet:
    """One enhanced packet block, taken apart.

    Attributes:
        interface: Number of its interface.
        at: Moment in units of the interface's resolution.
        octets: What was captured.
        comments: Its comments in order.
        direction: 0, ``INBOUND`` or ``OUTBOUND``.
    """

    interface: int
    at: int
    octets: bytes
    comments: tuple[str, ...] = ()
    direction: int = 0


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def option(code: int, value: bytes) -> bytes:
    """Return one option, padded to fours."""
    return struct.pack("<HH", code, len(value)) + _pad(value)


def block(kind: int, body: bytes) -> bytes:
    """Return one block with its length on both sides."""
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def section(writer: str) -> bytes:
    """Return a section header that names the program that writes."""
    head = struct.pack("<IHHq", _MAGIC, 1, 0, -1) + option(SHB_USERAPPL, writer.encode())
    return block(SHB, head + option(END, b""))


def interface(
    link_type: int, name: str, description: str, *, resolution: bytes, comment: str = ""
) -> bytes:
    """Return an interface description; ``resolution`` is the if_tsresol octet (06 µs, 09 ns)."""
    body = struct.pack("<HHI", link_type, 0, 0)
    if comment:
        body += option(COMMENT, comment.encode())
    body += option(IF_NAME, name.encode()) + option(IF_DESCRIPTION, description.encode())
    return block(IDB, body + option(IF_TSRESOL, resolution) + option(END, b""))


#: Kind and length of a packet block, interface, moment in two halves, length captured and real.
_PACKET: Final = struct.Struct("<IIIIIII")
_NO_MORE: Final = option(END, b"")
_DIRECTIONS: Final = (
    b"",
    *(option(EPB_FLAGS, struct.pack("<I", one)) for one in (INBOUND, OUTBOUND)),
)


def packet(value: Packet) -> bytes:
    """Return an enhanced packet block."""
    high, low = divmod(value.at, 1 << 32)
    octets, size = value.octets, len(value.octets)
    options = b"".join([option(COMMENT, comment.encode()) for comment in value.comments])
    options += _DIRECTIONS[value.direction]
    if options:
        options += _NO_MORE
    padding = bytes(-size % 4)
    length = _PACKET.size + size + len(padding) + len(options) + 4
    head = _PACKET.pack(EPB, length, value.interface, high, low, size, size)
    return b"".join((head, octets, padding, options, struct.pack("<I", length)))


def packets(path: Path, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each packet block's end and body; stop before one that the file cuts short.

    Raises:
        UsageError: A block is no packet, or damaged.
    """
    while True:
        start = file.tell()
        head = file.read(8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<II", head)
        if kind != EPB or not 32 <= length <= MAX_BLOCK_BYTES or length % 4:
            raise _damaged(path, start)
        rest = file.read(length - 8)
        if len(rest) < length - 8:
            break
        if rest[-4:] != head[4:]:
            raise _damaged(path, start)
        yield start + length, rest[:-4]
    file.seek(start)


@dataclass(frozen=True, slots=True)
class Described:
    """An interface description: link type, name, and the if_tsresol octet (06 where unsaid)."""

    link_type: int
    name: str
    resolution: int = 6


def interfaces(path: Path, file: BinaryIO) -> list[Described]:
    """Read a section header and the interface descriptions behind it; stop before the next block.

    Raises:
        UsageError: The file does not begin with a section header of this byte order, or its
            header is damaged or cut short.
    """
    found: list[Described] = []
    while True:
        start = file.tell()
        kind, length = _head(file.read(8))
        if kind not in {SHB, IDB} or (kind == SHB) != (start == 0):
            if start == 0 or (kind == SHB):
                raise _damaged(path, start)
            file.seek(start)
            return found
        body = file.read(max(0, length - 8))[:-4]
        if not 20 <= length <= MAX_BLOCK_BYTES or len(body) != length - 12:
            raise _damaged(path, start)
        if kind == SHB and body[:4] != struct.pack("<I", _MAGIC):
            raise _damaged(path, start)
        if kind == IDB:
            found.append(_described(body))


def _head(octets: bytes) -> tuple[int, int]:
    if len(octets) < 8:
        return 0, 0
    kind, length = struct.unpack("<II", octets)
    return int(kind), int(length)


def _described(body: bytes) -> Described:
    name, resolution = "", 6
    for code, value in each_option(body[8:]):
        if code == IF_NAME:
            name = value.decode("utf-8", "replace")
        elif code == IF_TSRESOL and value:
            resolution = value[0]
    return Described(int.from_bytes(body[:2], "little"), name, resolution)


def taken_apart(body: bytes) -> Packet:
    """Return the packet of a block's body.

    Raises:
        ValueError: Its lengths do not fit, or a comment is no UTF-8.
        struct.error: It is too short.
    """
    number, high, low, captured, _ = struct.unpack_from("<IIIII", body)
    octets = body[20 : 20 + captured]
    if len(octets) != captured:
        raise ValueError("unknown interface or length")
    comments, direction = _options(body[20 + captured + -captured % 4 :])
    return Packet(number, high << 32 | low, octets, tuple(comments), direction)


def _options(data: bytes) -> tuple[list[str], int]:
    comments, direction = [], 0
    for code, value in each_option(data):
        if code == COMMENT:
            comments.append(value.decode())
        elif code == EPB_FLAGS:
            direction = struct.unpack("<I", value)[0] & 3
    return comments, direction


def each_option(data: bytes, *, end: int | None = END) -> Iterator[tuple[int, bytes]]:
    """Yield number and value of each option.

    Args:
        data: They stand in a row, padded to fours.
        end: The number that ends them; None: the end of ``data`` does.

    Raises:
        struct.error: The last one is cut short.
    """
    at = 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == end:
            return
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4


def _damaged(path: Path, offset: int) -> UsageError:
    return UsageError(
        "the capture is damaged",
        where=f"{path}, octet {offset}",
        cause="it was changed after it was written",
        next_command="start the run again in a new folder",
    )
