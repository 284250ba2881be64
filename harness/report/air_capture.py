"""Captures of a HAN as it is on the air: enciphered frames with channel, strength and quality.

The frames of a run (`pcapng`) stand in clear and have one channel; these are what a receiver hears,
by the same link type: IEEE 802.15.4 with FCS under a TAP header. Wireshark deciphers them with the
link key of an install code (Preferences, ZigBee, Pre-configured Keys), from the join on.

Source:
    `air_tap`; checked with tshark 4.0.17.
"""

from pathlib import Path
from typing import BinaryIO, Final

from harness.closing import Closing
from harness.report import air_tap
from harness.report import pcapng_blocks as blocks
from harness.report.pcapng_blocks import Packet

NAME: Final = "han-air"
_DESCRIPTION: Final = "IEEE 802.15.4 frames of the home area network, as they are on the air"


class AirCapture(Closing):
    """Writes one capture, whole after every frame."""

    def __init__(
        self, path: Path, name: str = NAME, description: str = _DESCRIPTION, *, anew: bool = True
    ) -> None:
        """Create ``path``.

        Args:
            path: The file.
            name: What its interface is called.
            description: What its interface says of itself.
            anew: Whether a file of that name is replaced; else it must not be there yet.

        Raises:
            OSError: It cannot be written.
        """
        self._file: BinaryIO = path.open("wb" if anew else "xb")
        described = blocks.interface(
            air_tap.LINK_TYPE, name, description, resolution=blocks.MICROSECONDS
        )
        self._file.write(blocks.section("smetsbench") + described)
        self._file.flush()

    def write(  # noqa: PLR0913, PLR0917 -- a frame and what is heard of it
        self, at_us: int, octets: bytes, channel: int, rssi_dbm: int, lqi: int, comment: str = ""
    ) -> None:
        """Append one frame and hand it to the operating system.

        Args:
            at_us: When, in microseconds since 1970.
            octets: The MAC frame, FCS included.
            channel: 11 to 26.
            rssi_dbm: Strength.
            lqi: Link quality, 0 to 255.
            comment: What is to be said of it.
        """
        comments = (comment,) if comment else ()
        tapped = air_tap.header(channel, rssi_dbm, lqi) + octets
        self._file.write(blocks.packet(Packet(0, at_us, tapped, comments)))
        self._file.flush()

    def close(self) -> None:
        """Close the file; more than once does no harm."""
        self._file.close()
