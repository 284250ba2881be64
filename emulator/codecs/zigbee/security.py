"""The auxiliary header that every secured Zigbee frame bears, and the nonce it stands for."""

import enum
from dataclasses import dataclass
from typing import Any, Final

import construct as c

from emulator.codecs.zigbee.blocks import Eui64LittleEndian, build, parse_part
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

#: Enciphered, with a check of four octets: the one level Zigbee uses. It stands in the nonce and in
#: what is authenticated; on the air its three bits are zero.
LEVEL: Final = 5
#: Octets of the check behind a secured payload.
CHECK_OCTETS: Final = 4
#: Frame counters run up to here and never again from the start.
MAX_COUNTER: Final = 0xFFFFFFFF

_LAYER: Final = "zigbee.security"
_EXTENDED_NONCE: Final = 0x20


class KeyId(enum.IntEnum):
    """Which key a frame is secured with.

    Source:
        Zigbee specification 05-3474, table 4-31 (known); checked with tshark 4.0.17.
    """

    DATA = 0
    NETWORK = 1
    KEY_TRANSPORT = 2
    KEY_LOAD = 3


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """An auxiliary header.

    Attributes:
        key_id: Which key.
        counter: Frame counter of the sender under that key, 32 bits.
        source: The sender, where the header names it; the network layer always does.
        key_sequence: Number of the network key; None with every other key.
    """

    key_id: KeyId
    counter: int
    source: Eui64 | None = None
    key_sequence: int | None = None

    def control(self, level: int) -> int:
        """Return the security control octet with ``level`` in it."""
        return level | self.key_id << 3 | (_EXTENDED_NONCE if self.source is not None else 0)

    def nonce(self, sender: Eui64) -> bytes:
        """Return the 13 octets of the nonce.

        Args:
            sender: Who sent the frame: ``source`` where that is there.
        """
        counter = self.counter.to_bytes(4, "little")
        return sender.octets[::-1] + counter + bytes((self.control(LEVEL),))


_FORMAT: Final = c.Struct(
    "control"
    / c.BitStruct(
        "reserved" / c.BitsInteger(2),
        "extended_nonce" / c.Flag,
        "key_id" / c.BitsInteger(2),
        "level" / c.BitsInteger(3),
    ),
    "counter" / c.Int32ul,
    "source" / c.If(c.this.control.extended_nonce, Eui64LittleEndian()),
    "key_sequence" / c.If(c.this.control.key_id == KeyId.NETWORK, c.Int8ul),
)


def encode(header: Auxiliary, level: int = 0) -> bytes:
    """Write an auxiliary header: as on the air, or with `LEVEL` as it is authenticated.

    Raises:
        ValueError: A field is out of range, or the key's number is missing or superfluous.
    """
    if (header.key_sequence is None) == (header.key_id is KeyId.NETWORK):
        raise ValueError(f"{_LAYER}: a network key has a number, other keys have none")
    values = {
        "control": {
            "reserved": 0,
            "extended_nonce": header.source is not None,
            "key_id": int(header.key_id),
            "level": level,
        },
        "counter": header.counter,
        "source": header.source,
        "key_sequence": header.key_sequence,
    }
    return build(_LAYER, _FORMAT, values)


def decode(data: bytes, offset: int = 0) -> tuple[Auxiliary, int]:
    """Read the auxiliary header at ``offset``; return it and the offset behind it.

    Raises:
        MalformedFrameError: Too short, a level on the air, or a reserved bit.

    Source:
        Zigbee specification 05-3474, 4.5.1; checked with tshark 4.0.17.
    """
    raw: Any
    raw, end = parse_part(_LAYER, _FORMAT, data, offset)
    if raw.control.level or raw.control.reserved:
        raise MalformedFrameError(_LAYER, data, "a level or a reserved bit is set", offset)
    return Auxiliary(KeyId(raw.control.key_id), raw.counter, raw.source, raw.key_sequence), end
