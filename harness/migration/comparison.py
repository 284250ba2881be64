"""Two migrations side by side: what became of each home, and who first did something else."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from emulator.core.clock import iso
from harness.migration.record import Entry, InstallationRecord
from harness.migration.totals import resting_code

#: Stands for a thing that one of the runs does not have.
ABSENT: Final = "(absent)"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs.

    Attributes:
        part: ``run``, ``criterion``, ``case``, ``expectation``, ``installation``, ``defect``,
            ``day`` or ``file``.
        name: Which one.
        field: What of it.
        a: What the first run has; ``(absent)`` where it has no such thing.
        b: What the second has.
        by: Who changed it: sender of a file, actor of the first line of a history that differs.
    """

    part: str
    name: str
    field: str
    a: str
    b: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class RunsCompared:
    """Two runs of one kind side by side.

    Attributes:
        kind: ``dust`` or ``migration``.
        a: The first, as the user calls it.
        b: The second.
        changes: What differs, in order of parts.
        compared: Number of things that were compared.
    """

    kind: str
    a: str
    b: str
    changes: tuple[Change, ...]
    compared: int

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.changes

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "kind": self.kind,
            "a": self.a,
            "b": self.b,
            "same": self.same,
            "compared": self.compared,
            "changes": [
                {name: getattr(one, name) for name in Change.__slots__} for one in self.changes
            ],
        }


def fields_of(
    part: str, name: str, sides: tuple[Any, Any], names: tuple[str, ...], by: str = ""
) -> Iterator[Change]:
    """Yield which attributes of two things differ.

    Args:
        part: Part of the run.
        name: Which thing of it.
        sides: The two things.
        names: Names of the attributes.
        by: Who changed it.
    """
    for one in names:
        ours, theirs = (getattr(side, one) for side in sides)
        if ours != theirs:
            yield Change(part, name, one, _shown(ours), _shown(theirs), by)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in sorted(value.items()))
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(getattr(value, "name", value)) if value is not None else "none"


def of_installations(
    a: Iterable[InstallationRecord], b: Iterable[InstallationRecord]
) -> Iterator[Change]:
    """Yield what became otherwise of the homes of two runs, and who first did something else."""
    ours, theirs = ({one.ref: one for one in run} for run in (a, b))
    for ref in dict.fromkeys((*ours, *theirs)):
        one, two = ours.get(ref), theirs.get(ref)
        if one is None or two is None:
            told = [ABSENT if it is None else it.state.value for it in (one, two)]
            yield Change("installation", ref, "state", *told)
            continue
        yield from _course(one, two)


def _course(a: InstallationRecord, b: InstallationRecord) -> Iterator[Change]:
    """Yield what of two courses differs, and who first did something else."""
    parted = next(
        (pair for pair in zip_longest(a.history, b.history) if _line(pair[0]) != _line(pair[1])),
        None,
    )
    by = "" if parted is None else _who(parted)
    facts = {
        "state": (a.state.value, b.state.value),
        "cause": (_shown(a.stranded_cause), _shown(b.stranded_cause)),
        "code": (resting_code(a) or "none", resting_code(b) or "none"),
        "attempts": (str(a.attempts), str(b.attempts)),
        "exclusion": (a.exclusion or "none", b.exclusion or "none"),
    }
    for name, (ours, theirs) in facts.items():
        if ours != theirs:
            yield Change("installation", a.ref, name, ours, theirs, by)
    if parted is not None:
        ours, theirs = (_told(one) for one in parted)
        yield Change("installation", a.ref, "history", ours, theirs, by)


def _line(entry: Entry | None) -> tuple[object, ...] | None:
    """Return a line of a history; file hashes differ with every key and tell nothing here."""
    if entry is None:
        return None
    told = (entry.at, entry.actor, entry.step, entry.result, entry.state)
    return (*told, entry.code, entry.sub_code, entry.text)


def _who(pair: tuple[Entry | None, Entry | None]) -> str:
    return " / ".join(dict.fromkeys(one.actor for one in pair if one is not None))


def _told(entry: Entry | None) -> str:
    if entry is None:
        return "(its history has ended)"
    code = f" {entry.code}" if entry.code else ""
    return f"{iso(entry.at)} {entry.step} {entry.state or entry.result}{code}: {entry.text}"
