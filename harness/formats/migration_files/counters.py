"""The three counter checks, 5.9.5 to 5.9.7, and the memory they need."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.core.ids import Eui64
from harness.formats.migration_files import checks
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.words import FileType

#: Requesting Party and GroupID: each pair counts for itself.
Series = tuple[Eui64, str]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the S1SP remembers of counters; a value, so a check changes nothing by itself.

    Attributes:
        highest: Highest MCF counter accepted, by Requesting Party and GroupID.
        completed: Counters of sets that were processed to the end.

    Source:
        rules invented (reference 4.5); that there are three, internal to DCC: S000 §3.1.
    """

    highest: Mapping[Series, int] = field(default_factory=dict)
    completed: frozenset[tuple[Series, int]] = frozenset()

    def check_common(self, header: Header) -> None:
        """5.9.5: an MCF's counter is above every one accepted before in its series.

        Raises:
            MigrationFileError: X-5.9.5.
        """
        highest = self.highest.get(series(header))
        if highest is not None and header.counter <= highest:
            why = f"counter {header.counter}, but {highest} was accepted before"
            raise MigrationFileError(checks.MCF_COUNTER, "01", why)

    def check_follower(self, header: Header, common: Header | None) -> None:
        """5.9.6 and 5.9.7: the counter of a file is that of the MCF of its set.

        Args:
            header: Header of any file but an MCF.
            common: Header of the MCF of its set; None: there is none.

        Raises:
            MigrationFileError: X-5.9.7 for an MEF, X-5.9.6 for the others.
        """
        encrypted = header.file_type is FileType.MEF
        check = checks.MEF_COUNTER if encrypted else checks.SET_COUNTER
        if common is None:
            raise MigrationFileError(check, "02", f"no MCF with counter {header.counter} is there")
        if header.counter != common.counter:
            why = f"counter {header.counter}, but the MCF has {common.counter}"
            raise MigrationFileError(check, "01", why)
        if encrypted and (series(header), header.counter) in self.completed:
            why = f"a set with counter {header.counter} was completed before"
            raise MigrationFileError(check, "03", why)

    def accepted(self, header: Header) -> "Ledger":
        """Return the ledger after an MCF was accepted."""
        of = series(header)
        highest = max(header.counter, self.highest.get(of, header.counter))
        return replace(self, highest={**self.highest, of: highest})

    def complete(self, header: Header) -> "Ledger":
        """Return the ledger after the set of an MCF was processed to the end."""
        return replace(self, completed=self.completed | {(series(header), header.counter)})

    def dump(self) -> dict[str, Any]:
        """Return the ledger as JSON values."""
        return {
            "highest": _rows(self.highest.items()),
            "completed": _rows(self.completed),
        }

    @classmethod
    def load(cls, content: bytes) -> "Ledger":
        """Read a ledger from JSON.

        Raises:
            ValueError: It is not what ``dump`` writes.
        """
        try:
            table = json.loads(content)
            highest, completed = (_read(table[name]) for name in ("highest", "completed"))
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"not a ledger of counters: {type(error).__name__}") from error
        return cls(dict(highest), frozenset(completed))


def series(header: Header) -> Series:
    """Return the series that a file's counter belongs to."""
    return header.requesting_party, header.group_id


def _rows(pairs: Iterable[tuple[Series, int]]) -> list[dict[str, object]]:
    return [
        {"requesting_party": str(party), "group_id": group, "counter": counter}
        for (party, group), counter in sorted(pairs)
    ]


def _read(rows: list[dict[str, Any]]) -> list[tuple[Series, int]]:
    found: list[tuple[Series, int]] = []
    for row in rows:
        counter = row["counter"]
        if type(counter) is not int or not isinstance(row["group_id"], str):
            raise ValueError("not a ledger of counters: a counter or GroupID is none")
        found.append(((Eui64.parse(row["requesting_party"]), row["group_id"]), counter))
    return found
