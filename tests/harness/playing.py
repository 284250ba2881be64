"""How the tests of the harness play scenarios."""

import json
import multiprocessing
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.report.model import RunRecord, ScenarioRecord
from harness.resume import resume
from harness.run_options import RunOptions
from harness.runner import start
from harness.scenario import Scenario
from harness.setting import Setting
from tests.harness import fake_bench, tiny_scenarios

SETTING = Setting(tiny_scenarios.CATALOGUE, fake_bench.BENCHES)


def play(ids: list[str], out: Path, **options: Any) -> RunRecord:
    """Run scenarios of the tiny catalogue on the fake bench."""
    return start(ids, RunOptions(**options), out=out, setting=SETTING)[1]


def play_one(
    scenario: Scenario, out: Path, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> ScenarioRecord:
    """Run one scenario made in a test."""
    monkeypatch.setattr(tiny_scenarios, "CURRENT", scenario, raising=False)
    setting = Setting({scenario.id: f"{tiny_scenarios.HERE}:CURRENT"}, fake_bench.BENCHES)
    return start([scenario.id], RunOptions(**options), out=out, setting=setting)[1].scenarios[0]


def in_a_child(act: Callable[..., object], *args: Any, wait_s: float = 120, **kwargs: Any) -> int:
    """Call ``act`` in a process of its own; return its exit code (-9 for SIGKILL)."""
    process = multiprocessing.get_context("fork").Process(target=act, args=args, kwargs=kwargs)
    with warnings.catch_warnings():  # from 3.12 on: the child does nothing with other threads
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    process.join(wait_s)
    assert process.exitcode is not None
    return process.exitcode


def killed_at(commit: int, ids: list[str], out: Path, **options: Any) -> bool:
    """Run in a child that SIGKILLs itself after that many commits; say whether it did."""
    faults = (f"crash:commit={commit}@harness",)
    return in_a_child(play, ids, out, faults=faults, **options) == -9


def resumed(out: Path, crash_at: int | None = None) -> RunRecord:
    """Resume a run of the tiny catalogue."""
    return resume(out, setting=SETTING, crash_at=crash_at)[1]


def end_state(out: Path) -> dict[str, Any]:
    """All that a finished run leaves, as comparable values."""
    run = json.loads((out / "run.json").read_text("utf-8"))
    run.pop("run")
    run["options"].pop("faults")
    run["not_proven"] = [gap for gap in run["not_proven"] if "crash:" not in gap["text"]]
    return {
        "run": run,
        "events": (out / "events.jsonl").read_text("utf-8"),
        "capture": (out / "wire.pcapng").read_bytes(),
    }
