"""The turns of a run: how far it is, what a turn's sheet says, what is told of homes."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter

from harness.door.ports import OutFile, TurnSheet
from harness.dust.index import table
from harness.dust.record import Criterion, Day, DustRecord
from harness.migration.totals import resting_code, resting_entry
from harness.verdict import Verdict

_DAYS: Final = TypeAdapter(list[Day])


class TurnKind(enum.StrEnum):
    """Kinds of turns."""

    AUTHORISE = "authorise"
    CORRECT = "correct"
    DAY = "day"
    CLOSE = "close"


_EXPECTS: Final[Mapping[TurnKind, tuple[str, ...]]] = {
    TurnKind.AUTHORISE: ("MA", "MAPASSWORD", "DR"),
    TurnKind.CORRECT: ("MA", "MAPASSWORD", "RETRY"),
    TurnKind.DAY: ("DUIS",),
    TurnKind.CLOSE: (),
}
#: Columns of what is told of homes after a day.
_OUTCOMES: Final = ("ref", "state", "cause", "step", "code", "attempts", "text")


@dataclass(slots=True)
class Progress:
    """How far a run is.

    Attributes:
        number: Number of the open turn; 0 before the first.
        kind: Its kind.
        day: Migration days of the plan that were played.
        rounds: Days on which homes were tried again.
        answered: Whether the participant ever handed anything in.
        started_at: When the run began, ISO 8601.
        is_over: Whether it is over.
        entry: Entry criteria as they were judged.
        days: Migration days that were played.
    """

    number: int = 0
    kind: TurnKind = TurnKind.AUTHORISE
    day: int = 0
    rounds: int = 0
    answered: bool = False
    started_at: str = ""
    is_over: bool = False
    entry: list[Criterion] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        entry = [{**asdict(one), "verdict": one.verdict.name} for one in self.entry]
        days = _DAYS.dump_python(self.days, mode="json")
        return {**fields, "kind": self.kind.value, "entry": entry, "days": days}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> "Progress":
        """Return a dumped one."""
        entry = [Criterion(**{**one, "verdict": Verdict[one["verdict"]]}) for one in state["entry"]]
        days = _DAYS.validate_python(state["days"])
        return cls(**{**state, "kind": TurnKind(state["kind"]), "entry": entry, "days": days})


def sheet(
    progress: Progress, today: date, files: Sequence[OutFile], lacking: Sequence[str]
) -> TurnSheet:
    """Return the sheet of the open turn."""
    told: dict[str, Any] = {"migration_day": progress.day}
    if progress.kind in {TurnKind.AUTHORISE, TurnKind.CORRECT}:
        told["not_authorised"] = list(lacking)
    return TurnSheet(
        progress.number,
        progress.kind.value,
        today.isoformat(),
        _EXPECTS[progress.kind],
        tuple(files),
        told,
    )


def outcomes(number: int, record: DustRecord) -> OutFile:
    """Return where every home stands, as its supplier is told; never a counter."""
    rows = []
    for one in record.installations:
        ended = resting_entry(one)
        rows.append(
            (
                one.ref,
                one.state.value,
                "" if one.stranded_cause is None else one.stranded_cause.value,
                "" if ended is None else ended.step,
                resting_code(one),
                one.attempts,
                "" if ended is None else ended.text,
            )
        )
    return OutFile(f"outcomes-{number:03d}.csv", table(_OUTCOMES, rows))
