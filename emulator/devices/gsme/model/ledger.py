"""Where consumed gas went: registers of tiers and blocks, account, and what each date noted.

Settled forward when somebody asks: from switch to switch of the tariff, so a month costs some
hundred steps and a meter that nobody asks costs nothing.
"""

from collections.abc import Callable
from typing import Final

from emulator.core.clock import UtcMs, from_zigbee_seconds, to_zigbee_seconds
from emulator.devices.consumption import DAY_MS, Consumption, Kind
from emulator.devices.gsme.model import periods
from emulator.devices.gsme.model.account import DEBTS, Account
from emulator.devices.gsme.model.calendar import Calendar, read_calendar
from emulator.devices.gsme.model.snapshot_log import BLOCKS, TIERS, Snapshot, SnapshotLog
from emulator.devices.gsme.model.store import Store
from emulator.devices.saved import Saved, State

#: Rows kept. Source: known (SMETS2: 31 daily reads, 12 billing entries, 10 payments of debt).
DAILY_ROWS: Final = 31
BILLING_ROWS: Final = 12
CHANGE_ROWS: Final = 12
PAYMENT_ROWS: Final = 10
#: Bits of a snapshot's causes. Source: RTDS GCS15b, GCS15c, GCS16a (1, 2, 8, 2000 hex).
GENERAL: Final = 1 << 0
END_OF_PERIOD: Final = 1 << 1
NEW_TARIFF: Final = 1 << 3
NEW_MODE: Final = 1 << 13
#: Instalments in a day of debts recovered by the hour.
_HOURS: Final = 24
#: 10^-5 pounds is a thousandth of a penny.
_MILLIPENCE_DIGITS: Final = 5


class Ledger:
    """Registers, account and logs of one meter, up to ``settled_at``.

    Attributes:
        base_at: When registers stood as the profile says; None: at 0 when consumption began.
        settled_at: Everything up to here is counted.
        tiers: dm3 of each tier.
        blocks: dm3 of each block of the present block period.
        account: Credit and debts.
        daily: Snapshots at the last midnights, oldest first.
        billing: Snapshots at the last ends of billing periods.
        changes: Snapshots at the last changes of tariff or payment mode.
        payments: (when in ms, amount, debt from 0, what is left) of the last payments of debt.
        recovered: Thousandths of a penny recovered since Monday.
    """

    def __init__(self, store: Store, consumption: Consumption) -> None:
        self._store, self._flow = store, consumption
        self._calendar: Calendar | None = None
        at = store.find("values_at")
        self.base_at = from_zigbee_seconds(at) if isinstance(at, int) else None
        self.settled_at = consumption.start if self.base_at is None else self.base_at
        self.tiers = [store.number(f"tier_{n}_dm3") for n in range(1, TIERS + 1)]
        self.blocks = [store.number(f"block_{n}_dm3") for n in range(1, BLOCKS + 1)]
        self.account = Account(store)
        self.daily = SnapshotLog(DAILY_ROWS)
        self.billing = SnapshotLog(BILLING_ROWS)
        self.changes = SnapshotLog(CHANGE_ROWS)
        self.payments: list[tuple[int, int, int, int]] = []
        self.recovered = 0

    # -- registers ---------------------------------------------------------------------------

    def register_dm3(self, at: UtcMs) -> int:
        """Return the whole register: what the profile says it showed, and what flowed since."""
        since = self._flow.start if self.base_at is None else self.base_at
        return self._store.number("register_dm3") + self.flowed_dm3(since, at)

    def flowed_dm3(self, since: UtcMs, until: UtcMs) -> int:
        """Return what flowed between two moments; 0 where the second is not later."""
        if until <= since:
            return 0
        return self._flow.energy_wh(Kind.GAS, until) - self._flow.energy_wh(Kind.GAS, since)

    @property
    def calendar(self) -> Calendar:
        """The tariff's calendar as it is."""
        if self._calendar is None:
            self._calendar = read_calendar(self._store, "tariff")
        return self._calendar

    @property
    def by_blocks(self) -> bool:
        """Whether blocks count, and not tiers."""
        return self._store.number("tariff_scheme") >> 4 == 1

    def tier_at(self, at: UtcMs) -> int | None:
        """Return the tier (from 1) that counts at a moment; None where no calendar says one."""
        tier = self.calendar.value_at(at)
        return tier if tier is not None and 1 <= tier <= TIERS else None

    def block_now(self) -> int:
        """Return the block (from 0) that counts."""
        used = sum(self.blocks)
        return min(sum(used >= limit for limit in self._limits()), BLOCKS - 1)

    def _limits(self) -> list[int]:
        """Return where blocks end, in dm3 of the block period."""
        store = self._store
        most = min(store.number("thresholds_in_use"), BLOCKS - 1)
        limits = []
        for number in range(1, most + 1):
            scaled = store.number(f"block_threshold_{number}") * store.number(
                "threshold_multiplier", 1
            )
            limits.append(scaled * 1000 // max(store.number("threshold_divisor", 1), 1))
        if store.number("tariff_unit") == 0:  # kWh, here in Wh
            limits = [periods.dm3_of(store, wh) for wh in limits]
        return limits

    def price(self, at: UtcMs) -> int | None:
        """Return the price that counts at a moment; None where there is none."""
        if self.by_blocks:
            return self._store.number(f"block_price_{self.block_now() + 1}")
        tier = self.tier_at(at)
        return None if tier is None else self._store.number(f"tier_price_{tier}")

    # -- settling ----------------------------------------------------------------------------

    def settle(self, now: UtcMs) -> None:
        """Count everything up to now."""
        while self.settled_at < now:
            day_start = UtcMs(self.settled_at - self.settled_at % DAY_MS)
            edges = {at for at, _ in self.calendar.switches(day_start)}
            edges |= {UtcMs(day_start + DAY_MS)}
            for name in ("billing", "block"):
                edges |= set(periods.ends(self._store, name, day_start))
            for edge in sorted(edges):
                if self.settled_at < edge and self.settled_at < now:
                    self._count(UtcMs(min(edge, now)))
                    if self.settled_at == edge:
                        self._note()

    def _count(self, until: UtcMs) -> None:
        since, self.settled_at = self.settled_at, until
        volume = self.flowed_dm3(since, until)
        if not volume:
            return
        if self.by_blocks:
            self._count_blocks(volume)
            return
        tier = self.tier_at(since) or 1
        self.tiers[tier - 1] += volume
        self._charge(volume, self._store.number(f"tier_price_{tier}"))

    def _count_blocks(self, volume: int) -> None:
        limits = self._limits()
        while volume:
            used = sum(self.blocks)
            block = min(sum(used >= limit for limit in limits), BLOCKS - 1)
            room = limits[block] - used if block < len(limits) else volume
            part = min(volume, room)
            self.blocks[block] += part
            self._charge(part, self._store.number(f"block_price_{block + 1}"))
            volume -= part

    def _charge(self, volume_dm3: int, price: int) -> None:
        micro_wh = periods.micro_wh_of(self._store, volume_dm3)
        digits = self._store.number("price_digits") >> 4
        scale = 10 ** (_MILLIPENCE_DIGITS - digits) if digits <= _MILLIPENCE_DIGITS else 1
        over = 1 if digits <= _MILLIPENCE_DIGITS else 10 ** (digits - _MILLIPENCE_DIGITS)
        self.account.consume(self._store, micro_wh * price * scale // over)

    def _note(self) -> None:
        """Do what belongs to the moment that was reached."""
        at = self.settled_at
        day_start = UtcMs(at - at % DAY_MS)
        if at == day_start:
            self.account.charge(self._store, self._store.number("standing_charge_millipence"))
            self._recover(at)
            self.daily.enter(self.snapshot(GENERAL))
        if at in periods.ends(self._store, "billing", day_start):
            self.billing.enter(self.snapshot(END_OF_PERIOD))
            self.account.put("bill", 0)
        if at in periods.ends(self._store, "block", day_start):
            self.blocks = [0] * BLOCKS

    def _recover(self, at: UtcMs) -> None:
        """Recover debts that are due by the day."""
        if not periods.collects(self._store):
            return
        if periods.is_due(2, at):
            self.recovered = 0
        for number in (1, 2):
            frequency = self._store.number(f"debt_{number}_frequency")
            amount = self._store.number(f"debt_{number}_recovery_millipence")
            if frequency == 0:
                amount *= _HOURS
            elif not periods.is_due(frequency, at):
                continue
            self.pay(number - 1, amount, at)

    def pay(self, debt: int, amount: int, at: UtcMs) -> int:
        """Recover an amount of a debt within the week's cap, and enter it into the log."""
        room = max(self._store.number("debt_cap_millipence") - self.recovered, 0)
        taken = self.account.recover(DEBTS[debt], min(amount, room))
        if taken:
            self.recovered += taken
            self.payments.append((at, taken, debt, self.account.parts[DEBTS[debt]]))
            del self.payments[:-PAYMENT_ROWS]
        return taken

    # -- snapshots ---------------------------------------------------------------------------

    def snapshot(self, cause: int) -> Snapshot:
        """Return registers and account as they are settled."""
        return Snapshot(
            self.settled_at,
            cause,
            self.register_dm3(self.settled_at),
            tuple(self.tiers),
            tuple(self.blocks),
            self.account.shown(),
        )

    def change(self, now: UtcMs, cause: int, apply: Callable[[], None]) -> None:
        """Settle under the old tariff or mode, note it, and begin the new one."""
        self.settle(now)
        if self.changes and self.changes[-1].at == self.settled_at:
            cause |= self.changes.take_last().cause
        self.changes.enter(self.snapshot(cause))
        apply()
        self._calendar = None

    # -- dump and load -----------------------------------------------------------------------

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "settled_at": self.settled_at,
            "tiers": [*self.tiers],
            "blocks": [*self.blocks],
            "account": self.account.dump(),
            "daily": [_dumped(one) for one in self.daily],
            "billing": [_dumped(one) for one in self.billing],
            "changes": [_dumped(one) for one in self.changes],
            "payments": [_payment(one) for one in self.payments],
            "recovered": self.recovered,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.settled_at = saved.moment("settled_at")
        self.tiers = saved.number_list("tiers")
        self.blocks = saved.number_list("blocks")
        self.account.load(saved.part("account"))
        self.daily = SnapshotLog(DAILY_ROWS, map(_loaded, saved.rows("daily")))
        self.billing = SnapshotLog(BILLING_ROWS, map(_loaded, saved.rows("billing")))
        self.changes = SnapshotLog(CHANGE_ROWS, map(_loaded, saved.rows("changes")))
        self.payments = [_paid(row) for row in saved.rows("payments")]
        self.recovered = saved.number("recovered")
        self._calendar = None


def row_of(one: Snapshot, number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return a snapshot as rows of the logs of registers and of accounts."""
    head = (number, to_zigbee_seconds(one.at), one.cause)
    return (*head, one.register_dm3, *one.tiers, *one.blocks), (*head, *one.account)


def _dumped(one: Snapshot) -> State:
    return {
        "at": one.at,
        "cause": one.cause,
        "register_dm3": one.register_dm3,
        "tiers": [*one.tiers],
        "blocks": [*one.blocks],
        "account": [*one.account],
    }


def _loaded(saved: Saved) -> Snapshot:
    return Snapshot(
        saved.moment("at"),
        saved.number("cause"),
        saved.number("register_dm3"),
        tuple(saved.number_list("tiers")),
        tuple(saved.number_list("blocks")),
        tuple(saved.number_list("account")),
    )


def _payment(one: tuple[int, int, int, int]) -> State:
    at, amount, debt, left = one
    return {"at": at, "amount": amount, "debt": debt, "left": left}


def _paid(saved: Saved) -> tuple[int, int, int, int]:
    at, amount = saved.number("at"), saved.number("amount")
    return at, amount, saved.number("debt"), saved.number("left")
