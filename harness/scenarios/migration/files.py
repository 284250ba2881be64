"""Counters and envelopes: every fault of a file, MIG-032 to MIG-053."""

from collections.abc import Mapping
from typing import Any, Final

from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import (
    HOME,
    MIGRATED,
    End,
    Home,
    Kind,
    MigrationRow,
    Stage,
    ends,
)
from harness.scenarios.migration.shapes import LIKELY, A, B, file_error, rejected, rolled_back

#: What suppliers are told instead of a counter.
_SEQUENCE: Final = "X-SEQUENCE"
_THEN_5_8A: Final = Stage(Kind.RESUBMIT, judgement=LIKELY)
_NEIGHBOUR: Final = "NEIGHBOUR"


def _file_fault(id_: str, title: str, clause: str, end: End, **more: Any) -> MigrationRow:
    stage = {name: more.pop(name) for name in ("tampering", "misconduct") if name in more}
    follow: tuple[Stage, ...] = more.pop("then", ())
    return MigrationRow(
        id=id_,
        title=title,
        clause=clause,
        stages=(Stage(ends=ends(HOME=end), **stage), *follow),
        **more,
    )


def _counter(id_: str, title: str, clause: str, end: End, misconduct: str, **more: Any) -> Any:
    rule = clause.removeprefix("TMAD ")
    return scenario(
        _file_fault(
            id_,
            title,
            clause,
            end,
            misconduct=(misconduct,),
            saboteur=f"rule-off-{rule}",
            shows=("S000 sub-codes",),
            silent=("the text of the counter checks: S000 names them and nothing more",),
            **more,
        )
    )


MIG_032: Final = _counter(
    "MIG-032",
    "5.9.5, order B: the MCF's counter was used before: refused before the hand-over",
    "TMAD 5.9.5",
    rejected("V4", "X-5.9.5", "01", told=_SEQUENCE),
    "rp-uses-a-counter-twice",
    order=B,
)
MIG_033: Final = _counter(
    "MIG-033",
    "5.9.5, order A: found after the hand-over: stranded, completed by 5.8A",
    "TMAD 5.9.5",
    file_error("V4", "X-5.9.5", "01", told=_SEQUENCE),
    "rp-uses-a-counter-twice",
    order=A,
    then=(_THEN_5_8A,),
)
MIG_034: Final = _counter(
    "MIG-034",
    "5.9.6, order B: the MGF carries another counter: stranded, completed by 5.8A",
    "TMAD 5.9.6",
    file_error("V4", "X-5.9.6", "01", told=_SEQUENCE),
    "rp-miscounts-the-mgf",
    order=B,
    then=(_THEN_5_8A,),
)
MIG_035: Final = _counter(
    "MIG-035",
    "5.9.6, order A: the MVF carries another counter: stranded",
    "TMAD 5.9.6",
    file_error("V4", "X-5.9.6", "01", told=_SEQUENCE),
    "mcc-miscounts-the-mvf",
    order=A,
)
MIG_036: Final = _counter(
    "MIG-036",
    "5.9.7: the MEF carries another counter: stranded, completed by 5.8A",
    "TMAD 5.9.7",
    file_error("V4", "X-5.9.7", "01", told=_SEQUENCE),
    "rp-miscounts-the-mef",
    order=B,
    then=(_THEN_5_8A,),
)


def _tampered(
    id_: str, title: str, clause: str, end: End, tampering: Mapping[str, str], **more: Any
) -> Any:
    return scenario(_file_fault(id_, title, clause, end, tampering=tampering, **more))


MIG_037: Final = _tampered(
    "MIG-037",
    "The MCF is altered on its way, order B: refused, no device touched",
    "MAM 7.5.3",
    rejected("V4", "X-SIG-BAD", "01"),
    {"MCF": "one digit altered"},
    order=B,
    saboteur="rule-off-sig-bad",
    shows=("smetsbench untouched",),
)
MIG_038: Final = _tampered(
    "MIG-038",
    "The MEF is altered on its way: stranded, completed by 5.8A",
    "MAM 7.5.3",
    file_error("V4", "X-SIG-BAD", "01"),
    {"MEF": "one digit altered"},
    order=A,
    then=(_THEN_5_8A,),
    saboteur="rule-off-sig-bad",
)
MIG_039: Final = _tampered(
    "MIG-039",
    "The MCF is signed by another party than the Requesting Party",
    "MAM 7.5.3",
    rejected("V4", "X-SIG-SIGNER", "01"),
    {"MCF": "signed by another"},
    order=B,
    saboteur="rule-off-sig-signer",
)
MIG_040: Final = _tampered(
    "MIG-040",
    "The MGF is not valid against the schema",
    "SMETS1 Migration Schema",
    file_error("V4", "X-XSD", "01"),
    {"MGF": "an element too many"},
    order=B,
    saboteur="rule-off-xsd",
)
MIG_041: Final = _tampered(
    "MIG-041",
    "The MEF declares a document type",
    "SMETS1 Migration Schema",
    file_error("V4", "X-DTD", "01"),
    {"MEF": "a document type"},
    order=B,
    saboteur="rule-off-dtd",
)
MIG_042: Final = _tampered(
    "MIG-042",
    "The MCF carries no signature",
    "MAM 7.5.3",
    rejected("V4", "X-SIG-NONE", "01"),
    {"MCF": "no signature"},
    order=B,
    saboteur="rule-off-sig-none",
)
MIG_043: Final = _tampered(
    "MIG-043",
    "The encrypted information opens to the wrong structure",
    "TMAD Table 11.2.1",
    rolled_back("V5", "X-11.2.1", "01"),
    {"MEF": "the other root"},
    saboteur="rule-off-11.2.1",
    shows=("TMAD 5.23(b)",),
    silent=("the rows of Table 11.2.1: cohort data stand in for them",),
)
MIG_044: Final = _tampered(
    "MIG-044",
    "The encrypted information cannot be decrypted: stranded, completed by 5.8A",
    "TMAD 5.23(a)",
    file_error("V5", "X-5.23A", "02"),
    {"MEF": "sealed for another party"},
    then=(_THEN_5_8A,),
    saboteur="rule-off-5.23a",
    shows=("S000 §5 file error",),
)
MIG_045: Final = _tampered(
    "MIG-045",
    "What decryption gives is not well formed",
    "TMAD 5.23(b)",
    rolled_back("V5", "X-5.23B", "01"),
    {"MEF": "plaintext not well formed"},
    saboteur="rule-off-5.23b",
)
MIG_046: Final = _tampered(
    "MIG-046",
    "ProtectedData cannot be opened by the S1SPDP",
    "TMAD 15.3",
    file_error("V6", "X-15.3", "03"),
    {"MEF": "protected data for another party"},
    saboteur="rule-off-15.3",
)
MIG_047: Final = _tampered(
    "MIG-047",
    "ProtectedData is missing",
    "TMAD 15.3",
    rolled_back("V6", "X-15.3", "01"),
    {"MEF": "no protected data"},
    saboteur="rule-off-15.3",
)
MIG_048: Final = _tampered(
    "MIG-048",
    "The part for the DCO is missing",
    "TMAD Table 11.2.1",
    rolled_back("V6", "X-DCO", "01"),
    {"MEF": "no part for the DCO"},
    saboteur="rule-off-dco",
    shows=("SEC dual control",),
)
MIG_049: Final = _tampered(
    "MIG-049",
    "EA: group data in the clear are refused",
    "TMAD 11.1",
    rolled_back("V5", "X-11.1", "01"),
    {"MEF": "in the clear"},
    saboteur="rule-off-11.1",
)
MIG_050: Final = _tampered(
    "MIG-050",
    "EB: group data in the clear are taken",
    "TMAD 11.1",
    MIGRATED,
    {"MEF": "in the clear"},
    cohort="EB",
    saboteur="s1sp-takes-no-plaintext",
)
_SWAPPED: Final = file_error("V5", "X-5.23A", "02")
MIG_052: Final = scenario(
    MigrationRow(
        id="MIG-052",
        title="The encrypted parts of two homes are swapped; a third is untouched",
        clause="smetsbench bound-cipher-texts",
        saboteur="rule-off-5.23a",
        homes=(Home(ref=HOME), Home(ref=_NEIGHBOUR), Home(ref="THIRD")),
        stages=(
            Stage(
                tampering={"MEF": "the first two swapped"},
                ends=ends(HOME=_SWAPPED, NEIGHBOUR=_SWAPPED, THIRD=MIGRATED),
            ),
        ),
    )
)
MIG_053: Final = scenario(
    MigrationRow(
        id="MIG-053",
        title="One bad installation of a file never rejects the rest",
        clause="TMAD 5.9.10",
        saboteur="s1sp-rejects-all-for-one",
        order=B,
        homes=(Home(ref=HOME), Home(ref=_NEIGHBOUR)),
        stages=(
            Stage(
                tampering={"MEF": "second without a part for the DCO"},
                ends=ends(HOME=MIGRATED, NEIGHBOUR=rolled_back("V6", "X-DCO", "01")),
            ),
        ),
        silent=("that file level and installation level are apart: R-053 is ours",),
    )
)
