"""Many SMETS2+ homes in one process, that move together and hold nothing twice."""

from collections.abc import Callable, Sequence
from pathlib import Path

from device_profiles.files import reading_once
from device_profiles.installation import Installation
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.errors import EmulatorError
from emulator.crypto.keystore import KeyStore
from emulator.crypto.pki import TestPki
from emulator.runtime.first_due import FirstDue
from emulator.runtime.installation import Emulation, Plan, build
from emulator.runtime.parties import KeyRoom, parties_of


class Neighbourhood:
    """Homes with one time, one test PKI and one set of remote parties.

    The PKI draws from the stream ``pki`` of the seed: authorities, the parties' keys, then two
    keys of each device, home by home. Each home draws everything else from a seed of its own.
    Frames are counted and not kept; facts are dropped by `drop_facts`.

    Attributes:
        homes: The homes, in the order given.
        steps: How many things happened so far.
    """

    def __init__(
        self,
        installations: Sequence[Installation],
        seed: int,
        start: UtcMs,
        overlays: tuple[Path, ...] = (),
        gap_ms: int = 0,
    ) -> None:
        """Build the homes.

        Args:
            installations: The homes; each names only parties that the first one names.
            seed: Seed of every octet of chance.
            start: First moment of the worlds.
            overlays: Folders whose profile values win, weakest first.
            gap_ms: From one home switched on to the next.

        Raises:
            EmulatorError: No homes.
        """
        if not installations:
            raise EmulatorError("a neighbourhood has at least one home")
        chance = Chance(seed)
        pki = TestPki.new(chance.stream("pki").octets, start)
        shared = _parties_keys(installations[0], chance, start, pki)
        with reading_once():
            self.homes: list[Emulation] = []
            for number, home in enumerate(installations):
                at = UtcMs(start + number * gap_ms)
                plan = Plan(home, seed + number, at, overlays=overlays, keystore=shared, pki=pki)
                made = build(plan)
                made.world.records.keeps_frames = False
                self.homes.append(made)
        self._worlds = [home.world for home in self.homes]
        self._first_due = FirstDue(self._worlds)
        self._now_us = start * 1000
        self.steps = 0

    # -- as a driver moves it ------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """The present moment, microseconds since 1970."""
        return self._now_us

    def call_on_attention(self, call: Callable[[], None]) -> None:
        """Have ``call`` called when somebody may wait for what happened."""
        for world in self._worlds:
            world.call_on_attention(call)

    def next_due(self) -> int | None:
        """Return when the next thing happens in any home; None when nothing will."""
        found = self._first_due.find()
        return None if found is None else found[0]

    def step(self) -> None:
        """Let the next thing happen, in the home where it is due first; ask ``next_due`` first.

        Raises:
            EmulatorError: Nothing will happen in any home.
        """
        found = self._first_due.find()
        if found is None:
            raise EmulatorError("nothing will happen in any home")
        due_us, number = found
        self._now_us = max(self._now_us, due_us)
        self.steps += 1
        self._worlds[number].step()

    def run_until(self, at_us: int) -> None:
        """Let everything happen that is due up to and including ``at_us``, in order of time."""
        while (due_us := self.next_due()) is not None and due_us <= at_us:
            self.step()
        self._now_us = max(self._now_us, at_us)
        for world in self._worlds:
            world.pass_time(at_us)

    def drop_facts(self) -> int:
        """Forget the facts since the last call; return how many there were."""
        return sum(len(world.records.take_facts()) for world in self._worlds)


def _parties_keys(home: Installation, chance: Chance, start: UtcMs, pki: TestPki) -> KeyStore:
    """Return the keys of a home's remote parties, for all homes."""
    room = KeyRoom(None, chance, start, pki)
    room.add_parties(parties_of(home))
    return room.all_keys()
