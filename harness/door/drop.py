"""The way in by files: what is renamed into ``in`` is taken once; answers appear in ``out``."""

import asyncio
import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from stat import S_ISREG
from typing import Final

from harness.door.door import Door
from harness.door.drop_files import PART, free, not_a_folder, put_json, speakable
from harness.door.drop_out import write_out
from harness.door.errors import DoorCode, Refusal, of_document
from harness.door.intake import Ticket
from harness.door.kept import Dropped
from harness.door.paper_intake import (
    PaperTicket,
    done_turn,
    is_duis,
    is_usable,
    used_before,
)
from harness.door.pauses import longer
from harness.errors import BenchError, UsageError
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.xml_input import MAX_DOCUMENT_BYTES

IN: Final = "in"
OUT: Final = "out"
TAKEN: Final = "taken"
REFUSED: Final = "refused"
#: Seconds between two looks into ``in``. Source: invented.
LOOK_S: Final = 0.2
#: How often a file that cannot be read is tried. Source: invented.
_TRIES: Final = 10
#: How the name of a word that a turn is done ends.
DONE: Final = ".done"


#: Number of an error -> what is behind it.
_CAUSES: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk can only be read",
    errno.EACCES: "the folder can only be read, or is another user's",
    errno.EPERM: "the folder can only be read, or is another user's",
    errno.ENOENT: "the folder, or one in it (in, out, taken, refused), was taken away",
    errno.ENOTDIR: "something else is in the place of the folder",
}


def make_drop(folder: Path) -> None:
    """Make the folders of a drop where they are missing.

    Raises:
        UsageError: They cannot be made.
    """
    try:
        for name in (IN, OUT, TAKEN, REFUSED):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the drop cannot be made: {error.strerror}",
            where=f"--drop {folder}",
            cause="something else in its place, or a folder that is not yours",
            next_command="name another --drop",
        ) from error


class FileDrop:
    """The four folders of a drop.

    Args:
        door: What stands behind it.
        folder: Where the folders are; they are made where they are missing.
        say: Takes a line about what keeps the drop from going on.

    Raises:
        UsageError: They cannot be made.
    """

    def __init__(self, door: Door, folder: Path, say: Callable[[str], None]) -> None:
        self._door = door
        self._say = say
        self._said = ""
        self._folder = folder
        self._tries: dict[str, int] = {}
        self._stuck: set[str] = set()
        self._trouble: OSError | None = None
        #: Whether the last look found or wrote anything.
        self._moved = False
        make_drop(folder)

    async def watch(
        self, until: asyncio.Event, look_s: float = LOOK_S, patience_s: float | None = None
    ) -> None:
        """Look into the drop again and again until an event is set.

        Args:
            until: Ends it.
            look_s: Seconds between two looks; up to ``LOOK_S`` while nothing comes or goes.
            patience_s: Seconds for which it may be out of reach; None: for ever.

        Raises:
            BenchError: It was out of reach for longer.
        """
        loop = asyncio.get_running_loop()
        well_at, pause_s = loop.time(), look_s
        while not until.is_set():
            await asyncio.to_thread(self.look)
            well_at = loop.time() if self._trouble is None else well_at
            if patience_s is not None and loop.time() - well_at > patience_s:
                raise self._out_of_reach()
            news = asyncio.ensure_future(until.wait())
            pause_s = look_s if self._moved else longer(pause_s, LOOK_S)
            await asyncio.wait([news], timeout=pause_s)
            news.cancel()

    def look(self) -> int:
        """Take what is in ``in`` and write what is to be in ``out``; returns how much was taken."""
        taken, self._moved = 0, False
        try:
            if self._door.broken is None:
                for name in self._names():
                    taken += self._one(name)
            written = write_out(self._door.exchange, self._folder / OUT)
            self._moved = taken + written > 0
            self._said, self._trouble = "", None
        except OSError as error:  # a full disk, a folder taken away: what is journalled stays
            self._trouble = error
            if str(error) != self._said:
                self._said = str(error)
                self._say(f"the file drop waits: {error}")
        return taken

    def _out_of_reach(self) -> BenchError:
        """Return what to say of a drop that nobody can use: no participant is to blame."""
        error = self._trouble
        number = None if error is None else error.errno
        return BenchError(
            f"the file drop is out of reach: {error and error.strerror}",
            where=str(self._folder if error is None else error.filename or self._folder),
            cause=_CAUSES.get(number or 0, "the folder was taken away, or is not yours any more"),
            next_command="put the folder right and go on with the run",
        )

    def _names(self) -> list[str]:
        """Return what is to be read: oldest first, then by name; words that a turn is done last."""
        found = []
        with os.scandir(self._folder / IN) as entries:
            for entry in entries:
                if not entry.name.lower().endswith(PART) and entry.name not in self._stuck:
                    try:
                        found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name))
                    except OSError:
                        continue  # gone between two looks
        found.sort(key=lambda one: (one[1].endswith(DONE), *one))
        return [name for _at, name in found]

    # -- taking --------------------------------------------------------------------------------

    def _one(self, name: str) -> int:
        """Take one file; returns 1 where it is new and was taken."""
        path = self._folder / IN / name
        octets = self._octets(path, name)
        if octets is None:
            return 0
        if isinstance(octets, Refusal):
            self._door.refusals.keep(octets, b"", door="drop", name=name)
            self._refuse(path, name, octets)
            return 0
        before = self._door.exchange.dropped(name)
        if before is not None and not before.moved and before.octets == octets:
            self._accept(name, _ticket_again(before, name))  # journalled, killed before it moved
            self._move(path, name, before.kind, before.number)
            return 0
        if before is not None:
            self._door.refusals.keep(used_before(name), octets, door="drop", name=name)
            self._refuse(path, name, used_before(name))
            return 0
        return self._new(path, name, octets)

    def _new(self, path: Path, name: str, octets: bytes) -> int:
        """Hand a file to those it is for: the turns, the requests or the papers."""
        turn = done_turn(octets, name)
        outcome: Ticket | PaperTicket | Refusal | None
        if turn is not None:
            outcome = self._door.papers.say_done(turn, door="drop", name=name)
            kind, number = "done", turn
        elif not octets:
            outcome, kind, number = _empty(name), "", 0
            self._door.refusals.keep(outcome, octets, door="drop", name=name)
        elif is_duis(octets, name):
            outcome = self._door.intake.take(octets, door="drop", name=name)
            kind, number = "request", outcome.id if isinstance(outcome, Ticket) else 0
        else:
            outcome = self._door.papers.take(octets, door="drop", name=name)
            kind, number = "paper", outcome.number if isinstance(outcome, PaperTicket) else 0
        if isinstance(outcome, Refusal):
            self._refuse(path, name, outcome)
            return 0
        self._accept(name, outcome)
        self._move(path, name, kind, number)
        return 1

    def _octets(self, path: Path, name: str) -> bytes | Refusal | None:
        """Read a file; None for one that cannot be read now."""
        if not is_usable(name):
            what = "the name is hidden, too long, or not printable"
            return Refusal(DoorCode.BAD_NAME, what, repr(name)[:80], "a name no answer can bear")
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            return self._not_now(path, name, error)
        if not S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return _no_file(name)
        with os.fdopen(descriptor, "rb") as file:
            try:
                for lock in (fcntl.flock, fcntl.lockf):  # whoever holds one still writes
                    lock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError as error:
                return self._not_now(path, name, error)
            return _checked(file.read(MAX_DOCUMENT_BYTES + 1))

    def _not_now(self, path: Path, name: str, error: OSError) -> Refusal | None:
        if path.is_symlink() or path.is_dir():
            return _no_file(name)
        self._tries[name] = self._tries.get(name, 0) + 1
        if self._tries[name] < _TRIES:
            return None
        what = f"the file cannot be read: {error.strerror}"
        return Refusal(DoorCode.UNREADABLE, what, name, "rights or a lock that stayed on it")

    def _accept(self, name: str, ticket: Ticket | PaperTicket | None) -> None:
        if isinstance(ticket, PaperTicket) or (ticket is not None and ticket.waits):
            put_json(self._folder / OUT / f"{name}.accepted.json", ticket.as_json())

    def _move(self, path: Path, name: str, kind: str, number: int) -> None:
        path.replace(not_a_folder(self._folder / TAKEN / name))
        self._door.exchange.note_moved(kind, number)
        self._tries.pop(name, None)

    def _refuse(self, path: Path, name: str, refusal: Refusal) -> None:
        """Put a file among the refused ones, with the reason beside it."""
        kept = name if refusal.code != DoorCode.BAD_NAME else speakable(name)
        place = free(self._folder / REFUSED, kept)
        put_json(place.with_name(f"{place.name}.error.json"), refusal.as_json())
        try:
            path.replace(place)
        except OSError:
            self._stuck.add(name)  # taken away meanwhile, or not ours to move: the reason is told
        self._tries.pop(name, None)


def _checked(octets: bytes) -> bytes | Refusal:
    """Return what was read, or why its size is wrong."""
    if len(octets) > MAX_DOCUMENT_BYTES:
        why = f"the file has more octets than the limit of {MAX_DOCUMENT_BYTES}"
        return of_document(DuisError(DuisFault.TOO_LARGE, why))
    return octets


def _ticket_again(before: Dropped, name: str) -> Ticket | PaperTicket | None:
    """Return the ticket of a file that was taken before."""
    if before.kind == "request":
        return Ticket(before.number, before.request_id, before.waits)
    return PaperTicket(before.number, name) if before.kind == "paper" else None


def _empty(name: str) -> Refusal:
    return Refusal(DoorCode.EMPTY, "the file is empty", name, "renamed before it was full")


def _no_file(name: str) -> Refusal:
    return Refusal(DoorCode.NOT_A_FILE, "this is no plain file", name, "a folder or a link")
