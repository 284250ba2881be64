"""Cluster commands inside GBZ payloads as named fields, by the layouts of ``zcl_layouts``.

This is the fast path: rows of fields of fixed size are read at a stroke. ``zcl_declaration`` builds
construct formats out of the same layouts, and a test holds the two to agreement.
"""

import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from emulator.codecs.common import Reader
from emulator.codecs.gbcs.zcl_layouts import LAYOUTS, ZclCase, ZclField, ZclPart, ZclRows

LAYER: Final = "gbcs.zcl"
#: A field and its value: int for numbers, bitmaps and ``utc``; bytes for strings and dates; None
#: for the "invalid" form of a string; a tuple of rows for ``ZclRows``, of fields for ``ZclCase``.
ZclValue = tuple[ZclPart, Any]
ZclValues = tuple[ZclValue, ...]

_STRINGS: Final = frozenset({"text", "octets"})
_NO_STRING: Final = 0xFF
#: Type -> (letters of ``struct``, octets, signed); u24 and u48 are put together from octets.
_FIXED: Final[Mapping[str, tuple[str, int, bool]]] = {
    "u8": ("B", 1, False),
    "enum8": ("B", 1, False),
    "map8": ("B", 1, False),
    "u16": ("H", 2, False),
    "map16": ("H", 2, False),
    "u24": ("3s", 3, False),
    "u32": ("I", 4, False),
    "map32": ("I", 4, False),
    "utc": ("I", 4, False),
    "i32": ("i", 4, True),
    "u48": ("6s", 6, False),
    "date": ("4s", 4, False),
}
_PUT_TOGETHER: Final = frozenset({"u24", "u48"})
_Step = Callable[[Reader, list[ZclValue]], None]


def read(key: tuple[int, bool, int], payload: bytes) -> ZclValues | None:
    """Read the payload of a cluster command.

    Args:
        key: Cluster, whether towards the client, command.
        payload: What follows the ZCL header, not encrypted.

    Returns:
        The fields in order; None for a command that is in no layout.

    Raises:
        MalformedFrameError: Layer ``gbcs.zcl``: truncation or trailing octets.
    """
    steps = _program(key)
    if steps is None:
        return None
    reader = Reader(LAYER, payload)
    values: list[ZclValue] = []
    for step in steps:
        step(reader, values)
    reader.finish()
    return tuple(values)


@lru_cache(maxsize=256)
def _program(key: tuple[int, bool, int]) -> tuple[_Step, ...] | None:
    layout = LAYOUTS.get(key)
    return None if layout is None else _steps(layout)


def _steps(parts: tuple[ZclPart, ...]) -> tuple[_Step, ...]:
    """Return what reads the parts, neighbours of fixed size together."""
    steps: list[_Step] = []
    run: list[ZclField] = []
    for part in parts:
        if isinstance(part, ZclField) and part.type in _FIXED and not part.optional:
            run.append(part)
            continue
        if run:
            steps.append(_fixed(tuple(run)))
            run = []
        steps.append(_step(part))
    if run:
        steps.append(_fixed(tuple(run)))
    return tuple(steps)


def _step(part: ZclPart) -> _Step:
    if isinstance(part, ZclRows):
        return _rows(part)
    if isinstance(part, ZclCase):
        return _case(part)
    return _optional(part) if part.optional else _string(part)


def _fixed(fields: tuple[ZclField, ...]) -> _Step:
    form = struct.Struct("<" + "".join(_FIXED[field.type][0] for field in fields))
    wide = [n for n, field in enumerate(fields) if field.type in _PUT_TOGETHER]
    size = form.size

    def step(reader: Reader, values: list[ZclValue]) -> None:
        at = reader.at
        if at + size > reader.end:
            reader.fail(f"{size} octets wanted for {fields[0].name} and on, {reader.end - at} left")
        found = form.unpack_from(reader.data, at)
        reader.at = at + size
        if wide:
            numbers = list(found)
            for n in wide:
                numbers[n] = int.from_bytes(numbers[n], "little")
            values += zip(fields, numbers, strict=True)
        else:
            values += zip(fields, found, strict=True)

    return step


def _string(field: ZclField) -> _Step:
    def step(reader: Reader, values: list[ZclValue]) -> None:
        length = reader.u8()
        values.append((field, None if length == _NO_STRING else reader.take(length)))

    return step


def _optional(field: ZclField) -> _Step:
    inner = _string(field) if field.type in _STRINGS else _fixed((field,))

    def step(reader: Reader, values: list[ZclValue]) -> None:
        if reader.at < reader.end:
            inner(reader, values)

    return step


def _rows(rows: ZclRows) -> _Step:
    steps = _steps(rows.fields)

    def row(reader: Reader) -> ZclValues:
        values: list[ZclValue] = []
        for step in steps:
            step(reader, values)
        return tuple(values)

    def counted(reader: Reader, values: list[ZclValue]) -> None:
        count = count_of(rows, values)
        values.append((rows, tuple([row(reader) for _ in range(count)])))

    def to_the_end(reader: Reader, values: list[ZclValue]) -> None:
        found = []
        while reader.at < reader.end:
            found.append(row(reader))
        values.append((rows, tuple(found)))

    return counted if rows.count else to_the_end


def count_of(rows: ZclRows, values: list[ZclValue]) -> int:
    """Return how many rows the fields before them announce."""
    count = int(number_of(rows.count, values))
    return count % 16 if rows.part else count


def number_of(name: str, values: list[ZclValue]) -> int:
    """Return the value of the field of that name.

    Raises:
        KeyError: A layout names a field that is not before it.
    """
    for part, value in values:
        if part.name == name:
            return int(value)
    raise KeyError(name)


def _case(case: ZclCase) -> _Step:
    steps = _steps(case.fields)

    def step(reader: Reader, values: list[ZclValue]) -> None:
        if number_of(case.kind, values) == case.value:
            inner: list[ZclValue] = []
            for one in steps:
                one(reader, inner)
            values.append((case, tuple(inner)))

    return step


def write(values: ZclValues) -> bytes:
    """Write the fields of a cluster command.

    Raises:
        ValueError: A value does not fit its field.
    """
    out = bytearray()
    for part, value in values:
        if isinstance(part, ZclRows):
            out += b"".join(write(row) for row in value)
        elif isinstance(part, ZclCase):
            out += write(value)
        else:
            out += _written(part, value)
    return bytes(out)


def _written(field: ZclField, value: Any) -> bytes:
    if field.type in _STRINGS:
        if value is not None and len(value) >= _NO_STRING:
            raise ValueError(f"{field.name}: {len(value)} octets do not fit")
        return bytes((_NO_STRING,)) if value is None else bytes((len(value),)) + value
    _, size, signed = _FIXED[field.type]
    if field.type == "date":
        if len(value) != size:
            raise ValueError(f"{field.name}: a date has {size} octets")
        return bytes(value)
    try:
        return int(value).to_bytes(size, "little", signed=signed)
    except OverflowError:
        raise ValueError(f"{field.name}: {value} does not fit {field.type}") from None
