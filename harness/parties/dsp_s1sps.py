"""S1SPs as the DSP sees them: where requests go, and what became of a document of theirs."""

from dataclasses import dataclass
from typing import Protocol

from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.smets1_response import Smets1Response


class S1spDoor(Protocol):
    """What the DSP needs of an S1SP."""

    @property
    def party(self) -> Eui64:
        """Its identifier."""
        ...

    @property
    def name(self) -> str:
        """How the trace calls it."""
        ...

    async def take(self, document: bytes) -> tuple[bytes, ...]:
        """Take one countersigned request; returns the documents it answers with, signed."""
        ...


@quick
@dataclass(frozen=True, slots=True)
class FromS1sp:
    """What became of one document of an S1SP.

    Attributes:
        kind: ``response``, ``alert``; or why it went nowhere: ``refused``, ``unasked``.
        receiver: Whom it was delivered to, or None.
        value: What it says, or None where it was refused.
        detail: One line for a reader.
    """

    kind: str
    receiver: Eui64 | None
    value: Smets1Response | S1spAlert | None = None
    detail: str = ""
