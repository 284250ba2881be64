"""Where every installation of a run stands, kept up line by line."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from harness.live.lines import MOVED, Line
from harness.migration.run_rows import step_order
from harness.migration.states import State

#: Letter of a cell by the result of its step; a cell keeps the gravest (the last of these).
_LETTERS: Final = {"skipped": "s", "ok": "k", "warned": "w", "failed": "f"}
_GRAVITY: Final = " skwf"
#: Loud lines that are kept to be shown.
_LOUD_KEPT: Final = 5
#: Columns of progress, in order, with the states that stand in them.
PHASES: Final[dict[str, frozenset[State]]] = {
    "planning": frozenset({State.PLANNED, State.AUTHORISED}),
    "validation": frozenset({State.IN_VALIDATION, State.HANDED_OVER}),
    "awaiting hub": frozenset({State.AWAITING_CHF}),
    "testing": frozenset({State.TESTING, State.VIABLE}),
    "commissioning": frozenset({State.COMMISSIONING}),
    "rolling back": frozenset({State.ROLLING_BACK}),
    "migrated": frozenset({State.MIGRATED}),
    "not migrated": frozenset(
        {State.REJECTED, State.ROLLED_BACK, State.STRANDED, State.COMMISSIONING_FAILED}
    ),
    "left out": frozenset({State.NOT_PLANNED, State.EXCLUDED}),
}
_PHASE_OF: Final = {state.value: phase for phase, states in PHASES.items() for state in states}
#: Tone of a state, as pages and terminals colour it.
_TONES: Final = {
    "migrated": "good",
    "not migrated": "bad",
    "rolling back": "warn",
    "awaiting hub": "wait",
    "left out": "quiet",
}


def phase_of(state: str) -> str:
    """Return the column of progress that a state stands in."""
    return _PHASE_OF.get(state, "planning")


def tone_of(state: str) -> str:
    """Return ``good``, ``bad``, ``warn``, ``wait``, ``quiet``, or ``going``."""
    if state == State.PLANNED.value:
        return "quiet"
    return _TONES.get(phase_of(state), "going")


@dataclass(slots=True)
class Standing:
    """One installation.

    Attributes:
        ref: What it is called.
        state: Where it stands.
        code: Code it rests on; may be empty.
        cells: Step id -> letter of its result.
        at: Moment of its last line; empty before the first.
        number: Number of its last line.
        step: Step of its last line.
    """

    ref: str
    state: str = State.PLANNED.value
    code: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    at: str = ""
    number: int = 0
    step: str = ""

    def take(self, line: Line) -> None:
        """Take note of a line about it."""
        self.at, self.number = max(self.at, line.at), line.number
        self.step = line.step or self.step
        if line.state:
            self.state = line.state
            if tone_of(line.state) != "bad":
                self.code = ""
        if line.code and line.result in {"failed", MOVED}:
            self.code = line.code
        letter = _LETTERS.get(line.result)
        if letter is not None and line.step:
            held = self.cells.get(line.step, " ")
            self.cells[line.step] = max(held, letter, key=_GRAVITY.index)


class Board:
    """All installations of a run, and how far the run is.

    Attributes:
        standings: Installations by ref, in the order in which they were met.
        steps: Step ids that were taken, in the order of the course.
        turn: The turn it is in.
        at: Moment of the last line, virtual; empty before the first.
        last: Number of the last line.
        loud: The last warnings and errors.
        phase: Phase of the last line.
    """

    def __init__(self, refs: Iterable[str] = (), *, courses: bool = True) -> None:
        """Begin with installations that nothing is known of.

        Args:
            refs: Their names.
            courses: Whether the run is about installations at all; a scenario run is not.
        """
        self.standings = {ref: Standing(ref) for ref in refs}
        self.steps: list[str] = []
        self.turn = 0
        self.at = ""
        self.last = 0
        self.phase = ""
        self.loud: deque[Line] = deque(maxlen=_LOUD_KEPT)
        self._courses = courses
        self._open_turn = ""
        self._day = ""
        self._is_over = False

    def add(self, refs: Iterable[str]) -> None:
        """Add installations that are not there yet."""
        for ref in refs:
            self.standings.setdefault(ref, Standing(ref))

    def feed(self, line: Line) -> None:
        """Take note of a line."""
        self.at, self.last = max(self.at, line.at), line.number
        self.turn = line.turn
        self.phase = line.phase
        if line.is_loud:
            self.loud.append(line)
        self._follow_run(line)
        if not (self._courses and line.ref):
            return
        found = self.standings.setdefault(line.ref, Standing(line.ref))
        known = len(found.cells)
        found.take(line)
        if len(found.cells) != known and line.step not in self.steps:
            self.steps = sorted([*self.steps, line.step], key=step_order)

    def _follow_run(self, line: Line) -> None:
        if line.kind == "turn":
            self._open_turn = line.text
        elif line.kind == "turn-done":
            self._open_turn = ""
        elif line.kind == "day":
            self._day = line.text
        elif line.kind == "run":
            self._is_over = line.phase == "close"

    # -- telling -------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether the run said that it is over."""
        return self._is_over

    def by_state(self) -> dict[str, int]:
        """Return how many installations stand in each state, in the order of states."""
        found = Counter(one.state for one in self.standings.values())
        order = [state.value for state in State]
        return {state: found[state] for state in order if found[state]}

    def by_phase(self) -> dict[str, int]:
        """Return how many installations stand in each column of progress."""
        found = Counter(phase_of(one.state) for one in self.standings.values())
        return {phase: found[phase] for phase in PHASES}

    def waits_for(self) -> str:
        """Return in words what the run waits for; empty where it works or is over."""
        if self._is_over:
            return ""
        told = []
        if self._open_turn:
            told.append(f"the participant ({self._open_turn})")
        hubs = sum(one.state == State.AWAITING_CHF for one in self.standings.values())
        if hubs:
            told.append(f"{hubs} hub{'s' if hubs != 1 else ''} to be heard")
        return " and ".join(told)

    @property
    def day(self) -> str:
        """The migration day that began last, in words; empty before the first."""
        return self._day

    def summary(self) -> dict[str, Any]:
        """Return how far the run is as JSON values."""
        return {
            "last": self.last,
            "at": self.at,
            "turn": self.turn,
            "phase": self.phase,
            "day": self.day,
            "waits_for": self.waits_for(),
            "over": self._is_over,
            "installations": len(self.standings),
            "states": [[state, n, tone_of(state)] for state, n in self.by_state().items()],
            "phases": list(self.by_phase().items()),
            "loud": [[one.number, one.at, one.level, one.ref, one.text] for one in self.loud],
        }

    def row(self, one: Standing) -> list[Any]:
        """Return an installation as a row of the grid: ref, state, tone, code, at, step, cells."""
        cells = "".join(one.cells.get(step, " ") for step in self.steps)
        return [one.ref, one.state, tone_of(one.state), one.code, one.at, one.step, cells]

    def rows(self, after: int = 0) -> list[list[Any]]:
        """Return the rows of installations that a line behind ``after`` told of; 0: of all."""
        return [self.row(one) for one in self.standings.values() if one.number > after or not after]
