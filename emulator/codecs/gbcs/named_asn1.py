"""ASN.1 payloads as named values: typed firmware payloads, DER trees by the names of a layout."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from emulator.codecs.der import Node, Tag
from emulator.codecs.gbcs.asn1_layouts import LAYOUTS, Part
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.named import Group, Named, NamedValue, Rows, leaf
from emulator.codecs.gbcs.payload import FirmwareValue

#: Names of typed firmware fields that are more than numbers and octets.
_FIRMWARE_TYPES: Final = {
    "at": "moment",
    "execution_time": "execution_time",
    "alert_code": "alert_code",
    "device": "eui",
    "code": "code",
    "firmware_version": "version",
}
_TAG_TYPES: Final = {
    int(Tag.INTEGER): "int",
    int(Tag.ENUMERATED): "int",
    int(Tag.NULL): "null",
    int(Tag.GENERALIZED_TIME): "generalized_time",
    int(Tag.BIT_STRING): "octets",
    int(Tag.OCTET_STRING): "octets",
}
_WHOLE: Final = frozenset({"certificate", "pkcs"})
_CONTEXT: Final = 0x80


def firmware(value: FirmwareValue) -> Named:
    """Return a typed firmware payload."""
    fields = _fields(value)
    return fields or ((leaf(type(value).__name__, "null"), None),)


def _fields(value: Any) -> Named:
    found: list[NamedValue] = []
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if dataclasses.is_dataclass(item) and field.name not in _FIRMWARE_TYPES:
            found.append((Group(field.name), _fields(item)))
        else:
            kind = _FIRMWARE_TYPES.get(field.name) or _plain_type(item)
            found.append((leaf(field.name, kind), item))
    return tuple(found)


def _plain_type(item: object) -> str:
    if item is None:
        return "null"
    return "octets" if isinstance(item, bytes) else "u64"


def tree(node: Node, code: int, cra: Cra) -> Named:
    """Return a DER tree under the names of the layout of its message code."""
    return (_named(node, LAYOUTS.get((code, cra))),)


def _named(node: Node, part: Part | None) -> NamedValue:
    name = part.name if part else _type_name(node.tag)
    content = node.content
    if isinstance(content, bytes):
        return _single(name, part.type if part else "", node.tag, content)
    if part is not None and part.type in _WHOLE:
        return leaf(name, "certificate"), node
    if part is not None and part.each is not None:
        return Rows(name), tuple([_row(item, part.each) for item in content])
    return Group(name), tuple([_named(item, inner) for item, inner in _matched(content, part)])


def _row(node: Node, part: Part) -> Named:
    """Return an element of a SEQUENCE OF: its parts, or itself where it has none."""
    if isinstance(node.content, bytes) or not (part.parts or part.each):
        return (_named(node, part),)
    return tuple([_named(item, inner) for item, inner in _matched(node.content, part)])


def _single(name: str, kind: str, tag: int, content: bytes) -> NamedValue:
    plain = _TAG_TYPES.get(tag)
    if plain is None:
        plain = "int" if tag & 0xE0 == _CONTEXT and 0 < len(content) <= 9 else "octets"
    value: Any = content
    if plain == "int":
        value = int.from_bytes(content, "big", signed=True)
    elif plain == "null":
        value = None
    same = not kind or kind in _WHOLE or (plain == "int") != (kind in _NUMBERS)
    return leaf(name, plain if same else kind), value


#: Types of a layout that are integers on the wire.
_NUMBERS: Final = frozenset(
    {"role", "device_type", "replace_mode", "join_method", "alert_code", "result"}
)


def _matched(content: tuple[Node, ...], part: Part | None) -> Iterator[tuple[Node, Part | None]]:
    """Pair the values of a SEQUENCE with its parts; optional parts are told by their tags."""
    due = list(part.parts) if part else []
    for node in content:
        while due and due[0].tag not in {None, node.tag}:
            due.pop(0)
        yield node, due.pop(0) if due else None


def _type_name(tag: int) -> str:
    try:
        return Tag(tag).name.lower()
    except ValueError:
        return f"context_{tag & 0x1F}"
