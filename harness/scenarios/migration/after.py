"""What holds after a migration: third-party PPMIDs, dual control, MIG-097 to MIG-099."""

from typing import Final

from harness.parties.s1sp_desk_faults import DeskFault
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.image_steps import adds_back, is_not_read, is_not_updated
from harness.scenarios.migration.row import Kind, MigrationRow, Stage, ends
from harness.scenarios.migration.shapes import DUAL, ESME, A, B, half_back
from harness.scenarios.migration.supplier_steps import CREDIT, sets_mode

_SECURE: Final = "S003 §4"
_DUAL: Final = "SEC dual control"

MIG_097: Final = scenario(
    MigrationRow(
        id="MIG-097",
        title="Secure: a third-party PPMID is left out, added back, and not updated nor read",
        clause=_SECURE,
        saboteur="s1sp-migrates-every-ppmid",
        cohort="DA",
        stages=(
            Stage(),
            Stage(
                Kind.STEPS,
                steps=(adds_back(_SECURE), is_not_updated(_SECURE), is_not_read(_SECURE)),
                events=("ppmid added", "ppmid not updated", "ppmid not read"),
                ends={},
            ),
        ),
        silent=("what tells a PPMID's make from the SMSO's own: the maker of the hub here",),
    )
)
MIG_098: Final = scenario(
    MigrationRow(
        id="MIG-098",
        title="Without the DCO's part nothing critical is done: no proof, and no rollback either",
        clause=_DUAL,
        saboteur="s1sp-skips-its-gate",
        order=A,
        homes=(DUAL,),
        stages=(
            Stage(
                misconduct=("dco-signs-nothing",),
                ends=ends(HOME=half_back(("T3", "X-16.10.2", "07"), back=("R1", "05"))),
            ),
        ),
        silent=("how a DCO countersigns: a signature over the instruction here",),
    )
)
MIG_099: Final = scenario(
    MigrationRow(
        id="MIG-099",
        title="Without the DCO's part a supplier's critical request ends at the S1SP's gate",
        clause=_DUAL,
        saboteur="s1sp-skips-its-gate",
        order=B,
        stages=(
            Stage(),
            Stage(
                Kind.STEPS,
                misconduct=("dco-signs-nothing",),
                steps=(sets_mode(_DUAL, ESME, CREDIT, DeskFault.DCO_PART_MISSING)[0],),
                events=(f"asked ESME {DeskFault.DCO_PART_MISSING}",),
                ends={},
            ),
        ),
    )
)
