"""One row of the matrix: a scenario whose clauses are those its steps show."""

from typing import Any

from harness.scenario import Scenario, Step
from harness.scenarios.clauses import clauses
from harness.scenarios.firmware.market import open_world


def row(*, steps: tuple[Step, ...], **fields: Any) -> Scenario:
    """Return a SMETS2+ firmware scenario; it claims the clauses of its steps and no others.

    Args:
        steps: Its steps.
        fields: Everything else of ``Scenario``.
    """
    shown = dict.fromkeys(clause for step in steps for clause in step.clauses)
    return Scenario(
        clauses=clauses(*shown), steps=steps, setup=open_world, world="SMETS2+", **fields
    )
