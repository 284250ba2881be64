"""``smetsbench compare``: what two runs have differently, by answers of devices or as a whole."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.output import console, emit_json
from harness.cli.tables import folded
from harness.differences_runs import Comparison, compare_runs
from harness.dust.comparison import RunsCompared, is_dust
from harness.dust.comparison import compare as compare_dust
from harness.files import write_octets
from harness.report.differences_page import headline, render
from harness.run_folder import RunFolder


def register(app: typer.Typer) -> None:
    """Add ``compare``."""
    app.command("compare")(compare)


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A run folder, or a pack of evidence.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for differences.json and differences.html (DUST runs: JSON alone)."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare two finished runs, of scenarios or DUST runs and their packs; 1 when they differ.

    Runs of scenarios: every answer of a device, in order. DUST runs: verdicts, cases, states,
    codes, defects, days and files, and who changed what.
    """
    if is_dust(a) or is_dust(b):
        runs = compare_dust(a, b)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            content = json.dumps(runs.to_json(), indent=2, ensure_ascii=False) + "\n"
            write_octets(out / "differences.json", content.encode())
        show_dust(runs, as_json=as_json)
        raise typer.Exit(0 if runs.same else 1)
    found = compare_runs(RunFolder(a), RunFolder(b))
    if out is not None:
        write_comparison(out, found)
    show(found, as_json=as_json)
    raise typer.Exit(0 if found.same else 1)


def write_comparison(folder: Path, found: Comparison) -> tuple[Path, Path]:
    """Write a comparison as JSON and as a page.

    Raises:
        UsageError: They cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table, page = folder / "differences.json", folder / "differences.html"
    content = json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n"
    write_octets(table, content.encode())
    write_octets(page, render(found).encode())
    return table, page


def show(found: Comparison, *, as_json: bool) -> None:
    """Print a comparison."""
    if as_json:
        emit_json(found.to_json())
        return
    screen = console()
    if found.differences:
        rows = folded("where", "what", "a", "b", keep=1)
        for one in found.differences:
            times = f" ({one.times} times)" if one.times > 1 else ""
            rows.add_row(one.where, one.subject + times, Text(one.a), Text(one.b))
        screen.print(rows)
    for name, first, second in found.verdicts:
        screen.print(Text(f"verdict of {name}: a {first}, b {second}"))
    for line in found.unmatched:
        screen.print(Text(line))
    left_out = f" ({len(found.volatile)} volatile ones left out)" if found.volatile else ""
    screen.print(Text(headline(found) + left_out))


def show_dust(found: RunsCompared, *, as_json: bool) -> None:
    """Print a comparison of DUST runs."""
    if as_json:
        emit_json(found.to_json())
        return
    screen = console()
    for one in found.changes:
        by = f"  (by {one.by})" if one.by else ""
        screen.print(Text(f"{one.part} {one.name}, {one.field}{by}"))
        screen.print(Text(f"  a: {one.a}"))
        screen.print(Text(f"  b: {one.b}"))
    told = f"{len(found.changes)} differences" if found.changes else "no differences"
    screen.print(Text(f"{told} in {found.compared} things"))
