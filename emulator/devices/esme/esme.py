"""The electricity meter: firmware, load switch, consumption, and the use cases on them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, SupplyState
from emulator.codecs.zcl import metering
from emulator.codecs.zcl.foundation import AttributeValue
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.metering import MeteringAttribute
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, DeviceEvent, Effect, Payload, SetTimer, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from emulator.devices.consumption import DAY_MS, Consumption
from emulator.devices.dated import ACTIVATION_TIMER
from emulator.devices.esme import han_metering, life
from emulator.devices.esme.buttons import buttons_of
from emulator.devices.esme.events import EventCode, happened
from emulator.devices.esme.han import server
from emulator.devices.esme.handlers import ESME_HANDLERS
from emulator.devices.esme.model.model import EsmeModel
from emulator.devices.esme.model.supply import watch
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.handlers import Handling
from emulator.devices.hands import Buttons
from emulator.devices.network import Network
from emulator.devices.saved import Saved, State

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
        model: Its COSEM objects.
        happening: Faults of a bench that happen with the next event.
        open_until: Until when its screen tells everything, for a privacy PIN that was entered.
    """

    device_type: ClassVar[DeviceType] = DeviceType.ESME

    def __init__(
        self, eui64: Eui64, profile: DeviceProfile, ring: KeyRing, network: Network
    ) -> None:
        super().__init__(eui64, profile, ring, network)
        self.switch = profile.supply.initial_state
        self.consumption: Consumption | None = None
        self._seen = UtcMs(0)
        self.model = EsmeModel(self)
        self.happening: list[str] = []
        self.open_until = UtcMs(0)

    @property
    def buttons(self) -> Buttons:
        """What a person can do at it."""
        return buttons_of(self)

    @property
    def use_cases(self) -> Mapping[int, Handling[Any]]:
        """Message code -> what carries it out and who may ask."""
        return ESME_HANDLERS.rows

    def inject(self, fault: str) -> None:
        """Put a fault inside the device.

        Args:
            fault: ``object:CLASS/OBIS/MEMBER`` lets its access fail; ``tamper:KIND``,
                ``voltage:VOLTS`` and ``integrity:CODE`` happen with the next event; else one of
                any device with firmware.

        Raises:
            ValueError: No such fault, or no such member.
        """
        kind, _, where = fault.partition(":")
        if kind == "object":
            self.model.break_member(where)
        elif kind in life.HAPPENINGS:
            life.check_happening(fault)
            self.happening.append(fault)
        else:
            super().inject(fault)

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer; that of future-dated values is the model's."""
        if name == ACTIVATION_TIMER:
            return self.model.date_reached(now)
        if name in life.TIMERS:
            return life.TIMERS[name](self, now)
        return super().on_timer(name, now)

    def on_clock_set(self, now: UtcMs) -> list[Effect]:
        """Carry future-dated commands out by the clock as it is now."""
        return [*super().on_clock_set(now), *self._wait(now)]

    def on_power_on(self, now: UtcMs) -> list[Effect]:
        """Start up; a meter that had power before notes the end of the outage."""
        if not self.hears:
            return super().on_power_on(now)
        outage = life.power_returned(self, now)
        return [*super().on_power_on(now), *outage, *self._wait(now)]

    def on_power_off(self, now: UtcMs) -> list[Effect]:
        """Lose what volatile memory holds; the meter notes when."""
        self.model.lost_at = self.local_time(now)
        return super().on_power_off(now)

    def _wait(self, now: UtcMs) -> list[Effect]:
        return [*self.model.wait(now), *life.wait(self, now)]

    def without_authority(self, detail: str, now: UtcMs) -> list[Effect]:
        """Log and tell (8F30) that a party sent what it may not send."""
        return happened(self, EventCode.SOURCE_WITHOUT_AUTHORITY, detail, now)

    # -- consumption ---------------------------------------------------------------------------

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; whatever it did, nothing flows without power or past an open switch."""
        effects = super().handle(event, payload, now)
        if event in _TIMELY:
            self._seen = now
        if self.consumption is None and self.powered:
            self.consumption = self._household(UtcMs(now - _HISTORY_DAYS * DAY_MS))
        return [*effects, *self.follow_up(now)]

    def follow_up(self, now: UtcMs) -> list[Effect]:
        """Let flow what may flow, look at credit and load, and act on them."""
        if self.consumption is None:
            return []
        self._flow(self.consumption, now)
        if not self.hears:
            return []
        effects = [*life.happen(self, now), *watch(self, now)]
        self._flow(self.consumption, now)
        self.keep_timers(effects)
        return effects

    def keep_timers(self, effects: list[Effect]) -> None:
        """Keep the timers of effects that no event brought."""
        for effect in effects:
            if isinstance(effect, SetTimer):
                self.timers[effect.name] = effect.at
            elif isinstance(effect, CancelTimer):
                self.timers.pop(effect.name, None)

    def _flow(self, consumption: Consumption, now: UtcMs) -> None:
        flows = (("power", self.powered), ("switch", self.switch is SupplyState.ON))
        for cause, can_flow in flows:
            if can_flow:
                consumption.restore(cause, now)
            else:
                consumption.interrupt(cause, now)

    def _household(self, start: UtcMs) -> Consumption:
        return Consumption(_SEED, f"esme/{self.eui64.hex}", start)

    def attributes(self, cluster: int, now: UtcMs) -> Mapping[int, AttributeValue]:
        """Return the attributes it serves, out of its model."""
        of_model = server.attributes(self, cluster, now)
        if of_model is not None:
            return of_model
        if cluster != metering.CLUSTER or self.consumption is None:
            return super().attributes(cluster, now)
        served = {**han_metering.attributes(self.consumption, self.switch, now)}
        summation = MeteringAttribute.CURRENT_SUMMATION_DELIVERED
        served[summation] = replace(served[summation], value=self.model.import_wh(now))
        return {**served, **han_metering.of_model(self.model, now)}

    def on_cluster_frame(
        self, indication: ZclIndication, frame: ZclFrame, now: UtcMs
    ) -> list[Effect]:
        """Take a command: of the clusters it serves, or of the hub."""
        answers = server.take(self, indication, frame, now)
        return super().on_cluster_frame(indication, frame, now) if answers is None else answers

    # -- dump, load, rows ----------------------------------------------------------------------

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        household: State | None = None
        if self.consumption is not None:
            household = {**self.consumption.dump(), "seen": self._seen}
        return {
            **super().dump(),
            "switch": self.switch.value,
            "consumption": household,
            "model": self.model.dump(),
            "happening": [*self.happening],
            "open_until": int(self.open_until),
        }

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
        self.model.load(saved.part("model"))
        self.happening = saved.texts("happening")
        self.open_until = saved.moment("open_until")

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        rows = {**super().rows(), "load switch": self.switch.value}
        if self.consumption is None:
            return rows
        energy_wh = self.model.import_wh(self._seen)
        return {**rows, "import register": f"{energy_wh // _KILO}.{energy_wh % _KILO:03} kWh"}
