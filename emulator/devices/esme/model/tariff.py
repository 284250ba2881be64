"""Which register counts, and at what price, at any moment: the tariff read from its objects."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import UtcMs, from_datetime, to_datetime
from emulator.devices.calendars import DayTables, PartialDate, partial_date
from emulator.devices.esme.model.store import Store

BLOCKS: Final = 4
BLOCK_TOUS: Final = 8
TOUS: Final = 48
SECOND_TOUS: Final = 4
#: First selector of each kind of register. Source: inferred from RTDS 4.5.0 ECS24 (days of 101
#: and 102 beside block thresholds of TOU 1 and 2, a day of 1 beside a price of TOU 1) and ECS24b.
FIRST_TOU: Final = 1
FIRST_BLOCK: Final = 101
FIRST_SECOND: Final = 201
_YEAR_UNSAID: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Switch:
    """One change of register.

    Attributes:
        at: When.
        selector: Script that says which register counts from then on.
    """

    at: UtcMs
    selector: int


@dataclass(frozen=True)
class Tariff(DayTables[bytes, bytes]):
    """One tariff: calendar and prices. Dates are of five octets, what counts is a selector.

    Attributes:
        prices: Price of each register, in the scale of ``price_scale``.
        price_scale: Power of ten of a price, in pounds or euros.
        commodity_scale: Power of ten of what a price is for: 3 is a kWh.
        standing_charge: Price of a day, in the same scale.
    """

    prices: tuple[int, ...]
    price_scale: int
    commodity_scale: int
    standing_charge: int

    def switches(self, day: date) -> tuple[Switch, ...]:
        """Return the changes of register of a day, in order; empty where no table covers it."""
        start = from_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC))
        rows = self.switches_on(day)
        return tuple([Switch(UtcMs(start + at), selector) for at, selector in rows])

    def read_date(self, said: bytes) -> PartialDate:
        """Return a date of five octets as it is meant."""
        year = int.from_bytes(said[:2], "big")
        return partial_date(None if year == _YEAR_UNSAID else year, said[2], said[3])

    def week_without_season(self) -> bytes:
        """Return the week without a name."""
        return b""

    def price_of(self, selector: int, block: int = 0) -> int:
        """Return the price of a register; 0 where the table has none."""
        if FIRST_TOU <= selector < FIRST_TOU + TOUS:
            place = selector - FIRST_TOU
        elif is_block(selector):
            place = TOUS + block * BLOCK_TOUS + selector - FIRST_BLOCK
        else:
            place = selector - FIRST_SECOND
        return self.prices[place] if 0 <= place < len(self.prices) else 0


def is_block(selector: int) -> bool:
    """Say whether a selector is of a TOU whose price goes by blocks."""
    return FIRST_BLOCK <= selector < FIRST_BLOCK + BLOCK_TOUS


def read_tariff(store: Store, prefix: str = "tariff", prices: str = "price_matrix") -> Tariff:
    """Return the tariff that the active objects describe."""
    charge, standing = _table(store, prices), _table(store, "standing_charge")
    scales = _items(charge[0]) if charge else ()
    return Tariff(
        tuple([(_octets(row[1]), _octets(row[2])) for row in _rows(store, f"{prefix}_seasons")]),
        {
            _octets(row[0]): tuple([_number(day) for day in row[1:]])
            for row in _rows(store, f"{prefix}_weeks")
        },
        tuple(
            [(_octets(row[1]), _number(row[2])) for row in _rows(store, f"{prefix}_special_days")]
        ),
        {_number(row[0]): _switch_rows(row[1]) for row in _rows(store, f"{prefix}_days")},
        _prices(charge),
        _number(scales[1]) if scales else 0,
        _number(scales[0]) if scales else 0,
        (_prices(standing) or (0,))[0],
    )


def _switch_rows(data: Data) -> tuple[tuple[int, int], ...]:
    rows = []
    for row in _items(data):
        at, _, selector = _items(row)
        hour, minute, second, _ = _octets(at)
        if hour < 24 and minute < 60 and second < 60:
            rows.append(((hour * 3600 + minute * 60 + second) * 1000, _number(selector)))
    return tuple(sorted(rows))


def day_of(at: UtcMs) -> date:
    """Return the day (UTC) of a moment."""
    return to_datetime(at).date()


def _rows(store: Store, name: str) -> list[tuple[Data, ...]]:
    found = store.find(name)
    return [] if found is None else [_items(row) for row in _items(found)]


def _table(store: Store, name: str) -> tuple[Data, ...]:
    found = store.find(name)
    return () if found is None else _items(found)


def _prices(charge: tuple[Data, ...]) -> tuple[int, ...]:
    return tuple([_number(_items(row)[1]) for row in _items(charge[2])]) if charge else ()


def _items(data: Data) -> tuple[Data, ...]:
    return data.value if isinstance(data.value, tuple) else ()


def _octets(data: Data) -> bytes:
    return data.value if isinstance(data.value, bytes) else b""


def _number(data: Data) -> int:
    return data.value if isinstance(data.value, int) else 0
