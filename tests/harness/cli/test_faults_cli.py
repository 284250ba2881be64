"""``smetsbench faults``."""

import json
from typing import Any

import typer
from typer.testing import CliRunner

from emulator.core.faults import FAULTS, parse
from harness.cli import faults


def run(*arguments: str) -> str:
    app = typer.Typer()

    @app.callback()
    def root() -> None:
        """Hold the command."""

    faults.register(app)
    result = CliRunner().invoke(app, ["faults", *arguments])
    assert result.exit_code == 0
    return result.output


def test_every_fault_is_listed_with_an_example() -> None:
    text = run()
    for name, row in FAULTS.items():
        assert name in text
        assert row.example in text


def test_the_json_list_tells_everything_and_its_examples_work() -> None:
    listed: dict[str, Any] = json.loads(run("--json"))
    rows = {row["name"]: row for row in listed["faults"]}
    assert set(rows) == {*FAULTS, "crash"}
    for name in FAULTS:
        order = parse(rows[name]["example"])
        assert order.link in rows[name]["links"]
        assert {key for key, _value in order.keys} <= set(rows[name]["keys"])
    assert all(row["does"].endswith(".") for row in rows.values())
