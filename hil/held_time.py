"""A loop whose clock jumps while all wait, and holds still while a thread talks to a port."""

import asyncio
import contextvars
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVarTuple

from harness.errors import HarnessError

_Arguments = TypeVarTuple("_Arguments")


class StuckError(HarnessError):
    """Every task waits, no timer is set and no thread is at work: nothing will ever wake one."""

    exit_code = 5


class _HoldingSelector(selectors.DefaultSelector):
    """Books waits on ``now`` instead of waiting, unless threads are at work: then it waits.

    Attributes:
        now: The time, in seconds from 0.
        working: Number of threads at work.
    """

    now = 0.0
    working = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; while a thread works time stands still until it is done."""
        due = timeout is not None and timeout <= 0
        if self.working and not due:
            return super().select(None)  # the thread ends, and says so through the loop's own pipe
        ready = super().select(0)
        if ready or due:
            return ready
        if timeout is None:
            raise StuckError(
                "every task waits, and no timer is set",
                where="bench in held time",
                cause="a fault of the harness: somebody waits for nothing",
            )
        self.now += timeout
        return ready


class HeldTimeLoop(asyncio.SelectorEventLoop):
    """The loop of a bench that has emulated devices and devices on real lines at once.

    Emulated devices wait seven days in no time; a conversation on a port takes as long as it
    takes, and for the rest of the bench it takes no time at all. So a run on such a bench has the
    same moments as one on a bench that is emulated throughout, however slow the machine is.
    """

    def __init__(self) -> None:
        """Begin at 0 seconds."""
        self._holding = _HoldingSelector()
        super().__init__(self._holding)
        # Due is what comes before ``time() + resolution``; a nanosecond is less than the last digit
        # of a float of some months.
        self._clock_resolution = 1e-7

    def time(self) -> float:
        """Return the time in seconds; it begins at 0."""
        return self._holding.now

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[*_Arguments], Any],
        *args: *_Arguments,
    ) -> "asyncio.Future[Any]":
        """Have a thread work, and hold time still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._holding.working += 1
        # A context of its own: the count belongs to the loop, not to whoever asked.
        future.add_done_callback(self._worked, context=contextvars.Context())
        return future

    async def shutdown_default_executor(self, *limit: float | None) -> None:
        """End the threads; while they do, somebody works."""
        self._holding.working += 1
        try:
            await super().shutdown_default_executor(*limit)
        finally:
            self._holding.working -= 1

    def _worked(self, _future: "asyncio.Future[Any]") -> None:
        self._holding.working -= 1
