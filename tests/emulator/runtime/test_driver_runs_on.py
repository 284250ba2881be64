"""A driver that lets its world run on in one go, and leaves it to the loop where it must."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from emulator.runtime.driver import Driver
from emulator.runtime.virtual_time import DeadlockError, VirtualTimeLoop


class Ticking:
    """A world in which something happens every second, so many times."""

    def __init__(self, ticks: int) -> None:
        self.now_us = 0
        self.seen: list[int] = []
        self._left = ticks
        self._attention: Callable[[], None] = lambda: None

    def call_on_attention(self, call: Callable[[], None]) -> None:
        self._attention = call

    def next_due(self) -> int | None:
        return (len(self.seen) + 1) * 1_000_000 if self._left else None

    def step(self) -> None:
        self.now_us = self.next_due() or self.now_us
        self._left -= 1
        self.seen.append(self.now_us)
        self._attention()

    def run_until(self, at_us: int) -> None:
        due = self.next_due()
        while due is not None and due <= at_us:
            self.step()
            due = self.next_due()
        self.now_us = max(self.now_us, at_us)


class Counting(VirtualTimeLoop):
    """Counts its turns."""

    turns = 0

    def _run_once(self) -> None:
        self.turns += 1
        super()._run_once()  # type: ignore[misc]  # asyncio's own, which type stubs leave out


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> int:
    loop = Counting()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(story())
    return loop.turns


def test_a_wait_takes_no_turn_of_the_loop_for_what_happens_meanwhile() -> None:
    world = Ticking(1000)

    async def story() -> None:
        driver = Driver(world)
        assert await driver.wait_for(lambda: len(world.seen) == 700 or None) is True
        assert driver.now_us() == 700_000_000
        await driver.wait_for(lambda: None, 900_500_000)
        assert driver.now_us() == 900_500_000
        assert world.seen[-1] == 900_000_000

    assert run(story) < 20


def test_a_timer_of_the_loop_that_is_due_before_comes_before() -> None:
    world = Ticking(1000)

    async def story() -> None:
        driver = Driver(world)
        seen: list[int] = []
        asyncio.get_running_loop().call_later(3.5, lambda: seen.append(len(world.seen)))
        await driver.wait_for(lambda: len(world.seen) == 10 or None)
        assert seen == [3]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await driver.wait_for(lambda: None)
        assert len(world.seen) == 12

    run(story)


def test_another_task_has_its_turn() -> None:
    world = Ticking(5)

    async def story() -> None:
        driver = Driver(world)
        other = asyncio.create_task(asyncio.sleep(0, "done"))
        await driver.wait_for(lambda: len(world.seen) == 5 or None)
        assert other.done()

    run(story)


def test_a_wait_that_nothing_will_end_is_still_a_deadlock() -> None:
    async def story() -> None:
        await Driver(Ticking(3)).wait_for(lambda: None)

    with pytest.raises(DeadlockError):
        run(story)
