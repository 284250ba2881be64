"""The TAP header in front of an IEEE 802.15.4 frame in a capture, written and read.

Source:
    IEEE 802.15.4 TAP link type specification (link type 283): type-length-values FCS type (0),
    received signal strength (1), channel and page (3), link quality (10), little-endian, padded to
    fours; checked with tshark 4.0.17.
"""

import struct
from dataclasses import dataclass
from typing import Final

from harness.report import pcapng_blocks as blocks

LINK_TYPE: Final = 283
#: Octets of a frame's own check behind it, where the header says that it is there.
FCS_BYTES: Final = 2
#: Version and length.
_HEAD: Final = struct.Struct("<BxH")
_FCS_TYPE, _STRENGTH, _CHANNEL, _QUALITY = 0, 1, 3, 10
_FCS_16: Final = b"\x01"
#: Its values are padded to fours as the options of a capture are, but no type ends them.
_NO_END: Final = None


@dataclass(frozen=True, slots=True)
class Tap:
    """What a header says.

    Attributes:
        channel: 11 to 26; 0: it does not say.
        rssi_dbm: Strength; 0: it does not say.
        lqi: Link quality, 0 to 255; 0: it does not say.
        fcs_bytes: Octets of check behind the frame.
        length: Octets of the header.
    """

    channel: int
    rssi_dbm: int
    lqi: int
    fcs_bytes: int
    length: int


def header(channel: int, rssi_dbm: int | None = None, lqi: int | None = None) -> bytes:
    """Return the header in front of a frame with its check.

    Args:
        channel: 11 to 26.
        rssi_dbm: Strength; None: not told.
        lqi: Link quality, 0 to 255; None: not told.
    """
    values = [(_FCS_TYPE, _FCS_16)]
    if rssi_dbm is not None:
        values.append((_STRENGTH, struct.pack("<f", rssi_dbm)))
    values.append((_CHANNEL, struct.pack("<HB", channel, 0)))
    if lqi is not None:
        values.append((_QUALITY, bytes((lqi,))))
    told = b"".join(blocks.option(kind, value) for kind, value in values)
    return _HEAD.pack(0, _HEAD.size + len(told)) + told


def taken_apart(octets: bytes) -> Tap:
    """Return what the header says that stands before a frame.

    Raises:
        ValueError: There is none, or a value of it is none.
        OverflowError: The strength is endless.
        struct.error: It is cut short.
    """
    version, length = _HEAD.unpack_from(octets)
    if version != 0 or not _HEAD.size <= length <= len(octets):
        raise ValueError("no TAP header")
    told = dict(blocks.each_option(octets[_HEAD.size : length], end=_NO_END))
    channel = struct.unpack_from("<H", told[_CHANNEL])[0] if _CHANNEL in told else 0
    strength = struct.unpack("<f", told[_STRENGTH])[0] if _STRENGTH in told else 0
    rssi_dbm = round(strength)  # refuses what is no number
    lqi = told[_QUALITY][0] if told.get(_QUALITY) else 0
    fcs_bytes = FCS_BYTES if told.get(_FCS_TYPE, b"\x00")[:1] == _FCS_16 else 0
    return Tap(channel, rssi_dbm, lqi, fcs_bytes, length)
