"""The runs in a folder: which there are, and the few that are open."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

from harness.live.heads import EVENTS, RECORD, RunHead, head_of
from harness.live.lines import RunKind
from harness.live.run_view import RunView
from harness.live.veil import Veil

#: Runs that are held open; opening another closes the one not asked for longest.
_MOST_OPEN: Final = 6
#: Entries of the folder that are looked at.
_MOST_ENTRIES: Final = 5000


class Shelf:
    """Runs by the names of their folders; never anything outside of the folder.

    Attributes:
        folder: Where runs lie; itself a run where it holds a record or a log.
        shows_all: Identifiers are shown as they are.
    """

    def __init__(self, folder: Path, *, shows_all: bool = False) -> None:
        self.folder = folder
        self.shows_all = shows_all
        self._lock = threading.Lock()
        self._open: OrderedDict[str, RunView] = OrderedDict()
        self._heads: dict[str, tuple[tuple[int, ...], RunHead | None]] = {}

    def runs(self) -> list[dict[str, Any]]:
        """Return the heads of all runs as a reader may see them, the newest first."""
        found = [head for path in self._paths().values() if (head := self._head(path)) is not None]
        found.sort(key=lambda head: (-head.written_s, head.name))
        return [head.as_json() for head in found]

    def _paths(self) -> dict[str, Path]:
        """Return the folders that may be runs, by name."""
        if (self.folder / RECORD).is_file() or (self.folder / EVENTS).is_file():
            return {self.folder.resolve().name or "run": self.folder}
        found = {}
        for number, path in enumerate(self.folder.iterdir()):
            if number >= _MOST_ENTRIES:
                break
            if path.is_dir() and not path.is_symlink():
                found[path.name] = path
        return found

    def _head(self, path: Path) -> RunHead | None:
        stamps = tuple(_stamp(path / name) for name in (RECORD, EVENTS))
        with self._lock:
            held = self._heads.get(path.name)
        if held is not None and held[0] == stamps:
            return held[1]
        head = head_of(path)
        with self._lock:
            self._heads[path.name] = (stamps, head)
        return head

    def view(self, name: str) -> RunView | None:
        """Return what is shown of a run; None where there is none of this name."""
        path = self._paths().get(name)
        if path is None:
            return None
        head = self._head(path)
        if head is None:
            return None
        with self._lock:
            found = self._open.pop(name, None)
            if found is None or found.kind is not head.kind:
                found = RunView(path, RunKind(head.kind), shows_all=self.shows_all)
            self._open[name] = found
            while len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return found

    def veil_over(self, octets: bytes) -> bytes:
        """Return JSON that belongs to no one run without identifiers."""
        return Veil(shows_all=self.shows_all).log(octets)


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
