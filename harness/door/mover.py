"""Moves the world in a thread of its own, one request after the other, and writes down what came.

The world's time is virtual: sockets cannot live in its loop, and doors cannot wait in it.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.door.exchange import Exchange
from harness.door.gbcs_homes import emulated
from harness.door.kept import Taken
from harness.door.world import DoorWorld
from harness.formats.duis import smets1_response
from harness.formats.duis.responses import (
    DccAlertMessage,
    DeviceAlertMessage,
    ServiceResponse,
    Smets1ResponseMessage,
    read_response,
)
from harness.formats.duis.smets1_response import DeviceAlert

#: Seconds between two looks at the wall clock, where the world follows it.
_TICK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How the world's time goes.

    Attributes:
        clock_factor: How much faster than the wall clock; None jumps to the end of what a request
            caused, before the next request is looked at: then same requests, same octets.
        wall: The wall clock, milliseconds; only asked where the world follows it.
    """

    clock_factor: float | None = None
    wall: Callable[[], UtcMs] | None = None


class Mover:
    """Takes requests from the journal to the DSP in order, and lets the world go on.

    Attributes:
        broken: What broke the world, or None.
        at_rest: Whether nothing is under way.
    """

    def __init__(
        self,
        make: Callable[[], DoorWorld],
        exchange: Exchange,
        pace: Pace | None = None,
        *,
        on_news: Callable[[], None],
        keeps_state: bool,
    ) -> None:
        """Make the mover; ``start`` starts it.

        Args:
            make: Builds the world, in the mover's thread.
            exchange: The journal.
            pace: How time goes.
            on_news: Called after whatever a participant may see was written down.
            keeps_state: Whether the world's state goes into the journal.
        """
        self.broken: BaseException | None = None
        self.at_rest = False
        self._make = make
        self._exchange = exchange
        self._pace = pace or Pace()
        self._on_news = on_news
        self._keeps_state = keeps_state
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
            with asyncio.Runner(loop_factory=emulated().new_event_loop) as loop:
                loop.run(self._begin())
                self._ready.set()
                while not self._stop:
                    self._turn(loop)
                if self._world is not None:
                    loop.run(self._world.stop())
        except Exception as error:  # noqa: BLE001 -- told at every door: a thread has no caller
            self.broken = error
            self._on_news()
        finally:
            self._ready.set()

    async def _begin(self) -> None:
        world, stored = self._make(), self._exchange.memory()
        if stored is None:
            await world.begin()
            self._commit(world)
        else:
            await world.resume(stored)
        self._world, self._now = world, world.clock.now()
        if self._pace.wall is not None:
            self._seen_wall = self._pace.wall()

    def _turn(self, loop: asyncio.Runner) -> None:
        """Do the next thing: move on, take a request, or wait for one."""
        world = self._known()
        follows = self._pace.clock_factor is not None
        self._wake.clear()
        resting = loop.run(_asked(world.at_rest))
        if not follows and not resting:
            loop.run(self._leg(world, None))
            return
        waiting = self._exchange.next_waiting()
        if waiting is not None:
            loop.run(self._take(world, waiting))
            return
        if follows:
            loop.run(self._follow(world))
            self._wake.wait(_TICK_S)
            return
        if not self.at_rest:
            self._commit(world)
            self.at_rest = True
            self._on_news()
        self._wake.wait()

    def _known(self) -> DoorWorld:
        if self._world is None:
            raise RuntimeError("the world has not begun")
        return self._world

    async def _take(self, world: DoorWorld, taken: Taken) -> None:
        prompt = world.submit(taken.document, taken.user)
        refused = read_response(prompt).header.code.startswith("E")
        answer = prompt if not taken.waits or refused else None
        self._commit(world, prompt=(taken.id, prompt), answer=answer)

    async def _leg(self, world: DoorWorld, until: UtcMs | None) -> None:
        now = world.clock.now()
        await world.move(world.agenda.next_look(now) if until is None else until)
        self._now = world.clock.now()
        if world.handed_out:
            self._commit(world)

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
        prompt: tuple[int, bytes] | None = None,
        answer: bytes | None = None,
    ) -> None:
        """Write down what was handed out, with the state it left, and tell the doors."""
        now = world.clock.now()
        answers = [] if prompt is None or answer is None else [(prompt[0], answer)]
        alerts: list[tuple[Eui64, str, int | None, bytes]] = []
        answered = {number for number, _octets in answers}
        for user, octets in world.handed_out:
            self._sort(world, user, octets, answers, answered, alerts)
        world.handed_out.clear()
        state = world.dump() if self._keeps_state else None
        self._exchange.commit(now, prompt=prompt, answers=answers, alerts=alerts, state=state)
        self._now = now
        self._on_news()

    def _sort(  # noqa: PLR0913, PLR0917 -- a document, and the three lists it may go to
        self,
        world: DoorWorld,
        user: Eui64,
        octets: bytes,
        answers: list[tuple[int, bytes]],
        answered: set[int],
        alerts: list[tuple[Eui64, str, int | None, bytes]],
    ) -> None:
        """Put a document among the answers or the alerts; a further answer is among both."""
        response = read_response(octets)
        identity = response.header.request_id
        number = None if identity is None else self._exchange.of_request_id(identity)
        world.agenda.hear(None if identity is None else str(identity), world.clock.now())
        is_alert = isinstance(response.body, DccAlertMessage | DeviceAlertMessage)
        if number is not None and not is_alert:
            first = number not in answered and not self._exchange.answers_of(number)
            answers.append((number, octets))
            answered.add(number)
            if first:
                return
        alerts.append((user, _code(response), number, octets))


def _code(response: ServiceResponse) -> str:
    """Return the code that an alert is listed under."""
    body = response.body
    if isinstance(body, DccAlertMessage):
        return body.code
    if isinstance(body, DeviceAlertMessage):
        return f"{body.alert_code:04X}"
    if isinstance(body, Smets1ResponseMessage):
        told = smets1_response.read_signed(body.signed).body
        return f"{told.code:04X}" if isinstance(told, DeviceAlert) else response.header.code
    return response.header.code


async def _asked(question: Callable[[], bool]) -> bool:
    """Ask inside the loop, where the world's clock is."""
    return question()
