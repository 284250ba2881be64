"""What ASH does to octets: reserved values, byte stuffing, the check and the randomising."""

import re
from binascii import crc_hqx
from typing import Final

FLAG: Final = 0x7E
ESCAPE: Final = 0x7D
XON: Final = 0x11
XOFF: Final = 0x13
SUBSTITUTE: Final = 0x18
CANCEL: Final = 0x1A
#: Length of the check at the end of every frame.
CRC_BYTES: Final = 2

#: What the check begins with.
CRC_START: Final = 0xFFFF

#: What an escape turns in the octet behind it.
INVERTED: Final = 0x20
_ESCAPED: Final = re.compile(rb"\x7d(.)", re.DOTALL)
#: The escape itself first: those that stand for other values are no values to be escaped.
_STUFFED: Final = tuple(
    (bytes((octet,)), bytes((ESCAPE, octet ^ INVERTED)))
    for octet in (ESCAPE, FLAG, XON, XOFF, SUBSTITUTE, CANCEL)
)
_SEED: Final = 0x42
_TAP: Final = 0xB8
_LONGEST: Final = 256


def _sequence(count: int) -> bytes:
    """Return the first octets of the randomising sequence."""
    octets = bytearray()
    register = _SEED
    for _ in range(count):
        octets.append(register)
        register = register >> 1 ^ (_TAP if register & 1 else 0)
    return bytes(octets)


#: The randomising sequence; no DATA field is longer.
RANDOM_SEQUENCE: Final = _sequence(_LONGEST)
_RANDOM: Final = tuple(
    int.from_bytes(RANDOM_SEQUENCE[:count], "big") for count in range(_LONGEST + 1)
)


def check(octets: bytes) -> bytes:
    """Return the CRC-CCITT (initial value 0xFFFF) of ``octets``, most significant octet first.

    Source:
        UG101 2.3; checked on the frames of reference zigbee-dongle.md section 2.2.
    """
    return crc_hqx(octets, CRC_START).to_bytes(CRC_BYTES, "big")


def randomise(payload: bytes) -> bytes:
    """Exclusive-or a DATA field with the randomising sequence; doing it twice undoes it.

    Args:
        payload: At most 256 octets.

    Source:
        UG101 4.3; checked on the sequence and the frames of zigbee-dongle.md section 2.2.
    """
    size = len(payload)
    return (int.from_bytes(payload, "big") ^ _RANDOM[size]).to_bytes(size, "big")


def stuff(octets: bytes) -> bytes:
    """Escape the reserved values, so that none of them stands inside a frame."""
    for plain, escaped in _STUFFED:
        octets = octets.replace(plain, escaped)
    return octets


def unstuff(octets: bytes) -> bytes | None:
    """Undo ``stuff``; None when the last octet announces another one that is not there."""
    if ESCAPE not in octets:
        return octets
    plain = _ESCAPED.sub(lambda found: bytes((found.group(1)[0] ^ INVERTED,)), octets)
    # An escape in front of an escape is 0x5D; a lone one at the end was left as it is.
    return None if _ends_open(octets) else plain


def _ends_open(octets: bytes) -> bool:
    """Say whether the last octet is an escape that is not itself escaped."""
    trailing = len(octets) - len(octets.rstrip(bytes((ESCAPE,))))
    return trailing % 2 == 1
