"""A run as one offline page: it loads nothing, needs no program, and is read with keys alone."""

from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from emulator.core.clock import iso
from harness.dust.record import DustRecord
from harness.dust.report_charts import capacity_chart, timeline
from harness.dust.report_model import Report
from harness.migration.record import Entry
from harness.migration.run_rows import FIRM_CODES
from harness.report.html import LIMIT_BYTES, environment
from harness.report.migration_grid import Row
from harness.report.sequence import draw
from harness.verdict import Verdict

#: Refs of a folded row that are listed when it is opened.
_LISTED: Final = 300


@dataclass(frozen=True, slots=True)
class _Level:
    """How much is shown; a level is taken when the one before it makes too long a page."""

    rows: int
    files: int
    histories: int
    titles: bool


_LEVELS: Final = (
    _Level(200, 300, 12, titles=True),
    _Level(200, 150, 6, titles=False),
    _Level(100, 80, 3, titles=False),
    _Level(40, 30, 1, titles=False),
)


def render(report: Report) -> bytes:
    """Return ``report.html``, at most 10 MiB; what is left out for that is named in it."""
    page = b""
    for level in _LEVELS:
        page = _page(report, level).encode()
        if len(page) <= LIMIT_BYTES:
            break
    return page


def _page(report: Report, level: _Level) -> str:
    record = report.record
    style = resources.files("harness.report").joinpath("static/report.css").read_text("utf-8")
    rows = report.grid.rows[: level.rows]
    return (
        environment()
        .get_template("dust.html.j2")
        .render(
            report=report,
            run=record,
            head=record.header,
            style=style,
            rows=rows,
            titles=level.titles,
            listed=_LISTED,
            histories=[(row, _history(row)) for row in _told(report, level)],
            criteria=sorted(record.criteria, key=lambda one: one.kind != "exit"),
            counts=_counts(record),
            chart=capacity_chart(record.days),
            time=timeline(report.events),
            diagram=draw(report.chosen.trace),
            files=record.files[: level.files],
            left_out=_left_out(report, level),
            firm=FIRM_CODES,
            iso=iso,
        )
    )


def _told(report: Report, level: _Level) -> list[Row]:
    """Return the rows whose histories are shown: the chosen one's, then what did not migrate."""
    chosen = [
        row for row in report.grid.rows if any(one.ref == report.chosen.ref for one in row.members)
    ]
    others = [
        row for row in report.grid.rows if row not in chosen and row.first.verdict != Verdict.PASS
    ]
    return [*chosen, *others][: level.histories]


def _history(row: Row) -> tuple[Entry, ...]:
    return () if row.first.record is None else tuple(row.first.record.history)


def _counts(record: DustRecord) -> list[tuple[Verdict, int]]:
    return [
        (verdict, count)
        for verdict in sorted(Verdict, reverse=True)
        if (count := sum(one.verdict is verdict for one in record.cases))
    ]


def _left_out(report: Report, level: _Level) -> list[str]:
    """Return in words what this page does not show and other files do."""
    found: list[tuple[Any, str]] = [
        (max(0, len(report.grid.rows) - level.rows), "courses of installations (report.json)"),
        (max(0, len(report.record.files) - level.files), "files (index.csv)"),
        (report.chosen.left_out, f"messages about {report.chosen.ref} (events.jsonl)"),
        (
            report.levels["warning"] + report.levels["error"] - len(report.warnings),
            "warnings and errors (events.jsonl)",
        ),
    ]
    return [f"{count} {what}" for count, what in found if count]
