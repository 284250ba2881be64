"""One record of a run, built from its journal and its capture; every report renders it."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.journal import Journal
from harness.report.trace import TraceItem, trace_of
from harness.run import NOT_PROVEN
from harness.run_folder import FILES, OPTIONAL, RunFolder
from harness.run_options import RunOptions
from harness.verdict import Verdict, combine

#: Scenarios that a remark names one by one.
_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class Check:
    """Something a step compared or measured.

    Attributes:
        name: What, in words.
        expected: What was demanded: a value, or the limits of a measurement.
        actual: What was found; None where nothing could be measured.
        clause: Clause id; may be empty.
        evidence: Evidence mark of the rule.
        verdict: What it came to.
        unit: Unit of a measurement; None for a comparison.
    """

    name: str
    expected: Any
    actual: Any
    clause: str
    evidence: str
    verdict: Verdict
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step as it went.

    Attributes:
        number: From 1.
        title: Its title.
        about: Its docstring.
        clauses: Clause ids.
        verdict: None while it has none.
        reason: Why; may be empty.
        error: What, where, cause, next; None unless bench or harness broke.
        started_at: Milliseconds since 1970; None when it never began.
        ended_at: Likewise.
        operations: Number of operations on the bench.
        checks: Comparisons and measurements in order.
        attachments: Names and sizes in octets.
    """

    number: int
    title: str
    about: str
    clauses: tuple[str, ...]
    verdict: Verdict | None
    reason: str
    error: dict[str, str] | None
    started_at: int | None
    ended_at: int | None
    operations: int
    checks: tuple[Check, ...]
    attachments: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in the order it was seen.

    Attributes:
        at: Milliseconds since 1970.
        step: Step number from 1.
        source: ``scenario``, or the device it was seen in.
        word: Event word or kind of observation.
        fields: Names and values.
    """

    at: int
    step: int
    source: str
    word: str
    fields: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ScenarioRecord:
    """One scenario as it went; ``declared`` is what ``Scenario.declared`` said of it.

    ``idle_faults`` are faults of the run that never happened, as they were ordered.
    ``not_proven`` is what the scenario's ``setup`` knew that the run would leave open: kind, text.
    """

    id: str
    declared: dict[str, Any]
    verdict: Verdict | None
    reason: str
    error: dict[str, str] | None
    outcome: str
    unexpected_success: bool
    started_at: int | None
    ended_at: int | None
    steps: tuple[StepRecord, ...]
    events: tuple[Event, ...]
    names: dict[str, str]
    before: dict[str, dict[str, str]]
    after: dict[str, dict[str, str]]
    trace: tuple[TraceItem, ...]
    not_proven: tuple[tuple[str, str], ...] = ()
    idle_faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as its journal tells it.

    Attributes:
        id: Run id.
        state: ``done`` or ``interrupted``.
        version: Version of smetsbench that played it.
        bench: Kind of bench.
        options: The choices made.
        verdict: Of the whole run; None for an interrupted one in which nothing failed so far.
        scenarios: In order.
        files: Name -> file name inside the run folder.
        notes: What this record lacks, e.g. a capture that is gone.
        remarks: What a reader of the reports should know and that leaves nothing open.
    """

    id: str
    state: str
    version: str
    bench: str
    options: RunOptions
    verdict: Verdict | None
    scenarios: tuple[ScenarioRecord, ...]
    files: dict[str, str] = field(default_factory=lambda: dict(FILES))
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def build(folder: RunFolder) -> RunRecord:
    """Read a run folder.

    Raises:
        UsageError: It holds no readable run.
    """
    journal = Journal.open(folder.file("journal"))
    try:
        return _run(journal, folder)
    finally:
        journal.close()


def _run(journal: Journal, folder: RunFolder) -> RunRecord:
    row = journal.rows("SELECT * FROM runs")[0]
    traces, notes = trace_of(journal, folder.file("capture"))
    scenarios = tuple(
        _scenario(journal, entry, traces.get(entry["n"], ()))
        for entry in journal.rows("SELECT * FROM scenarios ORDER BY n")
    )
    options = RunOptions.load(json.loads(row["options"]))
    judged = (item.verdict for item in scenarios if item.verdict is not None)
    verdict: Verdict | None = combine(judged)
    if row["state"] != "done" and verdict is not None and verdict <= Verdict.PASS:
        verdict = None  # what was not played may still fail
    return RunRecord(
        id=row["id"],
        state="done" if row["state"] == "done" else "interrupted",
        version=row["version"],
        bench=row["bench"],
        options=options,
        verdict=verdict,
        scenarios=scenarios,
        files={
            name: file
            for name, file in FILES.items()
            if name not in OPTIONAL or folder.file(name).is_file()
        },
        notes=notes,
        remarks=_of_idle_faults(options.faults, scenarios),
    )


def _of_idle_faults(ordered: Sequence[str], scenarios: Sequence[ScenarioRecord]) -> tuple[str, ...]:
    """Return what is to be told of faults that were ordered and never happened."""
    played = [one for one in scenarios if one.verdict not in {None, Verdict.SKIPPED}]
    names = list(dict.fromkeys(one.id for one in played))
    where = ", ".join(names) if len(names) <= _NAMED else f"any of {len(names)} scenarios"
    return tuple(
        f"the fault {text} never happened: what it waits for did not come in {where}"
        for text in dict.fromkeys(ordered)
        if played and all(text in one.idle_faults for one in played)
    )


def _scenario(journal: Journal, row: sqlite3.Row, trace: Sequence[TraceItem]) -> ScenarioRecord:
    result = json.loads(row["result"] or "{}")
    names = json.loads(row["names"])
    declared = json.loads(row["declared"])
    return ScenarioRecord(
        id=row["id"],
        declared=declared,
        verdict=Verdict[result["verdict"]] if result else None,
        reason=result.get("reason", ""),
        error=result.get("error"),
        outcome=result.get("outcome", ""),
        unexpected_success=result.get("unexpected_success", False),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        steps=tuple(_steps(journal, row["n"], declared["steps"])),
        events=tuple(_events(journal, row["n"], names)),
        names=names,
        before=json.loads(row["before"]),
        after=json.loads(row["after"]),
        trace=tuple(trace),
        not_proven=_left_open(row["carried"]),
        idle_faults=tuple(result.get("idle_faults", ())),
    )


def _left_open(carried: str | None) -> tuple[tuple[str, str], ...]:
    facts = json.loads(carried or "{}").get("facts", {})
    return tuple((kind, text) for kind, text in facts.get(NOT_PROVEN, ()))


def _steps(journal: Journal, scenario: int, declared: list[dict[str, Any]]) -> list[StepRecord]:
    rows = {
        row["n"]: row for row in journal.rows("SELECT * FROM steps WHERE scenario = ?", scenario)
    }
    return [_step(journal, scenario, n, told, rows.get(n)) for n, told in enumerate(declared)]


def _step(
    journal: Journal, scenario: int, n: int, told: dict[str, Any], row: sqlite3.Row | None
) -> StepRecord:
    result = json.loads((row["result"] if row is not None else None) or "{}")
    at = (scenario, n)
    records = [
        (entry["kind"], json.loads(entry["body"]), entry["size"])
        for entry in journal.rows(
            "SELECT kind, body, length(octets) AS size FROM records"
            " WHERE scenario = ? AND step = ? ORDER BY n",
            *at,
        )
    ]
    count = journal.rows("SELECT COUNT(*) FROM operations WHERE scenario = ? AND step = ?", *at)[0][
        0
    ]
    return StepRecord(
        number=n + 1,
        title=told["title"],
        about=told["about"],
        clauses=tuple(told["clauses"]),
        verdict=Verdict[result["verdict"]] if result else None,
        reason=result.get("reason", ""),
        error=result.get("error"),
        started_at=row["started_at"] if row is not None else None,
        ended_at=row["ended_at"] if row is not None else None,
        operations=count,
        checks=tuple(
            _check(kind, body) for kind, body, _ in records if kind in {"check", "measure"}
        ),
        attachments=tuple(
            (body["name"], size) for kind, body, size in records if kind == "attachment"
        ),
    )


def _check(kind: str, body: dict[str, Any]) -> Check:
    verdict, basis = Verdict[body["verdict"]], (body["clause"], body["evidence"])
    if kind == "measure":
        return Check(body["name"], body["limits"], body["value"], *basis, verdict, body["unit"])
    return Check(body["name"], body["expected"], body["actual"], *basis, verdict)


def _events(journal: Journal, scenario: int, names: dict[str, str]) -> list[Event]:
    """Scenario events and observations, ordered as they were recorded."""
    told = [
        (row["operation"], 1, row["step"], row["n"], row)
        for row in journal.rows(
            "SELECT step, n, operation, at, kind, body FROM records"
            " WHERE scenario = ? AND kind IN ('event', 'outcome')",
            scenario,
        )
    ]
    seen = [
        (row["operation"], 0, row["step"], row["n"], row)
        for row in journal.rows(
            "SELECT o.operation, o.n, o.at, o.device, o.kind, o.fields, p.step"
            " FROM observations o JOIN operations p"
            " ON p.scenario = o.scenario AND p.ordinal = o.operation WHERE o.scenario = ?",
            scenario,
        )
    ]
    events = []
    for _, is_told, step, _, row in sorted(told + seen, key=lambda item: item[:4]):
        if is_told:
            body = json.loads(row["body"])
            word = body["word"] if row["kind"] == "event" else f"outcome: {body['word']}"
            fields = tuple(body.get("fields", {}).items())
            events.append(Event(row["at"], step + 1, "scenario", word, fields))
        else:
            source = names.get(row["device"], row["device"])
            fields = tuple((name, value) for name, value in json.loads(row["fields"]))
            events.append(Event(row["at"], step + 1, source, row["kind"], fields))
    return events
