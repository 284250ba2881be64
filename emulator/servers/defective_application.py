"""Saboteurs on the line: doors to a device that do one named thing wrong."""

from collections.abc import Mapping
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.servers.application import Application, Reply

#: A year: long enough to be never.
_NEVER_MS: Final = 365 * 86_400_000


class ExecutesRepeats(Application):
    """Carries a message out again when its client repeats it."""

    _last: tuple[int, int, bytes] | None = None

    def ask(self, client: int, server: int, apdu: bytes, now: UtcMs) -> Reply:
        """Hand an APDU to the device, and remember it."""
        self._last = (client, server, apdu)
        return super().ask(client, server, apdu, now)

    def repeated(self, client: int, server: int, now: UtcMs) -> list[Effect]:
        """Hand the last APDU to the device once more; nobody hears what it says."""
        if self._last is None or self._last[:2] != (client, server):
            return []
        return list(super().ask(*self._last, now).rest)


class KeepsIdleLinks(Application):
    """Never drops a link that nobody uses."""

    @property
    def inactivity_ms(self) -> int:
        """A year."""
        return _NEVER_MS


#: Name of a line defect (``line_defects`` of a device) -> the door that has it.
DOORS: Final[Mapping[str, type[Application]]] = {
    "executes-repeats": ExecutesRepeats,
    "keeps-idle-links": KeepsIdleLinks,
}


def door_of(device: object) -> type[Application]:
    """Return the door for a device: the right one unless it has a line defect."""
    names: frozenset[str] = getattr(device, "line_defects", frozenset())
    return next((DOORS[name] for name in sorted(names)), Application)
