"""Charges (class 113): the price of consumption, the standing charge, debts.

The row's value names the charge: ``energy``, ``standing``, ``debt1`` to ``debt3``.
"""

from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.devices.smets1.binding import Binding, items_of, number_of, octets_of, refused
from emulator.devices.smets1.object_model import Moment
from emulator.devices.smets1.prepayment import ANY_RATE
from emulator.devices.smets1.rates import MAX_RATES

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

ENERGY: Final = "energy"
#: Prices go out in 10^-4 pounds (10^-2 pence) a kWh, so that 16 bits hold any.
_PRICE_SCALE: Final = -4
_KILO: Final = 3
_MILLIPENCE_SCALE: Final = -5
_OUT: Final = 10 ** (_PRICE_SCALE - _MILLIPENCE_SCALE)
_TYPES: Final = {ENERGY: 0}
_TIME_BASED: Final = 1
_TOTAL_IMPORT: Final = bytes((1, 0, 1, 8, 0, 255))
_DAY_S: Final = 86_400
_MAX_LONG: Final = 0x7FFF


def _unit_charge(prices: dict[int, int], *, energy: bool) -> Data:
    """Return prices (or one amount a day) as the structure unit_charge."""
    rows = []
    for rate, price in sorted(prices.items()):
        index = b"" if rate == ANY_RATE else bytes((rate,))
        value = Data(Tag.INT16, min(price // _OUT, _MAX_LONG))
        rows.append(axdr.structure(axdr.octets(index), value))
    scaling = axdr.structure(Data(Tag.INT8, _KILO if energy else 0), Data(Tag.INT8, _PRICE_SCALE))
    reference = axdr.structure(
        axdr.uint16(3 if energy else 0),
        axdr.octets(_TOTAL_IMPORT if energy else bytes(6)),
        Data(Tag.INT8, 2 if energy else 0),
    )
    return axdr.structure(scaling, reference, Data(Tag.ARRAY, tuple(rows)))


def read_unit_charge(data: Data, *, energy: bool) -> dict[int, int] | DataAccessResult:
    """Return the prices in a unit_charge: rate -> millipence a kWh (a day for a charge by time).

    Source:
        IEC 62056-6-2 Charge, unit_charge (known); that an empty index means every rate, and that
        price_scale counts from the pound: invented.
    """
    parts = items_of(data, Tag.STRUCTURE, 3)
    scaling = items_of(parts[0], Tag.STRUCTURE, 2) if parts else None
    reference = items_of(parts[1], Tag.STRUCTURE, 3) if parts else None
    table = items_of(parts[2], Tag.ARRAY) if parts else None
    if scaling is None or reference is None or table is None:
        return DataAccessResult.TYPE_UNMATCHED
    commodity, price_scale = (number_of(item, Tag.INT8) for item in scaling)
    if commodity is None or price_scale is None:
        return DataAccessResult.TYPE_UNMATCHED
    powers = price_scale - _MILLIPENCE_SCALE + ((_KILO - commodity) if energy else 0)
    prices: dict[int, int] = {}
    for row in table:
        entry = _entry(row)
        if entry is None:
            return DataAccessResult.TYPE_UNMATCHED
        index, price = entry
        rate = index[0] if index else ANY_RATE
        if len(index) > 1 or rate > MAX_RATES or rate in prices or price < 0:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        prices[rate] = price
    return _in_millipence(prices, powers) if prices else DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


def _entry(row: Data) -> tuple[bytes, int] | None:
    items = items_of(row, Tag.STRUCTURE, 2)
    index = octets_of(items[0]) if items else None
    price = number_of(items[1], Tag.INT16) if items else None
    return None if index is None or price is None else (index, price)


def _in_millipence(prices: dict[int, int], powers: int) -> dict[int, int] | DataAccessResult:
    """Return prices times 10^powers; a price that is not whole millipence is out of scope."""
    if not -9 <= powers <= 9:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    up, down = 10 ** max(powers, 0), 10 ** max(-powers, 0)
    if any(price % down for price in prices.values()):
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    return {rate: price * up // down for rate, price in prices.items()}


def _active(meter: "Meter", row: CatalogueRow, _at: Moment) -> Data:
    if row.value == ENERGY:
        return _unit_charge(meter.account.energy.prices, energy=True)
    return _unit_charge({ANY_RATE: meter.account.charges[row.value].per_day}, energy=False)


def _passive(meter: "Meter", row: CatalogueRow, _at: Moment) -> Data:
    if row.value == ENERGY:
        return _unit_charge(meter.account.energy.passive, energy=True)
    return _unit_charge({ANY_RATE: meter.account.charges[row.value].passive}, energy=False)


def _set_passive(meter: "Meter", row: CatalogueRow, value: Data, _at: Moment) -> DataAccessResult:
    energy = row.value == ENERGY
    prices = read_unit_charge(value, energy=energy)
    if isinstance(prices, DataAccessResult):
        return prices
    if energy:
        meter.account.energy.passive = prices
    elif list(prices) == [ANY_RATE]:
        meter.account.charges[row.value].passive = prices[ANY_RATE]
    else:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    return DataAccessResult.SUCCESS


def _activate(meter: "Meter", row: CatalogueRow, _data: Data | None, at: Moment) -> MethodOutcome:
    meter.activate_price(row.value, at)
    return MethodOutcome(ActionResult.SUCCESS)


def _collected(meter: "Meter", row: CatalogueRow, at: Moment) -> int:
    if row.value == ENERGY:
        return meter.account.energy.cost(at.now)
    return meter.account.charges[row.value].collected(at.now)


def _left(meter: "Meter", row: CatalogueRow, at: Moment) -> int:
    return 0 if row.value == ENERGY else meter.account.charges[row.value].left(at.now)


def _change_left(
    meter: "Meter", row: CatalogueRow, data: Data | None, at: Moment, *, add: bool
) -> MethodOutcome:
    amount = number_of(data, Tag.INT32)
    if amount is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    charge = meter.account.charges.get(row.value)
    if charge is None or charge.remaining is None:
        return refused(ActionResult.OTHER_REASON)
    changed = amount + (charge.left(at.now) if add else 0)
    if changed < 0:
        return refused(ActionResult.SCOPE_OF_ACCESS_VIOLATED)
    charge.settle(at.now)
    charge.remaining = changed
    return MethodOutcome(ActionResult.SUCCESS)


def _add_left(meter: "Meter", row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    return _change_left(meter, row, data, at, add=True)


def _set_left(meter: "Meter", row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    return _change_left(meter, row, data, at, add=False)


def _proportion(meter: "Meter", row: CatalogueRow, _at: Moment) -> int:
    return 0 if row.value == ENERGY else meter.account.charges[row.value].per_payment


def _set_proportion(
    meter: "Meter", row: CatalogueRow, value: Data, _at: Moment
) -> DataAccessResult:
    charge = meter.account.charges.get(row.value)
    if charge is None or not isinstance(value.value, int) or not 0 <= value.value <= 10_000:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    charge.per_payment = value.value
    return DataAccessResult.SUCCESS


#: Binding word -> what it does.
BINDINGS: Final = {
    "charge.collected": Binding(_collected),
    "charge.type": Binding(lambda _meter, row, _at: _TYPES.get(row.value, _TIME_BASED)),
    "charge.active": Binding(_active),
    "charge.passive": Binding(_passive, _set_passive),
    "charge.period": Binding(lambda _m, row, _at: 0 if row.value == ENERGY else _DAY_S),
    "charge.left": Binding(_left),
    "charge.proportion": Binding(_proportion, _set_proportion),
    "charge.activate": Binding(invoke=_activate),
    "charge.add": Binding(invoke=_add_left),
    "charge.set": Binding(invoke=_set_left),
}
