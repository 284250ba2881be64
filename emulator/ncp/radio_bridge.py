"""The air between an NCP and emulated nodes: fills the NCP's `Air` port with a home."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.ncp.air import QUIET_DBM, HeardNetwork, QuietAir
from emulator.ncp.member import Member
from emulator.ncp.member_plan import Log, MemberPlan, Stage
from emulator.ncp.radio_frames import (
    BROADCASTS,
    Announcement,
    DataFrame,
    FromNode,
    ToNode,
)

#: Order that takes the supply from a node, and how long it may be away. Source: invented.
POWER_CUT: Final = "power-cut"
_LONGEST_CUT_S: Final = 366 * 86_400.0
#: Destinations of frames that reach the NCP.
_NCP_HEARS: Final = BROADCASTS | {0x0000}


@dataclass(frozen=True, slots=True)
class HomeClock:
    """The devices' clock: begins at a moment, and runs as fast as it is told.

    Attributes:
        start: What it shows at millisecond ``base`` of the NCP.
        base: That millisecond.
        factor: How much faster it runs than the NCP's, more than 0.
    """

    start: UtcMs
    base: int = 0
    factor: float = 1.0

    def utc(self, at: int) -> UtcMs:
        """Return what it shows at a moment of the NCP."""
        return UtcMs(self.start + int((at - self.base) * self.factor))

    def ncp_ms(self, at: UtcMs) -> int:
        """Return the NCP's milliseconds at which it shows ``at``."""
        return self.base + math.ceil((at - self.start) / self.factor)


def _unheard(_name: str, _note: Note) -> None:
    """Keep a note from everybody."""


class RadioBridge(QuietAir):
    """Emulated nodes within reach of one NCP; frames arrive at once and none is lost.

    Attributes:
        members: The nodes.
        neighbours: Other networks that an active scan finds.
    """

    def __init__(
        self,
        plans: Sequence[MemberPlan],
        clock: HomeClock,
        log: Log = _unheard,
        neighbours: Sequence[HeardNetwork] = (),
    ) -> None:
        """Take the nodes, their clock, and who is told of what they note."""
        self.members = [Member(plan, clock, log, self) for plan in plans]
        self.neighbours = tuple(neighbours)
        self._by_eui64 = {member.plan.eui64: member for member in self.members}
        self._network: Announcement | None = None
        self._clock = clock
        self._dark: dict[Eui64, int] = {}  # without power, until a moment of the NCP

    def networks(self, channel: int) -> tuple[HeardNetwork, ...]:
        """Return who answers a beacon request on a channel."""
        self._check(channel)
        return tuple(heard for heard in self.neighbours if heard.network.channel == channel)

    def energy(self, channel: int) -> int:
        """Return the most energy on a channel while it is listened to, in dBm."""
        self._check(channel)
        rssi = [heard.rssi for heard in self.networks(channel)]
        return max(rssi, default=QUIET_DBM)

    @property
    def deadline(self) -> int | None:
        """When a node has something to do, in milliseconds; 0: it has sent something."""
        first = min(self._dark.values(), default=None) if self._dark else None
        for member in self._lit:
            if member.uplink:
                return 0
            at = member.timers.deadline
            if at is not None and (first is None or at < first):
                first = at
        return first

    def announce(self, network: Announcement | None, now: int) -> None:
        """Let the nodes see the NCP's network."""
        self._network = network
        for member in self._lit:
            member.see(network, now)

    @property
    def _lit(self) -> list[Member]:
        """The nodes that have power."""
        if not self._dark:
            return self.members
        return [member for member in self.members if member.plan.eui64 not in self._dark]

    def order(self, word: str, rest: str, now: int) -> bool:
        """Carry out an order: ``power-cut EUI64 SECONDS``, by the devices' clock.

        A node without power is off the network; it keeps network and keys, and comes back by
        itself. A second cut while it has none only says when it comes back.

        Returns:
            False where the order means nothing.
        """
        text, _, seconds = rest.partition(" ")
        try:
            device, off_s = Eui64.parse(text), float(seconds)
        except ValueError:
            return False
        if word != POWER_CUT or device not in self._by_eui64 or not 0 < off_s <= _LONGEST_CUT_S:
            return False
        self.cut_power(device, off_s, now)
        return True

    def cut_power(self, device: Eui64, off_s: float, now: int) -> None:
        """Take the supply from a node for so many seconds of its clock; 0: for good."""
        member = self._by_eui64[device]
        if device not in self._dark:
            member.lose_power(now)
        until = UtcMs(self._clock.utc(now) + round((off_s or _LONGEST_CUT_S) * 1000))
        self._dark[device] = self._clock.ncp_ms(until)

    def _light(self, now: int) -> None:
        """Give power back to those whose time has come."""
        for device in [one for one, until in self._dark.items() if until <= now]:
            del self._dark[device]
            member = self._by_eui64[device]
            member.uplink.clear()
            member.see(self._network, now)

    def send(self, frame: ToNode, now: int) -> bool:
        """Bring a frame to the node it is for, or to all; say whether a radio has taken it."""
        if not isinstance(frame, DataFrame):
            return self._give(self._by_eui64.get(frame.eui64), frame, now)
        if frame.destination in BROADCASTS:
            for member in self.members:
                if member.stage is Stage.IN and not member.sleepy:
                    member.hear(frame, now)
            return True
        return self._give(self._with(frame.destination), frame, now)

    def place_of(self, eui64: Eui64) -> tuple[int, int] | None:
        """Return short address and endpoint of a node on the network."""
        member = self._by_eui64.get(eui64)
        if member is None or member.short is None:
            return None
        return member.short, member.plan.endpoint.endpoint

    def eui64_of(self, short: int) -> Eui64 | None:
        """Return who has a short address."""
        member = self._with(short)
        return None if member is None else member.plan.eui64

    def _with(self, short: int) -> Member | None:
        for member in self._lit:
            if member.short == short:
                return member
        return None

    def _give(self, member: Member | None, frame: ToNode, now: int) -> bool:
        if member is None or (self._dark and member.plan.eui64 in self._dark):
            return False
        member.hear(frame, now)
        return True

    def take(self, now: int) -> list[FromNode]:
        """Let the nodes do what is due, and return what they have sent to the NCP or to all."""
        frames: list[FromNode] = []
        if self._dark:
            self._light(now)
        for member in self._lit:
            at = member.timers.deadline
            if at is not None and at <= now:
                member.tick(now)
        for member in self.members:
            if member.uplink:
                sent, member.uplink = member.uplink, []
                frames += [frame for frame in sent if not self._passed_on(frame, now)]
        return frames

    def _passed_on(self, frame: FromNode, now: int) -> bool:
        """Bring a frame for another node there (nothing of it reaches the NCP's host)."""
        if not isinstance(frame, DataFrame) or frame.destination in _NCP_HEARS:
            return False
        other = self._with(frame.destination)
        if other is not None and other.awake:
            other.hear(frame, now)
        return True

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power; keys are in the clear."""
        return {member.plan.eui64.hex: member.dump() for member in self.members}

    def load(self, state: dict[str, Any], now: int) -> None:
        """Take over a ``dump`` of the same nodes.

        Raises:
            KeyError: A node is missing in it.
        """
        for member in self.members:
            member.load(state[member.plan.eui64.hex], now)
