"""The file behind a door: tables, transactions, and the sequence of all that came in."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from harness.door import state_pieces
from harness.errors import UsageError
from harness.transactions import transaction

FORMAT: Final = 4
_TABLES: Final = """
CREATE TABLE about (format INTEGER NOT NULL, setting TEXT NOT NULL);
CREATE TABLE inputs (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, number INTEGER NOT NULL, door TEXT NOT NULL,
  name TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0, moved INTEGER NOT NULL DEFAULT 0);
CREATE INDEX inputs_waiting ON inputs (done, seq);
CREATE INDEX inputs_by_name ON inputs (door, name);
CREATE UNIQUE INDEX inputs_by_number ON inputs (kind, number);
CREATE TABLE requests (
  id INTEGER PRIMARY KEY, door TEXT NOT NULL, name TEXT NOT NULL, user TEXT NOT NULL,
  counter TEXT NOT NULL, mark TEXT NOT NULL, request_id TEXT NOT NULL, service TEXT NOT NULL,
  waits INTEGER NOT NULL, document BLOB NOT NULL, prompt BLOB,
  UNIQUE (user, counter, mark));
CREATE INDEX by_request_id ON requests (request_id);
CREATE TABLE answers (
  request INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, document BLOB NOT NULL,
  written INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (request, number));
CREATE INDEX answers_unwritten ON answers (written);
CREATE TABLE alerts (
  number INTEGER PRIMARY KEY, user TEXT NOT NULL, code TEXT NOT NULL, request INTEGER,
  at INTEGER NOT NULL, document BLOB NOT NULL, written INTEGER NOT NULL DEFAULT 0);
CREATE INDEX alerts_unwritten ON alerts (written);
CREATE TABLE papers (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL,
  octets BLOB NOT NULL, at INTEGER, outcome TEXT, written INTEGER NOT NULL DEFAULT 0);
CREATE TABLE turns (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, sheet TEXT NOT NULL,
  written INTEGER NOT NULL DEFAULT 0);
CREATE TABLE files (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, octets BLOB NOT NULL, paper INTEGER,
  turn INTEGER, at INTEGER NOT NULL, written INTEGER NOT NULL DEFAULT 0);
CREATE TABLE refused (
  number INTEGER PRIMARY KEY, door TEXT NOT NULL, name TEXT NOT NULL, code TEXT NOT NULL,
  what TEXT NOT NULL, who TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
  octets BLOB NOT NULL);
CREATE INDEX refused_by_name ON refused (name, sha256);
CREATE TABLE memory (
  only INTEGER PRIMARY KEY CHECK (only = 1), at INTEGER, pieces BLOB NOT NULL,
  over INTEGER NOT NULL, answers INTEGER NOT NULL, alerts INTEGER NOT NULL, files INTEGER NOT NULL,
  turns INTEGER NOT NULL, seq INTEGER NOT NULL);
"""


class Journal:
    """An SQLite file of one door; may be used from any thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self._db = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path | None, setting: Mapping[str, Any]) -> Self:
        """Open a journal, made where there is none.

        Args:
            path: The file; None keeps everything in memory.
            setting: What the emulated homes are made of; another one cannot go on from this file.

        Raises:
            UsageError: The file is no such journal, is in use, or is of another setting.
        """
        told = json.dumps(setting, sort_keys=True)
        fresh = path is None or not path.exists() or path.stat().st_size == 0
        try:
            if path is not None and fresh:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600)
            connection = sqlite3.connect(
                path or ":memory:", isolation_level=None, timeout=1.0, check_same_thread=False
            )
            journal = cls(connection)
            try:
                journal.begin(told, path, fresh=fresh)
            except BaseException:
                connection.close()
                raise
        except (sqlite3.DatabaseError, OSError) as error:
            raise _unusable(path, str(error), "not a state file of dust door, or one in use") from (
                error
            )
        return journal

    def begin(self, setting: str, path: Path | None, *, fresh: bool) -> None:
        """Make the tables, or look whether they are of this setting, and go back to its memory.

        Raises:
            UsageError: They are of another.
        """
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        if fresh:
            self._db.executescript(f"BEGIN; {_TABLES} {state_pieces.TABLE} COMMIT;")
            with self._transaction() as db:
                db.execute("INSERT INTO about VALUES (?, ?)", (FORMAT, setting))
        row = self._db.execute("SELECT format, setting FROM about").fetchone()
        if row is None or (row["format"], row["setting"]) != (FORMAT, setting):
            raise _unusable(
                path,
                "it was written with other installations, keys, seed or version",
                "other files or keys than before, another command line, or another smetsbench",
            )
        self._rewind()

    def _rewind(self) -> None:
        """Forget what was done after the state that is kept: it is going to be done again.

        What came in stays, in its order.
        """
        kept = self._db.execute(
            "SELECT answers, alerts, files, turns, seq FROM memory UNION ALL"
            " SELECT 0, 0, 0, 0, 0 LIMIT 1"
        ).fetchone()
        with self._transaction() as db:
            db.execute("DELETE FROM answers WHERE rowid > ?", (kept["answers"],))
            db.execute("DELETE FROM alerts WHERE number > ?", (kept["alerts"],))
            db.execute("DELETE FROM files WHERE number > ?", (kept["files"],))
            db.execute("DELETE FROM turns WHERE number > ?", (kept["turns"],))
            db.execute(
                "UPDATE requests SET prompt = NULL WHERE id IN"
                " (SELECT number FROM inputs WHERE kind = 'request' AND seq > ?)",
                (kept["seq"],),
            )
            db.execute(
                "UPDATE papers SET outcome = NULL, at = NULL, written = 0 WHERE number IN"
                " (SELECT number FROM inputs WHERE kind = 'paper' AND seq > ?)",
                (kept["seq"],),
            )
            db.execute("UPDATE inputs SET done = 0 WHERE seq > ?", (kept["seq"],))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, transaction(self._db) as db:
            yield db

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def put_input(db: sqlite3.Connection, kind: str, number: int, door: str, name: str) -> int:
    """Give something that came in its place in the sequence; returns the place."""
    cursor = db.execute(
        "INSERT INTO inputs (kind, number, door, name) VALUES (?, ?, ?, ?)",
        (kind, number, door, name),
    )
    return int(cursor.lastrowid or 0)


def _unusable(path: Path | None, why: str, cause: str) -> UsageError:
    return UsageError(
        f"the stored state cannot be used: {why}",
        where="--state" if path is None else str(path),
        cause=cause,
        next_command="go on with what it was made with, or begin anew in another place",
    )
