"""What somebody does at a home while its migration is on the way, by name."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from device_profiles.words import DeviceType
from harness.migration.custody import S1SP, Custody
from harness.migration.office import Office
from harness.migration.site import Site
from harness.parties.s1sp import Errand
from harness.smets1.arguments import Arguments

#: Numbers of the payment modes on a device (class 111). Source: stand-in.
_CREDIT: Final = 1
_PREPAYMENT: Final = 2
_SET_MODE: Final = "1.6"

#: Done with what the parties share, at a home.
Act = Callable[[Office, Site], Awaitable[None]]


async def _set_mode(office: Office, site: Site, *, device: DeviceType, mode: int) -> None:
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


#: Name -> what is done.
ACTS: Final[Mapping[str, Act]] = {
    "gas to prepayment": partial(_set_mode, device=DeviceType.GSME, mode=_PREPAYMENT),
    "gas to credit": partial(_set_mode, device=DeviceType.GSME, mode=_CREDIT),
}
