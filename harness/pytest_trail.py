"""What a test did last, and the verdicts that helpers of a test raise."""

from dataclasses import dataclass, field

import pytest

from harness.errors import HarnessError


def hides(found: pytest.ExceptionInfo[BaseException]) -> bool:
    """Say whether our own lines are left out of a traceback: what is said says enough.

    Modules of helpers have it as ``__tracebackhide__``, which pytest asks.
    """
    return isinstance(found.value, HarnessError | AssertionError)


@dataclass(slots=True)
class Trail:
    """Where a test stands, for whoever reads its failure.

    Attributes:
        device: Device under test, or empty.
        step: What was done last, or empty.
        clauses: Clauses it shows.
        cause: The likely cause of a failure here, or empty.
        next_command: The command to try next, or empty.
        stated: Further lines for a reader, e.g. the checks that did not hold.
    """

    device: str = ""
    step: str = ""
    clauses: tuple[str, ...] = ()
    cause: str = ""
    next_command: str = ""
    stated: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the trail as lines; nothing where nothing was done."""
        rows = [("device", self.device), ("step", self.step), ("clause", ", ".join(self.clauses))]
        where = "; ".join(f"{name} {value}" for name, value in rows if value)
        return [*([f"where: {where}"] if where else []), *self.stated]


class DeviationError(AssertionError):
    """A device or a party does not do what a clause says: the verdict FAIL."""


class InconclusiveError(AssertionError):
    """Not measured, or the rule behind it is no stronger than an inference: INCONCLUSIVE."""


class BrokenError(HarnessError):
    """What a test was to play broke, not what it tests: the verdict ERROR."""

    exit_code = 3
