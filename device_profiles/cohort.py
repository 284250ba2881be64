"""Cohorts of SMETS1 installations: one file each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError

from device_profiles.errors import UnknownNameError
from device_profiles.evidence import Mark
from device_profiles.files import Folders, layers, names, read_toml, refuse
from device_profiles.marked import merge
from device_profiles.schema import Name
from device_profiles.sections import Flag, Section
from device_profiles.words import CspRegion


class CohortFacts(Section):
    """What the documents say of a cohort.

    Attributes:
        group_id: GroupID in migration files: data, not the cohort's key.
        csp: Region its hubs are listed under.
        coordinated_by_eis: Whether the electricity import supplier coordinates CHF and PPMID
            upgrades.
    """

    group_id: Name
    csp: CspRegion
    coordinated_by_eis: Flag


class CohortModels(Section):
    """Profiles of the devices that generated installations of the cohort hold.

    Attributes:
        chf: The hub.
        esme: The electricity meter.
        gsme: The gas meter.
        ppmid: The PPMID.
    """

    chf: str
    esme: str
    gsme: str
    ppmid: str


class Cohort(Section):
    """One cohort.

    Attributes:
        key: Stem of its file: IOC, MDS, DA, EA, EB, EC, or a user's own.
        title: One line for a reader.
        cohort: See :class:`CohortFacts`.
        models: See :class:`CohortModels`.
        evidence: Key path of every value -> its mark.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    key: str
    title: str
    cohort: CohortFacts
    models: CohortModels
    evidence: Mapping[str, Mark]


def cohort_names(overlays: Folders = ()) -> list[str]:
    """Return the keys of all cohorts, shipped and overlaid."""
    return names("cohorts", ".toml", overlays)


def load_cohort(key_or_path: str | Path, overlays: Folders = ()) -> Cohort:
    """Load one cohort by key or path.

    Raises:
        DataError: No such cohort, or its file cannot be read, has a wrong or unmarked value.
    """
    path = Path(key_or_path)
    if path.suffix == ".toml":
        files = [read_toml(path, is_overlay=False)]
    else:
        paths = layers("cohorts", f"{key_or_path}.toml", overlays)
        files = [read_toml(found, is_overlay=found.parents[1] in overlays) for found in paths]
    if not files:
        known = ", ".join(cohort_names(overlays))
        raise UnknownNameError(f"no cohort of this key (known: {known})", file=str(key_or_path))
    head: dict[str, Any] = {}
    for file in files:
        head |= {key: value for key, value in file.table.items() if key == "title"}
    content, marks = merge(files, sections=("cohort", "models"), head=("title",))
    try:
        return Cohort.model_validate(
            {"key": files[-1].path.stem, **head, **content, "evidence": marks}
        )
    except ValidationError as error:
        raise refuse(error, files[-1].path) from error
