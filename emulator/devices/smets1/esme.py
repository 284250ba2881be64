"""The SMETS1 meters: electricity and gas.

Illustrative, stand-ins: no public document fixes any SMETS1 maker's objects.
"""

from typing import ClassVar

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.devices.consumption import Kind
from emulator.devices.smets1 import read_out
from emulator.devices.smets1.catalogue_device import CatalogueDevice
from emulator.devices.smets1.object_model import Moment
from emulator.devices.smets1.switch import ControlState, Order


class Smets1Esme(CatalogueDevice):
    """An electricity meter of the first generation."""

    device_type: ClassVar[DeviceType] = DeviceType.ESME

    def press(self, now: UtcMs) -> list[Effect]:
        """Press the button that closes a switch that is ready for it."""
        at = Moment(now, security=self.security)
        if self.powered and self.switch.state is ControlState.READY:
            self.move_switch(Order.MANUAL_RECONNECT, at)
        return self._acted(at.outbox)

    def read_out(self, now: UtcMs) -> str:
        """Return the data block of a mode C read-out."""
        return read_out.block_of(self, now)


class Smets1Gsme(CatalogueDevice):
    """A gas meter of the first generation: class 70 is its valve, volumes are in dm³."""

    device_type: ClassVar[DeviceType] = DeviceType.GSME
    metered: ClassVar[Kind] = Kind.GAS


class Smets1HubServer(CatalogueDevice):
    """The server of a hub of the first generation for itself, without its gateway."""

    device_type: ClassVar[DeviceType] = DeviceType.CHF
