"""The hub's COSEM objects beside its device log: identity, logs, network below 1 GHz."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from emulator.codecs.common import MAX_LENGTH
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import AccessItem, Operation, parse_obis, print_obis
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.codecs.dlms.selective import read_selection
from emulator.codecs.dlms.shapes import Compact, Shape, compact, fits, shape_of
from emulator.core.clock import to_zigbee_seconds
from emulator.devices.access_engine import AccessFailedError, Turn
from emulator.devices.chf import sub_ghz
from emulator.devices.chf.values import CHANNEL_LOG, CONFIGURATION, SHAPES
from emulator.devices.cosem import Place, place_of
from emulator.devices.log_entries import LogEntry
from emulator.devices.log_selection import span_of

if TYPE_CHECKING:
    from emulator.devices.chf.chf import Chf

Access: TypeAlias = Callable[["Chf", AccessItem, Turn], Data]
_O: Final = Operation
_CONFIGURATION: Final = parse_obis("0-0:94.44.10.0")
_SCAN: Final = parse_obis("0-0:94.44.10.1")
_CHANNEL: Final = parse_obis("0-0:94.44.10.2")


def access(hub: "Chf", item: AccessItem, turn: Turn) -> Data:
    """Carry one item out.

    Raises:
        AccessFailedError: There is no such member in its use case, it is broken, or it will not.
    """
    use_cases, carry_out = _ACCESSES.get(place_of(item), ("", _nothing))
    if turn.use_case not in use_cases.split() or where_of(item) in hub.broken:
        raise AccessFailedError(f"no {where_of(item)} in {turn.use_case}")
    return carry_out(hub, item, turn)


def where_of(item: AccessItem) -> str:
    """Return what an item names as a fault order does: ``class/OBIS/a2``."""
    kind = "m" if item.operation is Operation.ACTION else "a"
    return f"{item.class_id}/{print_obis(item.obis)}/{kind}{item.index}"


def check_where(where: str) -> None:
    """Check that a hub has a member.

    Raises:
        ValueError: It has none.
    """
    named = {where_of(AccessItem(*place, NULL)) for place in _ACCESSES}
    if where not in named:
        raise ValueError(f"a hub has no member {where!r}")


def _nothing(hub: "Chf", item: AccessItem, turn: Turn) -> Data:  # noqa: ARG001 - table
    raise AccessFailedError


# -- identity --------------------------------------------------------------------------------------


def _identifier(hub: "Chf", item: AccessItem, turn: Turn) -> Data:  # noqa: ARG001 - table
    return axdr.octets(hub.eui64.octets)


def _model_type(hub: "Chf", item: AccessItem, turn: Turn) -> Data:  # noqa: ARG001 - table
    said = hub.values.published("model_type")
    return said or axdr.octets(hub.profile.identity.model_hex.encode())


def _manufacturer(hub: "Chf", item: AccessItem, turn: Turn) -> Data:  # noqa: ARG001 - table
    code = hub.profile.identity.manufacturer_code
    return hub.values.published("manufacturer") or axdr.octets(code.to_bytes(3, "big"))


# -- logs ------------------------------------------------------------------------------------------


def _event_log(hub: "Chf", item: AccessItem, turn: Turn) -> Data:  # noqa: ARG001 - table
    return _rows(item, "event_log", (*hub.values.rows("event_log"), *_lived(hub.event_log)))


def _security_log(hub: "Chf", item: AccessItem, turn: Turn) -> Data:  # noqa: ARG001 - table
    lived = _lived(hub.security_log)
    return _rows(item, "security_log", (*hub.values.rows("security_log"), *lived))


def _channel_log(hub: "Chf", item: AccessItem, turn: Turn) -> Data:  # noqa: ARG001 - table
    return _rows(item, CHANNEL_LOG, sub_ghz.log_rows(hub))


def _lived(entries: list[LogEntry]) -> list[Data]:
    """Return entries as rows of a log."""
    return [
        axdr.structure(Data(Tag.UINT32, to_zigbee_seconds(one.at)), axdr.uint16(one.code))
        for one in entries
    ]


def _rows(item: AccessItem, name: str, rows: tuple[Data, ...]) -> Data:
    """Return the rows within the span that an item names, both ends included.

    Raises:
        AccessFailedError: It names none, or they fit no message.
    """
    if item.selection is None or item.data != NULL:
        raise AccessFailedError
    first, last = span_of(read_selection(item.selection))
    found = compact(_row_of(name), tuple([row for row in rows if first <= _moment(row) <= last]))
    if len(axdr.encode(found)) > MAX_LENGTH:
        raise AccessFailedError
    return found


def _row_of(name: str) -> Shape:
    shape = shape_of(SHAPES[name])
    if not isinstance(shape, Compact):
        raise AccessFailedError
    return shape.row


def _moment(row: Data) -> int:
    at = row.value[0].value if isinstance(row.value, tuple) else None
    return at if isinstance(at, int) else -1


# -- network below 1 GHz ---------------------------------------------------------------------------


def _configuration(hub: "Chf", item: AccessItem, turn: Turn) -> Data:  # noqa: ARG001 - table
    return hub.values.find(CONFIGURATION) or NULL


def _set_configuration(hub: "Chf", item: AccessItem, turn: Turn) -> Data:
    if not fits(shape_of(SHAPES[CONFIGURATION]), item.data):
        raise AccessFailedError
    turn.effects.extend(sub_ghz.configured(hub, item.data, turn.now))
    return NULL


def _scan(hub: "Chf", item: AccessItem, turn: Turn) -> Data:
    """Ask for a scan; what its number says is not established, any is taken."""
    if item.data.tag is not Tag.UINT8:
        raise AccessFailedError
    turn.effects.extend(sub_ghz.scan_requested(hub, turn.now))
    return NULL


def _channel(hub: "Chf", item: AccessItem, turn: Turn) -> Data:  # noqa: ARG001 - table
    return sub_ghz.channel_data(sub_ghz.in_use(hub))


#: Member -> use cases that reach it, and what carries it out.
_ACCESSES: Final[Mapping[Place, tuple[str, Access]]] = {
    (_O.GET, 1, parse_obis("0-0:96.1.1.255"), 2): ("ECS26i", _identifier),
    (_O.GET, 1, parse_obis("0-0:96.1.4.255"), 2): ("ECS26i ECS26n", _model_type),
    (_O.GET, 1, parse_obis("0-0:96.1.6.255"), 2): ("ECS26i ECS26n", _manufacturer),
    (_O.GET_SELECTED, 7, parse_obis("0-0:99.98.0.255"), 2): ("ECS35c", _event_log),
    (_O.GET_SELECTED, 7, parse_obis("0-0:99.98.1.255"), 2): ("ECS35d", _security_log),
    (_O.GET_SELECTED, 7, parse_obis("0-0:94.44.10.3"), 2): ("DBCH02", _channel_log),
    (_O.GET, 1, _CONFIGURATION, 2): ("DBCH03", _configuration),
    (_O.SET, 1, _CONFIGURATION, 2): ("DBCH04", _set_configuration),
    (_O.SET, 1, _SCAN, 2): ("DBCH05", _scan),
    (_O.GET, 1, _CHANNEL, 2): ("DBCH01", _channel),
}
