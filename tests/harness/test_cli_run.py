import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from harness.cli import report, resume, run, scenarios
from harness.errors import HarnessError, UsageError
from harness.scenario import Run, step
from tests.given import ROOT
from tests.harness import fake_bench, tiny_scenarios
from tests.harness.playing import end_state, play
from tests.harness.schema_check import problems
from tests.harness.test_report import SCHEMA
from tests.harness.tiny_scenarios import scenario


@pytest.fixture(autouse=True)
def tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line plays the tiny scenarios on the fake bench."""
    catalogue = {**tiny_scenarios.CATALOGUE, "TINY-09": f"{tiny_scenarios.HERE}:CURRENT"}
    monkeypatch.setattr("harness.scenarios.catalogue.CATALOGUE", catalogue)
    monkeypatch.setattr("harness.setting.BENCHES", fake_bench.BENCHES)
    monkeypatch.setattr(tiny_scenarios, "CURRENT", tiny_scenarios.TINY_02, raising=False)


def app() -> typer.Typer:
    made = typer.Typer()
    for module in (run, resume, report, scenarios):
        module.register(made)
    return made


def call(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    result = CliRunner().invoke(app(), [str(argument) for argument in arguments])
    if isinstance(result.exception, HarnessError):
        return result.exception.exit_code, result.stdout, "\n".join(result.exception.lines())
    return result.exit_code, result.stdout, result.stderr


def ending(verdict: str) -> Any:
    @step("A step", "GBCS 11.2")
    async def act(run: Run) -> None:
        """End as the test asks."""
        if verdict == "ERROR":
            await run.bench.hub.send(b"broken")
        if verdict == "SKIPPED":
            run.skip("not here")
        run.check("x", 1, 2 if verdict == "FAIL" else 1)
        if verdict != "INCONCLUSIVE":
            run.outcome("ACTIVATED")

    needs = frozenset({"IHD"}) if verdict == "SKIPPED" else frozenset[str]()
    return scenario(act, id="TINY-09", needs=needs)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("PASS", 0), ("SKIPPED", 0), ("INCONCLUSIVE", 1), ("FAIL", 1), ("ERROR", 3)],
)
def test_the_exit_code_follows_from_the_verdict(
    verdict: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_scenarios, "CURRENT", ending(verdict))
    found, out, _ = call("run", "TINY-09", "--json", "-q", "--out", tmp_path / "run")
    assert (found, json.loads(out)["verdict"]) == (code, verdict)


def test_json_is_alone_on_standard_output_and_follows_the_schema(tmp_path: Path) -> None:
    code, out, err = call("run", "TINY-0[123]", "--json", "--out", tmp_path / "run")
    document = json.loads(out)
    assert code == 0
    assert problems(document, SCHEMA, SCHEMA) == []
    assert all(Path(path).is_file() for path in document["files"].values())
    assert [entry["id"] for entry in document["scenarios"]] == ["TINY-01", "TINY-02", "TINY-03"]
    assert "Three messages, one image" in err


def test_people_read_one_line_a_step_and_where_the_report_is(tmp_path: Path) -> None:
    code, out, err = call("run", "TINY-01", "--out", tmp_path / "run")
    assert code == 0
    assert out.splitlines() == [
        "verdict ✓ PASS  run  seed 1",
        f"report  {tmp_path / 'run' / 'report.html'}",
    ]
    lines = err.splitlines()
    assert lines[0] == "TINY-01  Three messages, one image"
    assert lines[1] == "  1/3 ✓ PASS  The hub answers two messages"
    assert lines[2].startswith("  2/3 ✓ PASS  The hub stores the image  (+8 s)")
    assert lines[-1] == "  TINY-01 ✓ PASS  ended in ACTIVATED, as expected"


def test_quiet_says_nothing_on_the_way(tmp_path: Path) -> None:
    assert call("run", "TINY-02", "-q", "--out", tmp_path / "run")[2] == ""


def test_the_default_folder_is_named_after_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert call("run", "TINY-02", "-q", "--seed", "4")[0] == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("TINY-02-seed4-")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["run", "FM-99"], "no scenario is called FM-99"),
        (["run", "TINY-02", "--fault", "crash@harness"], "there is no such fault"),
        (["resume", "nowhere"], "no such run folder"),
        (["report", "nowhere"], "no such run folder"),
        (["scenarios", "XX-*"], "no scenario is called XX-*"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_next_command(
    arguments: Sequence[str], what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = call(*arguments)
    assert code == 2
    assert what in err
    assert "next: " in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "TINY-02", "--seed", "x"],
        ["run", "TINY-02", "--seed", "-1"],
        ["run", "TINY-02", "--image", "nowhere.bin"],
        ["run", "TINY-02", "--data", "nowhere"],
        ["resume"],
    ],
)
def test_a_wrong_command_line_is_a_usage_error(arguments: Sequence[str]) -> None:
    assert call(*arguments)[0] == 2


def test_what_the_user_gave_wrong_ends_the_run_as_a_usage_error_and_leaves_the_folder_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @step("A step", "GBCS 11.2")
    async def act(run: Run) -> None:
        """Refuse the user's file."""
        raise UsageError("that is no image", where=run.scenario.id)

    monkeypatch.setattr(tiny_scenarios, "CURRENT", scenario(act, id="TINY-09"))
    code, _, err = call("run", "TINY-09", "-q", "--out", tmp_path / "run")
    assert (code, err.splitlines()[0]) == (2, "error: that is no image")
    assert call("run", "TINY-02", "-q", "--out", tmp_path / "run")[0] == 0


def test_the_catalogue_is_listed_for_people_and_for_machines() -> None:
    code, out, _ = call("scenarios", "TINY-0[12]", "--json")
    assert code == 0
    rows = json.loads(out)["scenarios"]
    assert [set(row) for row in rows] == [
        {"id", "title", "devices", "world", "clauses", "evidence", "oracle", "needs"}
    ] * 2
    assert rows[0] == {
        "id": "TINY-01",
        "title": "Three messages, one image",
        "devices": ["ESME"],
        "world": "SMETS2+",
        "clauses": ["GBCS 11.2", "GBCS 11.9"],
        "evidence": ["inferred:from vectors", "known"],
        "oracle": "exact",
        "needs": ["ESME", "observations"],
    }
    table = call("scenarios")[1]
    assert "TINY-01" in table
    assert "exact: ACTIVATED" in table


def test_report_renders_a_run_again(tmp_path: Path) -> None:
    play(["TINY-02"], tmp_path / "run")
    (tmp_path / "run" / "report.html").unlink()
    code, out, _ = call("report", tmp_path / "run", "--json")
    assert (code, json.loads(out)["verdict"]) == (0, "PASS")
    assert (tmp_path / "run" / "report.html").is_file()


_PROGRAM = """
import harness.scenarios.catalogue, harness.setting
from tests.harness import fake_bench, test_cli_run, tiny_scenarios
harness.scenarios.catalogue.CATALOGUE = tiny_scenarios.CATALOGUE
harness.setting.BENCHES = fake_bench.BENCHES
test_cli_run.app()()
"""


@pytest.mark.soak
def test_a_killed_process_is_resumed_by_another(tmp_path: Path) -> None:
    def command(*arguments: object) -> int:
        words = [sys.executable, "-c", _PROGRAM, *(str(argument) for argument in arguments)]
        return subprocess.run(words, cwd=ROOT, check=False, capture_output=True).returncode

    out = tmp_path / "run"
    assert command("run", "TINY-01", "--out", out, "--fault", "crash:commit=11@harness") == -9
    assert command("resume", out, "--json") == 0
    play(["TINY-01"], tmp_path / "whole")
    assert end_state(out) == end_state(tmp_path / "whole")
