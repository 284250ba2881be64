"""One door with its ways in: intake, journal and world behind file drop and HTTP."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.crypto.keystore import KeyStore
from harness.door.bell import Bell
from harness.door.exchange import Exchange
from harness.door.homes import Homes
from harness.door.intake import Intake, Note
from harness.door.kept import Taken
from harness.door.mover import Leading, Mover, Pace
from harness.door.paper_intake import PaperIntake
from harness.door.ports import Conductor
from harness.door.refusals import Refusals
from harness.door.settling import Patience
from harness.door.world import DoorWorld

#: Seconds that an answer at once may take before the request is answered later. Source: invented.
PROMPT_S = 30.0


@dataclass(frozen=True, slots=True)
class DoorOptions:
    """What a door is opened with.

    Attributes:
        homes: The homes behind it.
        participants: Keys of service users.
        state: File that keeps everything; None keeps it in memory.
        pace: How the world's time goes.
        patience: How long the world waits for what.
        prompt_s: Seconds that a synchronous answer may take.
        tell: Takes a note of every request and paper.
        conductor: Who leads a run; None: a door alone, which takes no papers.
        patience_s: Wall seconds of silence after which a turn is over; None: a turn waits.
    """

    homes: Homes
    participants: KeyStore = field(repr=False)
    state: Path | None = None
    pace: Pace = field(default_factory=Pace)
    patience: Patience = field(default_factory=Patience)
    prompt_s: float = PROMPT_S
    tell: Callable[[Note], None] = lambda _note: None
    conductor: Conductor | None = None
    patience_s: float | None = None


class Door:
    """Everything behind the ways in.

    Attributes:
        options: What it was opened with.
        exchange: The journal.
        world: Homes and parties; looked at from outside their thread, never moved.
        intake: The rules for requests.
        papers: The rules for papers and for the word that a turn is done.
        refusals: Keeps what the doors of a run refuse.
        bell: Rings when there is news.
    """

    def __init__(self, options: DoorOptions) -> None:
        """Open it: the homes are built and migrated, or put back to the stored state.

        Raises:
            UsageError: A home or the state cannot be used.
        """
        self.options = options
        self.bell = Bell()
        setting = {**options.homes.setting(), "users": _fingerprints(options.participants)}
        self.exchange = Exchange.open(options.state, setting)
        self._mover = Mover(
            lambda: DoorWorld(options.homes, options.participants, options.patience),
            self.exchange,
            options.pace,
            on_news=self.bell.ring,
            leading=Leading(options.state is not None, options.conductor, options.patience_s),
        )
        try:
            self.world = self._mover.start()
        except BaseException:
            self.exchange.close()
            raise
        conducted = options.conductor is not None
        self.refusals = Refusals(self.exchange, self._mover.wake, conducted)
        self.intake = Intake(
            self.exchange,
            self.world.trust,
            self._mover.now,
            self.world.is_smets1,
            self._mover.wake,
            options.tell,
            self.refusals,
        )
        self.papers = PaperIntake(
            self.exchange,
            self._mover.now,
            self._mover.wake,
            options.tell,
            conducted=conducted,
            refusals=self.refusals,
        )

    @property
    def turn(self) -> dict[str, Any] | None:
        """The sheet of the open turn; None in between, before the first and after the last."""
        found = self.exchange.turn()
        if found is None or self.exchange.is_done(found[0]):
            return None
        return found[1]

    @property
    def is_over(self) -> bool:
        """Whether the conducted run is over."""
        return self._mover.over

    @property
    def mover(self) -> Mover:
        """What moves the world; looked at, never touched."""
        return self._mover

    async def over(self) -> None:
        """Wait until the conducted run is over, or its world is broken."""
        while True:
            news = self.bell.next()
            if self.is_over or self.broken is not None:
                return
            await news.wait()

    @property
    def broken(self) -> BaseException | None:
        """What broke the world, or None."""
        return self._mover.broken

    @property
    def at_rest(self) -> bool:
        """Whether the world has nothing to do."""
        return self._mover.at_rest

    async def prompt(self, number: int) -> Taken | None:
        """Wait until the DSP answered a request; None when that takes too long."""
        try:
            async with asyncio.timeout(self.options.prompt_s):
                while True:
                    news = self.bell.next()
                    taken = self.exchange.request(number)
                    if self.broken is not None:
                        return None
                    if taken is not None and taken.prompt is not None:
                        return taken
                    await news.wait()
        except TimeoutError:
            return None

    async def rest(self) -> None:
        """Wait until the world has nothing to do, or is broken."""
        while True:
            news = self.bell.next()
            if self.broken is not None or (self.at_rest and not self.exchange.next_waiting()):
                return
            await news.wait()

    def close(self) -> None:
        """Stop the world and close the journal; what was not done is done at the next start."""
        self._mover.stop()
        self.exchange.close()


def _fingerprints(keys: KeyStore) -> list[str]:
    """Return the users' public keys as a stored state depends on them."""
    return sorted(f"{entry.name} {entry.public_point.hex()}" for entry in keys.entries())
