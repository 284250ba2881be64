"""What an NCP hears of the radio: the port that a medium fills."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from emulator.codecs.ezsp.structures import FoundNetwork
from emulator.ncp.radio_frames import Announcement, FromNode, ToNode

#: Channels of the 2.4 GHz band.
CHANNELS: Final = range(11, 27)
#: What a receiver measures where nobody sends, in dBm.
QUIET_DBM: Final = -100


@dataclass(frozen=True, slots=True)
class HeardNetwork:
    """A beacon as it was heard.

    Attributes:
        network: What it says.
        lqi: Link quality, 0 to 255.
        rssi: dBm.
    """

    network: FoundNetwork
    lqi: int
    rssi: int


class Air(Protocol):
    """The radio's surroundings."""

    def networks(self, channel: int) -> Iterable[HeardNetwork]:
        """Return who answers a beacon request on a channel."""
        ...

    def energy(self, channel: int) -> int:
        """Return the most energy on a channel while it is listened to, in dBm."""
        ...

    @property
    def deadline(self) -> int | None:
        """When ``take`` has something to give, in milliseconds; None: never."""
        ...

    def announce(self, network: Announcement | None, now: int) -> None:
        """Let the nodes around see the NCP's network; None: it is not on the air."""
        ...

    def send(self, frame: ToNode, now: int) -> bool:
        """Put a frame on the air; say whether the receiver's radio has taken it."""
        ...

    def take(self, now: int) -> list[FromNode]:
        """Return the frames that have reached the NCP since last asked, in order."""
        ...


class QuietAir:
    """Nobody is there."""

    def networks(self, channel: int) -> tuple[HeardNetwork, ...]:
        """Return nothing, on any channel.

        Raises:
            ValueError: There is no such channel.
        """
        self._check(channel)
        return ()

    def energy(self, channel: int) -> int:
        """Return the noise of the receiver, in dBm.

        Raises:
            ValueError: There is no such channel.
        """
        self._check(channel)
        return QUIET_DBM

    @property
    def deadline(self) -> int | None:
        """Nothing ever comes."""
        return None

    def announce(self, network: Announcement | None, now: int) -> None:
        """Nobody looks."""

    def send(self, frame: ToNode, now: int) -> bool:  # noqa: ARG002 - nobody is there
        """Nobody hears it."""
        return False

    def take(self, now: int) -> list[FromNode]:  # noqa: ARG002 - nobody is there
        """Return nothing."""
        return []

    def _check(self, channel: int) -> None:
        if channel not in CHANNELS:
            raise ValueError(f"channels run from 11 to 26, not {channel}")
