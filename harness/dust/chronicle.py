"""What a run leaves behind while it goes: lines of events, files with their octets, one book."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from emulator.core.clock import UtcMs, iso
from harness.dust.events import DustEvent, EventLog, Level, Phase, read_events
from harness.dust.messages import Written
from harness.dust.record import KeptFile

#: Called with every event, once it is written.
OnEvent = Callable[[DustEvent], None]
EVENTS: Final = "events.jsonl"
#: Kinds of events that show results.
PAPER_RESULT: Final = "paper-result"
FILE_RESULT: Final = "file-result"
ANSWER: Final = "answer"
ALERT: Final = "alert"
STATE: Final = "state"
DEVICE: Final = "device"
CONTENT: Final = "content"
RESULTS: Final = frozenset({PAPER_RESULT, FILE_RESULT, ANSWER, ALERT, STATE, DEVICE, CONTENT})
#: What an event of a letter tells that bears out a step: which step, and what of it.
BEARS: Final = "bears"
#: Folders of files within the run folder.
IN: Final = "files/in"
OUT: Final = "files/out"
REFUSED: Final = "files/refused"
MIGRATION: Final = "files/migration"


_COLUMNS: Final[tuple[str, ...]] = KeptFile.__slots__
#: What a file name of a run does without: not every system bears it.
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]")


class Chronicle:
    """Writes events and files of one run; its memory goes into the run's checkpoints.

    Attributes:
        folder: The run folder.
        turn: Turn that the events belong to.
        results: Events that show results, in order.
        phase: Phase they belong to, where they do not say.
    """

    def __init__(
        self,
        folder: Path,
        now: Callable[[], UtcMs],
        on_event: OnEvent | None = None,
        memory: Mapping[str, Any] | None = None,
    ) -> None:
        """Begin a chronicle, or go on with one.

        Args:
            folder: The run folder.
            now: Virtual time.
            on_event: Called with every event.
            memory: What ``dump`` returned; what was written after that is cut off.
        """
        told = memory or {"events": 0, "turn": 0, "phase": Phase.ENTRY.value, "files": []}
        self.folder = folder
        self.turn: int = told["turn"]
        self.phase = Phase(told["phase"])
        self._now = now
        self._on_event = on_event
        rows = (KeptFile(**{**row, "refs": tuple(row["refs"])}) for row in told["files"])
        self._files = {row.path: row for row in rows}
        self._kinds = Counter(row.kind for row in self._files.values())
        self._log = EventLog(folder / EVENTS, known=told["events"])
        self.results = [one for one in read_events(folder / EVENTS) if _is_result(one)]

    def close(self) -> None:
        """Close the log of events."""
        self._log.close()

    def dump(self) -> dict[str, Any]:
        """Return its memory as JSON values."""
        return {
            "events": self._log.count,
            "turn": self.turn,
            "phase": self.phase.value,
            "files": [
                {name: getattr(row, name) for name in _COLUMNS} for row in self._files.values()
            ],
        }

    # -- events --------------------------------------------------------------------------------

    @property
    def last(self) -> int:
        """Number of the last event."""
        return self._log.count

    def tell(self, kind: str, text: str, **more: Any) -> DustEvent:
        """Write an event.

        Args:
            kind: What happened, one word.
            text: One sentence.
            more: Further fields of ``DustEvent``; level, phase, moment and turn have defaults.
        """
        fields = {
            "at": self._now(),
            "level": Level.INFO,
            "phase": self.phase,
            "turn": self.turn,
            **more,
        }
        event = DustEvent(number=self._log.count + 1, kind=kind, text=text, **fields)
        self._log.write(event)
        if _is_result(event):
            self.results.append(event)
        if self._on_event is not None:
            self._on_event(event)
        return event

    # -- files ---------------------------------------------------------------------------------

    def keep(self, path: str, octets: bytes, kind: str, **more: Any) -> KeptFile:
        """Write a file into the run folder and into the book.

        Args:
            path: Within the run folder; a name that was used before gets a number.
            octets: What it holds.
            kind: ``MA``, ``MCF``, ``DUIS request``…
            more: Further fields of ``KeptFile``; sender, receiver and moment have defaults.
        """
        digest = hashlib.sha256(octets).hexdigest()
        path = self._free(path, digest)
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(octets)
        return self._listed(path, len(octets), digest, kind, **more)

    def keep_written(self, path: str, written: Written, kind: str) -> KeptFile:
        """Take a file that was written piece by piece into the book, and give it its name."""
        path = self._free(path, written.sha256)
        written.place.replace(self.folder / path)
        return self._listed(path, written.size_bytes, written.sha256, kind)

    def _listed(self, path: str, size_bytes: int, digest: str, kind: str, **more: Any) -> KeptFile:
        fields = {"sender": "", "receiver": "", "at": iso(self._now()), **more}
        row = KeptFile(path=path, size_bytes=size_bytes, sha256=digest, kind=kind, **fields)
        self._kinds[kind] += path not in self._files
        self._files[path] = row
        return row

    def _free(self, path: str, digest: str) -> str:
        head, dot, tail = path.rpartition(".")
        number, free = 1, path
        while free in self._files and self._files[free].sha256 != digest:
            number += 1
            free = f"{head}.{number}{dot}{tail}"
        return free

    def keep_json(self, path: str, value: object, kind: str, **more: Any) -> KeptFile:
        """Write JSON values as ``keep`` writes octets."""
        text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
        return self.keep(path, text.encode(), kind, **more)

    def judge(self, path: str, result: str) -> bool:
        """Write down what became of a file; says whether that is news."""
        row = self._files.get(path)
        if row is None or row.result == result:
            return False
        self._files[path] = replace(row, result=result)
        return True

    def count_of(self, kind: str) -> int:
        """Return how many files of a kind there are."""
        return self._kinds[kind]

    def files(self) -> tuple[KeptFile, ...]:
        """Return every file of the book, in order of paths."""
        return tuple(self._files[path] for path in sorted(self._files))

    def octets(self, path: str) -> bytes:
        """Return what a file of the book holds.

        Raises:
            OSError: It is gone.
        """
        return (self.folder / path).read_bytes()


def _is_result(event: DustEvent) -> bool:
    return event.kind in RESULTS or BEARS in event.told


def plain_name(name: str) -> str:
    """Return a file name that every system bears."""
    return _ODD.sub("_", name)
