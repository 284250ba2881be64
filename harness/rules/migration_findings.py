"""What ``ma check`` is asked, and what it finds: values with the cells they are about."""

import enum
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from device_profiles.cohort import Cohort
from emulator.core.values import quick
from harness.formats.authorisation.installation import AuthorisedInstallation
from harness.formats.authorisation.read_rows import Row, Severity
from harness.rules.eligibility import Lists
from harness.rules.migration_authorisation import InstalledDevices
from harness.rules.migration_certificates import CertificateRegister
from harness.rules.migration_rulebook import RuleBook, Switches


class RowResult(enum.StrEnum):
    """What becomes of an installation."""

    ACCEPTED = "accepted"
    REPAIRED = "repaired"
    REFUSED = "refused"


@quick
@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the file, in a cell where there is one.

    Attributes:
        ref: Installation; empty for the file.
        line: Its line; 0 for the file.
        cell: Address; empty for the file as a whole.
        cells: Further addresses that it is about.
        column: Our column; empty where it is none.
        severity: What it means.
        rule: The rule.
        step: Step of the migration.
        code: Code.
        sub_code: Sub-code.
        clause: Where the rule stands.
        evidence: How well the rule is known.
        text: What is wrong, or was done.
        original: What stands there.
        result: What was made of it.
        suggestion: What to do about it.
    """

    ref: str
    line: int
    cell: str
    cells: tuple[str, ...]
    column: str
    severity: Severity
    rule: str
    step: str
    code: str
    sub_code: str
    clause: str
    evidence: str
    text: str
    original: str = ""
    result: str = ""
    suggestion: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {**values, "cells": list(self.cells), "severity": str(self.severity)}


@quick
@dataclass(frozen=True, slots=True)
class RowReport:
    """What was found on one line.

    Attributes:
        row: The line.
        result: What becomes of the installation.
        refusal: Its first refusal, or None.
        findings: All findings, in the order of the rules.
    """

    row: Row
    result: RowResult
    refusal: Finding | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What an authorisation is asked with.

    Attributes:
        book: The rules.
        lists: CPL, EPCL and tested combinations.
        cohort: The cohort, or None.
        day: The day, or None: that of the file name, else the first day of any window.
        authoriser: User ID of the supplier, or empty: that of the file name.
        installed: The SMSO's inventory, or None.
        register: The certificates that are known, or None.
        switches: What the run changes in the rules.
    """

    book: RuleBook
    lists: Lists
    cohort: Cohort | None = None
    day: date | None = None
    authoriser: str = ""
    installed: InstalledDevices | None = None
    register: CertificateRegister | None = field(default=None, repr=False)
    switches: Switches = field(default_factory=Switches)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in an authorisation.

    Attributes:
        day: The day it was judged on; None where nothing gave one.
        day_from: What gave it.
        authoriser: User ID of the supplier; empty where nothing gave one.
        files: Findings of the file as a whole.
        rows: What was found on each line.
        not_checked: Rule -> why it was not asked.
    """

    day: date | None
    day_from: str
    authoriser: str
    files: tuple[Finding, ...]
    rows: tuple[RowReport, ...]
    not_checked: Mapping[str, str]

    @property
    def clean(self) -> bool:
        """Whether nothing was refused and nothing had to be repaired."""
        whole = not any(finding.severity is Severity.REFUSED for finding in self.files)
        return whole and all(row.result is RowResult.ACCEPTED for row in self.rows)

    @property
    def totals(self) -> dict[str, int]:
        """How many installations came to which result."""
        counted = Counter(row.result for row in self.rows)
        return {"rows": len(self.rows), **{str(one): counted[one] for one in RowResult}}

    def findings(self) -> Iterator[Finding]:
        """Yield all findings, those of the file first."""
        yield from self.files
        for row in self.rows:
            yield from row.findings

    def accepted(self) -> tuple[AuthorisedInstallation, ...]:
        """Return the installations that an MCF would be made from."""
        return tuple(
            row.row.installation
            for row in self.rows
            if row.result is not RowResult.REFUSED and row.row.installation is not None
        )
