"""``smetsbench dust plan``: what a run will do on which day, as table, JSON and picture."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from harness.cli.installations import write_file
from harness.cli.output import console, emit_json
from harness.cli.tables import folded
from harness.data_files import DataOption, overlays, reading_data
from harness.dust.bench_homes import look_at
from harness.dust.closing import run_days
from harness.dust.definition import load_definition
from harness.dust.definition_homes import homes, stock_of
from harness.dust.definition_words import MAX_SEED
from harness.dust.plan import Plan
from harness.dust.plan import plan as planned
from harness.dust.plan_picture import draw
from harness.files import write_octets

#: Homes named in the table; the JSON has all.
_NAMED: Final = 24


def register(dust: typer.Typer) -> None:
    """Add ``dust plan``."""
    dust.command("plan")(plan)


def plan(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    file: Annotated[Path, typer.Argument(help="The run definition.")],
    picture: Annotated[
        Path | None, typer.Option(help="SVG file to draw the plan to; offline, readable in grey.")
    ] = None,
    installations: Annotated[
        Path | None,
        typer.Option(help="File to write the homes to (.toml or .csv), for: smetsbench ma write."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=MAX_SEED, help="Seed in the definition's stead.")
    ] = None,
    data: DataOption = None,
    historical: Annotated[
        bool, typer.Option("--historical", help="Allow days outside those of Table 17.6.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what happens on which day: 0 planned, 1 where homes have no day."""
    definition = load_definition(file, overlays(data))
    if seed is not None:
        definition = definition.with_seed(seed)
    with reading_data():
        days = run_days(definition, historical=historical, stock=stock_of(definition))
        all_homes = homes(definition)
        there = look_at(definition, all_homes)
        found = planned(definition, there.playable(all_homes), days, there.remarks())
    if picture is not None:
        write_octets(picture, draw(found).encode(), made_from=[file])
    if installations is not None:
        write_file(installations, all_homes, made_from=[file])
    if as_json:
        more = {"kind": definition.kind, "definition": definition.sha256}
        emit_json({**found.dump(), **more, "benches": there.told()})
    else:
        _show(found, definition.kind)
        for title, path in (("picture", picture), ("homes", installations)):
            if path is not None:
                console().print(Text(f"{title:<8}  {path}"))
    raise typer.Exit(1 if found.unplanned else 0)


def _show(found: Plan, kind: str) -> None:
    screen = console()
    screen.print(Text(f"{found.run}  {kind}  cohort {found.cohort}  {found.header}"))
    table = folded("day", "week", "who: allocated of demand", "starts")
    for one in found.days:
        shares = "\n".join(f"{s.who}: {s.allocated} of {s.demand}" for s in one.shares)
        more = len(one.starts) - _NAMED
        names = ", ".join(one.starts[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        waits = f"\n{one.under_way} of earlier days may be under way" if one.under_way else ""
        table.add_row(str(one.day), one.week, Text(shares), Text((names or "none") + waits))
    screen.print(table)
    told = f"{found.per_day} a day, flat allocation {found.dmin}, rest by {found.remainder}"
    screen.print(Text(f"capacity  {told}"))
    for home in found.homes:
        if home.changes_to:
            screen.print(Text(f"changes   {home.ref} to {home.changes_to} before commissioning"))
    for remark in found.remarks:
        screen.print(Text(f"note      {remark}"))
