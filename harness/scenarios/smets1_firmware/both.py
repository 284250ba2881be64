"""Rows that play in both worlds: the SMETS2+ home beside the SMETS1 homes, and its parties."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from device_profiles.cpl_entry import CplEntry
from device_profiles.schema import DeviceProfile
from device_profiles.words import CplStatus, DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from harness.formats.duis.alerts import ActivationResult, PpmidAlert
from harness.formats.duis.bodies import UpdateFirmware, UpdatePpmidFirmware
from harness.parties.firmware_defects import among
from harness.parties.supplier import Supplier
from harness.run import Run
from harness.scenarios.firmware.actions import (
    carry_out,
    dcc_alert,
    is_dcc_alert,
    wait_for,
)
from harness.scenarios.firmware.market import NAME as MARKET
from harness.scenarios.firmware.market import Market, market
from harness.scenarios.smets1_firmware.attempt import (
    ACT_FAILED,
    ACTIVATED,
    NOTHING_TOLD,
    REJECTED,
    UNTARGETABLE,
    Attempt,
)
from harness.scenarios.smets1_firmware.row import open_world

WORLD: Final = "SMETS1+SMETS2+"
_SUFFIX: Final = "@SMETS2+"
_HALF_A_DAY_S: Final = 12 * 3600.0
_UNTARGETABLE: Final = "untargetable"


def settings(**profiles: str) -> Mapping[str, Any]:
    """Return what the SMETS2+ home is made of: device type -> profile."""
    return {"profiles": {DeviceType(role): name for role, name in profiles.items()}}


def open_both(run: Run) -> None:
    """Set up everybody of both worlds (``Scenario.setup``)."""
    open_world(run)
    parties = Market(run)
    run.participants[MARKET] = parties
    if any(one.targets_strays for one in among(tuple(run.options.defects))):
        vars(parties.dsp)["follows_hub"] = lambda _record: True


def smets2(run: Run) -> Market:
    """Return the parties of the SMETS2+ home."""
    return market(run)


def device(run: Run, role: DeviceType) -> Eui64:
    """Return a device of the SMETS2+ home."""
    return run.bench.role(f"{role.value}{_SUFFIX}")


def asks(run: Run, user: Supplier, octets: bytes, version: str, target: Eui64) -> tuple[str, str]:
    """Let a supplier ask for an update in the SMETS2+ world; return its code and category."""
    parties = smets2(run)
    ppmid = parties.profile(target).device_type is DeviceType.PPMID
    kind = UpdatePpmidFirmware if ppmid else UpdateFirmware
    asked = user.ask(kind(octets, version, (target,)))
    got = user.take(parties.dsp.submit(user.send(asked), user.eui64))
    decision = parties.dsp.decisions[-1]
    left_out = {one: why.category.value for one, why in decision.left_out}
    return got.code, left_out.get(target) or decision.category or ""


def reads(run: Run, user: Supplier, target: Eui64) -> tuple[str, str]:
    """Have the DSP judge an 11.2 in the SMETS2+ world; return its code and category."""
    parties = smets2(run)
    asked = user.read_firmware_version(target)
    got = user.take(parties.dsp.submit(user.send(asked), user.eui64))
    return got.code, parties.dsp.decisions[-1].category


def assumed(profile: DeviceProfile, smets: SmetsVersion, version: str) -> CplEntry:
    """Return a row that the list of the SMETS2+ world is assumed to have."""
    identity = profile.identity
    return CplEntry(
        cpl_entry_id=f"ASSUMED-{identity.model_hex}-{version}",
        device_type=profile.device_type,
        smets=smets,
        manufacturer_name=identity.manufacturer_name,
        manufacturer_id=identity.manufacturer_hex,
        model_id=f"{identity.model_id:04X}",
        hardware_version=f"{identity.hardware_version:04X}",
        firmware_version=version,
        status=CplStatus.ACTIVE,
        effective_from=date(2014, 1, 1),
        evidence="stand-in",
    )


async def ppmid_updated(run: Run, octets: bytes, version: str) -> Attempt:
    """Bring an image to the SMETS2+ home's PPMID by 11.4, and wait for what it tells (CS09)."""
    target = device(run, DeviceType.PPMID)
    user = smets2(run).supplier_of(target)
    before = len(user.inbox)
    _code, category = asks(run, user, octets, version, target)
    if category:
        return Attempt(UNTARGETABLE if category == _UNTARGETABLE else REJECTED, category, "DSP")
    await carry_out(run)
    wanted = is_dcc_alert(PpmidAlert)
    while True:
        got = await wait_for(run, user, wanted, _HALF_A_DAY_S, since=before)
        if got is None:
            return Attempt(NOTHING_TOLD)
        before = user.inbox.index(got) + 1
        alert = dcc_alert(got)
        upgrade = alert.upgrade if isinstance(alert, PpmidAlert) else None
        if upgrade is not None:
            done = upgrade.result is ActivationResult.SUCCESS
            return Attempt(ACTIVATED if done else ACT_FAILED, told=(upgrade.result.value,))


def announced_as_smets1(run: Run) -> Eui64:
    """Have the SMETS2+ home's PPMID stand in the inventory as a SMETS1 device (D5)."""
    target = device(run, DeviceType.PPMID)
    inventory = smets2(run).dsp.inventory
    record = inventory.find(target)
    if record is not None:
        inventory.put(replace(record, smets=SmetsVersion.SMETS1))
    return target
