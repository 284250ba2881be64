"""A file or a folder of files, checked, and told as rows for people and machines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from harness.errors import UsageError
from harness.formats.migration_files.checking import (
    DeliveryReport,
    InstallationCheck,
    InstallationReport,
    Result,
    check_delivery,
    files_alone,
)
from harness.formats.migration_files.checks import shipped_book
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.faults import Finding, MigrationFileError
from harness.formats.migration_files.file_set import deliveries
from harness.formats.migration_files.names import parse_migration
from harness.formats.migration_files.reading import CheckedFile, Context, check_path
from harness.formats.migration_files.words import FileType
from harness.rules.migration_rulebook import RuleBook

_NOTHING: Final = Finding("", "", "", "")
#: So many files are one migration's; a folder with more is another folder.
MAX_FILES: Final = 10_000


@dataclass(frozen=True, slots=True)
class FolderReport:
    """What became of files that lie together.

    Attributes:
        deliveries: One report a set; a file checked by itself is a set of its own.
        ledger: The counters after all of them.
    """

    deliveries: tuple[DeliveryReport, ...]
    ledger: Ledger

    @property
    def is_clean(self) -> bool:
        """Whether nothing was refused or left unchecked."""
        return all(report.is_clean for report in self.deliveries)

    def rows(self, *, for_suppliers: bool = False, book: RuleBook | None = None) -> dict[str, Any]:
        """Return the report as JSON values; ``missing``, where some are, names files due in a set.

        Args:
            for_suppliers: Leave out what is internal to DCC: counters, in texts and in names.
            book: The rules in use; None: the shipped ones.
        """
        codes = (book or shipped_book()).codes

        def tell(one: Finding) -> Finding:
            told = one.for_suppliers(book) if for_suppliers else one
            code, sub_code = codes.shown(told.code, told.sub_code)
            return replace(told, code=code, sub_code=sub_code)

        name = _masked if for_suppliers else str
        missing = [list(kinds) for kinds in self.missing() if kinds]
        return {
            "files": [
                _file_row(row, name, tell) for report in self.deliveries for row in report.files
            ],
            "installations": [
                _installation_row(row, tell)
                for report in self.deliveries
                for row in report.installations
            ],
        } | ({"missing": missing} if missing else {})

    def missing(self) -> list[tuple[str, ...]]:
        """Return the required files that did not come, set after set."""
        return [tuple(str(kind) for kind in report.missing) for report in self.deliveries]

    def warnings(self) -> list[tuple[str, Finding]]:
        """Return what was told and stopped nothing, with the file or installation it is of."""
        told = []
        for report in self.deliveries:
            told += [(row.name, one) for row in report.files for one in row.warnings]
            told += [(row.ref, one) for row in report.installations for one in row.warnings]
        return told


def check_one(
    path: Path,
    context: Context,
    ledger: Ledger | None = None,
    installation_check: InstallationCheck = files_alone,
) -> FolderReport:
    """Check one file by itself: what only its set can show is not looked for.

    A Migration Common File needs no other file for its counter, its days and the rules of its
    installations; these are asked of it here as in a folder.

    Raises:
        UsageError: It cannot be read.
    """
    known, row = ledger or Ledger(), check_path(path, context)
    if row.file is None or row.file_type is not FileType.MCF:
        return FolderReport((DeliveryReport((row,), (), known, ()),), known)
    report = replace(check_delivery((row,), context, known, installation_check), missing=())
    return FolderReport((report,), report.ledger)


def check_folder(
    path: Path,
    context: Context,
    ledger: Ledger,
    installation_check: InstallationCheck = files_alone,
) -> FolderReport:
    """Check every XML file of a folder (not of folders below it), set after set.

    A set that is refused leaves the others as they are.

    Raises:
        UsageError: The folder or a file cannot be read, or there is no XML file.
    """
    paths = sorted(p for p in path.iterdir() if p.suffix.lower() == ".xml" and p.is_file())
    if not paths or len(paths) > MAX_FILES:
        raise UsageError(
            f"the folder holds {len(paths)} files that end in .xml",
            where=str(path),
            cause="the folder above or below the right one",
            next_command="smetsbench migration build --cohort EA --installations FILE --out DIR",
        )
    reports: list[DeliveryReport] = []
    for files in deliveries([check_path(file, context) for file in paths]):
        reports.append(check_delivery(files, context, ledger, installation_check))
        ledger = reports[-1].ledger
    return FolderReport(tuple(reports), ledger)


def findings_of(report: FolderReport) -> Iterator[tuple[str, Finding]]:
    """Yield every objection with the name of the file or the reference of the installation."""
    for delivery in report.deliveries:
        for file in delivery.files:
            if file.error is not None:
                yield file.name, file.error.finding
        for installation in delivery.installations:
            for finding in installation.findings:
                yield installation.ref, finding


def _masked(name: str) -> str:
    """Return a file's name with its counter made unreadable."""
    try:
        parsed = parse_migration(name)
    except MigrationFileError:
        return name
    head = str(replace(parsed, suffix=""))
    return f"{head.rpartition('_')[0]}_{'#' * 10}{parsed.suffix}"


def _file_row(
    row: CheckedFile, name: Callable[[str], str], tell: Callable[[Finding], Finding]
) -> dict[str, Any]:
    finding = _NOTHING if row.error is None else tell(row.error.finding)
    result = Result.ACCEPTED if row.error is None else Result.REFUSED
    return {
        "name": name(row.name),
        "type": None if row.file_type is None else str(row.file_type),
        "result": str(result),
        **_cells(finding),
    }


def _installation_row(
    row: InstallationReport, tell: Callable[[Finding], Finding]
) -> dict[str, Any]:
    finding = tell(row.findings[0]) if row.findings else _NOTHING
    return {"ref": row.ref, "result": str(row.result), **_cells(finding)}


def _cells(finding: Finding) -> dict[str, str]:
    return {
        "step": finding.step,
        "code": finding.code,
        "sub_code": finding.sub_code,
        "text": finding.text,
    }
