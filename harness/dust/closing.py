"""The days of a run against Table 17.6: what is open when, what a closed cohort still allows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Final

from device_profiles.cohort import Cohort
from device_profiles.files import Folders
from harness.dust.definition import Definition
from harness.dust.stock_file import Stock
from harness.errors import UsageError
from harness.rules.migration_calendar import (
    FileDayFacts,
    check_release,
    check_requesting_party,
    check_tmad,
)
from harness.rules.migration_rulebook import RuleBook, load_rule_book
from harness.rules.outcomes import Check, Refusal

#: Where the last days of Migration DUST stand. Source: S002 §2.
TABLE: Final = "MTAD Table 17.6"
_DUST_ENDS: Final = "dates.migration_dust_ends"
_OPTION: Final = "--historical"
_DAY: Final = timedelta(days=1)
#: Rule that the TMAD applies on the day.
_TMAD: Final = "1.3"


@dataclass(frozen=True, slots=True)
class Window:
    """Days on which a cohort's Migration DUST is open.

    Attributes:
        first: First day; None where no release is scheduled.
        last: Last day.
        clause: What makes it the last day.
        evidence: Mark of the last day.
    """

    first: date | None
    last: date
    clause: str
    evidence: str


@dataclass(frozen=True, slots=True)
class RunDays:
    """The days of one run.

    Attributes:
        as_of: Day on which the run is over.
        is_default: Whether the definition left it to the cohort's last open day.
        migration: The migration days, in order.
        window: When the cohort is open.
        historical: Whether a day outside was explicitly allowed, and is needed.
        remarks: What the explicit choice passes over, and what homes of the stock are; for plan
            and report.
    """

    as_of: date
    is_default: bool
    migration: tuple[date, ...]
    window: Window
    historical: bool = False
    remarks: tuple[str, ...] = ()

    def header(self) -> str:
        """Return the line that stands in every header."""
        why = f", the cohort's last open day ({self.window.clause})" if self.is_default else ""
        told = f"as of {self.as_of}{why}"
        return f"{told}; historical: outside {self.window.clause}" if self.historical else told


def window_of(cohort: Cohort, book: RuleBook) -> Window:
    """Return when a cohort's Migration DUST is open.

    A cohort without a last day in its file is open until the day before the TMAD ceases to apply,
    or before its Requesting Party closes.

    Source:
        S002 §2 (the table); the rule for cohorts that are still open: invented.
    """
    dates = cohort.dates
    if dates.migration_dust_ends is not None:
        mark = cohort.mark(_DUST_ENDS)
        told = "" if mark is None else str(mark)
        return Window(dates.starts, dates.migration_dust_ends, TABLE, told)
    expiry = max(book.tmad, key=lambda row: row.expires_on)
    last, clause = expiry.expires_on - _DAY, f"TMAD 1.3, version {expiry.version}"
    closed = dates.requesting_party_closed
    if closed is not None and closed <= last:
        last, clause = closed - _DAY, "closure of the Requesting Party"
    return Window(dates.starts, last, clause, expiry.evidence)


def run_days(
    definition: Definition, *, historical: bool = False, stock: Stock | None = None
) -> RunDays:
    """Return the days of a run, or refuse a run outside the days that are open (R-141, R-142).

    A cohort that Table 17.6 has closed enrols no new test device, override or not. Homes of the
    stock stay usable while the TMAD applies, so that a run of nothing else needs no override; any
    other run outside needs one.

    Args:
        definition: The definition.
        historical: Whether ``--historical`` was given.
        stock: The stock file the definition names, or None.

    Raises:
        UsageError: A day is outside and not overridden; names clause, date and option.
        DataError: A table cannot be used.
    """
    cohort, book = definition.cohort, load_rule_book(definition.overlays)
    window = window_of(cohort, book)
    as_of = definition.run.as_of or window.last
    days = migration_days(definition, as_of)
    told = tuple(_of_stock(definition, stock))
    found = RunDays(as_of, definition.run.as_of is None, days, window, remarks=told)
    outside = tuple(_outside(definition, found, book))
    in_stock = _all_in_stock(definition, stock, found)
    lapsed = _without_tmad(definition, found, book) if in_stock else None
    new = _enrolled_too_late(definition, stock, found)
    if new:
        raise _closed(definition, found, new)
    if not outside or (in_stock and lapsed is None):
        return found
    if not historical:
        raise (
            _refused(definition, found, outside[0])
            if lapsed is None
            else _lapsed(definition, found, lapsed)
        )
    return RunDays(as_of, found.is_default, days, window, True, (*outside, *told))


def migration_days(definition: Definition, as_of: date) -> tuple[date, ...]:
    """Return the migration days of a run: consecutive, and over by ``as_of``.

    Where a migration may run past its day (4.15), the last one begins early enough that a hub that
    is waited for is settled by then.
    """
    cohort = definition.cohort
    wait = cohort.handover.chf_contact_timeout_days if cohort.cohort.multi_day else 0
    last = as_of - wait * _DAY
    count = definition.capacity.days
    return tuple(last - number * _DAY for number in reversed(range(count)))


def _outside(definition: Definition, days: RunDays, book: RuleBook) -> Iterable[str]:
    """Yield what the days lie outside of: the table, and the calendar's own rules."""
    cohort, window = definition.cohort, days.window
    if days.as_of > window.last:
        yield f"{window.clause}: Migration DUST of {cohort.key} ended on {window.last}"
    first = days.migration[0]
    checks: dict[str, tuple[Check[FileDayFacts], date]] = {
        "RELEASE": (check_release, first),
        "TMAD 1.3": (partial(check_tmad, book), days.as_of),
        "Requesting Party": (check_requesting_party, days.as_of),
    }
    for clause, (ask, day) in checks.items():
        answer = ask(FileDayFacts(cohort, day))
        if isinstance(answer, Refusal):
            yield f"{clause}: {answer.detail}; the day is {day}"


def _of_stock(definition: Definition, stock: Stock | None) -> Iterable[str]:
    """Yield a sentence on homes of the stock: they have migrated once, and do so again."""
    sets = [one.name for one in definition.devices if one.from_stock]
    if stock is None or not sets:
        return
    days = sorted(one.enrolled_on for one in stock.usable if one.set in sets)
    when = f" on {days[0]} to {days[-1]}" if days else ""
    yield (
        f"Homes of the sets {', '.join(sets)} are of the stock: they migrated{when}. The emulated"
        " bench puts them back under their SMSO, and this run migrates them once more."
    )


def _enrolled_too_late(
    definition: Definition, stock: Stock | None, days: RunDays
) -> tuple[str, ...]:
    """Return the sets whose homes a cohort that Table 17.6 has closed cannot enrol any more.

    The override is about days: nothing puts new test devices into the UIT after the closure.
    A cohort that the table does not name closes with the TMAD: there the override holds for all.

    Source:
        S002 §2 (R-141, R-142).
    """
    if days.window.clause != TABLE or days.as_of <= days.window.last:
        return ()
    late = stock is not None and any(one.enrolled_on > days.window.last for one in stock.usable)
    return tuple(one.name for one in definition.devices if late or not one.from_stock)


def _all_in_stock(definition: Definition, stock: Stock | None, days: RunDays) -> bool:
    """Say whether every home is of the stock, enrolled while the cohort was open."""
    if stock is None or not all(one.from_stock for one in definition.devices):
        return False
    return all(one.enrolled_on <= days.window.last for one in stock.usable)


def _without_tmad(definition: Definition, days: RunDays, book: RuleBook) -> date | None:
    """Return the TMAD's last day where a day of the run lies behind it and 1.3 is asked then."""
    last = max(row.expires_on for row in book.tmad)
    after = [day for day in (*days.migration, days.as_of) if day > last]
    if not after:
        return None
    first = min(after)
    off = any(one.id == _TMAD and one.from_day <= first for one in definition.disabled_checks)
    return None if off else last


def _lapsed(definition: Definition, days: RunDays, last: date) -> UsageError:
    return UsageError(
        f"the run's days are not open: the last day of the TMAD is {last} (1.3), and the run is"
        f" over on {days.as_of}; every authorisation would be refused with X-1.3",
        where=f"{definition.path}: run.as_of",
        cause="homes of the stock stay usable after the closure, but not after the TMAD's end",
        next_command=f"run.as_of = {last} or earlier, [[disabled_checks]] with id ="
        f' "{_TMAD}" and a day to {last + _DAY}, or the same command with {_OPTION}',
    )


def _closed(definition: Definition, days: RunDays, sets: tuple[str, ...]) -> UsageError:
    last = days.window.last
    return UsageError(
        f"the cohort is closed: Migration DUST of {definition.cohort.key} ended on {last}"
        f" ({days.window.clause}), and the run is over on {days.as_of}; homes of the sets"
        f" {', '.join(sets)} would be enrolled after that, which {_OPTION} does not allow",
        where=f"{definition.path}: run.as_of",
        cause="a closed cohort enrols no new test devices; its migrated stock stays usable",
        next_command=f"run.as_of = {last} or earlier, or from_stock = true in these sets and"
        " run.stock with a file of smetsbench dust stock",
    )


def _refused(definition: Definition, days: RunDays, why: str) -> UsageError:
    named = "the default" if days.is_default else "run.as_of"
    ahead = days.as_of <= days.window.last
    cause = (
        f"the run's first day, {days.migration[0]}, lies before the cohort's migration begins"
        if ahead
        else "a closed cohort enrols no new test devices; its migrated stock stays usable"
    )
    return UsageError(
        f"the run's days are not open: {why} ({named} is {days.as_of})",
        where=f"{definition.path}: run.as_of",
        cause=cause,
        next_command=f"the same command with {_OPTION}"
        + ("" if ahead else ", or run.stock with a file of smetsbench dust stock"),
    )


def window_line(cohort: Cohort, overlays: Folders = ()) -> str:
    """Return one line on when a cohort is open, for files that are written for it."""
    window = window_of(cohort, load_rule_book(overlays))
    return f"{cohort.key} is open from {window.first} to {window.last} ({window.clause})"
