"""Named values as fields: each leaf printed with its unit, each number with its word."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from emulator.codecs import der
from emulator.codecs.dlms.access import Operation, parse_obis, print_obis
from emulator.codecs.dlms.axdr import BitString
from emulator.codecs.gbcs import alerts
from emulator.codecs.gbcs.dates import CANCEL_TIME, decode_generalized_time
from emulator.codecs.gbcs.named import Named, NamedValue, is_group, is_rows
from emulator.codecs.gbcs.named_objects import members
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.codecs.gbcs.zcl_names import CLUSTERS
from emulator.core.clock import UtcMs, from_zigbee_seconds, iso
from emulator.core.errors import MalformedFrameError
from harness.gbcs_view import names
from harness.gbcs_view.certificates import certificate_fields
from harness.gbcs_view.field import Field
from harness.gbcs_view.moments import date_text, date_time_text, time_text
from harness.gbcs_view.words import BY_NAME, BY_TYPE, unit_of

_NO_TIME: Final = 0xFFFFFFFF
#: A text of octets that are neither keys nor numbers is shown as text.
_SECRET: Final = ("key", "hash", "pan_id")


def fields_of_named(named: Named, parent: str = "") -> list[Field]:
    """Return named values as fields; several things of one name are numbered."""
    return [_field(one, parent) for one in named]


def numbered_fields(named: Named) -> list[Field]:
    """Return named values as fields, groups with 1, 2, 3 … before their names."""
    fields: list[Field] = []
    number = 0
    for one in named:
        name, value = _field(one, "")
        if is_group(one[0]):
            number += 1
            name = f"{number} {name}"
        fields.append((name, value))
    return fields


def _field(one: NamedValue, parent: str) -> Field:
    part, value = one
    name = part.name.replace("_", " ") if not is_group(part) else part.name
    if getattr(part, "type", "") == "certificate":
        return name, certificate_fields(der.encode(value))
    if is_rows(part):
        return name, _rows(part.name, value, parent)
    if is_group(part):
        return _title(part.name), fields_of_named(value, part.name)
    return name, leaf_text(part.name, getattr(part, "type", ""), value, parent)


def _title(name: str) -> str:
    return name if ":" in name else name.replace("_", " ")


def _rows(name: str, rows: tuple[Named, ...], parent: str) -> str | list[Field]:
    """Return rows: single values on one line, others numbered."""
    unit = unit_of(name) or unit_of(parent)
    if not rows:
        return "none"
    if all(_is_single(row) for row in rows):
        texts = [leaf_text(row[0][0].name, getattr(row[0][0], "type", ""), row[0][1], name)
                 for row in rows]  # fmt: skip
        if unit:
            texts = [text.removesuffix(f" {unit}") for text in texts]
        return ", ".join(texts) + (f" {unit}" if unit else "")
    fields: list[Field] = []
    for number, row in enumerate(rows, 1):
        inner = fields_of_named(row, name)
        single = inner[0][1] if len(row) == 1 else inner
        fields.append((f"{number}", single))
    return fields


def _is_single(row: Named) -> bool:
    if len(row) != 1 or is_group(row[0][0]) or is_rows(row[0][0]):
        return False
    return getattr(row[0][0], "type", "") != "certificate"


def leaf_text(name: str, kind: str, value: Any, parent: str = "") -> str:
    """Return a single value as text, with its unit or word."""
    if value is None:
        return "at once" if kind == "execution_time" else "none"
    special = _SPECIAL.get(kind)
    if special is not None:
        return special(value)
    if isinstance(value, bytes):
        return _octets(name, kind, value)
    if isinstance(value, BitString):
        return _bits(value)
    if isinstance(value, int):
        return _number(name, kind, int(value), parent)
    return str(value)


def _number(name: str, kind: str, value: int, parent: str) -> str:
    words = BY_TYPE.get(kind) or BY_NAME.get(name)
    if words is not None:
        return f"{value} {words[value]}" if value in words else str(value)
    if kind.startswith(("map", "bitmap")):
        return f"0x{value:0{2 * (int(kind.lstrip('bitmap')) // 8)}X}"
    unit = unit_of(name, parent)
    return f"{value} {unit}" if unit else str(value)


def _octets(name: str, kind: str, value: bytes) -> str:
    if kind in {"visible", "utf8", "text"}:
        return repr(value.decode("utf-8", "backslashreplace"))
    if not value:
        return "empty"
    if kind == "octets" and not any(word in name for word in _SECRET) and _is_text(value):
        return repr(value.decode("ascii"))
    if len(value) == 8 and "device" in name:
        return _eui64(value)
    return value.hex()


def _is_text(value: bytes) -> bool:
    return len(value) > 1 and all(0x20 <= octet < 0x7F for octet in value)


def _eui64(value: bytes) -> str:
    return "-".join(f"{octet:02X}" for octet in value)


def _bits(value: BitString) -> str:
    on = [n for n in range(value.count) if value.octets[n // 8] & 0x80 >> n % 8]
    return f"{value.count} bits, on: {', '.join(map(str, on)) or 'none'}"


def _object(value: tuple[int, bytes, Operation, int]) -> str:
    class_id, obis, operation, index = value
    logical = print_obis(obis)
    known = names.OBJECTS.get((class_id, logical))
    kind = "method" if operation is Operation.ACTION else "attribute"
    where = f"class {class_id}, {logical}, {kind} {index}"
    return f"{known} ({where})" if known else where


def _item(value: str) -> str:
    """Return the thing that a future-dated outcome names, with its name where it is known."""
    try:
        class_id, obis, attribute = value.split("/")
        key = int(class_id), parse_obis(obis), False, int(attribute)
    except ValueError:
        return value
    member = members().get(key)
    return f"{member.name.replace('_', ' ')} ({value})" if member else value


def alert_name(code: int) -> str:
    """Return an alert code with its meaning, where that is known."""
    meaning = alerts.MEANINGS.get(code)
    return f"0x{code:04X} {meaning}" if meaning else f"0x{code:04X}"


def message_code_name(code: int) -> str:
    """Return a message code with its use case, where that is known."""
    row = MESSAGES.get(code)
    return f"0x{code:04X} {row.use_case}" if row else f"0x{code:04X}"


def _utc(value: int) -> str:
    if value == _NO_TIME:
        return "never (cancels)"
    return "at once, or not given" if value == 0 else iso(from_zigbee_seconds(value))


def _unix(value: int) -> str:
    return iso(UtcMs(value * 1000)) if value else "not given"


def _moment(value: int) -> str:
    return iso(UtcMs(value)) + (" (cancels)" if value == CANCEL_TIME else "")


def _generalized(value: bytes) -> str:
    try:
        return _moment(decode_generalized_time(value))
    except MalformedFrameError:
        return value.hex()


def _usage(value: bytes) -> str:
    words = {b"\x07\x80": "digital signature", b"\x03\x08": "key agreement",
             b"\x02\x04": "certificate signing"}  # fmt: skip
    return words.get(value, value.hex())


def _zcl_date(value: int) -> str:
    """Return a ZCL date attribute: year since 1900, month, day, weekday."""
    return date_text(value.to_bytes(4, "big"))


_SPECIAL: Final[Mapping[str, Callable[[Any], str]]] = MappingProxyType(
    {
        "hex32": lambda value: f"0x{value:08X}",
        "object": _object,
        "alert_code": alert_name,
        "message_code": message_code_name,
        "item": _item,
        "date_time": date_time_text,
        "date": lambda value: date_text(value) if isinstance(value, bytes) else _zcl_date(value),
        "time": time_text,
        "utc": _utc,
        "utc_time": _utc,
        "unix": _unix,
        "moment": _moment,
        "execution_time": _moment,
        "generalized_time": _generalized,
        "octets8": _eui64,
        "eui64": lambda value: _eui64(value) if isinstance(value, bytes) else str(value),
        "usage": _usage,
        "bool": lambda value: "true" if value else "false",
        "boolean": lambda value: "true" if value else "false",
        "obis": print_obis,
        "block": lambda value: f"{value.hex()} (encrypted)",
        "cluster": lambda value: f"0x{value:04X} {CLUSTERS.get(value, 'unknown')}",
        "command": lambda value: f"0x{value:02X}",
        "attribute": lambda value: f"0x{value:04X}",
        "version": bytes.hex,
        "null": lambda _value: "NULL",
    }
)
