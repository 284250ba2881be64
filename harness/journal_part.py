"""One scenario's rows of a journal: taken out of one, put into another."""

from dataclasses import dataclass
from typing import Any, Final

from harness.journal import Journal

#: Tables of what a scenario leaves, beside its own row. Names in queries below are these alone.
_TABLES: Final = ("steps", "operations", "observations", "records")
#: What a scenario's row holds before it is played.
_DECLARED: Final = frozenset({"n", "id", "declared"})
#: Where in the capture an operation ended.
_OFFSET, _FRAMES = "capture_offset", "capture_frames"


@dataclass(frozen=True, slots=True)
class JournalPart:
    """What a journal holds of one scenario.

    Attributes:
        scenario: Its row, but for what was declared of it beforehand.
        rows: Its rows of each other table.
    """

    scenario: dict[str, Any]
    rows: dict[str, list[dict[str, Any]]]


def taken_out(journal: Journal) -> JournalPart:
    """Return what a journal of a single scenario holds of it."""
    found = dict(journal.rows("SELECT * FROM scenarios")[0])
    scenario = {name: value for name, value in found.items() if name not in _DECLARED}
    rows = {
        table: [dict(one) for one in journal.rows(f"SELECT * FROM {table} ORDER BY rowid")]  # noqa: S608 -- ours
        for table in _TABLES
    }
    return JournalPart(scenario, rows)


def put_in(journal: Journal, number: int, part: JournalPart, before: tuple[int, int]) -> None:
    """Write a scenario that was played elsewhere, in one transaction.

    Args:
        journal: The run's journal; the scenario is pending there.
        number: The scenario's place in the run, from 0.
        part: What it left.
        before: By how many octets and frames its places in the capture move on.
    """
    setting = ", ".join(f"{name} = :{name}" for name in part.scenario)
    with journal.commit() as db:
        db.execute(f"UPDATE scenarios SET {setting} WHERE n = {number}", part.scenario)  # noqa: S608 -- ours
        for table, rows in part.rows.items():
            for row in rows:
                moved = _moved(row, before) | {"scenario": number}
                names, holders = ", ".join(moved), ", ".join("?" * len(moved))
                query = f"INSERT INTO {table} ({names}) VALUES ({holders})"  # noqa: S608 -- ours
                db.execute(query, [*moved.values()])


def _moved(row: dict[str, Any], before: tuple[int, int]) -> dict[str, Any]:
    """Return a row with its place in the capture moved on."""
    if row.get(_OFFSET) is None:
        return row
    return row | {_OFFSET: row[_OFFSET] + before[0], _FRAMES: row[_FRAMES] + before[1]}
