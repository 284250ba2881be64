"""``smetsbench ma``: check a Migration Authorisation before it is handed in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from device_profiles.cohort import Cohort, cohort_names, load_cohort
from device_profiles.cpl import load_cpl
from device_profiles.dmc import load_dmcs
from device_profiles.epcl import load_epcl
from device_profiles.files import Folders
from device_profiles.installation import load_many
from emulator.core.ids import Eui64
from harness.cli.output import console, emit_json
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError
from harness.files import refuse_same, write_octets
from harness.formats.authorisation.columns import Layout, load_column_map, load_layout
from harness.formats.authorisation.faults import AuthorisationFileError
from harness.formats.authorisation.file_name import REPAIRED, AuthorisationName
from harness.formats.authorisation.reading import Authorisation, Severity, read
from harness.formats.authorisation.writing import ENDINGS, original, render_lines, write
from harness.rules.eligibility import Lists
from harness.rules.migration_authorisation import InstalledDevices
from harness.rules.migration_authorisation_check import check as judge
from harness.rules.migration_authorisation_check import refused_file
from harness.rules.migration_certificates import CertificateRegister
from harness.rules.migration_findings import Finding, Question, Report, RowResult
from harness.rules.migration_rulebook import Switches, load_rule_book

#: Findings printed; all of them are written to the file of findings.
MAX_PRINTED: Final = 200
#: Findings in JSON; what is left out is counted.
MAX_JSON: Final = 200_000
_LOG_COLUMNS: Final = (
    "severity",
    "cell",
    "cells",
    "ref",
    "column",
    "rule",
    "step",
    "code",
    "sub_code",
    "clause",
    "evidence",
    "text",
    "original",
    "result",
    "suggestion",
)
_STAND_IN: Final = "the columns are a stand-in: the real columns of authorisations are not public"


def register(app: typer.Typer) -> None:
    """Add ``ma`` and its commands."""
    ma = typer.Typer(help="Migration Authorisations.", no_args_is_help=True)

    @ma.callback()
    def root() -> None:
        """Migration Authorisations."""

    ma.command("check")(check)
    app.add_typer(ma, name="ma")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line asks for, read."""

    layout: Layout
    question: Question


def check(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    file: Annotated[Path, typer.Argument(help="The authorisation: .xlsx, .xlsm, .csv or .xml.")],
    column_map: Annotated[
        Path | None, typer.Option("--map", help="TOML map of other headings, sheets and words.")
    ] = None,
    cohort: Annotated[
        str | None,
        typer.Option(help="Cohort key or file; left out: by the SMSO's tag in the file's name."),
    ] = None,
    supplier: Annotated[
        str, typer.Option(help="User ID (EUI-64) of the supplier; left out: of the file's name.")
    ] = "",
    on: Annotated[
        str, typer.Option("--on", help="Day of the check, YYYY-MM-DD; left out: of the file.")
    ] = "",
    inventory: Annotated[
        Path | None, typer.Option(help="Installation file: what the SMSO has installed.")
    ] = None,
    certificates: Annotated[
        Path | None, typer.Option(help="CSV of known certificates: serial,issuer,role,party.")
    ] = None,
    disable: Annotated[
        list[str] | None, typer.Option("--disable", help="Rule that is not asked; repeatable.")
    ] = None,
    force: Annotated[
        list[str] | None,
        typer.Option("--force-rule", help="Rule asked on days on which it does not hold."),
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option("--override", help="Rule whose rejection is told, and stops nothing."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what is written; left out: beside the file.")
    ] = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check and repair an authorisation: 0 clean, 1 something repaired or refused.

    Macros are never run. Writes the repaired file, the installations an MCF would be made from,
    every finding with its cell, and the refused lines as they stood.
    """
    folders = overlays(data)
    with reading_data():
        switches = Switches(
            frozenset(disable or ()), frozenset(force or ()), frozenset(override or ())
        )
        asked = _asked(file, column_map, cohort, supplier, folders)
        question = _with_files(asked.question, _day(on), inventory, certificates, switches)
    report, authorisation = _judged(file, _Asked(asked.layout, question))
    written: dict[str, str] = {}
    if authorisation is not None:
        folder = _folder(out, file)
        written = _written(authorisation, report, _Asked(asked.layout, question), folder)
    if as_json:
        emit_json(_as_json(file, report, authorisation, question, written))
    else:
        _print(file, report, question, written)
    raise typer.Exit(0 if report.clean else 1)


def _asked(
    file: Path, column_map: Path | None, cohort: str | None, supplier: str, folders: Folders
) -> _Asked:
    """Read the tables, the user's map, and the cohort."""
    plain = load_layout(folders)
    layout = plain
    if column_map is not None:
        layout = load_layout(folders, load_column_map(column_map, plain.columns))
    cpl = load_cpl(folders)
    dmcs = load_dmcs(cpl, folders)
    lists = Lists(cpl, load_epcl(cpl, dmcs, folders), dmcs)
    question = Question(
        load_rule_book(folders),
        lists,
        cohort=_cohort(file, cohort, folders),
        authoriser=_user_id(supplier),
    )
    return _Asked(layout, question)


def _with_files(
    question: Question,
    day: date | None,
    inventory: Path | None,
    certificates: Path | None,
    switches: Switches,
) -> Question:
    """Add what the optional files tell."""
    switches.refuse_unknown(question.book)
    installed = None if inventory is None else InstalledDevices(load_many(inventory))
    register_ = None if certificates is None else CertificateRegister.load(certificates)
    return Question(
        question.book,
        question.lists,
        question.cohort,
        day,
        question.authoriser,
        installed,
        register_,
        switches,
    )


def _cohort(file: Path, asked: str | None, folders: Folders) -> Cohort | None:
    if asked is not None:
        return load_cohort(asked, folders)
    name = AuthorisationName.of_file(file)
    if name is None:
        return None
    known = [load_cohort(key, folders) for key in cohort_names(folders)]
    return next((one for one in known if name.has_tag(one.cohort.smso_tag)), None)


def _user_id(text: str) -> str:
    if not text:
        return ""
    try:
        return str(Eui64.parse(text))
    except ValueError as error:
        raise UsageError(str(error), where="--supplier", cause="a mistyped User ID") from error


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        # A calendar day has no zone.
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - see above
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no day", where="--on", cause="write it like 2021-03-31"
        ) from error


def _judged(file: Path, asked: _Asked) -> tuple[Report, Authorisation | None]:
    if not file.is_file():
        raise UsageError(
            "there is no such file",
            where=str(file),
            cause="a mistyped name",
            next_command="smetsbench ma check --help",
        )
    repairs = "7.3.2" not in asked.question.switches.disabled
    try:
        authorisation = read(file, asked.layout, repairs=repairs)
    except AuthorisationFileError as error:
        return refused_file(asked.question.book, error), None
    return judge(authorisation, asked.question), authorisation


def _folder(out: Path | None, file: Path) -> Path:
    folder = file.parent if out is None else out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder cannot be made: {error.strerror}", where=str(folder)
        ) from error
    return folder


def _written(
    authorisation: Authorisation, report: Report, asked: _Asked, folder: Path
) -> dict[str, str]:
    """Write what the check leaves behind; returns what is where."""
    stem = authorisation.path.stem
    paths = {
        "repaired": folder / f"{stem}{REPAIRED}{ENDINGS[authorisation.grid.kind]}",
        "installations": folder / f"{stem}.installations.json",
        "findings": folder / f"{stem}.findings.csv",
        "refused": folder / f"{stem}.refused.csv",
    }
    for path in paths.values():
        refuse_same(path, authorisation.path)
    kept = [row.row for row in report.rows if row.result is not RowResult.REFUSED]
    try:
        write(authorisation, kept, asked.layout, paths["repaired"])
    except OSError as error:
        raise UsageError(
            f"the file cannot be written: {error.strerror}", where=str(paths["repaired"])
        ) from error
    write_octets(paths["installations"], _installations(report, asked.question).encode())
    log = [[_log_cell(one.as_json()[name]) for name in _LOG_COLUMNS] for one in report.findings()]
    write_octets(paths["findings"], render_lines(_LOG_COLUMNS, log).encode())
    refused = [
        [str(row.row.line), row.refusal.text if row.refusal else "", *original(row.row)]
        for row in report.rows
        if row.result is RowResult.REFUSED
    ]
    write_octets(paths["refused"], render_lines(_refused_headings(authorisation), refused).encode())
    return {name: str(path) for name, path in paths.items()}


def _refused_headings(authorisation: Authorisation) -> list[str]:
    columns = authorisation.headings.columns
    titles = [""] * (max((one.index for one in columns), default=-1) + 1)
    for one in columns:
        titles[one.index] = one.text
    return ["line", "reason", *titles]


def _log_cell(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def _installations(report: Report, question: Question) -> str:
    """Return the accepted installations as JSON, one on a line."""
    cohort = json.dumps(None if question.cohort is None else question.cohort.key)
    lines = ",\n".join(json.dumps(one.as_json()) for one in report.accepted())
    head = f'{{"stand_in": {json.dumps(_STAND_IN)},\n"cohort": {cohort},\n"installations": ['
    return f"{head}\n{lines}\n]}}\n"


def _as_json(
    file: Path,
    report: Report,
    authorisation: Authorisation | None,
    question: Question,
    written: Mapping[str, str],
) -> dict[str, Any]:
    findings = [one.as_json() for one in report.findings()]
    cohort = question.cohort
    whole = [_brief(one) for one in report.files if one.severity is Severity.REFUSED]
    passed = {"result": "passed", "step": "P5", "code": "", "sub_code": "", "text": ""}
    named = {"name": file.name, "type": "MA"}
    return {
        "file": str(file),
        "kind": None if authorisation is None else str(authorisation.grid.kind),
        "sheet": None if authorisation is None else authorisation.grid.sheet,
        "cohort": None if cohort is None else cohort.key,
        "group_id": None if cohort is None else cohort.cohort.group_id,
        "on": None if report.day is None else report.day.isoformat(),
        "on_from": report.day_from,
        "supplier": report.authoriser or None,
        "stand_in": _STAND_IN,
        "clean": report.clean,
        "totals": report.totals,
        "files": [{**named, **one} for one in whole or [passed]],
        "installations": [
            {
                "ref": row.row.ref,
                "line": row.row.line,
                **(_brief(row.refusal) if row.refusal else {**passed, "result": str(row.result)}),
            }
            for row in report.rows
        ],
        "findings": findings[:MAX_JSON],
        "findings_left_out": max(0, len(findings) - MAX_JSON),
        "not_checked": [{"rule": rule, "why": why} for rule, why in report.not_checked.items()],
        "written": dict(written),
    }


def _brief(finding: Finding) -> dict[str, str]:
    return {
        "result": str(finding.severity),
        "step": finding.step,
        "code": finding.code,
        "sub_code": finding.sub_code,
        "text": finding.text,
    }


def _print(file: Path, report: Report, question: Question, written: Mapping[str, str]) -> None:
    screen = console()
    cohort = "no cohort" if question.cohort is None else f"cohort {question.cohort.key}"
    day = f"judged on {report.day} ({report.day_from})" if report.day else "no day"
    screen.print(f"{file}: {cohort}, {day}", markup=False)
    findings = list(report.findings())
    for finding in findings[:MAX_PRINTED]:
        screen.print(_line(finding), markup=False)
    if len(findings) > MAX_PRINTED:
        where = written.get("findings", "the JSON")
        screen.print(f"… {len(findings) - MAX_PRINTED} more findings: {where}", markup=False)
    counted = ", ".join(f"{count} {name}" for name, count in report.totals.items())
    verdict = "clean" if report.clean else "not clean"
    screen.print(f"{verdict}: {counted}", markup=False)
    for rule, why in report.not_checked.items():
        screen.print(f"not checked: {rule}: {why}", markup=False)
    for name, path in written.items():
        screen.print(f"wrote {name}: {path}", markup=False)
    screen.print(f"note: {_STAND_IN}", markup=False)


def _line(finding: Finding) -> str:
    place = finding.cell or "file"
    code = f"{finding.code} {finding.sub_code}".strip()
    changed = f" [{finding.original} -> {finding.result}]" if finding.result else ""
    advice = f"; {finding.suggestion}" if finding.suggestion else ""
    return f"{finding.severity:<8}  {place:<6} {code}: {finding.text}{changed}{advice}"
