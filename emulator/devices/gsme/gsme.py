"""The gas meter: battery powered and sleepy, with a valve and a mirror in the GPF."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import ZSE_SUPPLY_STATUS, DeviceType, SupplyState
from emulator.codecs.gbcs.metering import SupplyStatus
from emulator.codecs.gbcs.use_cases import PayloadKind
from emulator.codecs.zcl import foundation, metering
from emulator.codecs.zcl.foundation import AttributeValue, ReportAttributes
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.metering import (
    FunctionalFlag,
    MeteringAttribute,
    MirrorReportAttributeResponse,
    ReportingStatus,
)
from emulator.codecs.zcl.ota import ImageNotify
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    DeviceEvent,
    Effect,
    Payload,
    SendGbcs,
    SendZcl,
    SetTimer,
    ZclIndication,
)
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.gsme.handlers import GSME_HANDLERS
from emulator.devices.gsme.wake import SLEEP_TIMER, WAKE_TIMER, WakeWindow
from emulator.devices.handlers import Handling
from emulator.devices.network import Network
from emulator.devices.ota_table import OtaEvent
from emulator.devices.saved import Saved, State
from emulator.devices.zcl_side import TIME_TIMER

_STATE_OF: Final = {status: state for state, status in ZSE_SUPPLY_STATUS.items()}
#: Every device is told of an image by this jitter: always ask.
_ASK_ALWAYS: Final = 100


class Gsme(FirmwareDevice):
    """A gas smart metering equipment.

    Attributes:
        valve: State of the valve; no firmware work moves it.
        valve_stuck: Whether the valve fails to move (a fault to inject).
        battery_days: Days of battery left.
        window: Its wake windows.
    """

    device_type: ClassVar[DeviceType] = DeviceType.GSME
    alert_language: ClassVar[PayloadKind] = PayloadKind.GBZ

    def __init__(
        self, eui64: Eui64, profile: DeviceProfile, ring: KeyRing, network: Network
    ) -> None:
        super().__init__(eui64, profile, ring, network)
        self.valve = profile.supply.initial_state
        self.valve_stuck = False
        self.battery_days = profile.supply.battery_days or 0
        radio = profile.radio
        self.window = WakeWindow(radio.wake_period_s or 0, radio.awake_window_s or 0)

    @property
    def use_cases(self) -> Mapping[int, Handling[Any]]:
        """Message code -> what carries it out and who may ask."""
        return GSME_HANDLERS.rows

    @property
    def status(self) -> SupplyStatus:
        """State of the valve as messages carry it."""
        return SupplyStatus(ZSE_SUPPLY_STATUS[self.valve])

    def move_valve(self, status: SupplyStatus) -> bool:
        """Move the valve; False when it does not move."""
        if self.valve_stuck:
            return False
        self.valve = _STATE_OF[status]
        return True

    def inject(self, fault: str) -> None:
        """Put a fault inside the device.

        Args:
            fault: ``valve-stuck``, ``battery-low`` (one day left), or one of every firmware
                device's.

        Raises:
            ValueError: No such fault.
        """
        if fault == "valve-stuck":
            self.valve_stuck = True
        elif fault == "battery-low":
            self.battery_days = 1
        else:
            super().inject(fault)

    # -- sleeping and waking -------------------------------------------------------------------

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; whatever it sends opens a window first if it sleeps."""
        effects = super().handle(event, payload, now)
        sends = any(isinstance(effect, SendGbcs | SendZcl) for effect in effects)
        if not self.profile.radio.sleepy or not sends or self.window.awake:
            return effects
        opened = self.window.open(now)
        self.timers.update({e.name: e.at for e in opened if isinstance(e, SetTimer)})
        return [*opened, *effects]

    def on_power_on(self, now: UtcMs) -> list[Effect]:
        """Start up with an open window; firmware that does not run opens none."""
        if not self.hears:
            return []
        opened = self.window.open_regular(now) if self.profile.radio.sleepy else []
        return [*opened, *super().on_power_on(now), self.report()]

    def on_power_off(self, now: UtcMs) -> list[Effect]:
        """Lose what volatile memory holds; the receiver is off."""
        effects = super().on_power_off(now)
        return [*effects, *(self.window.close() if self.window.awake else [])]

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Open or close a window, or take another timer."""
        if name == WAKE_TIMER:
            return self.wake_up(now)
        if name == SLEEP_TIMER:
            return [*self.ota.handle(OtaEvent.SLEEP, None, now), *self.window.close()]
        if name == TIME_TIMER and self.profile.radio.sleepy and not self.window.awake:
            return [SetTimer(TIME_TIMER, UtcMs(self.timers[WAKE_TIMER] + 1))]
        return super().on_timer(name, now)

    def wake_up(self, now: UtcMs) -> list[Effect]:
        """Open the regular window: report to the mirror, go on with a download."""
        effects = [*self.window.open_regular(now), self.report()]
        return effects if self.why_postpone() else [*effects, *self.ota.wake(now)]

    def why_postpone(self) -> str:
        """Return why no download may begin or go on now: too few days of battery (FM-17)."""
        least = self.profile.firmware.postpone_below_battery_days
        low = least is not None and self.battery_days < least
        return f"battery for {self.battery_days} days" if low else ""

    # -- mirror --------------------------------------------------------------------------------

    def report(self) -> SendZcl:
        """Return the report of its attributes to the mirror in the GPF."""
        values = tuple(self.attributes(metering.CLUSTER, UtcMs(0)).items())
        frame = foundation.encode(
            ReportAttributes(values), self.next_sequence(), server_to_client=True
        )
        return SendZcl(self.network.gpf, metering.CLUSTER, frame)

    def attributes(self, cluster: int, now: UtcMs) -> Mapping[int, AttributeValue]:
        """Return the attributes it serves."""
        if cluster != metering.CLUSTER:
            return super().attributes(cluster, now)
        values: dict[MeteringAttribute, int | bytes] = {
            MeteringAttribute.SUPPLY_STATUS: ZSE_SUPPLY_STATUS[self.valve],
            MeteringAttribute.REMAINING_BATTERY_LIFE_DAYS: self.battery_days,
            MeteringAttribute.CURRENT_METER_ID: self.reported_version(),
            MeteringAttribute.ATTRIBUTE_REPORTING_STATUS: ReportingStatus.COMPLETE,
        }
        return {key: AttributeValue(metering.TYPES[key], value) for key, value in values.items()}

    def on_cluster_frame(
        self, indication: ZclIndication, frame: ZclFrame, now: UtcMs
    ) -> list[Effect]:
        """Take the mirror's answer: its flags say whether an image waits."""
        if indication.cluster != metering.CLUSTER:
            return super().on_cluster_frame(indication, frame, now)
        command = metering.decode(frame)
        if indication.source != self.network.gpf:
            return [self.frame_refused(indication, "stranger", "mirror other than the GPF")]
        if not isinstance(command, MirrorReportAttributeResponse):
            return super().on_cluster_frame(indication, frame, now)
        if FunctionalFlag.NEW_OTA_FIRMWARE not in command.functional:
            return []
        return self.learn_of_image(ImageNotify(_ASK_ALWAYS), now)

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        return {
            **super().dump(),
            "valve": self.valve.value,
            "valve_stuck": self.valve_stuck,
            "battery_days": self.battery_days,
            "window": self.window.dump(),
        }

    def load_saved(self, saved: Saved) -> None:
        """Take over what ``saved`` holds."""
        super().load_saved(saved)
        self.valve = SupplyState(saved.text("valve"))
        self.valve_stuck = saved.flag("valve_stuck")
        self.battery_days = saved.number("battery_days")
        self.window.load(saved.part("window"))

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        return {
            **super().rows(),
            "valve": self.valve.value,
            "battery": f"{self.battery_days} days",
            "receiver": "on" if self.window.awake else "off",
        }
