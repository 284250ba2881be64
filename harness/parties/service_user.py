"""What the DCC knows of a service user: whom to hand responses and alerts to."""

from typing import Protocol

from emulator.core.ids import Eui64
from harness.rules.roles import UserRole


class ServiceUser(Protocol):
    """A party that sends requests and takes responses."""

    @property
    def name(self) -> str:
        """How the trace calls it."""
        ...

    @property
    def eui64(self) -> Eui64:
        """Its identifier."""
        ...

    @property
    def roles(self) -> frozenset[UserRole]:
        """Roles in which it is registered."""
        ...

    def take(self, document: bytes) -> object:
        """Take one DUIS response or alert."""
        ...
