"""What tests of benches have in common."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _transcripts_go_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep transcripts of commands that are no run out of the folder the tests run in."""
    monkeypatch.setattr("hil.dongle_transcript._RUNS", tmp_path / "runs")
