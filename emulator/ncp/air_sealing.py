"""The octets of one network's frames: headers, frame counters and seals, sender by sender."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.codecs.zigbee import aps_header, mac, mac_commands, nwk_header
from emulator.codecs.zigbee.aps_header import ApsOuter, Carried
from emulator.codecs.zigbee.mac import MacFrame
from emulator.codecs.zigbee.nwk_header import NwkHeader
from emulator.codecs.zigbee.security import MAX_COUNTER, Auxiliary, KeyId
from emulator.core.ids import Eui64
from emulator.crypto.zigbee_security import seal
from emulator.ncp.radio_frames import BROADCASTS

#: Hops a frame may make. Source: known (Zigbee specification, twice nwkMaxDepth of 15).
RADIUS: Final = 30
#: Number of a network's first key.
FIRST_KEY: Final = 0


@dataclass(slots=True)
class _Counts:
    """What one sender has counted so far."""

    mac: int = 0
    nwk: int = 0
    aps: int = 0
    network: int = 0
    link: int = 0


@dataclass(frozen=True, slots=True)
class Hop:
    """Between whom a frame goes.

    Attributes:
        sender: EUI-64 of the sender.
        source: Its short address.
        destination: Short address of the receiver, or a broadcast address.
        receiver: EUI-64 of the receiver, where the header is to name it.
    """

    sender: Eui64
    source: int
    destination: int
    receiver: Eui64 | None = None


@dataclass(slots=True)
class Sealing:
    """Writes MAC frames of one PAN; counts for every sender that does not count itself.

    Attributes:
        pan_id: The PAN.
        key_sequence: Number of its network key.
    """

    pan_id: int
    key_sequence: int = FIRST_KEY
    _counts: dict[Eui64, _Counts] = field(default_factory=dict)

    def _of(self, sender: Eui64) -> _Counts:
        return self._counts.setdefault(sender, _Counts())

    def mac_sequence(self, sender: Eui64) -> int:
        """Return the MAC sequence number of a sender's next frame."""
        counts = self._of(sender)
        counts.mac = (counts.mac + 1) & 0xFF
        return counts.mac

    def aps_counter(self, sender: Eui64) -> int:
        """Return the APS counter of a sender's next command."""
        counts = self._of(sender)
        counts.aps = (counts.aps + 1) & 0xFF
        return counts.aps

    def nwk(
        self,
        hop: Hop,
        payload: bytes,
        network_key: bytes | None,
        *,
        command: bool = False,
        named: bool = False,
    ) -> bytes:
        """Return the MAC frame around a NWK frame, FCS included.

        Args:
            hop: Between whom.
            payload: An APS frame, or a network command.
            network_key: Key it is sealed under; None: in the clear.
            command: Whether it is a network command.
            named: Whether the header names both by their EUI-64, as commands do.

        Raises:
            ValueError: The frame is longer than a radio can send, or the sender's counter is used
                up.
        """
        counts = self._of(hop.sender)
        counts.nwk = (counts.nwk + 1) & 0xFF
        header = NwkHeader(
            hop.destination,
            hop.source,
            RADIUS,
            counts.nwk,
            command,
            network_key is not None,
            hop.receiver if named else None,
            hop.sender if named else None,
            int(not command and hop.destination not in BROADCASTS),
        )
        octets = nwk_header.encode(header)
        if network_key is None:
            return self._mac(hop, octets + payload)
        counts.network = _next(counts.network)
        auxiliary = Auxiliary(KeyId.NETWORK, counts.network, hop.sender, self.key_sequence)
        return self._mac(hop, seal(octets, auxiliary, payload, network_key, hop.sender))

    def _mac(self, hop: Hop, packet: bytes) -> bytes:
        everybody = hop.destination in BROADCASTS
        frame = MacFrame(
            self.mac_sequence(hop.sender),
            self.pan_id,
            mac.BROADCAST if everybody else hop.destination,
            hop.source,
            packet,
            not everybody,
        )
        return mac_commands.encode(frame)

    def aps(  # noqa: PLR0913 -- a frame, how it goes, and the key with its three circumstances
        self,
        sender: Eui64,
        frame: Carried,
        payload: bytes,
        outer: ApsOuter,
        key: bytes | None = None,
        *,
        key_id: KeyId = KeyId.DATA,
        counter: int | None = None,
    ) -> bytes:
        """Return an APS frame, sealed where there is a key.

        Args:
            sender: Who sends it.
            frame: Its header's fields.
            payload: What is sealed.
            outer: Whom it is for.
            key: Link key; None: in the clear.
            key_id: What of the link key seals it.
            counter: Frame counter the sender has given it; None: it is counted here.
        """
        if key is None:
            return aps_header.encode_header(frame, outer) + payload
        counts = self._of(sender)
        counts.link = _next(counts.link) if counter is None else max(counter, counts.link)
        used = counts.link if counter is None else counter
        named = sender if key_id is not KeyId.DATA else None
        auxiliary = Auxiliary(key_id, used, named)
        header = aps_header.encode_header(frame, ApsOuter(outer.delivery, outer.group, True))
        return seal(header, auxiliary, payload, key, sender)

    def dump(self) -> dict[str, list[int]]:
        """Return every sender's counts as plain data."""
        return {
            eui64.hex: [counts.mac, counts.nwk, counts.aps, counts.network, counts.link]
            for eui64, counts in self._counts.items()
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a ``dump``."""
        self._counts = {Eui64.parse(eui64): _Counts(*row) for eui64, row in state.items()}


def _next(counter: int) -> int:
    if counter >= MAX_COUNTER:
        raise ValueError("a frame counter is used up: no frame may be sealed with it again")
    return counter + 1
