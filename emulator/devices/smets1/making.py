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


class Model:
    """A catalogue and a profile's section: what all devices of a model share.

    Two are the same where both parts are the very same objects, which nobody changes: equality by
    value would compare hundreds of rows for each device.
    """

    __slots__ = ("catalogue", "section")

    def __init__(self, catalogue: Catalogue, section: DlmsSection) -> None:
        self.catalogue = catalogue
        self.section = section

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        return self.catalogue is other.catalogue and self.section is other.section

    def __hash__(self) -> int:
        return hash((id(self.catalogue), id(self.section)))
