"""The TMAD prevails over the MAM: where both define a rule, the TMAD's table decides (R-027)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from device_profiles.errors import UnknownNameError
from harness.rules.migration_rulebook import RuleBook, Switches
from harness.rules.migration_tables import TableRow, Word, read_table

#: How the clauses of rules that the MAM alone defines begin.
_MAM: Final = "MAM"
Effect = Literal["asked", "not-asked", "warns"]


class MamProvision(TableRow):
    """What a copy of the MAM says of one rule.

    Attributes:
        rule: The rule, by its id in ``migration-rules.csv``.
        clause: Clause of the MAM.
        effect: ``asked`` on every day, ``not-asked``, or ``warns``: told, and stops nothing.
    """

    rule: Word
    clause: Word
    effect: Effect


@dataclass(frozen=True, slots=True)
class Overruled:
    """A provision of the MAM that does not count.

    Attributes:
        provision: It.
        clause: Clause that decides, with its document.
    """

    provision: MamProvision
    clause: str

    def text(self) -> str:
        """Return one sentence."""
        one = self.provision
        return f"{one.clause} says {one.effect} of rule {one.rule}: {self.clause} prevails"


@dataclass(frozen=True, slots=True)
class Precedence:
    """Which switches follow from a copy of the MAM.

    Attributes:
        switches: The run's switches, with what the MAM may decide.
        overruled: What it may not.
    """

    switches: Switches
    overruled: tuple[Overruled, ...]


def load_provisions(path: Path) -> tuple[MamProvision, ...]:
    """Read a MAM file: CSV with the columns ``rule, clause, effect`` and, if wanted, ``evidence``.

    Raises:
        DataError: It cannot be read, or a row is wrong.
    """
    return read_table(MamProvision, path, is_overlay=True)


def settle(book: RuleBook, provisions: Iterable[MamProvision], switches: Switches) -> Precedence:
    """Put what the MAM says under what the TMAD says.

    A rule whose row names a clause of the MAM alone follows the MAM's file; every other rule is
    decided by its own table, whatever the file says.

    Args:
        book: The rules.
        provisions: The MAM's file.
        switches: What the run's operator changed; it stays.

    Raises:
        UnknownNameError: A provision is about no rule.

    Source:
        S001 Table 2 row 12.
    """
    effects: dict[str, set[str]] = {"asked": set(), "not-asked": set(), "warns": set()}
    overruled: list[Overruled] = []
    for one in provisions:
        row = book.rules.get(one.rule)
        if row is None:
            raise UnknownNameError("the rule table has no such rule", file=one.rule)
        if row.clause.startswith(_MAM):
            effects[one.effect].add(one.rule)
        else:
            overruled.append(Overruled(one, row.clause))
    settled = Switches(
        disabled=switches.disabled | effects["not-asked"],
        forced=switches.forced | effects["asked"],
        overridden=switches.overridden | effects["warns"],
    )
    return Precedence(settled, tuple(overruled))
