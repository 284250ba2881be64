"""A folder of runs of every kind, and its pages, for tests that only read."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.live import live_sample
from tests.harness.live.pages_kit import Reader, served


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    live_sample.write(folder / "dust", 40)
    live_sample.write(folder / "private", 12, prefix=live_sample.LIVE)
    _scenario(folder / "scenario")
    _migration(folder / "migration")
    (folder / "notes").mkdir()
    (folder / "notes" / "readme.txt").write_text("no run", "utf-8")
    return folder


@pytest.fixture(scope="session")
def reader(runs: Path) -> Iterator[Reader]:
    with served(runs) as found:
        yield found


def _scenario(folder: Path) -> None:
    folder.mkdir()
    record = {"run": "scenario", "state": "done", "verdict": "PASS", "seed": 1, "version": "0"}
    scenarios = [{"id": "SER-001", "title": "Identify a meter", "reason": "as expected"}]
    (folder / "run.json").write_text(json.dumps({**record, "scenarios": scenarios}), "utf-8")
    line = {"scenario": "SER-001", "at": "2026-01-05T09:00:00.000Z", "step": 1, "source": "ESME"}
    told = [{**line, "word": "power", "fields": {"on": True}}, {**line, "word": "refused"}]
    (folder / "events.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in told), "utf-8")
    page = "<!DOCTYPE html><title>report</title><style>p{color:red}</style><p>hello"
    (folder / "report.html").write_text(page, "utf-8")


def _migration(folder: Path) -> None:
    folder.mkdir()
    about = {"cohort": "EA", "title": "Final Operating Capability"}
    record = {"kind": "migration", "run": "m", "state": "done", "verdict": "PASS", "about": about}
    (folder / "run.json").write_text(json.dumps({**record, "installations": []}), "utf-8")
    line = {"installation": "EA-1", "at": "2021-03-01T06:00:00.000Z", "actor": "S1SP", "text": "x"}
    told = [
        {**line, "step": "H2", "result": "ok"},
        {**line, "step": "T3", "result": "failed", "code": "X", "sub_code": "2"},
        {**line, "step": "R1", "result": "state", "state": "RolledBack", "code": "X"},
    ]
    (folder / "events.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in told), "utf-8")
