"""Plays one scenario: its steps in order, each judged and journalled, resumed where it stood."""

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from harness.errors import HarnessError, NotPermittedError, UsageError
from harness.journal import Journal
from harness.journalled import JournalledBench
from harness.judging import Finding, broken, of_scenario, of_step, unplayed
from harness.ports import Bench
from harness.recorder import Recorder, ReplayError, StepTimeoutError, UnsettledError
from harness.run import Run, StepEndedError, StepSkippedError
from harness.run_options import RunOptions
from harness.scenario import Scenario, Step
from harness.verdict import Verdict

#: Seconds beyond a step's own limit after which a wait that is no operation is cut off.
_GRACE_S: Final = 60.0
#: Need of a scenario -> way to its first device (``Bench.meter``).
_WAYS: Final[Mapping[str, str]] = {"meter-line": "line", "meter-wan": "wan"}


class Player:
    """One scenario on one bench.

    Attributes:
        run: What its steps see.
    """

    def __init__(
        self,
        scenario: Scenario,
        options: RunOptions,
        bench: Bench,
        recorder: Recorder,
        *,
        step_ended: Callable[[int, Finding, UtcMs], None],
    ) -> None:
        self.run = Run(scenario, options, JournalledBench(recorder), Chance(options.seed))
        self._bench = bench
        self._recorder = recorder
        self._journal: Journal = recorder.journal
        self._step_ended = step_ended

    async def play(self) -> None:
        """Play what of the scenario is not yet journalled, and journal its verdict."""
        scenario, number = self.run.scenario, self._recorder.scenario
        row = self._journal.rows("SELECT * FROM scenarios WHERE n = ?", number)[0]
        refusal = str(getattr(self._bench, "refusal", ""))
        if refusal:
            skipped = Finding(Verdict.SKIPPED, f"the bench ({self._bench.kind}): {refusal}")
            self._journal.end_scenario(number, None, {}, unplayed(skipped))
            return
        lacking = missing(scenario, self._bench)
        if lacking:
            unlocks: Mapping[str, str] = getattr(self._bench, "unlocks", {})
            told = [f"{need} ({unlocks[need]})" if need in unlocks else need for need in lacking]
            reason = f"the bench ({self._bench.kind}) offers no {', no '.join(told)}"
            self._journal.end_scenario(number, None, {}, unplayed(Finding(Verdict.SKIPPED, reason)))
            return
        self._put_bench_back()
        is_new = row["state"] == "pending"
        self._recorder.now = self._bench.clock.now() if is_new else UtcMs(row["started_at"])
        made = scenario.setup(self.run)
        if inspect.isawaitable(made):
            await made
        if is_new:
            self._journal.begin_scenario(
                number, self._recorder.now, self._carried(), self._names(), self._describe()
            )
        else:
            self._recorder.replaying = True
            self._take_over(row["carried"])
        findings = await self._steps()
        result = of_scenario(self.run, findings)
        idle: Sequence[str] = getattr(self._bench, "idle_faults", tuple)()
        if idle:
            result["idle_faults"] = list(idle)
        self._journal.end_scenario(number, self._recorder.now, self._describe(), result)

    def _put_bench_back(self) -> None:
        state = self._journal.bench_state(self._recorder.scenario)
        if state is None:
            if self._bench.dump() is None:
                self._journal.outlast_power_loss()
            return
        self._bench.restore(state)
        self._bench.take_frames()
        self._bench.take_observations()

    def _carried(self) -> dict[str, Any]:
        return {
            "facts": self.run.facts,
            "participants": {name: party.dump() for name, party in self.run.participants.items()},
            "chance": self.run.chance.dump(),
            "outcome": self.run.ended_in,
            "words": self.run.words,
        }

    def _take_over(self, carried: str) -> None:
        state = json.loads(carried)
        self.run.facts = state["facts"]
        self.run.ended_in, self.run.words = state["outcome"], state["words"]
        for name, dumped in state["participants"].items():
            self.run.participants[name].load(dumped)
        for name, position in state["chance"].items():
            self.run.chance.stream(name).position = position

    def _describe(self) -> dict[str, Any]:
        return {name: dict(row) for name, row in self._bench.describe().items()}

    def _names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for device_type in DeviceType:
            eui64 = role(self._bench, device_type)
            if eui64 is not None:
                names[eui64.hex] = device_type.value
        return names

    async def _steps(self) -> list[Finding]:
        findings: list[Finding] = []
        stopped = ""
        for n, step in enumerate(self.run.scenario.steps):
            finding = self._already(n) or await self._play_step(n, step, stopped)
            findings.append(finding)
            self._step_ended(n, finding, self._recorder.now)
            if not stopped and (finding.verdict >= Verdict.FAIL or finding.stops):
                stopped = f"step {n + 1} ended in {finding.verdict.name}"
        return findings

    def _already(self, n: int) -> Finding | None:
        rows = self._journal.rows(
            "SELECT ended_at, carried, result FROM steps"
            " WHERE scenario = ? AND n = ? AND state = 'done'",
            self._recorder.scenario,
            n,
        )
        if not rows:
            return None
        self._take_over(rows[0]["carried"])
        self._recorder.pass_over(n, UtcMs(rows[0]["ended_at"]))
        return Finding.load(json.loads(rows[0]["result"]))

    async def _play_step(self, n: int, step: Step, stopped: str) -> Finding:
        at = (self._recorder.scenario, n)
        begun = self._journal.rows("SELECT 1 FROM steps WHERE scenario = ? AND n = ?", *at)
        if not begun:
            self._journal.begin_step(at, step.title, self._recorder.now)
        run = self.run
        run.step, run.records, run.verdicts = step, [], []
        self._recorder.begin_step(n, self._recorder.now, step.timeout_s, run.records)
        if stopped and not step.always:
            finding = Finding(Verdict.SKIPPED, stopped)
        else:
            finding = await self._act(n, step)
        self._journal.end_step(
            at, self._recorder.now, self._recorder.unwritten(), self._carried(), finding.row()
        )
        return finding

    async def _act(self, n: int, step: Step) -> Finding:
        """Execute a step and judge it; only a cancellation and our own faults leave it."""
        where = f"{self.run.scenario.id}, step {n + 1} ({step.title})"
        try:
            async with asyncio.timeout(step.timeout_s + _GRACE_S):
                await step.act(self.run)
        except (StepEndedError, StepSkippedError, StepTimeoutError, UnsettledError) as ended:
            return self._ended_early(step, ended)
        except MalformedFrameError as refused:
            return Finding(Verdict.FAIL, f"broken frame: {refused}")
        except NotPermittedError as refused:
            if not getattr(self._bench, "skips_refused", False):
                raise
            why = f"{refused.what} (next: {refused.next_command})"
            return Finding(Verdict.SKIPPED, why, stops=True)
        except (ReplayError, UsageError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever broke, the run goes on and says so
            return broken(error, where)
        return of_step(self.run, step)

    def _ended_early(self, step: Step, ended: Exception) -> Finding:
        if isinstance(ended, StepSkippedError):
            return Finding(Verdict.SKIPPED, str(ended))
        if isinstance(ended, StepTimeoutError):
            return Finding(Verdict.FAIL, f"no end within {step.timeout_s:g} s, in {ended}")
        if isinstance(ended, UnsettledError):
            return Finding(Verdict.INCONCLUSIVE, str(ended), stops=True)
        return of_step(self.run, step)


def role(bench: Bench, device_type: str) -> Eui64 | None:
    """Return the EUI-64 of the bench's device of that type; None where it has none."""
    try:
        return bench.role(device_type)
    except HarnessError:
        return None


def missing(scenario: Scenario, bench: Bench) -> list[str]:
    """Return what the scenario needs and the bench does not offer, in order."""

    def offered(need: str) -> bool:
        if need in DeviceType.__members__:
            return role(bench, need) is not None
        if need in _WAYS:
            return has_meter(bench, scenario.devices, _WAYS[need])
        if need == "observations":
            return bench.take_observations() is not None
        # An emulated bench offers all that is no device; any other says what it offers.
        return need in getattr(bench, "offers", ()) or bench.dump() is not None

    return [need for need in sorted(scenario.needs) if not offered(need)]


def has_meter(bench: Bench, devices: Sequence[str], way: str) -> bool:
    """Say whether the bench has a DLMS port of the scenario's first device, that way."""
    try:
        bench.meter(devices[0], way)
    except HarnessError:
        return False
    return True
