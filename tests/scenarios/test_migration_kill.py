"""SIGKILL in the middle of a migration, then resume: same end, same octets, no write repeated."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
#: Row -> one in so many of its commits is a kill; all of T-A, T-C and T-D would take hours.
EVERY = {"MIG-024": 60, "MIG-027": 300, "MIG-028": 75}


def smetsbench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.cli.main", *words],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


def end_of(folder: Path) -> tuple[bytes, list[tuple[object, ...]], list[tuple[object, ...]]]:
    with sqlite3.connect(folder / "journal.sqlite") as journal:
        writes = journal.execute(
            "SELECT kind, request_sha256 FROM operations ORDER BY scenario, step, ordinal"
        ).fetchall()
        ends = journal.execute("SELECT id, state, result FROM scenarios").fetchall()
    return (folder / "wire.pcapng").read_bytes(), writes, ends


@pytest.mark.soak
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("row", list(EVERY))
def test_a_killed_migration_ends_as_if_nothing_had_happened(row: str, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    assert smetsbench("run", row, "--out", str(whole), "-q").returncode == 0
    undisturbed = end_of(whole)
    commit = 5
    while True:
        folder = tmp_path / str(commit)
        fault = f"crash:commit={commit}@harness"
        ended = smetsbench("run", row, "--out", str(folder), "-q", "--fault", fault)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        resumed = smetsbench("resume", str(folder), "-q")
        assert resumed.returncode == 0, resumed.stderr
        assert end_of(folder) == undisturbed, f"killed after commit {commit}"
        commit += EVERY[row]
    assert commit > EVERY[row]
