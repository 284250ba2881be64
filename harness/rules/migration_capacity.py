"""Capacity of a day shared out: dormant installations first, then every supplier its share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of one Requesting Party on one day.

    Attributes:
        dormant: Dormant installations.
        active: Supplier, in SEC-party order -> its active installations.
    """

    dormant: int
    active: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Allocation:
    """What each gets.

    Attributes:
        dormant: Dormant installations.
        active: Supplier -> installations.
    """

    dormant: int
    active: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of it."""
        return self.dormant + sum(self.active.values())


#: Name of the rule that shares out what is left beyond the flat allocation, unless another is
#: chosen. Source: invented (migration.md 6.1); the MSM's own formula was not found.
LARGEST_REMAINDER: Final = "largest-remainder"


def allocate(
    demand: Demand, capacity: int, dmin: int, remainder: str = LARGEST_REMAINDER
) -> Allocation:
    """Share a day's capacity out (TMAD 4.24, MSM).

    Args:
        demand: What is asked, in installations.
        capacity: What can be done, in installations.
        dmin: Flat allocation for each requesting supplier, in installations.
        remainder: Name of the rule that shares out the rest, one of ``REMAINDERS``.

    Raises:
        ValueError: A number is negative.
        KeyError: There is no such rule.

    Source:
        S004 §4.1.1 (dormant first), DCC-msm (flat allocation of 100); scaling down in turns, the
        rest in proportion to what is unmet by largest remainder: invented (migration.md 6.1).
    """
    if min(demand.dormant, capacity, dmin, *demand.active.values()) < 0:
        raise ValueError("demand, capacity and flat allocation are not negative")
    dormant = min(demand.dormant, capacity)
    left = capacity - dormant
    flat = {supplier: min(wanted, dmin) for supplier, wanted in demand.active.items()}
    if sum(flat.values()) > left:
        return Allocation(dormant, _in_turns(flat, left))
    left -= sum(flat.values())
    unmet = {supplier: demand.active[supplier] - given for supplier, given in flat.items()}
    more = REMAINDERS[remainder](unmet, left)
    return Allocation(dormant, {supplier: flat[supplier] + more[supplier] for supplier in flat})


def _in_turns(wanted: Mapping[str, int], left: int) -> dict[str, int]:
    """Give one at a time to each in turn: all get alike until they have enough."""
    given = dict.fromkeys(wanted, 0)
    while left:
        hungry = [supplier for supplier in wanted if given[supplier] < wanted[supplier]]
        if not hungry:
            break
        step = max(1, min(left // len(hungry), *(wanted[s] - given[s] for s in hungry)))
        for supplier in hungry[: left if left < len(hungry) else None]:
            given[supplier] += step
            left -= step
    return given


def _in_proportion(unmet: Mapping[str, int], left: int) -> dict[str, int]:
    """Give in proportion to what is unmet; what is left of whole shares by largest remainder."""
    total = sum(unmet.values())
    if total <= left:
        return dict(unmet)
    given = {supplier: wanted * left // total for supplier, wanted in unmet.items()}
    remainder = {supplier: wanted * left % total for supplier, wanted in unmet.items()}
    still = left - sum(given.values())
    for supplier in sorted(unmet, key=lambda one: -remainder[one])[:still]:
        given[supplier] += 1
    return given


def _in_order(unmet: Mapping[str, int], left: int) -> dict[str, int]:
    """Give each all it wants, in SEC-party order, until nothing is left."""
    given = {}
    for supplier, wanted in unmet.items():
        given[supplier] = min(wanted, left)
        left -= given[supplier]
    return given


#: Name -> rule: what each supplier still wants and what is left, to what each gets beyond its flat
#: allocation. No rule gives more than is wanted, or than there is.
REMAINDERS: Final[Mapping[str, Callable[[Mapping[str, int], int], dict[str, int]]]] = {
    LARGEST_REMAINDER: _in_proportion,
    "round-robin": _in_turns,
    "party-order": _in_order,
}
