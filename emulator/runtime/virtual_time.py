"""An asyncio loop whose clock jumps: a wait takes no time, and one that cannot end is reported."""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import TypeVarTuple, Unpack

from emulator.core.errors import EmulatorError

_Ts = TypeVarTuple("_Ts")


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


class _Moment(float):
    """When a timer is due; of several of one moment the one that was set first comes first.

    A heap keeps no order among equals, and what was called off lies in it for a while: without a
    number of their own, the timers of a run that goes on would come in another order than those of
    one that was put back.
    """

    __slots__ = ("number",)

    number: int

    def __lt__(self, other: float) -> bool:
        if isinstance(other, _Moment) and self == other:
            return self.number < other.number
        return float.__lt__(self, other)


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
        self._timers = 0

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Have ``callback`` called at a virtual time; of one time the one that was set first.

        Args:
            when: Seconds.
            callback: What is called.
            args: What it is given.
            context: The context it runs in; None: the present one.
        """
        self._timers += 1
        moment = _Moment(when)
        moment.number = self._timers
        return super().call_at(moment, callback, *args, context=context)

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
