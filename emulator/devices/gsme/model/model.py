"""One gas meter's clusters: every read and write of every use case goes to the same state."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from device_profiles.gbcs_clusters import ClusterRow
from device_profiles.words import ZSE_SUPPLY_STATUS, SupplyState
from emulator.codecs.gbcs import alerts, gbz
from emulator.codecs.gbcs.alerts import AlertCode, CommandReference
from emulator.codecs.gbcs.gbz import GbzAlert, GbzComponent
from emulator.codecs.gbcs.metering import SupplyStatus
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import basic
from emulator.codecs.zcl.cluster import Command
from emulator.codecs.zcl.foundation import AttributeValue
from emulator.core.clock import UtcMs, from_zigbee_seconds, to_zigbee_seconds
from emulator.core.effects import Effect, Note
from emulator.core.errors import IllegalEventError
from emulator.crypto.token_memory import TokenMemory
from emulator.devices.consumption import DAY_MS, Consumption
from emulator.devices.dated import has_lapsed, lapse
from emulator.devices.gbz_engine import GbzTurn
from emulator.devices.gsme.model.account import is_prepayment
from emulator.devices.gsme.model.actions import ACTIONS
from emulator.devices.gsme.model.calendar import read_calendar
from emulator.devices.gsme.model.clusters import ClusterModel, Series, Work
from emulator.devices.gsme.model.kept_fields import KEPT_FIELDS
from emulator.devices.gsme.model.ledger import NEW_MODE, NEW_TARIFF, Ledger, row_of
from emulator.devices.gsme.model.pending import Pending
from emulator.devices.gsme.model.reads import READS
from emulator.devices.gsme.model.settings import SETTINGS
from emulator.devices.gsme.model.snapshot_log import SnapshotLog
from emulator.devices.gsme.model.store import PROFILE_VALUES, Row, Store, catalogue_defaults
from emulator.devices.gsme.model.types import Value, as_attribute, kind_of
from emulator.devices.gsme.model.writes import WRITES
from emulator.devices.saved import Saved, State

if TYPE_CHECKING:
    from emulator.devices.gsme.gsme import Gsme

_WORKS: Final[Mapping[str, Work]] = {
    **READS, **KEPT_FIELDS, **WRITES, **SETTINGS, **ACTIONS,
}  # fmt: skip
#: Days of half hours kept. Source: known (SMETS2: 13 months).
_PROFILE_DAYS: Final = 396
_DAILY_DAYS: Final = 731
_HALF_HOUR_S: Final = 1800
#: What changes prices; the log of changes notes the moment.
_TARIFF_STEMS: Final = (
    "tariff_", "tier_price_", "block_price_", "block_threshold_", "threshold_", "tier_block_mode",
    "tiers_in_use", "standing_charge_", "currency", "price_digits",
)  # fmt: skip


class GasModel(ClusterModel):
    """The clusters of one gas meter; what it does not say is its profile's or the catalogue's.

    Attributes:
        top_ups: (digits, thousandths of a penny, seconds since 2000) of the last top-ups.
        tokens: Which tokens were taken.
        closed_for_credit: Whether the valve is closed because there is no credit.
        changed: Whether a value was set that the mirror was not told of.
    """

    __slots__ = ("_ledger", "changed", "closed_for_credit", "tokens", "top_ups")

    def __init__(self, device: "Gsme") -> None:
        super().__init__(device, Store(PROFILE_VALUES.of(device.profile), catalogue_defaults()))
        self.top_ups: list[tuple[str, int, int]] = []
        self.tokens = TokenMemory()
        self.closed_for_credit = False
        self.changed = False
        self._ledger: Ledger | None = None

    @property
    def works(self) -> Mapping[str, Work]:
        """Binding word -> what carries a command out."""
        return _WORKS

    @property
    def consumption(self) -> Consumption:
        """What the household used.

        Raises:
            IllegalEventError: The meter never had power.
        """
        flow: Consumption | None = self.device.consumption
        if flow is None:
            raise IllegalEventError("a gas meter that never had power is asked")
        return flow

    @property
    def ledger(self) -> Ledger:
        """Registers and account; made when first asked for."""
        if self._ledger is None:
            self._ledger = Ledger(self.store, self.consumption)
        return self._ledger

    @property
    def bills(self) -> bool:
        """Whether it was told a billing calendar; the catalogue's is nobody's."""
        told = "billing_start" in self.store.own
        return told or "billing_start" in self.device.profile.attributes

    def put(self, name: str, plain: Any) -> None:
        """Set a value by its name from a plain one; registers and account begin anew."""
        super().put(name, plain)
        self._ledger = None
        self.changed = True

    # -- attributes ------------------------------------------------------------------------------

    def attribute(self, row: ClusterRow, now: UtcMs) -> AttributeValue | None:
        """Return the value of an attribute."""
        if row.binding == "basic":
            return dict(self.device.attributes(basic.CLUSTER, now)).get(row.number)
        found = self._bound(row, now)
        if found is None:
            return super().attribute(row, now)
        kind = kind_of(row.type)
        if isinstance(found, int):
            low, high = kind.limits
            found = max(low, min(high, found))
        return as_attribute(kind, found)

    def _bound(self, row: ClusterRow, now: UtcMs) -> Value | None:
        """Return the value of an attribute that more than the store knows."""
        if row.binding == "valve":
            return ZSE_SUPPLY_STATUS[self.device.valve]
        if row.binding == "battery":
            days: int = self.device.battery_days
            return days
        if row.binding == "version":
            version: bytes = self.device.reported_version()
            return version
        if row.binding == "stored":
            return None
        return self._counted(row, now)

    def _counted(self, row: ClusterRow, now: UtcMs) -> int:
        if row.binding == "register":
            return self.ledger.register_dm3(now)
        self.ledger.settle(now)
        if row.binding == "account":
            return self.ledger.account.parts[row.argument]
        counters = self.ledger.tiers if row.binding == "tier" else self.ledger.blocks
        return counters[int(row.argument) - 1]

    def price_now(self, shown: UtcMs) -> tuple[int, int, UtcMs] | None:
        """Return tier, price, and until when it counts; None where no calendar says a tier."""
        self.ledger.settle(shown)
        price, until = self.ledger.price(shown), self.ledger.calendar.next_switch(shown)
        if price is None:
            return None
        tier = 0 if self.ledger.by_blocks else self.ledger.tier_at(shown) or 0
        return tier, price, until

    def command(self, component: GbzComponent, command: Command, turn: GbzTurn) -> list[Command]:
        """Carry out a cluster command; what was consumed before it is settled before it.

        Raises:
            ComponentFailedError: Not in this use case, broken, or it cannot be carried out.
        """
        self.ledger.settle(turn.now)
        found = super().command(component, command, turn)
        self.changed = True
        return found

    # -- money and valve -------------------------------------------------------------------------

    def credit_changed(self, turn: GbzTurn) -> None:
        """Arm a valve that was closed for want of credit, when there is some again."""
        turn.effects.extend(self.arm_for_credit())

    def arm_for_credit(self) -> list[Effect]:
        """Arm the valve when there is credit again; a person at the valve opens it."""
        if not self.closed_for_credit or not self._has_credit():
            return []
        self.closed_for_credit = False
        if self.device.valve is not SupplyState.OFF:
            return []
        self.device.move_valve(SupplyStatus.OFF_ARMED)
        return [Note("valve", (("state", self.device.valve.value), ("why", "credit")))]

    def close_for_credit(self, now: UtcMs) -> list[Effect]:
        """Close the valve where a prepayment customer has nothing left and no friendly hour."""
        self.ledger.settle(now)
        shown = self.device.local_time(now)
        friendly = read_calendar(self.store, "friendly").value_at(shown) == 1
        if self._has_credit() or self.device.valve is not SupplyState.ON:
            return []
        if friendly:
            return []
        if not self.device.move_valve(SupplyStatus.OFF):
            return [Note("valve_stuck")]
        self.closed_for_credit = True
        return [Note("valve", (("state", self.device.valve.value), ("why", "no credit")))]

    def _has_credit(self) -> bool:
        if not is_prepayment(self.store):
            return True
        parts = self.ledger.account.parts
        enough = parts["credit"] > self.store.number("cut_off_millipence")
        return enough or parts["emergency"] > 0

    # -- values that come into force -------------------------------------------------------------

    def activate(self, one: Pending, now: UtcMs) -> None:
        """Let values come into force; what changes prices or mode is noted."""
        cause = 0
        if one.calendar == "tariff" or any(name.startswith(_TARIFF_STEMS) for name in one.values):
            cause |= NEW_TARIFF
        if "payment_control" in one.values:
            cause |= NEW_MODE
        if cause:
            self.ledger.change(now, cause, lambda: self.take_over(one))
            return
        self.ledger.settle(now)
        self.take_over(one)

    def date_reached(self, now: UtcMs) -> list[Effect]:
        """Carry out what is due, and tell whoever set it."""
        effects: list[Effect] = []
        self.changed = True
        for one in self.due(now):
            if has_lapsed(self.device, one):
                effects += lapse(self.device, one, now)
                continue
            good = all(self.clusters.named[name].where not in self.broken for name in one.values)
            if good:
                self.activate(one, UtcMs(min(now, one.at - self.device.clock_offset_ms)))
            effects += self._tell(one, good=good)
        return [*effects, *self.wait(now)]

    def _tell(self, one: Pending, *, good: bool) -> list[Effect]:
        """Send the outcome of a future-dated command (alert 00CD).

        Source:
            RTDS 4.5.0 GCS02: one for each dated component, at its date.
        """
        code = AlertCode.FUTURE_DATED_SUCCESS if good else AlertCode.FUTURE_DATED_FAILURE
        item = f"{one.cluster:04x} {one.frame_control:02x} {one.command:02x}"
        named = CommandReference(one.code, one.counter, item)
        body = gbz.encode_alert(GbzAlert(code, one.at, alerts.encode_gbz_reference(named)))
        sent: list[Effect] = self.device.alert(
            MessageCode.FUTURE_DATED_GBZ_ALERT, one.originator, lambda _: body
        )
        return sent

    # -- logs ------------------------------------------------------------------------------------

    def _snapshots(self, name: str, now: UtcMs) -> SnapshotLog:
        self.ledger.settle(now)
        return {
            "daily": self.ledger.daily,
            "billing": self.ledger.billing,
            "change": self.ledger.changes,
        }[name]

    def registers_log(self, name: str, now: UtcMs) -> list[Row]:
        """Return a log of registers: what the profile says, then what the meter lived through."""
        published = super().registers_log(name, now)
        lived = enumerate(self._snapshots(name, now), len(published))
        return published + [row_of(one, number)[0] for number, one in lived]

    def accounts_log(self, name: str, now: UtcMs) -> list[Row]:
        """Return a log of accounts, likewise."""
        published = super().accounts_log(name, now)
        lived = enumerate(self._snapshots(name, now), len(published))
        return published + [row_of(one, number)[1] for number, one in lived]

    def table(self, name: str, now: UtcMs) -> list[Row]:
        """Return another log, likewise."""
        published = super().table(name, now)
        if name == "top_ups":
            return [*published, *self.top_ups]
        if name == "debt_payments":
            self.ledger.settle(now)
            paid = self.ledger.payments
            return published + [(to_zigbee_seconds(UtcMs(at)), *rest) for at, *rest in paid]
        log = self.device.event_log if name == "events" else self.device.security_log
        return published + [(to_zigbee_seconds(entry.at), entry.code) for entry in log]

    def series(
        self, name: str, step_s: int, now: UtcMs, since: UtcMs | None = None
    ) -> Series | None:
        """Return samples: what the profile says, then what flowed since.

        Args:
            name: The log.
            step_s: Length of a sample in seconds.
            now: The present moment.
            since: Samples that ended by then are not wanted; None: all of them.
        """
        published = super().series(name, step_s, now)
        step_ms = step_s * 1000
        first, last = self._lived_span(name, step_ms, now)
        if published is not None:
            after = from_zigbee_seconds(published.start_s) + step_ms * len(published.samples)
            joins = first <= after
            first = after
            if not joins:
                return published
        elif since is not None:
            first = max(first, (since // step_ms + 1) * step_ms)
        lived = tuple(
            [
                self.ledger.flowed_dm3(UtcMs(end - step_ms), UtcMs(end))
                for end in range(first, last + 1, step_ms)
            ]
        )
        if published is not None:
            return Series(published.start_s, step_s, published.samples + lived)
        return Series(to_zigbee_seconds(UtcMs(first)), step_s, lived) if lived else None

    def _lived_span(self, name: str, step_ms: int, now: UtcMs) -> tuple[int, int]:
        """Return the first and the last end of a sample that the meter lived through."""
        base = self.ledger.base_at
        since = self.consumption.start if base is None else base
        if name == "network":
            began = self.store.find("network_sampling_from")
            if not isinstance(began, int):
                return now + 1, now
            start = from_zigbee_seconds(began)
            most = self.store.number("network_samples_most")
            return start + step_ms, min(now, start + most * step_ms)
        days = _PROFILE_DAYS if step_ms == _HALF_HOUR_S * 1000 else _DAILY_DAYS
        earliest = max(since, now - days * DAY_MS)
        return (earliest // step_ms + 1) * step_ms, now

    # -- dump and load ---------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            **super().dump(),
            "top_ups": [{"code": c, "amount": a, "at": at} for c, a, at in self.top_ups],
            "tokens": [*self.tokens.kept],
            "closed_for_credit": self.closed_for_credit,
            "changed": self.changed,
            "ledger": None if self._ledger is None else self._ledger.dump(),
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state; the device's consumption is loaded before."""
        super().load(saved)
        self.top_ups = [
            (row.text("code"), row.number("amount"), row.number("at"))
            for row in saved.rows("top_ups")
        ]
        self.tokens = TokenMemory(saved.number_list("tokens"))
        self.closed_for_credit = saved.flag("closed_for_credit")
        self.changed = saved.flag("changed")
        ledger = saved.optional_part("ledger")
        self._ledger = None
        if ledger is not None:
            self.ledger.load(ledger)
