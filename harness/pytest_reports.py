"""What is reported of a test: verdict, JUnit properties, where it failed, and its capture."""

import importlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from harness.errors import HarnessError
from harness.pytest_items import ScenarioItem
from harness.pytest_markers import clauses_of, expired, is_ours, issue_of
from harness.pytest_trail import InconclusiveError, Trail

if TYPE_CHECKING:
    from harness.pytest_case import Case

#: Messages shown with a failure.
_SHOWN: Final = 6
#: Kinds of benches whose devices are ours: nothing they tell is anybody's.
_OURS: Final = frozenset({"emulated", "loopback"})
_VALUE: Final = re.compile(r"'[^']*'")
_NEXT: Final = "pytest '{}' --smetsbench-out DIR"
#: Class of an exception -> what it mostly comes from.
_CAUSES: Final = {
    "DeadlockError": "something is awaited that nothing on the bench will ever do",
    "InconclusiveError": "the rule is no stronger than an inference: --smetsbench-accept CLAUSE",
    "DeviationError": "the device or party named above deviates from the clause",
    "AssertionError": "a device or party deviates, or the test expects what no clause says",
}


def properties(item: pytest.Item) -> Iterator[tuple[str, object]]:
    """Yield what is known of a test before it ran, for JUnit."""
    case = _case(item)
    if case is not None:
        yield "seed", case.seed
        yield "cohort", case.home.cohort or "none"
        yield "home", case.called.removeprefix("home: ")
        yield "bench", "none" if case.bench is None else case.bench.kind
    for clause in clauses_of(item):
        yield "clause", clause.id
        yield "evidence", clause.evidence
    issue = issue_of(item)
    if issue is not None:
        yield "known_issue", f"{issue[0]} until {issue[1]}"


def report(item: pytest.Item, call: pytest.CallInfo[None], made: pytest.TestReport) -> None:
    """Complete the report of one phase of a test: verdict, what failed where, capture."""
    error = None if call.excinfo is None else call.excinfo.value
    is_run = isinstance(item, ScenarioItem) or "smetsbench_run" in _fixtures(item)
    if isinstance(error, HarnessError) and (is_run or is_ours(item)):
        _as_error(made)
        if not item.config.getoption("fulltrace"):
            made.longrepr = "\n".join([*_line_of(item, call), *error.lines()])
    if made.when == "teardown" or not is_ours(item):
        return
    if made.when != "call" and made.passed:
        return
    _past_its_day(item, made)
    rows = [*properties(item), ("verdict", verdict_of(made, error))]
    if made.skipped:
        rows.append(("reason", _reason(made)))
    if made.failed:
        rows += _attached(item)
        made.sections.append(("smetsbench", "\n".join(_told(item, error))))
    fresh = [row for row in rows if row[0] not in {name for name, _ in item.user_properties}]
    item.user_properties += fresh
    made.user_properties += fresh


def verdict_of(made: pytest.TestReport, error: BaseException | None) -> str:
    """Return the verdict of a test, in the words of runs."""
    if made.skipped and not hasattr(made, "wasxfail"):
        return "SKIPPED"
    if made.passed:
        return "PASS"
    if isinstance(error, InconclusiveError):
        return "INCONCLUSIVE"
    broke = isinstance(error, HarnessError) or made.when != "call"
    return "ERROR" if broke else "FAIL"


def _line_of(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[str]:
    """Yield the last line of the test that led to an exception; nothing for a fixture of ours."""
    entries = [] if call.excinfo is None else list(call.excinfo.traceback)
    for entry in reversed(entries):
        if Path(entry.path) == item.path:
            yield f"{item.path.name}:{entry.lineno + 1}: {entry.statement}".rstrip()
            return


def _as_error(made: pytest.TestReport) -> None:
    """Count a broken bench as an error; an expected failure is none of those either.

    pytest tells errors from failures by the phase alone, so the phase is what is changed.
    """
    made.outcome = "failed"
    if hasattr(made, "wasxfail"):
        del made.wasxfail
    if made.when == "call":
        made.when = "setup"


def _past_its_day(item: pytest.Item, made: pytest.TestReport) -> None:
    over = expired(item)
    if over and made.passed and made.when == "call":
        made.outcome = "failed"
        made.longrepr = f"{over}; it passes: take the marker off"
    elif over and made.failed:
        made.sections.append(("known issue", f"{over}: mend it, or agree on another day"))


def _reason(made: pytest.TestReport) -> str:
    if hasattr(made, "wasxfail"):
        return str(made.wasxfail)
    told = made.longrepr
    return str(told[2] if isinstance(told, tuple) else told).removeprefix("Skipped: ")


def _attached(item: pytest.Item) -> list[tuple[str, object]]:
    """Write the capture of a failed test, and return where it lies."""
    case = _case(item)
    if case is None or case.wire is None or not case.wire.save(case.capture):
        return []
    return [("wire.pcapng", str(case.capture))]


def _told(item: pytest.Item, error: BaseException | None) -> Iterator[str]:
    """Yield what failed, where, the last messages, the likely cause, and the next command."""
    case = _case(item)
    trail = Trail() if case is None else case.trail
    what = str(error).partition("\n")[0] if error is not None and str(error) else "it failed"
    yield f"what: {what}"
    yield from trail.lines()
    if case is not None:
        yield from _of_bench(case)
    if not isinstance(error, HarnessError):  # which said so itself
        yield f"likely cause: {_cause(error, trail)}"
        yield f"next: {trail.next_command or _NEXT.format(item.nodeid)}"


def _of_bench(case: "Case") -> Iterator[str]:
    kind = "not open" if case.bench is None else case.bench.kind
    yield f"{case.called}, bench: {kind}, seed: {case.seed}"
    last = [] if case.wire is None else case.wire.last(_SHOWN)
    if last:
        yield "last messages:"
        yield from (f"  {_veiled(line, kind)}" for line in last)
        yield f"capture: {case.capture}"


def _veiled(line: str, kind: str) -> str:
    """Leave the values out that a device of the user's own told."""
    return line if kind in _OURS else _VALUE.sub("'…'", line)


def _cause(error: BaseException | None, trail: Trail) -> str:
    names = [one.__name__ for one in type(error).__mro__]
    by_class = next((_CAUSES[name] for name in names if name in _CAUSES), "")
    return trail.cause or by_class or "a defect of the test itself"


def _fixtures(item: pytest.Item) -> Collection[str]:
    found: Collection[str] = getattr(item, "fixturenames", ())
    return found


def _case(item: pytest.Item) -> "Case | None":
    """Return what a test plays with; None where it plays with nothing, or came to nothing."""
    if "smetsbench_case" not in _fixtures(item):
        return None
    module: Any = importlib.import_module("harness.pytest_case")
    found: Case | None = item.stash.get(module.CASE, None)
    return found
