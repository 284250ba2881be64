"""A run as ``report.md``: what goes into a mail or a ticket."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from harness.dust.record import DustRecord
from harness.dust.report_coverage import Coverage, CoverageCell
from harness.dust.report_model import Report, word
from harness.report.sequence import size
from harness.words import counted

#: Rows of the grid and files that are listed at most.
_MOST_ROWS: Final = 60
_MOST_FILES: Final = 200
_DASH, _TIMES = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"
_CELLS: Final = {"ok": "✓", "failed": "✕", "warned": "!", "skipped": _DASH, "": ""}


def render(report: Report) -> bytes:
    """Return ``report.md``."""
    record = report.record
    parts = [
        _head(report),
        _section("Exit and entry criteria", _criteria(record)),
        _section("Cases", _cases(record)),
        _section("Defects", _defects(record)),
        _section("Coverage: clauses by shape of installation", _coverage(report.coverage)),
        _section("Migration days", _days(record)),
        _section("Installations by step", _installations(report)),
        _section("Totals", _totals(report)),
        _section("Files", _files(record)),
        _section("What this run does not prove", _open(report)),
    ]
    lines = (line for part in parts for line in part)
    return ("\n".join(lines) + "\n").encode()


def _head(report: Report) -> Iterator[str]:
    record = report.record
    head = record.header
    historical = ", historical" if head.historical else ""
    yield f"# {report.verdict_word}: {cell(head.run_id)} {cell(head.title)}"
    yield from ("", cell(record.reason), "")
    yield f"- {cell(head.label)}, cohort {head.cohort} ({cell(head.cohort_title)}),"
    yield f"  GroupID {head.group_id}"
    yield f"- As of {head.as_of} ({cell(head.as_of_why)}{historical})"
    yield f"- Participant {cell(head.participant)} ({head.mode}), environment {head.environment}"
    yield from (f"- {cell(ref)}: {cell(told)}" for ref, told in sorted(head.benches.items()))
    yield f"- Seed {head.seed}, smetsbench {head.version}"
    yield f"- Definition SHA-256 `{head.definition_sha256}`"
    yield f"- {report.identifiers}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    yield from lines


def cell(text: object) -> str:
    """Return a text that neither ends a cell of a table nor begins markup of its own."""
    told = " ".join(str(text).split())
    for mark in "\\`*_<>|[]":
        told = told.replace(mark, f"\\{mark}")
    return told


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    rows = list(rows)
    if not rows:
        yield "None."
        return
    yield "| " + " | ".join(headings) + " |"
    yield "|" + " --- |" * len(headings)
    for row in rows:
        yield "| " + " | ".join(map(cell, row)) + " |"


def _criteria(record: DustRecord) -> Iterator[str]:
    rows = sorted(record.criteria, key=lambda one: one.kind != "exit")
    yield from _table(
        ("id", "kind", "verdict", "demands", "reason", "rests on"),
        [(one.id, one.kind, one.verdict.name, one.text, one.reason, one.evidence) for one in rows],
    )


def _cases(record: DustRecord) -> Iterator[str]:
    rows = []
    for one in record.cases:
        waived = f" (waived by {one.waived_by})" if one.waived_by else ""
        mandatory = "yes" if one.mandatory else "no"
        told = (one.id, one.title, one.family, mandatory, one.verdict.name, one.reason + waived)
        rows.append((*told, one.first_failing_step))
    headings = ("case", "title", "family", "mandatory", "verdict", "reason", "first failing step")
    yield from _table(headings, rows)
    for one in record.cases:
        wrong = [part for part in one.expected if part.verdict > 1]
        if wrong:
            yield from ("", f"{cell(one.id)}: expectations that were not met", "")
            yield from _table(
                ("what", "expected", "found", "verdict", "clause", "rests on"),
                [
                    (it.what, it.expected, it.actual, it.verdict.name, it.clause, it.evidence)
                    for it in wrong
                ],
            )


def _defects(record: DustRecord) -> Iterator[str]:
    yield from _table(
        ("id", "severity", "attribution", "what", "case", "installation", "step", "code"),
        [
            (
                *(one.id, one.severity, one.attribution.value, one.text),
                *(one.case, one.ref, one.first_failing_step, one.code),
            )
            for one in record.defects
        ],
    )


def _coverage(told: Coverage) -> Iterator[str]:
    yield f"Cohort {told.cohort}. A verdict and how many expectations were judged; in brackets,"
    yield "in how many installations a step under the clause was taken."
    yield ""
    heads = [f"{name} ({count})" for name, count in zip(told.shapes, told.homes, strict=True)]
    yield from _table(
        ("clause", "steps", *heads),
        [(row.clause, " ".join(row.steps), *map(_covered, row.cells)) for row in told.rows],
    )


def _covered(one: CoverageCell) -> str:
    judged = f"{word(one.verdict)} {one.judged}" if one.judged else ""
    played = f"({one.played})" if one.played else ""
    return f"{judged} {played}".strip() or _DASH


def _days(record: DustRecord) -> Iterator[str]:
    yield from _table(
        ("day", "week", "capacity", "asked for", "given", "installations"),
        [
            (
                *(one.day, one.week, one.capacity, _named(one.demand.items())),
                *(_named(one.allocated.items()), len(one.refs)),
            )
            for one in record.days
        ],
    )


def _named(pairs: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(pairs))


def _installations(report: Report) -> Iterator[str]:
    rows = report.grid.rows
    yield "One row for all that took the same course."
    yield ""
    yield from _table(
        ("installations", "end", *report.grid.steps),
        [
            (
                f"{len(one.members)} {_TIMES} {one.named}",
                f"{one.state} {one.cause} {one.code}".strip(),
                *(_CELLS[part.result] for part in one.cells),
            )
            for one in rows[:_MOST_ROWS]
        ],
    )
    if len(rows) > _MOST_ROWS:
        yield f"\n{len(rows) - _MOST_ROWS} courses more are in report.json."


def _totals(report: Report) -> Iterator[str]:
    for name in ("by_state", "by_cause", "by_code", "reached", "by_class"):
        if report.totals[name]:
            yield f"- {name.replace('_', ' ')}: {_named(report.totals[name].items())}"
    if report.unreconciled:
        yield from ("", "Sums that do not follow from the histories:", "")
        yield from (f"- {cell(one)}" for one in report.unreconciled)
    else:
        yield "- counted again from the histories: everything agrees"


def _files(record: DustRecord) -> Iterator[str]:
    yield from _table(
        ("path", "size", "SHA-256", "from → to", "kind", "result", "signature"),
        [
            (
                *(one.path, size(one.size_bytes), one.sha256),
                *(f"{one.sender} → {one.receiver}", one.kind, one.result, one.signature),
            )
            for one in record.files[:_MOST_FILES]
        ],
    )
    if len(record.files) > _MOST_FILES:
        more = counted(len(record.files) - _MOST_FILES, "file more is", "files more are")
        yield f"\n{more} in index.csv."


def _open(report: Report) -> Iterator[str]:
    yield from _table(("kind", "what"), [(one.kind, one.text) for one in report.open_points])
