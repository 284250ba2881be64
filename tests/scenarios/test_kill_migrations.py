"""SIGKILL at the journalled steps of whole migrations, then resume: same end, nothing twice."""

import sqlite3
from pathlib import Path

import pytest

from harness.journal import Journal
from harness.resume import resume
from harness.run_options import RunOptions
from harness.runner import start
from tests.harness.playing import in_a_child

#: Into how many tests the commits of a trace are split: workers share them.
PARTS = 4
#: The worked traces: clean, silent hubs completed by 5.8A, a rollback that fails completed by it.
TRACES = {"T-A": "MIG-024", "T-C": "MIG-027", "T-D": "MIG-028"}


def run(scenario: str, out: Path, faults: tuple[str, ...] = ()) -> None:
    start([scenario], RunOptions(faults=faults), out=out)


def run_in_a_child(scenario: str, out: Path, commit: int) -> int:
    return in_a_child(run, scenario, out, (f"crash:commit={commit}@harness",), wait_s=600)


def end_of(folder: Path) -> tuple[bytes, list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What a run came to: the capture, the operations on the bench, the end states."""
    with sqlite3.connect(folder / "journal.sqlite") as journal:
        done = journal.execute(
            "SELECT step, ordinal, kind, request_sha256, outcome FROM operations"
            " ORDER BY scenario, ordinal"
        ).fetchall()
        ends = journal.execute("SELECT id, state, result, after FROM scenarios").fetchall()
    return (folder / "wire.pcapng").read_bytes(), done, ends


def commits_of(folder: Path) -> list[int]:
    """Numbers of the commits at which a step begins, is under way, and ends."""
    journal = Journal.open(folder / "journal.sqlite")
    try:
        rows = journal.rows(
            "SELECT steps.n, COUNT(operations.ordinal) AS operations FROM steps"
            " LEFT JOIN operations ON operations.step = steps.n GROUP BY steps.n ORDER BY steps.n"
        )
    finally:
        journal.close()
    commits, done = [], 2  # the run begins, the scenario begins
    for row in rows:
        middle = done + 1 + row["operations"]  # of a step's two commits an operation, about half
        commits += [done + 1, middle, done + 2 + 2 * row["operations"]]
        done = commits[-1]
    return sorted(set(commits))


def ends_alike_when_killed(scenario: str, undisturbed: Path, folder: Path, commit: int) -> None:
    assert run_in_a_child(scenario, folder, commit) == -9
    resume(folder)
    assert end_of(folder) == end_of(undisturbed), f"{scenario}, killed after commit {commit}"


@pytest.mark.timeout(600)
def test_a_killed_migration_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    scenario, folder = TRACES["T-D"], tmp_path / "undisturbed"
    run(scenario, folder)
    commits = commits_of(folder)
    ends_alike_when_killed(scenario, folder, tmp_path / "run", commits[len(commits) * 2 // 3])


@pytest.mark.soak
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("trace", TRACES)
def test_every_journalled_step(trace: str, part: int, tmp_path: Path) -> None:
    scenario, folder = TRACES[trace], tmp_path / "undisturbed"
    run(scenario, folder)
    commits = commits_of(folder)
    assert len(commits) > 9
    for commit in commits[part::PARTS]:
        ends_alike_when_killed(scenario, folder, tmp_path / str(commit), commit)
