"""What is on its way to service users: answers before alerts, each in the order it came."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis.responses import DccAlertMessage, DeviceAlertMessage, read_response
from harness.rules.roles import UserRole

#: Whom it is for, when it came, the signed document.
Handed = tuple[Eui64, UtcMs, bytes]


@dataclass(frozen=True, slots=True)
class Participant:
    """A service user as the DSP knows it: what is for it goes out through the door.

    Attributes:
        eui64: Its identifier.
        roles: Roles in which it is registered.
        name: How a trace calls it.
        hand_out: Takes its documents.
    """

    eui64: Eui64
    roles: frozenset[UserRole]
    name: str
    hand_out: Callable[[Eui64, bytes], None] = field(repr=False)

    def take(self, document: bytes) -> None:
        """Take one DUIS response or alert."""
        self.hand_out(self.eui64, document)


class HandOut:
    """Documents that were handed out and not written down yet.

    A flood of alerts is written down in parts; answers do not wait behind it.
    """

    def __init__(self) -> None:
        self._answers: deque[Handed] = deque()
        self._alerts: deque[Handed] = deque()

    def __len__(self) -> int:
        return len(self._answers) + len(self._alerts)

    def put(self, user: Eui64, at: UtcMs, document: bytes) -> None:
        """Take a document."""
        body = read_response(document).body
        is_alert = isinstance(body, DccAlertMessage | DeviceAlertMessage)
        (self._alerts if is_alert else self._answers).append((user, at, document))

    def next(self, most: int) -> Iterator[Handed]:
        """Give the next documents away, at most so many."""
        for _one in range(most):
            queue = self._answers or self._alerts
            if not queue:
                return
            yield queue.popleft()

    def dump(self) -> list[list[Any]]:
        """Return it as JSON values."""
        waiting = (*self._answers, *self._alerts)
        return [[str(user), at, document.decode()] for user, at, document in waiting]

    def load(self, state: Sequence[Sequence[Any]]) -> None:
        """Take over a dumped one."""
        self._answers.clear()
        self._alerts.clear()
        for user, at, document in state:
            self.put(Eui64.parse(user), UtcMs(at), document.encode())
