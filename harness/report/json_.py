"""The run as JSON (schema ``harness/schemas/run.schema.json``) and its events as JSON lines."""

import json
from typing import Any, Final

from emulator.core.clock import UtcMs, iso
from harness.report.evidence import gaps
from harness.report.model import Check, Event, RunRecord, ScenarioRecord, StepRecord
from harness.run import plain
from harness.verdict import Verdict

#: How durable a run of scenarios is (docs/decisions/0004): the other grade is a migration run's.
DURABILITY: Final = {
    "grade": "per-operation",
    "says": "every operation on the bench is journalled before it is done, with the bench's state"
    " behind it; a killed run goes on in the middle of a step and repeats no write",
}


def document(run: RunRecord) -> dict[str, Any]:
    """Return the run as JSON values."""
    return {
        "run": run.id,
        "state": run.state,
        "verdict": _word(run.verdict),
        "seed": run.options.seed,
        "version": run.version,
        "bench": run.bench,
        "durability": dict(DURABILITY),
        "options": run.options.dump(),
        "scenarios": [_scenario(scenario) for scenario in run.scenarios],
        "not_proven": [
            {"kind": gap.kind, "text": gap.text, "scenarios": list(gap.scenarios)}
            for gap in gaps(run)
        ],
        "remarks": list(run.remarks),
        "files": run.files,
    }


def render(run: RunRecord) -> str:
    """Return ``run.json``."""
    return json.dumps(document(run), indent=2, ensure_ascii=False) + "\n"


def render_events(run: RunRecord) -> str:
    """Return ``events.jsonl``: one event a line, in order, with its scenario and step."""
    lines = [
        json.dumps({"scenario": scenario.id, **_event(event)}, ensure_ascii=False)
        for scenario in run.scenarios
        for event in scenario.events
    ]
    return "".join(f"{line}\n" for line in lines)


def _word(verdict: Verdict | None) -> str | None:
    return None if verdict is None else verdict.name


def _moment(at: int | None) -> str | None:
    return None if at is None else iso(UtcMs(at))


def _scenario(scenario: ScenarioRecord) -> dict[str, Any]:
    declared = scenario.declared
    return {
        "id": scenario.id,
        "title": declared["title"],
        "devices": declared["devices"],
        "world": declared["world"],
        "verdict": _word(scenario.verdict),
        "reason": scenario.reason,
        "expectation": declared["expectation"],
        "outcome": scenario.outcome,
        "unexpected_success": scenario.unexpected_success,
        "error": scenario.error,
        "started_at": _moment(scenario.started_at),
        "ended_at": _moment(scenario.ended_at),
        "clauses": declared["clauses"],
        "expected_events": declared["expected_events"],
        "events": [_event(event) for event in scenario.events if event.source == "scenario"],
        "steps": [_step(step) for step in scenario.steps],
        "devices_before": scenario.before,
        "devices_after": scenario.after,
    }


def _step(step: StepRecord) -> dict[str, Any]:
    return {
        "number": step.number,
        "title": step.title,
        "verdict": _word(step.verdict),
        "reason": step.reason,
        "error": step.error,
        "clauses": list(step.clauses),
        "started_at": _moment(step.started_at),
        "ended_at": _moment(step.ended_at),
        "operations": step.operations,
        "checks": [_check(check) for check in step.checks],
        "attachments": [{"name": name, "octets": size} for name, size in step.attachments],
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "expected": check.expected,
        "actual": check.actual,
        "unit": check.unit,
        "clause": check.clause,
        "evidence": check.evidence,
        "verdict": check.verdict.name,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": _moment(event.at),
        "step": event.step,
        "source": event.source,
        "word": event.word,
        "fields": {name: plain(value) for name, value in event.fields},
    }
