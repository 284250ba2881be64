"""What a migration run came to in numbers, and the proof that its histories say the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from harness.errors import HarnessError
from harness.migration.record import Entry, InstallationRecord
from harness.migration.states import FOLLOWS, RESTING, State

#: Milestones of the daily report, each with the states that show it was reached.
#: Source: stand-in (migration.md 6.3; the real MRR's columns are not public).
MILESTONES: Final = {
    "planned": frozenset({State.PLANNED}),
    "authorised": frozenset({State.AUTHORISED}),
    "validated": frozenset({State.IN_VALIDATION}),
    "handed_over": frozenset({State.HANDED_OVER}),
    "awaited": frozenset({State.AWAITING_CHF}),
    "tested": frozenset({State.TESTING}),
    "viable": frozenset({State.VIABLE}),
    "commissioning": frozenset({State.COMMISSIONING}),
    "rolled_back": frozenset({State.ROLLED_BACK}),
    "stranded": frozenset({State.STRANDED}),
    "migrated": frozenset({State.MIGRATED}),
}


class UnreconciledError(HarnessError):
    """A record or a total says something else than the history it rests on: our own fault."""

    exit_code = 5


def totals(records: Sequence[InstallationRecord]) -> dict[str, Any]:
    """Count a run's installations from their records.

    Returns:
        ``installations``; ``by_state``, ``by_cause`` (why stranded), ``by_code`` (the code an
        installation rests on), ``by_class`` and ``reached`` (milestones, each installation once);
        ``attempts`` of all; ``entries`` of all histories.
    """
    return {
        "installations": len(records),
        "by_state": _counted(one.state.value for one in records),
        "by_cause": _counted(
            one.stranded_cause.value for one in records if one.stranded_cause is not None
        ),
        "by_code": _counted(filter(None, (resting_code(one) for one in records))),
        "by_class": _counted(str(one.installation_class) for one in records),
        "reached": _reached(records),
        "attempts": sum(one.attempts for one in records),
        "entries": sum(len(one.history) for one in records),
    }


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _reached(records: Sequence[InstallationRecord]) -> dict[str, int]:
    """Return how many installations reached each milestone, by their histories."""
    seen = [{State.PLANNED, *states_of(one)} for one in records]
    return {
        name: sum(bool(states & shows) for states in seen) for name, shows in MILESTONES.items()
    }


_STATES: Final = {one.value: one for one in State}


def states_of(record: InstallationRecord) -> list[State]:
    """Return the states an installation went through after ``Planned``, by its history."""
    return [_STATES[entry.state] for entry in record.history if entry.state]


def resting_entry(record: InstallationRecord) -> Entry | None:
    """Return the line of the history that led to the present state; None before the first."""
    return next((entry for entry in reversed(record.history) if entry.state), None)


def resting_code(record: InstallationRecord) -> str:
    """Return the code of what keeps an installation from being migrated; empty where nothing does.

    It is that of the line that led to the present state, or, where that line has none, of the
    last failure before it.
    """
    if record.state is State.MIGRATED:
        return ""
    ended = resting_entry(record)
    if ended is not None and ended.code:
        return ended.code
    return next((one.code for one in reversed(record.history) if one.code), "")


def reconcile(records: Sequence[InstallationRecord], counted: dict[str, Any]) -> None:
    """Check that every record follows from its history, and the totals from the histories.

    Raises:
        UnreconciledError: One does not: state, order of states or of time, rest, or a sum.
    """
    for record in records:
        why = _deviation(record)
        if why:
            raise UnreconciledError(
                f"{record.ref}: {why}",
                where="records of a migration run",
                cause="a step that moved an installation without writing it down",
            )
    by_history = _counted((states_of(record) or [State.PLANNED])[-1].value for record in records)
    expected = {
        **{name: value for name, value in totals(records).items() if name != "by_state"},
        "by_state": by_history,
    }
    wrong = sorted(name for name in expected if counted.get(name) != expected[name])
    if wrong:
        raise UnreconciledError(
            f"totals do not follow from the histories: {', '.join(wrong)}",
            where="totals of a migration run",
        )


def _deviation(record: InstallationRecord) -> str:
    """Return what of a record does not follow from its history; empty for a sound one."""
    at = State.PLANNED
    for state in states_of(record):
        if state not in FOLLOWS[at]:
            return f"{state} may not follow {at}"
        at = state
    if record.state is not at:
        return f"stands in {record.state}, by its history in {at}"
    if record.state not in RESTING:
        return f"{record.state} is no state to rest in"
    if (record.stranded_cause is None) == (record.state is State.STRANDED):
        return "a stranded installation has a cause, no other has one"
    moments = [entry.at for entry in record.history]
    if moments != sorted(moments):
        return "its history runs backwards"
    return ""
