"""When the nodes of a HAN wake: gaps between what each of them transmits.

Nothing needs a key: who transmits when stands in the clear. A node that never asks its parent for
what waits for it (a *poll*) may be one that listens always.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from hil.zigbee_observation.sights import Address, Sight, named
from hil.zigbee_observation.spread import Spread, gaps

#: Transmissions of a node that follow each other closer than this are of one wake.
#: Source: stand-in; a poll's answer takes some milliseconds, a sleepy meter wakes every 30 min.
AWAKE_US: Final = 500_000


@dataclass(frozen=True, slots=True)
class Wakes:
    """The transmissions of one node.

    Attributes:
        node: Its address as the MAC layer tells it.
        pan: PAN it sends in.
        frames: How many frames it sent.
        polls: How many of them asked for what waits.
        wakes: How many times it began to send.
        first_us: Its first frame.
        last_us: Its last.
        intervals: From the beginning of a wake to that of the next; None below two wakes.
        transmissions: From each frame to the next; None below two frames.
    """

    node: Address
    pan: int | None
    frames: int
    polls: int
    wakes: int
    first_us: int
    last_us: int
    intervals: Spread | None
    transmissions: Spread | None

    def row(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "node": named(self.node),
            "pan_id": None if self.pan is None else named(self.pan),
            "frames": self.frames,
            "polls": self.polls,
            "wakes": self.wakes,
            "wake_intervals": None if self.intervals is None else self.intervals.row(),
            "transmission_gaps": None if self.transmissions is None else self.transmissions.row(),
        }


def wakes_of(sights: Iterable[Sight], awake_us: int = AWAKE_US) -> list[Wakes]:
    """Return the statistics of each node that was heard, the busiest first.

    Args:
        sights: Frames in any order; those that name no sender (acknowledgements) do not count.
        awake_us: Two transmissions at most so far apart are of one wake.
    """
    heard: dict[tuple[int | None, Address], list[Sight]] = {}
    for sight in sights:
        if sight.source is not None:
            heard.setdefault((sight.pan, sight.source), []).append(sight)
    found = [_of_node(node, pan, rows, awake_us) for (pan, node), rows in heard.items()]
    return sorted(found, key=lambda one: (-one.frames, named(one.node), one.pan or 0))


def beginnings(moments_us: Iterable[int], awake_us: int = AWAKE_US) -> list[int]:
    """Return the moments that begin a wake, of all moments a node transmitted at."""
    begun: list[int] = []
    last: int | None = None
    for moment in sorted(moments_us):
        if last is None or moment - last > awake_us:
            begun.append(moment)
        last = moment
    return begun


def _of_node(node: Address, pan: int | None, sights: list[Sight], awake_us: int) -> Wakes:
    moments = sorted(sight.at_us for sight in sights)
    begun = beginnings(moments, awake_us)
    return Wakes(
        node,
        pan,
        len(moments),
        sum(sight.is_poll for sight in sights),
        len(begun),
        moments[0],
        moments[-1],
        Spread.of(gaps(begun)),
        Spread.of(gaps(moments)),
    )
