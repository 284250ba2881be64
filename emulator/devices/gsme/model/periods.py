"""Ends of billing and block periods, days on which debts are due, and energy in a volume."""

from datetime import UTC, date, datetime
from typing import Final

from emulator.core.clock import UtcMs, from_zigbee_seconds, to_datetime
from emulator.devices.consumption import DAY_MS
from emulator.devices.gsme.model.account import is_prepayment
from emulator.devices.gsme.model.store import Store

_MINUTE_MS: Final = 60_000
#: Unit of a period in the low nibble of its duration type. Source: known (Smart Energy 1.2).
_MINUTES, _DAYS, _WEEKS, _MONTHS = range(4)
#: How often a debt is recovered. Source: known (Smart Energy 1.2).
_DAY, _WEEK, _MONTH, _QUARTER = range(1, 5)
#: MJ of a kWh, ten times; and how many millionths a Wh has.
_TENTHS_OF_MJ: Final = 36
_MICRO: Final = 10**6


def ends(store: Store, name: str, day_start: UtcMs) -> list[UtcMs]:
    """Return the moments of a day at which a ``billing`` or ``block`` period ends.

    A duration of 0 never ends.
    """
    start = from_zigbee_seconds(store.number(f"{name}_start"))
    duration, unit = store.number(f"{name}_duration"), store.number(f"{name}_duration_type") & 0xF
    if not duration or day_start + DAY_MS <= start:
        return []
    if unit == _MONTHS:
        return _month_end(start, duration, day_start)
    step = duration * {_MINUTES: _MINUTE_MS, _DAYS: DAY_MS, _WEEKS: 7 * DAY_MS}.get(unit, DAY_MS)
    first = start + -(-max(day_start - start, 1) // step) * step
    return [UtcMs(at) for at in range(first, day_start + DAY_MS, step)]


def _month_end(start: UtcMs, duration: int, day_start: UtcMs) -> list[UtcMs]:
    began, day = to_datetime(start), to_datetime(day_start)
    months = (day.year - began.year) * 12 + day.month - began.month
    last = (datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC) - day).days
    is_day = day.day == began.day or (day.day < began.day and last == 1)
    at = UtcMs(day_start + start % DAY_MS)
    return [at] if is_day and months > 0 and months % duration == 0 and at > start else []


def is_due(frequency: int, at: UtcMs) -> bool:
    """Say whether a debt that is recovered so often is due at a midnight."""
    day = to_datetime(at).date()
    return {
        _DAY: True,
        _WEEK: day.weekday() == 0,
        _MONTH: day.day == 1,
        _QUARTER: _is_quarter(day),
    }.get(frequency, False)


def _is_quarter(day: date) -> bool:
    return day.day == 1 and day.month % 3 == 1


def collects(store: Store) -> bool:
    """Say whether debts are recovered: from customers who prepay."""
    return is_prepayment(store)


def micro_wh_of(store: Store, volume_dm3: int) -> int:
    """Return the energy of a volume, in millionths of a watt-hour, rounded down.

    Volume times calorific value (MJ/m3) times conversion factor; a kWh is 3.6 MJ.
    """
    product = volume_dm3 * store.number("calorific_value") * store.number("conversion_factor")
    return product * 10 * _MICRO // (_TENTHS_OF_MJ * _scale(store))


def dm3_of(store: Store, energy_wh: int) -> int:
    """Return the volume that has this energy, rounded down; 0 where gas has none."""
    factors = store.number("calorific_value") * store.number("conversion_factor") * 10
    return energy_wh * _TENTHS_OF_MJ * _scale(store) // factors if factors else 0


def _scale(store: Store) -> int:
    digits = (store.number("calorific_value_digits") >> 4) + (
        store.number("conversion_factor_digits") >> 4
    )
    return int(10**digits)
