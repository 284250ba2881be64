"""A line of any run's log in one form: DUST runs, migration runs and scenario runs."""

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.core.clock import iso
from emulator.core.values import quick
from harness.dust.events import DustEvent, Level


class RunKind(enum.StrEnum):
    """What left a run folder behind."""

    DUST = "dust"
    MIGRATION = "migration"
    SCENARIO = "scenario"


#: Result of a line that moved an installation into another state.
MOVED: Final = "state"
LEVELS: Final = tuple(level.value for level in Level)
_LOUD: Final = frozenset({Level.WARNING.value, Level.ERROR.value})


@quick
@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        number: Place in the log, from 1.
        at: ISO 8601, virtual.
        level: ``debug`` to ``error``.
        phase: Phase of the run; may be empty.
        kind: What happened, one word.
        text: One sentence.
        ref: Installation or scenario; may be empty.
        device: Device; may be empty.
        party: Who did it or sent it; may be empty.
        receiver: To whom; may be empty.
        step: Step id; may be empty.
        result: ``ok``, ``failed``, ``warned``, ``skipped``, ``state``, or empty.
        state: State of the installation that it led to; may be empty.
        code: Code; may be empty.
        file: Path of a file of the run folder; may be empty.
        turn: Turn of a DUST run, else 0.
    """

    number: int
    at: str
    level: str
    phase: str
    kind: str
    text: str
    ref: str = ""
    device: str = ""
    party: str = ""
    receiver: str = ""
    step: str = ""
    result: str = ""
    state: str = ""
    code: str = ""
    file: str = ""
    turn: int = 0

    @property
    def is_loud(self) -> bool:
        """Whether it is a warning or an error."""
        return self.level in _LOUD


def of_event(event: DustEvent) -> Line:
    """Return an event of a DUST run as a line."""
    return _of_dust({**event.dump(), "at": iso(event.at)}, event.number)


def read(octets: bytes, number: int, kind: RunKind) -> Line:
    """Read a line of ``events.jsonl``.

    Args:
        octets: The line.
        number: Its place in the log, from 1.
        kind: What left the log behind.

    Raises:
        ValueError: It is no JSON object.
    """
    plain = json.loads(octets)
    if isinstance(plain, dict):
        return _FORMS[kind](plain, number)
    raise ValueError("a line of a log is a JSON object")


#: Words of an event, in the order of a line.
_NAMES: Final = (
    *("at", "level", "phase", "kind", "text", "ref", "device", "party", "receiver", "step"),
    *("state", "code", "file"),
)


def _of_dust(plain: Mapping[str, Any], number: int) -> Line:
    words = [_word(plain, name) if name in plain else "" for name in _NAMES]
    at, level, phase, kind, text, ref, device, party, receiver, step, state, code, file = words
    result = ""
    if step:
        told = plain.get("told")
        said = str(told.get("result", "")) if isinstance(told, dict) else ""
        result = MOVED if state else said or ("failed" if level in _LOUD else "ok")
    turn = plain.get("turn")
    return Line(
        *(number, at, level, phase, kind, text, ref, device, party, receiver, step, result, state),
        *(code, file),
        turn=turn if isinstance(turn, int) else 0,
    )


def _of_migration(plain: Mapping[str, Any], number: int) -> Line:
    result, sub_code = _word(plain, "result"), _word(plain, "sub_code")
    is_bad = result in {"failed", "warned"}
    return Line(
        number=number,
        at=_word(plain, "at"),
        level=(Level.WARNING if is_bad else Level.INFO).value,
        phase="",
        kind="state" if result == MOVED else "step",
        text=_word(plain, "text"),
        party=_word(plain, "actor"),
        ref=_word(plain, "installation"),
        device=_word(plain, "device"),
        step=_word(plain, "step"),
        result=result,
        state=_word(plain, "state"),
        code=_word(plain, "code") + (f"/{sub_code}" if sub_code else ""),
    )


def _of_scenario(plain: Mapping[str, Any], number: int) -> Line:
    fields, word = plain.get("fields"), _word(plain, "word")
    values = fields.items() if isinstance(fields, dict) else ()
    told = ", ".join(f"{name} {value}" for name, value in values)
    is_bad = any(word.endswith(end) for end in ("refused", "failed", "fault", "error"))
    return Line(
        number=number,
        at=_word(plain, "at"),
        level=(Level.WARNING if is_bad else Level.INFO).value,
        phase="",
        kind=word,
        text=told,
        party=_word(plain, "source"),
        ref=_word(plain, "scenario"),
        step=_word(plain, "step"),
    )


_FORMS: Final = {
    RunKind.DUST: _of_dust,
    RunKind.MIGRATION: _of_migration,
    RunKind.SCENARIO: _of_scenario,
}


def _word(plain: Mapping[str, Any], name: str) -> str:
    value = plain.get(name, "")
    if isinstance(value, str):
        return value
    return "" if value is None else str(value)
