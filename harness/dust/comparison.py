"""Two DUST runs side by side: verdicts, cases, states, codes, defects, days, files."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from emulator.core.clock import iso
from harness.dust import record_form
from harness.dust.record import DustRecord
from harness.dust.verify import opened
from harness.errors import UsageError
from harness.migration.record import Entry, InstallationRecord
from harness.migration.totals import resting_code

#: Names under which a run folder holds its record.
RECORDS: Final = ("record.json", "run.json")
_ABSENT: Final = "(absent)"
_HEAD: Final = (
    *("cohort", "group_id", "participant", "mode", "environment", "as_of", "historical", "label"),
    *("seed", "version", "definition_sha256"),
)
_CASE: Final = ("verdict", "reason", "waived_by", "first_failing_step")
_DEFECT: Final = ("severity", "attribution", "text", "case", "ref", "first_failing_step", "code")
_DAY: Final = ("capacity", "demand", "allocated", "refs")
_FILE: Final = ("size_bytes", "sha256", "kind", "result", "signature")


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
    """Two DUST runs side by side.

    Attributes:
        a: The first, as the user calls it.
        b: The second.
        changes: What differs, in order of parts.
        compared: Number of things that were compared.
    """

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
            "kind": "dust",
            "a": self.a,
            "b": self.b,
            "same": self.same,
            "compared": self.compared,
            "changes": [
                {name: getattr(one, name) for name in Change.__slots__} for one in self.changes
            ],
        }


def is_dust(path: Path) -> bool:
    """Say whether a path is a pack, or the folder of a DUST run."""
    if path.is_file():
        return True
    return any(_read(path / name) is not None for name in RECORDS)


def record_of(path: Path) -> DustRecord:
    """Return the record of a pack or a run folder.

    Raises:
        UsageError: It is neither, or the pack is not intact.
    """
    if path.is_file():
        return opened(path)
    for name in RECORDS:
        record = _read(path / name)
        if record is not None:
            return record
    if not path.exists():
        raise UsageError(
            "there is no such run folder or pack",
            where=str(path),
            cause="a mistyped name",
            next_command=f"ls -l {path}",
        )
    raise UsageError(
        "this is no DUST run: neither a pack nor a run folder with its record",
        where=str(path),
        cause="a run of another kind; only runs of one kind are compared",
        next_command="smetsbench compare A B (two run folders, or two packs)",
    )


def _read(path: Path) -> DustRecord | None:
    try:
        return record_form.load(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def compare(a: Path, b: Path) -> RunsCompared:
    """Compare two runs, each a run folder or a pack.

    Raises:
        UsageError: One of them is neither, or a pack that is not intact.
    """
    first, second = record_of(a), record_of(b)
    changes = tuple(_changes(first, second))
    return RunsCompared(str(a), str(b), changes, _size(first) + _size(second))


def _size(record: DustRecord) -> int:
    parts = (record.criteria, record.cases, record.defects, record.days, record.installations)
    return 1 + sum(len(part) for part in parts) + len(record.files)


def _changes(a: DustRecord, b: DustRecord) -> Iterator[Change]:
    yield from _fields("run", "header", (a.header, b.header), _HEAD)
    yield from _fields("run", "outcome", (a, b), ("state", "verdict", "reason"))
    for part, keyed, names in (
        ("criterion", lambda run: {one.id: one for one in run.criteria}, ("verdict", "reason")),
        ("case", lambda run: {one.id: one for one in run.cases}, _CASE),
        ("defect", lambda run: {one.id: one for one in run.defects}, _DEFECT),
        ("day", lambda run: {str(one.day): one for one in run.days}, _DAY),
    ):
        yield from _each(part, keyed(a), keyed(b), names)
    yield from _expectations(a, b)
    yield from _installations(a, b)
    ours, theirs = ({one.path: one for one in run.files} for run in (a, b))
    yield from _each("file", ours, theirs, _FILE, by=lambda one: str(one.sender))


def _each(
    part: str,
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    names: tuple[str, ...],
    by: Callable[[Any], str] = lambda _one: "",
) -> Iterator[Change]:
    for name in dict.fromkeys((*a, *b)):
        if name in a and name in b:
            yield from _fields(part, name, (a[name], b[name]), names, by(b[name]))
        else:
            ours, theirs = ("present" if name in side else _ABSENT for side in (a, b))
            yield Change(part, name, part, ours, theirs, by(a.get(name) or b[name]))


def _fields(
    part: str, name: str, sides: tuple[Any, Any], names: tuple[str, ...], by: str = ""
) -> Iterator[Change]:
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


def _expectations(a: DustRecord, b: DustRecord) -> Iterator[Change]:
    theirs = {one.id: one for one in b.cases}
    for case in a.cases:
        other = theirs.get(case.id)
        for one, two in zip(case.expected, other.expected if other else (), strict=False):
            if (one.what, one.actual, one.verdict) != (two.what, two.actual, two.verdict):
                told = [f"{it.verdict.name}: {it.actual or 'nothing'}" for it in (one, two)]
                yield Change("expectation", case.id, one.what, *told)


def _installations(a: DustRecord, b: DustRecord) -> Iterator[Change]:
    ours, theirs = ({one.ref: one for one in run.installations} for run in (a, b))
    for ref in dict.fromkeys((*ours, *theirs)):
        one, two = ours.get(ref), theirs.get(ref)
        if one is None or two is None:
            told = [_ABSENT if it is None else it.state.value for it in (one, two)]
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
