"""ASN.1 payloads as fields: typed firmware payloads, and DER trees under the names of a layout."""

from collections.abc import Iterator

from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.codecs.gbcs.asn1 import CANCEL_TIME
from emulator.codecs.gbcs.dates import decode_generalized_time
from emulator.codecs.gbcs.payload import FirmwareValue
from emulator.core.clock import UtcMs, iso
from emulator.core.errors import MalformedFrameError
from harness.gbcs_view.dlms import alert_name
from harness.gbcs_view.field import Field, numbered, plain_fields
from harness.gbcs_view.layouts import Part

_TIMES = frozenset({"at", "execution_time"})
_ALERT_CODE = "alert_code"


def firmware_fields(value: FirmwareValue) -> list[Field]:
    """Return a typed firmware payload as fields."""
    return plain_fields(value, _text_of) or [(type(value).__name__, "NULL")]


def _text_of(name: str, item: object) -> str | None:
    if name in _TIMES:
        if not isinstance(item, int):
            return "at once"
        return iso(UtcMs(item)) + (" (cancels)" if item == CANCEL_TIME else "")
    if name == _ALERT_CODE and isinstance(item, int):
        return alert_name(item)
    return "NULL" if item is None else None


def node_field(node: Node, part: Part | None = None) -> Field:
    """Return a DER value as a field, named by its layout or else by its type."""
    name = part.name if part else _type_name(node.tag)
    if isinstance(node.content, bytes):
        return name, _text(name, node.tag, node.content)
    if name.startswith("certifica") and part is not None and not part.parts:
        return name, der.encode(node).hex()
    if part is not None and part.each is not None:
        return name, numbered(node_field(item, part.each) for item in node.content)
    return name, [node_field(item, inner) for item, inner in _matched(node.content, part)]


def _matched(content: tuple[Node, ...], part: Part | None) -> Iterator[tuple[Node, Part | None]]:
    """Pair the values of a SEQUENCE with its parts; optional parts are told by their tags."""
    due = list(part.parts) if part else []
    for node in content:
        while due and due[0].tag not in {None, node.tag}:
            due.pop(0)
        yield node, due.pop(0) if due else None


def _type_name(tag: int) -> str:
    try:
        return Tag(tag).name.lower().replace("_", " ")
    except ValueError:
        return f"[{tag & 0x1F}]"


def _text(name: str, tag: int, content: bytes) -> str:
    if tag in {Tag.INTEGER, Tag.ENUMERATED} or (tag & 0xE0 == 0x80 and content):
        number = int.from_bytes(content, "big", signed=True)
        return alert_name(number) if name == "alert code" else str(number)
    if tag == Tag.NULL:
        return "NULL"
    if tag == Tag.GENERALIZED_TIME:
        try:
            return iso(decode_generalized_time(content))
        except MalformedFrameError:
            return content.hex()
    if tag in {Tag.UTF8_STRING, Tag.PRINTABLE_STRING, Tag.UTC_TIME}:
        return content.decode("utf-8", "backslashreplace")
    return content.hex()
