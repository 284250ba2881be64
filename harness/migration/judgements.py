"""What checks of files mean for the files and installations of a set."""

from collections.abc import Sequence

from harness.formats.migration_files.checking import DeliveryReport, Result
from harness.formats.migration_files.checks import Level
from harness.formats.migration_files.faults import Finding
from harness.formats.migration_files.reading import CheckedFile
from harness.migration.verdicts import FileVerdict, InstallationVerdict, Stage
from harness.parties.mcc import CommonVerdict


def of_file(row: CheckedFile) -> FileVerdict:
    """Return the verdict on a file that was checked."""
    result = Result.ACCEPTED if row.error is None else Result.REFUSED
    return FileVerdict(row.name, row.file_type, row.sha256, result, row.finding, row.warnings)


def of_common(refs: Sequence[str], verdict: CommonVerdict) -> dict[str, InstallationVerdict]:
    """Return the MCC's verdict on every installation of a set, by ref."""
    if verdict.file.finding is not None:
        told = (verdict.file.finding,)
        return {
            ref: InstallationVerdict(ref, Stage.COMMON_FILE, Result.NOT_PROCESSED, Level.FILE, told)
            for ref in refs
        }
    return {
        ref: InstallationVerdict(
            ref,
            Stage.COMMON_FILE,
            verdict.result(ref),
            Level.INSTALLATION,
            tuple(Finding.of(one) for one in outcomes if one.rejected),
            tuple(Finding.of(one) for one in outcomes if one.code and not one.rejected),
        )
        for ref, outcomes in verdict.installations.items()
        if ref in refs
    }


def of_answer(refs: Sequence[str], finding: Finding) -> dict[str, InstallationVerdict]:
    """Return the verdict on installations whose MVF is refused, by ref."""
    none = (Stage.COMMON_FILE, Result.NOT_PROCESSED, Level.FILE, (finding,))
    return {ref: InstallationVerdict(ref, *none) for ref in refs}


def of_lost(ref: str, report: DeliveryReport) -> InstallationVerdict:
    """Return the verdict on an installation that no readable MCF of the set names."""
    broken = next((row for row in report.files if row.finding is not None), None)
    told = () if broken is None or broken.finding is None else (broken.finding,)
    return InstallationVerdict(ref, Stage.FILE_SET, Result.NOT_PROCESSED, Level.FILE, told)
