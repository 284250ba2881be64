"""Plays one scenario on a fresh bench, into a journal and a capture."""

import asyncio
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from emulator.core.clock import UtcMs
from emulator.crypto.keystore import KeyStore
from harness.errors import UsageError
from harness.journal import Journal
from harness.judging import Finding, broken, unplayed
from harness.player import Player
from harness.ports import Bench
from harness.recorder import Recorder, ReplayError
from harness.report.pcapng import PcapngWriter
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.scenario import Scenario
from harness.setting import Setting, crash_fault, named

#: Told of each step: scenario, number of the step from 0, what was found, when it ended.
StepEnded = Callable[[Scenario, int, Finding, UtcMs], None]


@dataclass(frozen=True, slots=True)
class ScenarioPlay:
    """What scenarios are played with.

    Attributes:
        folder: Where the certificates go.
        journal: Where all else goes, with the run begun.
        setting: Where scenarios and benches come from.
        step_ended: Told of each step.
    """

    folder: RunFolder
    journal: Journal
    setting: Setting
    step_ended: StepEnded

    def play(
        self,
        number: int,
        scenario: Scenario,
        options: RunOptions,
        kind: str,
        capture: PcapngWriter,
    ) -> None:
        """Play what of a scenario the journal does not hold; what breaks ends in a verdict.

        Args:
            number: Its place in the run, from 0.
            scenario: The scenario.
            options: Choices of the run.
            kind: Which bench to open.
            capture: Where frames go.

        Raises:
            UsageError: What the person gave is wrong; the run is over.
            ReplayError: A step does not repeat itself.
        """
        dotted = self.setting.benches[kind]
        chosen = replace(chosen_for(scenario, options), folder=self.folder.path)
        try:
            with asyncio.Runner(loop_factory=loop_factory(dotted, chosen)) as loop:
                loop.run(self._on_a_bench(number, scenario, chosen, named(dotted), capture))
        except UsageError as error:
            # What the person gave is wrong: nothing to resume, and the folder may be used again.
            finding = broken(error, scenario.id)
            self.journal.end_scenario(number, None, {}, unplayed(finding))
            self.journal.end_run()
            raise
        except ReplayError:
            raise
        except Exception as error:  # noqa: BLE001 - the run goes on with the next scenario
            finding = broken(error, f"{scenario.id}, before its first step or after its last")
            self.journal.end_scenario(number, None, {}, unplayed(finding))

    async def _on_a_bench(
        self,
        number: int,
        scenario: Scenario,
        options: RunOptions,
        open_bench: Callable[[RunOptions], Any],
        capture: PcapngWriter,
    ) -> None:
        opened = open_bench(options)
        bench: Bench = await opened if inspect.isawaitable(opened) else opened
        try:
            public = getattr(bench, "public_keys", None)
            if isinstance(public, KeyStore):
                keep_certificates(self.folder, public)
            end = self.journal.capture_end()
            frames = 0 if end is None else end[1]
            recorder = Recorder(bench, self.journal, capture, number, frames=frames)

            def step_ended(n: int, finding: Finding, at: UtcMs) -> None:
                self.step_ended(scenario, n, finding, at)

            await Player(scenario, options, bench, recorder, step_ended=step_ended).play()
        finally:
            await bench.close()


def keep_certificates(folder: RunFolder, keys: KeyStore) -> None:
    """Write everybody's public keys beside the reports, so that others can check signatures.

    Devices make their keys from the seed; without their certificates nobody else could tell
    a genuine signature in the capture from a forged one.
    """
    path = folder.file("certificates")
    known = KeyStore.from_json(path) if path.is_file() else KeyStore()
    known.merged(keys.public()).to_json(path)


def chosen_for(scenario: Scenario, options: RunOptions) -> RunOptions:
    """Return the options a scenario's bench is opened with."""
    return replace(
        options,
        faults=(*crash_fault(options.faults)[0], *scenario.faults),
        world=scenario.world,
        devices=scenario.devices,
        scenario=scenario.id,
        settings=dict(scenario.settings),
    )


def loop_factory(dotted: str, options: RunOptions) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the loop of a bench; one that takes an argument gets the choices."""
    module = importlib.import_module(dotted.partition(":")[0])
    factory: Callable[..., asyncio.AbstractEventLoop] = getattr(
        module, "new_event_loop", asyncio.new_event_loop
    )
    return partial(factory, options) if inspect.signature(factory).parameters else factory
