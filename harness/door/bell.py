"""Tells waiting doors, in their own event loop, that there is news."""

import asyncio
import threading


class Bell:
    """Rung from any thread; waited for in event loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def next(self) -> asyncio.Event:
        """Return an event of the running loop that the next ring sets."""
        event = asyncio.Event()
        with self._lock:
            self._waiting.append((asyncio.get_running_loop(), event))
        return event

    def ring(self) -> None:
        """Set what was asked for so far."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for loop, event in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
