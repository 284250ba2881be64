"""Whose mobile network carries the SIM of a SMETS1 hub, and when it lets the hub attach.

Stand-in: how SIMs were moved from one party to the next is not public. Here the move is an order
that takes effect at once; the hub is gone from the old network then, and registers with the new
one some time later (a range of its profile, drawn from the run's seed).
"""

from dataclasses import dataclass
from typing import Any, Final

from device_profiles.dlms import WanSection
from emulator.core.chance import Stream
from emulator.core.fault_schedule import SIM_ATTACH, SIM_MOVE, FaultSchedule
from emulator.core.faults import Late, Refusal
from emulator.wan.line import LATENCY_US

#: Parties that have a network, the one that a home begins with first.
NETWORKS: Final = ("SMSO", "S1SP")
STAND_IN: Final = "stand-in: how a SMETS1 hub speaks on its WAN is not public"


@dataclass(frozen=True, slots=True)
class Move:
    """What an order to move a SIM came to.

    Attributes:
        done: Whether the SIM is with the party it was to go to.
        why: Where it is not: one sentence.
        faults: Texts of the faults that touched it.
    """

    done: bool
    why: str = ""
    faults: tuple[str, ...] = ()


class SimNetwork:
    """The SIM of one hub.

    Attributes:
        owner: Party whose network carries the SIM.
        attached: Whether the hub is registered there.
        moves: Orders to move it that were carried out.
    """

    def __init__(self, settings: WanSection, schedule: FaultSchedule, draw: Stream) -> None:
        """Take the profile's values, the run's faults and the stream of registration times."""
        self.owner = NETWORKS[0]
        self.attached = True
        self.moves = 0
        self._settings = settings
        self._schedule = schedule
        self._draw = draw
        self._due_us: int | None = None  # when the network lets the hub in
        self._late_us: int | None = None  # when it is to be heard, by order of a fault

    def serves(self, party: str) -> bool:
        """Say whether frames cross between the hub and a party's head end now."""
        return self.attached and party == self.owner

    def move(self, to: str, now_us: int) -> Move:
        """Move the SIM to a party's network.

        Raises:
            ValueError: That party has no network.
        """
        if to not in NETWORKS:
            raise ValueError(f"{to!r} has no network; networks: {', '.join(NETWORKS)}")
        if to == self.owner:
            return Move(True)
        acts = self._schedule.sim(SIM_MOVE, to)
        texts = tuple(fault.text for fault, _act in acts)
        if any(isinstance(act, Refusal) for _fault, act in acts):
            return Move(False, f"the network of {to} refused the SIM", texts)
        self.owner, self.attached, self._due_us = to, False, None
        self.moves += 1
        waits = [act.seconds for _fault, act in acts if isinstance(act, Late)]
        self._late_us = now_us + round(max(waits) * 1_000_000) if waits else None
        return Move(True, faults=texts)

    def seek(self, now_us: int) -> int | None:
        """Return when the network will answer a hub that wants to attach; None when it does so now.

        A hub that asks again while it waits does not wait longer.
        """
        if self.attached:
            return None
        if self._due_us is None or self._due_us < now_us:
            self._due_us = max(now_us, self._registered_us(now_us))
        return self._due_us

    def _registered_us(self, now_us: int) -> int:
        if self._late_us is not None:
            heard_us, self._late_us = self._late_us, None
            return heard_us - LATENCY_US
        least, most = self._settings.attach_least_s, self._settings.attach_most_s
        return now_us + 1_000_000 * (least + self._draw.below(most - least + 1))

    def answer(self, due_us: int) -> tuple[bool, tuple[str, ...]]:
        """Say whether the network lets the hub in now, and which faults kept it off.

        Args:
            due_us: The moment that ``seek`` named; an answer that is due no more changes nothing.
        """
        if self.attached or due_us != self._due_us:
            return False, ()
        self._due_us = None
        kept_off = tuple(fault.text for fault, _act in self._schedule.sim(SIM_ATTACH, self.owner))
        self.attached = not kept_off
        return self.attached, kept_off

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "owner": self.owner,
            "attached": self.attached,
            "moves": self.moves,
            "due_us": self._due_us,
            "late_us": self._late_us,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Put everything back; the stream is put back with the run's chance."""
        self.owner = state["owner"]
        self.attached = state["attached"]
        self.moves = state["moves"]
        self._due_us = state["due_us"]
        self._late_us = state["late_us"]
