"""The time of a served device: the loop's, from a first moment on, perhaps faster, or as told."""

import asyncio
import math

from emulator.core.clock import UtcMs


class DeviceClock:
    """Two times from one loop: the line's, which is real, and the device's, which may run faster.

    Link time-outs belong to the line; everything the device does by the clock, to the device.

    Attributes:
        factor: How much faster than the loop's the device's time runs; 0: it stands still, and goes
            on when it is put forward.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, start: UtcMs, factor: float = 1.0) -> None:
        """Begin at ``start``.

        Raises:
            ValueError: ``factor`` is less than 0.
        """
        if factor < 0:
            raise ValueError("a clock goes forward: the factor must not be less than 0")
        self._loop = loop
        self._start = start
        self._base_s = loop.time()
        self._line_start, self._line_base_s = start, self._base_s
        self.factor = factor

    def put_forward(self, at: UtcMs) -> None:
        """Have the device's clock show ``at`` now, and go on from there; never back."""
        self._start, self._base_s = max(at, self.now()), self._loop.time()

    def now(self) -> UtcMs:
        """Return the device's present moment."""
        return UtcMs(self._start + int((self._loop.time() - self._base_s) * 1000 * self.factor))

    def line_now(self) -> UtcMs:
        """Return the present moment in real milliseconds since the beginning, from ``start``."""
        return UtcMs(self._line_start + int((self._loop.time() - self._line_base_s) * 1000))

    def loop_time(self, at: UtcMs) -> float:
        """Return when the device's clock shows ``at``; infinite while it stands still."""
        left_ms = at - self._start
        if self.factor == 0:
            return self._base_s if left_ms <= 0 else math.inf
        return self._base_s + left_ms / 1000 / self.factor

    def line_loop_time(self, at_ms: int) -> float:
        """Return when ``line_now`` is ``at_ms``; a millisecond later, so that it surely is."""
        return self._line_base_s + (at_ms - self._line_start + 1) / 1000
