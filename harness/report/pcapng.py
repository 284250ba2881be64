"""Captures as pcapng files for stock Wireshark, written, continued and read back.

Four interfaces: 0 ``sm-wan`` (GBCS messages as exported PDUs), 1 ``han`` (IEEE 802.15.4 with FCS,
TAP header), 2 ``csp-image-transfer (stand-in)``, 3 ``meter-line`` (octets of an optical head or a
TCP connection, RTAC serial header). Direction on 0 and 2 is as the hub sees it and on 3 as the
meter sees it: inbound is towards the device. The RTAC header says it from the reading end: TX goes
to the meter. Captures of earlier versions, without the last interface, are read as before.

Source:
    pcapng: draft-ietf-opsawg-pcapng; TAP header: `air_tap`; exported PDU tags: Wireshark's
    exported_pdu.h; RTAC serial: link type 250, event types and line bits as Wireshark's
    packet-rtacser prints them. All checked with tshark 4.0.17.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

from harness.closing import Closing
from harness.errors import UsageError
from harness.line_secrets import SecretMask
from harness.ports import CapturedFrame
from harness.report import air_tap
from harness.report import pcapng_blocks as blocks
from harness.report.pcapng_blocks import INBOUND, OUTBOUND, Packet

#: What every packet of the stand-in interface says of itself; not part of a frame's own comment.
STAND_IN: Final = "stand-in: smetsbench's own format; the real CSP image transfer is not public"
WAN_STAND_IN: Final = "stand-in: how SMETS1 hubs speak on their WAN is not public"

_DISSECTOR: Final = b"gbcs_message"
#: Exported PDU header: tag 12 (dissector name, padded to fours), then end of options; big-endian.
_UPPER_PDU: Final = struct.pack(">HH", 12, len(_DISSECTOR)) + _DISSECTOR + bytes(4)
#: RTAC serial header: seconds, microseconds, event, control lines, footer; big-endian, 12 octets.
RTAC: Final = struct.Struct(">IIBBH")
RTAC_TX: Final = 1
RTAC_RX: Final = 2
#: Control lines of the header: RTS and DTR, which an optical head is fed from.
RTAC_LINES: Final = 0x18
#: Channel that frames of a run are said to be on.
_CHANNEL: Final = 11


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
    _Interface(
        "han",
        "IEEE 802.15.4 frames of the home area network, unencrypted",
        air_tap.LINK_TYPE,
        air_tap.header(_CHANNEL),
    ),
    _Interface(
        "csp-image-transfer (stand-in)", "firmware image, CSP to hub; stand-in", 147, b"", STAND_IN
    ),
    _Interface("meter-line", "octets of a meter's line, as RTAC serial; TX to the meter", 250, b""),
    _Interface(
        "smets1-wan (stand-in)",
        "DLMS wrapper frames, head end to SMETS1 hub",
        147,
        b"",
        WAN_STAND_IN,
    ),
)
#: How many interfaces earlier versions described, the fewest first.
_EARLIER: Final = (3, 4)
_LINE: Final = 3
_SMETS1_WAN: Final = 4
#: First octets of a DLMS wrapper frame, and the length of its header.
_WRAPPER: Final = b"\x00\x01"
_WRAPPER_BYTES: Final = 8
_LINKS: Final = {
    "wan-in": (0, INBOUND),
    "wan-out": (0, OUTBOUND),
    "han": (1, 0),
    "csp-in": (2, INBOUND),
    "csp-out": (2, OUTBOUND),
    "line-in": (_LINE, INBOUND),
    "line-out": (_LINE, OUTBOUND),
}
#: Links that carry DLMS requests (SMETS1 on the WAN), where a low-level secret stands in clear.
_TOWARDS_A_METER: Final = ("line-in", "wan-in")
_LINK_NAMES: Final = {place: link for link, place in _LINKS.items()} | {
    (_SMETS1_WAN, INBOUND): "wan-in",
    (_SMETS1_WAN, OUTBOUND): "wan-out",
}


class PcapngWriter(Closing):
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
        path.touch()
        self._file: BinaryIO = path.open("r+b")
        self._cut_is_due = False
        self._masks = {link: SecretMask() for link in _TOWARDS_A_METER}
        try:
            self._first = self._continue()
        except UsageError:
            self._file.close()
            raise

    def _continue(self) -> int:
        """Write what is missing of the header, or go behind the last whole packet."""
        header = _file_header()
        start = self._file.read(len(header))
        if header.startswith(start) and len(start) < len(header):
            self._file.write(header[len(start) :])
            return len(header)
        first = _header_bytes(self.path, start)
        self._file.seek(first)
        for _ in blocks.packets(self.path, self._file):
            continue
        self._cut_is_due = True
        return first

    def write(self, frame: CapturedFrame) -> None:
        """Append one frame.

        Raises:
            ValueError: ``frame.link`` is none of the links of `CapturedFrame`.
            UsageError: The file is of an earlier version, which knew no meter's line.
        """
        if frame.link not in _LINKS:
            raise ValueError(f"no such link: {frame.link!r} (one of {', '.join(_LINKS)})")
        place = _place(frame)
        if place[0] >= _EARLIER[0] and self._first < len(_file_header()):
            raise _not_ours(self.path)
        if self._cut_is_due:
            self._file.truncate()
            self._cut_is_due = False
        self._file.write(_packet(self._masked(frame), *place))

    def append(self, packets: bytes) -> None:
        """Append packets of another capture of this version, as they stand there."""
        if packets and self._first < len(_file_header()):
            raise _not_ours(self.path)
        if self._cut_is_due:
            self._file.truncate()
            self._cut_is_due = False
        self._file.write(packets)

    def _masked(self, frame: CapturedFrame) -> CapturedFrame:
        """Mask the secrets that DLMS sends to a meter in clear."""
        mask = self._masks.get(frame.link)
        octets = frame.frame if mask is None else mask.mask(frame.frame)
        return frame if octets is frame.frame else replace(frame, frame=octets)

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
        return {self._first, *(end for end, _ in blocks.packets(self.path, self._file))}

    def close(self) -> None:
        """Hand all frames to the operating system and close; more than once does no harm."""
        self._file.close()


def read(path: Path) -> Iterator[CapturedFrame]:
    """Yield the frames of a capture of this writer's, in order.

    Raises:
        UsageError: Not such a capture, or one cut short.
    """
    with path.open("rb") as file:
        file.seek(_header_bytes(path, file.read(len(_file_header()))))
        for end, body in blocks.packets(path, file):
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


@cache
def _file_header(count: int = len(_INTERFACES)) -> bytes:
    """Section header and interface descriptions: the same octets in every file."""
    described = [
        blocks.interface(
            one.link_type,
            one.name,
            one.description,
            resolution=blocks.MICROSECONDS,
            comment=one.comment,
        )
        for one in _INTERFACES[:count]
    ]
    return b"".join([blocks.section("smetsbench"), *described])


def _header_bytes(path: Path, start: bytes) -> int:
    """Return how long the header of a file is that begins with ``start``.

    Raises:
        UsageError: The file is not one of this writer's.
    """
    for header in (_file_header(), *(_file_header(count) for count in _EARLIER)):
        if start.startswith(header):
            return len(header)
    raise _not_ours(path)


def _place(frame: CapturedFrame) -> tuple[int, int]:
    """Return interface and direction of a frame."""
    number, direction = _LINKS[frame.link]
    return (_SMETS1_WAN if number == 0 and _is_wrapped(frame.frame) else number), direction


def _is_wrapped(octets: bytes) -> bool:
    """Say whether octets of the WAN are a DLMS wrapper frame; no GBCS message begins like one."""
    length = int.from_bytes(octets[6:8], "big")
    return octets.startswith(_WRAPPER) and len(octets) == _WRAPPER_BYTES + length


def _packet(frame: CapturedFrame, number: int, direction: int) -> bytes:
    interface = _INTERFACES[number]
    prefix = _rtac(frame.at_us, direction) if number == _LINE else interface.prefix
    comments = tuple(one for one in (interface.comment, frame.comment) if one)
    return blocks.packet(Packet(number, frame.at_us, prefix + frame.frame, comments, direction))


def _rtac(at_us: int, direction: int) -> bytes:
    seconds, microseconds = divmod(at_us, 1_000_000)
    event = RTAC_TX if direction == INBOUND else RTAC_RX
    return RTAC.pack(seconds & 0xFFFFFFFF, microseconds, event, RTAC_LINES, 0)


def _frame(body: bytes) -> CapturedFrame:
    found = blocks.taken_apart(body)
    if found.interface >= len(_INTERFACES):
        raise ValueError("unknown interface or length")
    interface = _INTERFACES[found.interface]
    prefix = interface.prefix
    if found.interface == _LINE:
        prefix = _rtac(found.at, found.direction)
    if not found.octets.startswith(prefix):
        raise ValueError(f"the link header is not the one of {interface.name}")
    comments = list(found.comments)
    if interface.comment and comments[:1] == [interface.comment]:
        del comments[0]
    link = _LINK_NAMES[found.interface, found.direction]
    return CapturedFrame(found.at, link, found.octets[len(prefix) :], "\n".join(comments))


def _not_ours(path: Path) -> UsageError:
    return UsageError(
        "not a capture that smetsbench wrote",
        where=str(path),
        cause="another file of that name, or a capture of another version",
        next_command="open it with Wireshark, or start the run in a new folder",
    )
