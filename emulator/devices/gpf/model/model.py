"""A GPF's clusters: what its gas meter sent, and what it overheard the meter being told."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from device_profiles.gbcs_clusters import ClusterRow
from emulator.codecs.gbcs.gbz import GbzComponent
from emulator.codecs.zcl import basic, metering
from emulator.codecs.zcl.account import PublishPrepaySnapshot
from emulator.codecs.zcl.cluster import Command
from emulator.codecs.zcl.foundation import AttributeValue
from emulator.codecs.zcl.price import GetCurrentPrice
from emulator.codecs.zcl.snapshots import GetSampledDataResponse, PublishSnapshot
from emulator.core.clock import UtcMs
from emulator.devices.credentials.holders import roles_of
from emulator.devices.gbz_engine import GbzTurn, NotThereError
from emulator.devices.gsme.model.calendar import read_calendar
from emulator.devices.gsme.model.clusters import ClusterModel, Series, Work
from emulator.devices.gsme.model.kept_fields import KEPT_FIELDS
from emulator.devices.gsme.model.ledger import (
    BILLING_ROWS,
    CHANGE_ROWS,
    DAILY_ROWS,
    END_OF_PERIOD,
    GENERAL,
)
from emulator.devices.gsme.model.reads import READS, price_told
from emulator.devices.gsme.model.settings import SETTINGS
from emulator.devices.gsme.model.snapshot_log import TIERS
from emulator.devices.gsme.model.store import Row, Store, gas_clusters, made_of
from emulator.devices.gsme.model.types import Value, kind_of
from emulator.devices.gsme.model.writes import WRITES

if TYPE_CHECKING:
    from emulator.devices.gpf.gpf import Gpf

#: Half hours kept. Source: known (SMETS2: 13 months).
_MOST_HALF_HOURS: Final = 48 * 396
_DAY_S: Final = 86_400
_HALF_HOUR_S: Final = 1800
_LOG_LENGTHS: Final = {"daily": DAILY_ROWS, "billing": BILLING_ROWS, "change": CHANGE_ROWS}


def get_price(
    model: "GpfModel", _component: GbzComponent, _asked: GetCurrentPrice, turn: GbzTurn
) -> list[Command]:
    """Publish the price of the tier that counts now, by the calendar overheard."""
    shown = model.device.local_time(turn.now)
    calendar = read_calendar(model.store, "tariff")
    tier = calendar.value_at(shown)
    price = model.store.find(f"tier_price_{tier}") if tier else None
    if tier is None or not isinstance(price, int):
        raise NotThereError
    number = model.store.number
    found = (tier, price, calendar.next_switch(shown))
    return [
        price_told(model, found, shown, number("tariff_unit"), number("tiers_in_use", TIERS)),
    ]


_WORKS: Final[Mapping[str, Work]] = {
    **READS, **KEPT_FIELDS, **WRITES, **SETTINGS, "get-price": get_price,
}  # fmt: skip


class GpfModel(ClusterModel):
    """The clusters of one GPF. It invents nothing: what nobody told it is not found."""

    __slots__ = ()

    def __init__(self, device: "Gpf") -> None:
        super().__init__(device, Store(_published(device.profile.attributes), {}))

    @property
    def works(self) -> Mapping[str, Work]:
        """Binding word -> what carries a command out."""
        return _WORKS

    @property
    def most_dated(self) -> int:
        """As many as it overhears: how many there are is for the meter to judge."""
        return sys.maxsize

    def attribute(self, row: ClusterRow, now: UtcMs) -> AttributeValue | None:
        """Return an attribute: its own identity, what the meter reported, what it overheard."""
        if row.cluster == basic.CLUSTER:
            return dict(self.device.attributes(basic.CLUSTER, now)).get(row.number)
        if row.cluster == metering.CLUSTER and row.number in self.device.mirror:
            reported: AttributeValue = self.device.mirror[row.number]
            return reported
        return super().attribute(row, now)

    # -- what the meter sends --------------------------------------------------------------------

    def report(self, cluster: int, values: tuple[tuple[int, AttributeValue], ...]) -> None:
        """Keep reported attributes of another cluster than Metering."""
        for number, value in values:
            row = gas_clusters().members.get((cluster, "a", number))
            if row is not None and isinstance(value.value, int | bytes) and _is_of(row, value):
                self.store.put(row.name, value.value)

    def publish(self, command: Any) -> None:
        """Keep a row of a log."""
        if isinstance(command, PublishSnapshot):
            head = (command.snapshot_id, command.at_s, command.cause)
            row: Row = (*head, command.register, *command.tiers, *command.blocks)
            self._enter("registers", command.cause, row)
        elif isinstance(command, PublishPrepaySnapshot):
            head = (command.snapshot_id, command.at_s, command.cause)
            debts = (command.accumulated_debt, *command.debts)
            self._enter(
                "accounts",
                command.cause,
                (*head, *debts, command.emergency_credit, command.credit),
            )
        elif isinstance(command, GetSampledDataResponse) and command.interval_s == _HALF_HOUR_S:
            self._samples(command)

    def _enter(self, kind: str, cause: int, row: Row) -> None:
        name = "daily" if cause & GENERAL else "billing" if cause & END_OF_PERIOD else "change"
        held = [each for each in self.store.rows(f"{name}_{kind}") if each[1] != row[1]]
        self.store.put(f"{name}_{kind}", tuple([*held, row][-_LOG_LENGTHS[name] :]))

    def _samples(self, command: GetSampledDataResponse) -> None:
        """Append half hours; those that do not follow on what is held begin the log anew."""
        held, start = self.store.rows("profile_samples_dm3"), self.store.find("profile_samples_at")
        end = start + len(held) * _HALF_HOUR_S if isinstance(start, int) else None
        if end == command.start_s and isinstance(start, int):
            samples = (*held, *command.samples)
            gone = max(0, len(samples) - _MOST_HALF_HOURS)
            start, samples = start + gone * _HALF_HOUR_S, samples[gone:]
        else:
            start, samples = command.start_s, command.samples
        self.store.put("profile_samples_at", start)
        self.store.put("profile_samples_dm3", tuple(samples))

    def series(self, name: str, step_s: int, now: UtcMs) -> Series | None:
        """Return samples; those of days are sums of half hours where no others are held."""
        found = super().series(name, step_s, now)
        halves = super().series("profile", _HALF_HOUR_S, now) if name == "daily" else None
        if found is not None or halves is None:
            return found
        first = -(-(halves.start_s + _DAY_S - _HALF_HOUR_S) // _DAY_S) * _DAY_S
        days = []
        for end in range(first, halves.start_s + len(halves.samples) * _HALF_HOUR_S, _DAY_S):
            last = (end - halves.start_s) // _HALF_HOUR_S + 1
            days.append(sum(halves.samples[max(0, last - 48) : last]))
        return Series(first, _DAY_S, tuple(days)) if days else None

    # -- what it overhears -----------------------------------------------------------------------

    def date_reached(self, now: UtcMs) -> None:
        """Let values come into force that are due; the meter itself tells whoever set them.

        Of a party that has no role here any more nothing comes into force (inferred, as the meter).
        """
        for one in self.due(now):
            if roles_of(self.device, one.originator):
                self.activate(one, now)


def _published(attributes: Mapping[str, Any]) -> dict[str, Value]:
    named = gas_clusters().named
    return {name: made_of(name, plain) for name, plain in attributes.items() if name in named}


def _is_of(row: ClusterRow, value: AttributeValue) -> bool:
    return kind_of(row.type).zcl is value.type
