"""Answers a client out of a recorded conversation, as the recorded meter did; no I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from harness.dlms.settings import Framing
from harness.dlms_view.line import LineReader, Way
from harness.dlms_view.scan import Piece, Scanner
from harness.line_secrets import SecretMask
from harness.transcript import Chunk, EventKind, Record, Transcript
from harness.transcript_guard import masked_records

#: Most mismatches that are kept; the rest is counted.
MAX_KEPT: Final = 100


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A request that is not the one recorded.

    Attributes:
        number: Which turn of the conversation was due, from 1.
        expected: What was recorded there, in words.
        got: What came, in words.
        octets: What came, secrets masked.
    """

    number: int
    expected: str
    got: str
    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """Octets to put on the line.

    Attributes:
        octets: As recorded.
        after_ns: How long after the request, or after the answer before, in the recording.
    """

    octets: bytes
    after_ns: int = 0


class Player(Protocol):
    """Someone who answers in a meter's place."""

    mismatches: list[Mismatch]
    count: int

    @property
    def left(self) -> int:
        """How many recorded requests have not come."""
        ...

    def connected(self) -> list[Answer]:
        """Note that a client is there; a new connection begins where the last one ended."""
        ...

    def receive(self, octets: bytes) -> list[Answer]:
        """Take octets of the client."""
        ...

    def silence(self) -> list[Answer]:
        """Note that nothing came for a while: an unfinished frame stays so."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """Octets of a request, and the answers to it, as recorded."""

    request: bytes
    answers: tuple[Answer, ...]


def turns_of(records: Sequence[Record]) -> list[Turn]:
    """Return a recording as turns: all that went to the meter, and all that then came from it."""
    turns: list[Turn] = []
    request, answers, at_ns = b"", list[Answer](), 0
    for record in records:
        if isinstance(record, Chunk) and record.way is Way.OUT:
            answers.append(Answer(record.octets, max(0, record.at_ns - at_ns) if at_ns else 0))
            at_ns = record.at_ns
            continue
        starts = isinstance(record, Chunk) or record.kind is EventKind.OPEN
        if starts and answers:
            turns.append(Turn(request, tuple(answers)))
            request, answers = b"", []
        if isinstance(record, Chunk):
            request += record.octets
            at_ns = record.at_ns
    if request or answers:
        turns.append(Turn(request, tuple(answers)))
    return turns


class StrictPlayer:
    """Answers only what was recorded, in the order of the recording, octet for octet.

    Secrets are compared masked. A request that comes again before the next one is answered again,
    as a meter repeats its answer. Anything else is a mismatch and gets no answer.

    Attributes:
        mismatches: What came that was not recorded there.
        count: Their number.
    """

    def __init__(self, transcript: Transcript, channel: int = 0) -> None:
        """Play one channel of a recording from its beginning."""
        self.mismatches: list[Mismatch] = []
        self.count = 0
        self._framing = transcript.about.framing
        self._turns = turns_of(masked_records(transcript.of(channel), self._framing))
        self._at = 0
        self._begin()

    @property
    def left(self) -> int:
        """How many recorded requests have not come."""
        return sum(bool(turn.request) for turn in self._turns[self._at :])

    def _begin(self) -> None:
        self._scanner = Scanner(self._framing)
        self._mask = SecretMask(self._framing)
        self._heard = b""
        self._end = 0

    def connected(self) -> list[Answer]:
        """Note that a client is there."""
        self._begin()
        return self._unasked()

    def _unasked(self) -> list[Answer]:
        """Return what the meter said without being asked."""
        answers: list[Answer] = []
        while self._at < len(self._turns) and not self._turns[self._at].request:
            answers += self._turns[self._at].answers
            self._at += 1
        return answers

    def receive(self, octets: bytes) -> list[Answer]:
        """Take octets of the client."""
        return self._take(self._scanner.feed(octets))

    def silence(self) -> list[Answer]:
        """Note that nothing came for a while."""
        answers = self._take(self._scanner.end())
        if self._heard:
            self._refuse()
        self._end = 0
        self._scanner = Scanner(self._framing)
        return answers

    def _take(self, pieces: list[Piece]) -> list[Answer]:
        answers: list[Answer] = []
        for piece in pieces:
            masked = self._mask.piece(piece)
            self._heard += masked.octets[max(0, self._end - masked.start) :]
            self._end = masked.end
            answers += self._judge()
        return answers

    def _judge(self) -> list[Answer]:
        due = self._turns[self._at].request if self._at < len(self._turns) else b""
        before = self._turns[self._at - 1] if self._at else Turn(b"", ())
        if due and self._heard == due:
            turn = self._turns[self._at]
            self._at, self._heard = self._at + 1, b""
            return [*turn.answers, *self._unasked()]
        if before.request and self._heard == before.request:
            self._heard = b""
            return list(before.answers)
        if not due.startswith(self._heard) and not before.request.startswith(self._heard):
            self._refuse()
        return []

    def _refuse(self) -> None:
        due = self._turns[self._at].request if self._at < len(self._turns) else b""
        self.count += 1
        if self.count <= MAX_KEPT:
            got = in_words(self._heard, self._framing)
            expected = in_words(due, self._framing) if due else "nothing more"
            self.mismatches.append(Mismatch(self._at + 1, expected, got, self._heard))
        self._heard = b""


def in_words(octets: bytes, framing: Framing | None = None) -> str:
    """Return what octets towards the meter say, in one line."""
    reader = LineReader(framing)
    told = [one.label for one in reader.feed(Way.IN, octets) + reader.end()]
    return "; ".join(told[:3]) + (f" (+{len(told) - 3})" if len(told) > 3 else "")
