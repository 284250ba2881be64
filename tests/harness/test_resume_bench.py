"""A run that ended because a real bench broke goes on once the bench is mended."""

import json
from pathlib import Path

import pytest

from harness.report.model import RunRecord
from harness.verdict import Verdict
from tests.harness.playing import play, resumed


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "bench.toml"
    file.write_text('kind = "fake-real"\n')
    monkeypatch.setenv("FAKE_DEVICE_MEMORY", str(tmp_path / "device.json"))
    return file


def taken(folder: Path) -> list[bytes]:
    state = json.loads((folder / "device.json").read_text())
    return [bytes.fromhex(item) for item in state["taken"]]


def broken(bench: Path, monkeypatch: pytest.MonkeyPatch, ids: list[str]) -> RunRecord:
    monkeypatch.setenv("FAKE_CABLE_OUT_AT", "again")
    record = play(ids, bench.parent / "run", bench=bench)
    monkeypatch.delenv("FAKE_CABLE_OUT_AT")
    return record


def test_a_run_goes_on_with_the_step_in_which_the_bench_broke(
    bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = broken(bench, monkeypatch, ["CABLE-01"])
    verdicts = [step.verdict for step in record.scenarios[0].steps]
    assert record.verdict is Verdict.ERROR
    assert verdicts == [Verdict.PASS, Verdict.ERROR, Verdict.SKIPPED]
    assert (record.scenarios[0].error or {})["blame"] == "bench"

    whole = resumed(bench.parent / "run")
    assert whole.verdict is Verdict.PASS
    assert [step.verdict for step in whole.scenarios[0].steps] == [Verdict.PASS] * 3
    assert taken(bench.parent) == [b"hello", b"first", b"again", b"last"]  # none of them twice


def test_scenarios_after_a_broken_one_are_played_and_not_played_again(
    bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = broken(bench, monkeypatch, ["CABLE-01", "CABLE-02"])
    assert [one.verdict for one in record.scenarios] == [Verdict.ERROR, Verdict.PASS]
    whole = resumed(bench.parent / "run")
    assert [one.verdict for one in whole.scenarios] == [Verdict.PASS, Verdict.PASS]
    assert taken(bench.parent).count(b"alone") == 1


def test_a_bench_that_is_still_broken_ends_the_run_in_the_same_error(
    bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(bench, monkeypatch, ["CABLE-01"])
    monkeypatch.setenv("FAKE_CABLE_OUT_AT", "again")
    again = resumed(bench.parent / "run")
    assert again.verdict is Verdict.ERROR
    monkeypatch.delenv("FAKE_CABLE_OUT_AT")
    assert resumed(bench.parent / "run").verdict is Verdict.PASS


def test_a_failure_of_the_device_is_not_played_again(bench: Path) -> None:
    record = play(["CABLE-03"], bench.parent / "run", bench=bench)
    assert record.verdict is Verdict.FAIL
    before = taken(bench.parent)
    assert resumed(bench.parent / "run").verdict is Verdict.FAIL
    assert taken(bench.parent) == before
