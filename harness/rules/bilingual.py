"""What becomes of a PPMID that can be of both generations: D1 to D14 for a cohort and a mode."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from device_profiles.bilingual_table import (
    BilingualDecision,
    BilingualOutcome,
    InventoryVersion,
    Listed,
    NotifiedAs,
    TableRoute,
    load_decisions,
)
from device_profiles.cohort import CohortPpmid, PpmidFirmwareReading
from device_profiles.cpl import Cpl
from device_profiles.metadata_layout import MetadataMode
from device_profiles.schema import Identity
from device_profiles.words import DeviceType, SmetsVersion

_NO_ROW: Final = "inferred:no row of the decision table fits"


class ReadBrings(enum.StrEnum):
    """What a request to read the firmware version brings."""

    EXECUTING = "executing"  # the version that runs
    NOMINAL = "nominal"  # the version of the SMETS1 entry
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class BilingualCase:
    """One device in one place.

    Attributes:
        mode: Tactical or enduring.
        listed: What the Central Products List has for its model.
        notified: With what it was announced.
        installation: Of which generation the installation is where it stands.
        moved: Whether it stood in an installation of the other kind before.
        in_dmc: Whether a combination of the EPCL holds its SMETS1 entry.
        third_party: Whether it is not of the SMSO's own make.
    """

    mode: MetadataMode
    listed: Listed
    notified: NotifiedAs
    installation: SmetsVersion
    moved: bool = False
    in_dmc: bool = True
    third_party: bool = False


@dataclass(frozen=True, slots=True)
class BilingualRuling:
    """What the table, the cohort and A2.13 say of it.

    Attributes:
        row: Row that decides; empty where none fits.
        outcome: What becomes of it.
        route: Who carries requests out.
        inventory: Which version the inventory shows.
        read: What reading its version brings.
        mismatch: Whether what is read differs from the CPL entry (18.64(c)).
        conflict: What A2.13 makes of it where the inventory says another generation; empty
            where they agree.
        why: Rule behind the row.
        says: The row in a sentence.
        evidence: Its mark.
    """

    row: str
    outcome: BilingualOutcome
    route: TableRoute
    inventory: InventoryVersion
    read: ReadBrings
    mismatch: bool
    conflict: str
    why: str
    says: str
    evidence: str

    @property
    def is_targetable(self) -> bool:
        """Whether a request can be sent to it."""
        return self.outcome is BilingualOutcome.TARGETABLE


def judge(
    case: BilingualCase,
    ppmid: CohortPpmid | None = None,
    table: Sequence[BilingualDecision] | None = None,
) -> BilingualRuling:
    """Say what becomes of a device (D1 to D14).

    Args:
        case: The device and where it stands.
        ppmid: The cohort's table of PPMIDs; None in a SMETS2+ installation.
        table: The decisions; the shipped ones when left out.

    Source:
        S003 §2 to §2.3; each row of ``catalogues/bilingual-decisions.csv`` has its own.
    """
    rows = load_decisions() if table is None else table
    row = next((one for one in rows if _fits(one, case)), None)
    if row is None:
        return _nothing_said(case)
    read = _read(row, case, ppmid)
    nominal = row.inventory is InventoryVersion.NOMINAL and case.listed is Listed.BOTH
    return BilingualRuling(
        row.id,
        row.outcome,
        row.route,
        row.inventory,
        read,
        nominal and read is ReadBrings.EXECUTING,
        _conflict(case),
        row.why,
        row.says,
        row.evidence,
    )


def listing_of(cpl: Cpl, identity: Identity) -> Listed | None:
    """Return which rows a list has for a PPMID model, or None for none at all."""
    rows = [
        row
        for row in cpl.entries.values()
        if row.device_type is DeviceType.PPMID
        and (row.manufacturer_id, row.model_hex) == (identity.manufacturer_hex, identity.model_hex)
    ]
    smets1 = {row.firmware_version for row in rows if row.smets is SmetsVersion.SMETS1}
    smets2 = {row.firmware_version for row in rows if row.smets is SmetsVersion.SMETS2}
    if smets1 and smets2:
        return Listed.BOTH_SAME_VERSION if smets1 & smets2 else Listed.BOTH
    if smets1:
        return Listed.SMETS1
    return Listed.SMETS2 if smets2 else None


def association_conflict(installation: SmetsVersion, inventory: SmetsVersion) -> str:
    """Return what A2.13 says against the inventory, or nothing (F-094).

    Args:
        installation: Generation of the hub the device is associated with.
        inventory: Generation it was announced as.

    Source:
        S003 §2.3 (SEC A2.13 as drafted).
    """
    if installation is inventory:
        return ""
    return (
        f"A2.13 treats it as {installation}, because of the hub it is associated with; the"
        f" inventory has it as {inventory}"
    )


def _fits(row: BilingualDecision, case: BilingualCase) -> bool:
    return (
        case.mode in row.mode
        and case.listed in row.listed
        and case.notified in row.notified
        and case.installation in row.installation
        and case.moved in row.moved
        and case.in_dmc in row.in_dmc
    )


def _read(row: BilingualDecision, case: BilingualCase, ppmid: CohortPpmid | None) -> ReadBrings:
    """F-091, F-092, F-097: what 11.2 brings."""
    if row.outcome is not BilingualOutcome.TARGETABLE:
        return ReadBrings.NOTHING
    if row.route is TableRoute.GBCS or ppmid is None:
        return ReadBrings.EXECUTING
    if case.third_party and not ppmid.third_party_firmware:
        return ReadBrings.NOTHING
    raw = ppmid.read_firmware is PpmidFirmwareReading.RAW
    nominal = row.inventory is InventoryVersion.NOMINAL and not raw
    return ReadBrings.NOMINAL if nominal else ReadBrings.EXECUTING


def _conflict(case: BilingualCase) -> str:
    tactical = case.mode is MetadataMode.TACTICAL
    if not tactical or case.notified not in {NotifiedAs.SMETS1, NotifiedAs.SMETS2}:
        return ""
    return association_conflict(case.installation, SmetsVersion(case.notified))


def _nothing_said(case: BilingualCase) -> BilingualRuling:
    says = (
        f"no row fits: {case.mode}, listed {case.listed}, announced as {case.notified},"
        f" in a {case.installation} installation"
    )
    return BilingualRuling(
        "",
        BilingualOutcome.UNTARGETABLE,
        TableRoute.NONE,
        InventoryVersion.NONE,
        ReadBrings.NOTHING,
        mismatch=False,
        conflict=_conflict(case),
        why="",
        says=says,
        evidence=_NO_ROW,
    )
