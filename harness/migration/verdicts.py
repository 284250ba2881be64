"""What became of files and installations in data validation, and what suppliers may see of it."""

import enum
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from emulator.core.values import quick
from harness.formats.migration_files.checking import Result
from harness.formats.migration_files.checks import Level
from harness.formats.migration_files.faults import Finding
from harness.formats.migration_files.opening import Opened
from harness.formats.migration_files.words import FileType

#: Makes the supplier's view of one finding: sub-codes for all cohorts, never a counter.
Masked = Callable[[Finding], Finding]


class Stage(enum.StrEnum):
    """Who judged, and what of."""

    PLANNING = "planning"  # P1 to P6
    COMMON_FILE = "common-file"  # V2, with the MCF's part of V4 where the cohort has it there
    FILE_SET = "file-set"  # V4 to V6


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What became of one file (R-054: its octets are kept beside it, in ``SetInHand``).

    Attributes:
        name: Its name.
        file_type: Which file; None where the name tells nothing and the content is refused.
        sha256: SHA-256 of the octets that arrived, 64 hex digits.
        result: Accepted, or refused.
        finding: Why it is refused; None where it is not.
        warnings: What was told and stopped nothing.
    """

    name: str
    file_type: FileType | None
    sha256: str
    result: Result
    finding: Finding | None = None
    warnings: tuple[Finding, ...] = ()


@quick
@dataclass(frozen=True, slots=True)
class InstallationVerdict:
    """What became of one installation.

    Attributes:
        ref: The installation.
        stage: Who judged.
        result: Accepted, refused, not-processed (a file of its set is refused) or incomplete.
        level: Whether a whole file failed, or this installation alone.
        findings: Why, first failing check first; texts may hold counters: never for suppliers.
        warnings: What was told and stopped nothing (overridden rules, GT01 of an ESME-only one).
        opened: What its layers held, by key holder; None before the set was opened.
    """

    ref: str
    stage: Stage
    result: Result
    level: Level = Level.INSTALLATION
    findings: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    opened: Opened | None = field(default=None, repr=False)

    @property
    def accepted(self) -> bool:
        """Whether the migration of the installation goes on."""
        return self.result is Result.ACCEPTED

    @property
    def first(self) -> Finding | None:
        """The first failing check; None for an accepted installation."""
        return self.findings[0] if self.findings else None

    @property
    def code(self) -> str:
        """Code of the first failing check; empty for an accepted installation."""
        return self.findings[0].code if self.findings else ""

    @property
    def sub_code(self) -> str:
        """Sub-code of the first failing check; may be empty."""
        return self.findings[0].sub_code if self.findings else ""

    @property
    def step(self) -> str:
        """Step of the first failing check; empty for an accepted installation."""
        return self.findings[0].step if self.findings else ""

    def for_suppliers(self, masked: Masked = Finding.for_suppliers) -> "InstallationVerdict":
        """Return what a supplier sees of it: codes and sub-codes, no counter and no secret.

        Source:
            S000 §3.1: suppliers receive the sub-codes for all cohorts; the counters are internal.
        """
        told = tuple(masked(one) for one in self.findings)
        warned = tuple(masked(one) for one in self.warnings)
        return replace(self, findings=told, warnings=warned, opened=None)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values, without what was opened."""
        return {
            "ref": self.ref,
            "stage": str(self.stage),
            "result": str(self.result),
            "level": str(self.level),
            "findings": [_row(one) for one in self.findings],
            "warnings": [_row(one) for one in self.warnings],
        }

    @classmethod
    def of_json(cls, state: dict[str, Any]) -> "InstallationVerdict":
        """Return what ``as_json`` gave; what was opened is opened again by whoever needs it."""
        return cls(
            state["ref"],
            Stage(state["stage"]),
            Result(state["result"]),
            Level(state["level"]),
            tuple(Finding(**one) for one in state["findings"]),
            tuple(Finding(**one) for one in state["warnings"]),
        )


def file_row(verdict: FileVerdict) -> dict[str, Any]:
    """Return a file's verdict as JSON values."""
    return {
        "name": verdict.name,
        "type": None if verdict.file_type is None else str(verdict.file_type),
        "sha256": verdict.sha256,
        "result": str(verdict.result),
        "finding": None if verdict.finding is None else _row(verdict.finding),
        "warnings": [_row(one) for one in verdict.warnings],
    }


def file_of_row(state: dict[str, Any]) -> FileVerdict:
    """Return what ``file_row`` gave."""
    return FileVerdict(
        state["name"],
        None if state["type"] is None else FileType(state["type"]),
        state["sha256"],
        Result(state["result"]),
        None if state["finding"] is None else Finding(**state["finding"]),
        tuple(Finding(**one) for one in state["warnings"]),
    )


_FIELDS: Final = ("step", "code", "sub_code", "text")


def _row(finding: Finding) -> dict[str, str]:
    return {name: getattr(finding, name) for name in _FIELDS}
