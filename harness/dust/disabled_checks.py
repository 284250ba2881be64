"""Checks that are off from a day on (the "unblocking" of 2021, R-036)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Protocol

from harness.rules.migration_rulebook import RuleBook, Switches


class DisabledCheck(Protocol):
    """A row ``[[disabled_checks]]`` of a definition."""

    @property
    def id(self) -> str:
        """Id of the rule."""

    @property
    def from_day(self) -> date:
        """First day on which it is not asked."""


def switches_on(
    day: date, checks: Iterable[DisabledCheck], book: RuleBook, given: Switches | None = None
) -> Switches:
    """Return which rules are not asked on a day.

    Args:
        day: The day.
        checks: What the definition disables, each from a day.
        book: The rules.
        given: What the run changes otherwise.

    Raises:
        UnknownNameError: A check that no rule is called: it would change nothing, in silence.
    """
    listed = tuple(checks)
    Switches(disabled=frozenset(one.id for one in listed)).refuse_unknown(book)
    base = given or Switches()
    off = {one.id for one in listed if one.from_day <= day}
    return replace(base, disabled=base.disabled | off)
