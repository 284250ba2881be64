"""``smetsbench dust new``: writes a run definition that runs as it is."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import console
from harness.data_files import DataOption, overlays
from harness.dust.definition_words import Mode
from harness.dust.new_definition import write_new


def register(dust: typer.Typer) -> None:
    """Add ``dust new``."""
    dust.command("new")(new)


def new(
    file: Annotated[Path, typer.Argument(help="The definition to write, ending .toml.")],
    cohort: Annotated[str, typer.Option(help="Cohort key or file.")],
    participant: Annotated[
        Mode, typer.Option(help="simulated plays itself; drop is your own system.")
    ] = Mode.SIMULATED,
    data: DataOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write a run definition that runs as it is: a dozen mixed homes, faults, numbered cases."""
    write_new(file, cohort, participant, force=force, overlays=overlays(data))
    screen = console()
    screen.print(f"wrote {file}", markup=False)
    screen.print(f"next  smetsbench dust plan {file}", markup=False)
    screen.print(f"      smetsbench dust run {file} --out DIR", markup=False)
