"""``smetsbench resume``: goes on with an interrupted run."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import dust_run, migration_run
from harness.cli.run import exit_code, tell, watcher
from harness.resume import resume as resume_run


def register(app: typer.Typer) -> None:
    """Add ``resume``."""
    app.command("resume")(resume)


def resume(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The run folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Go on where a killed or interrupted run stopped; nothing is done to a device twice."""
    if dust_run.is_dust_run(folder):
        dust_run.resume(folder, as_json=as_json, quiet=quiet)
    if migration_run.is_migration_run(folder):
        migration_run.resume(folder, as_json=as_json, quiet=quiet)
    where, record = resume_run(folder, watcher=watcher(quiet=quiet))
    tell(where, record, as_json=as_json)
    raise typer.Exit(exit_code(record))
