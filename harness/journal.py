"""The journal of a run: what was meant before it was done, and what came of it."""

import hashlib
import json
import os
import signal
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emulator.core.clock import UtcMs
from harness.errors import UsageError
from harness.ports import Observation
from harness.run import Record, plain
from harness.transactions import transaction

#: Format of the tables; a journal of another format is refused.
FORMAT: Final = 1

_TABLES: Final = """
CREATE TABLE runs (
  id TEXT NOT NULL, format INTEGER NOT NULL, version TEXT NOT NULL, seed INTEGER NOT NULL,
  options TEXT NOT NULL, bench TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE scenarios (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL, declared TEXT NOT NULL, state TEXT NOT NULL,
  started_at INTEGER, ended_at INTEGER, carried TEXT, names TEXT NOT NULL DEFAULT '{}',
  before TEXT NOT NULL DEFAULT '{}', after TEXT NOT NULL DEFAULT '{}', result TEXT);
CREATE TABLE steps (
  scenario INTEGER NOT NULL, n INTEGER NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER,
  carried TEXT, result TEXT, PRIMARY KEY (scenario, n));
CREATE TABLE operations (
  scenario INTEGER NOT NULL, ordinal INTEGER NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL,
  request_sha256 TEXT NOT NULL, request BLOB NOT NULL, intent_at INTEGER NOT NULL,
  outcome TEXT, outcome_at INTEGER, capture_offset INTEGER, capture_frames INTEGER,
  PRIMARY KEY (scenario, ordinal));
CREATE TABLE bench_states (
  scenario INTEGER PRIMARY KEY, ordinal INTEGER NOT NULL, state BLOB NOT NULL);
CREATE TABLE observations (
  scenario INTEGER NOT NULL, operation INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL,
  device TEXT NOT NULL, kind TEXT NOT NULL, fields TEXT NOT NULL,
  PRIMARY KEY (scenario, operation, n));
CREATE TABLE records (
  scenario INTEGER NOT NULL, step INTEGER NOT NULL, n INTEGER NOT NULL, operation INTEGER NOT NULL,
  at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, octets BLOB NOT NULL,
  PRIMARY KEY (scenario, step, n));
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An operation as the journal holds it.

    Attributes:
        kind: Port and method.
        request_sha256: Hash of its request.
        outcome: What it came to and when; None when only the intent is there.
    """

    kind: str
    request_sha256: str
    outcome: tuple[dict[str, Any], UtcMs] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation came to, with all that is committed beside it.

    Attributes:
        value: The outcome as JSON values.
        at: Moment of the bench when it ended.
        capture: Offset of the capture file and number of frames in it, behind this operation.
        observations: What the bench saw inside devices since the operation before.
        state: Dump of the bench; None where a bench has none.
    """

    value: dict[str, Any]
    at: UtcMs
    capture: tuple[int, int]
    observations: Sequence[Observation]
    state: bytes | None


def text(value: Any) -> str:
    """Return JSON as the journal writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Journal:
    """One run's ``journal.sqlite``, in write-ahead mode.

    Every change is one transaction. A kill at any moment leaves the last committed one.

    Attributes:
        commits: Commits of this process so far.
        crash_at: Kill this process right after that many commits (a fault for tests); None never.
        keeps_states: Whether states of benches are wanted, to resume from.
    """

    keeps_states: bool = True

    def __init__(self, connection: sqlite3.Connection, *, crash_at: int | None = None) -> None:
        connection.row_factory = sqlite3.Row
        self._db = connection
        self.commits = 0
        self.crash_at = crash_at

    @classmethod
    def create(cls, path: Path, *, crash_at: int | None = None) -> "Journal":
        """Make a new journal with empty tables."""
        connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        _prepare(connection)
        connection.executescript(f"BEGIN; {_TABLES} COMMIT;")
        return cls(connection, crash_at=crash_at)

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """Open an existing journal.

        Raises:
            UsageError: There is none, or it is no journal of this format.
        """
        if not path.is_file():
            raise UsageError(
                "this folder holds no run",
                where=str(path),
                cause="a mistyped folder, or a run that never started",
                next_command="ls runs",
            )
        connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        try:
            _prepare(connection)
            sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            formats = [row[0] for row in connection.execute("SELECT format FROM runs")]
        except sqlite3.DatabaseError as error:
            connection.close()
            raise _unreadable(path, str(error)) from error
        if sound != "ok" or formats != [FORMAT]:
            connection.close()
            why = f"format {formats}, not {FORMAT}" if sound == "ok" else str(sound)
            raise _unreadable(path, why)
        return cls(connection)

    def outlast_power_loss(self) -> None:
        """Wait for the disk at every commit: a real device's write must not outlive its intent."""
        self._db.execute("PRAGMA synchronous = FULL")

    def close(self) -> None:
        """Close the file, with everything in it in the one file."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()

    @contextmanager
    def commit(self) -> Iterator[sqlite3.Connection]:
        """Group changes into one transaction; this is where a crash fault strikes."""
        with transaction(self._db) as db:
            yield db
        self.commits += 1
        if self.commits == self.crash_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with closing(self._db.execute(query, values)) as found:
            return found.fetchall()

    def begin_run(self, row: dict[str, Any], scenarios: Sequence[tuple[str, Any]]) -> None:
        """Write the run and the scenarios it is to play, as (id, what is declared)."""
        with self.commit() as db:
            db.execute(
                "INSERT INTO runs VALUES (:id, :format, :version, :seed, :options, :bench,"
                " 'running')",
                {**row, "format": FORMAT, "options": text(row["options"])},
            )
            db.executemany(
                "INSERT INTO scenarios (n, id, declared, state) VALUES (?, ?, ?, 'pending')",
                [(n, name, text(declared)) for n, (name, declared) in enumerate(scenarios)],
            )

    def end_run(self) -> None:
        """Write that every scenario has its verdict."""
        with self.commit() as db:
            db.execute("UPDATE runs SET state = 'done'")

    def begin_scenario(
        self, n: int, at: UtcMs, carried: Any, names: dict[str, str], before: dict[str, Any]
    ) -> None:
        """Write that a scenario begins: what its first step starts from, how its devices look."""
        with self.commit() as db:
            db.execute(
                "UPDATE scenarios SET state = 'running', started_at = ?, carried = ?, names = ?,"
                " before = ? WHERE n = ?",
                (at, text(carried), text(names), text(before), n),
            )

    def end_scenario(self, n: int, at: UtcMs | None, after: dict[str, Any], result: Any) -> None:
        """Write a scenario's verdict; its bench state is no longer needed."""
        with self.commit() as db:
            db.execute(
                "UPDATE scenarios SET state = 'done', ended_at = ?, after = ?, result = ?"
                " WHERE n = ?",
                (at, text(after), text(result), n),
            )
            db.execute("DELETE FROM bench_states WHERE scenario = ?", (n,))

    def broken_by_the_bench(self) -> list[tuple[int, int]]:
        """Return (scenario, step) of every step that ended because a real bench broke."""
        rows = self.rows(
            "SELECT steps.scenario, steps.n FROM steps"
            " JOIN scenarios ON scenarios.n = steps.scenario"
            " WHERE scenarios.state = 'done' AND scenarios.started_at IS NOT NULL"
            " AND json_extract(steps.result, '$.error.blame') = 'bench'"
            " AND (SELECT bench FROM runs) <> 'emulated' ORDER BY steps.scenario, steps.n"
        )
        first: dict[int, int] = {}
        for row in rows:
            first.setdefault(row["scenario"], row["n"])
        return list(first.items())

    def take_back_unbegun(self) -> None:
        """Forget the end of scenarios whose real bench broke before their first step."""
        with self.commit() as db:
            changed = db.execute(
                "UPDATE scenarios SET state = 'pending', result = NULL"
                " WHERE state = 'done' AND started_at IS NULL"
                " AND json_extract(result, '$.error.blame') = 'bench'"
                " AND (SELECT bench FROM runs) <> 'emulated'"
            ).rowcount
            if changed:
                db.execute("UPDATE runs SET state = 'running'")

    def take_back(self, scenario: int, step: int) -> None:
        """Forget the end of a step and all after it, so that it is played again.

        Operations with an outcome stay, and are not done again; statements go.
        """
        with self.commit() as db:
            later = (scenario, step)
            db.execute("DELETE FROM steps WHERE scenario = ? AND n >= ?", later)
            db.execute("DELETE FROM records WHERE scenario = ? AND step >= ?", later)
            db.execute("DELETE FROM operations WHERE scenario = ? AND step > ?", later)
            db.execute(
                "UPDATE scenarios SET state = 'running', ended_at = NULL, result = NULL"
                " WHERE n = ?",
                (scenario,),
            )
            db.execute("UPDATE runs SET state = 'running'")

    def begin_step(self, at: tuple[int, int], title: str, moment: UtcMs) -> None:
        """Write that step ``at`` = (scenario, step) begins."""
        with self.commit() as db:
            db.execute(
                "INSERT INTO steps (scenario, n, title, state, started_at)"
                " VALUES (?, ?, ?, 'running', ?)",
                (*at, title, moment),
            )

    def end_step(
        self,
        at: tuple[int, int],
        moment: UtcMs,
        records: Sequence[tuple[int, Record]],
        carried: Any,
        result: Any,
    ) -> None:
        """Write a step's verdict, all it stated, and what the next step starts from."""
        with self.commit() as db:
            self._put_records(at, records)
            db.execute(
                "UPDATE steps SET state = 'done', ended_at = ?, carried = ?, result = ?"
                " WHERE scenario = ? AND n = ?",
                (moment, text(carried), text(result), *at),
            )

    def intend(
        self, at: tuple[int, int], ordinal: int, kind: str, request: bytes, moment: UtcMs
    ) -> None:
        """Write what is about to be done."""
        with self.commit() as db:
            db.execute(
                "INSERT INTO operations (scenario, ordinal, step, kind, request_sha256, request,"
                " intent_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    at[0],
                    ordinal,
                    at[1],
                    kind,
                    hashlib.sha256(request).hexdigest(),
                    request,
                    moment,
                ),
            )

    def conclude(
        self,
        at: tuple[int, int],
        ordinal: int,
        outcome: Outcome,
        records: Sequence[tuple[int, Record]],
    ) -> None:
        """Write what came of it: outcome, bench state, capture offset, observations, statements."""
        with self.commit() as db:
            db.execute(
                "UPDATE operations SET outcome = ?, outcome_at = ?, capture_offset = ?,"
                " capture_frames = ? WHERE scenario = ? AND ordinal = ?",
                (text(outcome.value), outcome.at, *outcome.capture, at[0], ordinal),
            )
            db.executemany(
                "INSERT INTO observations VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (at[0], ordinal, n, item.at, item.device.hex, item.kind, _fields(item))
                    for n, item in enumerate(outcome.observations)
                ],
            )
            if outcome.state is not None:
                db.execute(
                    "INSERT OR REPLACE INTO bench_states VALUES (?, ?, ?)",
                    (at[0], ordinal, zlib.compress(outcome.state, 1)),
                )
            self._put_records(at, records)

    def operation(self, scenario: int, ordinal: int) -> Recorded | None:
        """Return an operation as recorded; None when it was never intended."""
        found = self.rows(
            "SELECT kind, request_sha256, outcome, outcome_at FROM operations"
            " WHERE scenario = ? AND ordinal = ?",
            scenario,
            ordinal,
        )
        if not found:
            return None
        row = found[0]
        outcome = (
            None
            if row["outcome"] is None
            else (json.loads(row["outcome"]), UtcMs(row["outcome_at"]))
        )
        return Recorded(row["kind"], row["request_sha256"], outcome)

    def bench_state(self, scenario: int) -> bytes | None:
        """Return the last committed state of the scenario's bench; None when there is none."""
        found = self.rows("SELECT state FROM bench_states WHERE scenario = ?", scenario)
        return zlib.decompress(found[0][0]) if found else None

    def capture_end(self) -> tuple[int, int] | None:
        """Return offset and frame count of the capture at the last committed outcome."""
        found = self.rows(
            "SELECT capture_offset, capture_frames FROM operations WHERE outcome IS NOT NULL"
            " ORDER BY scenario DESC, ordinal DESC LIMIT 1"
        )
        return (found[0][0], found[0][1]) if found else None

    def taken_before(self, scenario: int, ordinal: int, request_sha256: str) -> bool:
        """Say whether the same octets were already sent earlier in the scenario."""
        found = self.rows(
            "SELECT 1 FROM operations WHERE scenario = ? AND ordinal < ? AND request_sha256 = ?"
            " AND kind = 'hub.send' LIMIT 1",
            scenario,
            ordinal,
            request_sha256,
        )
        return bool(found)

    def _put_records(self, at: tuple[int, int], records: Sequence[tuple[int, Record]]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (*at, n, item.after, item.at, item.kind, text(item.body), item.octets)
                for n, item in records
            ],
        )


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _fields(item: Observation) -> str:
    return text([[name, plain(value)] for name, value in item.fields])


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        "the journal of this run cannot be read",
        where=f"{path} ({why})",
        cause="a damaged file, or a run of another version of smetsbench",
        next_command="smetsbench run ID --out NEW-FOLDER",
    )
