"""Several SMETS1 homes that stand beside each other, with one time."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from emulator.core import faults as fault_orders
from emulator.core.ids import Eui64
from emulator.runtime.box import Box
from emulator.runtime.doze import SharedMoment
from emulator.runtime.driver import Moving
from emulator.runtime.first_due import FirstDue
from emulator.runtime.records import Fact, Seen
from emulator.runtime.smets1_home import Smets1Emulation
from emulator.runtime.snapshot import SnapshotError
from emulator.runtime.world import World
from emulator.wan.csp import Outcome


class Told:
    """Which homes have something to tell: so that the others need not be asked.

    Args:
        count: How many homes there are; at first all are to be asked.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._numbers = set(range(count))
        self.add = self._numbers.add

    def add_all(self) -> None:
        """All homes are to be asked."""
        self._numbers.update(range(self._count))

    def take(self) -> list[int]:
        """Return the homes to be asked, in their order; they need not be asked again."""
        found = sorted(self._numbers)
        self._numbers.clear()
        return found


class Homes:
    """Homes that move together; what is asked without naming one is asked of the first.

    Attributes:
        homes: Ref -> home, the first one foremost.
    """

    def __init__(self, homes: Sequence[Smets1Emulation], *, doze: bool = False) -> None:
        """Take the homes.

        Args:
            homes: The homes, the first one foremost.
            doze: Whether windows of sleeping meters that nobody has anything for are passed over.

        Raises:
            ValueError: None, two of one ref, or a device in two of them.
        """
        self.homes: Mapping[str, Smets1Emulation] = {home.ref: home for home in homes}
        if not homes or len(self.homes) != len(homes):
            raise ValueError("homes need refs of their own, and there must be one")
        stand = [
            (eui64, home) for home in homes for box in home.world.boxes for eui64 in box.eui64s
        ]
        self._home_of = dict(stand)
        if len(self._home_of) != len(stand):
            raise ValueError("a device stands in two of the homes")
        self._worlds = [home.world for home in homes]
        #: The only world, where there is one: nothing is to be chosen then.
        self._alone = self._worlds[0] if len(self._worlds) == 1 else None
        self._first_due = None if self._alone is not None else FirstDue(self._worlds)
        #: Every world has come to this moment, or comes to it when somebody turns to it.
        self._shared = SharedMoment()
        #: Moment of what happened last.
        self._last_us = max(world.now_us for world in self._worlds)
        self._with_facts, self._with_frames = Told(len(homes)), Told(len(homes))
        self._with_post = Told(len(homes))
        for number, world in enumerate(self._worlds):
            world.share(self._shared, dozes=doze)
            world.records.call_on_first(
                partial(self._with_facts.add, number), partial(self._with_frames.add, number)
            )

    @property
    def mover(self) -> Moving:
        """What a driver moves: the world of the only home, or all of them together."""
        return self if self._alone is None else self._alone

    @property
    def first(self) -> World:
        """The world of the first home."""
        return self._worlds[0]

    def home_of(self, eui64: Eui64) -> Smets1Emulation:
        """Return the home a device stands in.

        Raises:
            KeyError: It stands in none.
        """
        return self._home_of[eui64]

    # -- as a driver moves it ------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """The present moment, microseconds since 1970."""
        if self._alone is not None:
            return self._alone.now_us
        return max(self._shared.us, self._last_us)

    def call_on_attention(self, call: Callable[..., None]) -> None:
        """Have ``call`` called when somebody may wait for what happened, with the home's world."""
        for number, world in enumerate(self._worlds):
            world.call_on_attention(partial(self._attended, number, call))

    def _attended(self, number: int, call: Callable[..., None]) -> None:
        self._with_post.add(number)
        call(self._worlds[number])

    def next_due(self) -> int | None:
        """Return when the next thing happens in any home; None when nothing will."""
        if self._first_due is None:
            return self.first.next_due()
        found = self._first_due.find()
        return None if found is None else found[0]

    def step(self) -> None:
        """Let the next thing happen, in the home where it is due first; ask ``next_due`` first."""
        if self._first_due is None:
            self.first.step()
            return
        found = self._first_due.find()
        if found is None:
            raise RuntimeError("nothing will happen in any home")
        self._last_us = max(self._last_us, found[0])
        self._worlds[found[1]].step()

    def run_until(self, at_us: int) -> None:
        """Let everything happen that is due up to and including ``at_us``, in order of time."""
        if self._alone is not None:
            self._alone.run_until(at_us)
            return
        due_us = self.next_due()
        while due_us is not None and due_us <= at_us:
            self.step()
            due_us = self.next_due()
        self._shared.us = max(self._shared.us, at_us)

    # -- as the ports of a bench ask it --------------------------------------------------------

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes of all homes; the hub of the first home is the first."""
        return tuple(box for world in self._worlds for box in world.boxes)

    @property
    def to_dsp(self) -> deque[bytes]:
        """Messages that no party's head end takes: of homes without a SIM."""
        return self.first.to_dsp

    def send_wan(self, message: bytes) -> None:
        """Put a message on its way to the hub of the first home."""
        self.first.send_wan(message)

    def has_taken(self, octets: bytes) -> bool:
        """Say whether this very message reached a hub, or is on its way and will."""
        return any(world.has_taken(octets) for world in self._worlds)

    def begin_transfer(self, request_id: str, image: bytes, targets: tuple[Eui64, ...]) -> int:
        """Begin an image transfer to the hub of the first home; return its number."""
        return self.first.begin_transfer(request_id, image, targets)

    def transfer_outcome(self, number: int) -> Outcome | None:
        """Return how an image transfer ended, or None while it runs."""
        return self.first.transfer_outcome(number)

    def cut_power(self, eui64: Eui64, off_s: float) -> None:
        """Take the supply from a device now; it returns after ``off_s`` seconds (0: never).

        Raises:
            KeyError: No such device.
        """
        self.home_of(eui64).world.cut_power(eui64, off_s)

    def disturb(self, order: str) -> None:
        """Put one more fault into force, or end those of a place (``clear[:home=REF]@LINK``).

        Raises:
            FaultError: The order means nothing.
        """
        clears = fault_orders.parse_clear(order) is not None
        meant = [] if clears else [fault_orders.parse(order)]
        for ref, home in self.homes.items():
            if clears:
                concerned = (
                    fault_orders.cleared_home(order) in {"", ref} and home.world.is_disturbed
                )
            else:
                concerned = bool(fault_orders.in_home(meant, ref))
            if concerned:
                home.world.disturb(order)

    def idle_faults(self) -> tuple[str, ...]:
        """Return the texts of the run's faults that happened in none of the homes so far."""
        found = [home.world.idle_faults() for home in self.homes.values()]
        return tuple(text for text in (found or [()])[0] if all(text in one for one in found))

    def rest_faults(self, *, on: bool) -> None:
        """Let everything pass by radio, or have the faults of the HAN strike again."""
        for home in self.homes.values():
            home.world.rest_faults(on=on)

    # -- what was seen -------------------------------------------------------------------------

    def take_facts(self) -> list[Fact]:
        """Return the facts since the last call, in order of time."""
        worlds = (self._worlds[number] for number in self._with_facts.take())
        facts = [fact for world in worlds for fact in world.records.take_facts()]
        return sorted(facts, key=lambda fact: fact.at) if len(self._worlds) > 1 else facts

    def take_frames(self, until_us: int) -> list[Seen]:
        """Return the frames since the last call that went out by ``until_us``, in order of time."""
        seen: list[Seen] = []
        for number in self._with_frames.take():
            records = self._worlds[number].records
            seen += records.take_frames(until_us)
            if records.has_frames:
                self._with_frames.add(number)
        return sorted(seen, key=lambda one: one.at_us) if len(self._worlds) > 1 else seen

    def take_with_post(self) -> list[str]:
        """Return the homes whose hubs may have told something since the last call, in order."""
        refs = [*self.homes]
        return [refs[number] for number in self._with_post.take()]

    def traffic(self) -> dict[str, int]:
        """Return how many frames of each kind went to each role, over all homes."""
        total: dict[str, int] = {}
        for world in self._worlds:
            for key, number in world.records.traffic.items():
                total[key] = total.get(key, 0) + number
        return total

    # -- memory --------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the whole state of all homes as plain data."""
        return {ref: home.world.state() for ref, home in self.homes.items()}

    def load_state(self, state: Mapping[str, Any], now_us: int = 0) -> None:
        """Take over what ``state`` returned.

        Args:
            state: The homes; each may be as it was at a moment after which only time passed.
            now_us: The present moment, where that is later than the homes' own.

        Raises:
            SnapshotError: It is of other homes.
        """
        if [*state] != [*self.homes]:
            raise SnapshotError("the stored state belongs to other homes")
        self._shared.us = 0
        for ref, home in self.homes.items():
            home.world.load_state(state[ref])
            home.world.pass_time(now_us)
        self._last_us = max(world.now_us for world in self._worlds)
        for told in (self._with_facts, self._with_frames, self._with_post):
            told.add_all()
