"""What the drivers ask before they do more than read: the guard, as a port."""

from dataclasses import dataclass
from typing import Protocol

from emulator.codecs.dlms.apdu_parts import Descriptor
from emulator.core.ids import Eui64
from hil.verbs import Verb


@dataclass(frozen=True, slots=True)
class MeterIdentity:
    """Who a device says it is, as read from it; nothing here is taken on trust from a file.

    Attributes:
        eui64: Its EUI-64 (object 0-0:96.1.1.255); None where it could not be read.
        serial_number: Its serial number (object 0-0:96.1.0.255), as text; None where it could not
            be read.
    """

    eui64: Eui64 | None = None
    serial_number: str | None = None

    @property
    def known(self) -> bool:
        """Whether the device said which EUI-64 it is; a guard refuses what it does not know."""
        return self.eui64 is not None

    def __str__(self) -> str:
        """Return the identity for people."""
        eui64 = "EUI-64 unknown" if self.eui64 is None else str(self.eui64)
        return eui64 if self.serial_number is None else f"{eui64}, serial {self.serial_number}"


class Guard(Protocol):
    """Says whether something may be done to a device. Asked each time, just before."""

    def permit(self, verb: Verb, target: Descriptor | None, identity: MeterIdentity) -> None:
        """Return when it may be done.

        Args:
            verb: How grave it is.
            target: The attribute or method; None where there is none to name (power, an APDU that
                cannot be decoded, a line to a console).
            identity: The device it would be done to.

        Raises:
            UsageError: It may not (``hil.arming.ArmingRefusedError``: unarmed, expired, not
                allow-listed …).
        """
        ...


class Unguarded:
    """The guard of a device that is a program of ours: all is allowed, and nobody need ask who."""

    def permit(self, verb: Verb, target: Descriptor | None, identity: MeterIdentity) -> None:
        """Return."""
