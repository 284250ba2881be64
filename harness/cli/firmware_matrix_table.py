"""The firmware matrix on a terminal: one grid for each device and mode, within 100 columns."""

from typing import Final

from rich import box
from rich.markup import escape
from rich.table import Column, Table

from harness.cli.output import console
from harness.report.firmware_matrix_model import Grid, MatrixReport, MatrixRow, grids
from harness.report.firmware_matrix_page import look_of

#: Look -> colour of a word on a terminal.
_COLOURS: Final = {
    "works": "green",
    "hub": "yellow",
    "dcc": "magenta",
    "device": "red",
    "open": "cyan",
}
_WIDEST: Final = 13
#: Six homes side by side, no word broken.
_WIDTH: Final = 100
_NAMES: Final = 13


def print_matrix(report: MatrixReport) -> None:
    """Print the matrix: first how far it can be believed, then the grids, then what differs."""
    screen = console()
    screen.width = max(screen.width, _WIDTH)
    screen.print(f"[bold]{escape(report.headline)}[/bold]")
    for line in (report.layout_note, report.told):
        if line:
            screen.print(line, markup=False)
    for grid in grids(report):
        screen.print()
        screen.print(f"[bold]{escape(grid.target)}[/bold]  {grid.mode.value} mode")
        screen.print(_table(grid))
    for row in report.disagreeing:
        figures = row.figures()
        told = ", ".join(str(figures[key]) for key in ("image", "layout", "cohort", "mode"))
        screen.print(
            f"differs: {told}: implied {figures['implied']}, observed {row.observed}", markup=False
        )


def _table(grid: Grid) -> Table:
    columns = [
        Column(f"{home}\n[dim]{escape(_short(hub))}[/dim]", width=_WIDEST, overflow="fold")
        for home, hub in zip(grid.homes, grid.hubs, strict=True)
    ]
    table = Table(
        Column("", width=_NAMES),
        *columns,
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for line in grid.rows:
        table.add_row(line.label, *(_cell(row) for row in line.cells))
    table.add_section()
    said = (escape(text.replace("S1SR ", "")) for text in grid.clauses)
    table.add_row("[italic]clauses say[/italic]", *(f"[italic]{one}[/italic]" for one in said))
    return table


def _short(hub: str) -> str:
    """Return a hub's name without what all made-up SMETS1 hubs' names begin with."""
    return hub.removeprefix("demo-s1-")


def _cell(row: MatrixRow | None) -> str:
    if row is None:
        return ""
    implied = row.cell.implied
    colour = _COLOURS[look_of(row)]
    seen = "" if row.observed is None else (" ✓" if row.agrees else " ✕")
    word = implied.word.replace(" or ", "/")
    below = "" if implied.outcomes == {"ACTIVATED"} else f"\n[dim]{escape(implied.reason)}[/dim]"
    return f"[{colour}]{word}[/{colour}]{seen}{below}"
