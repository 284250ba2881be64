"""What tells two sets of device models apart, and whether firmware alone would make them one."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from device_profiles.cpl import Cpl
from device_profiles.dmc import Combination, CombinationRow


class Differs(enum.StrEnum):
    """In what a component differs."""

    FIRMWARE = "firmware-version"
    MODEL = "model"
    NOT_LISTED = "not-in-the-entry"
    NOT_INSTALLED = "not-installed"
    PROVIDER = "provider"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Difference:
    """One component that differs.

    Attributes:
        component: CHF, ESME, GSME, PPMID, ``provider`` or ``group``.
        kind: In what it differs.
        installed: What the installation has: a CPL entry, a provider, a group; ``none``.
        listed: What the row has.
    """

    component: str
    kind: Differs
    installed: str
    listed: str


@dataclass(frozen=True, slots=True)
class Installed:
    """An installation as the list sees it.

    Attributes:
        combination: Its device models.
        group_id: Its GroupID.
        csp: Its communications service provider.
    """

    combination: Combination
    group_id: str
    csp: str


def differences(cpl: Cpl, mine: Installed, row: CombinationRow) -> tuple[Difference, ...]:
    """Return what tells an installation from a row; PPMIDs are paired, like with like.

    Args:
        cpl: The list that tells whether two entries are of one model.
        mine: The installation.
        row: A row of the EPCL or of the tested combinations.
    """
    one, other = mine.combination, row.combination
    found: list[Difference] = []
    for component, installed, listed in (
        ("CHF", one.chf, other.chf),
        ("ESME", one.esme, other.esme),
        ("GSME", one.gsme or "none", other.gsme or "none"),
    ):
        if installed != listed:
            kind = _kind(cpl, installed, listed)
            found.append(Difference(component, kind, installed, listed))
    found += _ppmids(cpl, one.ppmids, other.ppmids)
    if mine.csp != row.csp:
        found.append(Difference("provider", Differs.PROVIDER, mine.csp, row.csp))
    if mine.group_id != row.group_id:
        found.append(Difference("group", Differs.GROUP, mine.group_id, row.group_id))
    return tuple(found)


def _kind(cpl: Cpl, installed: str, listed: str) -> Differs:
    if listed == "none":
        return Differs.NOT_LISTED
    if installed == "none":
        return Differs.NOT_INSTALLED
    return Differs.FIRMWARE if _one_model(cpl, installed, listed) else Differs.MODEL


def _one_model(cpl: Cpl, one: str, other: str) -> bool:
    """Say whether two entries are of one model and generation, at other firmware versions."""
    first, second = cpl.entries.get(one), cpl.entries.get(other)
    if first is None or second is None:
        return False
    return (*first.identity[:4], first.smets) == (*second.identity[:4], second.smets)


def _ppmids(cpl: Cpl, mine: Iterable[str], theirs: Iterable[str]) -> list[Difference]:
    left, right = list(mine), list(theirs)
    for entry in [entry for entry in left if entry in right]:
        if entry in right:
            left.remove(entry)
            right.remove(entry)
    found: list[Difference] = []
    for entry in list(left):
        like = next((other for other in right if _one_model(cpl, entry, other)), None)
        if like is not None:
            found.append(Difference("PPMID", Differs.FIRMWARE, entry, like))
            left.remove(entry)
            right.remove(like)
    while left and right:
        found.append(Difference("PPMID", Differs.MODEL, left.pop(0), right.pop(0)))
    found += [Difference("PPMID", Differs.NOT_LISTED, entry, "none") for entry in left]
    found += [Difference("PPMID", Differs.NOT_INSTALLED, "none", entry) for entry in right]
    return found
