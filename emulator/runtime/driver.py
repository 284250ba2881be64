"""Moves a world along with the time of an asyncio loop, while somebody waits for it."""

import asyncio
from asyncio import get_running_loop
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from emulator.core.clock import UtcMs
from emulator.runtime.moving_world import Halt, MovingWorld
from emulator.runtime.virtual_time import VirtualTimeLoop

T = TypeVar("T")
#: Later than anything that will happen, microseconds since 1970.
_NEVER_US: Final = 1 << 62


class Moving(Protocol):
    """What a driver moves: a world, or one meter on its line."""

    @property
    def now_us(self) -> int:
        """The present moment, microseconds since 1970."""
        ...

    def call_on_attention(self, call: Callable[..., None]) -> None:
        """Have ``call`` called when somebody may wait for what happened; perhaps with where."""
        ...

    def next_due(self) -> int | None:
        """Return when the next thing happens; None when nothing will."""
        ...

    def step(self) -> None:
        """Let the next thing happen."""
        ...

    def run_until(self, at_us: int) -> None:
        """Let everything happen that is due up to and including ``at_us``."""
        ...


W = TypeVar("W", bound=Moving)


class Driver(Generic[W]):
    """Keeps a world in step with the running loop.

    The world moves only while someone waits here, or when someone calls `catch_up`: whoever waits
    for something else leaves no timers behind, so that a wait without end is found at once.
    """

    def __init__(self, world: W, moving: Moving | None = None) -> None:
        """Take a world.

        Args:
            world: What its owner asks things of.
            moving: What moves, where that is only a part of it; None: the world itself.
        """
        self.world = world
        self._moving: Moving = world if moving is None else moving
        self._loop: asyncio.AbstractEventLoop | None = None
        self._base_us = 0
        #: Time of the loop that was last asked for, and what it is in microseconds since 1970.
        self._asked_s, self._asked_us = float("nan"), 0
        #: Who waits, in order, and what of it concerns: the order of waking is that of waiting.
        self._waiters: dict[asyncio.Future[None], object] = {}
        self._handle: asyncio.TimerHandle | None = None
        self._halt = Halt()
        world.call_on_attention(self.attend)

    def now_us(self) -> int:
        """Return the present moment, microseconds since 1970; the world's own before any loop."""
        try:
            loop = get_running_loop()
        except RuntimeError:
            return self._moving.now_us
        if loop is not self._loop:
            self._attach(loop)
        time_s = loop.time()
        if time_s != self._asked_s:  # a loop whose clock jumps stands still between two things
            self._asked_s = time_s
            self._asked_us = self._base_us + round(time_s * 1_000_000)
        return self._asked_us

    def now(self) -> UtcMs:
        """Return the present moment in milliseconds, rounded down."""
        return UtcMs(self.now_us() // 1000)

    def catch_up(self) -> int:
        """Let everything happen that is due by now; returns the present moment in microseconds."""
        now_us = self.now_us()
        self._moving.run_until(now_us)
        return now_us

    def disturbed(self) -> None:
        """Take notice that someone outside has put something new on the world's agenda."""
        self._arm()

    def attend(self, of: object = None) -> None:
        """Ask those who wait here to look again, before anything more happens.

        Args:
            of: What it happened in; who waits for something of another part sleeps on. None: all.
        """
        self._halt.called = True
        for waiter, concern in self._waiters.items():
            if (of is None or concern is None or concern is of) and not waiter.done():
                waiter.set_result(None)

    def detach(self) -> None:
        """Forget the loop: the world's moment was changed from outside (a restored state)."""
        self._loop = None
        self._disarm()

    async def wait_for(
        self, ready: Callable[[], T | None], until_us: int | None = None, of: object = None
    ) -> T | None:
        """Wait until ``ready`` returns something.

        Args:
            ready: Asked now, and whenever the world calls for attention.
            until_us: Moment to give up at, microseconds since 1970; None waits on.
            of: Part of the world that ``ready`` looks at; None: any.

        Returns:
            What ``ready`` returned, or None once ``until_us`` has come.
        """
        now_us = self.catch_up()
        loop = get_running_loop()
        while True:
            outcome = ready()
            if outcome is not None or (until_us is not None and now_us >= until_us):
                return outcome
            if self._run_on(until_us, now_us):
                now_us = self.catch_up()
                continue
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters[waiter] = of
            alarm = None if until_us is None else self._call_at(loop, until_us, _wake, waiter)
            self._arm()
            try:
                await waiter
            finally:
                del self._waiters[waiter]
                if alarm is not None:
                    alarm.cancel()
                if not self._waiters:
                    self._disarm()
            now_us = self.catch_up()

    def _run_on(self, until_us: int | None, now_us: int) -> bool:
        """Let the world run on here, as long as nothing else of a virtual loop would come between.

        It saves a turn of the loop, a timer and a future for each thing that happens.

        Returns:
            Whether somebody must be told of something, or ``until_us`` has come; False where the
            loop has to be left to itself.
        """
        loop = self._loop
        if not isinstance(loop, VirtualTimeLoop) or self._waiters:
            return False
        moving = self._moving
        if isinstance(moving, MovingWorld) and not moving.dozes:
            return self._run_world(moving, loop, until_us, now_us)
        next_due, step, base_us = moving.next_due, moving.step, self._base_us
        self._halt.called = False
        while not self._halt.called:
            due_us = next_due()
            ends = until_us is not None and (due_us is None or due_us > until_us)
            at_us = until_us if ends else due_us
            if at_us is None:
                return False
            if at_us > now_us:
                if not loop.leap((at_us - base_us) / 1_000_000):
                    return False
                now_us = at_us
            if ends:
                return True
            step()
        return True

    def _run_world(
        self, world: MovingWorld, loop: VirtualTimeLoop, until_us: int | None, now_us: int
    ) -> bool:
        """Let one world run on, as `_run_on` does, with one look at its agenda for each thing."""
        last_us = _NEVER_US if until_us is None else until_us
        self._halt.called = False
        halted = world.run_on(last_us, now_us, self._base_us, loop.leap, self._halt)
        if halted is not None:
            return halted
        if until_us is None:
            return False
        return until_us <= self.now_us() or loop.leap((until_us - self._base_us) / 1_000_000)

    def _attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the running loop as the world's clock, from its present moment on."""
        self._loop = loop
        self._asked_s = float("nan")
        self._base_us = self._moving.now_us - round(loop.time() * 1_000_000)
        self._handle = None

    def _call_at(
        self,
        loop: asyncio.AbstractEventLoop,
        at_us: int,
        call: Callable[..., None],
        *given: asyncio.Future[None],
    ) -> asyncio.TimerHandle:
        return loop.call_at((at_us - self._base_us) / 1_000_000, call, *given)

    def _arm(self) -> None:
        """Ask the loop to be woken when the world's next event is due."""
        self._disarm()
        if not self._waiters:
            return
        due_us = self._moving.next_due()
        if due_us is not None and self._loop is not None:
            self._handle = self._call_at(self._loop, due_us, self._pump)

    def _disarm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _pump(self) -> None:
        """Let what is due happen, until somebody must be told of something."""
        self._handle = None
        self._halt.called = False
        world, now_us = self._moving, self.now_us()
        due_us = world.next_due()
        while due_us is not None and not self._halt.called:
            if due_us > now_us:
                if not self._leap(due_us):
                    break
                now_us = due_us
            world.step()
            due_us = world.next_due()
        self._arm()

    def _leap(self, due_us: int) -> bool:
        """Let the loop's virtual time jump to an event when nothing of the loop comes before."""
        loop = self._loop
        if not isinstance(loop, VirtualTimeLoop) or not self._waiters:
            return False
        return loop.leap((due_us - self._base_us) / 1_000_000)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
