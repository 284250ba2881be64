"""Where a file's refusals are let through, told as warnings, or passed over, by rule."""

from dataclasses import dataclass, field
from datetime import date

from harness.formats.migration_files.checks import Check
from harness.formats.migration_files.faults import Finding, MigrationFileError
from harness.rules.migration_rulebook import RuleBook, Switches


@dataclass(slots=True)
class Gate:
    """The switches of a run, applied to the checks of one file.

    A rule that is switched off, or not in force on the day, refuses nothing; one that the operator
    overrides is told as a warning.

    Attributes:
        book: The rules in use; None: all are in force.
        switches: What the run changes.
        day: The day, UTC; None: every rule is in force.
        warnings: What was told and stopped nothing.
    """

    book: RuleBook | None = None
    switches: Switches = field(default_factory=Switches)
    day: date | None = None
    warnings: list[Finding] = field(default_factory=list)

    def asks(self, check: Check) -> bool:
        """Say whether a check is made at all."""
        if self.switches.is_off(check.rule):
            return False
        if self.book is None or self.day is None or check.rule in self.switches.forced:
            return True
        row = self.book.rules.get(check.rule)
        return row is None or row.in_force(self.day)

    def settle(self, error: MigrationFileError) -> None:
        """Raise a refusal, unless the run lets it pass.

        Raises:
            MigrationFileError: The refusal.
        """
        if not self.asks(error.check):
            return
        if error.check.rule not in self.switches.overridden:
            raise error
        told = error.finding
        text = f"overridden by the operator: {told.text}"
        self.warnings.append(Finding(told.step, told.code, told.sub_code, text))

    def refuse(self, check: Check, sub_code: str, why: str, *, line: int = 0) -> None:
        """Refuse, unless the run lets it pass.

        Raises:
            MigrationFileError: The refusal.
        """
        self.settle(MigrationFileError(check, sub_code, why, line=line))
