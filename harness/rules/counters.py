"""Counters of the file sets (TMAD 5.9.5 to 5.9.7): internal to the DCC, never told to suppliers.

Source:
    S000 §3.1 names the three clauses and says that they are internal checks; what each compares
    is a stand-in (migration.md 4.5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from emulator.core.values import quick
from harness.rules.outcomes import Check, NotApplicable, Refusal

#: Largest counter that its ten decimal digits in file names hold.
MAX_COUNTER: Final = 9_999_999_999


@dataclass(frozen=True, slots=True)
class SequenceState:
    """What the DCC keeps of file sets seen before; a value, so a check changes nothing by itself.

    Attributes:
        highest: (Requesting Party, GroupID) -> highest MCF counter accepted.
        completed: (Requesting Party, GroupID, counter) of every completed set.
    """

    highest: Mapping[tuple[str, str], int] = field(default_factory=dict, repr=False)
    completed: frozenset[tuple[str, str, int]] = field(default=frozenset(), repr=False)

    def accepted(self, facts: "CounterFacts") -> "SequenceState":
        """Return the state after the set's MCF was accepted."""
        key, counter = (facts.requesting_party, facts.group_id), facts.mcf or 0
        highest = max(counter, self.highest.get(key, 0))
        return replace(self, highest={**self.highest, key: highest})

    def done(self, facts: "CounterFacts") -> "SequenceState":
        """Return the state after the set was completed."""
        key = (facts.requesting_party, facts.group_id, facts.mcf or 0)
        return replace(self, completed=self.completed | {key})


@quick
@dataclass(frozen=True, slots=True)
class CounterFacts:
    """The counters of one set, or of those of its files that are judged.

    Attributes:
        requesting_party: Who sent it.
        group_id: GroupID.
        state: What was seen before.
        mcf: Counter of the MCF, 1 to 9,999,999,999; None: there is no MCF.
        mvf: Counter of the MVF; None while it is not there.
        mgf: Counter of the MGF, likewise.
        mef: Counter of the MEF, likewise.
        others: Further files of the set: type and counter.
    """

    requesting_party: str
    group_id: str
    state: SequenceState = field(repr=False)
    mcf: int | None = field(repr=False)
    mvf: int | None = field(default=None, repr=False)
    mgf: int | None = field(default=None, repr=False)
    mef: int | None = field(default=None, repr=False)
    others: tuple[tuple[str, int], ...] = field(default=(), repr=False)


def check_5_9_5(facts: CounterFacts) -> Refusal | NotApplicable | None:
    """The MCF's counter is higher than any accepted from this party for this group."""
    if facts.mcf is None:
        return NotApplicable("there is no MCF")
    highest = facts.state.highest.get((facts.requesting_party, facts.group_id), 0)
    if highest < facts.mcf <= MAX_COUNTER:
        return None
    return Refusal("01", internal=f"MCF counter {facts.mcf}, highest accepted {highest}")


def check_5_9_6(facts: CounterFacts) -> Refusal | NotApplicable | None:
    """MVF and MGF, and what else goes with them, carry the MCF's counter."""
    own = (("MVF", facts.mvf), ("MGF", facts.mgf))
    there = [(name, counter) for name, counter in (*own, *facts.others) if counter is not None]
    if not there:
        return NotApplicable("neither MVF nor MGF is there yet")
    if facts.mcf is None:
        return Refusal("02", internal=f"{there[0][0]} counter {there[0][1]}, no MCF")
    for name, counter in there:
        if counter != facts.mcf:
            return Refusal("01", internal=f"{name} counter {counter}, MCF counter {facts.mcf}")
    return None


def check_5_9_7(facts: CounterFacts) -> Refusal | NotApplicable | None:
    """The MEF carries the MCF's counter, and no set of that counter was completed."""
    if facts.mef is None:
        return NotApplicable("the MEF is not there yet")
    if facts.mcf is None:
        return Refusal("02", internal=f"MEF counter {facts.mef}, no MCF")
    if facts.mef != facts.mcf:
        return Refusal("01", internal=f"MEF counter {facts.mef}, MCF counter {facts.mcf}")
    if (facts.requesting_party, facts.group_id, facts.mef) in facts.state.completed:
        return Refusal("03", internal=f"the set {facts.mef} was completed before")
    return None


COUNTER_CHECKS: Final[Mapping[str, Check[CounterFacts]]] = MappingProxyType(
    {"5.9.5": check_5_9_5, "5.9.6": check_5_9_6, "5.9.7": check_5_9_7}
)
