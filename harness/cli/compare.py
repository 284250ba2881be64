"""``smetsbench compare``: what two runs have differently, by answers of devices or as a whole."""

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from harness.cli.comparison_shown import show, write_comparison
from harness.cli.output import console, emit_json
from harness.differences_runs import compare_runs
from harness.dust.comparison import compare as compare_dust
from harness.dust.comparison import is_dust
from harness.files import make_folder, write_octets
from harness.journal import Journal
from harness.migration.comparison import RunsCompared
from harness.migration.volume_journal import is_migration
from harness.report.migration_comparison import compare as compare_migrations
from harness.run_folder import RunFolder
from harness.words import counted


def register(app: typer.Typer) -> None:
    """Add ``compare``."""
    app.command("compare")(compare)


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A run folder, or a pack of evidence.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for differences.json and differences.html (the latter for scenarios)."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare two finished runs, of scenarios or DUST runs and their packs; 1 when they differ.

    Runs of scenarios: every answer of a device, in order. DUST runs: verdicts, cases, states,
    codes, defects, days and files, and who changed what. Migration runs: choices, states, codes
    and histories of homes.
    """
    if is_dust(a) or is_dust(b):
        _end(compare_dust(a, b), out, as_json=as_json)
    if _is_migration(RunFolder(a)) or _is_migration(RunFolder(b)):
        _end(compare_migrations(RunFolder(a), RunFolder(b)), out, as_json=as_json)
    found = compare_runs(RunFolder(a), RunFolder(b))
    if out is not None:
        write_comparison(out, found)
    show(found, as_json=as_json)
    raise typer.Exit(0 if found.same else 1)


def _is_migration(run: RunFolder) -> bool:
    if not run.file("journal").is_file():
        return False  # no run at all: told by the comparison
    journal = Journal.open(run.file("journal"))
    try:
        return is_migration(journal)
    finally:
        journal.close()


def _end(found: RunsCompared, out: Path | None, *, as_json: bool) -> NoReturn:
    """Write and print a comparison of runs of homes, and end with its code."""
    if out is not None:
        content = json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n"
        write_octets(make_folder(out) / "differences.json", content.encode())
    show_changes(found, as_json=as_json)
    raise typer.Exit(0 if found.same else 1)


def show_changes(found: RunsCompared, *, as_json: bool) -> None:
    """Print a comparison of runs of homes."""
    if as_json:
        emit_json(found.to_json())
        return
    screen = console()
    for one in found.changes:
        by = f"  (by {one.by})" if one.by else ""
        screen.print(Text(f"{one.part} {one.name}, {one.field}{by}"))
        screen.print(Text(f"  a: {one.a}"))
        screen.print(Text(f"  b: {one.b}"))
    told = counted(len(found.changes), "difference") if found.changes else "no differences"
    screen.print(Text(f"{told} in {found.compared} things"))
