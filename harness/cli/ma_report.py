"""What ``ma check`` says: its JSON, and its lines for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from harness.cli.output import console
from harness.formats.authorisation.read_rows import Authorisation, Severity
from harness.rules.migration_findings import Finding, Question, Report
from harness.words import counted

#: Findings printed; all of them are written to the file of findings.
MAX_PRINTED: Final = 200
#: Findings in JSON; what is left out is counted.
MAX_JSON: Final = 200_000
STAND_IN: Final = "the columns are a stand-in: the real columns of authorisations are not public"


def as_json(
    file: Path,
    report: Report,
    authorisation: Authorisation | None,
    question: Question,
    written: Mapping[str, Any],
) -> dict[str, Any]:
    """Return everything that was found, as JSON values.

    Args:
        file: The file as it was named.
        report: What was found in it.
        authorisation: The file as it was read; None where it was refused whole.
        question: What was asked.
        written: What was written where, and what of it an MCF lacks.
    """
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
        "stand_in": STAND_IN,
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
        **written,
    }


def show(file: Path, report: Report, question: Question, written: Mapping[str, Any]) -> None:
    """Print what was found, for people."""
    screen = console()
    cohort = "no cohort" if question.cohort is None else f"cohort {question.cohort.key}"
    day = f"judged on {report.day} ({report.day_from})" if report.day else "no day"
    screen.print(f"{file}: {cohort}, {day}", markup=False)
    findings = list(report.findings())
    for finding in findings[:MAX_PRINTED]:
        screen.print(_line(finding), markup=False)
    if len(findings) > MAX_PRINTED:
        where = written["written"].get("findings", "the JSON")
        screen.print(f"… {len(findings) - MAX_PRINTED} more findings: {where}", markup=False)
    counted = ", ".join(f"{count} {name}" for name, count in report.totals.items())
    verdict = "clean" if report.clean else "not clean"
    screen.print(f"{verdict}: {counted}", markup=False)
    for rule, why in report.not_checked.items():
        screen.print(f"not checked: {rule}: {why}", markup=False)
    for name, path in written["written"].items():
        screen.print(f"wrote {name}: {path}", markup=False)
    _show_draft(written["mcf"])
    screen.print(f"note: {STAND_IN}", markup=False)


def _show_draft(told: Mapping[str, Any]) -> None:
    screen = console()
    screen.print(
        f"mcf: {counted(told['installations'], 'installation')}; {told['note']}", markup=False
    )
    for one in told["left_out"][:MAX_PRINTED]:
        screen.print(f"not in the mcf: {one['ref']}: {one['why']}", markup=False)
    if len(told["left_out"]) > MAX_PRINTED:
        more = len(told["left_out"]) - MAX_PRINTED
        screen.print(f"… {more} more that are not in the mcf: --json tells them", markup=False)


def _brief(finding: Finding) -> dict[str, str]:
    return {
        "result": str(finding.severity),
        "step": finding.step,
        "code": finding.code,
        "sub_code": finding.sub_code,
        "text": finding.text,
    }


def _line(finding: Finding) -> str:
    place = finding.cell or "file"
    code = f"{finding.code} {finding.sub_code}".strip()
    changed = f" [{finding.original} -> {finding.result}]" if finding.result else ""
    advice = f"; {finding.suggestion}" if finding.suggestion else ""
    return f"{finding.severity:<8}  {place:<6} {code}: {finding.text}{changed}{advice}"
