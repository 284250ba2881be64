"""A thread in which dongles live: an ordinary asyncio loop of the wall's time, reached safely.

The bench's own loop may run faster than the wall (a paced loop); bellows' time-outs may not. So
bellows, zigpy and all that waits for a dongle run here, and the bench awaits them from its loop:

    thread = RadioThread("hub dongle")
    thread.start()
    eui64 = await thread.run(radio.read_eui64())     # a coroutine, run over there, awaited here
    mailbox = Mailbox[HanFrame](thread)
    mailbox.put(frame)                               # from over there
    frame = await mailbox.get(seconds=5)             # from here; seconds of the wall
    await thread.stop()
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

from harness.errors import BenchError

T = TypeVar("T")
#: How long the loop's end may take once everything in it was cancelled.
_END_S: Final = 10.0


class RadioThread:
    """One thread with one loop; everything that touches a dongle runs in it.

    Attributes:
        name: What people call it; shows in lists of threads.
    """

    def __init__(self, name: str = "zigbee") -> None:
        self.name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the thread.

        Raises:
            BenchError: The thread does not run.
        """
        if self._loop is None:
            raise closed(self.name)
        return self._loop

    @property
    def running(self) -> bool:
        """Whether the thread runs."""
        return self._loop is not None

    def start(self) -> None:
        """Start it; returns when its loop runs. A thread that runs already stays as it is."""
        if self._thread is not None:
            return
        self._ready.clear()
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
        self._thread.start()
        self._ready.wait()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the thread, and await its result in whatever loop this is.

        Who is cancelled here cancels it there.

        Raises:
            BenchError: The thread does not run.
        """
        try:
            loop = self.loop
        except BenchError:
            work.close()
            raise
        if asyncio.get_running_loop() is loop:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))

    def tell(self, call: Callable[..., object], *arguments: object) -> None:
        """Have a function called in the thread, soon; nobody waits for it."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended between the two lines
                loop.call_soon_threadsafe(call, *arguments)

    async def stop(self) -> None:
        """Cancel what runs there and end the thread; a second stop does nothing."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.get_running_loop().run_in_executor(None, thread.join, _END_S)
        self._thread = None

    def _work(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        self._loop = loop
        loop.call_soon(self._ready.set)
        try:
            loop.run_forever()
        finally:
            self._loop = None
            _cancel_all(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            loop.close()


def closed(name: str) -> BenchError:
    """Return the error for a driver that was closed."""
    return BenchError("the dongle's driver is closed", where=name)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=_END_S))


class Mailbox(Generic[T]):
    """A queue from the radio's thread to one reader in the bench's loop.

    What was put is never lost by a reader who is cancelled or whose time is up.
    """

    def __init__(self, thread: RadioThread) -> None:
        self._thread = thread
        self._items: deque[T] = deque()
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._due = 0.0
        self._alarm_at: float | None = None

    def put(self, item: T) -> None:
        """Add an item, from any thread."""
        self._items.append(item)
        self.wake()

    def wake(self) -> None:
        """Let the reader go, with nothing where nothing waits."""
        waiter = self._waiter
        if waiter is not None:
            _set(*waiter)

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._items)

    async def get(self, seconds: float) -> T | None:
        """Return the next item; None when so many seconds *of the wall* have passed.

        Raises:
            BenchError: The thread does not run, and nothing waits.
        """
        if not self._items:
            await self._wait(seconds)
        try:
            return self._items.popleft()
        except IndexError:
            return None

    async def _wait(self, seconds: float) -> None:
        if not self._thread.running:
            raise closed(self._thread.name)
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        self._due = time.monotonic() + seconds
        waiter = self._waiter = (loop, event)
        try:
            if self._items or seconds <= 0:
                return
            alarm_at = self._alarm_at
            if alarm_at is None or alarm_at > self._due:
                self._thread.tell(self._set_alarm)
            await event.wait()
        finally:
            if self._waiter is waiter:  # one that was cancelled may end after the next began
                self._waiter = None

    # One alarm serves many waits: it is set anew only for one that ends sooner. So a reader of a
    # busy mailbox costs the radio's thread nothing.

    def _set_alarm(self) -> None:
        self._alarm_at = self._due
        pause_s = max(0.0, self._due - time.monotonic())
        self._thread.loop.call_later(pause_s, self._ring)

    def _ring(self) -> None:
        self._alarm_at = None
        waiter = self._waiter  # read after the line above: who waits since then sets an alarm
        if waiter is None:
            return
        if time.monotonic() >= self._due:
            _set(*waiter)
        else:
            self._set_alarm()


def _set(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):  # the reader's loop has ended
        loop.call_soon_threadsafe(event.set)
