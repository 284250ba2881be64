"""HDLC setup (class 23) and local port setup (class 19): the line as the profile says it is."""

from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.devices.smets1.binding import Binding
from emulator.devices.smets1.object_model import Moment

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

#: Baud -> COSEM enumeration. Source: IEC 62056-6-2 (known).
_SPEEDS: Final = {300: 0, 600: 1, 1200: 2, 2400: 3, 4800: 4, 9600: 5}
_SPEED_9600: Final = 5
_MODE_E: Final = 0
_MODE_HDLC: Final = 1
_RESPONSE_20_MS: Final = 0
_RESPONSE_200_MS: Final = 1
_INTER_OCTET_MS: Final = 25


def _speed(meter: "Meter", row: CatalogueRow, at: Moment) -> int:
    """Return the speed HDLC has on the line: what mode E leads to, else what it opens at."""
    mode_e = meter.dlms.sign_on is not None and meter.dlms.sign_on.mode_e
    return _proposed_speed(meter, row, at) if mode_e else _default_speed(meter, row, at)


def _proposed_speed(meter: "Meter", _row: CatalogueRow, _at: Moment) -> int:
    sign_on = meter.dlms.sign_on
    return _SPEED_9600 if sign_on is None else int(sign_on.baud_character)


def _default_mode(meter: "Meter", _row: CatalogueRow, _at: Moment) -> int:
    sign_on = meter.dlms.sign_on
    return _MODE_E if sign_on is not None and sign_on.mode_e else _MODE_HDLC


def _default_speed(meter: "Meter", _row: CatalogueRow, _at: Moment) -> int:
    sign_on = meter.dlms.sign_on
    return _SPEED_9600 if sign_on is None else _SPEEDS.get(sign_on.start_baud, _SPEED_9600)


def _response(meter: "Meter", _row: CatalogueRow, _at: Moment) -> int:
    sign_on = meter.dlms.sign_on
    quick = sign_on is not None and sign_on.manufacturer[2].islower()
    return _RESPONSE_20_MS if quick else _RESPONSE_200_MS


#: Binding word -> what it does.
BINDINGS: Final = {
    "hdlc.speed": Binding(_speed),
    "hdlc.window": Binding(lambda meter, _row, _at: meter.dlms.hdlc.window),
    "hdlc.information": Binding(lambda meter, _row, _at: meter.dlms.hdlc.max_information_bytes),
    "hdlc.inter-octet": Binding(lambda _meter, _row, _at: _INTER_OCTET_MS),
    "hdlc.inactivity": Binding(lambda meter, _row, _at: meter.dlms.hdlc.inactivity_s),
    "hdlc.address": Binding(lambda meter, _row, _at: meter.dlms.hdlc.physical_address or 0),
    "port.mode": Binding(_default_mode),
    "port.default-speed": Binding(_default_speed),
    "port.proposed-speed": Binding(_proposed_speed),
    "port.response": Binding(_response),
    "port.address": Binding(lambda meter, _row, _at: meter.serial_text().encode()),
}
