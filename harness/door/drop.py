"""The way in by files: what is renamed into ``in`` is taken once; answers appear in ``out``."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final

from harness.door.door import Door
from harness.door.errors import DoorCode, Refusal, of_document
from harness.door.intake import Ticket
from harness.door.kept import Alert, Answer, Taken
from harness.errors import UsageError
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.xml_input import MAX_DOCUMENT_BYTES

IN: Final = "in"
OUT: Final = "out"
TAKEN: Final = "taken"
REFUSED: Final = "refused"
PART: Final = ".part"
#: Seconds between two looks into ``in``. Source: invented.
LOOK_S: Final = 0.2
#: How often a file that cannot be read is tried. Source: invented.
_TRIES: Final = 10
#: Longest name that still has room for ``.error.json`` and a number.
_LONGEST: Final = 200


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

    async def watch(self, until: asyncio.Event, look_s: float = LOOK_S) -> None:
        """Look into the drop again and again until an event is set."""
        while not until.is_set():
            await asyncio.to_thread(self.look)
            news = asyncio.ensure_future(until.wait())
            await asyncio.wait([news], timeout=look_s)
            news.cancel()

    def look(self) -> int:
        """Take what is in ``in`` and write what is to be in ``out``; returns how much was taken."""
        taken = 0
        try:
            if self._door.broken is None:
                for name in self._names():
                    taken += self._one(name)
            self._write()
            self._said = ""
        except OSError as error:  # a full disk, a folder taken away: what is journalled stays
            if str(error) != self._said:
                self._said = str(error)
                self._say(f"the file drop waits: {error}")
        return taken

    def _names(self) -> list[str]:
        """Return what is to be read: oldest first, then by name."""
        found = []
        with os.scandir(self._folder / IN) as entries:
            for entry in entries:
                if not entry.name.endswith(PART) and entry.name not in self._stuck:
                    try:
                        found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name))
                    except OSError:
                        continue  # gone between two looks
        return [name for _at, name in sorted(found)]

    # -- taking --------------------------------------------------------------------------------

    def _one(self, name: str) -> int:
        """Take one file; returns 1 where it is a request that is new."""
        path = self._folder / IN / name
        octets = self._octets(path, name)
        if octets is None:
            return 0
        if isinstance(octets, Refusal):
            self._refuse(path, name, octets)
            return 0
        before = self._door.exchange.dropped(name)
        if before is not None and not before[1] and before[0].document == octets:
            known = before[0]  # journalled, and killed before it was moved
            self._accept(name, Ticket(known.id, str(known.request_id), known.waits))
            self._move(path, name, known.id)
            return 0
        if before is not None:
            self._refuse(path, name, _used(name))
            return 0
        outcome = self._door.intake.take(octets, door="drop", name=name)
        if isinstance(outcome, Refusal):
            self._refuse(path, name, outcome)
            return 0
        self._accept(name, outcome)
        self._move(path, name, outcome.id)
        return 1

    def _octets(self, path: Path, name: str) -> bytes | Refusal | None:
        """Read a file; None for one that cannot be read now."""
        if len(os.fsencode(name)) > _LONGEST or not name.isprintable() or name.startswith("."):
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
            return _checked(file.read(MAX_DOCUMENT_BYTES + 1), name)

    def _not_now(self, path: Path, name: str, error: OSError) -> Refusal | None:
        if path.is_symlink() or path.is_dir():
            return _no_file(name)
        self._tries[name] = self._tries.get(name, 0) + 1
        if self._tries[name] < _TRIES:
            return None
        what = f"the file cannot be read: {error.strerror}"
        return Refusal(DoorCode.UNREADABLE, what, name, "rights or a lock that stayed on it")

    def _accept(self, name: str, ticket: Ticket) -> None:
        if ticket.waits:
            _put_json(self._folder / OUT / f"{name}.accepted.json", ticket.as_json())

    def _move(self, path: Path, name: str, number: int) -> None:
        path.replace(self._folder / TAKEN / name)
        self._door.exchange.note_moved(number)
        self._tries.pop(name, None)

    def _refuse(self, path: Path, name: str, refusal: Refusal) -> None:
        """Put a file among the refused ones, with the reason beside it."""
        kept = name if refusal.code != DoorCode.BAD_NAME else _speakable(name)
        place = _free(self._folder / REFUSED, kept)
        _put_json(place.with_name(f"{place.name}.error.json"), refusal.as_json())
        try:
            path.replace(place)
        except OSError:
            self._stuck.add(name)  # taken away meanwhile, or not ours to move: the reason is told
        self._tries.pop(name, None)

    # -- answering -----------------------------------------------------------------------------

    def _write(self) -> None:
        """Write answers and alerts that no file holds yet; a kill in between writes them again."""
        answers, alerts = self._door.exchange.unwritten()
        for taken, answer in answers:
            _put(self._folder / OUT / _answer_name(taken, answer), answer.document)
            self._door.exchange.note_written(answer)
        for alert in alerts:
            _put(self._folder / OUT / _alert_name(alert), alert.document)
            self._door.exchange.note_written(alert)


def _checked(octets: bytes, name: str) -> bytes | Refusal:
    """Return what was read, or why its size is wrong."""
    if len(octets) > MAX_DOCUMENT_BYTES:
        why = f"the file has more octets than the limit of {MAX_DOCUMENT_BYTES}"
        return of_document(DuisError(DuisFault.TOO_LARGE, why))
    if not octets:
        return Refusal(DoorCode.EMPTY, "the file is empty", name, "renamed before it was full")
    return octets


def _answer_name(taken: Taken, answer: Answer) -> str:
    more = "" if answer.number == 1 else f"-{answer.number}"
    return f"{taken.name}.response{more}.xml"


def _alert_name(alert: Alert) -> str:
    return f"alert-{alert.number:06d}.xml"


def _put(path: Path, octets: bytes) -> None:
    """Write a file that is there whole or not at all."""
    part = path.with_name(path.name + PART)
    part.write_bytes(octets)
    part.replace(path)


def _put_json(path: Path, value: Mapping[str, Any]) -> None:
    _put(path, (json.dumps(value, indent=2) + "\n").encode())


def _free(folder: Path, name: str) -> Path:
    """Return a place under a name, or under a name with a number where that is taken."""
    place, number = folder / name, 1
    while place.exists() or place.with_name(f"{place.name}.error.json").exists():
        number += 1
        place = folder / f"{name}.{number}"
    return place


def _speakable(name: str) -> str:
    plain = "".join(char if char.isascii() and char.isalnum() else "_" for char in name)
    return plain[:64]


def _used(name: str) -> Refusal:
    return Refusal(
        DoorCode.NAME_USED_BEFORE,
        "a file of this name was taken before; each is read once",
        name,
        "a file dropped again, or another under the same name",
        "drop it under another name",
    )


def _no_file(name: str) -> Refusal:
    return Refusal(DoorCode.NOT_A_FILE, "this is no plain file", name, "a folder or a link")
