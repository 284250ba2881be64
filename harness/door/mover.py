"""Moves the world in a thread of its own, one request after the other, and writes down what came.

The world's time is virtual: sockets cannot live in its loop, and doors cannot wait in it.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from emulator.core.clock import UtcMs
from harness.door.exchange import Deed, Exchange, Memory
from harness.door.gbcs_homes import emulated
from harness.door.kept import Input
from harness.door.ports import Conductor, TurnSheet
from harness.door.sorting import Sorted
from harness.door.world import DoorWorld
from harness.formats.duis.responses import read_response

#: Seconds between two looks at the wall clock, where the world follows it.
_TICK_S: Final = 0.1
#: Documents that are signed and written down at one stroke: what is asked meanwhile waits no longer
#: than for these. Source: invented.
MOST_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Pace:
    """How the world's time goes.

    Attributes:
        clock_factor: How much faster than the wall clock; None jumps to the end of what a request
            caused, before the next request is looked at: then same requests, same octets.
        wall: The wall clock, milliseconds; only asked where the world follows it.
        new_loop: Makes the loop of the world; None: that of the emulated bench.
    """

    clock_factor: float | None = None
    wall: Callable[[], UtcMs] | None = None
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None


@dataclass(frozen=True, slots=True)
class Leading:
    """Who leads a run, how patiently, and what is kept of it.

    Attributes:
        keeps_state: Whether the world's state goes into the journal: with every deed, or, where
            somebody leads, with every turn.
        conductor: Who leads it; None: nobody, a door alone.
        patience_s: Wall seconds of silence that end a turn; None: a turn waits.
    """

    keeps_state: bool
    conductor: Conductor | None = None
    patience_s: float | None = None


class Mover:
    """Takes requests from the journal to the DSP in order, and lets the world go on.

    Attributes:
        broken: What broke the world, or None.
        at_rest: Whether nothing is under way.
        over: Whether a conducted run is over.
        turns: How often it did the next thing; each is a bounded piece of work.
        dealt_at: Place of each input in the sequence -> turn in which it was dealt with.
    """

    def __init__(
        self,
        make: Callable[[], DoorWorld],
        exchange: Exchange,
        pace: Pace | None = None,
        *,
        on_news: Callable[[], None],
        leading: Leading,
    ) -> None:
        """Make the mover; ``start`` starts it.

        Args:
            make: Builds the world, in the mover's thread.
            exchange: The journal.
            pace: How time goes.
            on_news: Called after whatever a participant may see was written down.
            leading: Who leads a run, and whether its state is kept.
        """
        self.broken: BaseException | None = None
        self.at_rest = False
        self._make = make
        self._exchange = exchange
        self._pace = pace or Pace()
        self._on_news = on_news
        self._keeps_state = leading.keeps_state
        self._conductor = leading.conductor
        self._patience_s = leading.patience_s
        self.over = False
        self.turns = 0
        self.dealt_at: dict[int, int] = {}
        self._wake = threading.Event()
        self._ready = threading.Event()
        self._stop = False
        self._now = UtcMs(0)
        self._seen_wall = UtcMs(0)
        self._world: DoorWorld | None = None
        self._thread = threading.Thread(target=self._run, name="world", daemon=True)

    # -- from other threads ----------------------------------------------------------------

    def start(self) -> DoorWorld:
        """Start, and return the world once it can take requests.

        Raises:
            Exception: The world cannot begin: what hindered it.
        """
        self._thread.start()
        self._ready.wait()
        if self._world is None or self.broken is not None:
            raise self.broken or RuntimeError("the world did not begin")
        return self._world

    def wake(self) -> None:
        """Say that there is a request, or something else to look at."""
        self.at_rest = False
        self._wake.set()

    def stop(self) -> None:
        """Stop; what was taken and not done is done at the next start."""
        self._stop = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def now(self) -> UtcMs:
        """Return the present moment of the world."""
        return self._now

    # -- in the world's own thread -----------------------------------------------------------

    def _run(self) -> None:
        try:
            make = self._pace.new_loop or emulated().new_event_loop
            with asyncio.Runner(loop_factory=make) as loop:
                try:
                    loop.run(self._begin())
                    self._ready.set()
                    while not self._stop:
                        self._turn(loop)
                finally:
                    if self._world is not None:
                        loop.run(self._world.stop())
        except Exception as error:  # noqa: BLE001 -- told at every door: a thread has no caller
            self.broken = error
            self._on_news()
        finally:
            self._ready.set()

    async def _begin(self) -> None:
        self._world = world = self._make()
        stored = self._exchange.memory()
        if stored is None:
            await world.begin()
            if self._conductor is None:
                self._commit(world, Deed(world.clock.now()))
            else:
                await self._open(world, await self._conductor.begin(world), 0)
        else:
            await self._resume(world, stored)
        self._now = world.clock.now()
        if self._pace.wall is not None:
            self._seen_wall = self._pace.wall()

    async def _resume(self, world: DoorWorld, stored: bytes) -> None:
        """Put world and conductor back to what was kept last."""
        self.over = self._exchange.is_over()
        if self._conductor is None:
            await world.resume(stored)
            return
        state = json.loads(stored)
        await world.restore(state["world"])
        if state["conductor"] is not None:
            self._conductor.load(world, state["conductor"])

    def _turn(self, loop: asyncio.Runner) -> None:
        """Do the next thing: move on, take a request, or wait for one."""
        world = self._known()
        self.turns += 1
        follows = self._pace.clock_factor is not None
        self._wake.clear()
        resting = loop.run(_asked(world.at_rest))
        if not follows and not resting:
            self.at_rest = False
            loop.run(self._leg(world, None))
            return
        if self._conductor is not None:  # a run sees everything in one order
            loop.run(self._drain(world))
        waiting = self._exchange.next_waiting()
        if waiting is not None:
            loop.run(self._take(world, waiting))
            return
        if world.handed_out:
            loop.run(self._write_down(world))
            return
        if follows:
            loop.run(self._follow(world))
            self._wake.wait(_TICK_S)
            return
        if not self.at_rest:
            loop.run(self._write_down(world))
            self.at_rest = True
            self._on_news()
        self._wait()

    def _wait(self) -> None:
        """Wait for an input; too long a silence ends an open turn."""
        turn = None if self.over or self._conductor is None else self._exchange.turn()
        if self._wake.wait(None if turn is None else self._patience_s) or self._stop:
            return
        if turn is not None and self._exchange.say_silent(turn[0]) is not None:
            self.at_rest = False

    def _known(self) -> DoorWorld:
        if self._world is None:
            raise RuntimeError("the world has not begun")
        return self._world

    async def _take(self, world: DoorWorld, waiting: Input) -> None:
        """Deal with one input."""
        self.at_rest = False  # whoever woke us may have been told otherwise since
        self.dealt_at[waiting.seq] = self.turns
        if waiting.kind == "request":
            self._request(world, waiting)
        elif waiting.kind == "paper":
            self._paper(world, waiting)
        elif waiting.kind == "refused":
            self._refused(world, waiting)
        else:
            await self._done(world, waiting)

    def _request(self, world: DoorWorld, waiting: Input) -> None:
        taken = self._exchange.request(waiting.number)
        if taken is None:
            raise LookupError(f"request {waiting.number} is not in the journal")
        prompt = world.submit(taken.document, taken.user)
        if self._conductor is not None:
            self._conductor.asked(taken, prompt)
        refused = read_response(prompt).header.code.startswith("E")
        found = Sorted([(taken.id, prompt)] if not taken.waits or refused else [])
        deed = Deed(world.clock.now(), waiting.seq, (taken.id, prompt))
        self._commit(world, deed, found)

    def _paper(self, world: DoorWorld, waiting: Input) -> None:
        paper = self._exchange.paper(waiting.number)
        if paper is None or self._conductor is None:
            raise LookupError(f"paper {waiting.number} is not in the journal, or nobody takes it")
        outcome = self._conductor.take(paper)
        deed = Deed(world.clock.now(), waiting.seq, outcome=(paper.number, outcome))
        self._commit(world, deed)

    def _refused(self, world: DoorWorld, waiting: Input) -> None:
        refused = self._exchange.refused(waiting.number)
        if refused is None or self._conductor is None:
            raise LookupError(f"refusal {waiting.number} is not in the journal, or nobody leads")
        self._conductor.refused(refused)
        self._commit(world, Deed(world.clock.now(), waiting.seq))

    async def _done(self, world: DoorWorld, waiting: Input) -> None:
        """Let the conductor work; what follows is a turn, or the end."""
        if self._conductor is None:
            raise LookupError("nobody conducts")
        word = self._exchange.done_word(waiting.seq)
        sheet = await self._conductor.turn(world, word)
        await self._open(world, sheet, waiting.seq)

    async def _drain(self, world: DoorWorld) -> None:
        """Write everything down that was handed out, in parts."""
        while world.handed_out:
            await self._write_down(world)

    async def _write_down(self, world: DoorWorld) -> None:
        self._commit(world, Deed(world.clock.now()))

    async def _open(self, world: DoorWorld, sheet: TurnSheet | None, seq: int) -> None:
        """Open a turn when all before it is told, or end the run; the state is kept."""
        await self._drain(world)
        deed = Deed(world.clock.now(), seq, sheet=sheet, patience_s=self._patience_s)
        self._commit(world, deed, keep=True, over=sheet is None)
        self.over = sheet is None
        self._on_news()

    async def _leg(self, world: DoorWorld, until: UtcMs | None) -> None:
        now = world.clock.now()
        await world.move(world.agenda.next_look(now) if until is None else until)
        self._now = world.clock.now()
        if world.handed_out:
            self._commit(world, Deed(self._now))

    async def _follow(self, world: DoorWorld) -> None:
        """Let the world go on for as long as the wall clock did, times the factor."""
        if self._pace.wall is None or self._pace.clock_factor is None:
            return
        wall = self._pace.wall()
        passed_ms = round(max(0, wall - self._seen_wall) * self._pace.clock_factor)
        self._seen_wall = wall
        await self._leg(world, UtcMs(world.clock.now() + passed_ms))

    def _commit(
        self,
        world: DoorWorld,
        deed: Deed,
        found: Sorted | None = None,
        *,
        keep: bool = False,
        over: bool = False,
    ) -> None:
        """Write down what was handed out, with the state it left, and tell the doors.

        Args:
            world: The world.
            deed: What it did.
            found: What is to be handed out before the rest.
            keep: Whether this is a turn: where somebody leads, the state is kept then alone.
            over: Whether the run is over.
        """
        found = found or Sorted()
        for user, at, octets in world.handed_out.next(most=MOST_AT_ONCE):
            world.agenda.hear(found.sort(self._exchange, user, at, octets), at)
            if self._conductor is not None:
                self._conductor.told(user, octets, at)
        deed.answers, deed.alerts = found.answers, found.alerts
        if self._keeps_state and (keep or self._conductor is None):
            deed.memory = Memory(self._state(world), over)
        self._exchange.commit(deed)
        self._now = deed.at
        self._on_news()

    def _state(self, world: DoorWorld) -> bytes:
        if self._conductor is None:
            return world.dump()
        told = json.dumps(self._conductor.dump(), separators=(",", ":")).encode()
        return b'{"conductor":%s,"world":%s}' % (told, world.dump())  # large: no further copies


async def _asked(question: Callable[[], bool]) -> bool:
    """Ask inside the loop, where the world's clock is."""
    return question()
