"""A scenario as a value: what it claims, what it expects, and its steps in order."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.measurement import Measurement
from harness.run import Participant, Run, StepSkippedError
from harness.run_options import RunOptions
from harness.verdict import Expectation

__all__ = [
    "ClauseRef",
    "Expectation",
    "Measurement",
    "Participant",
    "Run",
    "Scenario",
    "Step",
    "StepSkippedError",
    "step",
]

StepFunction = Callable[[Run], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ClauseRef:
    """A clause a scenario shows.

    Attributes:
        id: Document and clause as a reader would look it up, e.g. ``GBCS 11.2.4``.
        evidence: Evidence mark of the rule drawn from it.
    """

    id: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a scenario.

    Attributes:
        title: What it shows, as a sentence without a full stop.
        act: The coroutine function that does it.
        clauses: Ids of the clauses it shows; checks without a clause of their own rest on the
            first.
        timeout_s: Seconds of bench time after which the step fails.
        measures: Measurements it is to take; one not taken is INCONCLUSIVE.
        always: Whether it runs although an earlier step failed (clean-up).
    """

    title: str
    act: StepFunction
    clauses: tuple[str, ...] = ()
    timeout_s: float = 3600.0
    measures: tuple[Measurement, ...] = ()
    always: bool = False


def step(
    title: str,
    *clauses: str,
    timeout_s: float = 3600.0,
    measures: tuple[Measurement, ...] = (),
    always: bool = False,
) -> Callable[[StepFunction], Step]:
    """Make a step of an ``async def (run: Run) -> None``.

    A step acts on devices through ``run.bench`` alone, and waits through ``run.bench.clock``
    alone: what it awaits elsewhere is not journalled. It may be executed again from its
    beginning after a kill; operations that already ended then return what they returned.
    """

    def decorate(act: StepFunction) -> Step:
        return Step(title, act, clauses, timeout_s, measures, always)

    return decorate


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the catalogue.

    Attributes:
        id: Such as ``FM-01``; never reused.
        title: One line for tables.
        devices: Device types under test, the first one foremost.
        world: The world it plays in, e.g. ``SMETS2+``; the bench builds it.
        clauses: Clauses it shows, each with the evidence mark of the rule.
        expectation: The outcome words it may end in.
        steps: The steps in order.
        setup: Builds the participants (``run.participants``) before the first step; draws from
            ``run.chance`` alone and touches no device, for a resumed run calls it again.
        needs: What a bench must offer: device types (``ESME``), ``observations`` (a view inside
            devices), ``virtual-time``, ``power``.
        saboteur: Name of the defect under which the scenario must not pass.
        expected_events: Event words in order; a word may end in ``?`` (may be absent), ``*`` (any
            number of times) or ``+`` (once or more), and ``a|b`` takes either.
        faults: Faults that belong to the scenario, in the notation of ``--fault``.
        settings: Further words for whoever builds the world (profile overlays and the like).
        silent: What the sources do not settle and the scenario decided, for the report.
        oracle: Returns what the data in force in a run lead one to expect; None: ``expectation``
            holds whatever the data say.
    """

    id: str
    title: str
    devices: tuple[str, ...]
    world: str
    clauses: tuple[ClauseRef, ...]
    expectation: Expectation
    steps: tuple[Step, ...]
    setup: Callable[[Run], None] | Callable[[Run], Awaitable[None]]
    needs: frozenset[str] = frozenset()
    saboteur: str = ""
    expected_events: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    oracle: Callable[[RunOptions], Expectation] | None = None

    def under(self, options: RunOptions) -> "Scenario":
        """Return the scenario with the expectation that the data in force lead to (F-099)."""
        if self.oracle is None:
            return self
        return replace(self, expectation=self.oracle(options))

    def evidence_of(self, clause: str) -> str | None:
        """Return the evidence mark of one of the scenario's clauses; None for any other."""
        return next((ref.evidence for ref in self.clauses if ref.id == clause), None)

    def declared(self) -> dict[str, Any]:
        """Return all a report says of the scenario itself, as JSON values for the journal."""
        return {
            **self.rows(),
            "clauses": [{"id": ref.id, "evidence": ref.evidence} for ref in self.clauses],
            "expectation": {
                "kind": self.expectation.kind.value,
                "outcomes": sorted(self.expectation.outcomes),
                "evidence": self.expectation.evidence,
            },
            "steps": [
                {
                    "title": step.title,
                    "about": inspect.cleandoc(step.act.__doc__ or ""),
                    "clauses": list(step.clauses),
                    "timeout_s": step.timeout_s,
                }
                for step in self.steps
            ],
            "saboteur": self.saboteur,
            "expected_events": list(self.expected_events),
            "faults": list(self.faults),
            "silent": list(self.silent),
        }

    def rows(self) -> dict[str, Any]:
        """Return what the catalogue says of the scenario, as ``scenarios --json`` prints it."""
        return {
            "id": self.id,
            "title": self.title,
            "devices": list(self.devices),
            "world": self.world,
            "clauses": [ref.id for ref in self.clauses],
            "evidence": sorted({ref.evidence for ref in self.clauses}),
            "oracle": self.expectation.kind.value,
            "needs": sorted(self.needs),
        }
