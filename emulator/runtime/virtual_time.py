"""An asyncio loop whose clock jumps: a wait takes no time, and one that cannot end is reported."""

import asyncio
import selectors
from collections import deque

from emulator.core.errors import EmulatorError


class DeadlockError(EmulatorError):
    """Every task waits, and nothing will ever wake one."""


class _JumpingSelector(selectors.DefaultSelector):
    """Polls without waiting, and books the waiting time on ``now`` instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise DeadlockError("deadlock: every task waits, and no timer is set")
        if timeout > 0:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The loop of emulated runs; sockets, threads and child processes do not belong in it."""

    # What asyncio's loops keep, and type stubs leave out: what runs next, and what waits for when.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        # The loop runs what is due before ``time() + resolution``. The default, a nanosecond, is
        # less than the last digit of a float of some months: due timers would wait for ever.
        self._clock_resolution = 1e-7

    def time(self) -> float:
        """Return the virtual time in seconds; it begins at 0."""
        return self._jumping.now

    def leap(self, when: float) -> bool:
        """Move the clock on to ``when`` if nothing else of this loop is due before; say whether.

        What is due at that moment can then be done at once, without a turn of the loop for it.

        Args:
            when: A virtual time in seconds, not before the present one.
        """
        if self._ready or (self._scheduled and self._scheduled[0].when() <= when):
            return False
        self._jumping.now = when
        return True
