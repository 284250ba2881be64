"""Two DUST runs side by side: verdicts, cases, states, codes, defects, days, files."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from harness.dust import record_form
from harness.dust.record import DustRecord
from harness.dust.verify import opened
from harness.errors import UsageError
from harness.migration.comparison import ABSENT, Change, RunsCompared, fields_of, of_installations

#: Names under which a run folder holds its record.
RECORDS: Final = ("record.json", "run.json")
_HEAD: Final = (
    *("cohort", "group_id", "participant", "mode", "environment", "as_of", "historical", "label"),
    *("seed", "version", "definition_sha256"),
)
_CASE: Final = ("verdict", "reason", "waived_by", "first_failing_step")
_DEFECT: Final = ("severity", "attribution", "text", "case", "ref", "first_failing_step", "code")
_DAY: Final = ("capacity", "demand", "allocated", "refs")
_FILE: Final = ("size_bytes", "sha256", "kind", "result", "signature")


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
    return RunsCompared("dust", str(a), str(b), changes, _size(first) + _size(second))


def _size(record: DustRecord) -> int:
    parts = (record.criteria, record.cases, record.defects, record.days, record.installations)
    return 1 + sum(len(part) for part in parts) + len(record.files)


def _changes(a: DustRecord, b: DustRecord) -> Iterator[Change]:
    yield from fields_of("run", "header", (a.header, b.header), _HEAD)
    yield from fields_of("run", "outcome", (a, b), ("state", "verdict", "reason"))
    for part, keyed, names in (
        ("criterion", lambda run: {one.id: one for one in run.criteria}, ("verdict", "reason")),
        ("case", lambda run: {one.id: one for one in run.cases}, _CASE),
        ("defect", lambda run: {one.id: one for one in run.defects}, _DEFECT),
        ("day", lambda run: {str(one.day): one for one in run.days}, _DAY),
    ):
        yield from _each(part, keyed(a), keyed(b), names)
    yield from _expectations(a, b)
    yield from of_installations(a.installations, b.installations)
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
            yield from fields_of(part, name, (a[name], b[name]), names, by(b[name]))
        else:
            ours, theirs = ("present" if name in side else ABSENT for side in (a, b))
            yield Change(part, name, part, ours, theirs, by(a.get(name) or b[name]))


def _expectations(a: DustRecord, b: DustRecord) -> Iterator[Change]:
    theirs = {one.id: one for one in b.cases}
    for case in a.cases:
        other = theirs.get(case.id)
        for one, two in zip(case.expected, other.expected if other else (), strict=False):
            if (one.what, one.actual, one.verdict) != (two.what, two.actual, two.verdict):
                told = [f"{it.verdict.name}: {it.actual or 'nothing'}" for it in (one, two)]
                yield Change("expectation", case.id, one.what, *told)
