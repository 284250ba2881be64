"""SIGKILL in the midst of an image on its way through a SMETS1 home, then resume: same end."""

import signal
from pathlib import Path

import pytest

from tests.scenarios.test_kill_and_resume import end_of, smetsbench


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("row", "commits"),
    [("FM-30", (3, 45, 90)), ("FM-39", (25, 60)), ("FM-43", (60, 210)), ("PPMID-014", (5,))],
)
def test_a_killed_row_ends_as_if_nothing_had_happened(
    row: str, commits: tuple[int, ...], tmp_path: Path
) -> None:
    undisturbed = tmp_path / "undisturbed"
    assert smetsbench("run", row, "--out", str(undisturbed), "-q").returncode == 0
    for commit in commits:
        folder = tmp_path / str(commit)
        fault = f"crash:commit={commit}@harness"
        killed = smetsbench("run", row, "--out", str(folder), "-q", "--fault", fault)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        resumed = smetsbench("resume", str(folder), "-q")
        assert resumed.returncode == 0, resumed.stderr
        assert end_of(folder) == end_of(undisturbed), f"killed after commit {commit}"
