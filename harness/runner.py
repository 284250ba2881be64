"""Runs scenarios one after another, each on a fresh bench, into one run folder."""

import asyncio
import importlib
import inspect
import json
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, Protocol

from emulator.core.clock import UtcMs
from emulator.crypto.keystore import KeyStore
from harness.errors import HarnessError, UsageError
from harness.journal import Journal
from harness.judging import Finding, broken, unplayed
from harness.player import Player
from harness.ports import Bench
from harness.recorder import Recorder, ReplayError
from harness.report.files import write_reports
from harness.report.model import RunRecord
from harness.report.pcapng import PcapngWriter
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.scenario import Scenario
from harness.setting import (
    Setting,
    bench_kind,
    crash_fault,
    named,
    refuse_unknown_rules,
    run_id,
    version,
)


class RunInterruptedError(HarnessError):
    """The run was stopped from outside and can be resumed (exit code 4)."""

    exit_code = 4


class Watcher(Protocol):
    """Someone to whom a run tells its progress."""

    def scenario_begins(self, number: int, total: int, scenario: Scenario) -> None:
        """Scenario ``number`` (from 0) of ``total`` begins."""
        ...

    def step_ended(self, scenario: Scenario, number: int, finding: Finding, at: UtcMs) -> None:
        """Step ``number`` (from 0) of ``scenario`` ended at ``at``."""
        ...

    def scenario_ended(self, scenario: Scenario, result: Mapping[str, Any]) -> None:
        """The scenario has its verdict."""
        ...


class Silent:
    """A watcher who says nothing."""

    def scenario_begins(self, number: int, total: int, scenario: Scenario) -> None:
        """Say nothing."""

    def step_ended(self, scenario: Scenario, number: int, finding: Finding, at: UtcMs) -> None:
        """Say nothing."""

    def scenario_ended(self, scenario: Scenario, result: Mapping[str, Any]) -> None:
        """Say nothing."""


def _terminated(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(f"signal {number}")


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turn SIGTERM into what Ctrl-C does, so that both leave a run that can be resumed.

    SIGTERM is not passed on as SIGINT: a shell starts background jobs with SIGINT ignored.
    """
    try:
        before = signal.signal(signal.SIGTERM, _terminated)
    except ValueError:  # not the main thread: no signals here
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True, slots=True)
class Runner:
    """A run with its folder, journal and capture.

    Attributes:
        folder: The run folder, locked by the caller.
        journal: Its journal, with the run begun.
        setting: Where scenarios and benches come from.
        watcher: Who hears of the progress.
    """

    folder: RunFolder
    journal: Journal
    setting: Setting
    watcher: Watcher

    def play_all(self) -> None:
        """Play every scenario that has no verdict yet.

        Raises:
            RunInterruptedError: Ctrl-C or SIGTERM; what was done is journalled.
        """
        row = self.journal.rows("SELECT * FROM runs")[0]
        options = RunOptions.load(json.loads(row["options"]))
        rows = self.journal.rows("SELECT n, id, state FROM scenarios ORDER BY n")
        try:
            with _stoppable(), self._capture() as capture:
                for entry in rows:
                    scenario = self.setting.scenario(entry["id"]).under(options)
                    self.watcher.scenario_begins(entry["n"], len(rows), scenario)
                    if entry["state"] != "done":
                        self._play(entry["n"], scenario, options, row["bench"], capture)
                    self.watcher.scenario_ended(scenario, self._result(entry["n"]))
        except KeyboardInterrupt as error:
            raise RunInterruptedError(
                "interrupted; everything done so far is in the journal",
                where=str(self.folder.path),
                next_command=f"smetsbench resume {self.folder.path}",
            ) from error
        self.journal.end_run()

    def _result(self, number: int) -> dict[str, Any]:
        found = self.journal.rows("SELECT result FROM scenarios WHERE n = ?", number)[0]
        result: dict[str, Any] = json.loads(found["result"])
        return result

    def _capture(self) -> PcapngWriter:
        path, end = self.folder.file("capture"), self.journal.capture_end()
        if end is None:
            path.unlink(missing_ok=True)
        writer = PcapngWriter(path)
        if end is not None:
            writer.truncate_to(end[0])
        return writer

    def _play(
        self,
        number: int,
        scenario: Scenario,
        options: RunOptions,
        kind: str,
        capture: PcapngWriter,
    ) -> None:
        dotted = self.setting.benches[kind]
        chosen = chosen_for(scenario, options)
        try:
            with asyncio.Runner(loop_factory=_loop_factory(dotted, chosen)) as loop:
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

    def _keep_certificates(self, bench: Bench) -> None:
        """Write everybody's public keys beside the reports, so that others can check signatures.

        Devices make their keys from the seed; without their certificates nobody else could tell
        a genuine signature in the capture from a forged one.
        """
        public = getattr(bench, "public_keys", None)
        if not isinstance(public, KeyStore):
            return
        path = self.folder.file("certificates")
        known = KeyStore.from_json(path) if path.is_file() else KeyStore()
        known.merged(public.public()).to_json(path)

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
            self._keep_certificates(bench)
            end = self.journal.capture_end()
            frames = 0 if end is None else end[1]
            recorder = Recorder(bench, self.journal, capture, number, frames=frames)

            def step_ended(n: int, finding: Finding, at: UtcMs) -> None:
                self.watcher.step_ended(scenario, n, finding, at)

            await Player(scenario, options, bench, recorder, step_ended=step_ended).play()
        finally:
            await bench.close()


def _loop_factory(dotted: str, options: RunOptions) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the loop of a bench; one that takes an argument gets the choices."""
    module = importlib.import_module(dotted.partition(":")[0])
    factory: Callable[..., asyncio.AbstractEventLoop] = getattr(
        module, "new_event_loop", asyncio.new_event_loop
    )
    return partial(factory, options) if inspect.signature(factory).parameters else factory


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


def _check_choices(scenario: Scenario, options: RunOptions, dotted: str) -> None:
    """Have the bench's module look at the choices before any folder is made or replaced.

    Raises:
        UsageError: A fault, defect, installation or file of the user cannot be used.
    """
    check = getattr(importlib.import_module(dotted.partition(":")[0]), "check", None)
    if check is not None:
        check(chosen_for(scenario, options))


def start(
    wanted: Sequence[str],
    options: RunOptions,
    *,
    out: Path | None = None,
    setting: Setting | None = None,
    watcher: Watcher | None = None,
) -> tuple[RunFolder, RunRecord]:
    """Run scenarios into a new run folder and write its reports.

    Args:
        wanted: Scenario ids and globs.
        options: Choices of the run.
        out: The folder; ``runs/<id>`` when None.
        setting: Where scenarios and benches come from.
        watcher: Who hears of the progress.

    Raises:
        UsageError: An unknown id, a folder that is something else, a broken bench file.
        RunInterruptedError: Ctrl-C or SIGTERM.
    """
    setting, watcher = setting or Setting(), watcher or Silent()
    ids = setting.choose(wanted)
    scenarios = [setting.scenario(name).under(options) for name in ids]
    kind = bench_kind(options, setting.benches)
    crash_at = crash_fault(options.faults)[1]
    refuse_unknown_rules(options.accepted, scenarios)
    for scenario in scenarios:
        _check_choices(scenario, options, setting.benches[kind])
    name = run_id(options, ids)
    folder = RunFolder(out if out is not None else Path("runs") / name)
    folder.make()
    with folder.lock():
        folder.clear()
        journal = Journal.create(folder.file("journal"), crash_at=crash_at)
        try:
            journal.begin_run(
                {
                    "id": name if out is None else out.name,
                    "version": version(),
                    "seed": options.seed,
                    "options": options.dump(),
                    "bench": kind,
                },
                [(scenario.id, scenario.declared()) for scenario in scenarios],
            )
            Runner(folder, journal, setting, watcher).play_all()
        finally:
            journal.close()
        return folder, write_reports(folder)
