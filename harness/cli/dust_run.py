"""``smetsbench dust run``: a whole run, from the participant's papers to the evidence."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.output import EXIT_CODES, console, emit_json, errors
from harness.cli.progress_lines import styled
from harness.cli.tables import folded
from harness.data_files import DataOption, overlays
from harness.dust import engine, pack
from harness.dust.choices import Choices
from harness.dust.definition_words import MAX_SEED
from harness.dust.record import DustRecord
from harness.dust.run_doors import Opened, Watchers
from harness.live.terminal import Shows, watching
from harness.verdict import Verdict

_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_QUIET = Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")]


def register(dust: typer.Typer) -> None:
    """Add ``dust run``."""
    dust.command("run")(run)


def run(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    file: Annotated[Path, typer.Argument(help="The run definition.")],
    out: Annotated[Path, typer.Option(help="The run folder.")],
    seed: Annotated[
        int | None, typer.Option(min=0, max=MAX_SEED, help="Seed in the definition's stead.")
    ] = None,
    historical: Annotated[
        bool, typer.Option("--historical", help="Allow days outside those of Table 17.6.")
    ] = False,
    data: DataOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a run that is over, with its evidence.")
    ] = False,
    with_identifiers: Annotated[
        bool, typer.Option("--with-identifiers", help="Show identifiers of your data in reports.")
    ] = False,
    as_json: _JSON = False,
    quiet: _QUIET = False,
) -> None:
    """Run a definition: 0 passed, 1 failed or open, 3 broken, 4 interrupted (see resume)."""
    choices = Choices(file, file.parent, overlays(data), seed, historical, with_identifiers)
    with watching(errors(), title=file.stem, quiet=quiet or as_json) as shown:
        record = engine.start(choices, out, _watchers(shown), force=force)
    _end(record, out, as_json=as_json)


def is_dust_run(folder: Path) -> bool:
    """Say whether a folder holds a DUST run."""
    return engine.is_dust_run(folder)


def resume(folder: Path, *, as_json: bool, quiet: bool) -> None:
    """Go on with a DUST run (``smetsbench resume``)."""
    with watching(errors(), title=folder.name, quiet=quiet or as_json) as shown:
        record = engine.resume(folder, _watchers(shown))
    _end(record, folder, as_json=as_json)


def _watchers(shown: Shows | None) -> Watchers:
    return Watchers(shown, _tell_doors, None if shown is None else shown.step)


def _tell_doors(opened: Opened) -> None:
    """Say where the doors are: a participant outside has to know, quiet or not."""
    for name, place in (("door", opened.http), ("drop", opened.drop), ("keys", opened.trust)):
        if place:
            errors().print(f"{name}: {place}", markup=False)


def _end(record: DustRecord, folder: Path, *, as_json: bool) -> None:
    verdict = Verdict.SKIPPED if record.verdict is None else record.verdict
    if as_json:
        emit_json(_document(record, folder, verdict))
    else:
        _show(record, folder, verdict)
    raise typer.Exit(EXIT_CODES[verdict])


def _document(record: DustRecord, folder: Path, verdict: Verdict) -> dict[str, object]:
    states: dict[str, int] = {}
    for one in record.installations:
        states[one.state.value] = states.get(one.state.value, 0) + 1
    return {
        "run": record.header.run_id,
        "as_of": record.header.as_of.isoformat(),
        "as_of_why": record.header.as_of_why,
        "historical": record.header.historical,
        "label": record.header.label,
        "verdict": verdict.name,
        "reason": record.reason,
        "cases": {one.id: one.verdict.name for one in record.cases},
        "waived": {one.id: one.waived_by for one in record.cases if one.waived_by},
        "criteria": {one.id: one.verdict.name for one in record.criteria},
        "defects": [
            {"id": one.id, "severity": one.severity, "text": one.text, "whose": one.attribution}
            for one in record.defects
        ],
        "installations": dict(sorted(states.items())),
        "benches": dict(record.header.benches),
        "folder": str(folder),
        "evidence": str(folder / pack.NAME),
    }


def _show(record: DustRecord, folder: Path, verdict: Verdict) -> None:
    screen, head = console(), record.header
    screen.print(Text(f"{head.run_id}  {head.label}  cohort {head.cohort}  as of {head.as_of}"))
    table = folded("case", "verdict", "what", "why", keep=2)
    for one in record.cases:
        why = f"{one.reason}; waived: {one.waived_by}" if one.waived_by else one.reason
        table.add_row(one.id, styled(one.verdict), one.title, why)
    screen.print(table)
    for criterion in record.criteria:
        line = Text("criterion ")
        line.append_text(styled(criterion.verdict))
        line.append(f"  {criterion.id}: {criterion.reason}")
        screen.print(line)
    for defect in record.defects:
        told = f"defect    {defect.id} severity {defect.severity} {defect.attribution}"
        screen.print(Text(f"{told}: {defect.text}"))
    line = Text("verdict   ")
    line.append_text(styled(verdict))
    line.append(f"  {record.reason}")
    screen.print(line)
    screen.print(Text(f"report    {folder / 'report.html'}"))
    screen.print(Text(f"evidence  {folder / pack.NAME}"))
    screen.print(Text(f"next      smetsbench dust verify {folder / pack.NAME}"))
