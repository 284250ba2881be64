"""Two benches side by side by the command line."""

import json
from pathlib import Path

import pytest

from harness.cli import against
from harness.cli import run as run_command
from harness.errors import UsageError
from tests.harness.cli.command_line import run
from tests.harness.test_replay_client import altered


def test_a_run_against_an_altered_model_differs_in_the_altered_fields(tmp_path: Path) -> None:
    words = ["run", "SER-002", "--bench", "emulated:smets1", "-q", "--out", str(tmp_path / "out")]
    code, output = run(
        run_command.register, *words, "--against", f"emulated:{altered(tmp_path, 1)}", "--json"
    )
    assert code == 1
    document = json.loads(output)
    assert [one["subject"] for one in document["differences"]] == [
        "Active import, scaler and unit (3 / 1-0:1.8.0.255 a3)"
    ]
    assert document["unmatched"] == []
    assert json.loads((tmp_path / "out" / "differences.json").read_text("utf-8")) == document
    assert "Active import" in (tmp_path / "out" / "differences.html").read_text("utf-8")


def test_a_profile_alone_is_no_bench(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a bench of a comparison"):
        against.bench_file("emulated:smets1")
    with pytest.raises(UsageError, match="no such bench file"):
        against.bench_file(str(tmp_path / "nothing.toml"))
    assert against.bench_file(None) is None
