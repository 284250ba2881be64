"""A command line of some nouns alone, for tests."""

import json
from collections.abc import Callable
from typing import Any

import typer
from typer.testing import CliRunner


def run(register: Callable[[typer.Typer], None], *arguments: str) -> tuple[int, str]:
    """Run a command; returns exit code and standard output, and lets errors of ours through."""
    app = typer.Typer()

    @app.callback()
    def root() -> None:
        """Keep nouns as sub-commands even when there is only one."""

    register(app)
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def run_json(register: Callable[[typer.Typer], None], *arguments: str) -> Any:
    """Run a command with ``--json``; returns the document of a clean run."""
    code, output = run(register, *arguments, "--json")
    assert code == 0, output
    return json.loads(output)
