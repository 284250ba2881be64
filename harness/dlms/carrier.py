"""What carries APDUs to a meter: an HDLC link or a wrapper connection, behind one face."""

from dataclasses import dataclass
from typing import Any, Protocol

from emulator.core.values import quick
from harness.dlms.jobs import Write
from harness.meter import Silence


@dataclass(frozen=True, slots=True)
class Stands:
    """The link stands: APDUs may be sent."""


@quick
@dataclass(frozen=True, slots=True)
class Heard:
    """An APDU of the meter came."""

    apdu: bytes


@quick
@dataclass(frozen=True, slots=True)
class Gone:
    """The link has ended.

    Attributes:
        why: What a request then comes to.
        detail: One sentence for people.
        orderly: This end closed it, and the meter agreed or was not asked.
    """

    why: Silence
    detail: str
    orderly: bool = False


CarrierOutput = Write | Stands | Heard | Gone


class Carrier(Protocol):
    """One way for APDUs of one client to one logical device; one question at a time."""

    @property
    def deadline_ms(self) -> int | None:
        """When ``expire`` is due, or None."""
        ...

    def open(self, now_ms: int) -> list[CarrierOutput]:
        """Open the link; ends in ``Stands`` or ``Gone``."""
        ...

    def send(self, apdu: bytes, now_ms: int) -> list[CarrierOutput]:
        """Send one APDU; ends in ``Heard`` or ``Gone``."""
        ...

    def listen(self, now_ms: int) -> list[CarrierOutput]:
        """Wait for a further APDU without asking; ends in ``Heard`` or ``Gone``."""
        ...

    def close(self, now_ms: int) -> list[CarrierOutput]:
        """Close the link; ends in ``Gone``."""
        ...

    def receive(self, octets: bytes, now_ms: int) -> list[CarrierOutput]:
        """Take octets of the line."""
        ...

    def silence(self, now_ms: int) -> list[CarrierOutput]:
        """Note that the line is silent: what is unfinished stays so."""
        ...

    def expire(self, now_ms: int) -> list[CarrierOutput]:
        """Note that time has passed."""
        ...

    def dump(self) -> dict[str, Any]:
        """Return where the link stands, as JSON-able data."""
        ...

    def load(self, state: dict[str, Any]) -> None:
        """Take over a ``dump`` of a carrier made alike."""
        ...
