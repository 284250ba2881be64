"""The memory that the counter checks 5.9.5 to 5.9.7 need, by headers of files, and on disk."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from emulator.core.ids import Eui64
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.words import FileType
from harness.rules.counters import CounterFacts, SequenceState

#: Requesting Party and GroupID: each pair counts for itself.
Series = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the S1SP remembers of counters; a value, so a check changes nothing by itself.

    The checks themselves are rules (``harness.rules.counters``).

    Attributes:
        state: Highest counters and completed sets.
    """

    state: SequenceState = field(default_factory=SequenceState, repr=False)

    def facts(self, header: Header, common: Header | None) -> CounterFacts:
        """Return what the counter checks judge of one file.

        Args:
            header: Header of the file.
            common: Header of the MCF of its set; None: there is none.
        """
        party, group = series(header)
        mcf = None if common is None else common.counter
        kind, counter = header.file_type, header.counter
        if kind is FileType.MCF:
            return CounterFacts(party, group, self.state, counter)
        if kind is FileType.MEF:
            return CounterFacts(party, group, self.state, mcf, mef=counter)
        return CounterFacts(party, group, self.state, mcf, others=((str(kind), counter),))

    def accepted(self, header: Header) -> "Ledger":
        """Return the ledger after an MCF was accepted."""
        return Ledger(self.state.accepted(self.facts(header, header)))

    def complete(self, header: Header) -> "Ledger":
        """Return the ledger after the set of an MCF was processed to the end."""
        return Ledger(self.state.done(self.facts(header, header)))

    def dump(self) -> dict[str, Any]:
        """Return the ledger as JSON values."""
        completed = (((party, group), counter) for party, group, counter in self.state.completed)
        return {"highest": _rows(self.state.highest.items()), "completed": _rows(completed)}

    @classmethod
    def load(cls, content: bytes) -> "Ledger":
        """Read a ledger from JSON.

        Raises:
            ValueError: It is not what ``dump`` writes.
        """
        try:
            return cls.of_json(json.loads(content))
        except RecursionError as error:
            raise ValueError("not a ledger of counters: nested too deep") from error

    @classmethod
    def of_json(cls, table: Any) -> "Ledger":
        """Return what ``dump`` gave.

        Raises:
            ValueError: It is not what ``dump`` writes.
        """
        try:
            highest, completed = (_read(table[name]) for name in ("highest", "completed"))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a ledger of counters: {type(error).__name__}") from error
        done = frozenset((*of, counter) for of, counter in completed)
        return cls(SequenceState(dict(highest), done))


def series(header: Header) -> Series:
    """Return the series that a file's counter belongs to."""
    return str(header.requesting_party), header.group_id


def _rows(pairs: Iterable[tuple[Series, int]]) -> list[dict[str, object]]:
    return [
        {"requesting_party": party, "group_id": group, "counter": counter}
        for (party, group), counter in sorted(pairs)
    ]


def _read(rows: list[dict[str, Any]]) -> list[tuple[Series, int]]:
    found: list[tuple[Series, int]] = []
    for row in rows:
        counter = row["counter"]
        if type(counter) is not int or not isinstance(row["group_id"], str):
            raise ValueError("not a ledger of counters: a counter or GroupID is none")
        party = str(Eui64.parse(row["requesting_party"]))
        found.append(((party, row["group_id"]), counter))
    return found
