"""The electricity meter: firmware, load switch, and the use cases on them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, SupplyState
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from emulator.devices.esme.handlers import ESME_HANDLERS
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.handlers import Handling
from emulator.devices.network import Network
from emulator.devices.saved import Saved, State


class Esme(FirmwareDevice):
    """An electricity smart metering equipment.

    Attributes:
        switch: State of the load switch; no firmware work moves it.
    """

    device_type: ClassVar[DeviceType] = DeviceType.ESME

    def __init__(
        self, eui64: Eui64, profile: DeviceProfile, ring: KeyRing, network: Network
    ) -> None:
        super().__init__(eui64, profile, ring, network)
        self.switch = profile.supply.initial_state

    @property
    def use_cases(self) -> Mapping[int, Handling[Any]]:
        """Message code -> what carries it out and who may ask."""
        return ESME_HANDLERS.rows

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        return {**super().dump(), "switch": self.switch.value}

    def load_saved(self, saved: Saved) -> None:
        """Take over what ``saved`` holds."""
        super().load_saved(saved)
        self.switch = SupplyState(saved.text("switch"))

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        return {**super().rows(), "load switch": self.switch.value}
