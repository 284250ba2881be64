"""What anybody who hears a frame can see of it: the headers that are sent in the clear.

This reader takes whatever form a real radio sends (all addressing modes, acknowledgements,
commands, beacons, security headers) and never raises: what cannot be read is left out.
"""

import enum
import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

from emulator.core.ids import Eui64
from harness.report.air_tap import FCS_BYTES
from hil.zigbee_observation.heard import Heard

Address: TypeAlias = int | Eui64

#: MAC command by which a node asks its parent for what waits for it. Source: IEEE 802.15.4, 7.3.
DATA_REQUEST: Final = 4
#: MAC addresses and NWK addresses from here on are broadcasts. Source: Zigbee, 3.6.5.
FIRST_BROADCAST: Final = 0xFFF8

_COMPRESSED: Final = 0x0040
_SECURED_MAC: Final = 0x0008
_MAX_VERSION: Final = 1
_SHORT, _LONG = 2, 3
_NWK_VERSION: Final = 2
_NWK_MULTICAST, _NWK_SECURED, _NWK_ROUTED = 0x0100, 0x0200, 0x0400
_NWK_LONG_DESTINATION, _NWK_LONG_SOURCE = 0x0800, 0x1000
_EUI64_BYTES: Final = 8


class Kind(enum.IntEnum):
    """Frame types of the MAC layer."""

    BEACON = 0
    DATA = 1
    ACK = 2
    COMMAND = 3


@dataclass(frozen=True, slots=True)
class NetworkSight:
    """What is seen of a NWK frame.

    Attributes:
        source: Short address of who sent it first.
        destination: Short address of who it is for.
        sequence: NWK sequence number.
        secured: Whether the rest is enciphered.
        is_command: A command of the network layer, no data.
        payload: What follows the header where it is not enciphered.
        source_eui64: The sender's EUI-64, where the header tells it.
    """

    source: int
    destination: int
    sequence: int
    secured: bool
    is_command: bool
    payload: bytes
    source_eui64: Eui64 | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of a frame.

    Attributes:
        at_us: When it was heard.
        size: Octets on the air, check sequence included.
        kind: MAC frame type.
        sequence: MAC sequence number.
        pan: PAN of the receiver, or of the sender where no receiver is named.
        source: Who sent it (this hop); None: it does not say.
        destination: Who it is for (this hop).
        command: Identifier of a MAC command.
        network: The NWK frame in a data frame.
        payload: MAC payload.
    """

    at_us: int
    size: int
    kind: Kind
    sequence: int
    pan: int | None = None
    source: Address | None = None
    destination: Address | None = None
    command: int | None = None
    network: NetworkSight | None = None
    payload: bytes = b""

    @property
    def is_poll(self) -> bool:
        """Whether a sleeping node asks for what waits for it."""
        return self.kind is Kind.COMMAND and self.command == DATA_REQUEST

    @property
    def ends(self) -> tuple[Address | None, Address | None]:
        """Who sent it first and who it is for at last, as far as the headers tell."""
        if self.network is not None:
            return self.network.source, self.network.destination
        return self.source, self.destination


class _Reader:
    """Takes octets from the front."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def octets(self, count: int) -> bytes:
        taken = self._octets[self._at : self._at + count]
        if len(taken) != count:
            raise struct.error("too short")
        self._at += count
        return taken

    def number(self, count: int) -> int:
        return int.from_bytes(self.octets(count), "little")

    def eui64(self) -> Eui64:
        return Eui64(self.octets(_EUI64_BYTES)[::-1])

    def rest(self) -> bytes:
        return self._octets[self._at :]


def sight_of(heard: Heard) -> Sight | None:
    """Return what is seen of a frame; None where not even its first header can be read."""
    try:
        return _mac(heard)
    except (struct.error, ValueError):
        return None


def named(address: Address) -> str:
    """Return an address in words: ``0x1A2B``, or an EUI-64."""
    return f"0x{address:04X}" if isinstance(address, int) else str(address)


def _mac(heard: Heard) -> Sight:
    reader = _Reader(heard.octets)
    control, sequence = reader.number(2), reader.number(1)
    kind = Kind(control & 7)
    size = len(heard.octets) + FCS_BYTES
    if kind is Kind.ACK:
        return Sight(heard.at_us, size, kind, sequence)
    if control >> 12 & 3 > _MAX_VERSION:
        raise ValueError("a frame version of later standards")
    pan, destination, source = _addresses(reader, control)
    secured = bool(control & _SECURED_MAC)
    command = reader.number(1) if kind is Kind.COMMAND and not secured else None
    payload = reader.rest()
    network = _network(payload) if kind is Kind.DATA and not secured else None
    return Sight(
        heard.at_us, size, kind, sequence, pan, source, destination, command, network, payload
    )


def _addresses(reader: _Reader, control: int) -> tuple[int | None, Address | None, Address | None]:
    to_mode, from_mode = control >> 10 & 3, control >> 14 & 3
    pan = reader.number(2) if to_mode else None
    destination = _address(reader, to_mode)
    if from_mode and not (control & _COMPRESSED and pan is not None):
        source_pan = reader.number(2)
        pan = source_pan if pan is None else pan
    return pan, destination, _address(reader, from_mode)


def _address(reader: _Reader, mode: int) -> Address | None:
    if mode == _SHORT:
        return reader.number(2)
    return reader.eui64() if mode == _LONG else None


def _network(payload: bytes) -> NetworkSight | None:
    """Read a NWK header; None where it is another protocol's, or an inter-PAN frame's."""
    reader = _Reader(payload)
    try:
        control = reader.number(2)
        if control >> 2 & 0xF != _NWK_VERSION or control & 3 not in {0, 1}:
            return None
        destination, source, _radius, sequence = struct.unpack("<HHBB", reader.octets(6))
        if control & _NWK_LONG_DESTINATION:
            reader.eui64()
        sender = reader.eui64() if control & _NWK_LONG_SOURCE else None
        if control & _NWK_MULTICAST:
            reader.number(1)
        if control & _NWK_ROUTED:
            reader.octets(1 + 2 * _relays(reader))
    except struct.error:
        return None
    secured = bool(control & _NWK_SECURED)
    rest = b"" if secured else reader.rest()
    return NetworkSight(source, destination, sequence, secured, control & 3 == 1, rest, sender)


def _relays(reader: _Reader) -> int:
    return reader.number(1)
