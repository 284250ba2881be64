"""Cases, defects and exit criteria follow from records, files and events alone."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from emulator.core.clock import UtcMs
from harness.dust.cases import Facts, judge_cases, overdue
from harness.dust.defects import find_defects, load_defect_rows, row_for
from harness.dust.definition import Definition
from harness.dust.events import DustEvent, Level, Phase
from harness.dust.exits import Outcome, judge_exit, verdict_of
from harness.dust.record import Attribution, CaseResult
from harness.migration.record import Entry, InstallationRecord
from harness.migration.states import State, StrandedCause
from harness.rules.migration_rulebook import load_rule_book
from harness.verdict import Verdict
from tests.harness.dust.definitions_given import given

BOOK = load_rule_book()
ROWS = load_defect_rows()
TODAY = date(2023, 1, 31)
AT = UtcMs(1_674_000_000_000)
CASE = """
[[case]]
id = "C-1"
title = "one"
family = "happy-path"
refs = ["dual-001"]
severity = 2
expect = [{state = "Migrated"}, {code = "none"}]
"""
WAIVER = '[[waiver]]\ncase = "C-1"\nowner = "Ann"\nreview = %s\nwhy = "known"\n'


def record(ref: str, state: State, code: str = "", step: str = "C7") -> InstallationRecord:
    """Return a record that rests in a state, with the failure that led there."""
    found = InstallationRecord(ref, "DA", "DA", "Active", "dual fuel", state)
    if state is State.STRANDED:
        found.stranded_cause = StrandedCause.NO_CHF_COMMS
    if code:
        found.note(Entry(AT, "S1SP", step, "failed", "it failed", code=code))
    found.note(Entry(AT, "S1SP", step, "state", "it ended", code=code, state=state.value))
    return found


def facts(*records: InstallationRecord, events: tuple[DustEvent, ...] = ()) -> Facts:
    return Facts({one.ref: one for one in records}, (), events, BOOK)


def event(number: int, kind: str, **more: Any) -> DustEvent:
    told: dict[str, Any] = {"ref": "dual-001", **more}
    return DustEvent(number, AT, Level.INFO, Phase.AFTER, kind, "it happened", **told)


def judged(definition: Definition, found: Facts) -> CaseResult:
    (result,) = judge_cases(definition, found, {}, TODAY)
    return result


def test_a_case_passes_when_every_home_of_it_ends_as_expected(tmp_path: Path) -> None:
    result = judged(given(tmp_path, CASE), facts(record("dual-001", State.MIGRATED)))
    assert (result.verdict, result.first_failing_step) == (Verdict.PASS, "")


def test_a_deviation_names_state_code_and_first_failing_step(tmp_path: Path) -> None:
    bad = record("dual-001", State.STRANDED, "X-H4-7D", "H4")
    result = judged(given(tmp_path, CASE), facts(bad))
    assert [row.actual for row in result.expected] == ["Stranded", "X-H4-7D"]
    assert result.first_failing_step == "H4"
    assert result.verdict > Verdict.PASS


def test_an_unproven_rule_is_inconclusive_until_it_is_accepted(tmp_path: Path) -> None:
    code = next(row.code for row in BOOK.rules.values() if row.evidence == "stand-in")
    found = facts(record("dual-001", State.REJECTED, code, "V2"))
    assert judged(given(tmp_path, CASE), found).verdict is Verdict.INCONCLUSIVE
    accepted = replace(found, accepted=frozenset({code}))
    assert judged(given(tmp_path, CASE), accepted).verdict is Verdict.FAIL


@pytest.mark.parametrize(("review", "holds"), [("2023-01-31", True), ("2023-01-30", False)])
def test_a_waiver_holds_up_to_its_review_day(tmp_path: Path, review: str, holds: bool) -> None:
    definition = given(tmp_path, CASE + WAIVER % review)
    result = judged(definition, facts(record("dual-001", State.STRANDED)))
    assert bool(result.waived_by) is holds
    assert (overdue(definition, TODAY) == ("C-1",)) is not holds
    outcome = Outcome(facts(), (result,), (), tmp_path)
    (mandatory,) = (one for one in judge_exit(definition, outcome) if "mandatory" in one.id)
    assert (mandatory.verdict is Verdict.PASS) is holds


def test_answers_are_looked_for_by_service_and_home(tmp_path: Path) -> None:
    text = CASE.replace(
        '{state = "Migrated"}, {code = "none"}', '{request = "4.1.1", answer = "I0"}'
    )
    definition, home = given(tmp_path, text), record("dual-001", State.MIGRATED)
    right = event(1, "answer", code="I0", told={"service": "4.1.1"})
    wrong = event(2, "answer", code="E5", told={"service": "4.1.1"})
    other = event(3, "answer", code="I0", told={"service": "8.2"})
    assert judged(definition, facts(home, events=(right, wrong))).verdict is Verdict.PASS
    failed = judged(definition, facts(home, events=(wrong, other)))
    assert (failed.verdict, failed.expected[0].actual) == (Verdict.FAIL, "E5")
    assert judged(definition, facts(home, events=())).expected[0].actual == ""


def test_a_paper_expectation_is_met_by_any_outcome_of_that_home(tmp_path: Path) -> None:
    text = CASE.replace(
        '{state = "Migrated"}, {code = "none"}', '{file = "MA outcome", result = "refused"}'
    )
    told = {"file": "MA outcome", "result": "refused"}
    first = event(1, "paper-result", file="files/in/a", told=told)
    then = event(2, "paper-result", told={**told, "result": "accepted"})
    result = judged(given(tmp_path, text), facts(events=(first, then)))
    assert (result.verdict, result.expected[0].files) == (Verdict.PASS, ("files/in/a",))


def test_a_case_none_of_whose_homes_the_bench_plays_is_skipped(tmp_path: Path) -> None:
    (result,) = judge_cases(given(tmp_path, CASE), facts(), {"dual-001": "no adapter"}, TODAY)
    assert (result.verdict, result.reason) == (Verdict.SKIPPED, "no adapter")


# -- defects ---------------------------------------------------------------------------------------


def test_a_failed_case_is_a_defect_of_its_severity_attributed_by_step(tmp_path: Path) -> None:
    definition = given(tmp_path, CASE)
    found = facts(record("dual-001", State.STRANDED, "X-H4-7D", "H4"))
    (one,) = find_defects(definition, (judged(definition, found),), found, ROWS, {})
    assert (one.id, one.severity, one.case, one.ref) == ("D-001", 2, "C-1", "dual-001")
    assert (one.attribution, one.first_failing_step) == (Attribution.DEVICE, "H4")


def test_a_home_outside_all_cases_that_does_not_migrate_is_a_defect(tmp_path: Path) -> None:
    definition = given(tmp_path, CASE)
    found = facts(record("dual-001", State.MIGRATED), record("dual-002", State.NOT_PLANNED))
    (one,) = find_defects(definition, (judged(definition, found),), found, ROWS, {})
    assert (one.ref, one.case, one.attribution) == ("dual-002", "", Attribution.PARTICIPANT)


def test_a_refused_request_is_the_participants_unless_a_case_expects_it(tmp_path: Path) -> None:
    refused = event(7, "answer", code="E5", told={"service": "4.1.1"})
    definition = given(tmp_path, CASE)
    found = facts(record("dual-001", State.MIGRATED), events=(refused,))
    (one,) = find_defects(definition, (judged(definition, found),), found, ROWS, {})
    assert (one.severity, one.attribution, one.events) == (5, Attribution.PARTICIPANT, (7,))
    text = CASE.replace(
        '{state = "Migrated"}, {code = "none"}', '{request = "4.1.1", answer = "E5"}'
    )
    expecting = given(tmp_path, text)
    results = (judged(expecting, found),)
    assert find_defects(expecting, results, found, ROWS, {}) == ()


def test_a_refused_paper_that_was_corrected_is_no_defect(tmp_path: Path) -> None:
    definition = given(tmp_path, CASE)
    told = {"file": "MA outcome", "result": "refused"}
    refused = event(1, "paper-result", code="X-7.3.2", told=told)
    mended = event(2, "paper-result", told={**told, "result": "accepted"})
    home = record("dual-001", State.MIGRATED)
    for events, count in (((refused,), 1), ((refused, mended), 0)):
        found = facts(home, events=events)
        results = (judged(definition, found),)
        assert len(find_defects(definition, results, found, ROWS, {})) == count


def test_the_longest_beginning_of_step_and_code_decides() -> None:
    steps = {"P5": "participant", "V2": "DCO", "V5": "S1SP", "H4": "device", "C4": "participant"}
    for step, whose in steps.items():
        row = row_for(ROWS, "case", step, "X-1")
        assert row is not None
        assert row.attribution.value == whose


# -- exits -----------------------------------------------------------------------------------------


def test_open_defects_and_homes_that_do_not_rest_fail_the_run(tmp_path: Path) -> None:
    definition = given(tmp_path, CASE)
    found = facts(record("dual-001", State.AWAITING_CHF, step="H4"))
    results = (judged(definition, found),)
    defects = find_defects(definition, results, found, ROWS, {})
    outcome = Outcome(found, results, defects, tmp_path)
    verdicts = {one.check: one.verdict for one in judge_exit(definition, outcome)}
    assert verdicts["open-defects"] is Verdict.FAIL
    assert verdicts["terminal-states"] is Verdict.FAIL
    assert verdict_of(judge_exit(definition, outcome))[0] is Verdict.FAIL


def test_a_run_without_deviations_passes(tmp_path: Path) -> None:
    definition = given(tmp_path, CASE)
    found = facts(record("dual-001", State.MIGRATED))
    outcome = Outcome(found, (judged(definition, found),), (), tmp_path)
    verdict, reason = verdict_of(
        [one for one in judge_exit(definition, outcome) if one.check != "evidence"]
    )
    assert (verdict, reason) == (Verdict.PASS, "every criterion is met")


def test_a_mandatory_case_that_nobody_played_leaves_the_run_undecided(tmp_path: Path) -> None:
    definition = given(tmp_path, CASE)
    found = facts(record("dual-001", State.ROLLED_BACK))
    not_played = judge_cases(definition, found, {"dual-001": "no adapter"}, TODAY)
    outcome = Outcome(found, not_played, (), tmp_path)
    asked = [one for one in judge_exit(definition, outcome) if one.check != "evidence"]
    told = (Verdict.INCONCLUSIVE, "exit-mandatory-cases: not passed: C-1 SKIPPED")
    assert verdict_of(asked) == told
    waived = tuple(replace(one, waived_by="A. Owner") for one in not_played)
    outcome = Outcome(found, waived, (), tmp_path)
    asked = [one for one in judge_exit(definition, outcome) if one.check != "evidence"]
    assert verdict_of(asked) == (Verdict.PASS, "every criterion is met; waived: C-1")
