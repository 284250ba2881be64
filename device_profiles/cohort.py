"""Cohorts of SMETS1 installations: one file each, every value with its evidence mark."""

import enum
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, model_validator

from device_profiles.errors import UnknownNameError
from device_profiles.evidence import Mark
from device_profiles.files import Folders, checked, layers, names, read_toml
from device_profiles.marked import merge
from device_profiles.metadata_layout import MetadataMode
from device_profiles.schema import Name
from device_profiles.sections import Flag, Positive, Section
from device_profiles.words import CspRegion, DeviceType

Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,12}$")]
StructureName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]{0,60}$")]


class HandoverOrder(enum.StrEnum):
    """Where the change of keys and SIM stands among the steps (migration.md 5.1)."""

    BEFORE_FILE_PROCESSING = "before_file_processing"
    AFTER_COMMON_FILE = "after_common_file"
    FOLDED = "folded"  # no steps of its own: part of device testing


class PpmidFirmwareReading(enum.StrEnum):
    """What a request to read a PPMID's firmware version brings back."""

    RAW = "raw"
    TRANSFORMED = "transformed"
    OWN_MAKE_ONLY = "own_make_only"


class CohortFacts(Section):
    """What the documents say of a cohort.

    Attributes:
        group_id: GroupID in migration files: data, not the cohort's key.
        csp: Region its hubs are listed under.
        coordinated_by_eis: Whether the electricity import supplier coordinates CHF and PPMID
            upgrades, and authorises the installation's migration.
        smso_tag: Tag of its SMSO in file names; compared without regard to case.
        s1sp: Name of its S1SP.
        migratable: Whether installations of the cohort are migrated at all.
        not_migrated_because: Why not; empty for a cohort that is migrated.
        resubmission_5_8a: Whether clause 5.8A may complete a stranded migration.
        multi_day: Whether a migration may run past its day (4.15).
    """

    group_id: Name
    csp: CspRegion
    coordinated_by_eis: Flag
    smso_tag: Tag
    s1sp: Name
    migratable: Flag
    not_migrated_because: str = ""
    resubmission_5_8a: Flag
    multi_day: Flag

    @model_validator(mode="after")
    def _says_why_not(self) -> Self:
        if self.migratable == bool(self.not_migrated_because):
            raise ValueError("not_migrated_because belongs to a cohort that is not migratable")
        return self


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


class CohortHandover(Section):
    """How keys and SIM change hands.

    Attributes:
        order: Where the steps stand.
        cert_rotation: Whether SMSO keys are changed for S1SP keys in a step of its own.
        sim_migration: Whether the SIM changes hands in a step of its own.
        chf_contact_timeout_days: Whole days within which the hub must be heard.
        holders: Device types that hold head-end credentials, in the order they change.
    """

    order: HandoverOrder
    cert_rotation: Flag
    sim_migration: Flag
    chf_contact_timeout_days: Positive
    holders: tuple[DeviceType, ...]


class CohortRollback(Section):
    """How a migration that failed on a device is undone.

    Attributes:
        enabled: Whether it is.
        certificates: Whether the SMSO's keys are put back.
        sim: Whether the SIM goes back.
        order: Device types in the order they are restored.
    """

    enabled: Flag
    certificates: Flag
    sim: Flag
    order: tuple[DeviceType, ...]


class CohortSplitSupply(Section):
    """What holds where two supplier parties serve one home (5.8, 5.9.10).

    Attributes:
        allowed: Whether such installations are migrated.
        require_null_supplier_certificates: Whether only with Null supplier Certificate IDs.
    """

    allowed: Flag
    require_null_supplier_certificates: Flag


class CohortEnvelope(Section):
    """The group's row of Table 11.2.1.

    Attributes:
        root: Structure that EncryptedS1SPGroupInformation opens to.
        protected_data: Structure inside ProtectedData, or None where there is none.
        dco_part: Whether a part for the DCO goes with it.
        plaintext_allowed: Whether group data may stand in the clear (11.1).
    """

    root: StructureName
    protected_data: StructureName | None = None
    dco_part: Flag
    plaintext_allowed: Flag


class CohortPpmid(Section):
    """What becomes of PPMIDs.

    Attributes:
        third_party_migrated: Whether PPMIDs that are not the SMSO's own make migrate too.
        read_firmware: What reading their firmware version brings back.
        third_party_firmware: Whether the S1SP can update and read the firmware of PPMIDs that are
            not the SMSO's own make (F-097).
    """

    third_party_migrated: Flag
    read_firmware: PpmidFirmwareReading
    third_party_firmware: Flag


class CohortChecks(Section):
    """Checks that are dated by cohort.

    Attributes:
        ma110: Whether planned installations are compared with the EPCL.
        ma110_from: First day of that check; None: since the cohort's first day.
    """

    ma110: Flag
    ma110_from: date | None = None


class CohortDates(Section):
    """Days that open or close a service; None where none is known.

    Attributes:
        starts: First day of the release that migrates the cohort; None: none is scheduled.
        requesting_party_closed: Day from which the Requesting Party takes no new MCF.
        migration_dust_ends: Last day of Migration DUST.
    """

    starts: date | None = None
    requesting_party_closed: date | None = None
    migration_dust_ends: date | None = None


class CohortMetadata(Section):
    """Where the cohort's hubs find the metadata of an image (F-055).

    Attributes:
        mode: Where they find them until ``enduring_from``.
        enduring_from: First day on which the S1SP supplies them; None: no day is known.
    """

    mode: MetadataMode
    enduring_from: date | None = None

    def mode_on(self, day: date) -> MetadataMode:
        """Return the mode that holds on a day."""
        changed = self.enduring_from is not None and day >= self.enduring_from
        return MetadataMode.ENDURING if changed else self.mode


class CohortBilingual(Section):
    """What the DSP takes bilingual devices of the cohort's homes for (B2, B8).

    Tactical: what they were pre-notified as, whatever hub they hang on. Enduring: what the hub is.

    Attributes:
        mode: What holds until ``enduring_from``.
        enduring_from: First day on which the hub decides; None: no day is known.
    """

    mode: MetadataMode
    enduring_from: date | None = None

    def mode_on(self, day: date) -> MetadataMode:
        """Return the mode that holds on a day."""
        changed = self.enduring_from is not None and day >= self.enduring_from
        return MetadataMode.ENDURING if changed else self.mode


_SECTIONS: Final = (
    "cohort",
    "models",
    "handover",
    "rollback",
    "split_supply",
    "envelope",
    "ppmid",
    "metadata",
    "bilingual",
    "checks",
    "dates",
)


class Cohort(Section):
    """One cohort.

    Attributes:
        key: Stem of its file: IOC, MDS, DA, EA, EB, EC, or a user's own.
        title: One line for a reader.
        cohort: See :class:`CohortFacts`.
        models: See :class:`CohortModels`.
        handover: See :class:`CohortHandover`.
        rollback: See :class:`CohortRollback`.
        split_supply: See :class:`CohortSplitSupply`.
        envelope: See :class:`CohortEnvelope`.
        ppmid: See :class:`CohortPpmid`.
        metadata: See :class:`CohortMetadata`.
        bilingual: See :class:`CohortBilingual`.
        checks: See :class:`CohortChecks`.
        dates: See :class:`CohortDates`.
        evidence: Key path of every value -> its mark.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    key: str
    title: str
    cohort: CohortFacts
    models: CohortModels
    handover: CohortHandover
    rollback: CohortRollback
    split_supply: CohortSplitSupply
    envelope: CohortEnvelope
    ppmid: CohortPpmid
    metadata: CohortMetadata
    bilingual: CohortBilingual
    checks: CohortChecks
    dates: CohortDates = CohortDates()
    evidence: Mapping[str, Mark]

    @model_validator(mode="after")
    def _restores_what_changed_hands(self) -> Self:
        if self.rollback.enabled and sorted(self.rollback.order) != sorted(self.handover.holders):
            raise ValueError("rollback.order must name the handover.holders, each once")
        return self

    def mark(self, path: str) -> Mark | None:
        """Return the mark of one value by key path, e.g. ``split_supply.allowed``."""
        return self.evidence.get(path)


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
    content, marks = merge(files, sections=_SECTIONS, head=("title",))
    told = {"key": files[-1].path.stem, **head, **content, "evidence": marks}
    return checked(Cohort, told, files[-1].path)
