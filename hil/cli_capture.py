"""``smetsbench capture``: records a conversation with a meter; views and tests of recordings."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from device_profiles.words import DeviceType
from harness.cli.output import console, emit_json, errors
from harness.cli.run import exit_code, watcher
from harness.data_files import DataOption, overlays
from harness.errors import UsageError
from harness.files import write_octets
from harness.meter_walk import in_words
from harness.transcript_about import About
from harness.transcript_file import load, pcapng_of, toml_of
from harness.transcript_views import View, view_of
from hil.capture import Step, capture_walk
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
    bench: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Bench file.")
    ] = None,
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
        bench, out, role_of(role), client, seed, overlays(data), with_identifiers
    )
    if scenario:
        about, record, folder = capture_run(choices, scenario, watcher(quiet=quiet))
        verdict = "no verdict" if record.verdict is None else record.verdict.name
        _tell(out, about, f"run {folder.path}: {verdict}", as_json=as_json)
        raise typer.Exit(exit_code(record))
    _walk(choices, as_json=as_json, quiet=quiet)


def _walk(choices: CaptureChoices, *, as_json: bool, quiet: bool) -> None:
    with _bar(quiet=quiet) as step:
        about, walked = capture_walk(choices, step)
    _tell(choices.out, about, in_words(walked), as_json=as_json)
    raise typer.Exit(1 if walked.ended else 0)


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Step]:
    """Show a bar on a terminal, whose length is known once the meter said what it has."""
    screen = errors()
    if quiet or not screen.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (
        TextColumn("reading"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _tell(name: Path, about: About, came: str, *, as_json: bool) -> None:
    files = {"octets": str(pcapng_of(name)), "about": str(toml_of(name))}
    if as_json:
        emit_json({**about.model_dump(mode="json"), "files": files, "came_to": came})
        return
    screen = console()
    screen.print(Text(came))
    screen.print(Text(f"capture {files['octets']}"))
    screen.print(Text(f"about   {files['about']}  (hash {about.short_hash})"))
    for one in about.masked:
        errors().print(Text(f"note: {one.what} of client {one.client} masked, {one.times} times"))
    if about.protection_broken:
        errors().print(
            Text(
                "note: the identifiers that were replaced stand under protection too: a client"
                " with keys will refuse the replay; --with-identifiers keeps them"
            )
        )


def role_of(text: str) -> DeviceType:
    """Return the device type of that name.

    Raises:
        UsageError: There is none.
    """
    if text.upper() in DeviceType.__members__:
        return DeviceType[text.upper()]
    raise UsageError(
        f"there is no device type {text!r}",
        where="--role",
        cause=f"one of {', '.join(DeviceType.__members__)}",
        next_command="smetsbench bench check FILE",
    )


def view(
    name: CaptureArgument,
    out: Annotated[Path, typer.Option(help="The pcapng file to write.")],
    form: Annotated[View, typer.Option("--as", help="What Wireshark is to see.")] = View.RTAC,
) -> None:
    """Write a view of a capture that stock Wireshark shows decoded."""
    content = view_of(load(name), form)
    write_octets(out, content, made_from=[pcapng_of(name), toml_of(name)])
    console().print(Text(f"view {out}"))


def to_test(
    name: CaptureArgument,
    out: Annotated[
        Path | None, typer.Option(help="The test file (default test_NAME.py beside it).")
    ] = None,
) -> None:
    """Write a pytest case that replays a capture: as device, and as client."""
    console().print(Text(f"test {write_test(name, out)}"))
