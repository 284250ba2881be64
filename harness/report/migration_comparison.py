"""Two migration runs side by side, as their reports show them."""

from typing import Final

from harness.migration.comparison import Change, RunsCompared, fields_of, of_installations
from harness.migration.volume_journal import VolumeJournal
from harness.report.migration_files import veiled
from harness.report.migration_model import MigrationRecord, build
from harness.run_folder import RunFolder

_CHOICES: Final = (
    *("cohort", "installations", "sha256", "seed", "faults", "defects", "order", "data"),
    "watched",
)


def compare(a: RunFolder, b: RunFolder) -> RunsCompared:
    """Compare two migration runs: choices, and the course of every home.

    EUI-64s that may be live are pseudonyms, as in the reports.

    Raises:
        UsageError: One of them is no migration run.
    """
    first, second = _read(a), _read(b)
    changes: tuple[Change, ...] = (
        *fields_of("run", "choices", (first.options, second.options), _CHOICES),
        *fields_of("run", "outcome", (first, second), ("version", "state", "verdict")),
        *of_installations(first.records, second.records),
    )
    compared = 2 + len({one.ref for run in (first, second) for one in run.records})
    return RunsCompared("migration", str(a.path), str(b.path), changes, compared)


def _read(folder: RunFolder) -> MigrationRecord:
    journal = VolumeJournal.open(folder.file("journal"))
    try:
        return veiled(build(folder, journal))
    finally:
        journal.close()
