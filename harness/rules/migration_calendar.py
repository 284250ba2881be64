"""Days and weeks of the migration: what holds when, and which explicit choice goes past it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from device_profiles.cohort import Cohort
from emulator.core.values import quick
from harness.rules.migration_rulebook import RuleBook
from harness.rules.migration_tables import TmadRow
from harness.rules.outcomes import Check, NotApplicable, Refusal

MS_A_DAY: Final = 86_400_000


@quick
@dataclass(frozen=True, slots=True)
class FileDayFacts:
    """When a file is handed in, and for whom.

    Attributes:
        cohort: Its cohort.
        day: The day it is handed in, UTC.
        started: Day of the MCF of the same set; None for an MCF itself.
    """

    cohort: Cohort
    day: date
    started: date | None = None


def tmad_on(book: RuleBook, day: date) -> TmadRow | None:
    """Return the version of the TMAD that a day knows, or None before the first."""
    return next((row for row in reversed(book.tmad) if row.from_day <= day), None)


def migration_week(day: date) -> str:
    """Return the Migration Week of a day, e.g. ``2021-W09``.

    Source:
        invented: the ISO week, Monday 00:00 UTC to Sunday; S000 §6 changes a definition that
        was not found.
    """
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def check_group(facts: FileDayFacts) -> Refusal | None:
    """The GroupID belongs to a cohort that is migrated (R-004)."""
    cohort = facts.cohort.cohort
    if cohort.migratable:
        return None
    mark = facts.cohort.mark("cohort.not_migrated_because")
    detail = f"GroupID {cohort.group_id}: {cohort.not_migrated_because}"
    return Refusal("02", detail, evidence="" if mark is None else str(mark))


def check_tmad(book: RuleBook, facts: FileDayFacts) -> Refusal | None:
    """The TMAD applies on the day (1.3, R-017)."""
    version = tmad_on(book, facts.day)
    if version is None:
        return Refusal("02", f"{facts.day}; the first version is of {book.tmad[0].from_day}")
    if facts.day <= version.expires_on:
        return None
    detail = f"it ceased to apply after {version.expires_on}; the day is {facts.day}"
    return Refusal("01", detail, evidence=version.evidence)


def check_release(facts: FileDayFacts) -> Refusal | None:
    """The cohort's release has begun (R-005)."""
    starts = facts.cohort.dates.starts
    if starts is None:
        return Refusal("02", f"GroupID {facts.cohort.cohort.group_id}")
    if facts.day >= starts:
        return None
    mark = facts.cohort.mark("dates.starts")
    return Refusal("01", f"it begins on {starts}", evidence="" if mark is None else str(mark))


def check_requesting_party(facts: FileDayFacts) -> Refusal | None:
    """The Requesting Party still takes files (R-018)."""
    closed = facts.cohort.dates.requesting_party_closed
    if closed is None or facts.day < closed:
        return None
    mark = facts.cohort.mark("dates.requesting_party_closed")
    return Refusal("01", f"closed from {closed}", evidence="" if mark is None else str(mark))


def check_week(facts: FileDayFacts) -> Refusal | NotApplicable | None:
    """A migration that did not end in its week may go on (4.15)."""
    if facts.started is None:
        return NotApplicable("the file starts the migration")
    began, now = migration_week(facts.started), migration_week(facts.day)
    if began == now or (facts.cohort.cohort.multi_day and facts.started <= facts.day):
        return None
    return Refusal("01", f"the MCF is of {began}, this file of {now}")


def calendar_checks(book: RuleBook) -> dict[str, Check[FileDayFacts]]:
    """Return the checks of days, by rule."""
    return {
        "GROUP": check_group,
        "1.3": partial(check_tmad, book),
        "RELEASE": check_release,
        "RP": check_requesting_party,
        "4.15": check_week,
    }


@quick
@dataclass(frozen=True, slots=True)
class ContactFacts:
    """When the hub was first heard.

    Attributes:
        since_ms: When the wait began, milliseconds of virtual time.
        heard_ms: When the hub was heard; None: not yet.
        now_ms: The time.
        timeout_days: Whole days of waiting.
    """

    since_ms: int
    heard_ms: int | None
    now_ms: int
    timeout_days: int

    @property
    def deadline_ms(self) -> int:
        """The first millisecond that is too late."""
        return self.since_ms + self.timeout_days * MS_A_DAY


def check_contact(facts: ContactFacts) -> Refusal | NotApplicable | None:
    """The hub is heard before the time runs out; at the deadline itself it is too late.

    Source:
        S000 §5 (seven days); which side of the boundary wins: invented (migration.md 5.5, T-C).
    """
    if facts.heard_ms is not None and facts.heard_ms < facts.deadline_ms:
        return None
    if facts.heard_ms is None and facts.now_ms < facts.deadline_ms:
        return NotApplicable("the time has not run out yet")
    return Refusal("01", f"no contact within {facts.timeout_days} days")


CONTACT_CHECKS: Final[Mapping[str, Check[ContactFacts]]] = {"H4": check_contact}
