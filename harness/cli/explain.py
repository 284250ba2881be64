"""``smetsbench explain``: what a code, clause, word, scenario or defect means."""

from typing import Annotated

import typer

from harness.cli.output import console, emit_json
from harness.data_files import DataOption, overlays, reading_data
from harness.explain import Explanation, explain


def register(app: typer.Typer) -> None:
    """Add ``explain``."""
    app.command("explain")(explain_term)


def explain_term(
    term: Annotated[
        str,
        typer.Argument(
            help="DUIS code, clause, use case, message or alert code, outcome word, scenario, "
            "defect or profile."
        ),
    ],
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what X means, and where that is known from."""
    with reading_data():
        found = explain(term, overlays(data))
    if as_json:
        emit_json({"term": term, "meanings": [entry.figures() for entry in found]})
        return
    for entry in found:
        _print(entry)


def _print(entry: Explanation) -> None:
    screen = console()
    screen.print(f"{entry.id}  ({entry.kind})", style="bold", markup=False)
    screen.print(f"  {entry.says}", markup=False)
    for name, value in entry.details.items():
        if name != "also":
            screen.print(f"  {name.replace('_', ' ')}: {value}", markup=False)
    screen.print(f"  evidence: {entry.evidence or 'defined by smetsbench'}", markup=False)
