"""Class 104 of the hub: its device log and Historic Log as COSEM objects."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import AccessItem, Operation
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.codecs.gbcs.alerts import AlertCode, dlms_alert, encode_dlms_alert
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.core.ids import Eui64
from emulator.devices.access_engine import AccessFailedError, Turn
from emulator.devices.chf import objects
from emulator.devices.cosem import VERSION, Place, place_of, version_data

if TYPE_CHECKING:
    from emulator.devices.chf.chf import Chf

_CLASS: Final = 104
_LOG: Final = bytes((0, 0, 30, 3, 0, 255))
_HISTORIC: Final = bytes((0, 0, 30, 3, 1, 255))
_EUI64_LENGTH: Final = 8
_KEY_LENGTH: Final = 16
_TRUE: Final = 0xFF

Access: TypeAlias = Callable[["Chf", Data, Turn], Data]


class HubObjects:
    """The objects that answer what is asked of a hub.

    Source:
        reference gbcs.md section 7, RTDS 8.9 and 8.11; instance 1 as the Historic Log: inferred
        from the two logs of CCS07.
    """

    def __init__(self, hub: "Chf") -> None:
        self._hub = hub

    def access(self, item: AccessItem, turn: Turn) -> Data:
        """Carry one item out.

        Raises:
            AccessFailedError: There is no such object, or it will not.
        """
        found = _ACCESSES.get(place_of(item))
        if found is None:
            return objects.access(self._hub, item, turn)
        return found(self._hub, item.data, turn)


def _register(hub: "Chf", data: Data, turn: Turn) -> Data:
    """Method 1: let a device join: EUI-64, how it is named, install code, how that is given."""
    device, _, code, _ = _parts(data, 4)
    who, key = _eui64(device), _octets(code, _KEY_LENGTH)
    if who in {hub.eui64, hub.gpf.eui64}:
        raise AccessFailedError(f"{who} is the hub's own")
    entered = hub.joining.register(who, key)
    if entered is False:
        raise AccessFailedError("the device log is full")
    if entered:
        turn.effects.extend(log_changed(hub, turn.now))
    return NULL


def _unregister(hub: "Chf", data: Data, turn: Turn) -> Data:
    """Method 2: take a device out."""
    who = _eui64(data)
    if not hub.joining.unregister(who):
        raise AccessFailedError(f"{who} is not in the device log")
    turn.effects.extend(log_changed(hub, turn.now))
    return NULL


def _back_up(hub: "Chf", data: Data, turn: Turn) -> Data:
    """Method 4 of the device log: give a backup."""
    _nothing(data)
    return _log_data(hub, turn.now)


def _back_up_historic(hub: "Chf", data: Data, turn: Turn) -> Data:
    """Method 4 of the Historic Log: give a backup."""
    _nothing(data)
    return hub.joining.backup(tuple(hub.device_log.historic), hub.local_time(turn.now))


def _restore(hub: "Chf", data: Data, turn: Turn) -> Data:
    """Method 5: put a backup in place of the log: extended PAN id, devices with hashes."""
    pan_id, listed = _parts(data, 2)
    if listed.tag is not Tag.ARRAY or not isinstance(listed.value, tuple):
        raise AccessFailedError("no list of devices")
    rows = [_parts(row, 2) for row in listed.value]
    entries = tuple([(_eui64(who), _octets(key, _KEY_LENGTH)) for who, key in rows])
    if not hub.joining.restore(_eui64(pan_id), entries):
        raise AccessFailedError("the device log has no room")
    turn.effects.extend(log_changed(hub, turn.now))
    return NULL


def _set_enabled(hub: "Chf", data: Data, turn: Turn) -> Data:
    """Attribute 2: open or close the window for joins."""
    if data.tag is not Tag.BOOLEAN:
        raise AccessFailedError("no boolean")
    if data.value:
        hub.joining.open_window(turn.now)
    else:
        hub.joining.close_window(turn.now)
    return NULL


def _set_timeout(hub: "Chf", data: Data, turn: Turn) -> Data:  # noqa: ARG001 - table
    """Attribute 3: how long a window stays open, in seconds."""
    if data.tag is not Tag.UINT16 or not isinstance(data.value, int):
        raise AccessFailedError("no long-unsigned")
    hub.joining.timeout_s = data.value
    return NULL


def _enabled(hub: "Chf", data: Data, turn: Turn) -> Data:  # noqa: ARG001 - table
    return Data(Tag.BOOLEAN, _TRUE if turn.now < hub.joining.open_until else 0)


def _timeout(hub: "Chf", data: Data, turn: Turn) -> Data:  # noqa: ARG001 - table
    return axdr.uint16(hub.joining.timeout_s)


def _active(hub: "Chf", data: Data, turn: Turn) -> Data:  # noqa: ARG001 - table
    return hub.device_log.data()


def _version(hub: "Chf", data: Data, turn: Turn) -> Data:  # noqa: ARG001 - table
    return version_data(hub.reported_version())


_O: Final = Operation
#: Attribute 4: the devices that have joined.
ACTIVE_DEVICES: Final[Place] = (_O.GET, _CLASS, _LOG, 4)
_ACCESSES: Final[Mapping[Place, Access]] = {
    VERSION: _version,
    (_O.GET, _CLASS, _LOG, 2): _enabled,
    (_O.GET, _CLASS, _LOG, 3): _timeout,
    ACTIVE_DEVICES: _active,
    (_O.SET, _CLASS, _LOG, 2): _set_enabled,
    (_O.SET, _CLASS, _LOG, 3): _set_timeout,
    (_O.ACTION, _CLASS, _LOG, 1): _register,
    (_O.ACTION, _CLASS, _LOG, 2): _unregister,
    (_O.ACTION, _CLASS, _LOG, 4): _back_up,
    (_O.ACTION, _CLASS, _LOG, 5): _restore,
    (_O.ACTION, _CLASS, _HISTORIC, 4): _back_up_historic,
}


def _log_data(hub: "Chf", now: UtcMs) -> Data:
    return hub.joining.backup(tuple(hub.device_log.entries.values()), hub.local_time(now))


def log_changed(hub: "Chf", now: UtcMs) -> list[Effect]:
    """Send CS14 (8F12) to the ACB: the whole log after a change."""
    at, content = hub.local_time(now), _log_data(hub, now)
    code = AlertCode.DEVICE_LOG_CHANGED
    return hub.alert(
        MessageCode.CS14,
        hub.network.acb,
        lambda counter: encode_dlms_alert(dlms_alert(counter, code, at, content)),
    )


def _nothing(data: Data) -> None:
    if data.tag is not Tag.NULL:
        raise AccessFailedError("the method takes nothing")


def _parts(data: Data, count: int) -> tuple[Data, ...]:
    if data.tag is not Tag.STRUCTURE or not isinstance(data.value, tuple):
        raise AccessFailedError("no structure")
    if len(data.value) != count:
        raise AccessFailedError(f"{count} parts are due, {len(data.value)} found")
    return data.value


def _octets(data: Data, size: int) -> bytes:
    if data.tag is not Tag.OCTETS or not isinstance(data.value, bytes) or len(data.value) != size:
        raise AccessFailedError(f"no {size} octets")
    return data.value


def _eui64(data: Data) -> Eui64:
    return Eui64(_octets(data, _EUI64_LENGTH))
