"""Rollback: clean, and failing at every holder and at the SIM, MIG-062 to MIG-075."""

from collections.abc import Mapping
from typing import Any, Final

from device_profiles.words import DeviceType
from harness.migration.states import Owner, State, StrandedCause
from harness.scenario import Scenario
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import (
    Disturbance,
    End,
    MigrationRow,
    Owns,
    Stage,
    ends,
)
from harness.scenarios.migration.shapes import (
    CHF,
    ESME,
    FAIL_T3,
    GSME,
    RESTORED,
    SILENCE,
    T3,
    A,
    B,
    half_back,
    rolled_back,
)

_ORDER_IS_OURS: Final = "the order of a rollback, and that it stops at the first step that fails"


def _failing(id_: str, title: str, at: DeviceType, **more: Any) -> Scenario:
    """A rollback that fails at a holder: those before it are restored, the others are not."""
    orders: tuple[str, ...] = more.get("orders", ())
    how: str = more.get("how", "02")
    but: Mapping[DeviceType, Owner] | None = more.get("but")
    restored = RESTORED[: RESTORED.index(at)]
    end = half_back(T3, restored=restored, back=("R1", how), but=but)
    script = (*FAIL_T3, *((Disturbance("R1", orders, at),) if orders else ()))
    return scenario(
        MigrationRow(
            id=id_,
            title=f"Rollback: {title}",
            clause="TMAD 5.1",
            saboteur=f"omits-r1-{at.value.lower()}",
            order=A,
            stages=(Stage(ends=ends(HOME=end), script=script),),
            conditions=more.get("conditions", ()),
            shows=("smetsbench rollback-order",),
            silent=(_ORDER_IS_OURS,),
        )
    )


def _sim_fails(id_: str, title: str, order: str, end: End) -> Scenario:
    script = (*FAIL_T3, Disturbance("R2", (order,)))
    return scenario(
        MigrationRow(
            id=id_,
            title=f"Rollback: {title}",
            clause="TMAD 5.1",
            saboteur="omits-r2",
            order=A,
            stages=(Stage(ends=ends(HOME=end), script=script),),
            shows=("smetsbench rollback-order",),
            silent=(_ORDER_IS_OURS, "how a SIM is moved: no source says"),
        )
    )


MIG_062: Final = scenario(
    MigrationRow(
        id="MIG-062",
        title="Another gas meter answers than the files name: everything is rolled back",
        clause="TMAD Table 16.9.2",
        saboteur="omits-r1-esme",
        order=B,
        stages=(Stage(ends=ends(HOME=rolled_back("T4", "X-16.9.2", "03"))),),
        conditions=("s1-gsme-other-eui64",),
        shows=("TMAD 5.1",),
    )
)
MIG_063: Final = scenario(
    MigrationRow(
        id="MIG-063",
        title="The ESME runs other firmware than its combination names: rolled back",
        clause="SEC CPL",
        saboteur="rule-off-t2",
        order=B,
        stages=(Stage(ends=ends(HOME=rolled_back("T2", "X-T2", "01"))),),
        conditions=("s1-esme-other-firmware",),
        shows=("TMAD 5.1",),
    )
)
MIG_064: Final = _failing("MIG-064", "the gas meter is silent", GSME, orders=(SILENCE[GSME],))
MIG_065: Final = _failing(
    "MIG-065",
    "the gas meter refuses its old keys",
    GSME,
    conditions=("s1-gsme-restore-refused",),
    how="03",
)
MIG_066: Final = _failing(
    "MIG-066",
    "what the gas meter is sent arrives damaged",
    GSME,
    orders=("corrupt-payload:role=gsme@han",),
)
MIG_067: Final = _failing(
    "MIG-067",
    "the ESME is silent; the gas meter is restored already",
    ESME,
    orders=(SILENCE[ESME],),
)
MIG_068: Final = _failing(
    "MIG-068",
    "the ESME refuses its old keys",
    ESME,
    conditions=("s1-esme-restore-refused",),
    how="03",
)
MIG_069: Final = _failing(
    "MIG-069",
    "power fails at the ESME while it writes its keys, and they are lost",
    ESME,
    orders=("key-write-cut:effect=lost,off_s=60@esme",),
)
MIG_070: Final = _failing(
    "MIG-070",
    "the hub is lost; both meters are restored already",
    CHF,
    orders=(SILENCE[CHF],),
)
MIG_071: Final = _failing(
    "MIG-071",
    "the hub refuses its old keys",
    CHF,
    conditions=("s1-chf-restore-refused",),
    how="03",
)
MIG_072: Final = _sim_fails(
    "MIG-072",
    "the network refuses to take the SIM back",
    "refuse:party=SMSO@sim",
    half_back(T3, restored=RESTORED, back=("R2", "01")),
)
MIG_073: Final = _sim_fails(
    "MIG-073",
    "the SIM is back, and the hub never comes onto its network",
    "mute:party=SMSO@sim",
    End(
        State.STRANDED,
        *T3,
        cause=StrandedCause.ROLLBACK_FAILED,
        back=("R3", "01"),
        owns=Owns.SMSO,
    ),
)
MIG_074: Final = _failing(
    "MIG-074",
    "the ESME takes another key than it was sent: nobody operates it",
    ESME,
    conditions=("s1-esme-restored-key-garbled",),
    how="04",
    but={ESME: Owner.NEITHER},
)
MIG_075: Final = scenario(
    MigrationRow(
        id="MIG-075",
        title="Secure: device testing fails, and the cohort has no rollback",
        clause="S000 §5 hand-over",
        saboteur="s1sp-always-rolls-back",
        cohort="DA",
        stages=(
            Stage(
                script=FAIL_T3,
                ends=ends(HOME=End(State.STRANDED, *T3, cause=StrandedCause.TESTING_FAILED)),
            ),
        ),
        silent=("what becomes of an installation of another cohort whose testing fails",),
    )
)
