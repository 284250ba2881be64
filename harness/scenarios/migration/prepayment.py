"""Prepayment: codes on either side of the hand-over, 4.49(e), top-ups, MIG-089 to MIG-096."""

from dataclasses import replace
from typing import Any, Final

from emulator.core.ids import Eui64
from harness.parties.s1sp_desk_faults import DeskFault
from harness.scenario import Step
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import (
    Disturbance,
    GasSupplier,
    Home,
    Kind,
    MigrationRow,
    Stage,
    SupplierIds,
)
from harness.scenarios.migration.shapes import DORMANT, ELECTRICITY, ESME, GSME, SPLIT, B
from harness.scenarios.migration.supplier_steps import (
    CREDIT,
    PREPAYMENT,
    changes_supplier,
    codes_noted,
    duty,
    hands_over,
    mode_is,
    sets_mode,
    tops_up,
    tops_up_in_vain,
)

_PREPAYS: Final = replace(ELECTRICITY, prepays=frozenset({ESME}))
_GAS_PREPAYS: Final = Home(prepays=frozenset({GSME}))
_DUTY: Final = "TMAD 4.49"
_TOP_UP: Final = "S1SR 2.2"
_GAP: Final = "smetsbench top-up-gap"
_NULL: Final = "S1SR Null certificates"
_WHEN_IT_BITES: Final = "where the duty of 4.49(e) stands among the steps: from commissioning on"


def _then(*told: tuple[Step, str], **stage: Any) -> tuple[Stage, ...]:
    """A whole migration, and steps of the time after it with the events they state."""
    steps = tuple(step for step, _word in told)
    events = tuple(word for _step, word in told)
    return Stage(**stage), Stage(Kind.STEPS, steps=steps, events=events, ends={})


MIG_089: Final = scenario(
    MigrationRow(
        id="MIG-089",
        title="Top-up codes: the SMSO's before, nobody's in between, the DCC's after",
        clause=_GAP,
        saboteur="omits-h2",
        order=B,
        homes=(Home(prepays=frozenset({ESME, GSME})),),
        stages=_then(
            codes_noted(_GAP, ESME, GSME),
            wait_s=600,
            script=(
                Disturbance("H1", act="codes before"),
                Disturbance("H3", act="codes in the gap", after=True),
                Disturbance("T7", act="codes after testing", after=True),
            ),
        ),
        silent=("whose codes a meter takes between rotation and commissioning: nobody's here",),
    )
)
MIG_090: Final = scenario(
    MigrationRow(
        id="MIG-090",
        title="2.2 after migration: delivered; undelivered, the code comes back for the keypad",
        clause=_TOP_UP,
        saboteur="s1-esme-topup-twice",
        order=B,
        homes=(_PREPAYS,),
        stages=_then(
            tops_up(_TOP_UP, ESME, 1),
            tops_up_in_vain(_TOP_UP, ESME, 2, DeskFault.NOT_DELIVERED),
        ),
    )
)
MIG_091: Final = scenario(
    MigrationRow(
        id="MIG-091",
        title="4.49(e): the supplier sets the prepayment meter to credit in time",
        clause=_DUTY,
        saboteur="s1-esme-forgets-payment-mode",
        order=B,
        homes=(_PREPAYS,),
        stages=_then(
            sets_mode(_DUTY, ESME, CREDIT),
            mode_is(_DUTY, ESME, "Credit"),
            duty(_DUTY, days=8, overdue=()),
        ),
        silent=(_WHEN_IT_BITES,),
    )
)
MIG_092: Final = scenario(
    MigrationRow(
        id="MIG-092",
        title="4.49(e): the supplier does nothing: a failure of the participant",
        clause=_DUTY,
        saboteur="mcc-allows-99-days",
        order=B,
        homes=(_PREPAYS,),
        stages=_then(
            mode_is(_DUTY, ESME, "Prepayment"),
            duty(_DUTY, days=8, overdue=(ESME,)),
        ),
        silent=(_WHEN_IT_BITES, "how long the supplier has: seven days here"),
    )
)
MIG_093: Final = scenario(
    MigrationRow(
        id="MIG-093",
        title="Gas prepayment: 4.49(e) and 2.2 at the gas meter",
        clause=_DUTY,
        saboteur="s1-gsme-forgets-payment-mode",
        order=B,
        homes=(_GAS_PREPAYS,),
        stages=_then(
            tops_up(_TOP_UP, GSME, 1),
            tops_up_in_vain(_TOP_UP, GSME, 2, DeskFault.NOT_DELIVERED),
            sets_mode(_DUTY, GSME, CREDIT),
            mode_is(_DUTY, GSME, "Credit"),
            duty(_DUTY, days=8, overdue=()),
        ),
        silent=(_WHEN_IT_BITES,),
    )
)
MIG_094: Final = scenario(
    MigrationRow(
        id="MIG-094",
        title="A credit meter is none of 4.49's: nobody has a duty, and its mode stays",
        clause=_DUTY,
        saboteur="mcc-asks-credit-meters",
        homes=(ELECTRICITY,),
        order=B,
        stages=_then(mode_is(_DUTY, ESME, "Credit"), duty(_DUTY, days=8, overdue=())),
    )
)
_NEW: Final = Eui64.parse("02-53-42-00-00-03-00-00")
MIG_095: Final = scenario(
    MigrationRow(
        id="MIG-095",
        title="Change of supplier without WAN: the new supplier's code works at the keypad",
        clause=_TOP_UP,
        saboteur="s1-esme-topup-twice",
        order=B,
        homes=(
            Home(
                shape=SPLIT.shape,
                gas_supplier=GasSupplier.OTHER_PARTY,
                supplier_ids=SupplierIds.NULL,
                prepays=frozenset({ESME}),
            ),
        ),
        stages=_then(
            changes_supplier(_TOP_UP, ESME, _NEW),
            tops_up_in_vain(_TOP_UP, ESME, 3, DeskFault.NOT_DELIVERED),
        ),
    )
)
MIG_096: Final = scenario(
    MigrationRow(
        id="MIG-096",
        title="From a dormant meter to its first top-up: Null refuses, 6.21, 1.6, 2.2",
        clause=_NULL,
        saboteur="s1sp-takes-null-for-everybody",
        order=B,
        homes=(
            Home(
                shape=SPLIT.shape,
                gas_supplier=GasSupplier.OTHER_PARTY,
                supplier_ids=SupplierIds.NULL,
                of_class=DORMANT,
                dormancy="change-of-supplier",
            ),
        ),
        stages=_then(
            sets_mode(_NULL, ESME, PREPAYMENT, DeskFault.NULL_CERTIFICATE),
            hands_over(_NULL, ESME),
            sets_mode(_NULL, ESME, PREPAYMENT),
            tops_up(_TOP_UP, ESME, 1),
        ),
    )
)
