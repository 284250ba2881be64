"""What a run may put behind the doors: a desk for papers, and a conductor of turns.

A door alone takes DUIS requests. With a ``Conductor`` (which is a ``PaperDesk`` too) it takes
papers as well, and the world goes on in *turns*: while a turn is open the participant hands in what
it likes; when it says done (or was silent too long) the conductor does its work, e.g. plays a day
of migration, and names the next turn.

Everything that comes in, request, paper or the word that a turn is done, has one number in one
sequence, and is dealt with in that order, in the world's own thread and loop, when the world is at
rest. Nothing here may ask the wall clock or leave the thread; who wants to show something to other
threads writes files or the exchange. So same inputs, same octets.

How to open such a door::

    options = DoorOptions(
        Homes(smets2=(), smets1=homes, seed=1, migrated=False, start_at=moment),
        participants, state=folder / "journal.sqlite",
        conductor=engine, patience_s=120.0,
    )
    door = Door(options)          # calls engine.begin(world), or engine.load(…) after a kill
    door.turn                     # the open turn, None when the run is over
    await door.over()             # until the run is over, or the world is broken

The state of world and conductor is kept with every turn (the commit that opens it). After a kill
the door goes back there and deals with the inputs since again: answers, alerts, files and outcomes
that came later are made anew, octet for octet.

In ``Conductor.turn`` the homes are moved by ``await world.migrate(refs, script)`` (a ``Course``
over a batch, see ``DoorWorld.batch`` for its parts) and ``await world.advance(moment)``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.door.kept import Refused, Taken

if TYPE_CHECKING:
    from harness.door.world import DoorWorld


@dataclass(frozen=True, slots=True)
class Paper:
    """A file that is no DUIS document: a workbook, a password, a demand file, a notification.

    Attributes:
        number: Its number among papers, from 1 (``GET /papers/N``).
        sequence: Its place among everything that came in.
        door: ``http`` or ``drop``.
        name: Its file name; each is taken once.
        sha256: Hash of its octets, hex.
        octets: What it holds.
        turn: The turn that was open when the world came to it; 0 for none.
    """

    number: int
    sequence: int
    door: str
    name: str
    sha256: str
    octets: bytes = field(repr=False)
    turn: int = 0


@dataclass(frozen=True, slots=True)
class OutFile:
    """A file for the participant: written to ``out`` at the drop, listed at ``GET /files?after=N``.

    Attributes:
        name: A plain file name; one that was used before gets a number (``NAME.2``).
        octets: What it holds.
    """

    name: str
    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PaperFinding:
    """One thing found in a paper.

    Attributes:
        code: Which rule.
        what: One sentence.
        where: Sheet, row, line or field.
        level: ``error`` or ``warning``.
    """

    code: str
    what: str
    where: str = ""
    level: str = "error"


@dataclass(frozen=True, slots=True)
class PaperOutcome:
    """What the desk makes of a paper; goes out as ``NAME.outcome.json`` and ``GET /papers/N``.

    Attributes:
        accepted: Whether it counts.
        code: One code for the whole; listed in ``participant-codes.csv``.
        findings: Findings in it.
        files: Files that go out with it, e.g. a repaired workbook.
        kind: What kind of paper it was taken for; may be empty.
    """

    accepted: bool
    code: str
    findings: tuple[PaperFinding, ...] = ()
    files: tuple[OutFile, ...] = ()
    kind: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as the participant gets it, at either door."""
        return {
            "accepted": self.accepted,
            "code": self.code,
            "kind": self.kind,
            "findings": [
                {"code": one.code, "level": one.level, "what": one.what, "where": one.where}
                for one in self.findings
            ],
            "files": [one.name for one in self.files],
        }


class PaperDesk(Protocol):
    """Takes papers, in the world's thread, in the order they came."""

    def take(self, paper: Paper) -> PaperOutcome:
        """Take one paper; never raises for what is in it."""
        ...


@dataclass(frozen=True, slots=True)
class TurnSheet:
    """What the participant is told of a turn: ``out/turn-NNN.json`` and ``GET /turns/current``.

    Attributes:
        number: From 1, rising by one.
        kind: ``authorise``, ``day``, ``correct`` or ``close``.
        day: Day of the world, ISO 8601; may be empty.
        expects: What may be handed in, in words or file kinds.
        files: What goes out with it (notices, outcome files, MRR); before the sheet itself.
        told: Further names and values.
    """

    number: int
    kind: str
    day: str = ""
    expects: tuple[str, ...] = ()
    files: tuple[OutFile, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self, reply_by_s: float | None) -> dict[str, Any]:
        """Return it as the participant gets it.

        Args:
            reply_by_s: Wall seconds of silence after which it is over; None: it waits.
        """
        return {
            "turn": self.number,
            "kind": self.kind,
            "day": self.day,
            "expects": list(self.expects),
            "files": [one.name for one in self.files],
            "reply_by_s": reply_by_s,
            **self.told,
        }


@dataclass(frozen=True, slots=True)
class TurnDone:
    """The word that a turn is over.

    Attributes:
        turn: Which.
        sequence: Its place among everything that came in.
        by_silence: Nobody said it: the participant was silent for longer than the run's patience.
    """

    turn: int
    sequence: int
    by_silence: bool = False


class Conductor(PaperDesk, Protocol):
    """Leads a run: takes papers, works between turns, sees what passes. All in the world's thread.

    When a journal is resumed, ``load`` is called instead of ``begin`` with what ``dump`` returned
    at the last checkpoint, and the inputs since come again, in order, with the same numbers.
    """

    async def begin(self, world: "DoorWorld") -> TurnSheet | None:
        """Do what comes before the first turn; returns it, or None where the run ends here."""
        ...

    async def turn(self, world: "DoorWorld", done: TurnDone) -> TurnSheet | None:
        """Do the work that follows a turn; returns the next one, or None where the run is over."""
        ...

    def asked(self, taken: Taken, answer: bytes) -> None:
        """See a request and what the DSP answered at once (signed response)."""
        ...

    def refused(self, refused: Refused) -> None:
        """See what a door refused, in its place among what came in."""
        ...

    def told(self, user: Eui64, document: bytes, at: UtcMs) -> None:
        """See a response or alert on its way to a service user."""
        ...

    def dump(self) -> Mapping[str, Any]:
        """Return the memory as JSON values; called for each checkpoint."""
        ...

    def load(self, world: "DoorWorld", state: Mapping[str, Any]) -> None:
        """Take over a dumped memory; the world is as it was then."""
        ...


def turn_file(number: int) -> str:
    """Return the name of a turn's sheet at the drop."""
    return f"turn-{number:03d}.json"
