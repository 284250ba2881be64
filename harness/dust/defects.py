"""Names what was not as it should be: severity and attribution by rows of a table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field

from device_profiles.files import Folders
from harness.dust.cases import STEPS, TELLING, Facts, first_failing_step
from harness.dust.chronicle import ANSWER, DEVICE, PAPER_RESULT, STATE
from harness.dust.definition import Definition
from harness.dust.record import Attribution, CaseResult, Defect, Expected
from harness.migration.record import InstallationRecord
from harness.migration.states import RESTING, State
from harness.migration.totals import resting_code, resting_entry
from harness.rules.migration_tables import TableRow, Word, load_table
from harness.verdict import Verdict

_TABLE: Final = "dust-defects.csv"
_CASE, _REQUEST, _PAPER, _OPEN, _REFUSED = "case", "request", "paper", "open", "refused"
_TOLD: Final = "told"
_STEPS: Final = "steps"
#: What is expected of a home's own record.
_OF_RECORDS: Final = ("state of ", "code of ", "step of ", "attempts of ", "way of ")


class DefectRow(TableRow):
    """Whose a defect is, and how grave.

    Attributes:
        what: ``case``, ``request``, ``paper``, ``device``, ``told``, ``steps``, ``refused``,
            ``open``, ``broken``, or the state an installation rests in outside all cases.
        step: Begin of the first failing step's id; empty: any.
        code: Begin of the code; empty: any.
        severity: 1 (gravest) to 5; 0: that of the case.
        attribution: Whose it is.
        says: What it is.
    """

    what: Word
    step: str = ""
    code: str = ""
    severity: Annotated[int, Field(ge=0, le=5)]
    attribution: Attribution
    says: str


def load_defect_rows(overlays: Folders = ()) -> tuple[DefectRow, ...]:
    """Load the table.

    Raises:
        DataError: It cannot be used.
    """
    return load_table(DefectRow, _TABLE, overlays)


def row_for(
    rows: Sequence[DefectRow], what: str, step: str = "", code: str = ""
) -> DefectRow | None:
    """Return the row that fits best: the longest beginnings of step and code."""
    fitting = [
        row
        for row in rows
        if row.what == what and step.startswith(row.step) and code.startswith(row.code)
    ]
    return max(fitting, key=lambda row: (len(row.code), len(row.step)), default=None)


def find_defects(
    definition: Definition,
    results: Sequence[CaseResult],
    facts: Facts,
    rows: Sequence[DefectRow],
    skipped: Mapping[str, str],
) -> tuple[Defect, ...]:
    """Return the defects of a run, numbered: those of cases first, then those outside them."""
    severities = {case.id: case.severity for case in definition.cases}
    found = [
        one
        for result in results
        for one in _of_case(result, severities.get(result.id, 3), facts, rows)
    ]
    covered = {ref for result in results if _is_about_end(result) for ref in result.refs}
    found += _outside(facts, rows, covered | skipped.keys())
    found += _refused(results, facts, rows)
    return tuple(_numbered(one, number) for number, one in enumerate(found, 1))


def _numbered(one: Defect, number: int) -> Defect:
    values = {name: getattr(one, name) for name in Defect.__slots__}
    return Defect(**{**values, "id": f"D-{number:03d}"})


def _is_about_end(result: CaseResult) -> bool:
    return any(row.what.startswith(("state of ", "code of ")) for row in result.expected)


def _of_case(
    result: CaseResult, severity: int, facts: Facts, rows: Sequence[DefectRow]
) -> Iterator[Defect]:
    """Yield one defect for each home of a case that deviates."""
    for ref in result.refs:
        bad = [
            row
            for row in result.expected
            if row.verdict > Verdict.PASS and row.what.endswith(f" {ref}")
        ]
        if not bad:
            continue
        record = facts.records.get(ref)
        step, code = first_failing_step(record), _code(record)
        told = _row_of(bad[0], rows, (step, code), record, facts)
        yield Defect(
            "",
            severity if told is None or not told.severity else told.severity,
            "; ".join(f"{row.what}: {row.expected} expected, {_found(row)}" for row in bad),
            Attribution.OPEN if told is None else told.attribution,
            result.id,
            ref,
            step,
            code,
            tuple(sorted({number for row in bad for number in row.events})),
            tuple(dict.fromkeys(path for row in bad for path in row.files)),
        )


def _found(row: Expected) -> str:
    return f"{row.actual} found" if row.actual else "nothing found"


def _row_of(
    bad: Expected,
    rows: Sequence[DefectRow],
    ended: tuple[str, str],
    record: InstallationRecord | None,
    facts: Facts,
) -> DefectRow | None:
    """Return the row of a deviation; an answer nobody could give is whose the home's end is."""
    step, code = ended
    if bad.what.startswith(TELLING):
        whose = [one.told.get("whose", "") for one in facts.events if one.number in bad.events]
        never = record is not None and record.state is not State.MIGRATED and not bad.actual
        return row_for(rows, _CASE, step, code) if never else row_for(rows, _TOLD, *whose[:1])
    if bad.what.startswith("answer to "):
        never = record is not None and record.state is not State.MIGRATED and not bad.actual
        return row_for(rows, _CASE, step, code) if never else row_for(rows, _REQUEST)
    if bad.what.startswith(f"{DEVICE} "):
        return row_for(rows, _CASE, step, code) if not bad.actual else row_for(rows, DEVICE)
    if bad.what.startswith(STEPS):
        return row_for(rows, _STEPS, bad.actual.partition(":")[0])
    if not bad.what.startswith(_OF_RECORDS):
        return row_for(rows, _PAPER)
    return row_for(rows, _CASE, step, code)


def _code(record: InstallationRecord | None) -> str:
    return "" if record is None else resting_code(record)


def _outside(facts: Facts, rows: Sequence[DefectRow], covered: set[str]) -> Iterator[Defect]:
    """Yield what is wrong with homes whose end no case is about."""
    for ref, record in facts.records.items():
        if ref in covered or record.state is State.MIGRATED or not facts.played:
            continue
        step, code = first_failing_step(record), _code(record)
        what = record.state.value if record.state in RESTING else _OPEN
        told = row_for(rows, what, step, code) or row_for(rows, _OPEN)
        ended = resting_entry(record)
        why = "" if ended is None or not ended.text else f": {ended.text}"
        shown = [one.number for one in facts.about(ref) if one.kind == STATE]
        yield Defect(
            "",
            3 if told is None else told.severity or 3,
            f"{ref} rests in {record.state.value}{why}",
            Attribution.OPEN if told is None else told.attribution,
            "",
            ref,
            step,
            code,
            tuple(shown[-1:]),
        )


def _refused(
    results: Sequence[CaseResult], facts: Facts, rows: Sequence[DefectRow]
) -> Iterator[Defect]:
    """Yield requests and papers that were refused where no case expects it."""
    expected = {number for result in results for row in result.expected for number in row.events}
    accepted = {
        (one.told.get("file"), one.ref)
        for one in facts.events
        if one.kind == PAPER_RESULT and one.told.get("result") != _REFUSED
    }
    for one in facts.events:
        if one.number in expected:
            continue
        is_request = one.kind == ANSWER and one.code.startswith("E")
        refused = one.kind == PAPER_RESULT and one.told.get("result") == _REFUSED
        mended = refused and (one.told.get("file"), one.ref) in accepted
        if not is_request and (not refused or mended):
            continue
        told = row_for(rows, _REFUSED, "", one.code)
        yield Defect(
            "",
            5 if told is None else told.severity or 5,
            one.text,
            Attribution.PARTICIPANT if told is None else told.attribution,
            "",
            one.ref,
            "",
            one.code,
            (one.number,),
            (one.file,) if one.file else (),
        )
