"""The electricity meter: firmware, load switch, consumption, and the use cases on them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, SupplyState
from emulator.codecs.zcl import metering
from emulator.codecs.zcl.foundation import AttributeValue, ZclType
from emulator.codecs.zcl.metering import MeteringAttribute
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Payload
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from emulator.devices.consumption import DAY_MS, Consumption, Kind
from emulator.devices.esme.handlers import ESME_HANDLERS
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.handlers import Handling
from emulator.devices.network import Network
from emulator.devices.saved import Saved, State

#: Attribute 0x0400 of the Metering cluster, in W. Source: Smart Energy 1.2 (known).
INSTANTANEOUS_DEMAND: Final = 0x0400
#: Seed of the household behind the meter; its name is the meter's EUI-64. Source: invented.
_SEED: Final = 0
#: Days of consumption behind a meter that gets power for the first time. Source: invented.
_HISTORY_DAYS: Final = 400
_KILO: Final = 1000
#: Events that refresh the display; a message that is refused leaves no trace.
_TIMELY: Final = frozenset({DeviceEvent.TIMER, DeviceEvent.POWER_ON, DeviceEvent.POWER_OFF})


class Esme(FirmwareDevice):
    """An electricity smart metering equipment.

    Attributes:
        switch: State of the load switch; no firmware work moves it.
        consumption: What the household uses; None before the meter first had power.
    """

    device_type: ClassVar[DeviceType] = DeviceType.ESME

    def __init__(
        self, eui64: Eui64, profile: DeviceProfile, ring: KeyRing, network: Network
    ) -> None:
        super().__init__(eui64, profile, ring, network)
        self.switch = profile.supply.initial_state
        self.consumption: Consumption | None = None
        self._seen = UtcMs(0)

    @property
    def use_cases(self) -> Mapping[int, Handling[Any]]:
        """Message code -> what carries it out and who may ask."""
        return ESME_HANDLERS.rows

    # -- consumption ---------------------------------------------------------------------------

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; whatever it did, nothing flows without power or past an open switch."""
        effects = super().handle(event, payload, now)
        if event in _TIMELY:
            self._seen = now
        if self.consumption is None and self.powered:
            self.consumption = self._household(UtcMs(now - _HISTORY_DAYS * DAY_MS))
        if self.consumption is not None:
            flows = (("power", self.powered), ("switch", self.switch is SupplyState.ON))
            for cause, can_flow in flows:
                if can_flow:
                    self.consumption.restore(cause, now)
                else:
                    self.consumption.interrupt(cause, now)
        return effects

    def _household(self, start: UtcMs) -> Consumption:
        return Consumption(_SEED, f"esme/{self.eui64.hex}", start)

    def attributes(self, cluster: int, now: UtcMs) -> Mapping[int, AttributeValue]:
        """Return the attributes it serves; of the Metering cluster those of consumption."""
        if cluster != metering.CLUSTER or self.consumption is None:
            return super().attributes(cluster, now)
        summation = self.consumption.energy_wh(Kind.IMPORT, now)
        values = {
            MeteringAttribute.CURRENT_SUMMATION_DELIVERED: summation,
            MeteringAttribute.UNIT_OF_MEASURE: 0,  # kWh
            MeteringAttribute.MULTIPLIER: 1,
            MeteringAttribute.DIVISOR: _KILO,
            MeteringAttribute.METERING_DEVICE_TYPE: 0,  # electricity
        }
        served: dict[int, AttributeValue] = {
            key: AttributeValue(metering.TYPES[key], value) for key, value in values.items()
        }
        served[INSTANTANEOUS_DEMAND] = AttributeValue(ZclType.INT24, self.consumption.power_w(now))
        return served

    # -- dump, load, rows ----------------------------------------------------------------------

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        household: State | None = None
        if self.consumption is not None:
            household = {**self.consumption.dump(), "seen": self._seen}
        return {**super().dump(), "switch": self.switch.value, "consumption": household}

    def load_saved(self, saved: Saved) -> None:
        """Take over what ``saved`` holds."""
        super().load_saved(saved)
        self.switch = SupplyState(saved.text("switch"))
        household = saved.optional_part("consumption")
        self.consumption = None
        if household is not None:
            self.consumption = self._household(household.moment("start"))
            self.consumption.load(household)
            self._seen = household.moment("seen")

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        rows = {**super().rows(), "load switch": self.switch.value}
        if self.consumption is None:
            return rows
        energy_wh = self.consumption.energy_wh(Kind.IMPORT, self._seen)
        return {**rows, "import register": f"{energy_wh // _KILO}.{energy_wh % _KILO:03} kWh"}
