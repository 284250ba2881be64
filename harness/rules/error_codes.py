"""Codes of the migration: what they mean, what may follow, what they are called in reality."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.errors import (
    BadMarkError,
    DanglingReferenceError,
    DuplicateEntryError,
    InvalidValueError,
)
from device_profiles.evidence import EvidenceKind, Mark
from device_profiles.files import Folders
from harness.rules.migration_tables import CodeRow, FailureClassRow, RealCodeRow, load_table

#: How every code begins that no public text names (R-034).
PREFIX: Final = "X-"
#: The codes that public texts name.
VERBATIM: Final = frozenset({"MA110", "GT01"})
_CODES: Final = "migration-codes.csv"
_CLASSES: Final = "migration-failure-classes.csv"
_REAL: Final = "migration-real-codes.csv"
_REAL_MARKS: Final = frozenset({EvidenceKind.SOURCE, EvidenceKind.USER, EvidenceKind.OBSERVED})


@dataclass(frozen=True, slots=True)
class CodeTable:
    """All codes.

    Attributes:
        codes: (code, sub-code) -> its row.
        classes: Failure class -> its row.
        real: (code, sub-code) of ours -> its row in the true text.
    """

    codes: Mapping[tuple[str, str], CodeRow]
    classes: Mapping[str, FailureClassRow]
    real: Mapping[tuple[str, str], RealCodeRow]

    def find(self, code: str, sub_code: str = "") -> CodeRow | None:
        """Return the row of a code and sub-code, else of the code alone, else None."""
        return self.codes.get((code, sub_code)) or self.codes.get((code, ""))

    def failure_class(self, code: str, sub_code: str = "") -> FailureClassRow | None:
        """Return what may follow a code, or None for a code that is not known."""
        row = self.find(code, sub_code)
        return None if row is None else self.classes[row.failure_class]

    def shown(self, code: str, sub_code: str = "") -> tuple[str, str]:
        """Return code and sub-code as the true text calls them, else ours."""
        row = self.real.get((code, sub_code)) or self.real.get((code, ""))
        return (code, sub_code) if row is None else (row.real_code, row.real_sub_code or sub_code)

    def counted_attempts(self, failures: Iterable[tuple[str, str]]) -> int:
        """Count the failures that count as attempts (MEHRS).

        Args:
            failures: Code and sub-code of each failure since the last success, oldest first.
                A code that is not known counts.
        """
        seen: dict[str, int] = {}
        counted = 0
        for code, sub_code in failures:
            row = self.failure_class(code, sub_code)
            if row is None:
                counted += 1
                continue
            seen[row.failure_class] = seen.get(row.failure_class, 0) + 1
            counted += row.counts_from is not None and seen[row.failure_class] >= row.counts_from
        return counted


def load_codes(overlays: Folders = ()) -> CodeTable:
    """Load all codes.

    Raises:
        DataError: A table cannot be used, or a code of ours does not begin with ``X-``.
    """
    classes = {row.failure_class: row for row in load_table(FailureClassRow, _CLASSES, overlays)}
    codes: dict[tuple[str, str], CodeRow] = {}
    for row in load_table(CodeRow, _CODES, overlays):
        key = (row.code, row.sub_code)
        if key in codes:
            raise DuplicateEntryError("this code stands twice", file=_CODES, key=" ".join(key))
        if row.failure_class not in classes:
            raise DanglingReferenceError(
                f"no failure class {row.failure_class}", file=_CODES, key=" ".join(key)
            )
        _refuse_disguise(row)
        codes[key] = row
    real = {(row.code, row.sub_code): row for row in load_table(RealCodeRow, _REAL, overlays)}
    for known in real.values():
        if Mark.parse(known.evidence).kind not in _REAL_MARKS:
            raise BadMarkError("a real code needs a source", file=_REAL, key=known.code)
    return CodeTable(codes, classes, real)


def _refuse_disguise(row: CodeRow) -> None:
    """Refuse an invented code that looks like a real one."""
    if row.code.startswith(PREFIX) or Mark.parse(row.evidence).kind is EvidenceKind.USER:
        return
    sub_is_ours = not row.sub_code or row.sub_code.startswith(PREFIX)
    if row.code not in VERBATIM or not sub_is_ours:
        raise InvalidValueError(
            f"codes and sub-codes that no public text names begin with {PREFIX}",
            file=_CODES,
            key=f"{row.code} {row.sub_code}",
        )
