"""What a rule says of a file or an installation, and what a supplier may see of it."""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from emulator.core.values import quick


class Result(enum.StrEnum):
    """What became of one rule."""

    PASSED = "passed"
    REJECTED = "rejected"
    WARNED = "warned"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a rule is not met, as a check returns it.

    Attributes:
        sub_code: Which of its reasons.
        detail: The particulars, fit for a supplier's eyes; may be empty.
        internal: Particulars that stay inside the DCC (counters); may be empty.
        code: Code, where it is not the rule's own.
        evidence: Mark, where it is not the rule's own.
        warns: Whether it is told and stops nothing.
        subject: Names of the values concerned, for whoever shows them where they stand.
        repair: What to do about it; may be empty.
    """

    sub_code: str
    detail: str = ""
    internal: str = field(default="", repr=False)
    code: str = ""
    evidence: str = ""
    warns: bool = False
    subject: tuple[str, ...] = ()
    repair: str = ""


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A rule that has nothing to judge here.

    Attributes:
        why: One sentence.
    """

    why: str


Facts = TypeVar("Facts")
#: A check: a pure function of facts. ``None`` means that the rule is met.
Check = Callable[[Facts], Refusal | NotApplicable | None]


@quick
@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule said.

    Attributes:
        rule: The rule.
        result: What became of it.
        step: Step of the migration.
        code: Code of the rejection; empty unless rejected or warned.
        sub_code: Sub-code; empty likewise.
        clause: Where the rule stands.
        evidence: How well the rule is known.
        text: What it says, in a sentence or two.
        internal: Particulars that stay inside the DCC.
        supplier_code: What a supplier sees in the place of code, sub-code and clause; may be empty.
        supplier_text: What a supplier is told.
        subject: Names of the values concerned.
        repair: What to do about it; may be empty.
    """

    rule: str
    result: Result
    step: str
    code: str
    sub_code: str
    clause: str
    evidence: str
    text: str
    internal: str = field(default="", repr=False)
    supplier_code: str = ""
    supplier_text: str = ""
    subject: tuple[str, ...] = ()
    repair: str = ""

    @property
    def rejected(self) -> bool:
        """Whether the rule stops the file or the installation."""
        return self.result is Result.REJECTED

    def as_json(self) -> dict[str, Any]:
        """Return what the DCC's side reports, as JSON values."""
        names = (
            "rule",
            "result",
            "step",
            "code",
            "sub_code",
            "clause",
            "evidence",
            "text",
            "internal",
        )
        return {name: str(getattr(self, name)) for name in names}


@dataclass(frozen=True, slots=True)
class SupplierOutcome:
    """What a supplier sees of an outcome: sub-codes of all cohorts, never a counter.

    Attributes:
        result: What became of the rule.
        step: Step of the migration.
        code: Code, or the general one that stands for an internal check.
        sub_code: Sub-code; empty for an internal check.
        text: What the supplier is told.
    """

    result: Result
    step: str
    code: str
    sub_code: str
    text: str

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {name: str(getattr(self, name)) for name in self.__slots__}


def supplier_view(outcomes: Iterable[Outcome]) -> tuple[SupplierOutcome, ...]:
    """Return what a supplier sees: rejections and warnings, without what is internal.

    Source:
        S000 §3.1: suppliers receive the sub-codes for all cohorts; the counter checks 5.9.5 to
        5.9.7 are internal to the DCC.
    """
    told = [o for o in outcomes if o.result in {Result.REJECTED, Result.WARNED}]
    return tuple(
        SupplierOutcome(o.result, o.step, o.supplier_code, "", o.supplier_text)
        if o.supplier_code
        else SupplierOutcome(o.result, o.step, o.code, o.sub_code, o.supplier_text)
        for o in told
    )


def rejection(outcomes: Iterable[Outcome]) -> Outcome | None:
    """Return the first rejection, or None."""
    return next((outcome for outcome in outcomes if outcome.rejected), None)
