"""Entries of a device's event and security log."""

from dataclasses import dataclass

from emulator.core.clock import UtcMs
from emulator.devices.saved import Json, Saved


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of an event or security log.

    Attributes:
        at: When, by the device's clock.
        code: Event code, e.g. 0x8F43.
        detail: What a reader should know beside it.
    """

    at: UtcMs
    code: int
    detail: str


def dump_log(entries: list[LogEntry]) -> Json:
    """Return a log as JSON."""
    return [{"at": entry.at, "code": entry.code, "detail": entry.detail} for entry in entries]


def load_log(rows: list[Saved]) -> list[LogEntry]:
    """Return the log a dump describes."""
    return [LogEntry(row.moment("at"), row.number("code"), row.text("detail")) for row in rows]
