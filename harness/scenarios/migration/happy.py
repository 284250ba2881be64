"""Migrations in which nothing goes wrong: every cohort with every shape, MIG-001 to MIG-023."""

from dataclasses import replace
from typing import Any, Final

from device_profiles.words import InstallationClass
from harness.migration.states import Owner, State
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import MIGRATED, End, Home, MigrationRow, Stage, ends
from harness.scenarios.migration.shapes import (
    ACTIVE,
    DORMANT,
    DUAL,
    ELECTRICITY,
    GSME,
    MIXED,
    SPLIT,
    A,
    B,
)

_NAMES: Final = {id(DUAL): "dual fuel", id(SPLIT): "split supply", id(ELECTRICITY): "ESME only"}
#: The gas meter is off the home's network: it is left out, and electricity migrates.
_GAS_LEFT_OUT: Final = End(
    State.MIGRATED,
    step="T4",
    code="GT01",
    excluded_gas=True,
    but={GSME: Owner.SMSO},
)


def _clean(id_: str, cohort: str, home: Home, saboteur: str, **more: Any) -> MigrationRow:
    of_class: InstallationClass = more.pop("of_class", ACTIVE)
    dormancy = "" if of_class is ACTIVE else "change-of-supplier"
    order = more.get("order")
    told = "" if order is None else f", order {'A' if order is A else 'B'}"
    return MigrationRow(
        id=id_,
        title=f"{cohort}, {_NAMES[id(home)]}, {of_class}{told}: migrated",
        clause="smetsbench migration",
        saboteur=saboteur,
        cohort=cohort,
        homes=(replace(home, of_class=of_class, dormancy=dormancy),),
        **more,
    )


def _without_gas(id_: str, cohort: str, saboteur: str, **more: Any) -> MigrationRow:
    return MigrationRow(
        id=id_,
        title=f"{cohort}, GSME excluded (GT01): electricity migrates alone",
        clause="MEHRS GT01",
        saboteur=saboteur,
        cohort=cohort,
        stages=(Stage(ends=ends(HOME=_GAS_LEFT_OUT)),),
        conditions=("s1-chf-log-lacks-gsme",),
        silent=(
            "which failures of the gas side GT01 stands for; here the hub's log lacks the gas meter",
            "who operates a gas meter that is left out; here it is given back to the SMSO",
        ),
        **more,
    )


MIG_001: Final = scenario(_clean("MIG-001", "EA", DUAL, "smso-skips-the-esme", order=B))
MIG_002: Final = scenario(_clean("MIG-002", "EA", SPLIT, "cp-tells-eis-of-everything", order=B))
MIG_003: Final = scenario(
    _clean("MIG-003", "EA", ELECTRICITY, "smso-forgets-the-sim", order=B, of_class=DORMANT)
)
MIG_004: Final = scenario(_without_gas("MIG-004", "EA", "rule-off-16.9.2", order=B))
MIG_005: Final = scenario(
    _clean("MIG-005", "EB", DUAL, "cp-forgets-the-gas-supplier", order=B, of_class=MIXED)
)
MIG_006: Final = scenario(_clean("MIG-006", "EB", SPLIT, "smso-skips-the-gsme", order=B))
MIG_007: Final = scenario(_clean("MIG-007", "EB", ELECTRICITY, "smso-skips-the-hub", order=B))
MIG_008: Final = scenario(_without_gas("MIG-008", "EB", "rule-off-16.9.2", order=B))
MIG_009: Final = scenario(_clean("MIG-009", "IOC", DUAL, "cp-leaves-devices-uncommissioned"))
MIG_010: Final = scenario(_clean("MIG-010", "IOC", SPLIT, "cp-tells-eis-of-everything"))
MIG_011: Final = scenario(
    _clean("MIG-011", "IOC", ELECTRICITY, "smso-keeps-its-records", of_class=DORMANT)
)
MIG_012: Final = scenario(_without_gas("MIG-012", "IOC", "rule-off-16.9.2"))
MIG_013: Final = scenario(_clean("MIG-013", "MDS", DUAL, "cp-tells-nobody", of_class=MIXED))
MIG_014: Final = scenario(_clean("MIG-014", "MDS", SPLIT, "cp-tells-eis-of-everything"))
MIG_015: Final = scenario(_clean("MIG-015", "MDS", ELECTRICITY, "cp-leaves-devices-uncommissioned"))
MIG_016: Final = scenario(_without_gas("MIG-016", "MDS", "rule-off-16.9.2"))
MIG_017: Final = scenario(_clean("MIG-017", "DA", DUAL, "cp-skips-pre-notification"))
MIG_018: Final = scenario(_clean("MIG-018", "DA", SPLIT, "cp-tells-nobody", of_class=MIXED))
MIG_019: Final = scenario(
    _clean("MIG-019", "DA", ELECTRICITY, "smso-keeps-its-records", of_class=DORMANT)
)
MIG_020: Final = scenario(_without_gas("MIG-020", "DA", "rule-off-16.9.2"))
MIG_021: Final = scenario(
    _clean("MIG-021", "EA", DUAL, "s1sp-skips-viability", order=A, of_class=DORMANT)
)
MIG_022: Final = scenario(
    _clean("MIG-022", "EB", DUAL, "smso-skips-the-esme", order=A, of_class=MIXED)
)
_COHORTS: Final = ("IOC", "MDS", "DA", "EA", "EB")
MIG_023: Final = scenario(
    MigrationRow(
        id="MIG-023",
        title="Installations of all migrated cohorts in one run",
        clause="S001 cohorts",
        saboteur="smso-skips-the-esme",
        homes=tuple(Home(ref=cohort, cohort=cohort) for cohort in _COHORTS),
        stages=(Stage(ends=ends(**dict.fromkeys(_COHORTS, MIGRATED))),),
    )
)
