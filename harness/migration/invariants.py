"""What must hold after every step of every migration, whatever went wrong in it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from device_profiles.words import DeviceType
from harness.errors import HarnessError
from harness.migration.office import Office
from harness.migration.ownership import owners
from harness.migration.record import InstallationRecord
from harness.migration.site import Site
from harness.migration.states import Owner, State

#: States in which nothing has changed on site yet, or no longer.
UNTOUCHED: Final = frozenset(
    {State.PLANNED, State.NOT_PLANNED, State.AUTHORISED, State.REJECTED, State.ROLLED_BACK}
)
#: States in which every device that migrates is the S1SP's.
TAKEN_OVER: Final = frozenset(
    {State.VIABLE, State.COMMISSIONING, State.COMMISSIONING_FAILED, State.MIGRATED}
)
#: Step of a rollback after which everything is the SMSO's again, proved or not.
_LAST_OF_ROLLBACK: Final = "R3"

Memory = Mapping[str, str]


class InvariantBrokenError(HarnessError):
    """Something that must hold after every step does not (exit 5)."""

    exit_code = 5


class Invariants:
    """Looks at devices and records after every step; set ``course.watch = invariants.watch``.

    Args:
        office: What the parties share.
        sites: The homes, before anything happened to them.
        strict: Whether the first thing that does not hold is raised.

    Attributes:
        broken: What did not hold, each with ref, step and state.
        looked: How often anybody looked.
    """

    def __init__(self, office: Office, sites: Sequence[Site], *, strict: bool = False) -> None:
        self.office = office
        self.broken: list[str] = []
        self.looked = 0
        self._strict = strict
        self._sites = {site.ref: site for site in sites}
        self._before = {site.ref: memory_of(site) for site in sites}

    async def watch(self, step: str, record: InstallationRecord) -> None:
        """Look once.

        Raises:
            InvariantBrokenError: Something does not hold, and ``strict`` was asked for.
        """
        self.looked += 1
        site = self._sites[record.ref]
        found = await check(self.office, site, record, self._before[record.ref])
        rows = [f"{record.ref} after {step} in {record.state}: {one}" for one in found]
        self.broken += rows
        if rows and self._strict:
            raise InvariantBrokenError(rows[0], where=f"step {step}")

    def dump(self) -> dict[str, Any]:
        """Return the memory as JSON values."""
        before = {
            ref: {kind.value: dict(one) for kind, one in rows.items()}
            for ref, rows in self._before.items()
        }
        return {"broken": list(self.broken), "looked": self.looked, "before": before}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self.broken = list(state["broken"])
        self.looked = state["looked"]
        self._before = {
            ref: {DeviceType(kind): one for kind, one in rows.items()}
            for ref, rows in state["before"].items()
        }


def memory_of(site: Site) -> dict[DeviceType, Memory]:
    """Return what each holder remembers; holders whose bench cannot look inside are left out."""
    found = {one: site.bench.memory(site.role(one)) for one in site.holders()}
    return {one: memory for one, memory in found.items() if memory is not None}


async def check(
    office: Office,
    site: Site,
    record: InstallationRecord,
    before: Mapping[DeviceType, Memory],
) -> list[str]:
    """Return what does not hold, one sentence each.

    Args:
        office: What the parties share.
        site: The home.
        record: Its record.
        before: What each holder remembered before the migration.
    """
    found = await owners(site, office)
    sim = Owner(await site.hub().sim_owner())
    stays = _left_out(record)
    migrating = {one: owner for one, owner in found.items() if one not in stays}
    rows = [*_one_owner(record, found), *_as_recorded(record, found, sim)]
    if record.state in UNTOUCHED:
        rows += _all_smso(migrating, sim)
    if record.state in TAKEN_OVER:
        rows += [
            f"the {one.value} is {owner}'s, not the S1SP's"
            for one, owner in migrating.items()
            if owner not in {Owner.S1SP, Owner.UNKNOWN}
        ]
    if record.state is State.STRANDED:
        rows += _stranded(record, found, sim)
    if record.state is State.ROLLED_BACK:
        rows += _unchanged(site, before, stays)
    return rows


def _one_owner(record: InstallationRecord, found: Mapping[DeviceType, Owner]) -> list[str]:
    """Return which devices are not exactly one party's; one that is nobody's must be known so."""
    named = {
        one.device_type for one in record.holders() if one.owner in {Owner.NEITHER, Owner.UNKNOWN}
    }
    rows = [f"both can operate the {one.value}" for one, who in found.items() if who is Owner.BOTH]
    rows += [
        f"nobody can operate the {one.value}, and nobody knows"
        for one, who in found.items()
        if who is Owner.NEITHER and one not in named
    ]
    return rows


def _as_recorded(
    record: InstallationRecord, found: Mapping[DeviceType, Owner], sim: Owner
) -> list[str]:
    """Return where the record says other than associations show.

    While something is unfinished, "nobody's" may be no more than what a disturbed network made of
    the parties' own associations: both were refused when they asked.
    """
    unknown = {Owner.UNKNOWN}
    if record.state not in TAKEN_OVER | UNTOUCHED:
        unknown.add(Owner.NEITHER)
    rows = [
        f"the record says the {one.device_type.value} is {one.owner}'s, it is {owner}'s"
        for one in record.holders()
        if (owner := found.get(one.device_type, Owner.UNKNOWN)) is not Owner.UNKNOWN
        and one.owner not in {owner, *unknown}
    ]
    if record.sim_owner is not sim:
        rows.append(f"the record says the SIM is {record.sim_owner}'s, it is {sim}'s")
    return rows


def _all_smso(found: Mapping[DeviceType, Owner], sim: Owner) -> list[str]:
    rows = [
        f"the {one.value} is {owner}'s, not the SMSO's"
        for one, owner in found.items()
        if owner not in {Owner.SMSO, Owner.UNKNOWN}
    ]
    return rows if sim is Owner.SMSO else [*rows, "the SIM is not the SMSO's"]


def _stranded(
    record: InstallationRecord, found: Mapping[DeviceType, Owner], sim: Owner
) -> list[str]:
    """Return why it is no true stranding.

    Source:
        migration.md 5.2 (a stand-in); that the SMSO's access may be what is missing: ours, for
        everything may be its own again and the last step of a rollback fail; or a device may
        have fallen silent in a change of keys, and nobody can tell that it never took them.
    """
    moved = sim is Owner.S1SP or any(owner is not Owner.SMSO for owner in found.values())
    unclear = any(one.owner is Owner.UNKNOWN for one in record.holders())
    if moved or unclear or _lost_access(record):
        return []
    return ["nothing has changed hands: it is not stranded"]


def _lost_access(record: InstallationRecord) -> bool:
    """Say whether the last step of a rollback failed, and no later one succeeded.

    A resubmission that then waits in vain for the hub leaves it as it was: stranded.
    """
    lost = False
    for one in record.history:
        if one.state == State.ROLLED_BACK.value:
            lost = False
        elif one.state == State.STRANDED.value and one.step == _LAST_OF_ROLLBACK:
            lost = True
    return lost


def _left_out(record: InstallationRecord) -> frozenset[DeviceType]:
    """Return the devices that stay behind while the rest migrates."""
    gas = record.exclusion == "gas_han_failure"
    return frozenset({DeviceType.GSME}) if gas else frozenset()


def _unchanged(
    site: Site, before: Mapping[DeviceType, Memory], stays: frozenset[DeviceType]
) -> list[str]:
    """Return what of a device is not as it was before the migration."""
    rows = []
    for device_type, now in memory_of(site).items():
        was = before.get(device_type)
        if was is None or device_type in stays:
            continue
        rows += [
            f"{device_type.value}: {path} is not as before"
            for path in sorted(was.keys() | now.keys())
            if was.get(path) != now.get(path)
        ]
    return rows
