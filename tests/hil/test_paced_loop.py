"""A loop whose time runs faster than the wall's."""

import asyncio
import threading
import time

from hil.paced_loop import PacedLoop, wall_seconds


def took(factor: float, seconds: float) -> tuple[float, float]:
    """Sleep in a paced loop; return how long that was by the loop and by the wall."""

    async def sleeping() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.sleep(seconds)
        return loop.time() - begun

    begun = time.monotonic()
    with asyncio.Runner(loop_factory=lambda: PacedLoop(factor)) as runner:
        by_loop = runner.run(sleeping())
    return by_loop, time.monotonic() - begun


def test_an_hour_passes_in_a_moment_of_the_wall() -> None:
    by_loop, by_wall = took(36_000, 3600)
    assert by_loop >= 3600
    assert 0.1 <= by_wall < 20


def test_at_factor_one_a_second_is_a_second() -> None:
    by_loop, by_wall = took(1, 0.2)
    assert by_loop >= 0.2
    assert by_wall >= 0.2


def test_what_another_thread_says_is_heard_at_once_whatever_the_pace() -> None:
    async def waiting() -> float:
        loop = asyncio.get_running_loop()
        told = loop.create_future()
        thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(told.set_result, None))
        thread.start()
        begun = time.monotonic()
        async with asyncio.timeout(wall_seconds(60)):
            await told
        thread.join()
        return time.monotonic() - begun

    with asyncio.Runner(loop_factory=lambda: PacedLoop(1000)) as runner:
        assert runner.run(waiting()) < 20


def test_seconds_of_the_wall_are_many_of_a_paced_loop_and_as_many_of_any_other() -> None:
    loop = PacedLoop(50)
    other = asyncio.new_event_loop()
    try:
        assert wall_seconds(2, loop) == 100
        assert wall_seconds(2, other) == 2
    finally:
        loop.close()
        other.close()
