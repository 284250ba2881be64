"""``smetsbench report``: renders a run's reports again."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import migration_run
from harness.cli.run import tell
from harness.report.files import write_reports
from harness.run_folder import RunFolder


def register(app: typer.Typer) -> None:
    """Add ``report``."""
    app.command("report")(report)


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The run folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Render all reports of a run from its journal and capture."""
    if migration_run.is_migration_run(folder):
        migration_run.report(folder, as_json=as_json)
        return
    where = RunFolder(folder)
    with where.lock():
        record = write_reports(where)
    tell(where, record, as_json=as_json)
