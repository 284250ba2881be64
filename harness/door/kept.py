"""What a door keeps, as values: requests, answers, alerts."""

import hashlib
import sqlite3
from dataclasses import dataclass
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis.request_id import RequestId


@dataclass(frozen=True, slots=True)
class Taken:
    """One request that was taken.

    Attributes:
        id: Its number at the door, from 1.
        door: ``http`` or ``drop``.
        name: File name at the drop; empty at HTTP.
        user: Who asked.
        request_id: Its RequestID.
        service: Its service reference variant.
        waits: Whether it is acknowledged and answered later (Send Command), or answered at once.
        document: The request.
        prompt: What the DSP answered at once; None until it did.
    """

    id: int
    door: str
    name: str
    user: Eui64
    request_id: RequestId
    service: str
    waits: bool
    document: bytes
    prompt: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One response to a request.

    Attributes:
        request: Number of the request.
        number: 1 for the first; a future-dated request has two.
        at: When it came, bench time.
        document: The signed response.
    """

    request: int
    number: int
    at: UtcMs
    document: bytes


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, or one further answer to a request that was answered before.

    Attributes:
        number: From 1, without gaps.
        user: Whom it is for.
        code: Alert code, or the response code of a further answer.
        request: Number of the request it belongs to, where it says so.
        at: When it came, bench time.
        document: The signed document.
    """

    number: int
    user: Eui64
    code: str
    request: int | None
    at: UtcMs
    document: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that is to be taken: what the rules found out about it.

    Attributes:
        door: ``http`` or ``drop``.
        name: File name at the drop; empty at HTTP.
        request_id: Its RequestID.
        service: Its service reference variant.
        waits: Whether it is answered later.
        is_signed_pre_command: It travels under the RequestID of the request it came from.
        document: The request.
    """

    door: str
    name: str
    request_id: RequestId
    service: str
    waits: bool
    is_signed_pre_command: bool
    document: bytes

    @property
    def mark(self) -> str:
        """What tells requests of one counter apart: signed pre-commands by their octets."""
        return hashlib.sha256(self.document).hexdigest() if self.is_signed_pre_command else ""


@dataclass(frozen=True, slots=True)
class Input:
    """Something that came in and waits for the world.

    Attributes:
        seq: Its place among everything that came in, from 1.
        kind: ``request``, ``paper``, ``done`` or ``refused``.
        number: Its number among those; of a ``done``: the turn.
    """

    seq: int
    kind: str
    number: int


#: Most octets of what was refused that are kept. Source: invented.
_MOST_REFUSED: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that a door of a run refused.

    Attributes:
        number: From 1; 0 while it has none.
        door: ``http`` or ``drop``.
        name: File name at the drop; empty at HTTP.
        code: Why, as the participant was told.
        what: One sentence.
        who: Whose it said it was; may be empty.
        size: Octets it had.
        sha256: Their hash, hex.
        octets: The octets themselves; empty for what is too large to be kept.
    """

    number: int
    door: str
    name: str
    code: str
    what: str
    who: str
    size: int
    sha256: str
    octets: bytes

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 -- the columns of its row
        cls, door: str, name: str, code: str, what: str, who: str, octets: bytes
    ) -> "Refused":
        """Return it as it came."""
        digest = hashlib.sha256(octets).hexdigest()
        kept = octets if len(octets) <= _MOST_REFUSED else b""
        return cls(0, door, name, str(code), what, who, len(octets), digest, kept)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that was taken from the drop before.

    Attributes:
        kind: As in ``Input``.
        number: As in ``Input``.
        moved: Whether it stands in ``taken``.
        octets: What it held; empty for the word that a turn is done.
        request_id: Of a request.
        waits: Of a request: whether it is answered later.
    """

    kind: str
    number: int
    moved: bool
    octets: bytes
    request_id: str
    waits: bool

    @classmethod
    def of(cls, row: sqlite3.Row) -> "Dropped":
        """Return it as a row has it."""
        octets = row["document"] if row["kind"] == "request" else row["octets"]
        return cls(
            row["kind"],
            row["number"],
            bool(row["moved"]),
            octets or b"",
            row["request_id"] or "",
            bool(row["waits"]),
        )


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file for the participant.

    Attributes:
        number: From 1.
        name: Its name, its own.
        octets: What it holds; empty in a list.
        size: Octets it has.
        paper: Number of the paper it belongs to, or None.
        turn: Turn it came with, or None.
        at: When it came, bench time.
    """

    number: int
    name: str
    octets: bytes
    size: int
    paper: int | None
    turn: int | None
    at: UtcMs

    @classmethod
    def of(cls, row: sqlite3.Row) -> "Outgoing":
        """Return it as a row has it."""
        return cls(
            row["number"],
            row["name"],
            bytes(row["octets"]),
            row["size"],
            row["paper"],
            row["turn"],
            UtcMs(row["at"]),
        )


def taken_of(row: sqlite3.Row) -> Taken:
    """Return a request as a row has it."""
    return Taken(
        row["id"],
        row["door"],
        row["name"],
        Eui64.parse(row["user"]),
        RequestId.parse(row["request_id"]),
        row["service"],
        bool(row["waits"]),
        row["document"],
        row["prompt"],
    )


def answer_of(row: sqlite3.Row) -> Answer:
    """Return an answer as a row has it."""
    return Answer(row["request"], row["number"], UtcMs(row["at"]), row["document"])


def alert_of(row: sqlite3.Row) -> Alert:
    """Return an alert as a row has it."""
    return Alert(
        row["number"],
        Eui64.parse(row["user"]),
        row["code"],
        row["request"],
        UtcMs(row["at"]),
        row["document"],
    )
