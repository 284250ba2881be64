"""The truth table of 5.9.10 and the parties of User IDs, MIG-054 to MIG-057."""

from dataclasses import replace
from typing import Final

from harness.migration.states import State
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import (
    MIGRATED,
    End,
    GasSupplier,
    Home,
    MigrationRow,
    Owns,
    Stage,
    SupplierIds,
    ends,
)
from harness.scenarios.migration.shapes import DUAL, ELECTRICITY, SPLIT, B, rejected

_WHICH: Final = {
    "NULL": SupplierIds.NULL,
    "ONE": SupplierIds.ONE_OWN,
    "OWN": SupplierIds.OWN,
}
#: The MCF is valid; nothing has changed hands yet, and this row goes no further.
_VALID: Final = End(State.IN_VALIDATION, owns=Owns.SMSO)
_REFUSED: Final = rejected("V4", "X-5.9.10", "01")
_TABLE: Final = tuple(
    replace(home, ref=f"{name}-{ids}", supplier_ids=which)
    for name, home in (("ESME", ELECTRICITY), ("ONE-PARTY", DUAL), ("TWO-PARTIES", SPLIT))
    for ids, which in _WHICH.items()
)
_REFUSED_REFS: Final = frozenset({"TWO-PARTIES-ONE", "TWO-PARTIES-OWN"})
_USER_IDS: Final = Home(
    ref="TWO-USER-IDS",
    shape=SPLIT.shape,
    gas_supplier=GasSupplier.OTHER_USER_ID,
    supplier_ids=SupplierIds.OWN,
)

MIG_054: Final = scenario(
    MigrationRow(
        id="MIG-054",
        title="5.9.10: meters, parties and Certificate IDs in every combination",
        clause="TMAD 5.9.10",
        saboteur="rule-off-5.9.10",
        order=B,
        homes=_TABLE,
        stages=(
            Stage(
                until="validate",
                ends={
                    home.ref: _REFUSED if home.ref in _REFUSED_REFS else _VALID for home in _TABLE
                },
            ),
        ),
    )
)
MIG_055: Final = scenario(
    MigrationRow(
        id="MIG-055",
        title="5.9.10: two User IDs of one supplier party are no split supply",
        clause="MAM 7.2.2",
        saboteur="mcc-compares-whole-user-ids",
        order=B,
        homes=(_USER_IDS,),
        stages=(Stage(ends=ends(**{"TWO-USER-IDS": MIGRATED})),),
        silent=("which two octets of a User ID tell parties apart: octets 6 and 7 here",),
    )
)
MIG_056: Final = scenario(
    MigrationRow(
        id="MIG-056",
        title="IOC: split supply with the suppliers' own certificates migrates",
        clause="TMAD 5.8",
        saboteur="mcc-tells-nobody",
        cohort="IOC",
        homes=(replace(SPLIT, supplier_ids=SupplierIds.OWN),),
        silent=("split supply outside FOC: no source says; cohort data allow it",),
    )
)
MIG_057: Final = scenario(
    MigrationRow(
        id="MIG-057",
        title="Half a Certificate ID is no Certificate ID",
        clause="smetsbench Null-Certificate-ID",
        saboteur="rule-off-null",
        order=B,
        homes=(replace(DUAL, supplier_ids=SupplierIds.HALF),),
        stages=(Stage(ends=ends(HOME=rejected("V4", "X-NULL", "02"))),),
    )
)
