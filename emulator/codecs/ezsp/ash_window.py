"""The sending half of an ASH end: what waits, what is unacknowledged, and how long to wait."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.ezsp import ash
from emulator.core.values import quick

#: Time-out of an acknowledgement: at first, least and most, in milliseconds.
T_RX_ACK_INIT_MS: Final = 1600
T_RX_ACK_MIN_MS: Final = 400
T_RX_ACK_MAX_MS: Final = 3200
#: Payloads that may wait to be sent.
MAX_QUEUED: Final = 256

_LAST: Final = ash.MODULUS - 1
_DUMPED: Final = frozenset(
    {"next_number", "queue", "outstanding", "t_rx_ack_ms", "timeouts", "timeout_at"}
)
_QUEUED: Final = frozenset({"payload", "callback"})
_SENT: Final = frozenset({"payload", "number", "sent_at", "again"})


@quick
@dataclass(frozen=True, slots=True)
class _Queued:
    """A payload that has no number yet."""

    payload: bytes
    callback: bool


@dataclass(slots=True)
class Outstanding:
    """A payload that was sent and not acknowledged yet.

    Attributes:
        payload: The EZSP frame.
        number: Number of its DATA frame.
        sent_at: When it was sent first, in milliseconds.
        again: It was sent more than once.
    """

    payload: bytes
    number: int
    sent_at: int
    again: bool = False


class SendWindow:
    """Numbers payloads, keeps them until they are acknowledged, and adapts the time-out.

    Attributes:
        size: DATA frames that may be unacknowledged.
        t_rx_ack_ms: How long an acknowledgement is waited for at present.
        timeouts: Time-outs since the last acknowledgement.
        timeout_at: When the next one is; None while nothing is unacknowledged.

    Source:
        UG101 5.6 (a measured time counts one half, the old value seven eighths; a time-out
        doubles it).
    """

    def __init__(self, size: int) -> None:
        """Take how many DATA frames may be unacknowledged, 1 to 7.

        Raises:
            ValueError: ``size`` is out of range.
        """
        if not 1 <= size < ash.MODULUS:
            raise ValueError(f"a window has 1 to 7 frames, not {size}")
        self.size = size
        self.t_rx_ack_ms = T_RX_ACK_INIT_MS
        self.timeouts = 0
        self.timeout_at: int | None = None
        self._next_number = 0
        self._queue: deque[_Queued] = deque()
        self._outstanding: deque[Outstanding] = deque()

    @property
    def room(self) -> int:
        """How many more payloads may wait."""
        return MAX_QUEUED - len(self._queue)

    @property
    def unacknowledged(self) -> int:
        """Payloads handed over and not acknowledged yet."""
        return len(self._queue) + len(self._outstanding)

    def add(self, payload: bytes, *, callback: bool) -> None:
        """Let a payload wait; a callback may be held back and overtaken."""
        self._queue.append(_Queued(payload, callback))

    @property
    def queued(self) -> int:
        """Payloads that were not sent yet."""
        return len(self._queue)

    def at_once(self, payload: bytes, now: int) -> Outstanding | None:
        """Number a payload that may go now; None: it has to wait (``add``)."""
        if self._queue or len(self._outstanding) >= self.size:
            return None
        return self._number(payload, now)

    def next_frames(self, now: int, *, held: bool) -> Iterator[Outstanding]:
        """Number and yield what the window lets go now, without callbacks while ``held``."""
        while self._queue and len(self._outstanding) < self.size:
            item = self._take(held=held)
            if item is None:
                return
            yield self._number(item.payload, now)

    def acknowledge(self, number: int, now: int) -> bool:
        """Drop what has arrived at the other end; False when that cannot have been sent."""
        sent = self._outstanding
        arrived = (number - self._next_number + len(sent)) % ash.MODULUS
        if arrived > len(sent):
            return False
        if not arrived:
            return True
        wait_ms = self.t_rx_ack_ms
        for _ in range(arrived):
            item = sent.popleft()
            if not item.again:  # else nobody knows which copy it answers
                wait_ms = wait_ms * 7 // 8 + (now - item.sent_at) // 2
                if not T_RX_ACK_MIN_MS <= wait_ms <= T_RX_ACK_MAX_MS:
                    wait_ms = max(T_RX_ACK_MIN_MS, min(wait_ms, T_RX_ACK_MAX_MS))
        self.t_rx_ack_ms, self.timeouts = wait_ms, 0
        self.timeout_at = now + wait_ms if sent else None
        return True

    def timed_out(self) -> int:
        """Count a time-out, double the time to wait; return how many there were in a row."""
        self.timeouts += 1
        self._wait(2 * self.t_rx_ack_ms)
        return self.timeouts

    def all_again(self, now: int) -> list[Outstanding]:
        """Return everything unacknowledged, to be sent once more."""
        for item in self._outstanding:
            item.again = True
        self._restart(now)
        return list(self._outstanding)

    def dump(self) -> State:
        """Return everything as JSON-able data."""
        return {
            "next_number": self._next_number,
            "queue": [
                {"payload": item.payload.hex(), "callback": item.callback} for item in self._queue
            ],
            "outstanding": [
                {
                    "payload": item.payload.hex(),
                    "number": item.number,
                    "sent_at": item.sent_at,
                    "again": item.again,
                }
                for item in self._outstanding
            ],
            "t_rx_ack_ms": self.t_rx_ack_ms,
            "timeouts": self.timeouts,
            "timeout_at": self.timeout_at,
        }

    def load(self, state: Json, path: str = "window") -> None:
        """Take over a ``dump``.

        Raises:
            DumpedStateError: A value is missing or mistyped; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        last = ash.MODULUS - 1
        queue = deque(
            _Queued(row.octets("payload", ash.MAX_DATA_BYTES), row.flag("callback"))
            for row in dumped.rows("queue", _QUEUED, MAX_QUEUED)
        )
        outstanding = deque(
            Outstanding(
                row.octets("payload", ash.MAX_DATA_BYTES),
                row.number("number", 0, last),
                row.number("sent_at"),
                row.flag("again"),
            )
            for row in dumped.rows("outstanding", _SENT, self.size)
        )
        next_number = dumped.number("next_number", 0, last)
        waits = dumped.number("t_rx_ack_ms", T_RX_ACK_MIN_MS, T_RX_ACK_MAX_MS)
        timeouts, timeout_at = dumped.number("timeouts"), dumped.optional_number("timeout_at")
        self._queue, self._outstanding, self._next_number = queue, outstanding, next_number
        self.t_rx_ack_ms, self.timeouts, self.timeout_at = waits, timeouts, timeout_at

    def _take(self, *, held: bool) -> _Queued | None:
        """Take the first payload that may go now."""
        if not held:
            return self._queue.popleft()
        for at, item in enumerate(self._queue):
            if not item.callback:
                del self._queue[at]
                return item
        return None

    def _number(self, payload: bytes, now: int) -> Outstanding:
        sent = Outstanding(payload, self._next_number, now)
        self._next_number = self._next_number + 1 & _LAST
        self._outstanding.append(sent)
        if self.timeout_at is None:
            self.timeout_at = now + self.t_rx_ack_ms
        return sent

    def _restart(self, now: int) -> None:
        self.timeout_at = now + self.t_rx_ack_ms if self._outstanding else None

    def _wait(self, wanted_ms: int) -> None:
        self.t_rx_ack_ms = max(T_RX_ACK_MIN_MS, min(wanted_ms, T_RX_ACK_MAX_MS))
