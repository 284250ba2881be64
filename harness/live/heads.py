"""What a run folder is, read from the beginnings of its files: quick, however long they are."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from harness.live.lines import RunKind

RECORD: Final = "run.json"
EVENTS: Final = "events.jsonl"
REPORT: Final = "report.html"
_DEFINITION: Final = "definition.toml"
#: Octets at the beginning of ``run.json`` that hold what a list of runs says.
_HEAD_BYTES: Final = 256 * 1024
_SPACE: Final = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class RunHead:
    """One line of the list of runs.

    Attributes:
        name: Name of the folder; what addresses call it.
        kind: What left it behind.
        run_id: Id of the run.
        title: Its title; may be empty.
        state: ``running``, ``interrupted``, ``done``…
        verdict: Name of its verdict; empty while it is open.
        reason: Why; may be empty.
        cohort: Cohort; may be empty.
        turn: Turn of a DUST run, else 0.
        as_of: Day whose rules hold; may be empty.
        began: First moment of its log, virtual; may be empty.
        written_s: When it was last written to, seconds of the file system.
        has_report: Whether there is a ``report.html``.
        facts: Further names and values, for its page.
    """

    name: str
    kind: RunKind
    run_id: str
    title: str
    state: str
    verdict: str
    reason: str
    cohort: str
    turn: int
    as_of: str
    began: str
    written_s: int
    has_report: bool
    facts: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def head_of(folder: Path) -> RunHead | None:
    """Return what a folder is; None where it is no run."""
    record, events = folder / RECORD, folder / EVENTS
    written = max(_written(record), _written(events))
    if not written or not (events.is_file() or record.is_file()):
        return None
    told = _leading(record)
    kind = _kind(told, folder)
    if kind is None:
        return None
    return _HEADS[kind](folder, told, written)


def _kind(told: Mapping[str, Any], folder: Path) -> RunKind | None:
    if "header" in told:
        return RunKind.DUST
    if told.get("kind") == "migration":
        return RunKind.MIGRATION
    if "run" in told:
        return RunKind.SCENARIO
    return RunKind.DUST if not told and (folder / _DEFINITION).is_file() else None


def _dust(folder: Path, told: Mapping[str, Any], written: int) -> RunHead:
    head = _mapping(told, "header")
    facts = {
        "cohort": f"{_text(head, 'cohort')} {_text(head, 'cohort_title')}",
        "GroupID": _text(head, "group_id"),
        "participant": f"{_text(head, 'participant')} ({_text(head, 'mode')})",
        "environment": _text(head, "environment"),
        "as of": f"{_text(head, 'as_of')} ({_text(head, 'as_of_why')})",
        "seed": _text(head, "seed"),
        "version": _text(head, "version"),
    }
    if head.get("historical"):
        facts["as of"] += ", historical"
    turn = told.get("turn")
    return RunHead(
        name=folder.name,
        kind=RunKind.DUST,
        run_id=_text(head, "run_id") or folder.name,
        title=_text(head, "title"),
        state=_text(told, "state") or "running",
        verdict=_text(told, "verdict"),
        reason=_text(told, "reason") or "the run has written no record yet",
        cohort=_text(head, "cohort"),
        turn=turn if isinstance(turn, int) else 0,
        as_of=_text(head, "as_of"),
        began=_began(folder),
        written_s=written,
        has_report=(folder / REPORT).is_file(),
        facts=facts if head else {},
    )


def _other(folder: Path, told: Mapping[str, Any], written: int) -> RunHead:
    """Return the head of a scenario run or a migration run."""
    about, options = _mapping(told, "about"), _mapping(told, "options")
    is_migration = told.get("kind") == "migration"
    cohort = _text(about, "cohort") or _text(_mapping(options, "migration"), "cohort")
    facts = {
        "cohort": f"{cohort} {_text(about, 'title')}".strip(),
        "bench": _text(told, "bench"),
        "seed": _text(told, "seed"),
        "version": _text(told, "version"),
    }
    scenarios = told.get("scenarios")
    first = scenarios[0] if isinstance(scenarios, list) and scenarios else {}
    title = _text(about, "title") if is_migration else _text(first, "title")
    return RunHead(
        name=folder.name,
        kind=RunKind.MIGRATION if is_migration else RunKind.SCENARIO,
        run_id=_text(told, "run") or folder.name,
        title=title,
        state=_text(told, "state"),
        verdict=_text(told, "verdict"),
        reason=_text(told, "reason") or _text(first, "reason"),
        cohort=cohort,
        turn=0,
        as_of="",
        began=_began(folder),
        written_s=written,
        has_report=(folder / REPORT).is_file(),
        facts={name: value for name, value in facts.items() if value},
    )


_HEADS: Final = {RunKind.DUST: _dust, RunKind.MIGRATION: _other, RunKind.SCENARIO: _other}


def _leading(path: Path) -> dict[str, Any]:
    """Return the members of a JSON object that stand whole in its first octets."""
    try:
        with path.open("rb") as file:
            text = file.read(_HEAD_BYTES).decode("utf-8", errors="ignore")
    except OSError:
        return {}
    found: dict[str, Any] = {}
    decoder = json.JSONDecoder()
    place = _skipped(text, 0)
    if not text.startswith("{", place):
        return {}
    place += 1
    while True:
        try:
            name, place = decoder.raw_decode(text, _skipped(text, place))
            value, place = decoder.raw_decode(text, _skipped(text, text.index(":", place) + 1))
        except (ValueError, RecursionError):
            return found
        found[str(name)] = value


def _skipped(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return place if found is None else found.end()


def _began(folder: Path) -> str:
    """Return the moment of the log's first line."""
    try:
        with (folder / EVENTS).open("rb") as file:
            plain = json.loads(file.readline(64 * 1024))
    except (OSError, ValueError, RecursionError):
        return ""
    return _text(plain, "at") if isinstance(plain, dict) else ""


def _written(path: Path) -> int:
    try:
        return int(path.stat().st_mtime)
    except OSError:
        return 0


def _mapping(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def _text(told: Any, name: str) -> str:
    value = told.get(name) if isinstance(told, dict) else None
    return "" if value is None else str(value)
