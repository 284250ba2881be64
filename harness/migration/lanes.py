"""Homes side by side: work at one waits for no other, and is done in one order in every process.

A lane is what one home takes up while somebody works at it. Who waits for a free one is let in by
the order of asking; the tasks of a loop go on in the order of their moments, and of one moment in
the order of waiting: the same seed, the same order of everything.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")


class Lanes:
    """So many homes at a time; ``async with`` it is one of them.

    Args:
        most: How many; 1: one after the other.

    Attributes:
        most: How many.
        busy: How many are taken up.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.busy = 0
        self._free = asyncio.Semaphore(most)

    async def __aenter__(self) -> None:
        """Wait for a free lane, and take it up."""
        await self._free.acquire()
        self.busy += 1

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        """Leave the lane to the next."""
        self.busy -= 1
        self._free.release()

    async def each(self, homes: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
        """Do work at each home in a lane of its own, and wait for the last.

        Args:
            homes: The homes.
            work: What is done at one.
        """

        async def in_lane(home: T) -> None:
            async with self:
                await work(home)

        if self.most > 1:
            await abreast(homes, in_lane)
            return
        for home in homes:
            await in_lane(home)


async def abreast(homes: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Do work at all homes at the same time, and wait for the last; what breaks ends all.

    Args:
        homes: The homes; where there is one, its work is done here and now.
        work: What is done at one.
    """
    these = [*homes]
    if len(these) == 1:
        await work(these[0])
        return
    tasks = [asyncio.ensure_future(work(home)) for home in these]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
