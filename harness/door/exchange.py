"""What the door keeps: requests, answers and alerts, in one journal that survives a kill."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.door import state_pieces
from harness.door.journal import put_input
from harness.door.kept import (
    Alert,
    Answer,
    Arrival,
    Dropped,
    Input,
    Taken,
    alert_of,
    answer_of,
    taken_of,
)
from harness.door.ports import PaperOutcome, TurnSheet
from harness.door.shelf import Shelf, keep_outcome, keep_turn
from harness.formats.duis.request_id import RequestId


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert, or a further answer, that is to be kept.

    Attributes:
        user: Whom it is for.
        code: Alert code, or response code.
        request: Number of the request it belongs to, where it says so.
        at: When it came, bench time.
        document: The signed document.
    """

    user: Eui64
    code: str
    request: int | None
    at: UtcMs
    document: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Memory:
    """The state of homes, parties and conductor.

    Attributes:
        state: Dumped.
        over: Whether the run is over.
    """

    state: bytes = field(repr=False)
    over: bool = False


@dataclass(slots=True)
class Deed:
    """What the world did, written down at one stroke.

    Attributes:
        at: The present moment of the bench.
        done: The input that this was, by its place in the sequence; 0 for none.
        prompt: Request and what the DSP answered at once.
        answers: Request and response to it.
        alerts: Alerts and further answers.
        outcome: Paper and what the desk made of it.
        sheet: The turn that is open from now on.
        patience_s: Wall seconds of silence that end it.
        memory: State to go on from; None where none is kept now.
    """

    at: UtcMs
    done: int = 0
    prompt: tuple[int, bytes] | None = None
    answers: Sequence[tuple[int, bytes]] = ()
    alerts: Sequence[Raised] = ()
    outcome: tuple[int, PaperOutcome] | None = None
    sheet: TurnSheet | None = None
    patience_s: float | None = None
    memory: Memory | None = None


class Exchange(Shelf):
    """The journal; every method is one transaction and may be called from any thread.

    A kill at any moment leaves the last committed one.
    """

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
                number = int(cursor.lastrowid or 0)
                put_input(db, "request", number, arrival.door, arrival.name)
        except sqlite3.IntegrityError:
            return None
        return number

    def request(self, number: int) -> Taken | None:
        """Return a request, or None."""
        rows = self._rows("SELECT * FROM requests WHERE id = ?", number)
        return taken_of(rows[0]) if rows else None

    def next_waiting(self) -> Input | None:
        """Return the oldest input that the world did not deal with yet, or None."""
        rows = self._rows(
            "SELECT seq, kind, number FROM inputs WHERE done = 0 ORDER BY seq LIMIT 1"
        )
        return Input(*rows[0]) if rows else None

    def of_request_id(self, request_id: RequestId) -> int | None:
        """Return the newest request of a RequestID that is answered later, or None."""
        rows = self._rows(
            "SELECT id FROM requests WHERE request_id = ? AND waits ORDER BY id DESC LIMIT 1",
            str(request_id),
        )
        return rows[0]["id"] if rows else None

    def dropped(self, name: str) -> Dropped | None:
        """Return the newest input from the drop under a name, or None."""
        rows = self._rows(
            "SELECT i.*, r.document, r.request_id, r.waits, p.octets FROM inputs i"
            " LEFT JOIN requests r ON i.kind = 'request' AND r.id = i.number"
            " LEFT JOIN papers p ON i.kind = 'paper' AND p.number = i.number"
            " WHERE i.door = 'drop' AND i.name = ? AND i.kind <> 'refused'"
            " ORDER BY i.seq DESC LIMIT 1",
            name,
        )
        return Dropped.of(rows[0]) if rows else None

    def note_moved(self, kind: str, number: int) -> None:
        """Note that the file of an input from the drop stands in ``taken``."""
        with self._transaction() as db:
            db.execute("UPDATE inputs SET moved = 1 WHERE kind = ? AND number = ?", (kind, number))

    # -- what the world did --------------------------------------------------------------------

    def commit(self, deed: Deed) -> None:
        """Write down, at one stroke, what the world did and the state it is in now."""
        with self._transaction() as db:
            if deed.prompt is not None:
                number, document = deed.prompt
                db.execute("UPDATE requests SET prompt = ? WHERE id = ?", (document, number))
            for request, document in deed.answers:
                db.execute(
                    "INSERT INTO answers (request, number, at, document) SELECT ?,"
                    " COALESCE(MAX(number), 0) + 1, ?, ? FROM answers WHERE request = ?",
                    (request, deed.at, document, request),
                )
            db.executemany(
                "INSERT INTO alerts (user, code, request, at, document) VALUES (?, ?, ?, ?, ?)",
                [
                    (str(one.user), one.code, one.request, one.at, one.document)
                    for one in deed.alerts
                ],
            )
            if deed.outcome is not None:
                keep_outcome(db, *deed.outcome, deed.at)
            if deed.done:
                db.execute("UPDATE inputs SET done = 1 WHERE seq = ?", (deed.done,))
            if deed.sheet is not None:
                keep_turn(db, deed.sheet, deed.at, deed.patience_s)
            if deed.memory is not None:
                _remember(db, deed.at, deed.memory)

    def memory(self) -> bytes | None:
        """Return the last state of homes and parties, or None."""
        rows = self._rows("SELECT pieces FROM memory")
        if not rows:
            return None
        with self._lock:
            return state_pieces.put_together(self._db, rows[0]["pieces"])

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
        only = None if user is None else str(user)
        rows = self._rows(
            "SELECT * FROM alerts WHERE number > ? AND (? IS NULL OR user = ?)"
            " ORDER BY number LIMIT ?",
            after,
            only,
            only,
            most,
        )
        return [alert_of(row) for row in rows]

    def unwritten_answers(self, most: int) -> list[tuple[Taken, Answer]]:
        """Return answers to requests from the drop that no file holds yet, at most so many."""
        rows = self._rows(
            "SELECT a.* FROM answers a JOIN requests r ON r.id = a.request"
            " WHERE a.written = 0 AND r.door = 'drop' ORDER BY a.request, a.number LIMIT ?",
            most,
        )
        found = [(self.request(row["request"]), answer_of(row)) for row in rows]
        return [(taken, answer) for taken, answer in found if taken is not None]

    def unwritten_alerts(self, most: int) -> list[Alert]:
        """Return alerts that no file holds yet, at most so many."""
        rows = self._rows("SELECT * FROM alerts WHERE written = 0 ORDER BY number LIMIT ?", most)
        return [alert_of(row) for row in rows]

    def note_answers_written(self, answers: Sequence[Answer]) -> None:
        """Note that files hold answers."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE answers SET written = 1 WHERE request = ? AND number = ?",
                [(one.request, one.number) for one in answers],
            )

    def counts(self) -> dict[str, int]:
        """Return how many requests, answers, alerts and papers there are."""
        tables = ("requests", "answers", "alerts", "papers")
        row = self._rows(
            "SELECT (SELECT COUNT(*) FROM requests), (SELECT COUNT(*) FROM answers),"
            " (SELECT COUNT(*) FROM alerts), (SELECT COUNT(*) FROM papers)"
        )[0]
        return {name: int(row[place]) for place, name in enumerate(tables)}


def _remember(db: sqlite3.Connection, at: UtcMs, memory: Memory) -> None:
    """Keep a state, and how far everything had come when it was that."""
    db.execute(
        "INSERT OR REPLACE INTO memory SELECT 1, ?, ?, ?,"
        " (SELECT COALESCE(MAX(rowid), 0) FROM answers),"
        " (SELECT COALESCE(MAX(number), 0) FROM alerts),"
        " (SELECT COALESCE(MAX(number), 0) FROM files),"
        " (SELECT COALESCE(MAX(number), 0) FROM turns),"
        " (SELECT COALESCE(MAX(seq), 0) FROM inputs WHERE done = 1)",
        (at, state_pieces.keep(db, memory.state), memory.over),
    )
