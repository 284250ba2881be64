"""What ``ma check`` leaves behind: the repaired file, the MCF it would become, and its findings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.cli.ma_report import STAND_IN
from harness.errors import UsageError
from harness.files import refuse_same, write_octets
from harness.formats.authorisation.columns import Layout
from harness.formats.authorisation.common_file import Draft, Drafting, moment_of
from harness.formats.authorisation.file_name import REPAIRED, AuthorisationName
from harness.formats.authorisation.grid import Watch, unwatched
from harness.formats.authorisation.read_rows import Authorisation
from harness.formats.authorisation.writing import ENDINGS, original, render_lines, write
from harness.formats.migration_files.schema import MigrationSchema
from harness.rules.migration_findings import Question, Report, RowResult

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
_DRAFT: Final = "unsigned: the Requesting Party gives its counter and signs"
_NO_DRAFT: Final = Draft(None, 0, (), 0)


@dataclass(frozen=True, slots=True)
class Checked:
    """An authorisation and what a check found in it.

    Attributes:
        authorisation: The file as it was read.
        report: What was found.
        question: What was asked.
        layout: Columns, words and the user's map.
    """

    authorisation: Authorisation
    report: Report
    question: Question
    layout: Layout


def leave_behind(
    checked: Checked, schema: MigrationSchema, folder: Path, watch: Watch = unwatched
) -> dict[str, Any]:
    """Write everything; returns what is where, and what the MCF lacks.

    Raises:
        UsageError: A file cannot be written, or would replace the authorisation itself.
    """
    authorisation, report = checked.authorisation, checked.report
    stem = authorisation.path.stem
    paths = {
        "repaired": folder / f"{stem}{REPAIRED}{ENDINGS[authorisation.grid.kind]}",
        "mcf": folder / f"{stem}.mcf.xml",
        "installations": folder / f"{stem}.installations.json",
        "findings": folder / f"{stem}.findings.csv",
        "refused": folder / f"{stem}.refused.csv",
    }
    for path in paths.values():
        refuse_same(path, authorisation.path)
    watch("writing the repaired file", 0, len(paths))
    _write_repaired(checked, paths["repaired"])
    watch("writing the MCF", 1, len(paths))
    draft, why_none = _draft(checked, schema)
    if draft.octets is None:
        paths.pop("mcf").unlink(missing_ok=True)  # one of an earlier check would be taken for ours
    else:
        write_octets(paths["mcf"], draft.octets)
    watch("writing the findings", 2, len(paths))
    write_octets(paths["installations"], _installations(report, checked.question).encode())
    log = (_log_line(one.as_json()) for one in report.findings())
    write_octets(paths["findings"], render_lines(_LOG_COLUMNS, log).encode())
    write_octets(paths["refused"], _refused(authorisation, report).encode())
    return {
        "written": {name: str(path) for name, path in paths.items()},
        "mcf": _told(draft, why_none),
    }


def nothing_written() -> dict[str, Any]:
    """Return the same of a file that was refused whole."""
    return {"written": {}, "mcf": _told(_NO_DRAFT, "the file was refused")}


def _write_repaired(checked: Checked, path: Path) -> None:
    kept = [row.row for row in checked.report.rows if row.result is not RowResult.REFUSED]
    try:
        write(checked.authorisation, kept, checked.layout, path)
    except OSError as error:
        raise UsageError(
            f"the file cannot be written: {error.strerror}", where=str(path)
        ) from error


def _draft(checked: Checked, schema: MigrationSchema) -> tuple[Draft, str]:
    """Return the MCF, and why there is none where there is none."""
    question, accepted = checked.question, checked.report.accepted()
    name = AuthorisationName.of_file(checked.authorisation.path)
    stamp = None if name is None else name.at
    at = moment_of(stamp, checked.report.day, (one.earliest for one in accepted))
    if question.cohort is None:
        return _NO_DRAFT, "no cohort is known: give --cohort"
    if at is None or not accepted:
        return _NO_DRAFT, "no installation was accepted"
    drafting = Drafting(question.cohort, question.lists.cpl, schema, question.installed)
    draft = drafting.draft(accepted, at)
    return draft, "" if draft.octets is not None else "no installation is known well enough"


def _told(draft: Draft, why_none: str) -> dict[str, Any]:
    bare = draft.without_ppmids
    lacking = f"; {bare} without their PPMIDs: give --inventory" if bare else ""
    return {
        "installations": draft.count,
        "left_out": [{"ref": one.ref, "why": one.why} for one in draft.left_out],
        "note": why_none or f"{_DRAFT}{lacking}",
    }


def _installations(report: Report, question: Question) -> str:
    """Return the accepted installations as JSON, one on a line."""
    cohort = json.dumps(None if question.cohort is None else question.cohort.key)
    lines = ",\n".join(json.dumps(one.as_json()) for one in report.accepted())
    head = f'{{"stand_in": {json.dumps(STAND_IN)},\n"cohort": {cohort},\n"installations": ['
    return f"{head}\n{lines}\n]}}\n"


def _refused(authorisation: Authorisation, report: Report) -> str:
    columns = authorisation.headings.columns
    titles = [""] * (max((one.index for one in columns), default=-1) + 1)
    for one in columns:
        titles[one.index] = one.text
    lines = [
        [str(row.row.line), row.refusal.text if row.refusal else "", *original(row.row)]
        for row in report.rows
        if row.result is RowResult.REFUSED
    ]
    return render_lines(["line", "reason", *titles], lines)


def _log_line(finding: Mapping[str, Any]) -> list[str]:
    values = [finding[name] for name in _LOG_COLUMNS]
    return [" ".join(value) if isinstance(value, list) else str(value) for value in values]
