"""What a SMETS1 electricity meter is made of, and what moves more than one of its parts."""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Final

from device_profiles.dlms import (
    ActivationDrop,
    DlmsSection,
    ImageMemory,
    ImageSection,
    VerifyPolicy,
)
from device_profiles.dlms_catalogue import CatalogueRow
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.selective import CaptureObject
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Note, SetTimer
from emulator.core.ids import Eui64
from emulator.core.labels import serial_of
from emulator.crypto.dlms_factory import FactoryKeys
from emulator.crypto.top_up_code import top_up_key
from emulator.devices.consumption import DAY_MS, HALF_HOUR_MS, Consumption, Kind
from emulator.devices.smets1 import association_object, security_setup
from emulator.devices.smets1.binding import data_of
from emulator.devices.smets1.calendar import CALENDAR_TIMER, Calendar, CalendarError
from emulator.devices.smets1.captures import Capture, Captures, Every, Monthly
from emulator.devices.smets1.catalogue import BINDINGS, CatalogueObject
from emulator.devices.smets1.clock import MeterClock
from emulator.devices.smets1.device_log import DeviceLog
from emulator.devices.smets1.hub_images import HubImages
from emulator.devices.smets1.image import ImageTransfer
from emulator.devices.smets1.logs import (
    EVENTS,
    SECURITY,
    SECURITY_CODES,
    EventCode,
    EventLog,
    LogRow,
)
from emulator.devices.smets1.making import Making
from emulator.devices.smets1.object_model import Moment, ObjectTree
from emulator.devices.smets1.prepayment import Account, Opening, PaymentMode
from emulator.devices.smets1.profile_generic import CLOCK_CLASS, Buffer
from emulator.devices.smets1.rates import Rates, SwitchingTable
from emulator.devices.smets1.registers import MaxDemand
from emulator.devices.smets1.switch import NO_LIMIT_W, ControlState, Order, Switch

#: Days of consumption behind a new meter. Source: invented (13 months and a little).
HISTORY_DAYS: Final = 400
#: Months that the billing profile holds. Source: invented.
BILLING_ENTRIES: Final = 13
CREDIT_TIMER: Final = "credit.check"
LIMIT_TIMER: Final = "limiter.watch"
OVER_TIMER: Final = "limiter.over"
_NO_IMAGE: Final = ImageSection(
    block_bytes=16,
    verify=VerifyPolicy.AT_ONCE,
    verify_s=0,
    activation=ActivationDrop.KEEPS,
    activation_s=1,
    power_loss=ImageMemory.KEPT,
)
_SWITCH_EVENTS: Final = {
    ControlState.DISCONNECTED: EventCode.SWITCH_OPENED,
    ControlState.CONNECTED: EventCode.SWITCH_CLOSED,
    ControlState.READY: EventCode.SWITCH_READY,
}


class Meter:
    """The parts of a meter, without its server.

    Attributes:
        eui64: Its identifier.
        profile: What it is and may do.
        dlms: The profile's ``[dlms]`` section.
        tree: Its objects.
        timers: Running timers by name.
        columns: Columns of each profile, by logical name.
        serial: Its serial number.
        consumption: What its household uses.
        rates: How the import register divides among the rates.
        clock: Its clock.
        captures: When the load and the billing profile capture.
        logs: Event log and security log.
        switch: Its supply switch.
        cut_for_credit: Whether the switch is open because credit ran out.
        limits: Thresholds of the limiter.
        account: Its customer's account.
        calendar: Which rate counts when.
        demand: Maximum demand.
        image: Its image transfer, and the firmware that runs.
        policy: Security policy of class 64.
        token: When the last top-up code came, its status and its reason.
        factory: The keys it left the factory with.
        draw: Chance of key agreements.
    """

    device_type: ClassVar[DeviceType]
    image_type: ClassVar[type[ImageTransfer]] = ImageTransfer
    clock_type: ClassVar[type[MeterClock]] = MeterClock
    account_type: ClassVar[type[Account]] = Account
    captures_type: ClassVar[type[Captures]] = Captures
    buffer_type: ClassVar[type[Buffer]] = Buffer
    #: What the rates divide and the account charges.
    metered: ClassVar[Kind] = Kind.IMPORT
    eui64: Eui64
    profile: DeviceProfile
    dlms: DlmsSection
    tree: ObjectTree
    timers: dict[str, UtcMs]
    columns: Mapping[bytes, tuple[CaptureObject, ...]]
    serial: str
    consumption: Consumption
    rates: Rates
    clock: MeterClock
    captures: dict[str, Captures]
    logs: dict[str, EventLog]
    switch: Switch
    limits: dict[str, int]
    account: Account
    calendar: Calendar
    demand: MaxDemand
    image: ImageTransfer
    policy: int
    token: tuple[UtcMs, int, int]
    factory: FactoryKeys
    draw: Stream

    def __init__(self, making: Making) -> None:
        eui64, profile, section = making.eui64, making.profile, making.section
        seed, now, keys = making.seed, making.now, making.keys
        self.eui64, self.profile, self.dlms = eui64, profile, section
        self.serial = serial_of(eui64)
        start = UtcMs((now // DAY_MS - HISTORY_DAYS) * DAY_MS)
        self.consumption = Consumption(seed, f"smets1/{eui64.hex}", start)
        self.clock = self.clock_type(now, section.clock_drift_ppm)
        self.calendar = Calendar()
        used = partial(self.consumption.energy_between_wh, self.metered)
        total = partial(self.consumption.energy_wh, self.metered)
        self.rates = Rates(total, start, self.calendar.table(), used)
        self.captures = {
            "load": self.captures_type(
                Every(section.capture_period_s * 1000), section.profile_entries, start
            ),
            "billing": self.captures_type(Monthly(), BILLING_ENTRIES, start),
        }
        self.logs = {name: EventLog(section.log_entries) for name in (EVENTS, SECURITY)}
        self.switch = Switch(profile.supply.initial_state)
        self.cut_for_credit = False
        self.limits = {"watts": NO_LIMIT_W, "over_s": 60, "under_s": 60}
        top_ups = top_up_key(keys.keys.authentication, eui64)
        self.account = self.account_type(self.rates, now, top_ups, Opening())
        self.demand = MaxDemand(self.consumption)
        self.image = self.image_type(eui64, profile, section.image or _NO_IMAGE)
        ciphers = any(association.ciphered for association in section.associations)
        self.policy = security_setup.PROTECTED if ciphers else 0
        self.token = (now, 0, 0)
        self.factory = keys
        self.draw = Stream(seed, f"smets1/{eui64.hex}/agreement")
        self._begin_without_power(now)

    def _begin_without_power(self, now: UtcMs) -> None:
        self.consumption.interrupt("power", now)
        if not self.switch.closed:
            self.consumption.interrupt("switch", now)
        for captures in self.captures.values():
            captures.stop(now)

    def han_log(self) -> DeviceLog | None:
        """Return the device log of a hub; None for what is none."""
        return None

    def hub_images(self) -> HubImages | None:
        """Return what a hub holds for others; None for what is no hub."""
        return None

    # -- what it shows -------------------------------------------------------------------------

    def serial_text(self) -> str:
        """Return the serial number, as its object holds it."""
        return self.serial

    def eui64_octets(self) -> bytes:
        """Return the EUI-64, as its object holds it."""
        return self.eui64.octets

    def firmware_text(self) -> str:
        """Return the version that runs, as its firmware object holds it: hex or maker's text."""
        return self.profile.firmware.version_codec.held_text(self.image.running)

    def rate_register(self, rate: int, at: UtcMs) -> int:
        """Return the energy of one rate in Wh."""
        return self.rates.split_wh(at)[rate]

    def scaler_unit(self, row: CatalogueRow) -> tuple[int, int]:
        """Return scaler and unit of the register whose attribute 3 ``row`` is."""
        item = self.tree.find(row.class_id, row.obis)
        value = item.members.get(2) if isinstance(item, CatalogueObject) else None
        return (row.scaler, row.unit) if value is None else (value.scaler, value.unit)

    def reported_closed(self, at: Moment) -> bool:  # noqa: ARG002 - a saboteur wants it
        """Say whether the switch is closed, as class 70 tells it."""
        return self.switch.closed

    def reported_state(self, at: Moment) -> ControlState:  # noqa: ARG002 - a saboteur wants it
        """Return the switch's control state, as class 70 tells it."""
        return self.switch.state

    # -- profiles ------------------------------------------------------------------------------

    def buffer(self, row: CatalogueRow, now: UtcMs) -> Buffer:
        """Return what the profile of a buffer's row holds."""
        log = self.logs.get(row.value)
        rows = self.captures[row.value].rows(now) if log is None else log.rows
        return self.buffer_type(self.columns[row.obis], rows, self.cell, self.clock.zone_min)

    def cell(self, row: Capture, column: CaptureObject) -> Data:
        """Return what one column of one captured row holds."""
        if column.class_id == CLOCK_CLASS:
            return axdr.octets(self.clock.octets(row.shown))
        item = self.tree.find(column.class_id, column.obis)
        if not isinstance(item, CatalogueObject):
            return axdr.NULL
        member = item.members[column.attribute]
        if isinstance(row, LogRow) and member.binding == "log.last":
            return data_of(member, BINDINGS[member.binding], row.code)
        value = item.read(column.attribute, None, Moment(row.at))
        return value if isinstance(value, Data) else axdr.NULL

    def profile_count(self, name: str, now: UtcMs) -> int:
        """Return how many rows a profile holds."""
        log = self.logs.get(name)
        return self.captures[name].count(now) if log is None else len(log.rows)

    def profile_limit(self, name: str) -> int:
        """Return how many rows a profile can hold."""
        log = self.logs.get(name)
        return self.captures[name].limit if log is None else log.limit

    def reset_profile(self, name: str, now: UtcMs) -> None:
        """Empty a profile."""
        if name in self.logs:
            self.logs[name].rows = []
        else:
            self.captures[name].reset(now)
        self.log(EventCode.PROFILE_CLEARED, now)

    def log(self, code: EventCode, now: UtcMs) -> None:
        """Enter an event into the log it belongs to."""
        name = SECURITY if code in SECURITY_CODES else EVENTS
        self.logs[name].enter(int(code), now, self.clock.shows(now))

    def cancel(self, timer: str, at: Moment) -> None:
        """Cancel a timer that runs."""
        if timer in self.timers:
            at.outbox.put(CancelTimer(timer))

    def log_image_events(self, now: UtcMs) -> None:
        """Enter what the image transfer has to tell."""
        for code in self.image.take_events():
            self.log(code, now)

    # -- clock and calendar --------------------------------------------------------------------

    def set_clock(self, shown: UtcMs, at: Moment) -> None:
        """Set the clock, and let the profiles go on under it."""
        before = self.clock.shows(at.now)
        self.log(EventCode.CLOCK_SET_FROM, at.now)
        self.clock.set_to(shown, at.now)
        for captures in self.captures.values():
            captures.run(shown, self.clock.ppm, at.now)
        self.log(EventCode.CLOCK_SET_TO, at.now)
        at.outbox.put(Note("clock_set", (("by_ms", shown - before),)))
        self.await_calendar(at)

    def await_calendar(self, at: Moment) -> None:
        """Have the passive calendar activated when the clock shows its time."""
        wanted = self.calendar.activate_at
        if wanted is None:
            self.cancel(CALENDAR_TIMER, at)
            return
        left = wanted - self.clock.shows(at.now)
        if left > 0:
            at.outbox.put(SetTimer(CALENDAR_TIMER, UtcMs(at.now + left)))
        else:
            self.activate_calendar(at)

    def activate_calendar(self, at: Moment) -> bool:
        """Put the passive calendar into force; say whether it means something."""
        self.calendar.activate_at = None
        before = self.calendar.active
        self.calendar.active = dict(self.calendar.passive)
        try:
            table = self.calendar.table()
        except CalendarError as error:
            self.calendar.active = before
            at.outbox.put(Note("calendar_refused", (("why", str(error)),)))
            return False
        self.switch_rates(table, at.now)
        self.log(EventCode.CALENDAR_ACTIVATED, at.now)
        return True

    def switch_rates(self, table: SwitchingTable, now: UtcMs) -> None:
        """Divide consumption by another switching table from now on."""
        self.rates.switch_table(table, now)

    # -- associations and keys -----------------------------------------------------------------

    def object_list(self, at: Moment) -> Data:
        """Return the association view of whoever asks."""
        return association_object.object_list(self, at)

    def answer_hls(self, reply: bytes, at: Moment) -> bytes | None:
        """Return our reply to the client's challenge, or None where its own is wrong."""
        return None if at.session is None else at.session.reply_to_hls(reply)

    def transfer_keys(self, data: Data | None, at: Moment) -> MethodOutcome:
        """Take the keys of a key transfer, or none of them."""
        return security_setup.transfer(self, data, at)

    # -- supply and credit ---------------------------------------------------------------------

    def move_switch(self, order: Order, at: Moment) -> bool:
        """Move the supply switch; say whether its control mode allows it."""
        target = self.switch.target(order)
        if target is None:
            return False
        if target is self.switch.state:
            return True
        self.switch.state = target
        if self.switch.closed:
            self.consumption.restore("switch", at.now)
        else:
            self.consumption.interrupt("switch", at.now)
        self.log(_SWITCH_EVENTS[target], at.now)
        at.outbox.put(Note("switch", (("state", self.switch.supply.value),)))
        return True

    def set_payment_mode(self, mode: PaymentMode, at: Moment) -> None:
        """Change the payment mode."""
        if mode is not self.account.mode:
            self.account.mode = mode
            self.log(EventCode.PAYMENT_MODE_CHANGED, at.now)
            at.outbox.put(Note("payment_mode", (("mode", mode.name.lower()),)))
        self.enforce_credit(at)

    def activate_price(self, name: str, at: Moment) -> None:
        """Put a passive price into force."""
        if name == "energy":
            self.account.energy.activate(at.now)
        else:
            charge = self.account.charges[name]
            charge.settle(at.now)
            charge.per_day = charge.passive
        self.log(EventCode.PRICE_CHANGED, at.now)

    def enforce_credit(self, at: Moment) -> None:
        """Open the switch when prepaid credit is gone, make it ready again when it is back."""
        if self.account.exhausted(at.now):
            if self.switch.closed:
                self.log(EventCode.CREDIT_EXHAUSTED, at.now)
                self.cut_for_credit = self.move_switch(Order.LOCAL_DISCONNECT, at)
        elif self.cut_for_credit:
            self.cut_for_credit = False
            self.move_switch(Order.LOCAL_RECONNECT, at)
        if self.account.mode is PaymentMode.PREPAYMENT:
            at.outbox.put(SetTimer(CREDIT_TIMER, _next_half_hour(at.now)))
        else:
            self.cancel(CREDIT_TIMER, at)

    def watch_limit(self, at: Moment) -> None:
        """Look at the power now, and again when it may change, while there is a limit."""
        if self.limits["watts"] == NO_LIMIT_W:
            self.cancel(LIMIT_TIMER, at)
            self.cancel(OVER_TIMER, at)
            return
        at.outbox.put(SetTimer(LIMIT_TIMER, _next_half_hour(at.now)))
        if self.consumption.power_w(at.now) > self.limits["watts"]:
            over_ms = self.limits["over_s"] * 1000
            at.outbox.put(SetTimer(OVER_TIMER, UtcMs(at.now + over_ms)))
        else:
            self.cancel(OVER_TIMER, at)

    def enforce_limit(self, at: Moment) -> None:
        """Open the switch when the power is still beyond the limit."""
        if self.consumption.power_w(at.now) > self.limits["watts"]:
            self.log(EventCode.LIMIT_EXCEEDED, at.now)
            self.move_switch(Order.LOCAL_DISCONNECT, at)


def _next_half_hour(now: UtcMs) -> UtcMs:
    return UtcMs((now // HALF_HOUR_MS + 1) * HALF_HOUR_MS)
