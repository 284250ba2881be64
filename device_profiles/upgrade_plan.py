"""Which firmware must be upgraded before an installation may migrate (F-064, F-065)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from device_profiles.combination_diff import Difference, Differs, Installed, differences
from device_profiles.cpl import Cpl
from device_profiles.epcl import Epcl, EpclEntry


@dataclass(frozen=True, slots=True)
class Update:
    """One device whose firmware must change.

    Attributes:
        component: CHF, ESME, GSME or PPMID.
        pathway: CPL entries from what runs to what must run, each a step of ``upgrade_from``.
    """

    component: str
    pathway: tuple[str, ...]

    @property
    def steps(self) -> int:
        """How many images the device is given, one after the other."""
        return len(self.pathway) - 1


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """What brings an installation to one EPCL entry.

    Attributes:
        entry: The entry.
        updates: One for each device that must change.
    """

    entry: EpclEntry
    updates: tuple[Update, ...]

    @property
    def steps(self) -> int:
        """How many images are given in all."""
        return sum(update.steps for update in self.updates)


@dataclass(frozen=True, slots=True)
class BlockedPlan:
    """An EPCL entry that firmware alone could reach, if there were a pathway.

    Attributes:
        entry: The entry.
        why: What is in the way, one sentence a device.
    """

    entry: EpclEntry
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plans:
    """All ways into the list.

    Attributes:
        possible: What can be done, fewest images first.
        blocked: What cannot, by name of the entry.
    """

    possible: tuple[UpgradePlan, ...]
    blocked: tuple[BlockedPlan, ...]

    @property
    def best(self) -> UpgradePlan | None:
        """The plan of the fewest images, or None."""
        return self.possible[0] if self.possible else None


def plans(cpl: Cpl, epcl: Epcl, mine: Installed, day: date) -> Plans:
    """Return every way to make an installation eligible by firmware updates alone.

    Args:
        cpl: The list with the pathways; every row a device is upgraded to must be Active.
        epcl: The entries; those in force on the day count.
        mine: The installation.
        day: The day of the plan.

    Source:
        S004 (SMSOs update firmware before migration); the shortest path in ``upgrade_from``:
        MP231. That a row on the way must be Active: stand-in (F-066).
    """
    possible: list[UpgradePlan] = []
    blocked: list[BlockedPlan] = []
    for row in epcl.entries.values():
        differing = differences(cpl, mine, row)
        if not row.holds_on(day) or any(d.kind is not Differs.FIRMWARE for d in differing):
            continue
        updates, why = _updates(cpl, differing, day)
        if why:
            blocked.append(BlockedPlan(row, tuple(why)))
        else:
            possible.append(UpgradePlan(row, tuple(updates)))
    possible.sort(key=lambda plan: (plan.steps, len(plan.updates), plan.entry.epcl_id))
    blocked.sort(key=lambda plan: plan.entry.epcl_id)
    return Plans(tuple(possible), tuple(blocked))


def _updates(
    cpl: Cpl, differing: Iterable[Difference], day: date
) -> tuple[list[Update], list[str]]:
    updates: list[Update] = []
    why: list[str] = []
    for one in differing:
        pathway = cpl.pathway(one.installed, one.listed, day)
        if pathway is not None:
            updates.append(Update(one.component, pathway))
            continue
        any_day = cpl.pathway(one.installed, one.listed)
        told = "none in upgrade_from" if any_day is None else _inactive(cpl, any_day[1:], day)
        why.append(f"{one.component}: no pathway from {one.installed} to {one.listed}: {told}")
    return updates, why


def _inactive(cpl: Cpl, pathway: Iterable[str], day: date) -> str:
    rows = (cpl.entry(entry_id) for entry_id in pathway)
    told = [
        f"{row.cpl_entry_id} is {row.status_on(day)} from {row.effective_from}"
        for row in rows
        if not row.may_be_installed(day)
    ]
    return f"{'; '.join(told)} on {day}"
