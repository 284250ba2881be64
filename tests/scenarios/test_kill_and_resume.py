"""SIGKILL at every journalled step, then resume: same end, no device written to twice."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def smetsbench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.cli.main", *words],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


def end_of(folder: Path) -> tuple[bytes, list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What a run came to: the capture, the operations on the bench, the end states."""
    with sqlite3.connect(folder / "journal.sqlite") as journal:
        writes = journal.execute(
            "SELECT kind, request_sha256 FROM operations ORDER BY scenario, step, ordinal"
        ).fetchall()
        ends = journal.execute("SELECT id, state, result FROM scenarios").fetchall()
    return (folder / "wire.pcapng").read_bytes(), writes, ends


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert smetsbench("run", "FM-01", "--out", str(folder), "-q").returncode == 0
    return folder


def killed_and_resumed(folder: Path, commit: int) -> bool:
    """Kill a run after a commit and resume it; False when it has no such commit."""
    fault = f"crash:commit={commit}@harness"
    ended = smetsbench("run", "FM-01", "--out", str(folder), "-q", "--fault", fault)
    if ended.returncode == 0:
        return False
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    resumed = smetsbench("resume", str(folder), "-q")
    assert resumed.returncode == 0, resumed.stderr
    return True


@pytest.mark.timeout(120)
@pytest.mark.parametrize("commit", [2, 9, 16, 23])
def test_a_killed_run_ends_as_if_nothing_had_happened(
    commit: int, undisturbed: Path, tmp_path: Path
) -> None:
    assert killed_and_resumed(tmp_path / "run", commit)
    assert end_of(tmp_path / "run") == end_of(undisturbed)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_single_commit(undisturbed: Path, tmp_path: Path) -> None:
    commit = 0
    while True:
        commit += 1
        folder = tmp_path / str(commit)
        if not killed_and_resumed(folder, commit):
            break
        assert end_of(folder) == end_of(undisturbed), f"killed after commit {commit}"
    assert commit > 20
