"""``smetsbench migration run|resubmit``: whole migrations of many installations."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from harness.cli.output import EXIT_CODES, console, emit_json, errors, stages
from harness.cli.progress_lines import styled
from harness.cli.tables import folded
from harness.data_files import DataOption, overlays
from harness.journal import Journal
from harness.migration import volume
from harness.migration.totals import resting_entry
from harness.migration.volume import Progress
from harness.migration.volume_faults import SPOILS
from harness.migration.volume_journal import is_migration
from harness.migration.volume_options import CAPTURED, VolumeOptions
from harness.report.migration_files import write_migration
from harness.report.migration_grid import grid
from harness.report.migration_model import MigrationRecord
from harness.report.migration_texts import document
from harness.run_folder import RunFolder

TIMES: Final = "\N{MULTIPLICATION SIGN}"
#: Rows of the table for people; run.json and the report have all.
_ROWS: Final = 40
_FAULT_HELP: Final = (
    "NAME[:key=value,...]@LINK; behind before:STEP[:DEVICE]/ or after:STEP[:DEVICE]/ at a step"
    " (of the first attempt; before.2: of the second); file:TYPE/WORD in a migration file"
    f" ({', '.join(SPOILS)}); repeatable."
)
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_QUIET = Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")]
_JOBS = Annotated[
    int | None, typer.Option(min=1, max=256, help="Processes; as many as there are processors.")
]


_COHORT = Annotated[str, typer.Option(help="Cohort key or file.")]
_INSTALLATIONS = Annotated[str, typer.Option(help="Installation file.")]
_OUT = Annotated[Path | None, typer.Option(help="Run folder (default runs/<id>).")]
_SEED = Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")]
_FAULT = Annotated[list[str] | None, typer.Option(help=_FAULT_HELP)]
_DEFECT = Annotated[
    list[str] | None, typer.Option(help="Build a named condition into devices; repeatable.")
]
_ORDER = Annotated[
    str, typer.Option(help="A: hand-over before the files are read; B: after the MCF's checks.")
]
_CAPTURE = Annotated[
    int, typer.Option(min=0, help="Of how many installations frames are captured.")
]
_WATCH = Annotated[
    bool,
    typer.Option("--watch", help="Try both parties' keys on devices after every step; slow."),
]
_WITH_IDENTIFIERS = Annotated[
    bool, typer.Option("--with-identifiers", help="Show EUI-64s of your data in reports.")
]


def register(nouns: typer.Typer) -> None:
    """Add ``migration run`` and ``migration resubmit``."""
    nouns.command("run")(run)
    nouns.command("resubmit")(resubmit)


def exit_code(run: MigrationRecord) -> int:
    """Return the exit code a migration run asks for."""
    return 0 if run.verdict is None else EXIT_CODES[run.verdict]


def is_migration_run(folder: Path) -> bool:
    """Say whether a folder holds a migration run; one that holds no run does not.

    Raises:
        UsageError: It holds a run that cannot be read.
    """
    path = RunFolder(folder).file("journal")
    if not path.is_file():
        return False
    journal = Journal.open(path)
    try:
        return is_migration(journal)
    finally:
        journal.close()


def jobs_of(asked: int | None) -> int:
    """Return how many processes play."""
    return asked if asked is not None else len(os.sched_getaffinity(0))


@contextmanager
def shown(title: str, *, quiet: bool) -> Iterator[Progress | None]:
    """Show a bar on a terminal; yields what a run tells its progress to."""
    if quiet:
        yield None
        return
    with stages() as tell_stage:
        yield lambda done, total: tell_stage(title, done, total)


def tell(folder: RunFolder, run: MigrationRecord, *, as_json: bool) -> None:
    """Print what a migration run came to, and where its reports are."""
    if as_json:
        files = {name: str(folder.path / file) for name, file in run.files.items()}
        emit_json({**document(run), "files": files})
        return
    screen = console()
    screen.print(_table(run))
    line = Text("verdict ")
    line.append_text(Text("none") if run.verdict is None else styled(run.verdict))
    totals = run.totals()
    states = ", ".join(f"{count} {state}" for state, count in totals["by_state"].items())
    line.append(f"  {states}  seed {run.options.seed}")
    screen.print(line)
    screen.print(Text(f"report  {folder.file('report')}"))
    if totals["by_state"].get("Stranded"):
        told = f"next    smetsbench migration resubmit {folder.path} --judgement TEXT"
        screen.print(Text(told))
    for remark in run.remarks:
        errors().print(Text(f"note: {remark}"))


def _table(run: MigrationRecord) -> Table:
    table = folded("installations", "end", "why", keep=0)
    rows = grid(run.installations).rows
    for row in rows[:_ROWS]:
        record, first = row.first.record, row.first
        end = Text("none") if first.verdict is None else styled(first.verdict)
        end.append(f"\n{row.state}" + (f" ({row.cause})" if row.cause else ""))
        count = f"{len(row.members)} {TIMES} " if len(row.members) > 1 else ""
        entry = None if record is None else resting_entry(record)
        why = (
            first.reason if entry is None else f"{f'{entry.step} {row.code}'.strip()}: {entry.text}"
        )
        table.add_row(f"{count}{row.named}", end, why)
    if len(rows) > _ROWS:
        table.add_row(f"… {len(rows) - _ROWS} more kinds of course in the report")
    return table


def run(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    cohort: _COHORT,
    installations: _INSTALLATIONS,
    out: _OUT = None,
    seed: _SEED = 1,
    fault: _FAULT = None,
    defect: _DEFECT = None,
    order: _ORDER = "",
    jobs: _JOBS = None,
    capture: _CAPTURE = CAPTURED,
    watch: _WATCH = False,
    data: DataOption = None,
    with_identifiers: _WITH_IDENTIFIERS = False,
    as_json: _JSON = False,
    quiet: _QUIET = False,
) -> None:
    """Migrate installations: every party, file, check and key change, on real octets."""
    options = VolumeOptions(
        cohort,
        installations,
        seed=seed,
        faults=tuple(fault or ()),
        defects=tuple(defect or ()),
        order=order.upper(),
        data=overlays(data),
        captured=capture,
        with_identifiers=with_identifiers,
        watched=watch,
    )
    with shown("installations", quiet=quiet or as_json) as told:
        folder = volume.start(options, out=out, jobs=jobs_of(jobs), progress=told)
    _end(folder, as_json=as_json)


def resubmit(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    folder: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder of a migration run.")],
    judgement: Annotated[str, typer.Option(help="Why the MCC expects success now; it is kept.")],
    ref: Annotated[
        list[str] | None, typer.Option(help="An installation; all that are stranded when left out.")
    ] = None,
    roll_forward: Annotated[
        bool,
        typer.Option("--roll-forward", help="First take over again what a rollback gave back."),
    ] = False,
    jobs: _JOBS = None,
    as_json: _JSON = False,
    quiet: _QUIET = False,
) -> None:
    """Complete stranded migrations by clause 5.8A, with a new MCF; both attempts are kept."""
    with shown("installations", quiet=quiet or as_json) as told:
        listing = volume.Listing(tuple(ref or ()), judgement, roll_forward=roll_forward)
        where = volume.resubmit(folder, listing, jobs=jobs_of(jobs), progress=told)
    _end(where, as_json=as_json)


def _end(folder: RunFolder, *, as_json: bool) -> None:
    with folder.lock():
        record = write_migration(folder)
    tell(folder, record, as_json=as_json)
    raise typer.Exit(exit_code(record))


def resume(folder: Path, *, as_json: bool, quiet: bool) -> None:
    """Go on with a migration run (``smetsbench resume``)."""
    with shown("installations", quiet=quiet or as_json) as told:
        where = volume.resume(folder, jobs=jobs_of(None), progress=told)
    _end(where, as_json=as_json)


def report(folder: Path, *, as_json: bool) -> None:
    """Write the reports of a migration run again (``smetsbench report``)."""
    where = RunFolder(folder)
    with where.lock():
        record = write_migration(where)
    tell(where, record, as_json=as_json)
