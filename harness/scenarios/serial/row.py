"""One row of the serial matrix: a meter on a line, whatever bench it hangs on."""

from typing import Any, Final

from harness.run import NOT_PROVEN, Run
from harness.scenario import Scenario, Step
from harness.scenarios.clauses import clauses, exact

_STAND_IN: Final = (
    "stand-in",
    (
        "Which objects the meter has, who may read them and how it behaves is our illustrative"
        " SMETS1 profile; no public document fixes any maker's."
    ),
)


def open_line(run: Run) -> None:
    """Say what a run on one meter leaves open; there are no parties."""
    rows = [_STAND_IN]
    if run.bench.kind == "emulated":
        rows.append(("emulated", "The line is emulated: no optical head, no cable, no driver."))
    run.facts[NOT_PROVEN] = [list(row) for row in rows]


def meter_row(
    *, outcome: str, steps: tuple[Step, ...], needs: frozenset[str] = frozenset(), **fields: Any
) -> Scenario:
    """Return a scenario for one ESME on a line; it claims the clauses of its steps and no others.

    Args:
        outcome: The outcome word it must end in, on the strength of the first step's first clause.
        steps: Its steps.
        needs: What it needs beside a meter on a line.
        fields: Everything else of ``Scenario``.
    """
    shown = dict.fromkeys(clause for step in steps for clause in step.clauses)
    first = next(iter(shown))
    return Scenario(
        clauses=clauses(*shown),
        steps=steps,
        setup=open_line,
        world="meter",
        devices=("ESME",),
        expectation=exact(outcome, first),
        needs=needs | {"ESME", "meter-line"},
        **fields,
    )
