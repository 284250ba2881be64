"""Where consumed energy went: tariff registers, account, and what was noted at each date.

Settled forward when somebody asks: from switch to switch of the tariff, so a year costs some
thousand steps and an ESME that nobody asks costs nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import UtcMs, to_datetime
from emulator.devices.consumption import DAY_MS, Consumption, Kind
from emulator.devices.esme.model.account import Account
from emulator.devices.esme.model.store import Store
from emulator.devices.esme.model.tariff import (
    BLOCK_TOUS,
    BLOCKS,
    FIRST_BLOCK,
    FIRST_TOU,
    TOUS,
    Switch,
    Tariff,
    day_of,
    is_block,
    read_tariff,
)
from emulator.devices.saved import Saved, State

#: Rows kept. Source: known (SMETS2: 31 daily reads, 12 billing entries, 12 changes of tariff).
DAILY_ROWS: Final = 31
BILLING_ROWS: Final = 12
CHANGE_ROWS: Final = 12
#: Names of the tariff's values; setting one of them begins a new tariff.
TARIFF_NAMES: Final = frozenset(
    {
        *(f"{tariff}_{part}" for tariff in ("tariff", "second_tariff")
          for part in ("seasons", "weeks", "days", "special_days")),
        *(f"tariff_thresholds_{n}_wh" for n in range(1, BLOCK_TOUS + 1)),
        "price_matrix", "second_price_matrix", "standing_charge",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Registers and account at a moment.

    Attributes:
        at: When.
        import_wh: Active import register.
        export_wh: Active export register.
        tou: Tariff registers that are not zero, by place.
        block: Block counters that are not zero, by place.
        account: Balance, emergency credit, three debts, their sum, in thousandths of a penny.
    """

    at: UtcMs
    import_wh: int
    export_wh: int
    tou: dict[int, int]
    block: dict[int, int]
    account: tuple[int, ...]


class Ledger:
    """Tariff registers, account and snapshots of one meter, up to ``settled_at``.

    Attributes:
        settled_at: Everything up to here is counted.
        tou: Wh by place of the 48 registers; only those that are not zero.
        block: Wh by place of the 4 x 8 block counters, likewise.
        account: Balance and debts.
        daily: Snapshots at the last midnights, oldest first.
        billing: Snapshots at the last dates of the billing calendar.
        changes: Snapshots at the last changes of tariff or payment mode.
        paid_off: Debts that were paid off and are not told of yet.
    """

    def __init__(self, store: Store, consumption: Consumption) -> None:
        self._store, self._consumption = store, consumption
        self._tariff: Tariff | None = None
        self.base_at = values_at(store)
        self.settled_at = consumption.start if self.base_at is None else self.base_at
        self.tou = _sparse(store.numbers("tou_wh", TOUS))
        self.block = _sparse(store.numbers("block_wh", BLOCKS * BLOCK_TOUS))
        self.account = Account.of(store)
        self.daily: list[Snapshot] = []
        self.billing: list[Snapshot] = []
        self.changes: list[Snapshot] = []
        self.paid_off: list[str] = []

    # -- registers ---------------------------------------------------------------------------

    def register(self, kind: Kind, published: str, at: UtcMs) -> int:
        """Return a whole register: what the profile says it showed, and what flowed since."""
        flowed = self._consumption.energy_wh(kind, at)
        if self.base_at is None:
            return flowed
        return (
            self._store.number(published) + flowed - self._consumption.energy_wh(kind, self.base_at)
        )

    def import_wh(self, at: UtcMs) -> int:
        """Return the active import register."""
        return self.register(Kind.IMPORT, "active_import_wh", at)

    def export_wh(self, at: UtcMs) -> int:
        """Return the active export register."""
        return self.register(Kind.EXPORT, "active_export_wh", at)

    def selector(self, at: UtcMs) -> int:
        """Return the script of the register that counts at a moment; 0 where none does."""
        tariff, day = self.tariff, day_of(at)
        past = [s for s in tariff.switches(day) if s.at <= at]
        if not past:
            past = [*tariff.switches(day_of(UtcMs(at - DAY_MS)))]
        return past[-1].selector if past else 0

    def price(self, at: UtcMs) -> int:
        """Return the price that counts at a moment."""
        selector = self.selector(at)
        return self.tariff.price_of(selector, self._block_now(selector))

    @property
    def tariff(self) -> Tariff:
        """The tariff as it is."""
        if self._tariff is None:
            self._tariff = read_tariff(self._store)
        return self._tariff

    # -- settling ----------------------------------------------------------------------------

    def settle(self, now: UtcMs) -> None:
        """Count everything up to now."""
        while self.settled_at < now:
            day_start = UtcMs(self.settled_at - self.settled_at % DAY_MS)
            midnight = UtcMs(day_start + DAY_MS)
            switches = self.tariff.switches(day_of(day_start))
            edges = {s.at for s in switches} | set(self._dates(day_start)) | {midnight}
            for edge in sorted(edges):
                if self.settled_at < edge and self.settled_at < now:
                    self._count(UtcMs(min(edge, now)), switches)
                    if self.settled_at == edge:
                        self._note()

    def _count(self, until: UtcMs, switches: tuple[Switch, ...]) -> None:
        since, self.settled_at = self.settled_at, until
        energy = self._consumption.energy_wh(Kind.IMPORT, until)
        energy -= self._consumption.energy_wh(Kind.IMPORT, since)
        past = [s.selector for s in switches if s.at <= since]
        selector = past[-1] if past else self.selector(since)
        if not energy or not selector:
            return
        block = self._block_now(selector)
        if is_block(selector):
            _add(self.block, block * BLOCK_TOUS + selector - FIRST_BLOCK, energy)
        elif FIRST_TOU <= selector < FIRST_TOU + TOUS:
            _add(self.tou, selector - FIRST_TOU, energy)
        tariff = self.tariff
        scale = 5 + tariff.price_scale  # to thousandths of a penny, 10^-5 pounds
        cost = energy * tariff.price_of(selector, block)
        self.account.charge(cost, tariff.commodity_scale - scale, self._store)

    def _block_now(self, selector: int) -> int:
        """Return the block (0 to 3) that a block selector counts in."""
        if not is_block(selector):
            return 0
        tou = selector - FIRST_BLOCK
        limits = self._store.numbers(f"tariff_thresholds_{tou + 1}_wh", 0)
        used = sum(self.block.get(b * BLOCK_TOUS + tou, 0) for b in range(BLOCKS))
        return min(sum(used >= limit for limit in limits), BLOCKS - 1)

    def _note(self) -> None:
        """Keep snapshots of the moment that was reached, and charge what a day costs."""
        at = self.settled_at
        day_start = UtcMs(at - at % DAY_MS)
        if at == day_start:
            self.paid_off += self.account.end_day(self._store, self.tariff.standing_charge)
            self._keep(self.daily, DAILY_ROWS)
        if at in self._calendar("billing_calendar", day_start):
            self._keep(self.billing, BILLING_ROWS)
        if at in self._calendar("block_reset_calendar", day_start):
            self.block.clear()

    def _dates(self, day_start: UtcMs) -> list[UtcMs]:
        return self._calendar("billing_calendar", day_start) + self._calendar(
            "block_reset_calendar", day_start
        )

    def _calendar(self, name: str, day_start: UtcMs) -> list[UtcMs]:
        return calendar_dates(self._store, name, day_start)

    def _keep(self, rows: list[Snapshot], most: int) -> None:
        rows.append(self.snapshot(self.settled_at))
        del rows[:-most]

    def snapshot(self, at: UtcMs) -> Snapshot:
        """Return registers and account as they are settled, with the whole registers at ``at``."""
        return Snapshot(
            at,
            self.import_wh(at),
            self.export_wh(at),
            dict(self.tou),
            dict(self.block),
            self.account.shown(),
        )

    def change_tariff(self, now: UtcMs, change: Callable[[], None]) -> None:
        """Settle under the old tariff, note it, and begin the new one."""
        self.settle(now)
        if not self.changes or self.changes[-1].at != now:
            self._keep(self.changes, CHANGE_ROWS)
        change()
        self._tariff = None

    # -- dump and load -----------------------------------------------------------------------

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "settled_at": self.settled_at,
            "tou": _text_keys(self.tou),
            "block": _text_keys(self.block),
            "account": self.account.dump(),
            "daily": [_dump_snapshot(one) for one in self.daily],
            "billing": [_dump_snapshot(one) for one in self.billing],
            "changes": [_dump_snapshot(one) for one in self.changes],
            "paid_off": [*self.paid_off],
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.settled_at = saved.moment("settled_at")
        self.tou = _number_keys(saved, "tou")
        self.block = _number_keys(saved, "block")
        self.account.load(saved.part("account"))
        self.daily = [_load_snapshot(row) for row in saved.rows("daily")]
        self.billing = [_load_snapshot(row) for row in saved.rows("billing")]
        self.changes = [_load_snapshot(row) for row in saved.rows("changes")]
        self.paid_off = saved.texts("paid_off")
        self._tariff = None


def values_at(store: Store) -> UtcMs | None:
    """Return when the registers stood as the profile says; None where it says nothing."""
    found = store.find("values_at")
    if found is None or not isinstance(found.value, int):
        return None
    return UtcMs((found.value + 946_684_800) * 1000)


def calendar_dates(store: Store, name: str, day_start: UtcMs) -> list[UtcMs]:
    """Return the moments of a day that a calendar of executions names."""
    found = store.find(name)
    rows = found.value if found is not None and isinstance(found.value, tuple) else ()
    return [at for row in rows for at in _execution(row, day_start)]


def _execution(row: Data, day_start: UtcMs) -> list[UtcMs]:
    at, on = row.value if isinstance(row.value, tuple) else (None, None)
    if (
        at is None
        or on is None
        or not isinstance(at.value, bytes)
        or not isinstance(on.value, bytes)
    ):
        return []
    when = to_datetime(day_start)
    said = (int.from_bytes(on.value[:2], "big"), on.value[2], on.value[3], on.value[4])
    unsaid, actual = (
        (0xFFFF, 0xFF, 0xFF, 0xFF),
        (when.year, when.month, when.day, when.isoweekday()),
    )
    fits = all(s in (none, a) for s, none, a in zip(said, unsaid, actual, strict=True))
    hour, minute, second, _ = at.value
    if not fits or hour > 23 or minute > 59 or second > 59:
        return []
    return [UtcMs(day_start + (hour * 3600 + minute * 60 + second) * 1000)]


def _add(registers: dict[int, int], place: int, energy_wh: int) -> None:
    registers[place] = registers.get(place, 0) + energy_wh


def _sparse(numbers: list[int]) -> dict[int, int]:
    return {place: number for place, number in enumerate(numbers) if number}


def _text_keys(numbers: dict[int, int]) -> State:
    return {str(place): number for place, number in numbers.items()}


def _number_keys(saved: Saved, name: str) -> dict[int, int]:
    return {int(place): number for place, number in saved.numbers(name).items()}


def _dump_snapshot(one: Snapshot) -> State:
    return {
        "at": one.at,
        "import_wh": one.import_wh,
        "export_wh": one.export_wh,
        "tou": _text_keys(one.tou),
        "block": _text_keys(one.block),
        "account": [*one.account],
    }


def _load_snapshot(saved: Saved) -> Snapshot:
    return Snapshot(
        saved.moment("at"),
        saved.number("import_wh"),
        saved.number("export_wh"),
        _number_keys(saved, "tou"),
        _number_keys(saved, "block"),
        tuple(saved.number_list("account")),
    )
