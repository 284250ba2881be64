"""The driver: a world in step with a loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from emulator.runtime.driver import Driver
from emulator.runtime.virtual_time import DeadlockError, VirtualTimeLoop
from emulator.runtime.world import World
from tests.emulator.runtime.small_world import (
    ESME,
    SECOND_US,
    START,
    Shape,
    message_for,
    meter,
    small_world,
)

T = TypeVar("T")
MESSAGE = message_for(ESME, 200)


def run(what: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(what)


def answer(world: World) -> bytes | None:
    return world.to_dsp.popleft() if world.to_dsp else None


def never() -> bytes | None:
    return None


def test_before_any_loop_the_time_is_the_worlds() -> None:
    assert Driver(small_world()).now() == START


def test_waiting_moves_the_world_and_ends_when_the_answer_is_there() -> None:
    async def body() -> tuple[bytes | None, int]:
        world = small_world()
        driver = Driver(world)
        world.send_wan(MESSAGE)
        got = await driver.wait_for(lambda: answer(world), (START + 60_000) * 1000)
        return got, driver.now() - START

    got, waited_ms = run(body())
    assert got == MESSAGE[::-1]
    assert 400 < waited_ms < 5000  # not the minute


def test_a_wait_ends_at_its_moment() -> None:
    async def body() -> tuple[object, int]:
        driver = Driver(small_world())
        got = await driver.wait_for(never, (START + 60_000) * 1000)
        return got, driver.now()

    assert run(body()) == (None, START + 60_000)


def test_a_moment_that_has_passed_is_not_waited_for() -> None:
    async def body() -> int:
        driver = Driver(small_world())
        await driver.wait_for(never, (START - 5) * 1000)
        return driver.now()

    assert run(body()) == START


def test_sleeping_elsewhere_counts_as_time_of_the_world() -> None:
    async def body() -> tuple[list[str], int]:
        world = small_world()
        driver = Driver(world)
        driver.catch_up()
        world.send_wan(MESSAGE)
        await asyncio.sleep(30)
        assert world.now_us == START * 1000  # nobody looked
        driver.catch_up()
        return meter(world, ESME).heard, driver.now()

    assert run(body()) == ([MESSAGE.hex()], START + 30_000)


def test_what_one_task_sends_while_another_waits_is_not_late() -> None:
    async def body() -> int:
        world = small_world(Shape(wake_s=3000))
        driver = Driver(world)

        async def send_later() -> None:
            await asyncio.sleep(100)
            driver.catch_up()
            world.send_wan(MESSAGE)
            driver.disturbed()

        task = asyncio.create_task(send_later())
        await driver.wait_for(lambda: answer(world), (START + 10_000_000) * 1000)
        await task
        return driver.now() - START

    assert 100_000 < run(body()) < 101_000


def test_two_can_wait_at_once() -> None:
    async def body() -> tuple[bytes | None, object]:
        world = small_world()
        driver = Driver(world)
        world.send_wan(MESSAGE)
        both = await asyncio.gather(
            driver.wait_for(lambda: answer(world), (START + 60_000) * 1000),
            driver.wait_for(never, (START + 5_000) * 1000),
        )
        return both[0], both[1]

    assert run(body()) == (MESSAGE[::-1], None)


def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    async def body() -> int:
        world = small_world()
        driver = Driver(world)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await driver.wait_for(never)
        return driver.now()

    assert run(body()) == START + 10_000


def test_a_wait_for_something_else_without_end_is_a_deadlock_though_the_world_could_go_on() -> None:
    async def body() -> None:
        driver = Driver(small_world())
        await driver.wait_for(never, (START + 1000) * 1000)
        await asyncio.get_running_loop().create_future()

    with pytest.raises(DeadlockError):
        run(body())


def test_a_world_thrown_back_keeps_its_own_time() -> None:
    async def body() -> tuple[int, int]:
        world = small_world()
        driver = Driver(world)
        await driver.wait_for(never, (START + 5_000) * 1000)
        state = world.dump()
        await driver.wait_for(never, (START + 50_000) * 1000)
        world.load(state)
        driver.detach()
        thrown_back = driver.now()
        await driver.wait_for(never, (START + 6_000) * 1000)
        return thrown_back, driver.now()

    assert run(body()) == (START + 5_000, START + 6_000)


def test_driven_and_stepped_worlds_send_the_same_octets() -> None:
    async def body() -> list[bytes]:
        world = small_world()
        driver = Driver(world)
        world.send_wan(MESSAGE)
        for second in range(1, 31):
            await driver.wait_for(never, (START + second * 1000) * 1000)
        return [seen.octets for seen in world.records.take_frames(1 << 62)]

    world = small_world()
    world.send_wan(MESSAGE)
    world.run_until(world.now_us + 30 * SECOND_US)
    assert run(body()) == [seen.octets for seen in world.records.take_frames(1 << 62)]


def test_who_waits_is_asked_in_the_order_of_waiting_and_only_of_what_concerns_it() -> None:
    async def body() -> tuple[list[str], list[str]]:
        driver = Driver(small_world())
        here, there = object(), object()
        asked: list[str] = []

        def ready(name: str) -> None:
            asked.append(name)

        names = [("here", here), ("any", None), ("there", there), ("here too", here)]
        until_us = (START + 60_000) * 1000
        waits = [
            asyncio.ensure_future(
                driver.wait_for(lambda name=name: ready(name), until_us, of)  # type: ignore[misc]  # a default binds it
            )
            for name, of in names
        ]
        await asyncio.sleep(1)
        asked.clear()
        driver.attend(here)
        await asyncio.sleep(0)
        of_one = asked.copy()
        asked.clear()
        driver.attend()
        await asyncio.sleep(0)
        of_all = asked.copy()
        await asyncio.gather(*waits)
        return of_one, of_all

    of_one, of_all = run(body())
    assert sorted(of_one) == ["any", "here", "here too"]
    assert sorted(of_all) == ["any", "here", "here too", "there"]
    assert of_one.index("here") < of_one.index("here too")
