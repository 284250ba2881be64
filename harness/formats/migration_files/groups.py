"""Which cohort a GroupID belongs to: its row of Table 11.2.1 and all else that differs is there."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from device_profiles.cohort import Cohort, cohort_names, load_cohort
from device_profiles.errors import InconsistentDataError
from device_profiles.files import Folders
from harness.formats.migration_files import checks
from harness.formats.migration_files.faults import MigrationFileError
from harness.rules.migration_envelope import STRUCTURES

#: GroupID -> its cohort.
Groups = Mapping[str, Cohort]


def load_groups(overlays: Folders = (), own: Iterable[Cohort] = ()) -> Groups:
    """Load every cohort by its GroupID.

    Args:
        overlays: Overlay folders, weakest first.
        own: Cohorts of files elsewhere; they win over shipped and overlaid ones of their GroupID.

    Raises:
        DataError: A cohort file cannot be used.
    """
    mine = {one.cohort.group_id: _whole(one) for one in own}
    return {**_shipped(tuple(overlays)), **mine}


@lru_cache(maxsize=4)
def _shipped(overlays: tuple[Path, ...]) -> Groups:
    cohorts = (load_cohort(key, overlays) for key in cohort_names(overlays))
    return {one.cohort.group_id: _whole(one) for one in cohorts}


def _whole(cohort: Cohort) -> Cohort:
    """Refuse a row of Table 11.2.1 that names no structure of it.

    Raises:
        InconsistentDataError: It does.
    """
    row = cohort.envelope
    if row.root not in STRUCTURES or row.protected_data not in {None, STRUCTURES[1]}:
        raise InconsistentDataError(
            f"Table 11.2.1 knows {' and '.join(STRUCTURES)}; ProtectedData holds the second",
            file=cohort.key,
            key="envelope",
        )
    return cohort


def cohort_of(group_id: str, groups: Groups) -> Cohort:
    """Return the cohort of a group.

    Raises:
        MigrationFileError: X-GROUP 01: no cohort has it.
    """
    cohort = groups.get(group_id)
    if cohort is None:
        raise MigrationFileError(checks.GROUP, "01", f"no cohort has the GroupID {group_id}")
    return cohort
