"""Ctrl-C and SIGTERM as an event, so that a command ends in order and tells what it came to."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def until_interrupted(stopped: asyncio.Event) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM set the event; a second one cancels the task at once.

    A dongle that does not answer is then waited for no longer.
    """
    loop = asyncio.get_running_loop()
    here = asyncio.current_task()
    asked: list[int] = []

    def interrupt() -> None:
        asked.append(1)
        stopped.set()
        if len(asked) > 1 and here is not None:
            here.cancel()

    signals: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
    try:
        for number in signals:
            loop.add_signal_handler(number, interrupt)
    except (RuntimeError, ValueError):  # not the main thread: nobody can interrupt it here
        signals = ()
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
