"""DLMS payloads as fields."""

from emulator.codecs.dlms.access import (
    AccessItem,
    AccessRequest,
    AccessResponse,
    AccessResult,
    print_obis,
)
from emulator.codecs.dlms.axdr import NULL, BitString, CompactArray, Data, Tag
from emulator.codecs.gbcs import alerts
from emulator.codecs.gbcs.alerts import DlmsAlert
from emulator.codecs.gbcs.blocks import is_block
from emulator.codecs.gbcs.dates import NEVER, NOW, decode_date_time
from emulator.core.clock import iso
from emulator.core.errors import MalformedFrameError
from harness.gbcs_view import names
from harness.gbcs_view.field import Field, numbered

_DATE_TIME_LENGTH = 12
_RESULTS = {0: "success", 1: "hardware fault", 250: "other reason"}


def request_fields(request: AccessRequest) -> list[Field]:
    """Return an access-request as fields."""
    return [_invoke(request.invoke_id), *numbered(map(_item, request.items))]


def response_fields(response: AccessResponse) -> list[Field]:
    """Return an access-response as fields."""
    return [_invoke(response.invoke_id), *numbered(map(_result, response.results))]


def alert_fields(alert: DlmsAlert) -> list[Field]:
    """Return an alert as fields."""
    reference = alerts.command_reference_of(alert)
    if reference is not None:
        content = command_reference_fields(reference)
    elif alerts.image_hash_of(alert) is not None:
        content = [("manufacturer image hash", _text(alert.content[0]))]
    else:
        content = numbered(map(data_field, alert.content))
    return [
        _invoke(alert.invoke_id),
        ("alert code", alert_name(alert.alert_code)),
        ("at", _date_time(alert.at) or alert.at.hex()),
        *content,
    ]


def alert_name(code: int) -> str:
    """Return an alert code with its meaning, where that is known."""
    meaning = alerts.MEANINGS.get(code)
    return f"0x{code:04X} {meaning}" if meaning else f"0x{code:04X}"


def command_reference_fields(reference: alerts.CommandReference) -> list[Field]:
    """Return what a future-dated outcome says of its command as fields."""
    return [
        ("command's message code", f"0x{reference.message_code:04X}"),
        ("command's originator counter", str(reference.counter)),
        ("item", reference.item),
    ]


def _invoke(invoke_id: int) -> Field:
    return "invoke id", f"0x{invoke_id:08X}"


def _item(item: AccessItem) -> Field:
    obis = print_obis(item.obis)
    known = names.OBJECTS.get((item.class_id, obis))
    fields: list[Field] = [
        ("class", str(item.class_id)),
        ("logical name", obis),
        ("attribute" if item.operation.name != "ACTION" else "method", str(item.index)),
    ]
    if item.selection is not None:
        fields.append(("selector", str(item.selection.selector)))
        fields.append(data_field(item.selection.parameters))
    if item.data != NULL:
        fields.append(data_field(item.data))
    operation = item.operation.name.lower().replace("_", " ")
    return f"{operation} {known}" if known else operation, fields


def _result(result: AccessResult) -> Field:
    code = _RESULTS.get(result.result, "result")
    fields: list[Field] = [("result", f"{result.result} {code}")]
    if result.data != NULL:
        fields.append(data_field(result.data))
    return result.operation.name.lower(), fields


def data_field(data: Data) -> Field:
    """Return one DLMS value as a field named by its type."""
    name = data.tag.name.lower().replace("_", " ")
    value = data.value
    if isinstance(value, tuple):
        return name, numbered(map(data_field, value))
    if isinstance(value, CompactArray):
        return name, numbered(map(data_field, value.rows))
    return name, _text(data)


def _text(data: Data) -> str:
    value = data.value
    if isinstance(value, bytes):
        return _octets(data.tag, value)
    if isinstance(value, BitString):
        return f"{value.octets.hex()} ({value.count} bits)"
    if data.tag is Tag.BOOLEAN:
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _octets(tag: Tag, value: bytes) -> str:
    if tag in {Tag.VISIBLE, Tag.UTF8}:
        return repr(value.decode("utf-8", "backslashreplace"))
    if is_block(value):
        return f"{value.hex()} (encrypted)"
    moment = _date_time(value) if len(value) == _DATE_TIME_LENGTH else None
    return f"{value.hex()} ({moment})" if moment else value.hex()


def _date_time(octets: bytes) -> str | None:
    if octets == NOW:
        return "at once"
    if octets == NEVER:
        return "never"
    try:
        at, status = decode_date_time(octets)
    except MalformedFrameError:
        return None
    return f"{iso(at)}, clock status {status:02X}"
