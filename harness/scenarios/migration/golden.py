"""The worked traces of the reference, T-A to T-G, MIG-024 to MIG-031."""

from dataclasses import replace
from typing import Final

from device_profiles.words import SupplyShape
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import (
    HOME,
    MIGRATED,
    Disturbance,
    Home,
    Kind,
    MigrationRow,
    Stage,
    SupplierIds,
    ends,
)
from harness.scenarios.migration.shapes import (
    CLEAR,
    DAY_S,
    DORMANT,
    ELECTRICITY,
    FAIL_T3,
    GSME,
    LIKELY,
    SILENCE,
    SPLIT,
    T3,
    UNHEARD,
    A,
    B,
    file_error,
    half_back,
    rejected,
    rolled_back,
    silent_hub,
)

_ONE_OWN: Final = replace(SPLIT, supplier_ids=SupplierIds.ONE_OWN)
_THREE: Final = (
    Home(ref="NORTH"),
    replace(ELECTRICITY, ref="SOUTH"),
    replace(ELECTRICITY, ref="WEST"),
)

MIG_024: Final = scenario(
    MigrationRow(
        id="MIG-024",
        title="T-A: FOC, dual fuel, split supply, clean, order A",
        clause="smetsbench migration",
        saboteur="mcc-tells-eis-of-everything",
        order=A,
        homes=(SPLIT,),
        shows=("TMAD 5.9.10", "TMAD 4.15", "MAM 6 notices"),
        silent=(
            "where the hand-over stands among the file steps: order A takes S000 §5 literally",
        ),
    )
)

MIG_025: Final = scenario(
    MigrationRow(
        id="MIG-025",
        title="T-B, order B: one supplier Certificate ID is not Null: rejected, then corrected",
        clause="TMAD 5.9.10",
        saboteur="rule-off-5.9.10",
        order=B,
        homes=(_ONE_OWN,),
        stages=(
            Stage(ends=ends(HOME=rejected("V4", "X-5.9.10", "01"))),
            Stage(wait_s=DAY_S, supplier_ids={HOME: SupplierIds.NULL}, ends=ends(HOME=MIGRATED)),
        ),
    )
)

MIG_026: Final = scenario(
    MigrationRow(
        id="MIG-026",
        title="T-B, order A: found after the hand-over: not processed, and taken back",
        clause="TMAD 5.9.10",
        saboteur="rule-off-5.9.10",
        order=A,
        homes=(_ONE_OWN,),
        stages=(Stage(ends=ends(HOME=rolled_back("V4", "X-5.9.10", "01"))),),
        silent=(
            "what follows when 5.9.10 fails after the hand-over: here it is taken back to the SMSO",
        ),
    )
)

MIG_027: Final = scenario(
    MigrationRow(
        id="MIG-027",
        title="T-C: three hubs are silent for seven days; the list is completed by 5.8A",
        clause="TMAD 5.8A",
        saboteur="rule-off-h4",
        order=A,
        homes=_THREE,
        stages=(
            Stage(
                ends=ends(**dict.fromkeys(("NORTH", "SOUTH", "WEST"), silent_hub())),
                script=UNHEARD,
            ),
            Stage(
                Kind.RESUBMIT,
                wait_s=2 * DAY_S,
                before=CLEAR,
                judgement=LIKELY,
                ends=ends(
                    **dict.fromkeys(("NORTH", "SOUTH", "WEST"), replace(MIGRATED, attempts=2))
                ),
            ),
        ),
        shows=("S000 §5 first contact",),
    )
)

MIG_028: Final = scenario(
    MigrationRow(
        id="MIG-028",
        title="T-D: the gas meter sleeps through its restore: stranded, then completed by 5.8A",
        clause="TMAD 5.1",
        saboteur="omits-r1-gsme",
        order=A,
        stages=(
            Stage(
                ends=ends(HOME=half_back(("T4", "X-16.9.2", "08"))),
                script=(
                    Disturbance("T4", act="gas to prepayment"),
                    Disturbance("R1", (SILENCE[GSME],), GSME),
                ),
            ),
            Stage(
                Kind.RESUBMIT,
                before=CLEAR,
                script=(Disturbance("T4", act="gas to credit"),),
                judgement=LIKELY,
            ),
        ),
        silent=(
            "whether the other restores go on after one failed: here it stops, and stays true",
        ),
    )
)

MIG_029: Final = scenario(
    MigrationRow(
        id="MIG-029",
        title="T-E: securing the electricity meter fails: everything is rolled back",
        clause="TMAD 5.1",
        saboteur="omits-r2",
        order=A,
        stages=(Stage(script=FAIL_T3, ends=ends(HOME=rolled_back(*T3))),),
    )
)

MIG_030: Final = scenario(
    MigrationRow(
        id="MIG-030",
        title="T-F: an encrypted file is sent again with the next Migration Common File",
        clause="TMAD 5.9.7",
        saboteur="rule-off-5.9.7",
        order=A,
        homes=(Home(ref="FIRST"), Home(ref="SECOND", batch=1)),
        stages=(
            Stage(refs=("FIRST",), ends=ends(FIRST=MIGRATED)),
            Stage(
                refs=("SECOND",),
                misconduct=("rp-sends-the-last-mef-again",),
                ends=ends(SECOND=file_error("V4", "X-5.9.7", "01", told="X-SEQUENCE")),
            ),
        ),
        shows=("S000 sub-codes", "S000 §5 file error"),
    )
)

MIG_031: Final = scenario(
    MigrationRow(
        id="MIG-031",
        title="T-G: Secure, a dormant gas meter de-registered beforehand: as one with ESME only",
        clause="S002 de-registration",
        saboteur="smso-keeps-its-records",
        cohort="DA",
        homes=(
            Home(
                ref="TWIN",
                shape=SupplyShape.ELECTRICITY_ONLY,
                of_class=DORMANT,
                dormancy="change-of-supplier",
            ),
            Home(of_class=DORMANT, dormancy="change-of-supplier", deregistered=True),
        ),
        stages=(Stage(like="TWIN", ends=ends(TWIN=MIGRATED, HOME=MIGRATED)),),
    )
)
