"""A loop whose clock jumps."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from emulator.runtime.virtual_time import DeadlockError, VirtualTimeLoop

T = TypeVar("T")


def run(what: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(what)


async def slept(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("seconds", [0.0, 0.001, 1, 86_400 * 7, 86_400 * 365 * 20])
def test_a_sleep_of_any_length_takes_no_time(seconds: float) -> None:
    assert run(slept(seconds)) == pytest.approx(seconds)


def test_a_week_with_a_ticking_task_beside_it_ends() -> None:
    async def body() -> tuple[int, float]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(3600)
                ticks += 1

        task = asyncio.create_task(tick())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(7 * 86_400 + 1):
                await asyncio.get_running_loop().create_future()
        task.cancel()
        return ticks, asyncio.get_running_loop().time()

    assert run(body()) == (168, 7 * 86_400 + 1)


def test_tasks_wake_in_the_order_of_their_moments() -> None:
    async def body() -> list[int]:
        woken: list[int] = []

        async def sleeper(number: int) -> None:
            await asyncio.sleep(number / 10)
            woken.append(number)

        await asyncio.gather(*(sleeper(number) for number in (5, 1, 4, 2, 3)))
        return woken

    assert run(body()) == [1, 2, 3, 4, 5]


def test_a_wait_that_cannot_end_is_reported_at_once() -> None:
    async def body() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(DeadlockError, match="every task waits"):
        run(body())


def test_timers_of_one_moment_come_in_the_order_of_setting_whatever_was_called_off() -> None:
    async def body(called_off: int) -> list[int]:
        loop = asyncio.get_running_loop()
        come: list[int] = []
        ended = [loop.call_at(40 + 7 * number % 5, come.append, -1) for number in range(called_off)]
        for number in range(40):
            loop.call_at(50.0, come.append, number)
            if number < called_off:
                ended[number].cancel()
        await asyncio.sleep(60)
        return come

    assert {tuple(run(body(called_off))) for called_off in (0, 3, 17, 39)} == {tuple(range(40))}
