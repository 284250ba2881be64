"""Watching the descriptor of a busy line: by a loop of its own where the system has epoll."""

import asyncio
import select
from collections.abc import Callable

Act = Callable[[], None]


def new_loop() -> asyncio.AbstractEventLoop:
    """Return the loop for a line that brings thousands of frames a second.

    Linux: one that serves the line without a turn of asyncio for each frame. Elsewhere: asyncio's.
    """
    if not hasattr(select, "epoll"):
        return asyncio.new_event_loop()
    from emulator.servers.line_selector import LineLoop  # noqa: PLC0415 -- it needs epoll to load

    return LineLoop()


def watch(
    loop: asyncio.AbstractEventLoop, descriptor: int, read: Act, write: Act | None = None
) -> None:
    """Have ``read`` called when there is something to read, and ``write`` when there is room.

    A second call for a descriptor replaces the first.
    """
    selector = getattr(loop, "busy", None)
    if selector is not None:
        selector.watch(descriptor, read, write)
        return
    loop.add_reader(descriptor, read)
    if write is None:
        loop.remove_writer(descriptor)
    else:
        loop.add_writer(descriptor, write)


def unwatch(loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
    """Have nothing called any more; harmless when repeated."""
    selector = getattr(loop, "busy", None)
    if selector is not None:
        selector.unwatch(descriptor)
        return
    loop.remove_reader(descriptor)
    loop.remove_writer(descriptor)
