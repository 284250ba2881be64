"""Captures of a HAN as it is on the air: enciphered frames with channel, strength and quality.

The frames of a run (`pcapng`) stand in clear and have one channel; these are what a receiver hears,
by the same link type: IEEE 802.15.4 with FCS under a TAP header. Wireshark deciphers them with the
link key of an install code (Preferences, ZigBee, Pre-configured Keys), from the join on.

Source:
    IEEE 802.15.4 TAP link type specification (link type 283, fields 0, 1, 3 and 10); checked with
    tshark 4.0.17.
"""

import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from harness.report import pcapng_blocks as blocks
from harness.report.pcapng_blocks import Packet

LINK_TYPE: Final = 283
NAME: Final = "han-air"
_DESCRIPTION: Final = "IEEE 802.15.4 frames of the home area network, as they are on the air"
_MICROSECONDS: Final = b"\x06"  # 10^-6 s
#: TAP header, little-endian: version, length; then type, length and value of each field: FCS of 16
#: bits, strength in dBm, channel and page, link quality.
_TAP: Final = struct.Struct("<BxH HHBxxx HHf HHHBx HHBxxx")
_FCS, _STRENGTH, _CHANNEL, _QUALITY = 0, 1, 3, 10
_FCS_16: Final = 1


def tap_header(channel: int, rssi_dbm: int, lqi: int) -> bytes:
    """Return the header in front of a frame.

    Args:
        channel: 11 to 26.
        rssi_dbm: Strength.
        lqi: Link quality, 0 to 255.
    """
    return _TAP.pack(
        0, _TAP.size, _FCS, 1, _FCS_16, _STRENGTH, 4, float(rssi_dbm), _CHANNEL, 3, channel, 0,
        _QUALITY, 1, lqi,
    )  # fmt: skip


class AirCapture:
    """Writes one capture; a file of that name is replaced."""

    def __init__(self, path: Path) -> None:
        """Create ``path``.

        Raises:
            OSError: It cannot be written.
        """
        self._file: BinaryIO = path.open("wb")
        described = blocks.interface(LINK_TYPE, NAME, _DESCRIPTION, resolution=_MICROSECONDS)
        self._file.write(blocks.section("smetsbench") + described)

    def write(self, at_us: int, octets: bytes, channel: int, rssi_dbm: int, lqi: int) -> None:
        """Append one frame.

        Args:
            at_us: When, in microseconds since 1970.
            octets: The MAC frame, FCS included.
            channel: 11 to 26.
            rssi_dbm: Strength.
            lqi: Link quality, 0 to 255.
        """
        packet = Packet(0, at_us, tap_header(channel, rssi_dbm, lqi) + octets)
        self._file.write(blocks.packet(packet))
        self._file.flush()

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
