"""A loop whose time runs a number of times as fast as the wall's."""

import asyncio
import selectors
import time


class _PacedSelector(selectors.DefaultSelector):
    """Waits for what is ready as long as the loop says, in the loop's own seconds."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready within ``timeout`` seconds of the loop."""
        real = timeout if timeout is None or timeout <= 0 else timeout / self._factor
        return super().select(real)


class PacedLoop(asyncio.SelectorEventLoop):
    """The loop of a bench whose devices are emulated elsewhere, with clocks that run fast.

    All that waits in it waits in the devices' seconds: timers, ``asyncio.timeout``, the harness's
    own limits. What waits for the wall (threads, sockets, children) is not hurried.
    """

    def __init__(self, factor: float = 1.0) -> None:
        """Begin at 0 seconds.

        Args:
            factor: How much faster than the wall its time runs, at least 1.
        """
        self.factor = factor
        self._begun = time.monotonic()
        super().__init__(_PacedSelector(factor))
        # Due is what comes before ``time() + resolution``: what the wall's clock cannot tell apart.
        self._clock_resolution = time.get_clock_info("monotonic").resolution * factor

    def time(self) -> float:
        """Return the time in seconds of the devices; it begins at 0."""
        return (time.monotonic() - self._begun) * self.factor


def wall_seconds(seconds: float, loop: asyncio.AbstractEventLoop | None = None) -> float:
    """Return how many seconds of a loop pass in so many seconds of the wall.

    Args:
        seconds: Seconds of the wall.
        loop: The loop; None: the running one.
    """
    running = asyncio.get_running_loop() if loop is None else loop
    return seconds * running.factor if isinstance(running, PacedLoop) else seconds
