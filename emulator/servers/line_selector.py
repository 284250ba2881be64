"""An event loop that serves the descriptor of a busy line while it waits (epoll: Linux only)."""

import asyncio
import math
import select
import selectors
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import Context
from typing import Any, Final, TypeVarTuple, Unpack

_Ts = TypeVarTuple("_Ts")
_READ: Final = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
_WRITE: Final = select.EPOLLOUT | select.EPOLLHUP | select.EPOLLERR
_MS: Final = 1e3

Act = Callable[[], None]


class LineSelector(selectors.BaseSelector):
    """A selector that calls the readers of busy descriptors itself, and goes on waiting.

    A turn of asyncio's loop (timers, handles, contexts) costs as much as an emulated dongle needs
    for a frame, and a line brings thousands of them a second. ``select`` returns as soon as there
    is anything for asyncio: another descriptor, the time, or something a reader has asked for.

    Attributes:
        wanted: A reader has given asyncio something to do.
        failed: Takes what a reader raises.
        now: The loop's clock, seconds.
    """

    def __init__(self) -> None:
        """Watch nothing yet."""
        self.wanted = False
        self.now: Callable[[], float] = float
        self.failed: Callable[[Exception], None] | None = None
        self._epoll = select.epoll()
        self._keys: dict[int, selectors.SelectorKey] = {}
        self._busy: dict[int, tuple[Act, Act | None]] = {}

    def watch(self, descriptor: int, read: Act, write: Act | None) -> None:
        """Call ``read`` when there is something to read, and ``write`` when there is room."""
        mask = select.EPOLLIN if write is None else select.EPOLLIN | select.EPOLLOUT
        if descriptor in self._busy:
            self._epoll.modify(descriptor, mask)
        else:
            self._epoll.register(descriptor, mask)
        self._busy[descriptor] = (read, write)

    def unwatch(self, descriptor: int) -> None:
        """Watch a busy descriptor no longer; harmless when repeated."""
        if self._busy.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch something for asyncio.

        Raises:
            KeyError: It is watched already.
        """
        descriptor = _number(fileobj)
        if descriptor in self._keys or descriptor in self._busy:
            raise KeyError(f"{fileobj!r} is watched already")
        key = selectors.SelectorKey(fileobj, descriptor, events, data)
        self._epoll.register(descriptor, _mask(events))
        self._keys[descriptor] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Watch something no longer.

        Raises:
            KeyError: It is not watched.
        """
        key = self._keys.pop(_number(fileobj))
        with suppress(OSError):  # closed already: the system watches it no longer
            self._epoll.unregister(key.fd)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch something for other events.

        Raises:
            KeyError: It is not watched.
        """
        old = self._keys[_number(fileobj)]
        if old.events != events:
            self._epoll.modify(old.fd, _mask(events))
        key = selectors.SelectorKey(old.fileobj, old.fd, events, data)
        self._keys[old.fd] = key
        return key

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return what is watched for asyncio, by number."""
        return self._keys

    def close(self) -> None:
        """Watch nothing any more."""
        self._epoll.close()
        self._keys.clear()
        self._busy.clear()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Serve busy descriptors until there is something for asyncio, or ``timeout`` is over."""
        until = None if timeout is None else self.now() + timeout
        poll, busy = self._epoll.poll, self._busy
        while True:
            self.wanted = False
            events = poll(None if timeout is None else math.ceil(max(timeout, 0) * _MS) / _MS)
            ready = []
            for descriptor, event in events:
                acts = busy.get(descriptor)
                if acts is None:
                    ready += self._ready(descriptor, event)
                else:
                    self._serve(acts, event)
            if ready or self.wanted or not events:
                return ready
            if until is not None:
                timeout = until - self.now()
                if timeout <= 0:
                    return ready

    def _serve(self, acts: tuple[Act, Act | None], event: int) -> None:
        read, write = acts
        try:
            if write is not None and event & _WRITE:
                write()
            if event & _READ:
                read()
        except Exception as error:
            if self.failed is None:
                raise
            self.failed(error)

    def _ready(self, descriptor: int, event: int) -> list[tuple[selectors.SelectorKey, int]]:
        key = self._keys.get(descriptor)
        if key is None:
            return []
        mask = selectors.EVENT_READ if event & ~select.EPOLLOUT else 0
        mask |= selectors.EVENT_WRITE if event & ~select.EPOLLIN else 0
        return [(key, mask & key.events)] if mask & key.events else []


def _number(fileobj: Any) -> int:
    return fileobj if isinstance(fileobj, int) else int(fileobj.fileno())


def _mask(events: int) -> int:
    mask = select.EPOLLIN if events & selectors.EVENT_READ else 0
    return mask | (select.EPOLLOUT if events & selectors.EVENT_WRITE else 0)


class LineLoop(asyncio.SelectorEventLoop):
    """asyncio's loop on a `LineSelector`."""

    def __init__(self) -> None:
        """Make the loop."""
        self.busy = LineSelector()
        super().__init__(self.busy)
        self.busy.failed = self._reader_failed
        self.busy.now = self.time

    def call_soon(
        self,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Arrange for a call in the next turn, which comes at once."""
        self.busy.wanted = True
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Arrange for a call at a moment, before which the next turn comes."""
        self.busy.wanted = True
        return super().call_at(when, callback, *args, context=context)

    def _reader_failed(self, error: Exception) -> None:
        told = {"message": "the reader of a busy line failed", "exception": error}
        self.call_exception_handler(told)
