"""The journal of a migration run: its rounds, the files of each, and every installation's play."""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from emulator.core.values import quick
from harness.errors import UsageError
from harness.journal import Journal, text
from harness.migration.record import InstallationRecord
from harness.migration.totals import UnreconciledError

#: What the one row of ``scenarios`` is called: to the journal, a migration run is one scenario.
SCENARIO: Final = "MIGRATION"
#: A chunk has fewer common files than this.
_FILES_A_CHUNK: Final = 100
_TABLES: Final = """
CREATE TABLE migration_rounds (
  n INTEGER PRIMARY KEY, kind TEXT NOT NULL, told TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE migration_files (
  round INTEGER NOT NULL, n INTEGER NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
  told TEXT NOT NULL, octets BLOB NOT NULL, PRIMARY KEY (round, n));
CREATE TABLE migration_plays (
  round INTEGER NOT NULL, n INTEGER NOT NULL, ref TEXT NOT NULL, state TEXT NOT NULL,
  told BLOB, letters BLOB, files BLOB, memory BLOB, capture_offset INTEGER, capture_frames INTEGER,
  PRIMARY KEY (round, n));
"""


@quick
@dataclass(frozen=True, slots=True)
class SentFile:
    """A migration file as it was sent.

    Attributes:
        name: Its name.
        octets: Its content, signature and all.
        told: Sender, receiver, type, verdict and findings, as JSON values.
    """

    name: str
    octets: bytes = field(repr=False)
    told: dict[str, Any]

    @property
    def sha256(self) -> str:
        """SHA-256 of the octets, 64 hex digits."""
        return hashlib.sha256(self.octets).hexdigest()


@quick
@dataclass(frozen=True, slots=True)
class FileNote:
    """What a reader must know of a migration file without its octets.

    Attributes:
        name: Its name.
        sha256: SHA-256 of its octets, 64 hex digits.
        size_bytes: How many they are.
        told: Sender, receiver, type, verdict and findings, as JSON values.
    """

    name: str
    sha256: str
    size_bytes: int
    told: dict[str, Any]

    @classmethod
    def of(cls, file: SentFile) -> Self:
        """Return what is to be known of a file."""
        return cls(file.name, file.sha256, len(file.octets), file.told)


@dataclass(frozen=True, slots=True)
class Play:
    """One installation as it was played in one round.

    Attributes:
        record: What is kept of it; None while it was not played.
        letters: Messages between parties: at, sender, receiver, kind, octets, sha256, summary;
            in a play that was read back, none: `VolumeJournal.letters` has them.
        files: Migration files of this installation alone (outcomes).
        facts: Further numbers: device writes, virtual seconds, frames.
        error: What broke, where the bench or the harness did; empty else.
    """

    record: InstallationRecord | None
    letters: tuple[dict[str, Any], ...] = ()
    files: tuple[FileNote, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    error: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Round:
    """One going over a list of installations.

    Attributes:
        number: From 0.
        kind: ``migrate`` or ``resubmit``.
        told: Judgement, roll forward, refs: what was asked.
        done: Whether every installation of it was played.
    """

    number: int
    kind: str
    told: dict[str, Any]
    done: bool


class VolumeJournal:
    """``journal.sqlite`` of a migration run.

    An installation's play is one transaction: what a kill cuts off leaves no trace, and is played
    again from its own beginning on a home that nobody has touched.

    Attributes:
        journal: The journal of runs that this one extends.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    @classmethod
    def create(cls, path: Path, *, crash_at: int | None = None) -> Self:
        """Make a new journal with empty tables."""
        journal = Journal.create(path, crash_at=crash_at)
        with journal.commit() as db:
            for table in _TABLES.split(";")[:-1]:
                db.execute(table)
        return cls(journal)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the journal of a migration run.

        Raises:
            UsageError: There is none, it cannot be read, or it is that of a run of scenarios.
        """
        journal = Journal.open(path)
        if not is_migration(journal):
            journal.close()
            raise UsageError(
                "the folder holds a run of scenarios, no migration run",
                where=str(path.parent),
                cause="another run folder was meant",
                next_command="smetsbench migration run --cohort KEY --installations FILE",
            )
        return cls(journal)

    def close(self) -> None:
        """Close the file."""
        self.journal.close()

    def begin(self, row: dict[str, Any], refs: Sequence[str]) -> None:
        """Write the run and its first round, before anything is done."""
        self.journal.begin_run(row, [(SCENARIO, {"refs": len(refs)})])
        self.begin_first(refs)

    def begin_first(self, refs: Sequence[str]) -> None:
        """Write the first round, unless it is there (a kill may have come between)."""
        if not self.rounds():
            self.begin_round("migrate", {}, list(enumerate(refs)))

    def begin_round(self, kind: str, told: dict[str, Any], refs: Sequence[tuple[int, str]]) -> None:
        """Write that installations, by number and ref, are to be gone over."""
        with self.journal.commit() as db:
            number = db.execute("SELECT COUNT(*) FROM migration_rounds").fetchone()[0]
            db.execute(
                "INSERT INTO migration_rounds VALUES (?, ?, ?, 'running')",
                (number, kind, text(told)),
            )
            db.executemany(
                "INSERT INTO migration_plays (round, n, ref, state) VALUES (?, ?, ?, 'pending')",
                [(number, n, ref) for n, ref in refs],
            )
            db.execute("UPDATE scenarios SET state = 'running'")
            db.execute("UPDATE runs SET state = 'running'")

    def end_round(self, number: int, result: dict[str, Any]) -> None:
        """Write that a round is over, and what the run came to."""
        with self.journal.commit() as db:
            db.execute("UPDATE migration_rounds SET state = 'done' WHERE n = ?", (number,))
            db.execute("UPDATE scenarios SET state = 'done', result = ?", (text(result),))
            db.execute("UPDATE runs SET state = 'done'")

    def options(self) -> dict[str, Any]:
        """Return the choices the run was begun with."""
        found: dict[str, Any] = json.loads(self.row()["options"])
        return found

    def row(self) -> sqlite3.Row:
        """Return the row of the run."""
        return self.journal.rows("SELECT * FROM runs")[0]

    def rounds(self) -> list[Round]:
        """Return the rounds so far."""
        return [
            Round(row["n"], row["kind"], json.loads(row["told"]), row["state"] == "done")
            for row in self.journal.rows("SELECT * FROM migration_rounds ORDER BY n")
        ]

    def put_chunk(self, number: int, chunk: int, files: Sequence[SentFile]) -> None:
        """Write the common files of a chunk of installations, before a device of it is touched.

        Raises:
            UnreconciledError: They were written before, with other octets: the same run makes the
                same files, so something of it is not the same.
        """
        rows = self.journal.rows("SELECT name, sha256 FROM migration_files WHERE round = ?", number)
        known = {row["name"]: row["sha256"] for row in rows}
        for one in files:
            if known.get(one.name, one.sha256) != one.sha256:
                raise UnreconciledError(
                    f"{one.name} is not the file that was journalled before",
                    where=f"round {number + 1}",
                    cause="another version of smetsbench, or data files that changed meanwhile",
                    next_command="smetsbench migration run … --out NEW-FOLDER",
                )
        first = chunk * _FILES_A_CHUNK
        with self.journal.commit() as db:
            db.executemany(
                "INSERT OR REPLACE INTO migration_files VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (number, n, one.name, one.sha256, text(one.told), zlib.compress(one.octets, 1))
                    for n, one in enumerate(files, first)
                ],
            )

    def files(self, number: int) -> list[SentFile]:
        """Return the common files of a round, chunk by chunk; none before they were made."""
        rows = self.journal.rows("SELECT * FROM migration_files WHERE round = ? ORDER BY n", number)
        return [
            SentFile(row["name"], zlib.decompress(row["octets"]), json.loads(row["told"]))
            for row in rows
        ]

    def put_play(
        self,
        number: int,
        n: int,
        play: Mapping[str, bytes],
        memory: bytes,
        capture: tuple[int, int],
    ) -> None:
        """Write one installation's play, in one transaction.

        Args:
            number: The round.
            n: The installation.
            play: What ``dump_play`` gives.
            memory: State of home and parties, where a later round may need it; else empty.
            capture: Length of the capture and frames in it, behind this play.
        """
        with self.journal.commit() as db:
            db.execute(
                "UPDATE migration_plays SET state = 'done', told = ?, letters = ?, files = ?,"
                " memory = ?, capture_offset = ?, capture_frames = ? WHERE round = ? AND n = ?",
                (*(play[part] for part in _PARTS), memory or None, *capture, number, n),
            )

    def pending(self, number: int) -> list[tuple[int, str]]:
        """Return number and ref of the installations a round has still to play."""
        rows = self.journal.rows(
            "SELECT n, ref FROM migration_plays WHERE round = ? AND state = 'pending' ORDER BY n",
            number,
        )
        return [(row["n"], row["ref"]) for row in rows]

    def refs(self, number: int) -> list[tuple[int, str]]:
        """Return number and ref of every installation of a round, in order."""
        rows = self.journal.rows(
            "SELECT n, ref FROM migration_plays WHERE round = ? ORDER BY n", number
        )
        return [(row["n"], row["ref"]) for row in rows]

    def plays(self, number: int) -> Iterator[tuple[int, str, Play]]:
        """Yield number, ref and play of every installation of a round, in order."""
        for n, ref in self.refs(number):
            rows = self.journal.rows(
                "SELECT told FROM migration_plays WHERE round = ? AND n = ?", number, n
            )
            yield n, ref, load_play(rows[0]["told"])

    def letters(self, number: int, n: int) -> tuple[dict[str, Any], ...]:
        """Return the messages between parties about one installation in a round."""
        found = self._part("letters", number, n)
        return tuple(found or ())

    def own_files(self, number: int) -> Iterator[SentFile]:
        """Yield the files about one installation alone, of every installation of a round."""
        for n, _ref in self.refs(number):
            for name, octets, told in self._part("files", number, n) or ():
                yield SentFile(name, octets.encode(), told)

    def _part(self, part: str, number: int, n: int) -> Any:
        rows = self.journal.rows(
            f"SELECT {part} FROM migration_plays WHERE round = ? AND n = ?",  # noqa: S608 -- _PARTS
            number,
            n,
        )
        return None if rows[0][part] is None else _unpacked(rows[0][part])

    def memory(self, n: int) -> bytes:
        """Return the last stored state of an installation's home and parties; empty for none."""
        rows = self.journal.rows(
            "SELECT memory FROM migration_plays WHERE n = ? AND state = 'done'"
            " ORDER BY round DESC LIMIT 1",
            n,
        )
        return bytes(rows[0]["memory"] or b"") if rows else b""

    def records(self, *, before: int | None = None) -> list[InstallationRecord]:
        """Return the record of each installation as its last play left it, in order.

        Args:
            before: Look at plays of rounds before this one alone; None: at all.
        """
        rounds = len(self.rounds()) if before is None else before
        rows = self.journal.rows(
            "SELECT n, told FROM migration_plays WHERE state = 'done' AND round < ?"
            " ORDER BY n, round",
            rounds,
        )
        last = {row["n"]: row["told"] for row in rows}
        plays = (load_play(told) for told in last.values())
        return [one.record for one in plays if one.record is not None]

    def capture_end(self) -> tuple[int, int] | None:
        """Return length and frame count of the capture behind the last play."""
        rows = self.journal.rows(
            "SELECT MAX(capture_offset), MAX(capture_frames) FROM migration_plays"
            " WHERE state = 'done'"
        )
        return None if rows[0][0] is None else (rows[0][0], rows[0][1])


def is_migration(journal: Journal) -> bool:
    """Say whether a journal is that of a migration run."""
    found = journal.rows("SELECT 1 FROM sqlite_master WHERE name = 'migration_rounds'")
    return bool(found)


def dump_play(play: Play, files: Sequence[SentFile]) -> dict[str, bytes]:
    """Return a play as the journal keeps it: what every reader wants, letters, and files apart.

    Args:
        play: The play.
        files: Its files.
    """
    told = {
        "record": None if play.record is None else play.record.dump(),
        "files": [[one.name, one.sha256, one.size_bytes, one.told] for one in play.files],
        "facts": play.facts,
        "error": play.error,
    }
    plain = [[one.name, one.octets.decode(), one.told] for one in files]
    return dict(zip(_PARTS, map(_packed, (told, list(play.letters), plain)), strict=True))


def load_play(told: bytes | None) -> Play:
    """Return a stored play; one without a record where it was not played."""
    if told is None:
        return Play(None)
    plain = _unpacked(told)
    record = plain["record"]
    return Play(
        None if record is None else InstallationRecord.restore(record),
        (),
        tuple(FileNote(*row) for row in plain["files"]),
        plain["facts"],
        plain["error"],
    )


#: Columns that hold the parts of a play.
_PARTS: Final = ("told", "letters", "files")


def _packed(plain: object) -> bytes:
    return zlib.compress(text(plain).encode(), 1)


def _unpacked(octets: bytes) -> Any:
    return json.loads(zlib.decompress(octets))
