"""5.8A: from every stranding cause, refused elsewhere, mixed ownership, MIG-076 to MIG-088."""

from dataclasses import replace
from typing import Any, Final

from device_profiles.words import DeviceType
from harness.migration.states import State, StrandedCause
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import (
    MIGRATED,
    Disturbance,
    End,
    Home,
    Kind,
    MigrationRow,
    Owns,
    Stage,
    SupplierIds,
    ends,
)
from harness.scenarios.migration.shapes import (
    CHF,
    CLEAR,
    ELECTRICITY,
    ESME,
    FAIL_T3,
    GSME,
    LIKELY,
    RESTORED,
    SILENCE,
    T3,
    UNHEARD,
    WEEK_S,
    A,
    B,
    file_error,
    half_back,
    not_planned,
    rejected,
    rolled_back,
    silent_hub,
)

MIG_076: Final = scenario(
    MigrationRow(
        id="MIG-076",
        title="5.8A after a file error ends where a clean run ends",
        clause="TMAD 5.8A",
        saboteur="rule-off-5.23a",
        order=A,
        homes=(Home(ref="CLEAN"), Home()),
        stages=(
            Stage(
                tampering={"MEF": "second sealed for another party"},
                ends=ends(CLEAN=MIGRATED, HOME=file_error("V5", "X-5.23A", "02")),
            ),
            Stage(Kind.RESUBMIT, refs=("HOME",), judgement=LIKELY, like="CLEAN"),
        ),
        shows=("S000 §5 file error",),
    )
)


def _mixed(id_: str, restored: tuple[DeviceType, ...], *, forward: bool) -> Any:
    """A rollback stopped after ``restored``; 5.8A is submitted anyway, or they go forward first."""
    names = " and ".join(role.value for role in restored)
    left = tuple(role for role in RESTORED if role not in restored)
    stop = Disturbance("R2", ("refuse:party=SMSO@sim",))
    if left:
        stop = Disturbance("R1", (SILENCE[left[0]],), left[0])
    back = ("R1", "02") if left else ("R2", "01")
    first = half_back(T3, restored=restored, back=back)
    step = {GSME: "T4", ESME: "T3", CHF: "T1"}[restored[-1]]
    code = {GSME: ("X-16.9.2", "06"), ESME: ("X-16.10.2", "05"), CHF: ("X-T1", "03")}
    again = MIGRATED if forward else rolled_back(step, *code[restored[-1]])
    return scenario(
        MigrationRow(
            id=id_,
            title=f"Mixed ownership, {names} restored: "
            + ("rolled forward, then 5.8A" if forward else "5.8A submitted anyway fails there"),
            clause="X-5.8A-MIXED",
            saboteur="rule-off-5.8a-mixed",
            order=A,
            stages=(
                Stage(script=(*FAIL_T3, stop), ends=ends(HOME=first)),
                Stage(
                    Kind.RESUBMIT,
                    before=CLEAR,
                    judgement=LIKELY,
                    roll_forward=forward,
                    predicts=step,
                    ends=ends(HOME=again),
                ),
            ),
            shows=("TMAD 5.8A",),
            silent=("how DCC handled devices that a rollback had restored already",),
        )
    )


MIG_077: Final = _mixed("MIG-077", (GSME,), forward=False)
MIG_078: Final = _mixed("MIG-078", (GSME,), forward=True)
MIG_079: Final = _mixed("MIG-079", (GSME, ESME), forward=False)
MIG_080: Final = _mixed("MIG-080", (GSME, ESME), forward=True)
MIG_081: Final = _mixed("MIG-081", (GSME, ESME, CHF), forward=False)
MIG_082: Final = _mixed("MIG-082", (GSME, ESME, CHF), forward=True)

MIG_083: Final = scenario(
    MigrationRow(
        id="MIG-083",
        title="5.8A is refused from every state that is not stranded",
        clause="smetsbench 5.8A-states",
        saboteur="rule-off-5.8a",
        order=B,
        homes=(
            Home(ref="REJECTED", supplier_ids=SupplierIds.HALF),
            Home(ref="NOT-PLANNED", exclusions=frozenset({"missing_master_keys"})),
            Home(ref="MIGRATED"),
            Home(ref="ROLLED-BACK"),
            Home(ref="PLANNED", batch=1),
        ),
        stages=(
            Stage(
                refs=("REJECTED", "NOT-PLANNED", "MIGRATED", "ROLLED-BACK"),
                script=tuple(replace(one, ref="ROLLED-BACK") for one in FAIL_T3),
                ends=ends(
                    **{
                        "REJECTED": rejected("V4", "X-NULL", "02"),
                        "NOT-PLANNED": not_planned("P2", "X-18", "01"),
                        "MIGRATED": MIGRATED,
                        "ROLLED-BACK": rolled_back(*T3),
                    }
                ),
            ),
            Stage(Kind.REFUSED, refusal=("M1! X-5.8A/02",), judgement=LIKELY, ends={}),
        ),
    )
)
MIG_084: Final = scenario(
    MigrationRow(
        id="MIG-084",
        title="Five attempts fail: the installation is excluded",
        clause="TMAD 18",
        saboteur="rule-off-h4",
        homes=(ELECTRICITY,),
        order=A,
        stages=(
            Stage(script=UNHEARD, ends=ends(HOME=replace(silent_hub(), attempts=1))),
            *(
                Stage(
                    Kind.RESUBMIT,
                    judgement=LIKELY,
                    ends=ends(HOME=replace(silent_hub(), attempts=attempt)),
                )
                for attempt in (2, 3, 4)
            ),
            Stage(
                Kind.RESUBMIT,
                judgement=LIKELY,
                ends=ends(
                    HOME=End(State.EXCLUDED, "H4", "X-H4-7D", "01", owns=Owns.S1SP, attempts=5)
                ),
            ),
        ),
        silent=("what becomes of the devices of an installation that is excluded while stranded",),
    )
)
MIG_085: Final = scenario(
    MigrationRow(
        id="MIG-085",
        title="A cohort without 5.8A: resubmission of what is stranded is refused",
        clause="TMAD 5.8A",
        saboteur="rule-off-5.8a",
        cohort="DA",
        stages=(
            Stage(
                script=FAIL_T3,
                ends=ends(HOME=End(State.STRANDED, *T3, cause=StrandedCause.TESTING_FAILED)),
            ),
            Stage(Kind.REFUSED, refusal=("M1! X-5.8A/01",), judgement=LIKELY, ends={}),
        ),
    )
)
MIG_086: Final = scenario(
    MigrationRow(
        id="MIG-086",
        title="5.8A without a judgement of the MCC is refused",
        clause="TMAD 5.8A",
        saboteur="rule-off-5.8a",
        homes=(ELECTRICITY,),
        order=A,
        stages=(
            Stage(script=UNHEARD, ends=ends(HOME=silent_hub())),
            Stage(Kind.REFUSED, refusal=("M1", "M2! X-5.8A/04"), judgement="", ends={}),
        ),
    )
)
MIG_087: Final = scenario(
    MigrationRow(
        id="MIG-087",
        title="The hub stays silent after 5.8A: stranded once more, and counted",
        clause="TMAD 5.8A",
        saboteur="rule-off-h4",
        homes=(ELECTRICITY,),
        order=A,
        stages=(
            Stage(script=UNHEARD, ends=ends(HOME=replace(silent_hub(), attempts=1))),
            Stage(
                Kind.RESUBMIT,
                judgement=LIKELY,
                ends=ends(HOME=replace(silent_hub(), attempts=2)),
            ),
            Stage(
                Kind.RESUBMIT,
                before=CLEAR,
                judgement=LIKELY,
                ends=ends(HOME=replace(MIGRATED, attempts=3)),
            ),
        ),
    )
)
MIG_088: Final = scenario(
    MigrationRow(
        id="MIG-088",
        title="After a rollback, the next normal file migrates the installation",
        clause="TMAD 5.1",
        saboteur="omits-h2-esme",
        order=A,
        stages=(
            Stage(
                script=FAIL_T3,
                ends=ends(HOME=replace(rolled_back(*T3), attempts=1)),
            ),
            Stage(wait_s=WEEK_S, ends=ends(HOME=replace(MIGRATED, attempts=2))),
        ),
    )
)
