"""A migration run as one offline page: grid, courses, sequence of parties, files, evidence."""

import shlex
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from harness.migration.record import Entry
from harness.migration.run_rows import FIRM_CODES
from harness.report.html import LIMIT_BYTES, environment
from harness.report.migration_grid import Grid, Row, grid
from harness.report.migration_model import DURABILITY, MigrationRecord, Played, Sent
from harness.report.sequence import Diagram, draw
from harness.report.trace import TraceItem

#: Courses shown with history and sequence, and files listed, by level of detail; a level is taken
#: when the one before it makes too long a page.
_LEVELS: Final = ((40, 400), (12, 100), (3, 20))
#: Courses of which messages between parties are shown at most.
MOST_COURSES: Final = _LEVELS[0][0]
#: Refs of a folded row that are listed when it is opened.
_LISTED: Final = 1000
_NOTHING: Final = Diagram((), (), (), 0)


@dataclass(frozen=True, slots=True)
class Course:
    """One row of the grid, told at length.

    Attributes:
        row: The row.
        history: What happened to the installation that stands for it.
        diagram: Messages between parties about it.
    """

    row: Row
    history: tuple[Entry, ...]
    diagram: Diagram


def render(run: MigrationRecord) -> str:
    """Return ``report.html``, at most 10 MiB; what is left out for that is named in it."""
    table = grid(run.installations)
    page = ""
    for courses, files in _LEVELS:
        page = _page(run, table, courses, files)
        if len(page.encode()) <= LIMIT_BYTES:
            return page
    return _page(run, table, 0, 0)


def _page(run: MigrationRecord, table: Grid, courses: int, files: int) -> str:
    style = resources.files("harness.report").joinpath("static/report.css").read_text("utf-8")
    sent, more = run.sent[:files], len(run.sent) - files
    return (
        environment()
        .get_template("migration.html.j2")
        .render(
            run=run,
            style=style,
            totals=run.totals(),
            grid=table,
            courses=[_course(row) for row in table.rows[:courses]],
            untold=max(0, len(table.rows) - courses),
            listed=_LISTED,
            sent=[_file(one) for one in sent],
            unlisted=max(0, more),
            durability=DURABILITY,
            captured=captured(run),
            repeat=repeat(run),
            reason=reason(run),
            firm=FIRM_CODES,
        )
    )


def _course(row: Row) -> Course:
    record = row.first.record
    history = () if record is None else tuple(record.history)
    return Course(row, history, diagram(row.first))


def diagram(one: Played) -> Diagram:
    """Return the sequence of parties of one installation, a band for each round."""
    trace = [
        TraceItem(
            at_us=letter["at"] * 1000,
            link="party",
            step=number + 1,
            sender=letter["sender"],
            receiver=letter["receiver"],
            label=f"{letter['kind']}: {letter['summary']}",
            family="",
            layers=(),
            octets=b"",
        )
        for number, play in one.plays
        for letter in play.letters
    ]
    return draw(trace) if trace else _NOTHING


def _file(one: Sent) -> dict[str, Any]:
    return {
        "name": one.name,
        "sha256": one.sha256,
        "size": one.size_bytes,
        "round": one.round + 1,
        **{key: one.told.get(key) or "" for key in _TOLD},
    }


_TOLD: Final = ("type", "sender", "receiver", "result", "code", "sub_code", "text", "ref")


def reason(run: MigrationRecord) -> str:
    """Return the sentence under the verdict."""
    states = run.totals()["by_state"]
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    if run.state == "interrupted":
        left = len(run.installations) - len(run.records)
        return f"The run was interrupted; {left} installations are still to be played. {told}."
    return f"{told}."


def captured(run: MigrationRecord) -> str:
    """Return of how many installations the capture holds frames."""
    of, count = run.options.captured, len(run.installations)
    return "of every installation" if of >= count else f"of the first {of} of {count}"


def repeat(run: MigrationRecord) -> str:
    """Return the command lines that play the same run again, octet for octet."""
    options = run.options
    words = ["smetsbench", "migration", "run", "--cohort", options.cohort]
    words += ["--installations", options.installations, "--seed", str(options.seed)]
    for fault in options.faults:
        words += ["--fault", fault]
    for defect in options.defects:
        words += ["--defect", defect]
    if options.order:
        words += ["--order", options.order]
    for folder in options.data:
        words += ["--data", str(folder)]
    lines = [shlex.join([*words, "--out", "DIR"])]
    for one in run.rounds[1:]:
        again = ["smetsbench", "migration", "resubmit", "DIR"]
        for ref in one.told["refs"]:
            again += ["--ref", ref]
        again += ["--judgement", one.told["judgement"]]
        lines.append(shlex.join(again + (["--roll-forward"] if one.told["roll_forward"] else [])))
    return "\n".join(lines)
