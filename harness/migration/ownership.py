"""Who owns each device: what associations with both parties' keys show, never a field."""

from dataclasses import dataclass

from device_profiles.words import DeviceType
from harness.migration.custody import S1SP, Custody
from harness.migration.office import Office
from harness.migration.site import Site
from harness.migration.states import Owner
from harness.ports import RestsFaults

_OWNERS = {
    (True, True): Owner.BOTH,
    (True, False): Owner.SMSO,
    (False, True): Owner.S1SP,
    (False, False): Owner.NEITHER,
}


def owner_of(smso: bool | None, s1sp: bool | None) -> Owner:
    """Return whose a device is, by whether each party's key opens it; None: nobody could ask."""
    if smso is None or s1sp is None:
        return Owner.UNKNOWN
    return _OWNERS[smso, s1sp]


async def owners(site: Site, office: Office) -> dict[DeviceType, Owner]:
    """Return whose each holder is.

    An emulated bench is asked without leaving a trace; any other through real associations over
    the network that carries the SIM.

    Raises:
        BenchError: The bench has no such device.
    """
    found: dict[DeviceType, Owner] = {}
    custody = Custody(office, site)
    for device_type in site.holders():
        role = site.role(device_type)
        smso = site.bench.opens_to(role, custody.smso(device_type))
        s1sp = site.bench.opens_to(role, custody.s1sp(device_type))
        if smso is None or s1sp is None:
            found[device_type] = await _asked_past_faults(site, office, device_type)
        else:
            found[device_type] = owner_of(smso, s1sp)
    return found


async def _asked_past_faults(site: Site, office: Office, device_type: DeviceType) -> Owner:
    """Return whose a device is as ``asked`` does; a fault of its radio does not hide it from us."""
    if not isinstance(site.bench, RestsFaults):
        return await asked(site, office, device_type)
    site.bench.rest_faults(on=True)
    try:
        return await asked(site, office, device_type)
    finally:
        site.bench.rest_faults(on=False)


async def asked(site: Site, office: Office, device_type: DeviceType) -> Owner:
    """Return whose a device is, as the parties can find out themselves: over one network.

    The S1SP tries the SMSO's key with what the files conveyed. Only where neither key opens it is
    the first one tried again.
    """
    custody = Custody(office, site)
    network = await site.hub().sim_owner()
    door = custody.door(device_type, network)
    smso, s1sp = custody.smso(device_type), custody.ordered(device_type)
    if network == S1SP:
        smso, s1sp = custody.conveyed(device_type) or smso, custody.s1sp(device_type)
    first = await door.opens_to(s1sp, expected=False)
    if first is None:
        return Owner.UNKNOWN
    second = await door.opens_to(smso, expected=not first)
    if not first and not second:
        first = await door.opens_to(s1sp)
    return owner_of(second, first)


@dataclass(frozen=True, slots=True)
class Mixed:
    """What a skip-rotation run would meet.

    Attributes:
        restored: Devices that are the SMSO's again.
        lost: Devices that nobody's key opens.
        step: Step at which such a run is predicted to fail.
        asked: Whether the devices were asked; False: as last known.
        sim: Whose network carries the SIM.
    """

    restored: tuple[DeviceType, ...]
    lost: tuple[DeviceType, ...]
    step: str
    asked: bool
    sim: Owner

    def says(self) -> str:
        """Return it in words."""
        basis = "" if self.asked else ", as last known"
        names = ", ".join(one.value for one in self.restored) or "no device"
        lost = "".join(f"; nobody's: {one.value}" for one in self.lost)
        return f"the SMSO's again: {names}{lost}{basis}; the SIM is with the {self.sim}"


#: Device type -> step at which a device that is not the S1SP's fails a run without hand-over.
_FAILS = {DeviceType.CHF: "T1", DeviceType.ESME: "T3", DeviceType.GSME: "T4"}


async def mixed(site: Site, office: Office, known: dict[DeviceType, Owner]) -> Mixed | None:
    """Compare whose the devices are with what a run without hand-over needs (R-069a).

    Args:
        site: The home.
        office: What the parties share.
        known: Whose each device was when last seen, for those that do not answer.

    Returns:
        What stands against such a run; None: nothing, as far as can be seen.
    """
    found: dict[DeviceType, Owner] = {}
    all_asked = True
    for device_type in site.holders():
        if device_type not in known:
            continue
        owner = await asked(site, office, device_type)
        if owner is Owner.UNKNOWN:
            all_asked, owner = False, known[device_type]
        found[device_type] = owner
    sim = Owner(await site.hub().sim_owner())
    restored = tuple(one for one, owner in found.items() if owner is Owner.SMSO)
    lost = tuple(one for one, owner in found.items() if owner is Owner.NEITHER)
    if sim is Owner.SMSO:
        return Mixed(restored, lost, "H4", all_asked, sim)
    if not restored and not lost:
        return None
    step = min(_FAILS.get(one, "T3") for one in (*restored, *lost))
    return Mixed(restored, lost, step, all_asked, sim)
