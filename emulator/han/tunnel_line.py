"""What the CHF remembers of one device's tunnel: its queue, and what is on its way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.codecs.zcl.tunneling import NO_TUNNEL
from emulator.core.ids import Eui64
from emulator.han.outputs import Micros

Sent = tuple[int, int, bytes]


@dataclass(slots=True)
class Line:
    """The CHF's memory of one device's tunnel.

    Attributes:
        device: The device.
        polls: It fetches its messages (GET) and wraps its own.
        max_message_bytes: Longest message it takes.
        limit_us: Microseconds that a message waits for it at most; None: as long as it takes.
        tunnel_id: Number of the open tunnel, or None.
        known_id: Number of the last one: kept without power, to tell the device that it is gone.
        queue: Messages for the device.
        since: When each of them came.
        sent_since: When the message on its way came.
        sending: Message on its way: tunnel, transaction, message.
        handle: Number of that transfer.
        latest: Message its radio acknowledged last: transaction, message, times sent.
        failures: Attempts in a row that came to nothing.
    """

    device: Eui64
    polls: bool
    max_message_bytes: int
    limit_us: int | None = None
    tunnel_id: int | None = None
    known_id: int = NO_TUNNEL
    queue: list[bytes] = field(default_factory=list)
    since: list[int] = field(default_factory=list)
    sent_since: int = 0
    sending: Sent | None = None
    handle: int = 0
    latest: tuple[int, bytes, int] | None = None
    failures: int = 0

    def put(self, message: bytes, now_us: Micros) -> None:
        """Queue a message that has come."""
        self.queue.append(message)
        self.since.append(now_us)

    def put_back(self, message: bytes) -> None:
        """Queue a message again that has not arrived; it has waited since it came."""
        self.queue.insert(0, message)
        self.since.insert(0, self.sent_since)

    def take(self) -> bytes:
        """Return the message that has waited longest."""
        self.sent_since = self.since.pop(0)
        return self.queue.pop(0)

    def empty(self) -> None:
        """Forget what waits."""
        self.queue.clear()
        self.since.clear()

    def expire(self, now_us: Micros) -> list[bytes]:
        """Return the messages that have waited too long, and forget them."""
        expired: list[bytes] = []
        if not self.queue:
            return expired
        while self.limit_us is not None and self.queue and self.since[0] + self.limit_us < now_us:
            self.since.pop(0)
            expired.append(self.queue.pop(0))
        return expired


def dump_line(line: Line) -> dict[str, Any]:
    """Return everything as plain data."""
    return {
        "tunnel_id": line.tunnel_id,
        "known_id": line.known_id,
        "queue": list(line.queue),
        "since": list(line.since),
        "sent_since": line.sent_since,
        "sending": None if line.sending is None else list(line.sending),
        "handle": line.handle,
        "latest": None if line.latest is None else list(line.latest),
        "failures": line.failures,
    }


def load_line(line: Line, state: Mapping[str, Any]) -> None:
    """Put everything back."""
    line.tunnel_id = state["tunnel_id"]
    line.known_id = state["known_id"]
    line.queue = list(state["queue"])
    line.since = list(state["since"])
    line.sent_since = state["sent_since"]
    sending, latest = state["sending"], state["latest"]
    line.sending = None if sending is None else (sending[0], sending[1], sending[2])
    line.handle = state["handle"]
    line.latest = None if latest is None else (latest[0], latest[1], latest[2])
    line.failures = state["failures"]
