"""Scenarios played in processes of their own leave what one process would have left."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from emulator.core.clock import UtcMs
from harness.errors import UsageError
from harness.judging import Finding
from harness.run_options import RunOptions
from harness.runner import start
from harness.scenario import Scenario
from harness.setting import Setting
from tests.harness import fake_bench, tiny_scenarios
from tests.harness.playing import SETTING, end_state, in_a_child, resumed

HERE = "tests.harness.test_side_by_side"
IDS = ["TINY-01", "TINY-02", "TINY-03"]


new_event_loop = fake_bench.new_event_loop


def open_bench(options: RunOptions) -> fake_bench.FakeBench:
    """A bench that one scenario cannot have."""
    if options.scenario == "TINY-02":
        raise UsageError("not with this bench", where="here", next_command="try again")
    return fake_bench.open_bench(options)


class Listener:
    """A watcher that writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def scenario_begins(self, number: int, total: int, scenario: Scenario) -> None:
        self.heard.append(("begins", number, total, scenario.id))

    def step_ended(self, scenario: Scenario, number: int, finding: Finding, at: UtcMs) -> None:
        self.heard.append(("step", scenario.id, number, finding.row(), at))

    def scenario_ended(self, scenario: Scenario, result: Any) -> None:
        self.heard.append(("ended", scenario.id, dict(result)))


def played(out: Path, ids: list[str], jobs: int, setting: Setting = SETTING) -> Listener:
    listener = Listener()
    start(ids, RunOptions(seed=3), out=out, setting=setting, watcher=listener, jobs=jobs)
    return listener


def rows(out: Path) -> dict[str, list[Any]]:
    """Every row of a run's journal, but for the folder's name."""
    db = sqlite3.connect(out / "journal.sqlite")
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {one: db.execute(f"SELECT * FROM {one}").fetchall() for one in tables}  # noqa: S608 -- ours
    db.close()
    found["runs"] = [row[1:] for row in found["runs"]]
    return {name: sorted(found[name], key=str) for name in found}


def same(one: Path, other: Path) -> None:
    assert end_state(one) == end_state(other)
    assert rows(one) == rows(other)
    for name in ("certificates.json",):
        assert (one / name).is_file() == (other / name).is_file()
        if (one / name).is_file():
            assert (one / name).read_bytes() == (other / name).read_bytes()


def test_three_processes_leave_the_journal_the_capture_and_the_report_of_one(
    tmp_path: Path,
) -> None:
    alone = played(tmp_path / "one", IDS, 1)
    together = played(tmp_path / "three", IDS, 3)
    same(tmp_path / "one", tmp_path / "three")
    assert alone.heard == together.heard


@pytest.mark.parametrize(
    "ids",
    [
        ["FM-02", "SER-001"],
        pytest.param(["FM-05", "MIG-001", "MIG-060", "PPMID-003"], marks=pytest.mark.soak),
    ],
)
def test_emulated_devices_leave_the_same_octets_in_two_processes(
    ids: list[str], tmp_path: Path
) -> None:
    played(tmp_path / "one", ids, 1, Setting())
    played(tmp_path / "two", ids, 2, Setting())
    same(tmp_path / "one", tmp_path / "two")
    assert json.loads((tmp_path / "two/certificates.json").read_text("utf-8"))


def test_a_refusal_in_one_process_ends_the_run_behind_the_scenarios_before_it(
    tmp_path: Path,
) -> None:
    setting = Setting(tiny_scenarios.CATALOGUE, {"emulated": f"{HERE}:open_bench"})
    for jobs in (1, 2):
        with pytest.raises(UsageError, match="not with this bench") as refused:
            played(tmp_path / str(jobs), IDS, jobs, setting)
        assert (refused.value.where, refused.value.next_command) == ("here", "try again")
    assert rows(tmp_path / "1") == rows(tmp_path / "2")


def test_real_devices_are_not_shared_by_processes(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    file.write_text('kind = "fake-real"', "utf-8")
    with pytest.raises(UsageError, match="cannot share a bench"):
        start(IDS, RunOptions(bench=file), out=tmp_path / "run", setting=SETTING, jobs=2)
    assert not (tmp_path / "run").exists()


def _killed(out: Path, commit: int) -> None:
    options = RunOptions(seed=3, faults=(f"crash:commit={commit}@harness",))
    start(IDS, options, out=out, setting=SETTING, jobs=2)


@pytest.mark.parametrize("commit", [1, 2, 3])
def test_a_killed_run_of_two_processes_is_resumed_to_the_same_end(
    commit: int, tmp_path: Path
) -> None:
    played(tmp_path / "whole", IDS, 1)
    assert in_a_child(_killed, tmp_path / "cut", commit) == -9
    resumed(tmp_path / "cut")
    assert end_state(tmp_path / "cut") == end_state(tmp_path / "whole")
