"""All messages of a turn, in one file: written while they pass, for a day has hundreds of MiB."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emulator.core.clock import iso
from harness.parties.post import Letter

#: Under which name a file grows; what bears it goes into no pack.
_GROWING: Final = "messages.part"


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written piece by piece.

    Attributes:
        place: Where it stands, under a name for the time being.
        size_bytes: Octets.
        sha256: Lower-case hex.
    """

    place: Path
    size_bytes: int
    sha256: str


class MessageFile:
    """Takes messages as they pass, and hands the file out that holds them."""

    def __init__(self, folder: Path) -> None:
        """Begin with none.

        Args:
            folder: Where the file grows; what a run that was killed left there is taken away.
        """
        self._place = folder / _GROWING
        self._place.unlink(missing_ok=True)
        self._begin()

    def _begin(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0

    def add(self, letters: Iterable[Letter]) -> None:
        """Write messages behind those that are there.

        Raises:
            OSError: They cannot be written.
        """
        self._place.parent.mkdir(parents=True, exist_ok=True)
        with self._place.open("ab") as file:
            for letter in letters:
                line = as_line(letter)
                file.write(line)
                self._digest.update(line)
                self._size += len(line)

    def settle(self) -> Written | None:
        """End the file, and begin another; None where no message was taken."""
        if not self._size:
            return None
        found = Written(self._place, self._size, self._digest.hexdigest())
        self._begin()
        return found


def as_line(letter: Letter) -> bytes:
    """Return a message as a line of JSON, octets in hex."""
    row = {
        "at": iso(letter.at),
        "from": letter.sender,
        "to": letter.receiver,
        "kind": letter.kind,
        "summary": letter.summary,
        "octets": letter.octets.hex(),
    }
    return (json.dumps(row, ensure_ascii=False) + "\n").encode()
