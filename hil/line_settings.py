"""How a role's line is spoken to and found: the bench file's words, else the profile's."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from device_profiles.schema import DeviceProfile
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import made_up_eui64
from harness.dlms.association import Draw
from harness.dlms.from_profile import default_framing
from harness.dlms.from_profile import line_settings as from_profile
from harness.dlms.settings import Framing, LineSettings
from harness.errors import BenchError
from hil import discovery, port_address
from hil.bench_sections import RoleSection
from hil.endpoints import BY_USB
from hil.port_address import Way

#: Speed of HDLC where nobody says another one. Source: IEC 62056-21 proposes up to 9,600 bit/s.
BAUD: Final = 9600
#: Ways that say the framing themselves.
_FRAMINGS: Final = {Way.WRAPPER: Framing.WRAPPER, Way.TCP: Framing.HDLC}


def challenges(seed: int, role: str) -> Draw:
    """Return the chance of a client on a line that is no real device's, by the run's seed.

    A recording that names its seed is replayed with the same challenges.
    """
    return Stream(seed, f"hil/{role}/challenge").octets


def loopback_eui64(section: RoleSection, profile: DeviceProfile, seed: int) -> Eui64:
    """Return who a loopback device is: as the bench file says, else made up from the seed."""
    if section.eui64 is not None:
        return Eui64.parse(section.eui64)
    return made_up_eui64(seed, profile.name)


def line_settings(
    section: RoleSection, profile: DeviceProfile, address: str, recorded: Framing | None = None
) -> LineSettings:
    """Return how a meter is spoken to: the bench file's words, else the profile's.

    Args:
        section: What the bench file says.
        profile: The model.
        address: Where the line is.
        recorded: What a recording says of its framing; None: it is no recording.

    Raises:
        BenchError: The profile has no DLMS server.
    """
    dlms = profile.dlms
    if dlms is None:
        raise BenchError(f"profile {profile.name} has no DLMS server")
    way = port_address.parse(address).way if address != BY_USB else Way.DEVICE
    framing = section.framing or recorded or _FRAMINGS.get(way) or default_framing(dlms)
    known = from_profile(dlms, framing)
    size = section.address_bytes or known.address_bytes
    physical = section.physical_address or known.physical_address
    return replace(
        known,
        address_bytes=size,
        physical_address=None if size == 1 else physical,
        sign_on_baud=section.start_baud or known.sign_on_baud,
        baud=section.baud or section.pace or known.baud,
    )


def first_baud(section: RoleSection, settings: LineSettings) -> int:
    """Return the speed a port is opened with."""
    return settings.sign_on_baud if settings.framing is Framing.OPTICAL else section.baud or BAUD


def port_of(section: RoleSection) -> str:
    """Return the port of a serial role, as it can be opened now.

    Raises:
        BenchError: No adapter, or more than one, is the one the usb table describes.
    """
    if section.usb is None:
        return section.where.target
    found = discovery.find(section.usb.selector)
    target = section.where.target
    if target != BY_USB and Path(target).resolve() != Path(found.device).resolve():
        raise BenchError(
            f"{target} is not the adapter that the usb table describes ({section.usb.selector})",
            where=str(section.where),
            cause="another adapter is plugged in there",
            next_command="smetsbench bench doctor FILE",
        )
    return found.device


def lock_name(section: RoleSection) -> str:
    """Return what is locked while a serial role is in use: one name however it is written."""
    path = section.where.device_path
    if path is not None:
        return str(Path(path).resolve())
    if section.usb is not None:
        return str(section.usb.selector)
    return section.where.target
