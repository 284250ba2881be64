"""What reading an authorisation gives: its lines, each with what was found in its cells."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emulator.core.values import quick
from harness.formats.authorisation.columns import Headings
from harness.formats.authorisation.grid import Grid, Line, Raw, address
from harness.formats.authorisation.installation import AuthorisedInstallation
from harness.formats.authorisation.shifts import Shift


class Severity(enum.StrEnum):
    """What a finding means for its line."""

    REFUSED = "refused"
    REPAIRED = "repaired"
    NOTE = "note"


@quick
@dataclass(frozen=True, slots=True)
class CellFinding:
    """Something about one cell.

    Attributes:
        cell: Its address, or ``--map`` for a constant of the user's map.
        column: Our column; empty where it is none of ours.
        severity: What it means for the line.
        sub_code: Sub-code of ``X-7.3.2``.
        text: What is wrong, or was done.
        original: What stands there.
        result: What was made of it; empty where it is refused.
        suggestion: What to do about it.
    """

    cell: str
    column: str
    severity: Severity
    sub_code: str
    text: str
    original: str = ""
    result: str = ""
    suggestion: str = ""


@quick
@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file that stands for an installation.

    Attributes:
        line: Its number, from 1.
        original: Its cells.
        values: Our column -> value in industry format.
        shift: How it was read, where its cells had slipped.
        findings: What was found in its cells.
        installation: What it says; None when a value of it is refused.
    """

    line: int
    original: tuple[Raw, ...]
    values: Mapping[str, str]
    shift: Shift | None
    findings: tuple[CellFinding, ...]
    installation: AuthorisedInstallation | None

    @property
    def ref(self) -> str:
        """What the supplier calls the installation."""
        return self.values.get("InstallationRef", "")


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A file, read.

    Attributes:
        path: Where it lies.
        grid: Its sheet.
        headings: Its columns.
        preamble: Lines above the headings.
        rows: Its installations.
    """

    path: Path
    grid: Grid
    headings: Headings
    preamble: tuple[Line, ...]
    rows: tuple[Row, ...]

    def cell(self, row: Row, column: str) -> str:
        """Return the address of a column's value on a line; ``--map`` for a constant."""
        index = self.headings.index_of(column)
        if index is None:
            return "--map"
        if row.shift is not None:
            index = row.shift.positions[index]
        return address(row.line, max(index, 0))
