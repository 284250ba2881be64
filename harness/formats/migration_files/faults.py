"""Refusals of migration files, as findings and as the error that carries one."""

from dataclasses import dataclass

from harness.errors import HarnessError
from harness.formats.migration_files.checks import Check, shipped_book
from harness.rules.migration_rulebook import RuleBook
from harness.rules.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection, as answer files and reports carry it.

    Attributes:
        step: Step that objects.
        code: MA110, GT01, or a code of ours.
        sub_code: Two digits, ``X-`` and two digits, or empty.
        text: What is wrong, for the parties of DCC: it may hold counters.
    """

    step: str
    code: str
    sub_code: str
    text: str

    @classmethod
    def of(cls, outcome: Outcome) -> "Finding":
        """Return the finding of a rule that rejects or warns."""
        inside = f" ({outcome.internal})" if outcome.internal else ""
        text = f"{outcome.text}{inside}"
        return cls(outcome.step, outcome.code, outcome.sub_code, text)

    def for_suppliers(self, book: RuleBook | None = None) -> "Finding":
        """Return the finding as suppliers see it: no counter, no number of the file (R-042).

        Args:
            book: The rules in use; None: the shipped ones.
        """
        known = book or shipped_book()
        rule = next((row for row in known.rules.values() if row.code == self.code), None)
        if rule is not None and rule.supplier_code:
            general = known.codes.find(rule.supplier_code)
            text = rule.says if general is None else general.supplier_says or general.says
            return Finding(self.step, rule.supplier_code, "", text)
        code = known.codes.find(self.code, self.sub_code)
        if code is None:
            return Finding(self.step, self.code, self.sub_code, "" if rule is None else rule.says)
        return Finding(self.step, self.code, self.sub_code, code.supplier_says or code.says)


class MigrationFileError(HarnessError):
    """A migration file is refused, or a value cannot be written into one.

    Attributes:
        check: Which check refused it.
        sub_code: Which part of the check.
        why: What is wrong, in this file.
        line: Line of the document, counted from 1; 0 when there is none.
    """

    def __init__(self, check: Check, sub_code: str, why: str, *, line: int = 0) -> None:
        if sub_code not in check.subs:
            raise ValueError(f"{check.code} has no sub-code {sub_code!r}")
        super().__init__(
            f"{check.code} {sub_code}: {why}",
            where=f"line {line}" if line else "",
            cause=f"{check.says}: {check.subs[sub_code]}",
            next_command="smetsbench migration check FILE",
        )
        self.check = check
        self.sub_code = sub_code
        self.why = why
        self.line = line

    @property
    def finding(self) -> Finding:
        """The refusal as a finding."""
        place = f"line {self.line}: " if self.line else ""
        return Finding(self.check.step, self.check.code, self.sub_code, f"{place}{self.why}")

    def under(self, check: Check, sub_code: str) -> "MigrationFileError":
        """Return the same refusal under another check: of a structure inside a cipher text."""
        return MigrationFileError(
            check, sub_code, f"{self.check.code} {self.sub_code}: {self.why}", line=self.line
        )
