"""An air whose frames are told as packets: what a receiver beside the NCP would capture."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from emulator.core.ids import Eui64
from emulator.ncp.air import HeardNetwork
from emulator.ncp.air_octets import AirOctets, UnwritableFrameError
from emulator.ncp.radio_frames import (
    Announcement,
    Attachment,
    FromNode,
    HeardPacket,
    RadioFrame,
    ToNode,
)
from emulator.ncp.surroundings import Record, Surroundings

#: How well that receiver hears everybody. Source: invented, as the NCP's own (`receiving`).
LQI: Final = 200
RSSI_DBM: Final = -50


class OverheardAir:
    """Surroundings as they are, with a receiver beside the NCP.

    What nodes say to each other past the NCP is not told, nor what waits for a sleeping child
    before it is fetched.
    """

    def __init__(
        self, inner: Surroundings, tell: Record, whose: Callable[[int], Eui64 | None]
    ) -> None:
        """Take the surroundings, who is told, and who knows a short address's owner."""
        self._inner = inner
        self._tell = tell
        self._whose = whose
        self._octets: AirOctets | None = None

    def _told(self, frame: RadioFrame, now: int, *, taken: bool) -> None:
        octets = self._octets
        if octets is None:
            return
        try:
            said = octets.write(frame, taken=taken)
        except UnwritableFrameError:
            return  # of a node that nothing has been heard of since the capture began
        for each in said:
            self._tell(HeardPacket(each.octets, octets.network.channel, RSSI_DBM, LQI), now)

    @property
    def deadline(self) -> int | None:
        """When there is something to take, in milliseconds."""
        return self._inner.deadline

    def networks(self, channel: int) -> Iterable[HeardNetwork]:
        """Return who answers a beacon request."""
        return self._inner.networks(channel)

    def energy(self, channel: int) -> int:
        """Return the most energy on a channel, in dBm."""
        return self._inner.energy(channel)

    def announce(self, network: Announcement | None, now: int) -> None:
        """Let the nodes around see the NCP's network."""
        self._inner.announce(network, now)
        known = self._octets
        if network is None:
            return
        if known is None or known.network.extended_pan_id != network.extended_pan_id:
            self._octets = AirOctets(network, self._whose)
        else:
            known.network = network

    def send(self, frame: ToNode, now: int) -> bool:
        """Put a frame of a coordinator on the air, and tell of it."""
        taken = self._inner.send(frame, now)
        self._told(frame, now, taken=taken)
        return taken

    def take(self, now: int) -> Sequence[RadioFrame]:
        """Return the frames that have reached the NCP, and tell of them."""
        frames = self._inner.take(now)
        for frame in frames:
            self._told(frame, now, taken=True)
        return frames

    def attach(self, place: Attachment | None, now: int) -> None:
        """Let the air know that the NCP is a node of a network."""
        self._inner.attach(place, now)

    def emit(self, frame: FromNode, now: int) -> bool:
        """Put a frame of a node on the air, and tell of it."""
        taken = self._inner.emit(frame, now)
        self._told(frame, now, taken=taken)
        return taken

    def listen(self, channel: int | None, now: int) -> None:
        """Receive everything on a channel."""
        self._inner.listen(channel, now)

    def heard(self, now: int) -> Sequence[HeardPacket]:
        """Return what was on the channel listened to."""
        return self._inner.heard(now)

    def transmit(self, packet: bytes, channel: int, now: int) -> bool:
        """Put octets on the air as they are."""
        return self._inner.transmit(packet, channel, now)

    def dump(self) -> dict[str, Any]:
        """Return what the surroundings remember."""
        return self._inner.dump()

    def load(self, state: dict[str, Any], now: int) -> None:
        """Take over a ``dump``."""
        self._inner.load(state, now)
