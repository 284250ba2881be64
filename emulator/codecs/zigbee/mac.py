"""IEEE 802.15.4 data frames with short addresses and their frame check sequence."""

import binascii
from dataclasses import dataclass
from struct import Struct, error
from typing import Any, Final

import construct as c

from emulator.codecs.zigbee.blocks import parse_part
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick

#: Short address of every node in range.
BROADCAST: Final = 0xFFFF
#: Octets of a MAC frame with its FCS at most (aMaxPHYPacketSize).
MAX_FRAME_BYTES: Final = 127
#: Octets that header and FCS take from it.
OVERHEAD_BYTES: Final = 11

_LAYER: Final = "zigbee.mac"
_ACK_REQUEST: Final = 0x0020
_PENDING: Final = 0x0010
_DATA_SHORT_COMPRESSED: Final = 0x8841  # data, PAN id compressed, two short addresses, 2003 version
_HEADER: Final = Struct("<HBHHH")
_REVERSED: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))

# The declaration. Frame control is sent low octet first, hence the swapped bit rows.
_CONTROL: Final = c.ByteSwapped(
    c.BitStruct(
        "source_mode" / c.BitsInteger(2),
        "version" / c.BitsInteger(2),
        "destination_mode" / c.BitsInteger(2),
        c.Padding(3),
        "pan_id_compression" / c.Flag,
        "ack_request" / c.Flag,
        "frame_pending" / c.Flag,
        "security" / c.Flag,
        "frame_type" / c.BitsInteger(3),
    )
)
_FORMAT: Final = c.Struct(
    "control" / _CONTROL,
    "sequence" / c.Int8ul,
    "pan_id" / c.Int16ul,
    "destination" / c.Int16ul,
    "source" / c.Int16ul,
)


@quick
@dataclass(frozen=True, slots=True)
class MacFrame:
    """One data frame inside one PAN, unencrypted at this layer (as in Zigbee).

    Attributes:
        sequence: MAC sequence number, one octet.
        pan_id: Both nodes' PAN identifier, 16 bits.
        destination: Short address, 16 bits; 0xFFFF is broadcast.
        source: Short address, 16 bits.
        payload: The NWK frame, at most 116 octets.
        ack_request: Ask for a MAC acknowledgement.
        frame_pending: More data waits for a polling (sleepy) receiver.
    """

    sequence: int
    pan_id: int
    destination: int
    source: int
    payload: bytes
    ack_request: bool = False
    frame_pending: bool = False


def fcs(octets: bytes) -> int:
    """Return the 16-bit frame check sequence over header and payload.

    CRC of ITU-T, x^16 + x^12 + x^5 + 1, remainder 0 at the start, least significant bit first
    (the CRC catalogues' "KERMIT"); sent low octet first. It cannot see zero octets added behind
    it; on a radio the length in the physical header does.

    Source:
        IEEE 802.15.4-2006 7.2.1.9, whose worked example (an acknowledgement) is a test.
    """
    return int.from_bytes(check_octets(octets), "little")


def check_octets(octets: bytes) -> bytes:
    """Return the frame check sequence over header and payload, as it is sent: low octet first."""
    crc = binascii.crc_hqx(octets.translate(_REVERSED), 0)
    return crc.to_bytes(2, "big").translate(_REVERSED)


def decode(data: bytes) -> MacFrame:
    """Read one MAC data frame, FCS included.

    Raises:
        MalformedFrameError: Wrong FCS, too short, longer than 127 octets, or not a data frame with
            PAN id compression and two short addresses.

    Source:
        IEEE 802.15.4-2006 7.2.1 and 7.2.2.2.
    """
    if not OVERHEAD_BYTES <= len(data) <= MAX_FRAME_BYTES:
        raise MalformedFrameError(_LAYER, data, f"a frame has 11 to 127 octets, not {len(data)}")
    body = data[:-2]
    if check_octets(body) != data[-2:]:
        raise MalformedFrameError(_LAYER, data, "frame check sequence wrong", len(body))
    control, sequence, pan_id, destination, source = _HEADER.unpack_from(body)
    flags = control ^ _DATA_SHORT_COMPRESSED
    if flags == 0:
        return MacFrame(sequence, pan_id, destination, source, body[9:])
    if flags & ~(_ACK_REQUEST | _PENDING):
        raise MalformedFrameError(_LAYER, data, _why_unsupported(body), 0)
    ack_request, pending = bool(flags & _ACK_REQUEST), bool(flags & _PENDING)
    return MacFrame(sequence, pan_id, destination, source, body[9:], ack_request, pending)


def encode(frame: MacFrame) -> bytes:
    """Write one MAC data frame with its FCS.

    Raises:
        ValueError: A field is out of range or the frame is longer than 127 octets.
    """
    control = _DATA_SHORT_COMPRESSED
    if frame.ack_request:
        control |= _ACK_REQUEST
    if frame.frame_pending:
        control |= _PENDING
    try:
        header = _HEADER.pack(
            control, frame.sequence, frame.pan_id, frame.destination, frame.source
        )
    except error as wrong:
        raise ValueError(f"{_LAYER}: {wrong}") from wrong
    body = header + frame.payload
    if len(body) + 2 > MAX_FRAME_BYTES:
        raise ValueError(f"{_LAYER}: {len(body) + 2} octets, a frame has 127 at most")
    return body + check_octets(body)


def _why_unsupported(body: bytes) -> str:
    control: Any = parse_part(_LAYER, _FORMAT, body)[0].control
    if control.frame_type != 1:
        return f"frame type {control.frame_type} is not data"
    if control.security:
        return "MAC security is not used in Zigbee"
    if control.version != 0:
        return f"frame version {control.version} is not 0"
    if (control.destination_mode, control.source_mode) != (2, 2):
        return "both addresses must be short ones"
    if not control.pan_id_compression:
        return "PAN id compression is missing"
    return "a reserved bit of the frame control is set"
