"""Verdicts, expectations and how they combine."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Verdict(enum.IntEnum):
    """What a check, step, scenario or run came to; they combine by max.

    FAIL: a device or participant deviates. ERROR: the bench or the harness broke.
    INCONCLUSIVE: not measured, or the rule behind a failure is no stronger than an inference.
    """

    SKIPPED = 0
    PASS = 1
    INCONCLUSIVE = 2
    FAIL = 3
    ERROR = 4


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the gravest of ``verdicts``; SKIPPED when there are none."""
    return max(verdicts, default=Verdict.SKIPPED)


class ExpectationKind(enum.StrEnum):
    """How firmly an outcome is expected."""

    EXACT = "exact"
    ONE_OF = "one_of"
    UNCERTAIN = "uncertain"
    UNLIKELY = "unlikely"


@dataclass(frozen=True, slots=True)
class Expectation:
    """The outcome words a scenario may end in.

    Attributes:
        kind: ``exact`` (one word), ``one_of`` (a set), ``uncertain`` (record only) or ``unlikely``
            (failure expected; success is PASS with ``unexpected_success``).
        outcomes: Outcome words: the one, the set, or for ``unlikely`` the words of success.
        evidence: Evidence mark of the expectation itself.
    """

    kind: ExpectationKind
    outcomes: frozenset[str]
    evidence: str

    def judge(self, outcome: str) -> tuple[Verdict, bool]:
        """Judge an outcome word.

        Returns:
            The verdict, and whether this was an unexpected success. A FAIL whose expectation is
            only inferred or a stand-in is INCONCLUSIVE (architecture, rule 10).
        """
        if self.kind is ExpectationKind.UNCERTAIN:
            return Verdict.PASS, False
        if self.kind is ExpectationKind.UNLIKELY:
            return Verdict.PASS, outcome in self.outcomes
        if outcome in self.outcomes:
            return Verdict.PASS, False
        return failed(self.evidence), False


def is_firm(evidence: str) -> bool:
    """Say whether an evidence mark is strong enough to carry a FAIL."""
    return evidence.split(":", 1)[0] in {"source", "observed", "user", "known"}


def failed(evidence: str, *, accepted: bool = False) -> Verdict:
    """Return FAIL, or INCONCLUSIVE when the rule is inferred or a stand-in and not accepted."""
    return Verdict.FAIL if accepted or is_firm(evidence) else Verdict.INCONCLUSIVE
