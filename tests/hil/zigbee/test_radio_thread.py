"""The radio's thread: a loop of its own, whose time is the wall's, reached from any other loop."""

import asyncio
import time

import pytest

from harness.errors import BenchError
from hil.zigbee.radio_thread import Mailbox, RadioThread


async def _where() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


async def _fails() -> None:
    raise KeyError("over there")


def test_work_runs_over_there_and_its_result_and_errors_come_back() -> None:
    async def scene() -> None:
        thread = RadioThread()
        with pytest.raises(BenchError, match="closed"):
            await thread.run(_where())
        thread.start()
        thread.start()
        assert await thread.run(_where()) is thread.loop
        assert thread.loop is not asyncio.get_running_loop()
        with pytest.raises(KeyError, match="over there"):
            await thread.run(_fails())
        await thread.stop()
        await thread.stop()
        assert not thread.running
        with pytest.raises(BenchError, match="closed"):
            await thread.run(_where())

    asyncio.run(scene())


def test_who_is_cancelled_here_is_cancelled_there() -> None:
    async def scene() -> None:
        thread, ended = RadioThread(), []
        thread.start()

        async def sleeps() -> None:
            try:
                await asyncio.sleep(600)
            finally:
                ended.append(True)

        task = asyncio.create_task(thread.run(sleeps()))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        other = asyncio.create_task(thread.run(sleeps()))
        await asyncio.sleep(0.05)
        await thread.stop()
        with pytest.raises(asyncio.CancelledError):
            await other
        assert ended == [True, True]

    asyncio.run(scene())


def test_a_mailbox_keeps_order_and_loses_nothing_to_readers_who_go_away() -> None:
    async def scene() -> None:
        thread = RadioThread()
        thread.start()
        mailbox = Mailbox[int](thread)
        for number in range(100):
            thread.tell(mailbox.put, number)
        assert [await mailbox.get(20) for _ in range(100)] == list(range(100))
        reader = asyncio.create_task(mailbox.get(20))
        await asyncio.sleep(0.05)
        reader.cancel()
        thread.tell(mailbox.put, 7)
        assert await mailbox.get(20) == 7
        assert len(mailbox) == 0
        await thread.stop()
        with pytest.raises(BenchError):
            await mailbox.get(1)

    asyncio.run(scene())


class Fast(asyncio.SelectorEventLoop):
    """A loop whose clock runs a thousand times too fast."""

    def time(self) -> float:
        """Return its time."""
        return 1000 * super().time()


def test_patience_is_measured_in_seconds_of_the_wall_however_fast_the_bench_runs() -> None:
    async def scene() -> None:
        thread = RadioThread()
        thread.start()
        mailbox = Mailbox[int](thread)
        began = time.monotonic()
        assert await mailbox.get(0.5) is None
        assert time.monotonic() - began >= 0.5
        assert await mailbox.get(0) is None
        await thread.stop()

    loop = Fast()
    try:
        loop.run_until_complete(scene())
    finally:
        loop.close()
