"""Announces a PPMID, has it join, and finds out who can target it, in either world."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from device_profiles.bilingual_table import BilingualOutcome, TableRoute
from device_profiles.installation import InstalledDevice
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceStatus, DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from harness.formats.duis.bodies import DevicePrenotification
from harness.formats.duis.responses import ACKNOWLEDGED, SUCCESS
from harness.formats.duis.smets1_bodies import (
    JoinNonCritical,
    LogChange,
    UpdateHanDeviceLog,
    Whitelisting,
)
from harness.parties.supplier import Supplier
from harness.run import Run
from harness.scenarios.firmware.activation import read_version
from harness.scenarios.smets1_firmware import both
from harness.scenarios.smets1_firmware.attempt import Trial
from harness.scenarios.smets1_firmware.row import market

PPMID: Final = DeviceType.PPMID
_JOIN_S: Final = 3600
_TAKEN: Final = frozenset({ACKNOWLEDGED, SUCCESS})
_UNTARGETABLE: Final = "untargetable"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found out about one PPMID.

    Attributes:
        outcome: In the words of the decision table.
        route: Who answered for it.
        inventory: Version that the inventory shows; empty: it has no such device.
        read: Version that a supplier read; empty: nothing.
        executing: Version that the device itself tells.
        says: Category or sentence of a refusal.
    """

    outcome: str
    route: str = TableRoute.NONE.value
    inventory: str = ""
    read: str = ""
    executing: str = ""
    says: str = ""


# -- SMETS1 --------------------------------------------------------------------------------------


def installed(run: Run) -> InstalledDevice:
    """Return the PPMID of the first SMETS1 home."""
    return market(run).site.installation.of(PPMID)[0]


def announcement(run: Run, version: str) -> DevicePrenotification:
    """Return the 12.2 of the SMETS1 home's PPMID with a version."""
    profile = market(run).profile(PPMID)
    return _body(Eui64.parse(installed(run).eui64), profile, version)


def _body(device: Eui64, profile: DeviceProfile, version: str) -> DevicePrenotification:
    identity = profile.identity
    return DevicePrenotification(
        device, identity.manufacturer_hex, identity.model_hex, PPMID, firmware_version=version
    )


async def in_smets1(run: Run, version: str) -> Seen:
    """Announce the PPMID of the SMETS1 home with a version and have it join.

    Args:
        run: The run.
        version: Version of the announcement; empty: nobody announces it.
    """
    parties = market(run)
    user, device = parties.supplier(), Eui64.parse(installed(run).eui64)
    esme, hub = parties.device(DeviceType.ESME), parties.device(DeviceType.CHF)
    if version:
        asked = await parties.world.add_ppmid(user, installed(run), esme, version)
        if asked[0].code not in _TAKEN:
            return await _looked(run, BilingualOutcome.NOTIFICATION_REFUSED.value, asked[0].code)
    else:
        let_in = Whitelisting(_JOIN_S, bytes(16))
        entry = UpdateHanDeviceLog(device, LogChange.ADD, let_in)
        joins = await parties.world.ask(user, entry, hub)
        join = await parties.world.ask(user, JoinNonCritical(esme), device)
        if _TAKEN.isdisjoint({joins.code, join.code}):
            return await _looked(run, BilingualOutcome.JOIN_REFUSED.value, joins.code)
    return await targeted(run)


async def targeted(run: Run) -> Seen:
    """Find out whether a request reaches the SMETS1 home's PPMID, by reading its version."""
    version, why = await Trial(market(run), PPMID).read()
    word = BilingualOutcome.UNTARGETABLE if why == _UNTARGETABLE else BilingualOutcome.TARGETABLE
    seen = await _looked(run, word.value, why)
    if word is BilingualOutcome.UNTARGETABLE:
        return seen
    return replace(seen, route=TableRoute.S1SP.value, read=version)


async def _looked(run: Run, outcome: str, says: str) -> Seen:
    parties = market(run)
    record = parties.world.dsp.inventory.find(Eui64.parse(installed(run).eui64))
    executing = await Trial(parties, PPMID).version()
    inventory = "" if record is None else record.firmware_version
    return Seen(outcome, inventory=inventory, executing=executing, says=says)


# -- SMETS2+ -------------------------------------------------------------------------------------


def announce_in_smets2(
    run: Run, version: str, listed: Mapping[SmetsVersion, str]
) -> tuple[Eui64, str]:
    """Announce the SMETS2+ home's PPMID anew with a version; return it and the DSP's category.

    It hangs on its hub again afterwards: how it joins in GBCS is no part of it.
    """
    parties = both.smets2(run)
    device = both.device(run, PPMID)
    before = parties.dsp.inventory.find(device)
    profile = parties.profile(device)
    for smets, one in listed.items():
        row = both.assumed(profile, smets, one)
        found = parties.dsp.cpl.resolve(
            manufacturer=row.manufacturer_id,
            model=row.model_hex,
            device_type=PPMID,
            firmware_version=one,
            smets=smets,
        )
        if found.entry is None:
            parties.list_version(row)
    parties.dsp.inventory.remove(device)
    user = _importer(run)
    asked = user.ask(_body(device, profile, version))
    user.take(parties.dsp.submit(user.send(asked), user.eui64))
    record = parties.dsp.inventory.find(device)
    if record is None:
        return device, parties.dsp.decisions[-1].category
    hub = None if before is None else before.hub
    joined = replace(record, hub=hub, status=DeviceStatus.COMMISSIONED)
    parties.dsp.inventory.put(joined)
    return device, ""


def _importer(run: Run) -> Supplier:
    """Return the electricity supplier of the SMETS2+ home."""
    return both.smets2(run).supplier_of(both.device(run, DeviceType.ESME))


async def in_smets2(run: Run) -> Seen:
    """Find out whether a request reaches the SMETS2+ home's PPMID, by reading its version."""
    parties = both.smets2(run)
    device = both.device(run, PPMID)
    user = _importer(run)
    executing = parties.profile(device).identity.firmware_version
    _code, why = both.reads(run, user, device)
    record = parties.dsp.inventory.find(device)
    inventory = "" if record is None else record.firmware_version
    if why:
        word = BilingualOutcome.UNTARGETABLE if why == _UNTARGETABLE else None
        outcome = why if word is None else word.value
        return Seen(outcome, inventory=inventory, executing=executing, says=why)
    version = await read_version(run, device)
    route = TableRoute.GBCS if version else TableRoute.NONE
    return Seen(BilingualOutcome.TARGETABLE.value, route.value, inventory, version, executing)
