"""The remaining checks of files and of what stands in them, MIG-117 to MIG-139."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from harness.migration.states import State
from harness.scenario import Scenario
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import (
    MIGRATED,
    Disturbance,
    End,
    Home,
    MigrationRow,
    Owns,
    Stage,
    SupplierIds,
    ends,
)
from harness.scenarios.migration.shapes import (
    DORMANT,
    GSME,
    SILENCE,
    SPLIT,
    A,
    B,
    file_error,
    rejected,
    rolled_back,
)

_SCHEMA: Final = "SMETS1 Migration Schema"
_SIGNED: Final = "MAM 7.5.3"
_BESIDE: Final = "BESIDE"


def _common(id_: str, how: str, code: tuple[str, str], clause: str = _SCHEMA) -> Scenario:
    """The MCF is spoilt in one way; no device is touched."""
    rule = code[0].removeprefix("X-").lower()
    step = "V1" if rule == "name" else "V4"
    # What cannot be read at all is refused by no rule alone: there the report of it is left out.
    saboteur = "omits-v4" if rule in {"xml", "value"} else f"rule-off-{rule}"
    return scenario(
        MigrationRow(
            id=id_,
            title=f"The MCF: {how}",
            clause=clause,
            saboteur=saboteur,
            order=B,
            stages=(Stage(tampering={"MCF": how}, ends=ends(HOME=rejected(step, *code))),),
            shows=("smetsbench untouched",),
        )
    )


MIG_117: Final = _common("MIG-117", "cut off", ("X-XML", "02"))
MIG_118: Final = _common("MIG-118", "an entity", ("X-XML", "02"))
MIG_119: Final = _common("MIG-119", "another namespace", ("X-NS", "01"))
MIG_120: Final = _common("MIG-120", "one namespace under two prefixes", ("X-NS-TWICE", "01"))
MIG_121: Final = _common("MIG-121", "another algorithm", ("X-SIG-FORM", "01"), _SIGNED)
MIG_122: Final = _common("MIG-122", "signed by a stranger", ("X-SIG-UNKNOWN", "01"), _SIGNED)
MIG_123: Final = _common("MIG-123", "nested too deep", ("X-SIZE", "02"))
MIG_124: Final = _common("MIG-124", "another processing mode", ("X-HEADER", "03"))
MIG_125: Final = _common("MIG-125", "the thirtieth of February", ("X-VALUE", "01"))
MIG_126: Final = _common("MIG-126", "an hour earlier", ("X-NAME", "02"))


def _of_set(id_: str, file: str, how: str, code: tuple[str, str], **more: Any) -> Scenario:
    """A group file is spoilt in one way after the hand-over."""
    end: End = more.pop("end", None) or file_error("V4", *code)
    rule = code[0].removeprefix("X-").lower()
    return scenario(
        MigrationRow(
            id=id_,
            title=f"The {file}: {how}",
            clause=_SCHEMA,
            saboteur=f"rule-off-{rule}",
            order=B,
            stages=(Stage(tampering={file: how}, ends=more.pop("ends", ends(HOME=end))),),
            **more,
        )
    )


MIG_128: Final = _of_set("MIG-128", "MGF", "another address", ("X-RFS", "02"))
MIG_129: Final = _of_set(
    "MIG-129",
    "MGF",
    "second left out",
    ("X-V3", "03"),
    homes=(Home(), Home(ref=_BESIDE)),
    ends=ends(HOME=MIGRATED, BESIDE=file_error("V3", "X-V3", "03")),
)


def _told(id_: str, title: str, clause: str, end: End, **more: Any) -> Scenario:
    """What stands in a sound file is refused, before the hand-over or at planning."""
    rule = "ma110" if end.code == "MA110" else end.code.removeprefix("X-").lower()
    tampering: Mapping[str, str] = more.pop("tampering", {})
    refused = more.pop("ends", ends(HOME=end))
    stages = (Stage(tampering=tampering, ends=refused, until=more.pop("until", "")),)
    fields = {"saboteur": f"rule-off-{rule}", "order": B, **more}
    return scenario(MigrationRow(id=id_, title=title, clause=clause, stages=stages, **fields))


_TWICE: Final = rejected("P5", "X-UNIQUE", "03")
MIG_130: Final = _told(
    "MIG-130",
    "One meter point in two installations of a file: both are refused",
    "smetsbench one-set",
    _TWICE,
    tampering={"MCF": "one meter twice"},
    homes=(Home(), Home(ref=_BESIDE)),
    ends=ends(HOME=_TWICE, BESIDE=_TWICE),
)
MIG_131: Final = _told(
    "MIG-131",
    "The class is not the one that the meters make",
    "smetsbench migration",
    rejected("P1", "X-CLASS", "01"),
    tampering={"MCF": "another class"},
)
MIG_132: Final = _told(
    "MIG-132",
    "A device's firmware is on no list",
    "SEC CPL",
    rejected("P2", "X-P2-CPL", "01"),
    tampering={"MCF": "another firmware"},
    saboteur="rule-off-cpl",
)
MIG_133: Final = _told(
    "MIG-133",
    "The gas Network Operator's Certificate ID is Null: refused",
    "TMAD 4.48",
    rejected("V4", "X-4.48", "01"),
    homes=(Home(without_operator=frozenset({GSME})),),
)
MIG_134: Final = _told(
    "MIG-134",
    "A cohort that migrates no split supply",
    "TMAD 5.8",
    rejected("V4", "X-5.8", "01"),
    homes=(SPLIT,),
    cohort_data={"split_supply.allowed": False},
    silent=("no cohort is known to refuse all split supply: the row takes one to do so",),
)
MIG_135: Final = _told(
    "MIG-135",
    "The supplier Certificate IDs are another supplier's",
    "MAM 6",
    rejected("P5", "X-MAM-6", "03"),
    homes=(Home(supplier_ids=SupplierIds.ANOTHERS), replace(SPLIT, ref=_BESIDE)),
    until="validate",
    ends=ends(
        HOME=rejected("P5", "X-MAM-6", "03"),
        BESIDE=End(State.IN_VALIDATION, owns=Owns.SMSO),
    ),
)
MIG_136: Final = _told(
    "MIG-136",
    "The cohort's release has not begun: not planned",
    "TMAD (FOC releases)",
    End(State.NOT_PLANNED, "P2", "X-RELEASE", "01", owns=Owns.SMSO),
    day="2020-12-01",
    silent=("which of the two releases served which SMSO",),
)
MIG_137: Final = _told(
    "MIG-137",
    "A day's capacity is used up: dormant installations go first",
    "TMAD 4.24",
    End(State.NOT_PLANNED, "P4", "X-P4", "01", owns=Owns.SMSO),
    capacity=1,
    homes=(Home(), Home(ref="DORMANT", of_class=DORMANT, dormancy="change-of-supplier")),
    ends=ends(HOME=End(State.NOT_PLANNED, "P4", "X-P4", "01", owns=Owns.SMSO), DORMANT=MIGRATED),
)
MIG_138: Final = scenario(
    MigrationRow(
        id="MIG-138",
        title="The network refuses to move the SIM: the SMSO undoes its rotation",
        clause="S000 §5 hand-over",
        saboteur="rule-off-h3",
        order=A,
        stages=(
            Stage(
                script=(Disturbance("H3", ("refuse:party=S1SP@sim",)),),
                ends=ends(HOME=rolled_back("H3", "X-H3", "01")),
            ),
        ),
        silent=("how a SIM is moved: no source says",),
    )
)
MIG_139: Final = scenario(
    MigrationRow(
        id="MIG-139",
        title="The gas meter does not prove its change of payment mode: rolled back",
        clause="TMAD 4.49",
        saboteur="rule-off-t6",
        order=B,
        stages=(
            Stage(
                script=(
                    Disturbance("T6", (SILENCE[GSME],)),
                    Disturbance("T6", ("clear@han",), after=True),
                ),
                ends=ends(HOME=rolled_back("T6", "X-T6", "01")),
            ),
        ),
    )
)
