"""Clause, data and observation stand side by side on a page, and are never mixed."""

from emulator.core.clock import UtcMs
from harness.report.model import Event
from harness.report.sayings import sayings


def event(word: str, source: str = "scenario", **fields: str) -> Event:
    return Event(UtcMs(0), 1, source, word, tuple(fields.items()))


CLAUSE = event("clause-says", of="PPMID", says="unlikely (S1SR 18.63(d))")
DATA = event("data-imply", of="PPMID", outcome="DISCARDED", why="size", basis="hub 4 octets")
SEEN = event("observed", of="PPMID", outcome="ACTIVATED", told="8F72")


def test_the_three_are_kept_apart_subject_by_subject() -> None:
    other = event("clause-says", of="ESME", says="silent")
    first, second = sayings([CLAUSE, DATA, other, SEEN])
    assert (first.of, second.of) == ("PPMID", "ESME")
    assert first.clause == ["unlikely (S1SR 18.63(d))"]
    assert first.data == ["DISCARDED: size (basis: hub 4 octets)"]
    assert first.observed == ["ACTIVATED; told 8F72"]
    assert (second.clause, second.data, second.observed) == (["silent"], [], [])


def test_a_scenario_that_states_neither_clause_nor_data_shows_no_such_table() -> None:
    assert sayings([SEEN, event("image-held")]) == []


def test_what_a_bench_saw_inside_devices_is_no_saying_of_the_scenario() -> None:
    assert sayings([event("clause-says", "CHF", of="PPMID", says="x")]) == []
    (only,) = sayings([CLAUSE, event("observed", "CHF", of="PPMID", outcome="ACTIVATED")])
    assert only.observed == []
