"""What is on the air of a HAN, in octets: for a capture, and for a radio that listens."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from emulator.core.ids import Eui64
from emulator.ncp.air_octets import Said, reception
from emulator.ncp.radio_frames import HeardPacket
from emulator.ncp.surroundings import Record

#: Packets that wait for a listening host. Source: invented; a chip keeps far fewer.
MAX_HEARD: Final = 4096


class AirTap:
    """Gives packets to a capture, and to a radio that listens on a channel.

    Attributes:
        channel: What the radio listens to; None: it does not.
    """

    def __init__(self, record: Record | None = None) -> None:
        """Take the capture; None: there is none."""
        self.channel: int | None = None
        self._record = record
        self._heard: deque[HeardPacket] = deque(maxlen=MAX_HEARD)

    @property
    def wanted(self) -> bool:
        """Whether anybody takes packets."""
        return self._record is not None or self.channel is not None

    @property
    def waits(self) -> bool:
        """Whether there are packets that the listening radio has not taken."""
        return bool(self._heard)

    def listen(self, channel: int | None) -> None:
        """Let the radio listen to a channel; what it has not taken of another one is lost."""
        self.channel = channel
        self._heard.clear()

    def put(self, said: Sequence[Said], now: int, channel: int, mine: Eui64) -> None:
        """Take packets that follow each other on the air.

        Args:
            said: The packets.
            now: When, in milliseconds of the NCP.
            channel: Where.
            mine: The listening radio: it does not hear itself.
        """
        for one in said:
            rssi, lqi = reception(one.sender)
            packet = HeardPacket(one.octets, channel, rssi, lqi)
            if self._record is not None:
                self._record(packet, now)
            if channel == self.channel and one.sender != mine:
                self._heard.append(packet)

    def take(self) -> list[HeardPacket]:
        """Return what the listening radio has heard, in order."""
        taken = list(self._heard)
        self._heard.clear()
        return taken
