"""Refusals: the same one for people and, with ``--json``, for machines, whatever the command."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from harness.cli import main as command_line
from tests.command_line import Command as Run
from tests.command_line import command_in

KEYS = ["error", "where", "likely_cause", "next", "exit_code"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the whole command line in an empty folder; returns exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMETSBENCH_DATA", raising=False)
    monkeypatch.delenv("SMETSBENCH_TRACEBACK", raising=False)
    return command_in(monkeypatch, capsys)


def _commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        else:
            yield (*words, name), command


COMMANDS = dict(_commands(typer.main.get_command(command_line.build_app())))
WITH_JSON = [
    words
    for words, command in COMMANDS.items()
    if any("--json" in parameter.opts for parameter in command.params)
]


def told(run: Run, *words: str) -> dict[str, Any]:
    """Return the refusal of a command, as JSON."""
    code, output, error = run(*words, "--json")
    assert output == ""
    (line,) = error.splitlines()
    found: dict[str, Any] = json.loads(line)
    assert list(found) == KEYS
    assert found["exit_code"] == code
    return found


def test_nearly_every_command_speaks_json() -> None:
    assert len(WITH_JSON) > 40


@pytest.mark.parametrize("words", WITH_JSON, ids=" ".join)
def test_a_command_line_that_cannot_be_read_is_one_object(run: Run, words: tuple[str, ...]) -> None:
    found = told(run, *words, "--no-such-option")
    assert "--no-such-option" in found["error"]
    assert found["exit_code"] == 2
    assert found["where"].endswith(" ".join(words))
    assert found["next"] == f"smetsbench {' '.join(words[:2])} --help"


def _filled(command: Any) -> list[str]:
    """What a command must be given, each a file or name that is not there."""
    words: list[str] = []
    for parameter in command.params:
        if parameter.required:
            name = parameter.opts[0]
            words += [name, "absent"] if name.startswith("--") else ["absent"]
    return words


@pytest.mark.parametrize(
    "words",
    [
        words
        for words in WITH_JSON
        if any(p.required and not p.opts[0].startswith("-") for p in COMMANDS[words].params)
    ],
    ids=" ".join,
)
def test_a_file_or_name_that_is_not_there_is_one_object(run: Run, words: tuple[str, ...]) -> None:
    if words in {("run",), ("explain",)}:  # names, not files: below
        return
    given = _filled(COMMANDS[words])
    code, _output, error = run(*words, *given)
    if code not in {2, 3}:
        pytest.skip(f"it reports that as a finding: exit code {code}")
    assert "error: " in error.lower() or "Error" in error
    found = told(run, *words, *given)
    assert found["exit_code"] == code
    assert found["error"]
    assert found["likely_cause"]
    assert found["next"]


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("run", "FM-99"), "FM-99"),
        (("run", "FM-01", "--fault", "dorp@han"), "dorp"),
        (("explain", "no-such-thing"), ""),
        (("profiles", "absent"), "absent"),
        (("ma", "check", "absent.xlsx"), "absent.xlsx"),
    ],
)
def test_the_object_says_what_the_lines_say(run: Run, words: tuple[str, ...], where: str) -> None:
    _, _, error = run(*words)
    found = told(run, *words)
    said = {"error": found["error"], "  where": found["where"], "  next": found["next"]}
    for name, text in said.items():
        assert not text or f"{name}: {text}" in error
    assert where in found["where"] + found["error"]


def test_a_mistyped_scenario_is_told_what_may_be_meant(run: Run) -> None:
    found = told(run, "run", "FM-1")
    assert found["error"].startswith("no scenario is called FM-1 (did you mean FM-")
    assert found["where"]
    assert found["likely_cause"]
    assert "did you mean" not in told(run, "run", "ZZ-*")["error"]


def test_json_behind_two_dashes_asks_for_nothing(run: Run) -> None:
    _, _, error = run("explain", "--", "no-such-thing", "--json")
    assert not error.startswith("{")


def test_an_error_of_ours_is_an_object_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_noun: str) -> typer.Typer:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(command_line, "build_app", broken)
    found = told(run, "faults")
    assert found["error"] == "internal error: ZeroDivisionError: by zero"
    assert found["exit_code"] == 5
    assert "SMETSBENCH_TRACEBACK" in found["likely_cause"]


def test_an_interruption_is_an_object_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(_noun: str) -> typer.Typer:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "build_app", ended)
    assert told(run, "faults")["exit_code"] == 4


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("migration", "resubmit", "runs/x"), "left out"),
        (("run", "FM-01", "--image", "absent.ota"), "a mistyped name"),
        (("run", "FM-01", "--jobs", "0"), "out of range"),
        (("profiles", "show", "demo-esme"), "a word too many"),
        (("run", "FM-01", "--bench", "absent.toml"), "a mistyped name"),
        (("run", "FM-04", "--defect", "esme-ignore-hash"), "near it: esme-ignores-hash"),
        (("run", "FM-01", "--no-such"), "a mistyped word"),
    ],
)
def test_the_likely_cause_fits_what_was_typed(run: Run, words: tuple[str, ...], cause: str) -> None:
    found = told(run, *words)
    assert cause in found["likely_cause"]
    assert len(found["likely_cause"]) < 200
