"""Clauses that scenarios show, with the evidence marks of the clause files."""

from functools import cache

from device_profiles.rows import Clause, load_clauses
from harness.scenario import ClauseRef
from harness.verdict import Expectation, ExpectationKind


@cache
def _clause(clause_id: str) -> Clause:
    return load_clauses()[clause_id]


def clauses(*ids: str) -> tuple[ClauseRef, ...]:
    """Return references to clauses of ``device_profiles/clauses``.

    Raises:
        KeyError: There is no such clause.
    """
    return tuple(ClauseRef(clause_id, _clause(clause_id).evidence) for clause_id in ids)


def exact(outcome: str, clause_id: str) -> Expectation:
    """Expect one outcome word, on the strength of a clause."""
    return Expectation(ExpectationKind.EXACT, frozenset({outcome}), _clause(clause_id).evidence)


def one_of(outcomes: tuple[str, ...], clause_id: str) -> Expectation:
    """Expect one of several outcome words, on the strength of a clause."""
    return Expectation(ExpectationKind.ONE_OF, frozenset(outcomes), _clause(clause_id).evidence)
