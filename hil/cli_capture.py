"""``smetsbench capture``: records a conversation with a meter; views and tests of recordings."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from device_profiles.words import DeviceType
from harness.cli.output import console, emit_json, errors, progress
from harness.cli.run import exit_code, watcher
from harness.data_files import DataOption, overlays
from harness.errors import UsageError
from harness.files import write_octets
from harness.meter_walk import in_words
from harness.transcript_about import About
from harness.transcript_file import load, pcapng_of, toml_of
from harness.transcript_views import View, view_of
from hil.capture import capture_walk
from hil.capture_subject import CaptureChoices
from hil.captured_runs import capture_run
from hil.captured_test import write_test

CaptureArgument = Annotated[Path, typer.Argument(metavar="NAME", help="The capture.")]


def register(app: typer.Typer) -> None:
    """Add ``capture`` and its commands."""
    nouns = typer.Typer(
        help="Record a conversation with a meter; show and test recordings.",
        invoke_without_command=True,
    )
    nouns.callback()(capture)
    nouns.command("view")(view)
    nouns.command("to-test")(to_test)
    app.add_typer(nouns, name="capture")


def capture(  # noqa: PLR0913, PLR0917 -- one parameter an option
    context: typer.Context,
    bench: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Bench file.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="NAME", help="Name, without ending.")] = None,
    role: Annotated[str, typer.Option(help="Device type whose line is recorded.")] = "ESME",
    scenario: Annotated[
        list[str] | None,
        typer.Option(help="Id or glob of scenarios to run; a read-only walk when left out."),
    ] = None,
    client: Annotated[
        str, typer.Option(help="Who walks: public, reader … as the profile names it.")
    ] = "public",
    seed: Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")] = 1,
    data: DataOption = None,
    with_identifiers: Annotated[
        bool, typer.Option("--with-identifiers", help="Keep a real device's EUI-64 and serial.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Record what is said on a meter's line: a read-only walk, or scenarios."""
    if context.invoked_subcommand is not None:
        return
    if bench is None or out is None:
        raise UsageError(
            "a capture needs a bench and a name",
            where="--bench, --out",
            next_command="smetsbench capture --bench FILE --out NAME",
        )
    choices = CaptureChoices(
        bench, out, _role(role), client, seed, overlays(data), with_identifiers
    )
    if scenario:
        about, record, folder = capture_run(choices, scenario, watcher(quiet=quiet))
        _tell(out, about, f"run {folder.path}: {record.verdict or 'no verdict'}", as_json=as_json)
        raise typer.Exit(exit_code(record))
    _walk(choices, as_json=as_json, quiet=quiet)


def _walk(choices: CaptureChoices, *, as_json: bool, quiet: bool) -> None:
    with _steps(quiet=quiet) as step:
        about, walked = capture_walk(choices, step)
    _tell(choices.out, about, in_words(walked), as_json=as_json)
    raise typer.Exit(1 if walked.ended else 0)


class _Bar:
    """A progress bar whose length is known only after the meter said what it has."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._open: list[object] = []

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_details: object) -> None:
        for one in self._open:
            one.__exit__(None, None, None)  # type: ignore[attr-defined]  # a context manager

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are read."""


def _steps(*, quiet: bool) -> _Bar:
    return _Bar(quiet=quiet)
