"""What a meter is made from, and what follows from it alone."""

from dataclasses import dataclass

from device_profiles.dlms import DlmsSection
from device_profiles.dlms_catalogue import Catalogue
from device_profiles.schema import DeviceProfile
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto.dlms_factory import FactoryKeys


@quick
@dataclass(frozen=True, slots=True)
class Making:
    """What a meter is made from.

    Attributes:
        eui64: Its identifier.
        profile: What it is and may do.
        section: The profile's ``[dlms]`` section.
        catalogue: Its objects.
        keys: Its factory keys.
        seed: Seed of its consumption and its challenges.
        now: The present moment.
    """

    eui64: Eui64
    profile: DeviceProfile
    section: DlmsSection
    catalogue: Catalogue
    keys: FactoryKeys
    seed: int
    now: UtcMs
