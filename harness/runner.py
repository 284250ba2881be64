"""Runs scenarios one after another, each on a fresh bench, into one run folder."""

import importlib
import json
import signal
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, Protocol

from emulator.core.clock import UtcMs
from harness.errors import HarnessError, UsageError
from harness.journal import Journal
from harness.judging import Finding
from harness.report.files import write_reports
from harness.report.model import RunRecord
from harness.report.pcapng import PcapngWriter
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.scenario import Scenario
from harness.scenario_play import ScenarioPlay, chosen_for
from harness.setting import (
    Setting,
    bench_kind,
    crash_fault,
    refuse_unknown_rules,
    run_id,
    version,
)
from harness.side_by_side import Played, played, take_over


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
        jobs: Processes that play; with more than one, what a scenario left is journalled at once.
    """

    folder: RunFolder
    journal: Journal
    setting: Setting
    watcher: Watcher
    jobs: int = 1

    def play_all(self) -> None:
        """Play every scenario that has no verdict yet.

        Raises:
            RunInterruptedError: Ctrl-C or SIGTERM; what was done is journalled.
        """
        row = self.journal.rows("SELECT * FROM runs")[0]
        options = RunOptions.load(json.loads(row["options"]))
        rows = self.journal.rows("SELECT n, id, state FROM scenarios ORDER BY n")
        play = ScenarioPlay(self.folder, self.journal, self.setting, self.watcher.step_ended)
        try:
            with _stoppable(), self._capture() as capture, closing(self._elsewhere()) as elsewhere:
                for number, name, state in rows:
                    scenario = self.setting.scenario(name).under(options)
                    self.watcher.scenario_begins(number, len(rows), scenario)
                    if state != "done" and self.jobs > 1:
                        take_over(number, next(elsewhere), scenario, play, capture)
                    elif state != "done":
                        play.play(number, scenario, options, row["bench"], capture)
                    self.watcher.scenario_ended(scenario, self._result(number))
        except KeyboardInterrupt as error:
            raise RunInterruptedError(
                "interrupted; everything done so far is in the journal",
                where=str(self.folder.path),
                next_command=f"smetsbench resume {self.folder.path}",
            ) from error
        self.journal.end_run()

    def _elsewhere(self) -> Generator[Played, None, None]:
        """Play in other processes what has no verdict yet; what comes of it comes in order."""
        row = self.journal.rows("SELECT * FROM runs")[0]
        rows = self.journal.rows("SELECT n, id FROM scenarios WHERE state <> 'done' ORDER BY n")
        waiting = [(one["n"], one["id"]) for one in rows]
        yield from played(dict(row), self.setting, waiting, self.jobs)

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


def _check_choices(scenario: Scenario, options: RunOptions, dotted: str) -> None:
    """Have the bench's module look at the choices before any folder is made or replaced.

    Raises:
        UsageError: A fault, defect, installation or file of the user cannot be used.
    """
    check = getattr(importlib.import_module(dotted.partition(":")[0]), "check", None)
    if check is not None:
        check(chosen_for(scenario, options))


def _refuse_jobs(jobs: int, options: RunOptions) -> None:
    """Refuse several processes on one bench of real devices.

    Raises:
        UsageError: That is what was asked for.
    """
    if jobs > 1 and options.bench is not None:
        raise UsageError(
            f"{jobs} processes cannot share a bench",
            where=str(options.bench),
            cause="--jobs is for the emulated bench, which each scenario has for itself",
            next_command="smetsbench run ID... --bench FILE   (without --jobs)",
        )


def start(  # noqa: PLR0913 -- what a run is made of; all but two have a value
    wanted: Sequence[str],
    options: RunOptions,
    *,
    out: Path | None = None,
    setting: Setting | None = None,
    watcher: Watcher | None = None,
    jobs: int = 1,
) -> tuple[RunFolder, RunRecord]:
    """Run scenarios into a new run folder and write its reports.

    Args:
        wanted: Scenario ids and globs.
        options: Choices of the run.
        out: The folder; ``runs/<id>`` when None.
        setting: Where scenarios and benches come from.
        watcher: Who hears of the progress.
        jobs: Processes that play, on the emulated bench; what comes of it is the same.

    Raises:
        UsageError: An unknown id, a folder that is something else, a broken bench file.
        RunInterruptedError: Ctrl-C or SIGTERM.
    """
    setting, watcher = setting or Setting(), watcher or Silent()
    ids = setting.choose(wanted)
    scenarios = [setting.scenario(name).under(options) for name in ids]
    kind = bench_kind(options, setting.benches)
    _refuse_jobs(jobs, options)
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
            Runner(folder, journal, setting, watcher, jobs).play_all()
        finally:
            journal.close()
        return folder, write_reports(folder)
