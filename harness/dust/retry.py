"""Whether a failed installation is tried again: when, on whose word, and what is needed for it.

Source: stand-in (migration.md 6.4; MEHRS is not public but for two codes). How failures count as
attempts is ``CodeTable.counted_attempts``; five of them exclude (TMAD 18, R-035).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from device_profiles.errors import DanglingReferenceError, DuplicateEntryError, UnknownNameError
from device_profiles.files import Folders
from harness.rules.error_codes import CodeTable
from harness.rules.migration_tables import TableRow, Word, load_table

TABLE: Final = "dust-retry.csv"
DEFAULT: Final = "default"
#: Class of codes that no table has.
UNKNOWN: Final = "unknown"


class RetryRow(TableRow):
    """What a policy does about failures of one class.

    Attributes:
        policy: Its name.
        failure_class: The class (MEHRS), or ``unknown``.
        retry: Whether such an installation is tried again.
        after_days: Days after the failure on which it may be, at the earliest; None: never.
        decided_by: Party whose word it needs; ``none`` where it is not tried again.
        needs: What has to be done first.
        says: The same in a sentence.
    """

    policy: Word
    failure_class: Word
    retry: Literal["yes", "no"]
    after_days: Annotated[int, Field(ge=0, le=400)] | None = None
    decided_by: Word
    needs: Word
    says: str


@dataclass(frozen=True, slots=True)
class Strategy:
    """A policy, with the codes it knows and the attempts it allows.

    Attributes:
        policy: Its name.
        rows: Failure class -> what is done about it.
        codes: Codes and their classes.
        most_attempts: Counted attempts that exclude an installation.
    """

    policy: str
    rows: Mapping[str, RetryRow]
    codes: CodeTable
    most_attempts: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows a failed attempt.

    Attributes:
        retry: Whether the installation is tried again.
        on: Day from which it may be; None where it is not.
        failure_class: Class of the failure.
        needs: What has to be done first; ``none`` where nothing.
        decided_by: Party whose word it needs.
        counts: Whether this failure counted as an attempt.
        attempts: Attempts counted so far, this one among them.
        excluded: Whether they exclude the installation from now on.
        says: Why, in a sentence.
        evidence: Mark of the row behind it.
    """

    retry: bool
    on: date | None
    failure_class: str
    needs: str
    decided_by: str
    counts: bool
    attempts: int
    excluded: bool
    says: str
    evidence: str


def load_strategy(
    policy: str, codes: CodeTable, most_attempts: int, overlays: Folders = ()
) -> Strategy:
    """Load a policy by its name.

    Raises:
        DataError: The table cannot be used, has a class twice or one that no code has, or no such
            policy.
    """
    rows: dict[str, RetryRow] = {}
    known = {*codes.classes, UNKNOWN}
    names: set[str] = set()
    for row in load_table(RetryRow, TABLE, overlays):
        names.add(row.policy)
        key = f"{row.policy} {row.failure_class}"
        if row.failure_class not in known:
            raise DanglingReferenceError(
                f"no failure class {row.failure_class}", file=TABLE, key=key
            )
        if row.policy != policy:
            continue
        if row.failure_class in rows:
            raise DuplicateEntryError("this class stands twice", file=TABLE, key=key)
        rows[row.failure_class] = row
    if not rows:
        raise UnknownNameError(f"no retry policy {policy} (known: {sorted(names)})", file=TABLE)
    if absent := known - rows.keys():
        raise DanglingReferenceError(f"{policy} leaves out {sorted(absent)}", file=TABLE)
    return Strategy(policy, rows, codes, most_attempts)


def decide(strategy: Strategy, failures: Sequence[tuple[str, str]], day: date) -> Decision:
    """Decide on an installation whose last attempt failed.

    Args:
        strategy: The policy.
        failures: Code and sub-code of each attempt that failed since the last success, oldest
            first, the present one last (``InstallationRecord.failures``).
        day: Day of the present failure.

    Raises:
        ValueError: Nothing failed.
    """
    if not failures:
        raise ValueError("there is no failure to decide on")
    known = strategy.codes.failure_class(*failures[-1])
    row = strategy.rows[UNKNOWN if known is None else known.failure_class]
    before = strategy.codes.counted_attempts(failures[:-1])
    attempts = strategy.codes.counted_attempts(failures)
    excluded = attempts >= strategy.most_attempts
    retry = row.retry == "yes" and not excluded
    says = f"{attempts} counted attempts exclude it (TMAD 18)" if excluded else row.says
    return Decision(
        retry=retry,
        on=day + timedelta(days=row.after_days or 0) if retry else None,
        failure_class=row.failure_class,
        needs=row.needs if retry else "none",
        decided_by=row.decided_by if retry else "none",
        counts=attempts > before,
        attempts=attempts,
        excluded=excluded,
        says=says,
        evidence=row.evidence,
    )
