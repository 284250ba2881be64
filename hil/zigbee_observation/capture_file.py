"""Captures of a channel as pcapng files for stock Wireshark, whole after every frame.

Source:
    IEEE 802.15.4 TAP link type specification (link type 283): type-length-values FCS type (0),
    received signal strength (1), channel (3), link quality (10), little-endian, padded to fours.
    Checked with tshark 4.0.17.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from harness.errors import UsageError
from harness.report import pcapng_blocks as blocks
from harness.report.air_capture import LINK_TYPE, tap_header
from harness.report.pcapng_blocks import Packet
from hil.zigbee_observation.heard import FCS_BYTES, Heard

_MICROSECONDS: Final = b"\x06"
_HEAD: Final = struct.Struct("<BxH")
_FCS_TYPE, _RSS, _CHANNEL, _LQI = 0, 1, 3, 10
_FCS_16: Final = 1


class CaptureFile:
    """Writes one capture; what stands there already is never written over.

    Attributes:
        path: The file.
        frames: How many frames it holds.
    """

    def __init__(self, path: Path, *, note: str = "") -> None:
        """Create the file.

        Args:
            path: It must not be there yet.
            note: What the interface says of itself beside its name.

        Raises:
            UsageError: It is there, or cannot be created.
        """
        self.path = path
        self.frames = 0
        try:
            self._file: BinaryIO = path.open("xb")
        except OSError as error:
            raise _uncreatable(path, error.strerror or str(error)) from error
        described = f"IEEE 802.15.4 frames heard by a Zigbee dongle{note and ', '}{note}"
        head = blocks.interface(LINK_TYPE, "han", described, resolution=_MICROSECONDS)
        self._file.write(blocks.section("smetsbench") + head)
        self._file.flush()

    def write(self, heard: Heard, comment: str = "") -> None:
        """Append one frame and hand it to the operating system."""
        octets = tap_header(heard.channel, heard.rssi_dbm, heard.lqi) + heard.with_fcs
        packet = Packet(0, heard.at_us, octets, (comment,) if comment else ())
        self._file.write(blocks.packet(packet))
        self._file.flush()
        self.frames += 1

    def close(self) -> None:
        """Close the file; more than once does no harm."""
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


def refuse_existing(path: Path | None) -> None:
    """Refuse a name that a capture could not be made under, before anything is done for it.

    Raises:
        UsageError: A file is there already, or the folder is not.
    """
    if path is not None and (path.exists() or not path.parent.is_dir()):
        raise _uncreatable(path, "the file exists" if path.exists() else "no such folder")


def read(path: Path) -> Iterator[Heard]:
    """Yield the frames of a capture with TAP headers, ours or another program's.

    Raises:
        UsageError: It is none, or damaged; a file that breaks off is read up to there.
    """
    try:
        with path.open("rb") as file:
            kinds = blocks.interfaces(path, file)
            for end, body in blocks.packets(path, file):
                packet = _packet(path, end, body)
                if packet.interface < len(kinds) and kinds[packet.interface].link_type == LINK_TYPE:
                    units = _microseconds(packet.at, kinds[packet.interface].resolution)
                    yield _heard(path, end, units, packet.octets)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def _microseconds(at: int, resolution: int) -> int:
    if resolution & 0x80:
        return at * 1_000_000 >> (resolution & 0x7F)
    return at * 1_000_000 // int(10**resolution)


def _packet(path: Path, end: int, body: bytes) -> Packet:
    try:
        return blocks.taken_apart(body)
    except (ValueError, struct.error) as error:
        raise _unreadable(path, f"before octet {end}: {error}") from error


def _heard(path: Path, end: int, at_us: int, octets: bytes) -> Heard:
    try:
        length, told = _tap(octets)
        channel = struct.unpack_from("<H", told[_CHANNEL])[0] if _CHANNEL in told else 0
        strength = struct.unpack("<f", told[_RSS])[0] if _RSS in told else 0
        rssi_dbm = round(strength)  # refuses what is no number
    except (struct.error, ValueError, OverflowError) as error:
        raise _unreadable(path, f"before octet {end}: {error}") from error
    lqi = told[_LQI][0] if told.get(_LQI) else 0
    tail = FCS_BYTES if told.get(_FCS_TYPE, b"\x00")[:1] == bytes([_FCS_16]) else 0
    return Heard(at_us, channel, octets[length : len(octets) - tail], lqi, rssi_dbm)


def _tap(octets: bytes) -> tuple[int, dict[int, bytes]]:
    """Return the length of a TAP header and its values.

    Raises:
        ValueError: It is none.
        struct.error: It is cut short.
    """
    version, length = _HEAD.unpack_from(octets)
    if version != 0 or not _HEAD.size <= length <= len(octets):
        raise ValueError("no TAP header")
    return length, dict(_values(octets[_HEAD.size : length]))


def _values(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(octets):
        kind, length = struct.unpack_from("<HH", octets, at)
        yield kind, octets[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4


def _uncreatable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"the capture cannot be created: {why}",
        where=str(path),
        cause="the file is there already, or the folder is not",
        next_command="name another file",
    )


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"the capture cannot be read: {why}",
        where=str(path),
        cause="another kind of file, or one that was changed",
        next_command="name a capture of smetsbench bench observe",
    )
