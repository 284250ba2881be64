"""Runs the migration of many installations: journalled one by one, resumed, resubmitted."""

import hashlib
import importlib
import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from device_profiles.cohort import HandoverOrder
from harness.benches import BENCHES
from harness.errors import HarnessError, UsageError
from harness.migration import volume_about, volume_chunk, volume_faults
from harness.migration.record import InstallationRecord
from harness.migration.states import State
from harness.migration.step_table import load_steps
from harness.migration.steps import FOLDED_STEPS
from harness.migration.volume_capture import Capture
from harness.migration.volume_home import bench_options
from harness.migration.volume_journal import VolumeJournal
from harness.migration.volume_options import Batch, VolumeOptions, load_batch, settled
from harness.migration.volume_shared import refuse_unknown
from harness.run_folder import RunFolder
from harness.setting import crash_fault, version
from harness.workers import Outcome, play_all

#: Told after each installation: how many of how many are done.
Progress = Callable[[int, int], None]
_COMMAND: Final = "smetsbench migration run --cohort KEY --installations FILE"
_ROWS: Final = "installations.csv"
#: Why 5.8A is refused, by where an installation stands. Source: migration.md 5.2, R-069.
_REFUSALS: Final[Mapping[State, str]] = {
    State.MIGRATED: "it is migrated",
    State.ROLLED_BACK: "it is the SMSO's again: the next attempt is a normal one, with a new MCF",
    State.REJECTED: "nothing changed on site: the next attempt is a normal one, with a new MCF",
    State.NOT_PLANNED: "it was never planned",
    State.EXCLUDED: "it is excluded (TMAD clause 18)",
    State.COMMISSIONING_FAILED: "its devices are the S1SP's: commissioning is tried again instead",
}


class VolumeInterruptedError(HarnessError):
    """The run was stopped from outside and can be resumed (exit code 4)."""

    exit_code = 4


def start(
    options: VolumeOptions, *, out: Path | None = None, jobs: int = 1, progress: Progress | None
) -> RunFolder:
    """Migrate every installation of a file, into a new run folder; reports are the caller's.

    Args:
        options: Choices of the run.
        out: The folder; ``runs/<id>`` when None.
        jobs: Processes.
        progress: Told after each installation.

    Raises:
        UsageError: A file, fault or folder cannot be used.
        VolumeInterruptedError: Ctrl-C or SIGTERM.
    """
    faults, crash_at = crash_fault(options.faults)
    chosen = settled(options)
    batch = load_batch(chosen)
    volume_faults.parse(faults, known=refuse_unknown, steps=_steps_taken(chosen, batch))
    _try_bench(chosen, batch)
    name = run_id(chosen, batch)
    folder = RunFolder(out if out is not None else Path("runs") / name)
    folder.make(_COMMAND)
    with folder.lock():
        was_run = folder.file("journal").is_file()
        folder.clear(_COMMAND, beside=(_ROWS,))
        if was_run:
            _clear_files(folder)
        journal = VolumeJournal.create(folder.file("journal"), crash_at=crash_at)
        try:
            row = {
                "id": name if out is None else out.name,
                "version": version(),
                "seed": options.seed,
                "options": {**chosen.dump(), "about": volume_about.about(batch)},
                "bench": "emulated",
            }
            journal.begin(row, [home.ref for home in batch.homes])
            _play(folder, journal, batch, jobs, progress)
        finally:
            journal.close()
    return folder


def _steps_taken(options: VolumeOptions, batch: Batch) -> list[str]:
    """Return the steps at which something can go wrong: not those that the cohort passes over."""
    folded = batch.cohort.handover.order is HandoverOrder.FOLDED
    return [step for step in load_steps(options.data) if not (folded and step in FOLDED_STEPS)]


def _try_bench(options: VolumeOptions, batch: Batch) -> None:
    """Have the bench look at its choices before any folder is made or replaced.

    Raises:
        UsageError: A device model or a defect cannot be used.
    """
    module = importlib.import_module(BENCHES["emulated"].partition(":")[0])
    module.check(bench_options(options, batch.homes[0]))


def _clear_files(folder: RunFolder) -> None:
    """Remove the migration files of the run that was here before, and nothing else."""
    for path in sorted((folder.path / "files").glob("**/*.xml")):
        path.unlink()
    (folder.path / _ROWS).unlink(missing_ok=True)


def run_id(options: VolumeOptions, batch: Batch) -> str:
    """Return the id of a run: the same for the same installations, seed and choices."""
    told = json.dumps(options.dump(), sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()[:8]
    count = len(batch.homes)
    return f"migration-{batch.cohort.key}-{count}-seed{options.seed}-{digest}"


def resume(path: Path, *, jobs: int, progress: Progress | None) -> RunFolder:
    """Play the installations that a run's journal does not hold yet.

    Raises:
        UsageError: The folder holds no migration run, or its installations are others now.
        VolumeInterruptedError: Ctrl-C or SIGTERM.
    """
    folder = RunFolder(path)
    with folder.lock():
        journal = VolumeJournal.open(folder.file("journal"))
        try:
            batch = load_batch(VolumeOptions.load(journal.options()))
            journal.begin_first([home.ref for home in batch.homes])
            _play(folder, journal, batch, jobs, progress)
        finally:
            journal.close()
    return folder


@dataclass(frozen=True, slots=True)
class Listing:
    """What the MCC lists for resubmission, and why.

    Attributes:
        refs: Which installations; all that are stranded when empty.
        judgement: What the MCC writes down for its decision.
        roll_forward: Whether devices that a rollback gave back are first rolled forward.
    """

    refs: tuple[str, ...]
    judgement: str
    roll_forward: bool = False


def resubmit(
    path: Path, listing: Listing, *, jobs: int = 1, progress: Progress | None = None
) -> RunFolder:
    """Complete stranded installations of a finished run by clause 5.8A, with a new MCF.

    Args:
        path: The run folder.
        listing: Which, and why.
        jobs: Processes.
        progress: Told after each installation.

    Raises:
        UsageError: The run is unfinished, a ref is unknown, an installation is not stranded, none
            is, or there is no judgement.
        VolumeInterruptedError: Ctrl-C or SIGTERM.
    """
    folder = RunFolder(path)
    with folder.lock():
        journal = VolumeJournal.open(folder.file("journal"))
        try:
            batch = load_batch(VolumeOptions.load(journal.options()))
            chosen = _stranded(path, journal, listing)
            _refuse_cohort(batch)
            told = {
                "refs": [ref for _number, ref in chosen],
                "judgement": listing.judgement.strip(),
                "roll_forward": listing.roll_forward,
            }
            journal.begin_round("resubmit", told, chosen)
            _play(folder, journal, batch, jobs, progress)
        finally:
            journal.close()
    return folder


def _refuse_cohort(batch: Batch) -> None:
    if not batch.cohort.cohort.resubmission_5_8a:
        raise UsageError(
            f"clause 5.8A completes no migration of cohort {batch.cohort.key}",
            where="cohort.resubmission_5_8a",
            cause="the cohort's file says so",
            next_command=f"smetsbench profiles {batch.cohort.key}",
        )


def _stranded(path: Path, journal: VolumeJournal, listing: Listing) -> list[tuple[int, str]]:
    """Return number and ref of the installations to resubmit."""
    if not listing.judgement.strip():
        raise UsageError(
            "a resubmission needs the MCC's judgement",
            where="--judgement",
            cause="5.8A is for migrations that are considered likely to succeed now",
        )
    if any(not one.done for one in journal.rounds()):
        raise UsageError(
            "the run is not finished",
            where=str(path),
            cause="it was interrupted",
            next_command=f"smetsbench resume {path}",
        )
    known = {ref: number for number, ref in journal.refs(0)}
    records = {record.ref: record for record in journal.records()}
    for ref in listing.refs:
        _refuse_one(path, ref, known, records)
    wanted = list(dict.fromkeys(listing.refs)) or [
        ref for ref, record in records.items() if record.state is State.STRANDED
    ]
    if not wanted:
        raise UsageError(
            "no installation of the run is stranded",
            where=str(path),
            cause="5.8A completes stranded migrations only",
            next_command=f"smetsbench report {path}",
        )
    return sorted((known[ref], ref) for ref in wanted)


def _refuse_one(
    path: Path, ref: str, known: Mapping[str, int], records: Mapping[str, InstallationRecord]
) -> None:
    if ref not in known:
        raise UsageError(
            f"the run has no installation {ref}",
            where="--ref",
            cause="a mistyped ref",
            next_command=f"smetsbench report {path} --json",
        )
    record = records.get(ref)
    if record is None or record.state is not State.STRANDED:
        state = "nothing: what played it broke" if record is None else record.state.value
        why = "" if record is None else _REFUSALS.get(record.state, "")
        raise UsageError(
            f"5.8A is refused: {ref} stands in {state}, and only a stranded one may be resubmitted",
            where="--ref",
            cause=why,
            next_command=f"smetsbench report {path}",
        )


def _play(
    folder: RunFolder,
    journal: VolumeJournal,
    batch: Batch,
    jobs: int,
    progress: Progress | None,
) -> None:
    """Play the present round's installations and journal each as it ends."""
    last = journal.rounds()[-1]
    if last.done:
        return
    pending = journal.pending(last.number)
    total = len(journal.refs(last.number))
    done = total - len(pending)
    workshop, tasks = volume_chunk.plan(journal, batch, last, pending)
    try:
        with _stoppable(), Capture.open(folder, journal) as capture:
            for outcome in play_all(workshop, tasks, jobs):
                _keep(journal, last.number, outcome, capture)
                done += outcome.get("n") is not None
                if progress is not None:
                    progress(done, total)
    except KeyboardInterrupt as error:
        raise VolumeInterruptedError(
            "interrupted; every installation played so far is in the journal",
            where=str(folder.path),
            next_command=f"smetsbench resume {folder.path}",
        ) from error
    journal.end_round(last.number, {"installations": total})


def _keep(journal: VolumeJournal, number: int, outcome: Outcome, capture: Capture) -> None:
    """Journal what came back from a worker: a chunk's common files, or one installation."""
    if outcome.get("n") is None:
        journal.put_chunk(number, outcome["chunk"], outcome["files"])
        return
    end = capture.take(outcome["ref"], outcome["frames"])
    journal.put_play(number, outcome["n"], outcome["play"], outcome["memory"], end)


def _terminated(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(f"signal {number}")


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turn SIGTERM into what Ctrl-C does, so that both leave a run that can be resumed."""
    try:
        before = signal.signal(signal.SIGTERM, _terminated)
    except ValueError:  # not the main thread: no signals here
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
