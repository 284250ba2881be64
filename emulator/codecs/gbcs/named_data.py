"""DLMS values under the names of their shapes."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from emulator.codecs.dlms.axdr import CompactArray, Data, Tag
from emulator.codecs.dlms.plain_scalars import Scalar
from emulator.codecs.dlms.shapes import (
    Choice,
    Compact,
    Fields,
    Prices,
    Shape,
    shape_of,
)
from emulator.codecs.dlms.shapes import Rows as RowsShape
from emulator.codecs.gbcs.named import Group, NamedValue, Rows, leaf

_Reading = Callable[[Data], NamedValue | None]
#: Name of the elements of an array that has no better one.
_ELEMENT = "value"


def named_data(name: str, word: str, data: Data) -> NamedValue:
    """Return a value under the names of its shape; of another shape, under those of its types."""
    return _reading(name, word)(data) or plain_data(name, data)


@lru_cache(maxsize=2048)
def _reading(name: str, word: str) -> _Reading:
    return _reads(name, shape_of(word))


def _reads(name: str, shape: Shape) -> _Reading:
    match shape:
        case Scalar():
            return _scalar(name, shape)
        case Choice(options):
            return _choice([_reads(name, option) for option in options])
        case Prices(table):
            return _reads(name, table)
        case Compact(row):
            return _compact(name, _row(row))
        case RowsShape(element, count):
            return _array(name, _row(element), count)
    return _structure(name, shape)


def _scalar(name: str, shape: Scalar) -> _Reading:
    part, tag = leaf(name, shape.name), shape.tag

    def read(data: Data) -> NamedValue | None:
        if data.tag is not tag or (shape.count is not None and not shape.fits(data)):
            return None
        return part, data.value

    return read


def _choice(options: list[_Reading]) -> _Reading:
    def read(data: Data) -> NamedValue | None:
        for option in options:
            found = option(data)
            if found is not None:
                return found
        return None

    return read


def _row(shape: Shape) -> Callable[[Data], Any]:
    """Return what reads a row: a tuple of named values, or None."""
    if isinstance(shape, Fields):
        inner = _structure("row", shape)

        def fields(data: Data) -> Any:
            found = inner(data)
            return None if found is None else found[1]

        return fields
    single = _reads(_ELEMENT, shape)

    def one(data: Data) -> Any:
        found = single(data)
        return None if found is None else (found,)

    return one


def _compact(name: str, row: Callable[[Data], Any]) -> _Reading:
    part = Rows(name)

    def read(data: Data) -> NamedValue | None:
        if not isinstance(data.value, CompactArray):
            return None
        rows = tuple([row(item) for item in data.value.rows])
        return None if None in rows else (part, rows)

    return read


def _array(name: str, row: Callable[[Data], Any], count: int | None) -> _Reading:
    part = Rows(name)

    def read(data: Data) -> NamedValue | None:
        items = data.value
        if data.tag is not Tag.ARRAY or not isinstance(items, tuple):
            return None
        if count is not None and len(items) != count:
            return None
        rows = tuple([row(item) for item in items])
        return None if None in rows else (part, rows)

    return read


def _structure(name: str, shape: Fields) -> _Reading:
    part = Group(name)
    readings = [_reads(inner, one) for inner, one in shape.elements]

    def read(data: Data) -> NamedValue | None:
        items = data.value
        if data.tag is not Tag.STRUCTURE or not isinstance(items, tuple):
            return None
        if len(items) != len(readings):
            return None
        found = []
        for reading, item in zip(readings, items, strict=True):
            value = reading(item)
            if value is None:
                return None
            found.append(value)
        return part, tuple(found)

    return read


def plain_data(name: str, data: Data) -> NamedValue:
    """Return a value whose shape is not known, under the names of its DLMS types."""
    value = data.value
    if isinstance(value, CompactArray):
        return Rows(name), tuple([(plain_data(_ELEMENT, row),) for row in value.rows])
    if isinstance(value, tuple):
        if data.tag is Tag.ARRAY:
            return Rows(name), tuple([(plain_data(_ELEMENT, item),) for item in value])
        parts = [plain_data(f"part_{n}", item) for n, item in enumerate(value, 1)]
        return Group(name), tuple(parts)
    return leaf(name, data.tag.name.lower()), value
