"""Verdicts combine by the gravest; no verdict is stronger than its rule."""

import itertools

import pytest

from harness.verdict import Expectation, ExpectationKind, Verdict, combine, failed, is_firm

SOURCE = "source:GBCS0.8.1 p140"


def expectation(kind: str, *outcomes: str, evidence: str = SOURCE) -> Expectation:
    return Expectation(ExpectationKind(kind), frozenset(outcomes), evidence)


def test_nothing_at_all_is_skipped() -> None:
    assert combine([]) is Verdict.SKIPPED


@pytest.mark.parametrize(("one", "other"), list(itertools.product(Verdict, Verdict)))
def test_the_graver_verdict_wins(one: Verdict, other: Verdict) -> None:
    assert combine([one, other]) is max(one, other)


def test_the_order_of_gravity_is_the_shared_one() -> None:
    assert [v.name for v in sorted(Verdict)] == ["SKIPPED", "PASS", "INCONCLUSIVE", "FAIL", "ERROR"]


def test_exact_and_one_of_judge_by_membership() -> None:
    assert expectation("exact", "ACTIVATED").judge("ACTIVATED") == (Verdict.PASS, False)
    assert expectation("exact", "ACTIVATED").judge("NO_IMAGE") == (Verdict.FAIL, False)
    assert expectation("one_of", "A", "B").judge("B") == (Verdict.PASS, False)


def test_uncertain_records_and_unlikely_flags_success() -> None:
    assert expectation("uncertain").judge("ANYTHING") == (Verdict.PASS, False)
    assert expectation("unlikely", "ACTIVATED").judge("DISCARDED") == (Verdict.PASS, False)
    assert expectation("unlikely", "ACTIVATED").judge("ACTIVATED") == (Verdict.PASS, True)


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        ("source:XSD", Verdict.FAIL),
        ("known", Verdict.FAIL),
        ("user:ab12", Verdict.FAIL),
        ("observed:ab12", Verdict.FAIL),
        ("inferred:the field's name", Verdict.INCONCLUSIVE),
        ("stand-in", Verdict.INCONCLUSIVE),
    ],
)
def test_a_failure_is_no_stronger_than_its_evidence(evidence: str, verdict: Verdict) -> None:
    assert failed(evidence) is verdict
    assert is_firm(evidence) is (verdict is Verdict.FAIL)
    assert expectation("exact", "X", evidence=evidence).judge("Y")[0] is verdict


def test_an_accepted_rule_carries_a_fail_whatever_its_evidence() -> None:
    assert failed("stand-in", accepted=True) is Verdict.FAIL
