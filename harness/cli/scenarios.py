"""``smetsbench scenarios``: the catalogue."""

from typing import Annotated

import typer
from rich.table import Table

from harness.cli.output import console, emit_json
from harness.setting import Setting


def register(app: typer.Typer) -> None:
    """Add ``scenarios``."""
    app.command("scenarios")(scenarios)


def scenarios(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="Ids or globs.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the scenarios there are: devices, world, what is expected and how firmly."""
    setting = Setting()
    found = [setting.scenario(name) for name in setting.choose(ids or ["*"])]
    if as_json:
        emit_json({"scenarios": [scenario.rows() for scenario in found]})
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("id", "title", "devices", "world", "expected", "needs"):
        table.add_column(name, no_wrap=name in {"id", "world"}, overflow="fold")
    for scenario in found:
        words = " or ".join(sorted(scenario.expectation.outcomes))
        table.add_row(
            scenario.id,
            scenario.title,
            " ".join(scenario.devices),
            scenario.world,
            f"{scenario.expectation.kind.value}: {words}" if words else "uncertain",
            " ".join(sorted(scenario.needs)),
        )
    console().print(table)
