"""Tables 16.9.2 and 16.10.2: the checks of the appendices on what the devices showed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.errors import UnknownNameError
from harness.rules.migration_rulebook import Judge, RuleBook
from harness.rules.migration_tables import AppendixRow
from harness.rules.outcomes import NotApplicable, Outcome, Refusal

#: The calls, in the order in which they are made.
CLAUSES: Final = ("16.10.2", "16.9.2")

Value = str | bool | int


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What was seen of an installation's devices.

    Attributes:
        seen: Name of an observation (``esme.firmware``) -> what was seen; a name that is not
            there was not seen.
        has_gsme_detail: Whether the MCF has a GSMEDetail for the installation.
    """

    seen: Mapping[str, Value]
    has_gsme_detail: bool


@dataclass(frozen=True, slots=True)
class AppendixFinding:
    """The first check of an appendix that failed.

    Attributes:
        row: The check.
        detail: What was seen.
    """

    row: AppendixRow
    detail: str


def first_failure(rows: tuple[AppendixRow, ...], facts: DeviceFacts) -> AppendixFinding | None:
    """Return the first check that what was seen does not meet, in the table's order."""
    for row in rows:
        detail = _failure(row, facts.seen)
        if detail is not None:
            return AppendixFinding(row, detail)
    return None


def ask(judge: Judge, clause: str, facts: DeviceFacts) -> tuple[Outcome, AppendixFinding | None]:
    """Run the appendix that a clause calls.

    Returns:
        The outcome, and the check that failed (its ``on_failure`` says what follows).

    Raises:
        UnknownNameError: No table links the clause.
    """
    finding = first_failure(called_by(judge.book, clause), facts)
    link = judge.book.links[clause]

    def check(facts: DeviceFacts) -> Refusal | NotApplicable | None:
        if link.needs_gsme_detail and not facts.has_gsme_detail:
            return NotApplicable("there is no GSMEDetail")
        if finding is None:
            return None
        row = finding.row
        return Refusal(row.sub_code, row.supplier_says, finding.detail, row.code, row.evidence)

    outcome = judge.ask(clause, check, facts)
    return outcome, finding if outcome.code else None


def called_by(book: RuleBook, clause: str) -> tuple[AppendixRow, ...]:
    """Return the checks of the appendix that a clause calls.

    Raises:
        UnknownNameError: No table links the clause.
    """
    link = book.links.get(clause)
    if link is None:
        raise UnknownNameError("migration-appendices.csv links no appendix", file=clause)
    return book.appendices[link.appendix]


def _failure(row: AppendixRow, seen: Mapping[str, Value]) -> str | None:
    """Return what was seen in the place of what must hold, or None."""
    value = seen.get(row.fact)
    if value is None:
        return f"{row.fact} was not seen"
    if row.test in {"true", "false"}:
        wanted: Value | None = row.test == "true"
        return None if value is wanted else f"{row.fact} is {_shown(value)}"
    if row.test == "one-of":
        allowed = {part.strip() for part in row.value.split(";")}
        return None if str(value) in allowed else f"{row.fact} is {_shown(value)}"
    wanted = row.value if row.test == "equals" else seen.get(row.value)
    if wanted is None:
        return f"{row.value} was not seen"
    if str(value) == str(wanted):
        return None
    return f"{row.fact} is {_shown(value)}, not {_shown(wanted)}"


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
