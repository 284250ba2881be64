"""All that was learnt of the frames of one capture, as one value."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from harness.han_ports import HanNetwork
from hil.zigbee_observation.census import beacon_of, strongest
from hil.zigbee_observation.heard import Heard
from hil.zigbee_observation.sights import Kind, sight_of
from hil.zigbee_observation.transfers import Transfer, transfers_of
from hil.zigbee_observation.wakes import Wakes, wakes_of


@dataclass(frozen=True, slots=True)
class Observation:
    """What a capture tells.

    Attributes:
        frames: Frames heard.
        unreadable: Frames whose first header could not be read.
        kinds: Frames of each kind.
        channels: Channels they were heard on.
        first_us: The first frame; 0 where there was none.
        last_us: The last.
        networks: Networks whose beacons were heard (others had asked for them).
        wakes: Statistics of each node.
        transfers: Firmware on the air.
    """

    frames: int
    unreadable: int
    kinds: tuple[tuple[Kind, int], ...]
    channels: tuple[int, ...]
    first_us: int
    last_us: int
    networks: tuple[HanNetwork, ...]
    wakes: tuple[Wakes, ...]
    transfers: tuple[Transfer, ...]

    @classmethod
    def of(cls, heard: Iterable[Heard]) -> Self:
        """Return what these frames tell, in any order."""
        frames = list(heard)
        seen = [(one, sight_of(one)) for one in frames]
        sights = [sight for _one, sight in seen if sight is not None]
        beacons = [
            beacon
            for one, sight in seen
            if sight is not None
            and (beacon := beacon_of(sight, one.channel, one.lqi, one.rssi_dbm)) is not None
        ]
        moments = [one.at_us for one in frames]
        return cls(
            len(frames),
            len(frames) - len(sights),
            tuple(sorted(Counter(sight.kind for sight in sights).items())),
            tuple(sorted({one.channel for one in frames})),
            min(moments, default=0),
            max(moments, default=0),
            strongest(beacons),
            tuple(wakes_of(sights)),
            tuple(transfers_of(sights)),
        )

    def row(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "frames": self.frames,
            "unreadable": self.unreadable,
            "kinds": {kind.name.lower(): count for kind, count in self.kinds},
            "channels": list(self.channels),
            "seconds": (self.last_us - self.first_us) / 1e6,
            "beacons_heard": len(self.networks),
            "nodes": [one.row() for one in self.wakes],
            "transfers": [one.row() for one in self.transfers],
        }
