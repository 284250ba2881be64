"""Plays steps of scenarios in a test, on the test's own bench, and judges them as a run does."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, cast

import pytest

from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from harness.errors import HarnessError
from harness.judging import Finding, of_scenario, of_step
from harness.player import missing
from harness.ports import Bench, Observation
from harness.pytest_trail import BrokenError, DeviationError, InconclusiveError, Trail, hides
from harness.pytest_wire import Wire
from harness.run import Run, StepEndedError, StepSkippedError
from harness.run_options import RunOptions
from harness.scenario import Scenario, Step
from harness.verdict import Verdict

if TYPE_CHECKING:
    from harness.journalled import JournalledBench

__tracebackhide__ = hides


class LiveBench:
    """The bench of a test as steps see one: nothing is journalled, all else is the bench's own."""

    #: Nothing is numbered, for nothing is journalled.
    last_ordinal = -1

    def __init__(self, bench: Bench, wire: Wire) -> None:
        self.inner = bench
        self._wire = wire

    @property
    def observed(self) -> Sequence[Observation]:
        """All that was seen inside devices so far."""
        return self._wire.observations

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@dataclass(frozen=True, slots=True)
class Played:
    """What steps came to.

    Attributes:
        id: What was played, e.g. ``FM-01``.
        verdict: ``PASS``; anything else is raised.
        outcome: Outcome word, e.g. ``ACTIVATED``.
        reason: One sentence.
        version: Firmware version that was distributed, eight hex digits; empty: none was.
        events: Event words in order.
        facts: What the steps handed on.
    """

    id: str
    verdict: Verdict
    outcome: str
    reason: str
    version: str
    events: tuple[str, ...]
    facts: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where steps are played.

    Attributes:
        bench: The bench.
        wire: What takes frames off it.
        options: Choices of the test.
        chance: The parties' chance.
        trail: Told where the test stands.
    """

    bench: Bench = field(repr=False)
    wire: Wire = field(repr=False)
    options: RunOptions
    chance: Chance = field(repr=False)
    trail: Trail = field(repr=False)

    def run_of(self, scenario: Scenario, options: RunOptions) -> Run:
        """Return what the steps of a scenario see."""
        live = cast("JournalledBench", LiveBench(self.bench, self.wire))
        return Run(scenario, options, live, self.chance)

    async def play(
        self, scenario: Scenario, options: RunOptions, seat: Callable[[Run], None]
    ) -> Played:
        """Play the steps of a scenario and judge them.

        Args:
            scenario: The scenario.
            options: Choices it is played with.
            seat: Puts the parties of the test into the run.

        Raises:
            DeviationError: The verdict is FAIL.
            InconclusiveError: It is INCONCLUSIVE.
            HarnessError: It is ERROR.
        """
        lacking = missing(scenario, self.bench)
        if lacking:
            pytest.skip(f"{scenario.id}: the bench ({self.bench.kind}) offers no {lacking[0]}")
        run = self.run_of(scenario, options)
        seat(run)
        for fault in scenario.faults:
            await self.bench.disturb(fault)
        findings = await self._steps(run)
        result = of_scenario(run, findings)
        verdict, reason = Verdict[result["verdict"]], str(result["reason"])
        if verdict is not Verdict.PASS:
            raise_verdict(verdict, f"{scenario.id}: {reason}")
        self.trail.step = f"{scenario.id}, after its last step"
        version = str(run.facts.get("version", ""))
        words = tuple(run.words)
        return Played(scenario.id, verdict, run.ended_in, reason, version, words, run.facts)

    async def _steps(self, run: Run) -> list[Finding]:
        findings: list[Finding] = []
        for number, step in enumerate(run.scenario.steps, start=1):
            if findings and findings[-1].verdict >= Verdict.FAIL:
                break
            run.step, run.records, run.verdicts = step, [], []
            self._note(run, number, step)
            findings.append(await self._step(run, step))
            self.trail.stated += _not_held(run)
        return findings

    def _note(self, run: Run, number: int, step: Step) -> None:
        trail, scenario = self.trail, run.scenario
        trail.device = scenario.devices[0]
        trail.step = f"{number} of {scenario.id}: {step.title}"
        trail.clauses = step.clauses
        trail.next_command = f"smetsbench explain {scenario.id}"

    async def _step(self, run: Run, step: Step) -> Finding:
        limit = asyncio.timeout(step.timeout_s)
        try:
            async with limit:
                await step.act(run)
        except StepEndedError:
            return of_step(run, step)
        except StepSkippedError as skipped:
            return Finding(Verdict.SKIPPED, str(skipped))
        except MalformedFrameError as refused:
            return Finding(Verdict.FAIL, f"broken frame: {refused}")
        except TimeoutError:
            if not limit.expired():
                raise
            return Finding(Verdict.FAIL, f"no end within {step.timeout_s:g} s: {step.title}")
        return of_step(run, step)


def _not_held(run: Run) -> list[str]:
    """Return the checks of a step that did not hold, as lines."""
    return [
        f"{row.body['clause']} ({row.body['evidence']}): {row.body['name']}:"
        f" expected {row.body['expected']!r}, found {row.body['actual']!r}"
        for row in run.records
        if row.kind == "check" and row.body["verdict"] != Verdict.PASS.name
    ]


def raise_verdict(verdict: Verdict, reason: str) -> NoReturn:
    """Raise what a verdict other than PASS is in a test.

    Raises:
        DeviationError: FAIL.
        InconclusiveError: INCONCLUSIVE.
        BrokenError: ERROR.
    """
    if verdict is Verdict.SKIPPED:
        pytest.skip(reason)
    if verdict is Verdict.ERROR:
        raise broken(reason)
    if verdict is Verdict.INCONCLUSIVE:
        raise InconclusiveError(f"INCONCLUSIVE: {reason}")
    raise DeviationError(reason)


def broken(reason: str) -> HarnessError:
    """Return what is raised where bench or harness broke."""
    return BrokenError(reason, cause="the bench or the harness, not what is tested")
