"""What happens in a DUST run, as lines: written when it happens, read by reports and live views."""

import enum
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from emulator.core.clock import UtcMs, from_datetime, iso


class Level(enum.StrEnum):
    """How much an event matters to whoever watches."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Phase(enum.StrEnum):
    """Where in a run something belongs; the first four are the published phases of migration.

    Source: DCC-ea (four phases, migration.md section 3); ENTRY, AFTER and CLOSE are stand-ins.
    """

    ENTRY = "entry"
    PLANNING = "planning"
    VALIDATION = "validation"
    TESTING = "testing"
    COMMISSIONING = "commissioning"
    AFTER = "after"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class DustEvent:
    """One thing that happened.

    Attributes:
        number: Place in the run, from 1, without gaps.
        at: Virtual time.
        level: How much it matters.
        phase: Phase of the run.
        kind: What happened, one word (``paper-taken``, ``step``, ``state``, ``request``…).
        text: One sentence for people.
        party: Who did it or sent it; may be empty.
        receiver: To whom; may be empty.
        ref: Installation; may be empty.
        device: Device type or EUI-64 within it; may be empty.
        step: Step id of the course (``H4``); may be empty.
        state: State of the installation that it led to; may be empty.
        code: Code; may be empty.
        file: Path of a file of the run folder; may be empty.
        turn: Turn of the run, from 0.
        told: Further names and values.
    """

    number: int
    at: UtcMs
    level: Level
    phase: Phase
    kind: str
    text: str
    party: str = ""
    receiver: str = ""
    ref: str = ""
    device: str = ""
    step: str = ""
    state: str = ""
    code: str = ""
    file: str = ""
    turn: int = 0
    told: dict[str, Any] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """Return JSON values; the moment as ISO 8601, empty values left out."""
        all_told = ((name, getattr(self, name)) for name in self.__slots__)
        told = {name: value for name, value in all_told if value not in ("", {})}
        return {**told, "at": iso(self.at), "level": self.level.value, "phase": self.phase.value}

    def line(self) -> str:
        """Return the line of ``events.jsonl``; equal events are equal octets."""
        return json.dumps(self.dump(), ensure_ascii=False, separators=(",", ":")) + "\n"

    @classmethod
    def load(cls, plain: dict[str, Any]) -> "DustEvent":
        """Read JSON values.

        Raises:
            TypeError, KeyError, ValueError: They are of no event.
        """
        at = from_datetime(datetime.fromisoformat(plain["at"]))
        level, phase = Level(plain["level"]), Phase(plain["phase"])
        return cls(**{**plain, "at": at, "level": level, "phase": phase})


class EventLog:
    """Appends events to ``events.jsonl``, each flushed whole, so that others can follow it.

    A log that is opened again is cut back to the events a run's journal knows, for what came
    behind them is going to happen again.
    """

    def __init__(self, path: Path, *, known: int = 0) -> None:
        """Open a log that holds ``known`` events; 0 begins it.

        Raises:
            OSError: It cannot be written.
        """
        kept = [len(line) for line in islice(lines_of(path), known)] if known else []
        self.count = len(kept)
        self._file: BinaryIO = path.open("ab")
        self._file.truncate(sum(kept))

    def write(self, event: DustEvent) -> None:
        """Append an event."""
        self._file.write(event.line().encode())
        self._file.flush()
        self.count += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_events(log: Path | bytes) -> Iterator[DustEvent]:
    """Read the whole lines of a log that may still grow, or of its octets.

    Raises:
        ValueError, KeyError, TypeError: A line is no event.
    """
    for line in lines_of(log):
        yield DustEvent.load(json.loads(line))


def lines_of(log: Path | bytes) -> Iterator[bytes]:
    """Yield the whole lines of a log that may still grow, or of its octets."""
    with io.BytesIO(log) if isinstance(log, bytes) else log.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line
