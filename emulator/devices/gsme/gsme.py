"""The gas meter: battery powered and sleepy, with a valve and a mirror in the GPF."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import (
    GBCS_DEVICE_NUMBER,
    ZSE_SUPPLY_STATUS,
    DeviceType,
    RemoteParty,
    SupplyState,
)
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.dates import ClockStatus
from emulator.codecs.gbcs.metering import SupplyStatus
from emulator.codecs.gbcs.use_cases import MessageRow, PayloadKind
from emulator.codecs.zcl import foundation, metering, prepayment, price
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
    Note,
    Payload,
    SendGbcs,
    SendZcl,
    SetTimer,
    ZclIndication,
)
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from emulator.devices.checks import Checker
from emulator.devices.consumption import DAY_MS, Consumption
from emulator.devices.credentials.holders import roles_of
from emulator.devices.dated import ACTIVATION_TIMER
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.gsme import alerting, keypad, mirror
from emulator.devices.gsme.handlers import GSME_HANDLERS
from emulator.devices.gsme.model.model import GasModel
from emulator.devices.gsme.wake import SLEEP_TIMER, WAKE_TIMER, WakeWindow
from emulator.devices.handlers import Handling
from emulator.devices.hands import Buttons
from emulator.devices.network import Network
from emulator.devices.ota_table import OtaEvent
from emulator.devices.saved import Saved, State
from emulator.devices.zcl_side import TIME_TIMER

_STATE_OF: Final = {status: state for state, status in ZSE_SUPPLY_STATUS.items()}
_PPMID: Final = GBCS_DEVICE_NUMBER[DeviceType.PPMID]
#: Every device is told of an image by this jitter: always ask.
_ASK_ALWAYS: Final = 100
#: Seed of the household behind the meter; its name is the meter's EUI-64. Source: invented.
_SEED: Final = 0
#: Days of consumption behind a meter that gets power for the first time. Source: invented.
_HISTORY_DAYS: Final = 40
#: Days whose half hours are kept in memory.
_KEPT_DAYS: Final = 2
#: Clusters whose attributes are the model's.
_OF_MODEL: Final = frozenset({metering.CLUSTER, prepayment.CLUSTER, price.CLUSTER})
#: Use cases that read: their date-time says how reliable the clock is; others say nothing of it.
#: Source: RTDS GCS13a, GCS14, GCS60a beside GCS02, CS01b.
_DATED_READS: Final = frozenset({"GCS13a", "GCS13b", "GCS13c", "GCS14", "GCS60a"})


class Gsme(FirmwareDevice):
    """A gas smart metering equipment.

    Attributes:
        valve: State of the valve; no firmware work moves it.
        valve_stuck: Whether the valve fails to move (a fault to inject).
        battery_days: Days of battery left.
        window: Its wake windows.
        consumption: What the household uses; None before the meter first had power.
        model: Its ZCL clusters.
        told_at: When it last reported to its mirror, by its own clock; None: never.
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
        self.consumption: Consumption | None = None
        self.model = GasModel(self)
        self.told_at: UtcMs | None = None

    @property
    def use_cases(self) -> Mapping[int, Handling[Any]]:
        """Message code -> what carries it out and who may ask."""
        return GSME_HANDLERS.rows

    @property
    def checker(self) -> Checker:
        """The checks a command must pass; the household's PPMID may send some, too."""
        return replace(super().checker, roles_of=self._roles_of)

    def _roles_of(self, party: Eui64) -> frozenset[RemoteParty]:
        """Return a party's roles; OTHER for a PPMID that was joined.

        Where no device was joined by command, joins were loaded with the keys: whoever has a key
        here and no role is such a PPMID.
        """
        roles = roles_of(self, party)
        entry = self.joins.entries.get(party)
        joined = entry is not None and entry.device_type == _PPMID
        loaded = not self.joins.entries and self.ring.agreement.knows(party)
        return roles or frozenset({RemoteParty.OTHER} if joined or loaded else ())

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
            fault: ``valve-stuck``, ``battery-low`` (one day left), ``member:0702/a0000`` (its
                access fails; also ``c04``, ``s05`` for commands, ``daily_accounts/1`` for an
                entry of a log), or one of every firmware device's.

        Raises:
            ValueError: No such fault.
        """
        if fault == "valve-stuck":
            self.valve_stuck = True
        elif fault == "battery-low":
            self.battery_days = 1
        elif fault.startswith("member:"):
            self.model.break_member(fault.removeprefix("member:"))
        else:
            super().inject(fault)

    @property
    def buttons(self) -> Buttons:
        """What a person can do at it."""
        return keypad.buttons_of(self)

    def open_by_hand(self, now: UtcMs) -> list[Effect]:
        """Let a person at the valve open it: an armed valve alone opens."""
        if self.valve is not SupplyState.ARMED or not self.move_valve(SupplyStatus.ON):
            return []
        self._let_flow(now)
        return [Note("valve", (("state", self.valve.value), ("why", "by hand")))]

    def stamp_status(self, row: MessageRow) -> int:
        """Return the clock status octet of the date-time in a use case's response."""
        if row.use_case not in _DATED_READS:
            return ClockStatus.UNSAID
        return self.clock_status(PayloadKind.GBZ)

    def _let_flow(self, now: UtcMs) -> None:
        """Make consumption follow power and valve."""
        if self.consumption is None and self.powered:
            self.consumption = self._household(UtcMs(now - _HISTORY_DAYS * DAY_MS))
        if self.consumption is None:
            return
        flows = (("power", self.powered), ("valve", self.valve is SupplyState.ON))
        for cause, can_flow in flows:
            if can_flow:
                self.consumption.restore(cause, now)
            else:
                self.consumption.interrupt(cause, now)

    def _household(self, start: UtcMs) -> Consumption:
        return Consumption(_SEED, f"gsme/{self.eui64.hex}", start, kept_days=_KEPT_DAYS)

    # -- sleeping and waking -------------------------------------------------------------------

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; whatever it sends opens a window first if it sleeps."""
        effects = super().handle(event, payload, now)
        self._let_flow(now)
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
        self._let_flow(now)
        opened = self.window.open_regular(now) if self.profile.radio.sleepy else []
        return [*opened, *super().on_power_on(now), *self.model.wait(now), *self.tell_mirror(now)]

    def on_clock_set(self, now: UtcMs) -> list[Effect]:
        """Carry future-dated commands out by the clock as it is now."""
        return [*super().on_clock_set(now), *self.model.wait(now)]

    def on_power_off(self, now: UtcMs) -> list[Effect]:
        """Lose what volatile memory holds; the receiver is off."""
        effects = super().on_power_off(now)
        return [*effects, *(self.window.close() if self.window.awake else [])]

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Open or close a window, or take another timer."""
        if name == WAKE_TIMER:
            return self.wake_up(now)
        if name == ACTIVATION_TIMER:
            return self.model.date_reached(now)
        if name == SLEEP_TIMER:
            return [*self.ota.handle(OtaEvent.SLEEP, None, now), *self.window.close()]
        if name == TIME_TIMER and self.profile.radio.sleepy and not self.window.awake:
            return [SetTimer(TIME_TIMER, UtcMs(self.timers[WAKE_TIMER] + 1))]
        return super().on_timer(name, now)

    def wake_up(self, now: UtcMs) -> list[Effect]:
        """Open the regular window: report to the mirror, go on with a download."""
        effects = [
            *self.window.open_regular(now),
            *self.model.close_for_credit(now),
            *self.tell_mirror(now),
        ]
        return effects if self.why_postpone() else [*effects, *self.ota.wake(now)]

    def why_postpone(self) -> str:
        """Return why no download may begin or go on now: too few days of battery (FM-17)."""
        least = self.profile.firmware.postpone_below_battery_days
        low = least is not None and self.battery_days < least
        return f"battery for {self.battery_days} days" if low else ""

    # -- mirror --------------------------------------------------------------------------------

    def tell_event(self, code: int, now: UtcMs, information: bytes = b"") -> list[Effect]:
        """Tell the supplier of an event by a generic alert."""
        return alerting.tell_event(self, code, now, information)

    def without_authority(self, detail: str, now: UtcMs) -> list[Effect]:
        """Log and tell (8F30) that a party sent what it may not send."""
        code = AlertCode.SOURCE_WITHOUT_AUTHORITY
        return [self.log(code, detail, now, security=True), *self.tell_event(code, now)]

    def tell_mirror(self, now: UtcMs) -> list[Effect]:
        """Report to the mirror: after midnight all attributes and the logs' new rows."""
        effects: list[Effect] = []
        midnight = mirror.midnight_before(self, now)
        if self.told_at is None or self.told_at < midnight or self.model.changed:
            effects += mirror.whole(self, now)
        if self.told_at is not None and self.told_at < midnight:
            effects += mirror.logs(self, self.told_at, now)
            if self.model.bills:
                effects += alerting.push_billing(self, self.told_at, now)
        self.told_at, self.model.changed = self.local_time(now), False
        return [*effects, *mirror.often(self, now), self.report()]

    def report(self) -> SendZcl:
        """Return the last report of a set: what a hub must know of the device."""
        values: dict[MeteringAttribute, int | bytes] = {
            MeteringAttribute.SUPPLY_STATUS: ZSE_SUPPLY_STATUS[self.valve],
            MeteringAttribute.REMAINING_BATTERY_LIFE_DAYS: self.battery_days,
            MeteringAttribute.CURRENT_METER_ID: self.reported_version(),
            MeteringAttribute.ATTRIBUTE_REPORTING_STATUS: ReportingStatus.COMPLETE,
        }
        typed = [(int(key), AttributeValue(metering.TYPES[key], v)) for key, v in values.items()]
        frame = foundation.encode(
            ReportAttributes(tuple(typed)), self.next_sequence(), server_to_client=True
        )
        return SendZcl(self.network.gpf, metering.CLUSTER, frame)

    def attributes(self, cluster: int, now: UtcMs) -> Mapping[int, AttributeValue]:
        """Return the attributes it serves: those of its model; of Metering the report's status."""
        if cluster not in _OF_MODEL:
            return super().attributes(cluster, now)
        found = self.model.served(cluster, now) if self.consumption is not None else {}
        if cluster == metering.CLUSTER:
            status = MeteringAttribute.ATTRIBUTE_REPORTING_STATUS
            found[int(status)] = AttributeValue(
                metering.TYPES[status], int(ReportingStatus.COMPLETE)
            )
        return found

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
            "consumption": None if self.consumption is None else self.consumption.dump(),
            "model": self.model.dump(),
            "told_at": self.told_at,
        }

    def load_saved(self, saved: Saved) -> None:
        """Take over what ``saved`` holds."""
        super().load_saved(saved)
        self.valve = SupplyState(saved.text("valve"))
        self.valve_stuck = saved.flag("valve_stuck")
        self.battery_days = saved.number("battery_days")
        self.window.load(saved.part("window"))
        household = saved.optional_part("consumption")
        self.consumption = None
        if household is not None:
            self.consumption = self._household(household.moment("start"))
            self.consumption.load(household)
        self.model.load(saved.part("model"))
        self.told_at = saved.optional_moment("told_at")

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        return {
            **super().rows(),
            "valve": self.valve.value,
            "battery": f"{self.battery_days} days",
            "receiver": "on" if self.window.awake else "off",
        }
