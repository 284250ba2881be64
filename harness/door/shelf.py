"""What the journal keeps of papers, turns and files for the participant."""

import hashlib
import json
import sqlite3
from typing import Any, Final

from emulator.core.clock import UtcMs
from harness.door.journal import Journal, put_input
from harness.door.kept import Outgoing, Refused
from harness.door.ports import OutFile, Paper, PaperOutcome, TurnDone, TurnSheet

#: Name under which silence ends a turn.
_SILENCE: Final = "silence"

_WRITTEN: Final = {
    "papers": "UPDATE papers SET written = 1 WHERE number = ?",
    "turns": "UPDATE turns SET written = 1 WHERE number = ?",
    "files": "UPDATE files SET written = 1 WHERE number = ?",
    "alerts": "UPDATE alerts SET written = 1 WHERE number = ?",
}


class Shelf(Journal):
    """Papers in, outcomes and files out, turns."""

    # -- papers ------------------------------------------------------------------------------

    def take_paper(self, door: str, name: str, octets: bytes) -> int | None:
        """Journal a paper; returns its number, or None where its name was used before."""
        digest = hashlib.sha256(octets).hexdigest()
        try:
            with self._transaction() as db:
                cursor = db.execute(
                    "INSERT INTO papers (name, sha256, octets) VALUES (?, ?, ?)",
                    (name, digest, octets),
                )
                number = int(cursor.lastrowid or 0)
                put_input(db, "paper", number, door, name)
        except sqlite3.IntegrityError:
            return None
        return number

    def refuse(self, refused: Refused) -> None:
        """Journal what was refused; the same file at the drop once, however often it is read."""
        row = (refused.name, refused.sha256, refused.code)
        with self._transaction() as db:
            if refused.door == "drop":
                same = "SELECT 1 FROM refused WHERE name = ? AND sha256 = ? AND code = ?"
                if db.execute(same, row).fetchone() is not None:
                    return
            cursor = db.execute(
                "INSERT INTO refused (name, sha256, code, door, what, who, size, octets)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, refused.door, refused.what, refused.who, refused.size, refused.octets),
            )
            put_input(db, "refused", int(cursor.lastrowid or 0), refused.door, refused.name)

    def refused(self, number: int) -> Refused | None:
        """Return what was refused, or None."""
        rows = self._rows(
            "SELECT number, door, name, code, what, who, size, sha256, octets FROM refused"
            " WHERE number = ?",
            number,
        )
        return Refused(*rows[0]) if rows else None

    def has_refused(self, octets: bytes, code: str) -> bool:
        """Say whether these very octets were refused for that before."""
        digest = hashlib.sha256(octets).hexdigest()
        query = "SELECT 1 FROM refused WHERE sha256 = ? AND code = ? LIMIT 1"
        return bool(self._rows(query, digest, str(code)))

    def has_taken(self, document: bytes) -> bool:
        """Say whether this very request was taken."""
        return bool(self._rows("SELECT 1 FROM requests WHERE document = ? LIMIT 1", document))

    def paper(self, number: int) -> Paper | None:
        """Return a paper, or None."""
        rows = self._rows(
            "SELECT p.*, i.seq, i.door FROM papers p JOIN inputs i ON i.kind = 'paper' AND"
            " i.number = p.number WHERE p.number = ?",
            number,
        )
        if not rows:
            return None
        row, turn = rows[0], self.turn()
        return Paper(
            row["number"],
            row["seq"],
            row["door"],
            row["name"],
            row["sha256"],
            row["octets"],
            0 if turn is None else turn[0],
        )

    def outcome(self, number: int) -> dict[str, Any] | None:
        """Return what became of a paper, as the participant gets it; None while nothing did."""
        rows = self._rows("SELECT outcome FROM papers WHERE number = ?", number)
        told = rows[0]["outcome"] if rows else None
        return None if told is None else json.loads(told)

    def unwritten_outcomes(self, most: int) -> list[tuple[int, str, str]]:
        """Return number, name and outcome of papers from the drop whose outcome no file holds."""
        rows = self._rows(
            "SELECT p.number, p.name, p.outcome FROM papers p JOIN inputs i ON i.kind = 'paper'"
            " AND i.number = p.number WHERE i.door = 'drop' AND p.written = 0"
            " AND p.outcome IS NOT NULL ORDER BY p.number LIMIT ?",
            most,
        )
        return [(row["number"], row["name"], row["outcome"]) for row in rows]

    # -- turns -------------------------------------------------------------------------------

    def say_done(self, turn: int, door: str, name: str) -> int | None:
        """Journal the word that a turn is done; None where it was said before."""
        try:
            with self._transaction() as db:
                return put_input(db, "done", turn, door, name)
        except sqlite3.IntegrityError:
            return None

    def say_silent(self, turn: int) -> int | None:
        """Journal that nobody said that a turn is done; None where somebody did."""
        return self.say_done(turn, "", _SILENCE)

    def is_done(self, turn: int) -> bool:
        """Say whether the word was said for a turn."""
        return bool(
            self._rows("SELECT 1 FROM inputs WHERE kind = 'done' AND number = ? LIMIT 1", turn)
        )

    def done_word(self, seq: int) -> TurnDone:
        """Return the word at a place in the sequence."""
        row = self._rows("SELECT number, name, door FROM inputs WHERE seq = ?", seq)[0]
        return TurnDone(row["number"], seq, not row["door"] and row["name"] == _SILENCE)

    def turn(self) -> tuple[int, dict[str, Any]] | None:
        """Return number and sheet of the last turn that was opened, or None before the first."""
        rows = self._rows("SELECT number, sheet FROM turns ORDER BY number DESC LIMIT 1")
        return (rows[0]["number"], json.loads(rows[0]["sheet"])) if rows else None

    def is_over(self) -> bool:
        """Say whether the run is over: no turn comes any more."""
        rows = self._rows("SELECT over FROM memory")
        return bool(rows and rows[0]["over"])

    def unwritten_turns(self) -> list[tuple[int, str]]:
        """Return number and sheet of turns that no file tells of."""
        rows = self._rows("SELECT number, sheet FROM turns WHERE written = 0 ORDER BY number")
        return [(row["number"], row["sheet"]) for row in rows]

    # -- files for the participant -------------------------------------------------------------

    def files(self, after: int, most: int = 100) -> list[Outgoing]:
        """Return the files for the participant behind a number, in order, without their octets."""
        rows = self._rows(
            "SELECT number, name, x'' AS octets, length(octets) AS size, paper, turn, at"
            " FROM files WHERE number > ? ORDER BY number LIMIT ?",
            after,
            most,
        )
        return [Outgoing.of(row) for row in rows]

    def file(self, number: int) -> Outgoing | None:
        """Return a file for the participant, or None."""
        rows = self._rows("SELECT *, length(octets) AS size FROM files WHERE number = ?", number)
        return Outgoing.of(rows[0]) if rows else None

    def unwritten_files(self, most: int) -> list[Outgoing]:
        """Return files for the participant that do not stand in the drop yet."""
        rows = self._rows(
            "SELECT *, length(octets) AS size FROM files WHERE written = 0 ORDER BY number LIMIT ?",
            most,
        )
        return [Outgoing.of(row) for row in rows]

    def note_written(self, table: str, numbers: list[int]) -> None:
        """Note that the drop holds outcomes of ``papers``, ``turns``, ``files`` or ``alerts``."""
        with self._transaction() as db:
            db.executemany(_WRITTEN[table], [(one,) for one in numbers])


def keep_files(
    db: sqlite3.Connection,
    files: tuple[OutFile, ...],
    at: UtcMs,
    *,
    paper: int | None = None,
    turn: int | None = None,
) -> list[str]:
    """Keep files for the participant; returns the names they got, each its own."""
    names = []
    for file in files:
        name, number = file.name, 1
        while db.execute("SELECT 1 FROM files WHERE name = ?", (name,)).fetchone() is not None:
            number += 1
            name = f"{file.name}.{number}"
        db.execute(
            "INSERT INTO files (name, octets, paper, turn, at) VALUES (?, ?, ?, ?, ?)",
            (name, file.octets, paper, turn, at),
        )
        names.append(name)
    return names


def keep_outcome(db: sqlite3.Connection, number: int, outcome: PaperOutcome, at: UtcMs) -> None:
    """Keep what became of a paper, and the files that go out with it."""
    names = keep_files(db, outcome.files, at, paper=number)
    told = {"paper": number, **outcome.as_json(), "files": names}
    row = db.execute("SELECT name, sha256 FROM papers WHERE number = ?", (number,)).fetchone()
    told |= {"name": row["name"], "sha256": row["sha256"]}
    db.execute(
        "UPDATE papers SET at = ?, outcome = ? WHERE number = ?", (at, json.dumps(told), number)
    )


def keep_turn(
    db: sqlite3.Connection, sheet: TurnSheet, at: UtcMs, patience_s: float | None
) -> None:
    """Keep a turn that is open now, and the files that go out with it."""
    names = keep_files(db, sheet.files, at, turn=sheet.number)
    told = {**sheet.as_json(patience_s), "files": names}
    db.execute(
        "INSERT INTO turns (number, at, sheet) VALUES (?, ?, ?)",
        (sheet.number, at, json.dumps(told)),
    )
