"""Counters 5.9.5 to 5.9.7: gaps are allowed, reuse is not; each party and group counts alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rules.counters import COUNTER_CHECKS, MAX_COUNTER, CounterFacts, SequenceState
from tests.harness.rules.rule_witnesses import judge

NEW = SequenceState()


def whole(
    counter: int, state: SequenceState = NEW, rp: str = "RP", group: str = "EA"
) -> CounterFacts:
    return CounterFacts(rp, group, state, counter, counter, counter, counter)


def rejected(facts: CounterFacts) -> list[tuple[str, str]]:
    outcomes = judge().run(COUNTER_CHECKS, facts)
    return [(one.rule, one.sub_code) for one in outcomes if one.rejected]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"mcf": 40}, [("5.9.5", "01"), ("5.9.6", "01"), ("5.9.7", "01")]),
        ({"mvf": 42}, [("5.9.6", "01")]),
        ({"mgf": 42}, [("5.9.6", "01")]),
        ({"mef": 42}, [("5.9.7", "01")]),
        ({"mvf": None, "mgf": None, "mef": None}, []),
        ({"mgf": None}, []),
        ({"mcf": 0}, [("5.9.5", "01"), ("5.9.6", "01"), ("5.9.7", "01")]),
        ({"mcf": MAX_COUNTER + 1, "mvf": None, "mgf": None, "mef": None}, [("5.9.5", "01")]),
    ],
)
def test_each_counter_has_its_own_check(
    changes: dict[str, int | None], expected: list[tuple[str, str]]
) -> None:
    state = SequenceState({("RP", "EA"): 40})
    assert rejected(replace(whole(41, state), **changes)) == expected  # type: ignore[arg-type]  # mixed values


def test_a_completed_set_is_not_processed_again() -> None:
    state = NEW.accepted(whole(41)).done(whole(41))
    facts = replace(whole(42, state), mef=41)
    assert rejected(facts) == [("5.9.7", "01")]
    replayed = replace(whole(41, state), mcf=41)
    assert ("5.9.7", "03") in rejected(replayed)


def test_other_parties_and_groups_are_not_concerned() -> None:
    state = NEW.accepted(whole(41)).done(whole(41))
    assert rejected(whole(1, state, rp="ANOTHER")) == []
    assert rejected(whole(1, state, group="EB")) == []
    assert rejected(whole(41, state)) != []


@given(st.lists(st.integers(1, 60), max_size=30))
def test_what_is_accepted_rises_strictly_and_what_rises_is_accepted(counters: list[int]) -> None:
    state, accepted = NEW, [0]
    for counter in counters:
        facts = whole(counter, state)
        fine = not rejected(facts)
        assert fine == (counter > accepted[-1])
        if fine:
            accepted.append(counter)
            state = state.accepted(facts).done(facts)
    assert accepted == sorted(set(accepted))
