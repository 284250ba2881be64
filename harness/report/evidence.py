"""What a run does not prove: stand-ins, inferred rules, undecided points, skipped steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from harness.report.model import RunRecord, ScenarioRecord
from harness.verdict import Verdict, is_firm

_EMULATED: Final = (
    "Every device was emulated: this shows that the rules as written here are met by devices as"
    " described here, not how a real device behaves."
)
_CSP: Final = (
    "The image transfer from the CSP to the hub uses smetsbench's own frames; the real one is not"
    " public."
)
#: Evidence kind -> how a reader is told.
MEANINGS: Final = {
    "source": "taken from a published source",
    "observed": "observed on a real device",
    "user": "given by the user",
    "known": "common knowledge of the field",
    "inferred": "inferred; no source says it outright",
    "stand-in": "made up where the real thing is not public",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing the run leaves open.

    Attributes:
        kind: ``emulated``, ``stand-in``, ``inferred``, ``undecided``, ``accepted``, ``fault``,
            ``skipped`` or ``missing``.
        text: One sentence.
        scenarios: Ids of the scenarios it concerns.
    """

    kind: str
    text: str
    scenarios: tuple[str, ...]


def kind_of(mark: str) -> str:
    """Return the kind of an evidence mark, its part before the colon."""
    return mark.split(":", 1)[0]


def gaps(run: RunRecord) -> tuple[Gap, ...]:
    """Return what the run leaves open, each thing once, gravest kinds first."""
    found: dict[tuple[str, str], list[str]] = {}
    for scenario in run.scenarios:
        for kind, text in _of_scenario(scenario):
            named = found.setdefault((kind, text), [])
            if scenario.id not in named:
                named.append(scenario.id)
    everywhere = [scenario.id for scenario in run.scenarios]
    for kind, text in _of_run(run):
        found[kind, text] = everywhere
    order = ("missing", "emulated", "stand-in", "inferred", "undecided", "accepted", "fault")
    ranks = {kind: rank for rank, kind in enumerate((*order, "skipped"))}
    rows = sorted(found.items(), key=lambda item: ranks[item[0][0]])
    return tuple(Gap(kind, text, tuple(ids)) for (kind, text), ids in rows)


def _of_run(run: RunRecord) -> Iterator[tuple[str, str]]:
    if run.bench == "emulated":
        yield "emulated", _EMULATED
    for note in run.notes:
        yield "missing", note
    for fault in run.options.faults:
        yield "fault", f"Fault put in on purpose: {fault}."
    for defect in run.options.defects:
        yield "fault", f"Defect built in on purpose: {defect}."
    for name in sorted(run.options.accepted):
        yield "accepted", f"The run lets the rule {name} carry a FAIL although it is not firm."


def _of_scenario(scenario: ScenarioRecord) -> Iterator[tuple[str, str]]:
    declared = scenario.declared
    for clause in declared["clauses"]:
        yield from _weak(clause["evidence"], f"Rule {clause['id']}")
    yield from _weak(declared["expectation"]["evidence"], "The expected outcome")
    for step in scenario.steps:
        for check in step.checks:
            yield from _weak(check.evidence, f"Rule {check.clause or check.name}")
    yield from scenario.not_proven
    for text in declared["silent"]:
        yield "undecided", f"{text.rstrip('.')}."
    for fault in declared["faults"]:
        yield "fault", f"Fault that belongs to the scenario: {fault}."
    if any(item.link.startswith("csp") for item in scenario.trace):
        yield "stand-in", _CSP
    comments = {
        item.comment
        for item in scenario.trace
        if "stand-in" in item.comment and not item.link.startswith("csp")
    }
    yield from (("stand-in", f"{text.rstrip('.')}.") for text in sorted(comments))
    yield from _skipped(scenario)


def _weak(mark: str, subject: str) -> Iterator[tuple[str, str]]:
    if is_firm(mark):
        return
    kind, _, why = mark.partition(":")
    told = MEANINGS.get(kind, f"marked {mark}")
    known = kind if kind in {"inferred", "stand-in"} else "inferred"
    yield known, f"{subject} is {told}" + (f": {why}." if why else ".")


def _skipped(scenario: ScenarioRecord) -> Iterator[tuple[str, str]]:
    if scenario.verdict is Verdict.SKIPPED:
        yield "skipped", f"{scenario.id} was skipped: {scenario.reason}."
        return
    if scenario.verdict is None:
        yield "skipped", f"{scenario.id} has no verdict: the run was interrupted."
        return
    for step in scenario.steps:
        if step.verdict is Verdict.SKIPPED:
            yield "skipped", f"{scenario.id} step {step.number} was skipped: {step.reason}."
        elif step.verdict is None:
            yield "skipped", f"{scenario.id} step {step.number} was not reached."
