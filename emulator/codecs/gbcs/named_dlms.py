"""DLMS payloads as named values: what is asked of which object, and what it answered."""

from functools import lru_cache
from typing import Any, Final

from emulator.codecs.dlms import axdr, protected
from emulator.codecs.dlms.access import (
    AccessItem,
    AccessRequest,
    AccessResponse,
    AccessResult,
    Operation,
)
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.codecs.gbcs import access_items, alerts
from emulator.codecs.gbcs.alerts import DlmsAlert
from emulator.codecs.gbcs.named import Group, Named, NamedValue, Rows, leaf
from emulator.codecs.gbcs.named_data import named_data, plain_data
from emulator.codecs.gbcs.named_objects import (
    DEVICE_LOG,
    SUB_GHZ,
    Member,
    members,
    read_under_protection,
)
from emulator.core.errors import MalformedFrameError

_INVOKE: Final = leaf("invoke_id", "hex32")
_OBJECT: Final = leaf("object", "object")
_RESULT: Final = leaf("result", "access_result")
_ALERT_CODE: Final = leaf("alert_code", "alert_code")
_AT: Final = leaf("at", "date_time")
_BLOCK: Final = leaf("encrypted_block", "block")
_PROTECTED: Final = "protected"
_UNNAMED: Final = {operation: Group(operation.name.lower()) for operation in Operation}
_Known = tuple[Group, NamedValue, Member | None]
#: Name of what is in no catalogue.
_ADDRESS: Final = "object"
#: Alert code -> names and shapes of what it adds. Source: reference gbcs.md section 7 and the
#: alerts of RTDS 4.5.0 at hand; names by the alerts' titles.
_ALERT_CONTENT: Final[dict[int, tuple[tuple[str, str], ...]]] = {
    0x8F12: (("device_log", DEVICE_LOG),),
    0x8F20: (("device", "octets8"),),
    0x8F28: (("scan_outcome", "struct(outcome:octets,further:octets)"),),
    0x8F2A: (("sub_ghz_configuration", SUB_GHZ),),
    0x8F36: (("outage_began", "date_time"), ("supply_restored", "date_time")),
    0x8F86: (("controller", "u8"), ("limit_begins", "date_time"), ("limit_ends", "date_time"),
             ("limit_percent", "u8")),
    0x8F87: (("controller", "u8"), ("cause", "u8")),
    0x8F1C: (("manufacturer_image_hash", "octets"),),
    0x8F72: (("manufacturer_image_hash", "octets"),),
    0x81A0: (("integrity_issue", "octets"),),
}  # fmt: skip


def request(value: AccessRequest) -> Named:
    """Return an access-request."""
    return ((_INVOKE, value.invoke_id), *[_item(item) for item in value.items])


@lru_cache(maxsize=2048)
def _known(operation: Operation, class_id: int, obis: bytes, index: int) -> _Known:
    """Return what an item touches: title, address, member."""
    member = members().get((class_id, obis, operation is Operation.ACTION, index))
    verb = "get" if operation is Operation.GET_SELECTED else operation.name.lower()
    title = Group(f"{verb} {member.name if member else _ADDRESS}")
    return title, (_OBJECT, (class_id, obis, operation, index)), member


def _item(item: AccessItem) -> NamedValue:
    title, address, member = _known(item.operation, item.class_id, item.obis, item.index)
    parts: list[NamedValue] = [address]
    if item.selection is not None:
        parts.append(_selection(item.selection.selector, item.selection.parameters))
    if item.data is not NULL and item.data != NULL:
        parts.append(_argument(member, item.data))
    return title, tuple(parts)


_ENTRIES: Final = "struct(from_entry:u32,to_entry:u32,from_column:u16,to_column:u16)"


def _selection(selector: int, parameters: Data) -> NamedValue:
    """Return a selection: by range of a column (1), or by entry numbers (2)."""
    items = parameters.value
    if selector == 1 and isinstance(items, tuple) and len(items) == 4:
        by, begin, end, columns = items
        kind = "date_time" if begin.tag is Tag.OCTETS else "utc"
        shape = "struct(class:u16,object:obis,attribute:i8,index:u16)"
        return Group("selected_by_range"), (
            named_data("by", shape, by),
            named_data("from", kind, begin),
            named_data("to", kind, end),
            plain_data("columns", columns),
        )
    if selector == 2:
        return named_data("selected_by_entry", _ENTRIES, parameters)
    return Group("selection"), ((leaf("selector", "u8"), selector), plain_data("by", parameters))


def _argument(member: Member | None, data: Data) -> NamedValue:
    if member is None:
        return plain_data("value", data)
    if member.shape == _PROTECTED:
        return _protected_request(data)
    return named_data(member.name, member.shape, data)


def _protected_request(data: Data) -> NamedValue:
    try:
        asked = protected.read_request(data)
    except MalformedFrameError:
        return plain_data("value", data)
    references = []
    for one in asked.references:
        member = members().get((one.class_id, one.obis, False, one.attribute))
        row: list[NamedValue] = [
            (leaf("attribute", "text"), (member.name if member else _ADDRESS).encode()),
            (_OBJECT, (one.class_id, one.obis, Operation.GET, one.attribute)),
        ]
        if one.begin is not None:
            row.append((leaf("from", "date_time"), one.begin))
            row.append((leaf("to", "date_time"), one.end))
        references.append(tuple(row))
    return Group("protected_read"), (
        (Rows("wanted"), tuple(references)),
        _protection(asked.parameters),
    )


def _protection(parameters: protected.ProtectionParameters) -> NamedValue:
    return Group("protection"), (
        (leaf("counter", "u64"), parameters.counter),
        (leaf("originator", "eui64"), parameters.originator.octets),
        (leaf("recipient", "eui64"), parameters.recipient.octets),
    )


def response(value: AccessResponse, code: int, asked: AccessRequest | None = None) -> Named:
    """Return an access-response.

    Args:
        value: The response, which does not say what was asked.
        code: Its message code; the items of its use case name the answers.
        asked: The command, where it is at hand.
    """
    names = _asked(value, code, asked)
    found: list[NamedValue] = [(_INVOKE, value.invoke_id)]
    for number, result in enumerate(value.results):
        found.append(_answer(result, names[number] if names else None))
    return tuple(found)


def _asked(
    value: AccessResponse, code: int, asked: AccessRequest | None
) -> tuple[AccessItem, ...] | None:
    if asked is not None and len(asked.items) == len(value.results):
        return asked.items
    return access_items.items_of(code, tuple([result.operation for result in value.results]))


def _answer(result: AccessResult, item: AccessItem | None) -> NamedValue:
    if item is None:
        title, member = _UNNAMED[result.operation], None
        parts: list[NamedValue] = [(_RESULT, result.result)]
    else:
        title, address, member = _known(item.operation, item.class_id, item.obis, item.index)
        parts = [address, (_RESULT, result.result)]
    if result.data is not NULL and result.data != NULL:
        parts.append(_value(member, result.data))
    return title, tuple(parts)


def _value(member: Member | None, data: Data) -> NamedValue:
    if member is not None and member.shape != _PROTECTED:
        return named_data(member.name, member.shape, data)
    found = _protected_answer(data)
    return plain_data("value", data) if found is None else found


def _protected_answer(data: Data) -> NamedValue | None:
    """Return the answer of a protected read, or None for another value."""
    items = data.value
    if data.tag is not Tag.STRUCTURE or not isinstance(items, tuple) or len(items) != 2:
        return None
    found = _protected_parts(*items)
    return None if found is None else (Group("protected_answer"), found)


def _protected_parts(parameters: Data, block: Data) -> Named | None:
    """Return how a block is protected and the block, or None for other values."""
    if block.tag is not Tag.OCTETS:
        return None
    nothing = Data(Tag.ARRAY, ())
    try:
        read = protected.read_request(axdr.structure(nothing, parameters)).parameters
    except MalformedFrameError:
        return None
    return _protection(read), (_BLOCK, block.value)


def plain_text(octets: bytes, use_case: str) -> Named:
    """Return the plain text of an encrypted block: a structure of the attributes asked for.

    Args:
        octets: The plain text.
        use_case: Use case of the message that carried it.

    Raises:
        MalformedFrameError: It is no DLMS value.
    """
    data = axdr.decode(octets)
    items = data.value if data.tag is Tag.STRUCTURE else None
    known = read_under_protection(use_case)
    if not isinstance(items, tuple) or (known and len(known) != len(items)):
        return (plain_data("plain_text", data),)
    if not known:
        return tuple([plain_data(f"attribute_{n}", item) for n, item in enumerate(items, 1)])
    return tuple(
        [named_data(one.name, one.shape, item) for one, item in zip(known, items, strict=True)]
    )


def alert(value: DlmsAlert) -> Named:
    """Return an alert."""
    head: Named = ((_INVOKE, value.invoke_id), (_ALERT_CODE, value.alert_code), (_AT, value.at))
    return head + _content(value)


def _content(value: DlmsAlert) -> Named:
    reference = alerts.command_reference_of(value)
    if reference is not None:
        return command_reference(reference)
    names = _ALERT_CONTENT.get(value.alert_code, ())
    content = value.content
    if names and len(names) == len(content):
        return tuple([named_data(*name, item) for name, item in zip(names, content, strict=True)])
    if value.alert_code == alerts.AlertCode.COMMAND_NOT_SUPPORTED and len(content) == 1:
        refused = unsupported_command(content[0].value)
        if refused:
            return refused
    if len(content) == 2:
        sealed = _protected_parts(*content)
        if sealed is not None:
            return sealed
    return tuple([plain_data(f"content_{n}", item) for n, item in enumerate(content, 1)])


def unsupported_command(octets: Any) -> Named:
    """Return the command that alert 8F85 names: message code and counter; nothing of other octets.

    Source:
        RTDS 4.5.0 ECS100.
    """
    if not isinstance(octets, bytes) or len(octets) != 10:
        return ()
    return (
        (leaf("command_message_code", "message_code"), int.from_bytes(octets[:2], "big")),
        (leaf("command_counter", "u64"), int.from_bytes(octets[2:], "big")),
    )


def command_reference(reference: alerts.CommandReference) -> Named:
    """Return what a future-dated outcome says of its command."""
    return (
        (leaf("command_message_code", "message_code"), reference.message_code),
        (leaf("command_counter", "u64"), reference.counter),
        (leaf("item", "item"), reference.item),
    )
