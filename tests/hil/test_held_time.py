"""The loop of benches with emulated and real devices: it jumps, and it holds still."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

import pytest

from hil.held_time import HeldTimeLoop, StuckError


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await story()

    with asyncio.Runner(loop_factory=HeldTimeLoop) as loop:
        loop.run(whole())


def test_seven_days_of_waiting_take_no_time() -> None:
    async def story() -> None:
        loop, real = asyncio.get_running_loop(), time.monotonic()
        await asyncio.gather(asyncio.sleep(7 * 86_400), asyncio.sleep(3_600))
        assert loop.time() == 7 * 86_400
        assert time.monotonic() - real < 60

    play(story)


def test_time_stands_still_while_a_thread_works_whatever_else_waits() -> None:
    async def story() -> None:
        loop, order = asyncio.get_running_loop(), list[str]()

        async def other() -> None:
            await asyncio.sleep(1)
            order.append("a second later")

        waiting = asyncio.ensure_future(other())
        await asyncio.sleep(0)
        real = time.monotonic()
        await asyncio.to_thread(time.sleep, 0.1)
        order.append("the thread")
        assert time.monotonic() - real >= 0.1
        assert loop.time() == 0.0
        await waiting
        assert order == ["the thread", "a second later"]
        assert loop.time() == 1.0

    play(story)


def test_several_threads_hold_time_until_the_last_is_done() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        first, second = threading.Event(), threading.Event()
        works = [loop.run_in_executor(None, one.wait, 20) for one in (first, second)]
        timer = asyncio.ensure_future(asyncio.sleep(5))
        first.set()
        await works[0]
        assert loop.time() == 0.0
        assert not timer.done()
        second.set()
        await works[1]
        await timer
        assert loop.time() == 5.0

    play(story)


def test_a_thread_that_fails_or_is_given_up_holds_time_no_longer() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        await asyncio.sleep(5)
        assert loop.time() == 5.0
        given_up = loop.run_in_executor(None, time.sleep, 0.05)
        given_up.cancel()
        await asyncio.sleep(5)
        assert loop.time() == 10.0

    play(story)


def test_waiting_for_nothing_is_told_as_that() -> None:
    async def story() -> None:
        await asyncio.get_running_loop().create_future()

    loop = HeldTimeLoop()
    with pytest.raises(StuckError) as stuck:
        loop.run_until_complete(story())
    assert stuck.value.exit_code == 5
    loop._holding.working = 0
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.close()


def test_due_timers_of_months_are_found_in_time() -> None:
    async def story() -> None:
        for _ in range(200):
            await asyncio.sleep(86_400.000001)

    play(story)
