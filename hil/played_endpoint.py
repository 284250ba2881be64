"""What recordings have in common that are played to clients: a place to come to, and a thread."""

import os
import threading
import tty
from typing import Final
from urllib.parse import urlsplit

from harness.closing import Closing
from harness.errors import BenchError

#: How often it is looked whether the end was asked for, seconds.
POLL_S: Final = 0.1


class PlayedEndpoint(Closing):
    """Plays a recording in a thread of its own until it is stopped.

    Attributes:
        address: Where clients reach it, once started.
    """

    def __init__(self) -> None:
        """Make it; ``start`` begins to answer."""
        self.address = ""
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def wait(self) -> None:
        """Wait until somebody calls ``end`` or ``stop``."""
        while not self._stop.wait(POLL_S):
            continue

    def end(self) -> None:
        """Ask for the end, from any thread or signal handler; ``stop`` then closes everything."""
        self._stop.set()

    def stop(self) -> None:
        """Stop answering; more than once does no harm."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """Stop answering."""
        self.stop()


def raw_pty() -> tuple[int, int, str]:
    """Open a pseudo-terminal in raw mode; return our end, the client's, and its path."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    return ours, theirs, os.ttyname(theirs)


def host_and_port(listen: str, scheme: str) -> tuple[str, int] | None:
    """Return host and port of ``SCHEME://HOST:PORT``; None where it is none."""
    where = urlsplit(listen)
    try:
        host, port = where.hostname, where.port
    except ValueError:
        return None
    if where.scheme != scheme or not host or port is None:
        return None
    return host, port


def not_listening(listen: str, error: OSError, next_command: str) -> BenchError:
    """Return what is said when a place cannot be had."""
    return BenchError(
        f"nobody can be listened to there: {error.strerror or error}",
        where=f"--listen {listen}",
        cause="a port in use, or a host of another machine",
        next_command=next_command,
    )
