"""Captures of a channel as pcapng files for stock Wireshark, whole after every frame."""

import struct
from collections.abc import Iterator
from pathlib import Path

from harness.closing import Closing
from harness.errors import UsageError
from harness.report import air_tap
from harness.report import pcapng_blocks as blocks
from harness.report.air_capture import AirCapture
from harness.report.air_tap import LINK_TYPE
from harness.report.pcapng_blocks import Packet
from hil.zigbee_observation.heard import Heard


class CaptureFile(Closing):
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
        described = f"IEEE 802.15.4 frames heard by a Zigbee dongle{note and ', '}{note}"
        try:
            self._capture = AirCapture(path, "han", described, anew=False)
        except OSError as error:
            raise _uncreatable(path, error.strerror or str(error)) from error

    def write(self, heard: Heard, comment: str = "") -> None:
        """Append one frame and hand it to the operating system."""
        told = (heard.channel, heard.rssi_dbm, heard.lqi)
        self._capture.write(heard.at_us, heard.with_fcs, *told, comment)
        self.frames += 1

    def close(self) -> None:
        """Close the file; more than once does no harm."""
        self._capture.close()


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
        tap = air_tap.taken_apart(octets)
    except (struct.error, ValueError, OverflowError) as error:
        raise _unreadable(path, f"before octet {end}: {error}") from error
    frame = octets[tap.length : len(octets) - tap.fcs_bytes]
    return Heard(at_us, tap.channel, frame, tap.lqi, tap.rssi_dbm)


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
