"""The rules for papers and for the word that a turn is done; the same at every door."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from emulator.core.clock import UtcMs
from harness.door.errors import DoorCode, Refusal, of_document
from harness.door.exchange import Exchange
from harness.door.intake import Note
from harness.door.refusals import Refusals
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.xml_input import MAX_DOCUMENT_BYTES

#: Longest name, in octets, that still has room for what answers add to it.
LONGEST_NAME: Final = 200
_DONE: Final = re.compile(r"turn-([0-9]{1,9})\.done")
_MOST_DONE_BYTES: Final = 4096
#: Octets of a document that are looked at to see what it is.
_HEAD: Final = 4096
_ROOT: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?(Request|Response)[\s>/]")
_ZIP: Final = b"PK\x03\x04"
_XML_NAME: Final = ".xml"


@dataclass(frozen=True, slots=True)
class PaperTicket:
    """A paper that was taken.

    Attributes:
        number: Its number among papers.
        name: Its name.
    """

    number: int
    name: str

    def as_json(self) -> dict[str, object]:
        """Return it as the participant gets it, at either door."""
        return {"id": self.number, "name": self.name, "answer": f"/papers/{self.number}"}


@dataclass(slots=True)
class PaperIntake:
    """Takes papers and words; whatever it refuses leaves no trace.

    Attributes:
        exchange: Where they are kept.
        now: Bench time.
        on_taken: Called when there is something to do.
        tell: Takes a note of each.
        conducted: Whether somebody takes papers and leads turns.
        refusals: Keeps what is refused.
    """

    exchange: Exchange
    now: Callable[[], UtcMs]
    on_taken: Callable[[], None]
    tell: Callable[[Note], None]
    conducted: bool
    refusals: Refusals

    def take(self, octets: bytes, *, door: str, name: str) -> PaperTicket | Refusal:
        """Take one paper.

        Args:
            octets: What it holds.
            door: ``http`` or ``drop``.
            name: Its file name.
        """
        refusal = self._judged(octets, name)
        outcome: PaperTicket | Refusal
        if refusal is not None:
            outcome = refusal
        else:
            number = self.exchange.take_paper(door, name, octets)
            outcome = used_before(name) if number is None else PaperTicket(number, name)
        self._note(f"paper {name[:60]!r}", outcome, door)
        if isinstance(outcome, Refusal):
            self.refusals.keep(outcome, octets, door=door, name=name)
        return outcome

    def say_done(self, turn: int, *, door: str, name: str = "") -> Refusal | None:
        """Take the word that a turn is done."""
        refusal = self._judged_word(turn)
        if refusal is None and self.exchange.say_done(turn, door, name) is None:
            refusal = _over(turn)
        self._note(f"turn {turn} done", refusal, door)
        if refusal is not None:
            self.refusals.keep(refusal, b"", door=door, name=name)
        return refusal

    def _judged(self, octets: bytes, name: str) -> Refusal | None:
        if not self.conducted:
            what = "it is no DUIS request, and this door takes nothing else"
            return Refusal(
                DoorCode.NO_PAPERS, what, name[:80], "a door without a run", "smetsbench dust run"
            )
        if not is_usable(name):
            what = "the name is hidden, too long, not printable, or no plain file name"
            return Refusal(DoorCode.BAD_NAME, what, repr(name)[:80], "a name no answer can bear")
        if not octets:
            return Refusal(DoorCode.EMPTY, "the paper is empty", name, "sent before it was full")
        if len(octets) > MAX_DOCUMENT_BYTES:
            why = f"the paper has more octets than the limit of {MAX_DOCUMENT_BYTES}"
            return of_document(DuisError(DuisFault.TOO_LARGE, why))
        return None

    def _judged_word(self, turn: int) -> Refusal | None:
        found = self.exchange.turn() if self.conducted else None
        if found is not None and found[0] == turn:
            return None
        if found is not None and 0 < turn < found[0]:
            return _over(turn)
        what = f"turn {turn} is not open"
        return Refusal(
            DoorCode.WRONG_TURN, what, str(turn), "a word that came too early", status=409
        )

    def _note(self, what: str, outcome: PaperTicket | Refusal | None, door: str) -> None:
        word = str(outcome.code) if isinstance(outcome, Refusal) else "taken"
        number = outcome.number if isinstance(outcome, PaperTicket) else 0
        self.tell(Note(self.now(), "-", what, "-", word, number, door))
        if not isinstance(outcome, Refusal):
            self.on_taken()


def is_usable(name: str) -> bool:
    """Say whether a file name can bear an answer."""
    plain = name.isprintable() and not name.startswith(".") and not set(name) & set("/\\")
    return bool(name) and plain and len(os.fsencode(name)) <= LONGEST_NAME


def is_duis(octets: bytes, name: str) -> bool:
    """Say whether something is (meant as) a DUIS document: by its octets, then by its name.

    A document whose first element is a Request or Response is one, whatever it is called; a
    workbook or other known form is none; what cannot be told is one where its name ends so.
    """
    head = octets[:_HEAD]
    if _ROOT.search(head):
        return True
    if head.startswith(_ZIP):
        return False
    return name.lower().endswith(_XML_NAME)


def done_turn(octets: bytes, name: str) -> int | None:
    """Return the turn that a dropped file says is done, or None where it is no such word."""
    found = _DONE.fullmatch(name)
    return int(found[1]) if found and len(octets) <= _MOST_DONE_BYTES else None


def used_before(name: str) -> Refusal:
    """Return the refusal of a name that was used before."""
    return Refusal(
        DoorCode.NAME_USED_BEFORE,
        "a file of this name was taken before; each is read once",
        name,
        "a file dropped again, or another under the same name",
        "hand it in under another name",
    )


def _over(turn: int) -> Refusal:
    what = f"turn {turn} was said to be done before, or nobody spoke in time"
    return Refusal(DoorCode.TURN_IS_OVER, what, str(turn), "a word said twice", status=409)
