"""HDLC frames of DLMS: frame format type 3, with header and frame check sequences.

This is the fast path; ``hdlc_declaration`` says the same format in construct, and a test holds the
two to agreement. There is no octet stuffing: 0x7E may stand anywhere inside, and the length field
alone says where a frame ends.
"""

import binascii
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NoReturn

from emulator.codecs.dlms.hdlc_control import CONTROLS, Control
from emulator.core.errors import MalformedFrameError

LAYER: Final = "dlms.hdlc"
#: Opens and closes a frame; one flag may do both.
FLAG: Final = 0x7E
#: Octets between the flags: the least (no information) and what eleven bits of length can say.
MIN_BODY_BYTES: Final = 7
MAX_BODY_BYTES: Final = 0x7FF
#: Longest information field the standard lets two stations agree upon.
MAX_INFORMATION_BYTES: Final = 2030
#: LLC octets before an APDU: destination E6, source E6 (command) or E7 (response), control 00.
LLC_COMMAND: Final = b"\xe6\xe6\x00"
LLC_RESPONSE: Final = b"\xe6\xe7\x00"

_FORMAT_TYPE: Final = 0xA
_SEGMENTED: Final = 0x08
_ADDRESS_SIZES: Final = frozenset({1, 2, 4})
_REVERSED: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
_RESIDUE: Final = 0x1D0F  # of octets with their own check sequence behind them


@dataclass(frozen=True, slots=True)
class Address:
    """One station address.

    Attributes:
        upper: Logical device (server) or client SAP; 7 bits in addresses of one and two octets, 14
            in those of four.
        lower: Physical device, as many bits as ``upper``; None in addresses of one octet.
        size: Octets on the wire: 1, 2 or 4.
    """

    upper: int
    lower: int | None = None
    size: int = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One HDLC frame.

    Attributes:
        destination: Whom it is for.
        source: Who sent it.
        control: What it is for.
        information: Information field; empty means that there is none (nor a header check).
        segmented: More frames of the same message follow.
    """

    destination: Address
    source: Address
    control: Control
    information: bytes = b""
    segmented: bool = False


def fcs(octets: bytes) -> bytes:
    """Return the check sequence of ``octets``, two octets in the order of sending.

    CRC-16/X.25; computed on bit-reversed octets because the standard library's CRC of the same
    polynomial shifts the other way.

    Source:
        IEC 62056-46 Annex A; the catalogue's check value 906E and the golden frames of reference
        serial-dlms.md section 5 are tests.
    """
    crc = binascii.crc_hqx(octets.translate(_REVERSED), 0xFFFF) ^ 0xFFFF
    return crc.to_bytes(2, "big").translate(_REVERSED)


def is_intact(octets: bytes) -> bool:
    """Say whether ``octets`` end with their own check sequence."""
    return binascii.crc_hqx(octets.translate(_REVERSED), 0xFFFF) == _RESIDUE


def address_size(octets: bytes, at: int) -> int:
    """Return how many octets the address at ``at`` has; 0 when its end does not show.

    An address ends with the first octet whose lowest bit is set; looks at four octets at most.
    """
    for size, octet in enumerate(octets[at : at + 4], 1):
        if octet & 1:
            return size
    return 0


@lru_cache(maxsize=1024)
def decode_address(octets: bytes) -> Address:
    """Read one address.

    Raises:
        MalformedFrameError: Not 1, 2 or 4 octets, or the extension bits are wrong.

    Source:
        IEC 62056-46 6.4.2 (extended addressing), known.
    """
    size = len(octets)
    if size not in _ADDRESS_SIZES or address_size(octets, 0) != size:
        raise MalformedFrameError(LAYER, octets, "an address has 1, 2 or 4 octets", 0)
    if size == 1:
        return Address(octets[0] >> 1)
    if size == 2:
        return Address(octets[0] >> 1, octets[1] >> 1, 2)
    upper = octets[0] >> 1 << 7 | octets[1] >> 1
    return Address(upper, octets[2] >> 1 << 7 | octets[3] >> 1, 4)


@lru_cache(maxsize=1024)
def encode_address(address: Address) -> bytes:
    """Write one address.

    Raises:
        ValueError: A part does not fit the size, or the size is not 1, 2 or 4.
    """
    size, upper, lower = address.size, address.upper, address.lower
    limit = 0x3FFF if size == 4 else 0x7F
    if size not in _ADDRESS_SIZES or (lower is None) != (size == 1):
        raise ValueError(f"no address of {size} octets has these parts: {address!r}")
    if not 0 <= upper <= limit or not 0 <= (lower or 0) <= limit:
        raise ValueError(f"a part of the address is above {limit}: {address!r}")
    if lower is None:
        return bytes((upper << 1 | 1,))
    if size == 2:
        return bytes((upper << 1, lower << 1 | 1))
    return bytes((upper >> 7 << 1, upper << 1 & 0xFE, lower >> 7 << 1, lower << 1 & 0xFE | 1))


def decode(data: bytes) -> Frame:
    """Read one frame, both flags included.

    Raises:
        MalformedFrameError: No flags, another frame format, a length that is not the frame's, an
            address of three octets, a wrong check sequence, or an empty information field.

    Source:
        IEC 62056-46 6.4.1 and 6.4.3; golden frames of reference serial-dlms.md section 5.
    """
    size = len(data) - 2
    if not MIN_BODY_BYTES <= size <= MAX_BODY_BYTES:
        _refuse(data, f"a frame has 9 to 2049 octets, not {len(data)}", 0)
    if data[0] != FLAG or data[-1] != FLAG:
        _refuse(data, "a flag is missing", 0 if data[0] != FLAG else len(data) - 1)
    head = data[1] << 8 | data[2]
    if head >> 12 != _FORMAT_TYPE:
        _refuse(data, f"frame format type {head >> 12:x} is not type 3 (a)", 1)
    if head & MAX_BODY_BYTES != size:
        _refuse(data, f"{head & MAX_BODY_BYTES} octets announced, {size} present", 1)
    if not is_intact(data[1:-1]):
        _refuse(data, "frame check sequence wrong", size - 1)
    middle = 3 + _size_at(data, 3)
    end = middle + _size_at(data, middle)
    destination, source = decode_address(data[3:middle]), decode_address(data[middle:end])
    if end > size - 2:
        _refuse(data, "no room for the control field", end)
    segmented = bool(head & _SEGMENTED << 8)
    if end == size - 2:
        return Frame(destination, source, CONTROLS[data[end]], b"", segmented)
    if end > size - 5:
        _refuse(data, "information field empty or header check cut off", end + 1)
    if not is_intact(data[1 : end + 3]):
        _refuse(data, "header check sequence wrong", end + 1)
    return Frame(destination, source, CONTROLS[data[end]], data[end + 3 : -3], segmented)


def _size_at(data: bytes, at: int) -> int:
    if data[at] & 1:  # the common case, at once
        return 1
    size = address_size(data, at)
    if size not in _ADDRESS_SIZES:
        _refuse(data, "an address has 1, 2 or 4 octets", at)
    return size


def _refuse(data: bytes, why: str, offset: int) -> NoReturn:
    raise MalformedFrameError(LAYER, data, why, offset)


def encode(frame: Frame) -> bytes:
    """Write one frame with both flags.

    Raises:
        ValueError: An address does not fit its size, or the frame is longer than its length field
            can say.
    """
    rest = encode_address(frame.destination) + encode_address(frame.source)
    information = frame.information
    size = len(rest) + (len(information) + 7 if information else 5)
    if size > MAX_BODY_BYTES:
        raise ValueError(f"{LAYER}: {size} octets, a frame has {MAX_BODY_BYTES} at most")
    top = _FORMAT_TYPE << 4 | size >> 8 | (_SEGMENTED if frame.segmented else 0)
    body = bytes((top, size & 0xFF)) + rest + bytes((frame.control.octet,))
    if information:
        body += fcs(body) + information
    return b"\x7e" + body + fcs(body) + b"\x7e"
