"""What the doors of a run refused: journalled in the order it came, for the evidence."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from harness.door.errors import DoorCode, Refusal
from harness.door.exchange import Exchange
from harness.door.kept import Refused

#: HTTP header of a sender that repeats, octet for octet, what it sent before it was restarted.
AGAIN: Final = "x-again"
#: Its values: it may have been taken before, it may have been refused before.
SENT: Final = "sent"
REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True)
class Refusals:
    """Keeps refusals of a run; a door alone keeps none.

    Attributes:
        exchange: The journal.
        on_taken: Called when there is something to do.
        conducted: Whether somebody leads a run.
    """

    exchange: Exchange
    on_taken: Callable[[], None] = field(repr=False)
    conducted: bool

    def keep(  # noqa: PLR0913 -- what was refused, why, where it came in, and from whom
        self,
        refusal: Refusal,
        octets: bytes,
        *,
        door: str,
        name: str = "",
        who: str = "",
        again: str = "",
    ) -> None:
        """Journal a refusal.

        Args:
            refusal: Why.
            octets: What was handed in, as far as it was read.
            door: ``http`` or ``drop``.
            name: File name at the drop.
            who: Whose it says it is.
            again: What the sender says of a repeat after a restart (``SENT``, ``REFUSED``); where
                that is so, octet for octet, nothing is journalled.
        """
        if not self.conducted:
            return
        replayed = refusal.code == DoorCode.REPLAYED_COUNTER
        if again == SENT and replayed and self.exchange.has_taken(octets):
            return
        if again == REFUSED and self.exchange.has_refused(octets, refusal.code):
            return
        self.exchange.refuse(Refused.of(door, name, refusal.code, refusal.what, who, octets))
        self.on_taken()
