"""The hub's device log as a COSEM object (class 104, our shape)."""

from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms import han_log
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import NULL, Data
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.smets1.binding import Binding, refused
from emulator.devices.smets1.device_log import DeviceLog
from emulator.devices.smets1.object_model import Moment

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

_EUI_BYTES: Final = 8


def _log(meter: "Meter") -> DeviceLog:
    """Return the log of a hub.

    Raises:
        ValueError: The device is no hub: its catalogue does not fit it.
    """
    log = meter.han_log()
    if log is None:
        raise ValueError(f"a SMETS1 {meter.device_type} keeps no device log")
    return log


def _devices(meter: "Meter", _row: CatalogueRow, _at: Moment) -> Data:
    return han_log.encode_log([*_log(meter).entries.values()])


def _joining(meter: "Meter", _row: CatalogueRow, _at: Moment) -> int:
    return _log(meter).joining


def _open(meter: "Meter", _row: CatalogueRow, value: Data, _at: Moment) -> DataAccessResult:
    _log(meter).open(on=bool(value.value))
    return DataAccessResult.SUCCESS


def _register(meter: "Meter", _row: CatalogueRow, data: Data | None, _at: Moment) -> MethodOutcome:
    try:
        eui64, device_type = han_log.decode_entry(NULL if data is None else data)
    except MalformedFrameError:
        return refused(ActionResult.TYPE_UNMATCHED)
    added = _log(meter).add(eui64, device_type)
    return MethodOutcome(ActionResult.SUCCESS if added else ActionResult.OTHER_REASON)


def _eui64_of(data: Data | None) -> Eui64 | None:
    octets = None if data is None else data.value
    return Eui64(octets) if isinstance(octets, bytes) and len(octets) == _EUI_BYTES else None


def _unregister(
    meter: "Meter", _row: CatalogueRow, data: Data | None, _at: Moment
) -> MethodOutcome:
    eui64 = _eui64_of(data)
    if eui64 is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    gone = _log(meter).remove(eui64)
    return MethodOutcome(ActionResult.SUCCESS if gone else ActionResult.OBJECT_UNAVAILABLE)


def _unjoin(meter: "Meter", _row: CatalogueRow, data: Data | None, _at: Moment) -> MethodOutcome:
    eui64 = _eui64_of(data)
    if eui64 is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    gone = _log(meter).unjoin(eui64)
    return MethodOutcome(ActionResult.SUCCESS if gone else ActionResult.OBJECT_UNAVAILABLE)


#: Binding word -> what it does.
BINDINGS: Final = {
    "hanlog.devices": Binding(_devices),
    "hanlog.joining": Binding(_joining, _open),
    "hanlog.register": Binding(invoke=_register),
    "hanlog.unregister": Binding(invoke=_unregister),
    "hanlog.unjoin": Binding(invoke=_unjoin),
}
