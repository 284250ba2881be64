"""Migrations in which nothing goes wrong: every cohort with every shape, MIG-001 to MIG-023."""

from dataclasses import replace
from typing import Any, Final

from device_profiles.words import InstallationClass
from harness.migration.states import State
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import (
    MIGRATED,
    Disturbance,
    End,
    Home,
    MigrationRow,
    Stage,
    ends,
)
from harness.scenarios.migration.shapes import (
    ACTIVE,
    DORMANT,
    DUAL,
    ELECTRICITY,
    GSME,
    MIXED,
    SILENCE,
    SPLIT,
    A,
    B,
)

_NAMES: Final = {id(DUAL): "dual fuel", id(SPLIT): "split supply", id(ELECTRICITY): "ESME only"}
#: The gas meter cannot be heard while it is tested: it is left out, and electricity migrates.
_GAS_SILENT: Final = (Disturbance("T4", (SILENCE[GSME],)),)
_GAS_LEFT_OUT: Final = End(
    State.MIGRATED,
    step="T4",
    code="GT01",
    excluded_gas=True,
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
        stages=(Stage(script=_GAS_SILENT, ends=ends(HOME=_GAS_LEFT_OUT)),),
        silent=(
            "which failures of the gas side GT01 stands for; here the gas meter cannot be heard",
            "whose a gas meter is that is left out: the SMSO's where it can be heard",
        ),
        **more,
    )


MIG_001: Final = scenario(_clean("MIG-001", "EA", DUAL, "omits-h2-esme", order=B))
MIG_002: Final = scenario(_clean("MIG-002", "EA", SPLIT, "mcc-tells-eis-of-everything", order=B))
MIG_003: Final = scenario(
    _clean("MIG-003", "EA", ELECTRICITY, "omits-h3", order=B, of_class=DORMANT)
)
MIG_004: Final = scenario(_without_gas("MIG-004", "EA", "rule-off-16.9.2", order=B))
MIG_005: Final = scenario(
    _clean("MIG-005", "EB", DUAL, "mcc-tells-nobody", order=B, of_class=MIXED)
)
MIG_006: Final = scenario(_clean("MIG-006", "EB", SPLIT, "omits-h2-gsme", order=B))
MIG_007: Final = scenario(_clean("MIG-007", "EB", ELECTRICITY, "omits-h2-chf", order=B))
MIG_008: Final = scenario(_without_gas("MIG-008", "EB", "rule-off-16.9.2", order=B))
MIG_009: Final = scenario(_clean("MIG-009", "IOC", DUAL, "cp-names-another-version"))
MIG_010: Final = scenario(_clean("MIG-010", "IOC", SPLIT, "mcc-tells-eis-of-everything"))
MIG_011: Final = scenario(
    _clean("MIG-011", "IOC", ELECTRICITY, "smso-keeps-its-records", of_class=DORMANT)
)
MIG_012: Final = scenario(_without_gas("MIG-012", "IOC", "rule-off-16.9.2"))
MIG_013: Final = scenario(_clean("MIG-013", "MDS", DUAL, "mcc-tells-nobody", of_class=MIXED))
MIG_014: Final = scenario(_clean("MIG-014", "MDS", SPLIT, "mcc-tells-eis-of-everything"))
MIG_015: Final = scenario(_clean("MIG-015", "MDS", ELECTRICITY, "cp-names-another-version"))
MIG_016: Final = scenario(_without_gas("MIG-016", "MDS", "rule-off-16.9.2"))
MIG_017: Final = scenario(_clean("MIG-017", "DA", DUAL, "cp-names-another-version"))
MIG_018: Final = scenario(_clean("MIG-018", "DA", SPLIT, "mcc-tells-nobody", of_class=MIXED))
MIG_019: Final = scenario(
    _clean("MIG-019", "DA", ELECTRICITY, "smso-keeps-its-records", of_class=DORMANT)
)
MIG_020: Final = scenario(_without_gas("MIG-020", "DA", "rule-off-16.9.2"))
MIG_021: Final = scenario(
    _clean("MIG-021", "EA", DUAL, "s1-esme-keeps-old-key", order=A, of_class=DORMANT)
)
MIG_022: Final = scenario(_clean("MIG-022", "EB", DUAL, "omits-h2-esme", order=A, of_class=MIXED))
_COHORTS: Final = ("IOC", "MDS", "DA", "EA", "EB")
MIG_023: Final = scenario(
    MigrationRow(
        id="MIG-023",
        title="Installations of all migrated cohorts in one run",
        clause="S001 cohorts",
        saboteur="omits-h2-esme",
        homes=tuple(replace(ELECTRICITY, ref=cohort, cohort=cohort) for cohort in _COHORTS),
        stages=(Stage(ends=ends(**dict.fromkeys(_COHORTS, MIGRATED))),),
        silent=("what differs between cohorts beyond what their data files hold",),
    )
)
