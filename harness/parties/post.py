"""The one way messages travel between parties: each is written down for the trace."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from emulator.core.clock import UtcMs
from emulator.core.values import quick
from harness.ports import Clock

#: What is told of each message: sender, receiver, kind, octets, summary (``Run.message``).
Record = Callable[[str, str, str, bytes, str], None]

#: Kinds of messages.
DUIS: Final = "duis"
GBCS: Final = "gbcs"
DCC_ALERT: Final = "dcc-alert"
IMAGE: Final = "image"


@quick
@dataclass(frozen=True, slots=True)
class Letter:
    """One message between two parties.

    Attributes:
        at: When.
        sender: Name of the sending party.
        receiver: Name of the receiving party.
        kind: ``duis``, ``gbcs``, ``dcc-alert`` or ``image``.
        octets: The message.
        summary: One line for a reader.
    """

    at: UtcMs
    sender: str
    receiver: str
    kind: str
    octets: bytes
    summary: str


class Post:
    """Writes down every message between parties, and tells the run.

    Attributes:
        clock: The bench's time.
        letters: What was handed over so far, in order.
    """

    def __init__(self, clock: Clock, record: Record | None = None) -> None:
        self.clock = clock
        self.letters: list[Letter] = []
        self._record = record

    def hand_over(self, sender: str, receiver: str, kind: str, octets: bytes, summary: str) -> None:
        """Write down one message."""
        letter = Letter(self.clock.now(), sender, receiver, kind, octets, summary)
        self.letters.append(letter)
        if self._record is not None:
            self._record(sender, receiver, kind, octets, summary)

    def between(self, sender: str, receiver: str) -> list[Letter]:
        """Return the messages from one party to another, in order."""
        return [item for item in self.letters if (item.sender, item.receiver) == (sender, receiver)]

    def dump(self) -> list[dict[str, Any]]:
        """Return the letters as JSON values."""
        return [
            {
                **{name: getattr(item, name) for name in Letter.__slots__},
                "octets": item.octets.hex(),
            }
            for item in self.letters
        ]

    def load(self, state: list[dict[str, Any]]) -> None:
        """Take over dumped letters."""
        self.letters = [
            Letter(**{**item, "octets": bytes.fromhex(item["octets"])}) for item in state
        ]


def _fields(letter: Letter) -> dict[str, Any]:
    return {name: getattr(letter, name) for name in Letter.__slots__}
