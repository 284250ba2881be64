"""Opening a lost port again: by what it is, with pauses that grow."""

import threading
import time
from collections.abc import Callable
from typing import Final

from hil.errors import PortError, PortLostError
from hil.serial_port import SerialPort

#: First pause; each further one is twice as long.
FIRST_PAUSE_S: Final = 1.0

Opener = Callable[[], SerialPort]
Tell = Callable[[str], None]


class Cancelled(Exception):  # noqa: N818 - it is no error: somebody asked to stop
    """The waiting was ended from outside."""


class Reopener:
    """Opens one port again and again until it is there, or the time is up.

    Attributes:
        name: What people call the port.
        reopen_s: How long it may be away, in seconds; 0 tries once.
    """

    def __init__(self, name: str, opener: Opener, reopen_s: float, tell: Tell) -> None:
        """Make it.

        Args:
            name: What people call the port.
            opener: Finds the port by its identity and opens it; called anew each time, because a
                re-plugged adapter may have another device path.
            reopen_s: How long the port may be away, in seconds.
            tell: Takes lines of progress for people.
        """
        self.name = name
        self.reopen_s = reopen_s
        self._opener = opener
        self._tell = tell

    def reopen(self, stop: threading.Event | None = None) -> SerialPort:
        """Return the port, open again.

        Args:
            stop: Ends the waiting when set.

        Raises:
            PortLostError: It did not come back in time.
            PortAddressError: The port as written names none.
            Cancelled: ``stop`` was set.
        """
        waiting = stop if stop is not None else threading.Event()
        begun = time.monotonic()
        pause_s, tries = FIRST_PAUSE_S, 0
        while True:
            tries += 1
            try:
                port = self._opener()
            except PortError as error:
                left_s = begun + self.reopen_s - time.monotonic()
                if left_s <= 0:
                    raise self._gone(tries, error) from error
                pause_s = min(pause_s, left_s)
                self._tell(f"{self.name}: {error.what}; next try in {pause_s:.0f} s")
                if waiting.wait(pause_s):
                    raise Cancelled(self.name) from error
                pause_s *= 2
            else:
                self._tell(f"{self.name}: open")
                return port

    def once(self) -> SerialPort:
        """Return the port, opened at the first try.

        Raises:
            PortError: It cannot be opened now.
        """
        return self._opener()

    def _gone(self, tries: int, error: PortError) -> PortLostError:
        return PortLostError(
            f"{self.name} did not come back within {self.reopen_s:.0f} s"
            f" ({tries} tries; the last: {error.what})",
            where=self.name,
            cause=error.cause,
            next_command=error.next_command,
        )
