"""What the door keeps: requests, answers and alerts, in one journal that survives a kill."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.door.kept import Alert, Answer, Arrival, Taken, alert_of, answer_of, taken_of
from harness.errors import UsageError
from harness.formats.duis.request_id import RequestId

FORMAT: Final = 1
_TABLES: Final = """
CREATE TABLE about (format INTEGER NOT NULL, setting TEXT NOT NULL);
CREATE TABLE requests (
  id INTEGER PRIMARY KEY, door TEXT NOT NULL, name TEXT NOT NULL, user TEXT NOT NULL,
  counter TEXT NOT NULL, mark TEXT NOT NULL, request_id TEXT NOT NULL, service TEXT NOT NULL,
  waits INTEGER NOT NULL, document BLOB NOT NULL, prompt BLOB, moved INTEGER NOT NULL DEFAULT 0,
  UNIQUE (user, counter, mark));
CREATE INDEX by_request_id ON requests (request_id);
CREATE INDEX by_name ON requests (door, name);
CREATE TABLE answers (
  request INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, document BLOB NOT NULL,
  written INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (request, number));
CREATE TABLE alerts (
  number INTEGER PRIMARY KEY, user TEXT NOT NULL, code TEXT NOT NULL, request INTEGER,
  at INTEGER NOT NULL, document BLOB NOT NULL, written INTEGER NOT NULL DEFAULT 0);
CREATE TABLE memory (only INTEGER PRIMARY KEY CHECK (only = 1), at INTEGER, state BLOB NOT NULL);
"""


class Exchange:
    """The journal; every method is one transaction and may be called from any thread.

    A kill at any moment leaves the last committed one.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self._db = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path | None, setting: Mapping[str, Any]) -> "Exchange":
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
            exchange = cls(connection)
            try:
                exchange.begin(told, fresh=fresh)
            except BaseException:
                connection.close()
                raise
        except (sqlite3.DatabaseError, OSError) as error:
            raise _unusable(path, str(error), "not a state file of dust door, or one in use") from (
                error
            )
        return exchange

    def begin(self, setting: str, *, fresh: bool) -> None:
        """Make the tables, or look whether they are of this setting.

        Raises:
            UsageError: They are of another.
        """
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        if fresh:
            self._db.executescript(f"BEGIN; {_TABLES} COMMIT;")
            with self._transaction() as db:
                db.execute("INSERT INTO about VALUES (?, ?)", (FORMAT, setting))
        row = self._db.execute("SELECT format, setting FROM about").fetchone()
        if row is None or (row["format"], row["setting"]) != (FORMAT, setting):
            raise _unusable(
                None,
                "it was written with other installations, keys, seed or version",
                "another command line than the one before",
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    # -- requests ------------------------------------------------------------------------------

    def take(self, arrival: Arrival) -> int | None:
        """Journal a request; returns its number, or None where its counter was used before."""
        identity = arrival.request_id
        try:
            with self._transaction() as db:
                cursor = db.execute(
                    "INSERT INTO requests (door, name, user, counter, mark, request_id, service,"
                    " waits, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        arrival.door,
                        arrival.name,
                        str(identity.originator),
                        str(identity.counter),
                        arrival.mark,
                        str(identity),
                        arrival.service,
                        arrival.waits,
                        arrival.document,
                    ),
                )
        except sqlite3.IntegrityError:
            return None
        return cursor.lastrowid

    def request(self, number: int) -> Taken | None:
        """Return a request, or None."""
        rows = self._rows("SELECT * FROM requests WHERE id = ?", number)
        return taken_of(rows[0]) if rows else None

    def next_waiting(self) -> Taken | None:
        """Return the oldest request that the DSP did not see yet, or None."""
        rows = self._rows("SELECT * FROM requests WHERE prompt IS NULL ORDER BY id LIMIT 1")
        return taken_of(rows[0]) if rows else None

    def of_request_id(self, request_id: RequestId) -> int | None:
        """Return the newest request of a RequestID that is answered later, or None."""
        rows = self._rows(
            "SELECT id FROM requests WHERE request_id = ? AND waits ORDER BY id DESC LIMIT 1",
            str(request_id),
        )
        return rows[0]["id"] if rows else None

    def dropped(self, name: str) -> tuple[Taken, bool] | None:
        """Return the newest request from the drop under a name, and whether its file was moved."""
        rows = self._rows(
            "SELECT * FROM requests WHERE door = 'drop' AND name = ? ORDER BY id DESC LIMIT 1", name
        )
        return (taken_of(rows[0]), bool(rows[0]["moved"])) if rows else None

    def note_moved(self, number: int) -> None:
        """Note that the file of a request from the drop stands in ``taken``."""
        with self._transaction() as db:
            db.execute("UPDATE requests SET moved = 1 WHERE id = ?", (number,))

    # -- what the world did --------------------------------------------------------------------

    def commit(
        self,
        at: UtcMs,
        *,
        prompt: tuple[int, bytes] | None = None,
        answers: Sequence[tuple[int, bytes]] = (),
        alerts: Sequence[tuple[Eui64, str, int | None, bytes]] = (),
        state: bytes | None = None,
    ) -> None:
        """Write down, at one stroke, what the world did and the state it is in now.

        Args:
            at: The present moment of the bench.
            prompt: Request and what the DSP answered at once.
            answers: Request and response to it.
            alerts: Receiver, code, request and document.
            state: Memory of homes and parties; None where none is kept.
        """
        with self._transaction() as db:
            if prompt is not None:
                number, document = prompt
                db.execute("UPDATE requests SET prompt = ? WHERE id = ?", (document, number))
            for request, document in answers:
                db.execute(
                    "INSERT INTO answers (request, number, at, document) SELECT ?,"
                    " COALESCE(MAX(number), 0) + 1, ?, ? FROM answers WHERE request = ?",
                    (request, at, document, request),
                )
            for user, code, request_of, document in alerts:
                db.execute(
                    "INSERT INTO alerts (user, code, request, at, document) VALUES (?, ?, ?, ?, ?)",
                    (str(user), code, request_of, at, document),
                )
            if state is not None:
                db.execute("INSERT OR REPLACE INTO memory VALUES (1, ?, ?)", (at, state))

    def memory(self) -> bytes | None:
        """Return the last state of homes and parties, or None."""
        rows = self._rows("SELECT state FROM memory")
        return bytes(rows[0]["state"]) if rows else None

    # -- answers -------------------------------------------------------------------------------

    def answer(self, request: int, number: int = 1) -> Answer | None:
        """Return a response to a request, or None."""
        rows = self._rows("SELECT * FROM answers WHERE request = ? AND number = ?", request, number)
        return answer_of(rows[0]) if rows else None

    def answers_of(self, request: int) -> int:
        """Return how many responses to a request came so far."""
        return int(self._rows("SELECT COUNT(*) AS n FROM answers WHERE request = ?", request)[0][0])

    def later_answers(self, after: int) -> list[tuple[int, Answer]]:
        """Return the answers to acknowledged requests behind a place in the journal, with theirs.

        Place 0 is before the first.
        """
        rows = self._rows(
            "SELECT a.rowid AS place, a.* FROM answers a JOIN requests r ON r.id = a.request"
            " WHERE r.waits AND a.rowid > ? ORDER BY a.rowid",
            after,
        )
        return [(int(row["place"]), answer_of(row)) for row in rows]

    def alerts(self, after: int, user: Eui64 | None = None, most: int = 100) -> list[Alert]:
        """Return the alerts behind a number, in order, at most so many."""
        wanted = "%" if user is None else str(user)
        rows = self._rows(
            "SELECT * FROM alerts WHERE number > ? AND user LIKE ? ORDER BY number LIMIT ?",
            after,
            wanted,
            most,
        )
        return [alert_of(row) for row in rows]

    def unwritten(self) -> tuple[list[tuple[Taken, Answer]], list[Alert]]:
        """Return the answers to requests from the drop, and the alerts, that no file holds yet."""
        rows = self._rows(
            "SELECT a.* FROM answers a JOIN requests r ON r.id = a.request"
            " WHERE r.door = 'drop' AND a.written = 0 ORDER BY a.request, a.number"
        )
        found = [(self.request(row["request"]), answer_of(row)) for row in rows]
        alerts = self._rows("SELECT * FROM alerts WHERE written = 0 ORDER BY number")
        answers = [(taken, answer) for taken, answer in found if taken is not None]
        return answers, [alert_of(row) for row in alerts]

    def note_written(self, one: Answer | Alert) -> None:
        """Note that a file holds an answer or alert."""
        with self._transaction() as db:
            if isinstance(one, Alert):
                db.execute("UPDATE alerts SET written = 1 WHERE number = ?", (one.number,))
            else:
                db.execute(
                    "UPDATE answers SET written = 1 WHERE request = ? AND number = ?",
                    (one.request, one.number),
                )

    def counts(self) -> dict[str, int]:
        """Return how many requests, answers and alerts there are."""
        row = self._rows(
            "SELECT (SELECT COUNT(*) FROM requests) AS requests,"
            " (SELECT COUNT(*) FROM answers) AS answers, (SELECT COUNT(*) FROM alerts) AS alerts"
        )[0]
        return {name: int(row[name]) for name in ("requests", "answers", "alerts")}


def _unusable(path: Path | None, why: str, cause: str) -> UsageError:
    return UsageError(
        f"the stored state cannot be used: {why}",
        where="--state" if path is None else f"--state {path}",
        cause=cause,
        next_command="name another --state, or repeat the command line it was made with",
    )
