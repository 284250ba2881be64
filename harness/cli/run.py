"""``smetsbench run``: scenarios against a bench, into a run folder."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.against import Sides, bench_file, differ
from harness.cli.output import EXIT_CODES, console, emit_json, errors
from harness.cli.progress_lines import ProgressLines, styled
from harness.data_files import DataOption, overlays
from harness.report.json_ import document
from harness.report.model import RunRecord
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.runner import Silent, Watcher, start
from harness.verdict import Verdict

_SCENARIOS = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids or globs: 'FM-0*'.")]
_OUT = Annotated[Path | None, typer.Option(help="Run folder (default runs/<id>).")]
_SEED = Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")]
_FAULT = Annotated[list[str] | None, typer.Option(help="NAME[:key=value,...]@LINK; repeatable.")]
_DEFECT = Annotated[list[str] | None, typer.Option(help="Build a named defect in; repeatable.")]
_ACCEPT = Annotated[
    list[str] | None,
    typer.Option(help="Scenario or clause id whose rule may carry a FAIL; repeatable."),
]
_BENCH = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Bench file; with --against also emulated:PROFILE."),
]
_AGAINST = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Second bench: run on both, list what differs."),
]
_INSTALLATION = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Your installation file.")
]
_REQUEST = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Your DUIS request.")
]
_IMAGE = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Your firmware image.")
]
_KEYSTORE = Annotated[
    Path | None,
    typer.Option(exists=True, help="Keys of your parties: JSON, or a folder of PEM or DER."),
]
_WITH_IDENTIFIERS = Annotated[
    bool, typer.Option("--with-identifiers", help="Show EUI-64s and MPxNs of your data.")
]
_AS_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_QUIET = Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")]
_JOBS = Annotated[
    int, typer.Option(min=1, help="Processes; more than one on the emulated bench alone.")
]


def exit_code(run: RunRecord) -> int:
    """Return the exit code a run's verdict asks for."""
    return 0 if run.verdict is None else EXIT_CODES[run.verdict]


def watcher(*, quiet: bool) -> Watcher:
    """Return who prints the progress: on standard error, so that results stay alone on stdout."""
    return Silent() if quiet else ProgressLines(errors())


def tell(folder: RunFolder, run: RunRecord, *, as_json: bool) -> None:
    """Print what a run came to, and where its reports are."""
    if as_json:
        files = {name: str(folder.file(name)) for name in run.files}
        emit_json({**document(run), "files": files})
        return
    screen = console()
    line = Text("verdict ")
    line.append_text(Text("none") if run.verdict is None else styled(run.verdict))
    state = "" if run.state == "done" else f"  ({run.state})"
    line.append(f"  {run.id}  seed {run.options.seed}{state}")
    screen.print(line)
    screen.print(Text(f"report  {folder.file('report')}"))
    for note in (*run.notes, *run.remarks):
        errors().print(Text(f"note: {note}"))
    if run.options.bench is not None and run.verdict is Verdict.ERROR:
        errors().print(Text(f"note: mend the bench, then: smetsbench resume {folder.path}"))


def register(app: typer.Typer) -> None:
    """Add ``run``."""
    app.command("run")(run)


def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    scenarios: _SCENARIOS,
    out: _OUT = None,
    seed: _SEED = 1,
    fault: _FAULT = None,
    defect: _DEFECT = None,
    accept: _ACCEPT = None,
    bench: _BENCH = None,
    against: _AGAINST = None,
    installation: _INSTALLATION = None,
    request: _REQUEST = None,
    image: _IMAGE = None,
    data: DataOption = None,
    keystore: _KEYSTORE = None,
    with_identifiers: _WITH_IDENTIFIERS = False,
    as_json: _AS_JSON = False,
    quiet: _QUIET = False,
    jobs: _JOBS = 1,
) -> None:
    """Run scenarios, each on a fresh bench; what comes of them does not depend on --jobs."""
    options = RunOptions(
        seed=seed,
        faults=tuple(fault or ()),
        defects=tuple(defect or ()),
        accepted=frozenset(accept or ()),
        bench=None if against is not None else bench_file(bench),
        installation=installation,
        request=request,
        image=image,
        data=overlays(data),
        keystore=keystore,
        with_identifiers=with_identifiers,
    )
    if against is not None:
        sides = Sides(bench or "", against)
        raise typer.Exit(
            differ(scenarios, options, sides, out, watcher(quiet=quiet), as_json=as_json)
        )
    folder, record = start(scenarios, options, out=out, watcher=watcher(quiet=quiet), jobs=jobs)
    tell(folder, record, as_json=as_json)
    raise typer.Exit(exit_code(record))
