"""Registers (class 3), maximum demand (class 4), and what the meter is (class 1)."""

from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.devices.consumption import HALF_HOUR_MS, Consumption, Kind
from emulator.devices.saved import Saved, State
from emulator.devices.smets1.binding import Binding
from emulator.devices.smets1.captures import Monthly
from emulator.devices.smets1.logs import EventCode
from emulator.devices.smets1.object_model import Moment

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

_MONTHLY: Final = Monthly()
_MILLI: Final = -3
_DEMAND_VALID: Final = 0


class MaxDemand:
    """The greatest half-hour demand since the month began, or since it was reset.

    Source:
        invented: when demand counts anew.
    """

    def __init__(self, consumption: Consumption) -> None:
        self._consumption = consumption
        self._resets: list[UtcMs] = []
        self._kept: dict[UtcMs, tuple[UtcMs, int, UtcMs]] = {}

    def reset(self, at: UtcMs) -> None:
        """Begin anew."""
        self._resets = [*self._resets[-12:], at]

    def at(self, at: UtcMs) -> tuple[int, UtcMs]:
        """Return the demand in W, and the end of its half hour."""
        month = _MONTHLY.moment(_MONTHLY.ordinal(UtcMs(at - 1)))
        since = max([month, *(reset for reset in self._resets if reset <= at)])
        done, most, end = self._kept.get(since, (since, 0, since))
        if done > at:
            done, most, end = since, 0, since
        more, more_end = self._consumption.most_w(done, at)
        if more > most:
            most, end = more, more_end
        self._kept = {since: (UtcMs(max(since, at - at % HALF_HOUR_MS)), most, end)}
        return most, end

    def dump(self) -> State:
        """Return when it was reset."""
        return {"resets": [*self._resets]}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self._resets = [UtcMs(at) for at in saved.number_list("resets")]
        self._kept = {}


# -- bindings ----------------------------------------------------------------------------------


def _energy(meter: "Meter", row: CatalogueRow, at: Moment) -> int:
    return meter.consumption.energy_wh(Kind(row.value), at.now)


def _rate(meter: "Meter", row: CatalogueRow, at: Moment) -> int:
    return meter.rate_register(int(row.value), at.now)


def _power(meter: "Meter", row: CatalogueRow, at: Moment) -> int:
    return meter.consumption.power_w(at.now, Kind(row.value))


def _reset_demand(
    meter: "Meter", _row: CatalogueRow, _data: Data | None, at: Moment
) -> MethodOutcome:
    meter.demand.reset(at.now)
    meter.log(EventCode.BILLING_RESET, at.now)
    return MethodOutcome(ActionResult.SUCCESS)


def _demand_time(meter: "Meter", _row: CatalogueRow, at: Moment) -> bytes:
    return meter.clock.octets(meter.clock.shows(meter.demand.at(at.now)[1]))


def _scaler_unit(meter: "Meter", row: CatalogueRow, _at: Moment) -> Data:
    scaler, unit = meter.scaler_unit(row)
    return axdr.structure(Data(Tag.INT8, scaler), Data(Tag.ENUM, unit))


def _current_rate(meter: "Meter", _row: CatalogueRow, at: Moment) -> int:
    return meter.rates.rate_at(at.now)


def _object_reference(_meter: "Meter", row: CatalogueRow, _at: Moment) -> Data:
    """Return class, logical name and attribute of the object that the row's value names."""
    class_id, obis, attribute = row.value.split("/")
    octets = bytes(int(part) for part in obis.replace("-", ".").replace(":", ".").split("."))
    return axdr.structure(
        axdr.uint16(int(class_id)), axdr.octets(octets), Data(Tag.INT8, int(attribute))
    )


def constant(row: CatalogueRow) -> int | bytes | Data:
    """Return the value that a row states: a number, a text, or A-XDR data as ``hex:…``.

    Raises:
        ValueError: It states none.
    """
    if row.value.startswith("hex:"):
        octets = bytes.fromhex(row.value.removeprefix("hex:"))
        return octets if row.type.startswith(("octets", "visible")) else axdr.decode(octets)
    if row.type.startswith(("octets", "visible")):
        return row.value.encode()
    return int(row.value)


#: Binding word -> what it does.
BINDINGS: Final = {
    "energy": Binding(_energy, historic=True),
    "volume": Binding(
        lambda meter, _row, at: meter.consumption.energy_wh(Kind.GAS, at.now),
        exponent=_MILLI,
        historic=True,
    ),
    "rate": Binding(_rate, historic=True),
    "power": Binding(_power, historic=True),
    "voltage": Binding(
        lambda meter, _row, at: meter.consumption.voltage_mv(at.now),
        exponent=_MILLI,
        historic=True,
    ),
    "current": Binding(
        lambda meter, _row, at: meter.consumption.current_ma(at.now),
        exponent=_MILLI,
        historic=True,
    ),
    "demand": Binding(lambda meter, _row, at: meter.demand.at(at.now)[0], historic=True),
    "demand.status": Binding(lambda _meter, _row, _at: _DEMAND_VALID),
    "demand.time": Binding(_demand_time, historic=True),
    "demand.reset": Binding(invoke=_reset_demand),
    "scaler-unit": Binding(_scaler_unit),
    "current-rate": Binding(_current_rate, historic=True),
    "object-reference": Binding(_object_reference),
    "device.name": Binding(lambda meter, _row, _at: meter.dlms.logical_device_name.encode()),
    "device.serial": Binding(lambda meter, _row, _at: meter.serial_text().encode()),
    "device.eui64": Binding(lambda meter, _row, _at: meter.eui64_octets()),
    "device.firmware": Binding(lambda meter, _row, _at: meter.firmware_text().encode()),
    "constant": Binding(lambda _meter, row, _at: constant(row)),
}
