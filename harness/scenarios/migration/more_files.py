"""The remaining checks of files and of what stands in them, MIG-117 to MIG-136."""

from typing import Final

from harness.scenario import Scenario
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import (
    MigrationRow,
    Stage,
    ends,
)
from harness.scenarios.migration.shapes import (
    B,
    rejected,
)

_SCHEMA: Final = "SMETS1 Migration Schema"
_SIGNED: Final = "MAM 7.5.3"
_BESIDE: Final = "BESIDE"


def _common(id_: str, how: str, code: tuple[str, str], clause: str = _SCHEMA) -> Scenario:
    """The MCF is spoilt in one way; no device is touched."""
    rule = code[0].removeprefix("X-").lower()
    return scenario(
        MigrationRow(
            id=id_,
            title=f"The MCF: {how}",
            clause=clause,
            saboteur=f"rule-off-{rule}",
            order=B,
            stages=(Stage(tampering={"MCF": how}, ends=ends(HOME=rejected("V4", *code))),),
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
MIG_125: Final = _common("MIG-125", "a counter with a zero", ("X-VALUE", "01"))
