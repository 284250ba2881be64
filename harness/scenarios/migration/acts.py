"""What somebody does at a home while its migration is on the way, by name."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.crypto.top_up_code import TopUp
from harness.migration.custody import S1SP, SMSO, Custody
from harness.migration.office import Office
from harness.migration.site import Site
from harness.parties.s1sp import Errand
from harness.parties.smets1_top_up import device_code
from harness.smets1.arguments import Arguments

#: Numbers of the payment modes on a device (class 111). Source: stand-in.
_CREDIT: Final = 1
_PREPAYMENT: Final = 2
_SET_MODE: Final = "1.6"
#: What every code of a row is worth.
PENCE: Final = 500

#: Done with what the parties share, at a home; notes go into the last.
Act = Callable[[Office, Site, dict[str, Any]], Awaitable[None]]


async def _set_mode(
    office: Office, site: Site, _notes: dict[str, Any], *, device: DeviceType, mode: int
) -> None:
    """Have the S1SP set a meter's payment mode, as a supplier's request would."""
    errand = Errand(
        site.eui64(device),
        site.port(device, S1SP),
        office.clock,
        office.equivalent(site.model(device), device, _SET_MODE),
        Custody(office, site).s1sp(device),
        Arguments(mode=mode),
    )
    await office.s1sp.carry_out(errand)


def code_of(office: Office, site: Site, device: DeviceType, who: str, number: int) -> str:
    """Return a top-up code for a meter, made by the SMSO or with the S1SP's key."""
    eui64 = site.eui64(device)
    held = site.credentials(device).keys
    smso = b"" if held is None else held.authentication
    key = smso if who == SMSO else office.s1spdp.authentication(eui64)
    return device_code(key, eui64, TopUp(PENCE, number))


async def key_in(office: Office, site: Site, device: DeviceType, who: str, number: int) -> str:
    """Have the customer key a code in; returns ``taken``, or why it was not."""
    code = code_of(office, site, device, who, number)
    answer = await site.bench.key_in(site.role(device), code)
    return "taken" if answer.taken else answer.why


async def _codes(
    office: Office, site: Site, notes: dict[str, Any], *, moment: str, number: int
) -> None:
    """Have the customer try a fresh code of each party at each meter, and note what came of it."""
    for device in (DeviceType.ESME, DeviceType.GSME):
        for who in (SMSO, S1SP):
            said = await key_in(office, site, device, who, number)
            notes[f"{moment} {device.value} {who}"] = said


#: Name -> what is done.
ACTS: Final[Mapping[str, Act]] = {
    "gas to prepayment": partial(_set_mode, device=DeviceType.GSME, mode=_PREPAYMENT),
    "codes before": partial(_codes, moment="before", number=1),
    "codes in the gap": partial(_codes, moment="gap", number=3),
    "codes after testing": partial(_codes, moment="tested", number=4),
    "gas to credit": partial(_set_mode, device=DeviceType.GSME, mode=_CREDIT),
}
