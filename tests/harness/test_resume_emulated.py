"""A firmware upgrade on emulated devices, killed and resumed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.resume import resume
from harness.run_options import RunOptions
from harness.runner import start
from harness.verdict import Verdict
from tests.given import ROOT
from tests.harness.playing import end_state, in_a_child

ID = "FM-01"


def upgrade(out: Path, commit: int = 0) -> None:
    """Run the upgrade; SIGKILL this process after that many commits."""
    faults = (f"crash:commit={commit}@harness",) if commit else ()
    start([ID], RunOptions(faults=faults), out=out)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The upgrade that nobody killed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    upgrade(out)
    return out


def resumed_from(commit: int, out: Path) -> bool:
    """Kill at a commit and resume; False when the run ended before that commit."""
    if in_a_child(upgrade, out, commit) != -9:
        return False
    assert resume(out)[1].verdict is Verdict.PASS, f"commit {commit}"
    return True


@pytest.mark.parametrize("commit", [2, 6, 11, 17, 24])
def test_an_upgrade_killed_in_the_middle_ends_as_if_never_killed(
    commit: int, tmp_path: Path, whole: Path
) -> None:
    assert resumed_from(commit, tmp_path / "run")
    assert end_state(tmp_path / "run") == end_state(whole)


@pytest.mark.soak
def test_an_upgrade_killed_at_any_commit_ends_as_if_never_killed(
    tmp_path: Path, whole: Path
) -> None:
    commit = 1
    while resumed_from(commit, tmp_path / str(commit)):
        assert end_state(tmp_path / str(commit)) == end_state(whole), f"commit {commit}"
        commit += 1
    assert commit > 25


def test_a_background_job_that_ignores_sigint_stops_on_sigterm_and_resumes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "harness.cli.main"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    job = subprocess.Popen(
        # What a shell does for `smetsbench run ... &`.
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command, "run", "FM-01", "--out", "run"],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    with job:
        assert job.stderr is not None
        begun = next(line for line in job.stderr if " 1/6 " in line)
        job.send_signal(signal.SIGTERM)
        told = job.stderr.read()
    assert (job.returncode, "PASS" in begun) == (4, True), told
    assert "smetsbench resume run" in told
    assert "Traceback" not in told
    done = subprocess.run(
        [*command, "resume", "run", "-q"], cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0
