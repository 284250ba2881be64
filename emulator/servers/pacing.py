"""Octets that arrive no sooner than a serial line would bring them."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

#: Start, eight bits (or seven and parity), stop.
BITS_AN_OCTET: Final = 10
#: Octets are handed on in pieces of about this many seconds.
#: Source: reference serial-dlms.md section 3.3 (16 octets at 9,600 baud), inferred for others.
_PIECE_S: Final = 1 / 60
#: A timer that comes this much early is on time. Source: invented, below any octet's time.
_SLACK_S: Final = 0.0005

Deliver = Callable[[bytes, int | None], None]


def line_seconds(octets: int, baud: int, bits_an_octet: int = BITS_AN_OCTET) -> float:
    """Return how long a line takes for so many octets, one directly after another."""
    return octets * bits_an_octet / baud


class PacedQueue:
    """One direction of a line in real time.

    Every piece has a due time of its own, counted from the first octet of what was put in, so that
    late timers do not add up.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, deliver: Deliver) -> None:
        """Make an empty queue.

        Args:
            loop: Gives time and timers.
            deliver: Takes octets when they are due, with the speed they travelled at.
        """
        self._loop = loop
        self._deliver = deliver
        self._waiting: deque[tuple[float, bytes, int | None]] = deque()
        self._free = 0.0
        self._handle: asyncio.TimerHandle | None = None
        self.pending_bytes = 0

    def put(
        self,
        octets: bytes,
        pace: int | None,
        *,
        mark: int | None = None,
        not_before: float = 0.0,
        bits_an_octet: int = BITS_AN_OCTET,
    ) -> None:
        """Put octets on the line; they are delivered as the line brings them.

        Args:
            octets: What.
            pace: Bits a second; None takes no time.
            mark: Speed to tell whoever they are delivered to.
            not_before: Loop time before which the first octet does not go out.
            bits_an_octet: Bits each octet takes.
        """
        now = self._loop.time()
        if pace is None and not self._waiting and not_before <= now:
            self._deliver(octets, mark)
            return
        start = max(now, self._free, not_before)
        piece = len(octets) if pace is None else max(1, round(pace / bits_an_octet * _PIECE_S))
        for at in range(0, len(octets), piece or 1):
            part = octets[at : at + piece]
            carried = 0.0 if pace is None else line_seconds(at + len(part), pace, bits_an_octet)
            self._waiting.append((start + carried, part, mark))
            self._free = start + carried
        self.pending_bytes += len(octets)
        self._arm()

    def clear(self) -> None:
        """Lose what is under way."""
        self._waiting.clear()
        self.pending_bytes = 0
        self._free = 0.0
        self._disarm()

    def _arm(self) -> None:
        if self._handle is None and self._waiting:
            self._handle = self._loop.call_at(self._waiting[0][0], self._due)

    def _disarm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _due(self) -> None:
        self._handle = None
        now = self._loop.time() + _SLACK_S
        while self._waiting and self._waiting[0][0] <= now:
            _due, octets, mark = self._waiting.popleft()
            self.pending_bytes -= len(octets)
            self._deliver(octets, mark)
        self._arm()
