"""The time of a served device: the loop's, from a first moment on, perhaps faster."""

import asyncio

from emulator.core.clock import UtcMs


class DeviceClock:
    """Two times from one loop: the line's, which is real, and the device's, which may run faster.

    Link time-outs belong to the line; everything the device does by the clock, to the device.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, start: UtcMs, factor: float = 1.0) -> None:
        """Begin at ``start``.

        Raises:
            ValueError: ``factor`` is not more than 0.
        """
        if factor <= 0:
            raise ValueError("a clock goes forward: the factor must be more than 0")
        self._loop = loop
        self._start = start
        self._base_s = loop.time()
        self.factor = factor

    def now(self) -> UtcMs:
        """Return the device's present moment."""
        return UtcMs(self._start + int((self._loop.time() - self._base_s) * 1000 * self.factor))

    def line_now(self) -> UtcMs:
        """Return the present moment in real milliseconds since the beginning, from ``start``."""
        return UtcMs(self._start + int((self._loop.time() - self._base_s) * 1000))

    def loop_time(self, at: UtcMs) -> float:
        """Return when the device's clock shows ``at``."""
        return self._base_s + (at - self._start) / 1000 / self.factor

    def line_loop_time(self, at_ms: int) -> float:
        """Return when ``line_now`` is ``at_ms``; a millisecond later, so that it surely is."""
        return self._base_s + (at_ms - self._start + 1) / 1000
