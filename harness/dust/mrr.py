"""Daily and weekly figures of a run in the manner of the MRR, and the proof that they add up.

Source: stand-in (migration.md 6.3; that there is an MRR is public, its columns are not).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

from emulator.core.clock import to_datetime
from harness.dust.index import table
from harness.dust.record import DustRecord
from harness.migration.record import Entry, InstallationRecord
from harness.migration.states import FOLLOWS, State, StrandedCause

FOLDER: Final = "mrr"
DORMANT: Final = "dormant"
_EVIDENCE: Final = "stand-in"
_OK: Final = "ok"
_KEYS: Final = ("period", "requesting_party", "group_id", "supplier")
#: What is counted when it happens: column -> step that has to be taken.
_STEPS: Final = {"planned": "P1", "submitted": "V1", "valid": "V2"}
#: Likewise: column -> state that has to be entered; every state has one, so no move goes uncounted.
_STATES: Final = {
    "authorised": State.AUTHORISED,
    "in_validation": State.IN_VALIDATION,
    "handed_over": State.HANDED_OVER,
    "awaited": State.AWAITING_CHF,
    "in_testing": State.TESTING,
    "viable": State.VIABLE,
    "commissioning": State.COMMISSIONING,
    "migrated": State.MIGRATED,
    "rejected": State.REJECTED,
    "rolling_back": State.ROLLING_BACK,
    "rolled_back": State.ROLLED_BACK,
    "stranded": State.STRANDED,
    "commissioning_failed": State.COMMISSIONING_FAILED,
    "not_planned": State.NOT_PLANNED,
    "excluded": State.EXCLUDED,
}
#: States from which an installation that goes on is one that is tried again.
_AGAIN: Final = frozenset({State.STRANDED, State.ROLLED_BACK, State.REJECTED})
_AGAIN_IN: Final = frozenset({State.IN_VALIDATION, State.AUTHORISED})
#: Standing at the end of the period, not counted as it happens.
_STANDING: Final = ("awaiting_chf", "awaiting_chf_oldest_days")
#: Step that lists what is stranded for resubmission, and how it says why.
_LISTS: Final = "M1"
_LISTED: Final = "stranded: "
#: Step that waits for the hub; first letter of those that validate files.
_CONTACT: Final = "H4"
_VALIDATION: Final = "V"
_SPLIT: Final = ("rejected_by_code", "stranded_by_cause", "excluded_by_category")
COLUMNS: Final = (
    *(*_KEYS, *_STEPS, *_STATES, "resubmitted"),
    *(*_STANDING, *_SPLIT, "evidence"),
)

#: A change of state: its day, and whether the installation waits for its hub from then on.
_Stay = tuple[date, bool]


@dataclass(frozen=True, slots=True)
class Move:
    """Something of one installation that is counted.

    Attributes:
        day: When, UTC.
        ref: Installation.
        column: Column that counts it.
        why: Code, cause or category where the column is split by it; else empty.
    """

    day: date
    ref: str
    column: str
    why: str = ""


@dataclass(slots=True)
class _Row:
    """Figures of one supplier in one period."""

    counts: Counter[str] = field(default_factory=Counter)
    split: dict[str, Counter[str]] = field(default_factory=dict)
    ages: list[int] = field(default_factory=list)

    def add(self, move: Move) -> None:
        self.counts[move.column] += 1
        if move.why:
            self.split.setdefault(move.column, Counter())[move.why] += 1

    def cells(self) -> list[object]:
        counted = [self.counts[name] for name in (*_STEPS, *_STATES, "resubmitted")]
        standing = [len(self.ages), max(self.ages, default="")]
        split = [_told(self.split.get(name.partition("_by_")[0], {})) for name in _SPLIT]
        return [*counted, *standing, *split, _EVIDENCE]


def _told(counts: Mapping[str, int]) -> str:
    return " ".join(f"{name}={count}" for name, count in sorted(counts.items()))


def tables(record: DustRecord) -> dict[str, bytes]:
    """Return every daily and weekly table: path within the run folder -> CSV.

    A day has a table when it was a migration day, or when something of a history falls on it.
    """
    moves = _by_day(record)
    days = sorted({one.day for one in record.days} | {*moves})
    stays = {one.ref: _stays(one) for one in record.installations}
    made = {
        _daily(day): _table(record, day.isoformat(), moves.get(day, ()), stays, day) for day in days
    }
    for week, those in groupby(days, week_of):
        of_week = [*those]
        counted = [move for day in of_week for move in moves.get(day, ())]
        name = f"{FOLDER}/weekly-{week}.csv"
        made[name] = _table(record, week, counted, stays, of_week[-1])
    return made


def daily(record: DustRecord, day: date) -> bytes | None:
    """Return the table of one day; None where it has none, see ``tables``."""
    moves = _by_day(record)
    if day not in moves and all(one.day != day for one in record.days):
        return None
    stays = {one.ref: _stays(one) for one in record.installations}
    return _table(record, day.isoformat(), moves.get(day, ()), stays, day)


def _daily(day: date) -> str:
    return f"{FOLDER}/daily-{day}.csv"


def _by_day(record: DustRecord) -> dict[date, list[Move]]:
    found: dict[date, list[Move]] = {}
    for one in record.installations:
        for move in moves_of(one):
            found.setdefault(move.day, []).append(move)
    return found


def write(folder: Path, record: DustRecord) -> tuple[str, ...]:
    """Write the tables of a run as far as it is; returns their paths within the run folder.

    Raises:
        OSError: They cannot be written.
    """
    made = tables(record)
    (folder / FOLDER).mkdir(exist_ok=True)
    for name, content in made.items():
        fresh = folder / f"{name}.part"
        fresh.write_bytes(content)
        fresh.replace(folder / name)
    return tuple(made)


def week_of(day: date) -> str:
    """Return the ISO week of a day: ``2023-W04``."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def supplier_of(record: DustRecord, one: InstallationRecord) -> str:
    """Return under whose name an installation is counted."""
    named = record.suppliers.get(one.ref)
    if named is not None:
        return named
    return DORMANT if str(one.installation_class) == "Dormant" else record.header.participant


def _table(
    record: DustRecord,
    period: str,
    moves: Iterable[Move],
    stays: Mapping[str, Sequence[_Stay]],
    last: date,
) -> bytes:
    """Return the table of a day or a week; what stands is counted at the end of ``last``."""
    rows: dict[str, _Row] = {}
    homes = {one.ref: one for one in record.installations}
    for one in homes.values():
        row = rows.setdefault(supplier_of(record, one), _Row())
        age = _age(stays[one.ref], last)
        if age is not None:
            row.ages.append(age)
    for move in moves:
        rows[supplier_of(record, homes[move.ref])].add(move)
    head = record.header
    party = head.requesting_party or "RP"
    return table(
        COLUMNS,
        [[period, party, head.group_id, name, *row.cells()] for name, row in sorted(rows.items())],
    )


def moves_of(one: InstallationRecord) -> Iterator[Move]:
    """Yield what of an installation's history is counted, in its order; a step once a try."""
    state, taken = State.PLANNED, set[str]()
    for entry in one.history:
        day = day_of(entry)
        for column, step in _STEPS.items():
            if entry.step == step and entry.result == _OK and column not in taken:
                taken.add(column)
                yield Move(day, one.ref, column)
        if not entry.state:
            continue
        to = State(entry.state)
        if state in _AGAIN and to in _AGAIN_IN:
            taken -= {"submitted", "valid"}
            yield Move(day, one.ref, "resubmitted")
        for column, entered in _STATES.items():
            if to is entered:
                yield Move(day, one.ref, column, _why(one, entry, to))
        state = to


def _why(one: InstallationRecord, entry: Entry, state: State) -> str:
    if state is State.REJECTED:
        return entry.code or "none"
    if state is State.STRANDED:
        is_last = entry is _last_state(one)
        cause = one.stranded_cause if is_last else None
        return cause.value if cause is not None else _cause_of(one, entry)
    return (one.exclusion or "none") if state is State.EXCLUDED else ""


def _cause_of(one: InstallationRecord, stranded: Entry) -> str:
    """Return why an installation was stranded that went on since then.

    Its resubmission says why (M1). Where it was excluded instead, the step says it: a failed
    rollback, a hub that was not heard, files; what is left is a test.
    """
    number = next(at for at, entry in enumerate(one.history) if entry is stranded)
    for entry in one.history[number + 1 :]:
        if entry.state:
            break
        said = entry.text.removeprefix(_LISTED)
        if entry.step == _LISTS and said in {*StrandedCause}:
            return said
    before = next((entry.state for entry in reversed(one.history[:number]) if entry.state), "")
    if before == State.ROLLING_BACK:
        return StrandedCause.ROLLBACK_FAILED.value
    if stranded.step == _CONTACT:
        return StrandedCause.NO_CHF_COMMS.value
    is_file = stranded.step.startswith(_VALIDATION)
    return (StrandedCause.FILE_ERROR if is_file else StrandedCause.TESTING_FAILED).value


def _last_state(one: InstallationRecord) -> Entry | None:
    return next((entry for entry in reversed(one.history) if entry.state), None)


def day_of(entry: Entry) -> date:
    """Return the day of a line of a history, UTC."""
    return to_datetime(entry.at).date()


def awaiting_days(one: InstallationRecord, at: date) -> int | None:
    """Return how many days an installation has waited for its hub at the end of a day, or None."""
    return _age(_stays(one), at)


def _stays(one: InstallationRecord) -> list[_Stay]:
    """Return each change of state: its day, and whether the installation waits for its hub."""
    return [
        (day_of(entry), entry.state == State.AWAITING_CHF) for entry in one.history if entry.state
    ]


def _age(stays: Sequence[_Stay], at: date) -> int | None:
    since: date | None = None
    for day, is_awaiting in stays:
        if day <= at:
            since = day if is_awaiting else None
    return None if since is None else (at - since) // timedelta(days=1)


# -- whether it adds up ------------------------------------------------------------------------


def reconcile_mrr(
    record: DustRecord, written: Mapping[str, bytes] | None = None
) -> tuple[str, ...]:
    """Say each sum that does not follow from the histories; nothing where all do.

    Args:
        record: The run.
        written: Tables as they were written (path -> octets); those of ``tables`` when None.
    """
    made = tables(record)
    said = [text for one in record.installations for text in _unsound(one)]
    said += _sums(record)
    said += _days(record)
    for name in sorted({*made, *(written or {})} if written is not None else ()):
        told, due = (written or {}).get(name), made.get(name)
        if told is None or due is None:
            said.append(f"{name}: {'missing' if told is None else 'of no day of this run'}")
        elif told != due:
            said += _cells(name, told, due)
    return tuple(said)


def _unsound(one: InstallationRecord) -> Iterator[str]:
    """Yield where an installation stands elsewhere than its history leads."""
    at = State.PLANNED
    for entry in one.history:
        if not entry.state:
            continue
        to = State(entry.state)
        if to not in FOLLOWS[at]:
            yield f"{one.ref}: {to} may not follow {at}"
        at = to
    if at is not one.state:
        yield f"{one.ref}: stands in {one.state}, by its history in {at}"
    if (one.stranded_cause is None) == (one.state is State.STRANDED):
        yield f"{one.ref}: a stranded installation has a cause, no other has one"
    moments = [entry.at for entry in one.history]
    if moments != sorted(moments):
        yield f"{one.ref}: its history runs backwards"


def _sums(record: DustRecord) -> Iterator[str]:
    """Yield states whose comings and goings do not leave what stands there."""
    balance: Counter[State] = Counter({State.PLANNED: len(record.installations)})
    for one in record.installations:
        at = State.PLANNED
        for entry in one.history:
            if entry.state:
                balance[at] -= 1
                at = State(entry.state)
                balance[at] += 1
    standing = Counter(one.state for one in record.installations)
    for state in State:
        if balance[state] != standing[state]:
            yield f"{state}: {balance[state]} by histories, {standing[state]} by records"


def _days(record: DustRecord) -> Iterator[str]:
    """Yield days that gave out more than they had, or name installations nobody knows."""
    known = {one.ref for one in record.installations}
    for day in record.days:
        given = sum(day.allocated.values())
        if given > day.capacity:
            yield f"{day.day}: {given} places given, {day.capacity} there are"
        for ref in day.refs:
            if ref not in known:
                yield f"{day.day}: {ref} is no installation of this run"


def _cells(name: str, told: bytes, due: bytes) -> list[str]:
    ours = told.decode("utf-8", "replace").splitlines()
    theirs = due.decode().splitlines()
    said = []
    for number, line in enumerate(theirs):
        mine = ours[number] if number < len(ours) else "missing"
        if mine != line:
            said.append(f"{name}, line {number + 1}: {_differing(mine, line)}")
    if len(ours) > len(theirs):
        said.append(f"{name}: {len(ours) - len(theirs)} lines too many")
    return said or [f"{name}: written in another form"]


def _differing(told: str, due: str) -> str:
    ours, theirs = told.split(","), due.split(",")
    if len(ours) != len(theirs):
        return "other cells"
    pairs = zip(COLUMNS, ours, theirs, strict=False)
    differing = [(name, mine, due) for name, mine, due in pairs if mine != due]
    return "; ".join(
        f"{name} is {mine or 0}, by histories {due or 0}" for name, mine, due in differing
    )
