"""From what a device answered to the response the user gets: values in the shapes of MMC.

Source:
    MMC 5.4 XSD for the elements; which object of the illustrative devices fills which of them:
    ``device_profiles/catalogues/dmves.csv`` and here, stand-ins.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.han_log import LogRow, decode_log
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from harness.dlms.clock import clock_of
from harness.formats.duis import kinds
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis.smets1_contents import Node, Result, Smets1Status
from harness.parties.s1sp_desk_records import DeskRecord
from harness.smets1.steps import Account, Done

_FAILED: Final = 1
_ERROR_CHARS: Final = 250
_IMPORT: Final = ("1-0:1.8.0.255", 2)
_VOLUME: Final = ("7-0:3.0.0.255", 2)
_EXPORT: Final = ("1-0:2.8.0.255", 2)
_BALANCE: Final = ("0-0:19.10.0.255", 2)
_CLOCK: Final = ("0-0:1.0.0.255", 2)
_SWITCH: Final = ("0-0:96.3.10.255", 2)
_LOAD: Final = {DeviceType.ESME: ("1-0:99.1.0.255", 2), DeviceType.GSME: ("7-0:99.1.0.255", 2)}
_EVENTS: Final = ("0-0:99.98.0.255", 2)
_SECURITY: Final = ("0-0:99.98.1.255", 2)
_DEVICE_LOG: Final = ("0-0:35.3.0.255", 4)
_DM3: Final = 1000
_SCALED: Final = 3
#: Power of ten of what a register counts: Wh, and dm3 as the illustrative models have it.
_WH, _MILLI = 0, -3
_MOST_ROWS: Final = 100


def result_of(
    element: str, account: Account, kind: DeviceType, *, security: bool = False
) -> Result:
    """Return what a user is told of a request as it went.

    Args:
        element: Name of the response's element.
        account: The request as it went.
        kind: Type of the device.
        security: For 6.13: the security log was asked for, not the event log.
    """
    success = account.done is Done.DONE
    statuses = () if success else (status_of(account),)
    build = _VALUES.get(account.equivalent.service)
    if account.equivalent.service == "6.13" and security:
        build = _security_log
    values = build(account, kind) if success and build is not None else _empty(element, kind)
    return Result(element, success, values, statuses)


def status_of(account: Account) -> Smets1Status:
    """Return where and why a request ended early."""
    return Smets1Status(_FAILED, account.says[:_ERROR_CHARS], max(len(account.taken), 1))


def failed(element: str, why: str, kind: DeviceType) -> Result:
    """Return a result of a request that touched no device."""
    status = Smets1Status(_FAILED, why[:_ERROR_CHARS], 1)
    return Result(element, False, _empty(element, kind), (status,))


def _empty(element: str, kind: DeviceType) -> tuple[Node, ...]:
    """Return the elements without which the schema does not take a result without values."""
    if element == "ReadInstantaneousImportRegistersRsp":
        return (Node("Gas" if kind is DeviceType.GSME else "Electricity"),)
    if element == "JoinServiceNonCriticalRsp":
        return (_joined(done=False),)
    return ()


def _number(data: Data | None) -> int | None:
    if data is None or isinstance(data.value, bool) or not isinstance(data.value, int):
        return None
    return data.value


def _whole(name: str, value: int | None) -> tuple[Node, ...]:
    return () if value is None else (Node(name, str(value)),)


def _scaled(account: Account, what: tuple[str, int], usual: int) -> Decimal | None:
    """Return what a register holds, by the power of ten that it tells itself."""
    number, about = _number(account.value(*what)), _parts(account.value(what[0], _SCALED))
    power = _number(about[0]) if about else None
    return None if number is None else Decimal(number).scaleb(usual if power is None else power)


def _import(account: Account, kind: DeviceType) -> tuple[Node, ...]:
    if kind is DeviceType.GSME:
        volume = _scaled(account, _VOLUME, _MILLI)
        text = "0" if volume is None else f"{volume:.3f}"
        register = Node("ConsumptionRegister", "", (Node("Value", text), Node("Unit", "m3")))
        return (Node("Gas", "", (register,)),)
    register = _energy("ActiveImportRegister", _scaled(account, _IMPORT, _WH))
    return (Node("Electricity", "", (register,)),)


def _energy(name: str, value: Decimal | None) -> Node:
    told = _whole("Value", None if value is None else int(value))
    return Node(name, "", (*told, Node("ActiveEnergyUnit", "Wh")))


def _export(account: Account, _kind: DeviceType) -> tuple[Node, ...]:
    return (_energy("ActiveExportRegister", _scaled(account, _EXPORT, _WH)),)


def _balance(account: Account, _kind: DeviceType) -> tuple[Node, ...]:
    return _whole("MeterBalance", _number(account.value(*_BALANCE)))


def _clock(account: Account, kind: DeviceType) -> tuple[Node, ...]:
    data = account.value(*_CLOCK)
    at = None if data is None else clock_of(data).at
    shown = () if at is None else (Node("DeviceTime", kinds.DATE_TIME.write(at)),)
    if kind is DeviceType.GSME:
        status = Node("GasClockTimeStatus", "", (Node("ASN1Status", "reliable"),), _code("0"))
        return (*shown, Node("Gas", "", (status,)))
    words = (Node("TimeStatus", "reliable"),)
    status = Node("ElecClockTimeStatus", "", words, (("TimeStatusCode", "0"),))
    return (*shown, Node("Electricity", "", (status,)))


def _code(number: str) -> tuple[tuple[str, str], ...]:
    return (("ResponseCode", number),)


def _supply(account: Account, _kind: DeviceType) -> tuple[Node, ...]:
    data = account.value(*_SWITCH)
    closed = data is not None and bool(data.value)
    return (Node("SupplyState", "Enabled" if closed else "Disabled"),)


def _firmware(account: Account, _kind: DeviceType) -> tuple[Node, ...]:
    found = [item.value for item in account.taken if item.value is not None]
    octets = found[-1].value if found else b""
    text = octets.decode("ascii", "replace") if isinstance(octets, bytes) else ""
    return (Node("FirmwareVersion", text),) if text else ()


def _rows(data: Data | None) -> list[tuple[Data, ...]]:
    items = _parts(data)
    return [_parts(item) for item in items if item.tag is Tag.STRUCTURE]


def _parts(data: Data | None) -> tuple[Data, ...]:
    held = None if data is None else data.value
    return held if isinstance(held, tuple) else ()


def _moment(cell: Data) -> tuple[Node, ...]:
    try:
        at = clock_of(cell).at
    except MalformedFrameError:
        return ()
    return () if at is None else (Node("Timestamp", kinds.DATE_TIME.write(at)),)


def _profile(account: Account, kind: DeviceType) -> tuple[Node, ...]:
    gas = kind is DeviceType.GSME
    nodes = []
    for row in _rows(account.value(*_LOAD.get(kind, _LOAD[DeviceType.ESME]))):
        values = [value for value in map(_number, row[1:]) if value is not None]
        value = values[0] if values else 0
        text = f"{value // _DM3}.{value % _DM3:03}" if gas else str(value)
        reading = Node("Gas" if gas else "Electricity", "", (Node("PrimaryValue", text),))
        nodes.append(Node("LogEntry", "", (*_moment(row[0]), reading)))
    return tuple(nodes)


def _log(data: Data | None) -> tuple[Node, ...]:
    entries = []
    for row in _rows(data)[-_MOST_ROWS:]:
        codes = [value for value in map(_number, row[1:]) if value is not None]
        code = Node("LogCode", f"{codes[0]:04X}") if codes else Node("LogCode", "0000")
        entries.append(Node("LogEntry", "", (*_moment(row[0]), code)))
    return (Node("Log", "", tuple(entries)),)


def _event_log(account: Account, _kind: DeviceType) -> tuple[Node, ...]:
    return _log(account.value(*_EVENTS))


def _security_log(account: Account, _kind: DeviceType) -> tuple[Node, ...]:
    return _log(account.value(*_SECURITY))


def _device_log(account: Account, _kind: DeviceType) -> tuple[Node, ...]:
    rows = log_of(account)
    entries = tuple(
        Node(
            "LogEntry", "", (Node("DeviceID", str(row.eui64)), Node("DeviceType", row.device_type))
        )
        for row in rows
    )
    return (Node("DeviceLogEntries", "", entries),)


def _joined(*, done: bool) -> Node:
    word = Node("ASN1Status", "success" if done else "otherFailure")
    return Node("joinResponseCode", "", (word,), _code("0" if done else "1"))


def _join(_account: Account, _kind: DeviceType) -> tuple[Node, ...]:
    return (_joined(done=True),)


def log_of(account: Account) -> tuple[LogRow, ...]:
    """Return the rows of the hub's device log that a request read; none where it read none."""
    data = account.value(*_DEVICE_LOG)
    try:
        return () if data is None else decode_log(data)
    except MalformedFrameError:
        return ()


def note_log(record: DeskRecord, body: object, account: Account) -> None:
    """Keep what a request that was carried out told of a hub's device log, or changed in it."""
    if account.done is not Done.DONE:
        return
    if isinstance(body, bodies.ReadDeviceLog):
        record.log = [row.eui64 for row in log_of(account)]
    elif isinstance(body, bodies.UpdateHanDeviceLog):
        rest = [one for one in record.log if one != body.device]
        added = body.change is bodies.LogChange.ADD
        record.log = [*rest, body.device] if added else rest


def row_of(account: Account, device: Eui64) -> LogRow | None:
    """Return the row of a device in the hub's log that a request read, or None."""
    return next((row for row in log_of(account) if row.eui64 == device), None)


#: Service -> what its response holds, beside that it was done.
_VALUES: Final[Mapping[str, Callable[[Account, DeviceType], tuple[Node, ...]]]] = {
    "4.1.1": _import,
    "4.2": _export,
    "4.8.1": _profile,
    "4.18": _balance,
    "6.11": _clock,
    "8.1.1": _clock,
    "6.13": _event_log,
    "7.4": _supply,
    "8.7.2": _join,
    "8.9": _device_log,
    "11.2": _firmware,
}
