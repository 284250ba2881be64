"""The exit criteria of a run, and the verdict that follows from them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.dust.cases import Facts
from harness.dust.definition import Definition
from harness.dust.record import CaseResult, Criterion, Defect, KeptFile
from harness.errors import HarnessError
from harness.migration.states import RESTING
from harness.migration.totals import reconcile, totals
from harness.verdict import Verdict, combine

_EXIT: Final = "exit"
_MANDATORY: Final = "mandatory-cases"
_WAIVED: Final = "waived: "


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        facts: What it has shown.
        cases: Its cases.
        defects: Its defects.
        folder: Its folder.
    """

    facts: Facts = field(repr=False)
    cases: tuple[CaseResult, ...]
    defects: tuple[Defect, ...]
    folder: Path


def judge_exit(definition: Definition, outcome: Outcome) -> tuple[Criterion, ...]:
    """Judge the exit criteria that a definition asks for."""
    asked = definition.exit
    found: list[Criterion] = []
    if asked.mandatory_cases:
        found.append(_mandatory(outcome.cases))
    found.append(_defects(outcome, asked.open_defects_below))
    if asked.terminal_states:
        found.append(_terminal(outcome.facts))
    if asked.evidence_complete:
        found.append(_evidence(outcome))
    return tuple(found)


def _criterion(check: str, text: str, verdict: Verdict, reason: str) -> Criterion:
    return Criterion(f"exit-{check}", _EXIT, check, text, verdict, reason)


def _mandatory(cases: Sequence[CaseResult]) -> Criterion:
    """Look at mandatory cases; of one that was not played nobody knows whether it passes."""
    text = "every mandatory case passed or waived"
    due = [one for one in cases if one.mandatory and not one.waived_by]
    bad = [one for one in due if one.verdict is not Verdict.PASS]
    if bad:
        verdict = combine((Verdict.INCONCLUSIVE, *(one.verdict for one in bad)))
        reason = ", ".join(f"{one.id} {one.verdict.name}" for one in bad)
        return _criterion(_MANDATORY, text, verdict, f"not passed: {reason}")
    waived = [one.id for one in cases if one.waived_by]
    reason = f"{_WAIVED}{', '.join(waived)}" if waived else "all of them passed"
    return _criterion(_MANDATORY, text, Verdict.PASS, reason)


def _defects(outcome: Outcome, below: int) -> Criterion:
    """Look at open defects; those of waived cases, and of unproven rules, are no bar."""
    text = f"no open defect of severity below {below}"
    verdicts = {one.id: one for one in outcome.cases}
    found = []
    for one in outcome.defects:
        case = verdicts.get(one.case)
        if one.severity < below and not (case is not None and case.waived_by):
            found.append((one, Verdict.FAIL if case is None else case.verdict))
    if not found:
        return _criterion("open-defects", text, Verdict.PASS, "there is none")
    named = ", ".join(f"{one.id} (severity {one.severity})" for one, _verdict in found)
    return _criterion("open-defects", text, combine(verdict for _one, verdict in found), named)


def _terminal(facts: Facts) -> Criterion:
    text = "every installation in a terminal state"
    open_ones = [
        f"{ref} {record.state.value}"
        for ref, record in facts.records.items()
        if record.state not in RESTING
    ]
    if not open_ones:
        return _criterion("terminal-states", text, Verdict.PASS, "all of them rest")
    return _criterion("terminal-states", text, Verdict.FAIL, ", ".join(open_ones[:10]))


def _evidence(outcome: Outcome) -> Criterion:
    text = "the evidence is complete"
    looked = (kept_as_written(outcome.folder, row) for row in outcome.facts.files)
    why = next(filter(None, looked), "") or _unreconciled(outcome.facts)
    verdict = Verdict.ERROR if why else Verdict.PASS
    count = len(outcome.facts.files)
    return _criterion("evidence", text, verdict, why or f"{count} files, as they were kept")


def _unreconciled(facts: Facts) -> str:
    records = [one for one in facts.records.values() if one.state in RESTING]
    try:
        reconcile(records, totals(records))
    except HarnessError as error:
        return error.what
    return ""


def verdict_of(criteria: Sequence[Criterion]) -> tuple[Verdict, str]:
    """Return the verdict of a run and why."""
    verdict = combine(one.verdict for one in criteria)
    bad = [one for one in criteria if one.verdict is verdict]
    if verdict <= Verdict.PASS:
        told = [one.reason for one in criteria if one.check == _MANDATORY]
        waived = [reason for reason in told if reason.startswith(_WAIVED)]
        return Verdict.PASS, "; ".join(("every criterion is met", *waived))
    return verdict, "; ".join(f"{one.id}: {one.reason}" for one in bad)


def kept_as_written(folder: Path, row: KeptFile) -> str:
    """Return what is wrong with a kept file; empty where it is what was kept."""
    try:
        octets = (folder / row.path).read_bytes()
    except OSError as error:
        return f"{row.path}: {error.strerror}"
    same = hashlib.sha256(octets).hexdigest() == row.sha256
    return "" if same else f"{row.path} is not what was kept"
