"""What a step and a scenario come to: findings, and the rules that combine them."""

import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import BenchError, HarnessError
from harness.run import Run
from harness.scenario import Step
from harness.verdict import ExpectationKind, Verdict, combine, failed


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with its reason.

    Attributes:
        verdict: The verdict.
        reason: One sentence; empty for PASS.
        error: What, where, likely cause and next command, where bench or harness broke.
        stops: Whether what follows cannot be trusted any more although nothing failed.
    """

    verdict: Verdict
    reason: str = ""
    error: dict[str, str] | None = None
    stops: bool = False

    def row(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return {
            "verdict": self.verdict.name,
            "reason": self.reason,
            "error": self.error,
            "stops": self.stops,
        }

    @classmethod
    def load(cls, row: dict[str, Any]) -> "Finding":
        """Return the finding a journal holds."""
        return cls(Verdict[row["verdict"]], row["reason"], row["error"], row["stops"])


def in_expected_order(words: Sequence[str], expected: Sequence[str]) -> bool:
    """Say whether event words follow the pattern of ``Scenario.expected_events``."""
    pattern = ""
    for item in expected:
        mark = item[-1] if item[-1] in "?*+" else ""
        names = "|".join(re.escape(name) for name in item.rstrip("?*+").split("|"))
        pattern += f"(?:(?:{names});){mark}"
    return re.fullmatch(pattern, "".join(f"{word};" for word in words)) is not None


def broken(error: Exception, where: str) -> Finding:
    """Return the finding for a bench or a harness that broke."""
    if isinstance(error, HarnessError):
        told = {
            "what": error.what,
            "where": error.where or where,
            "cause": error.cause,
            "next": error.next_command,
            "blame": "bench" if isinstance(error, BenchError) else "harness",
        }
        return Finding(Verdict.ERROR, error.what, told)
    frames = traceback.extract_tb(error.__traceback__)
    spot = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    told = {
        "what": what,
        "where": f"{where} ({spot})" if spot else where,
        "cause": "a defect of the scenario, the harness or the bench, not of the device",
        "next": "",
        "blame": "harness",
    }
    return Finding(Verdict.ERROR, what, told)


def unplayed(finding: Finding) -> dict[str, Any]:
    """Return the result of a scenario that came to no outcome."""
    return {**finding.row(), "outcome": "", "unexpected_success": False}


def of_step(run: Run, step: Step) -> Finding:
    """Return what a step that came to its end is worth: the gravest of what it stated."""
    taken = {item.body["name"] for item in run.records if item.kind == "measure"}
    stated = list(run.verdicts)
    stated += [
        (Verdict.INCONCLUSIVE, f"{item.name} was not measured")
        for item in step.measures
        if item.name not in taken
    ]
    verdict = max(Verdict.PASS, combine(verdict for verdict, _ in stated))
    return Finding(verdict, next((why for graded, why in stated if graded is verdict), ""))


def of_scenario(run: Run, findings: Sequence[Finding]) -> dict[str, Any]:
    """Combine steps, outcome word and order of events into the scenario's result."""
    if findings and all(finding.verdict is Verdict.SKIPPED for finding in findings):
        return unplayed(Finding(Verdict.SKIPPED, findings[0].reason))
    graded = list(findings)
    unexpected = False
    if all(finding.verdict < Verdict.FAIL and not finding.stops for finding in findings):
        outcome, unexpected = _of_outcome(run)
        graded += [outcome, _of_order(run)]
    verdict = combine(finding.verdict for finding in graded)
    given_up = next((one for one in findings if one.stops and one.verdict is Verdict.SKIPPED), None)
    if given_up is not None and verdict <= Verdict.PASS:
        return unplayed(Finding(Verdict.SKIPPED, given_up.reason))  # half a claim is no claim
    worst = next((item for item in graded if item.verdict is verdict), Finding(verdict))
    if verdict <= Verdict.PASS:
        worst = Finding(verdict, _praise(run, unexpected=unexpected))
    return {**worst.row(), "outcome": run.ended_in, "unexpected_success": unexpected}


def _praise(run: Run, *, unexpected: bool) -> str:
    if unexpected:
        return f"unexpected success: ended in {run.ended_in}"
    if run.scenario.expectation.kind is ExpectationKind.UNCERTAIN:
        return f"ended in {run.ended_in}; recorded, for nothing firm is expected"
    return f"ended in {run.ended_in}, as expected"


def _of_outcome(run: Run) -> tuple[Finding, bool]:
    expectation = run.scenario.expectation
    if not run.ended_in:
        return Finding(Verdict.INCONCLUSIVE, "no step stated an outcome"), False
    verdict, unexpected = expectation.judge(run.ended_in)
    if verdict is Verdict.PASS:
        return Finding(verdict), unexpected
    words = " or ".join(sorted(expectation.outcomes))
    return _by_rule(run, f"ended in {run.ended_in}, expected {words}"), unexpected


def _of_order(run: Run) -> Finding:
    expected = run.scenario.expected_events
    if not expected or in_expected_order(run.words, expected):
        return Finding(Verdict.PASS)
    found = ", ".join(run.words) or "none"
    return _by_rule(run, f"events came as {found}; expected {', '.join(expected)}")


def _by_rule(run: Run, why: str) -> Finding:
    scenario, evidence = run.scenario, run.scenario.expectation.evidence
    verdict = failed(evidence, accepted=scenario.id in run.options.accepted)
    if verdict is Verdict.INCONCLUSIVE:
        why += f"; the expectation is {evidence} (accept it with --accept {scenario.id})"
    return Finding(verdict, why)
