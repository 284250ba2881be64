"""Cluster commands inside GBZ payloads in construct: the reference for ``zcl_fields``."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import construct as c

from emulator.codecs.gbcs.zcl_fields import LAYER, ZclValue, ZclValues
from emulator.codecs.gbcs.zcl_layouts import LAYOUTS, ZclCase, ZclField, ZclPart, ZclRows
from emulator.core.errors import MalformedFrameError

_STRING: Final = c.FocusedSeq(
    "octets",
    "length" / c.Rebuild(c.Int8ul, lambda this: 0xFF if this.octets is None else len(this.octets)),
    "octets" / c.If(c.this.length != 0xFF, c.Bytes(c.this.length)),
)
_TYPES: Final[Mapping[str, c.Construct]] = {
    "u8": c.Int8ul,
    "enum8": c.Int8ul,
    "map8": c.Int8ul,
    "u16": c.Int16ul,
    "map16": c.Int16ul,
    "u24": c.Int24ul,
    "u32": c.Int32ul,
    "map32": c.Int32ul,
    "utc": c.Int32ul,
    "i32": c.Int32sl,
    "u48": c.BytesInteger(6, swapped=True),
    "date": c.Bytes(4),
    "text": _STRING,
    "octets": _STRING,
}


def _format(part: ZclPart) -> c.Construct:
    if isinstance(part, ZclField):
        form = _TYPES[part.type]
        return part.name / (_IfLeft(form) if part.optional else form)
    inner = _struct(part.fields)
    if isinstance(part, ZclCase):
        name, wanted = part.kind, part.value
        return part.name / c.If(lambda this: this[name] == wanted, inner)
    if not part.count:
        return part.name / _ToTheEnd(inner)
    return part.name / c.Array(_count(part.count, part.part), inner)


def _count(name: str, part: str) -> Any:
    return lambda this: this[name] % 16 if part else this[name]


def _struct(parts: tuple[ZclPart, ...]) -> c.Construct:
    return c.Struct(*[_format(part) for part in parts])


class _IfLeft(c.Subconstruct):
    """A field that is there unless the command has ended; a cut one is no absent one."""

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        if c.stream_iseof(stream):
            return _Absent
        return self.subcon._parsereport(stream, context, path)  # noqa: SLF001 - construct's way


class _ToTheEnd(c.Subconstruct):
    """Rows until the command ends; a cut row is an error, not the end."""

    def _parse(self, stream: Any, context: Any, path: str) -> list[Any]:
        rows = []
        while not c.stream_iseof(stream):
            rows.append(self.subcon._parsereport(stream, context, path))  # noqa: SLF001 - as above
        return rows


class _Absent:
    """Stands for an optional field that a command ended before."""


@lru_cache(maxsize=256)
def _command(key: tuple[int, bool, int]) -> c.Construct:
    return c.FocusedSeq("fields", "fields" / _struct(LAYOUTS[key]), c.Terminated)


def read(key: tuple[int, bool, int], payload: bytes) -> ZclValues | None:
    """Read the payload of a cluster command as ``zcl_fields.read`` does, by the declaration.

    Raises:
        MalformedFrameError: Layer ``gbcs.zcl``: truncation or trailing octets.
    """
    if key not in LAYOUTS:
        return None
    try:
        found = _command(key).parse(payload)
    except c.ConstructError as error:
        raise MalformedFrameError(LAYER, payload, str(error)) from error
    return tuple(_values(LAYOUTS[key], found))


def _values(parts: tuple[ZclPart, ...], found: Any) -> list[ZclValue]:
    values: list[ZclValue] = []
    for part in parts:
        value = found[part.name]
        if isinstance(part, ZclRows):
            values.append((part, tuple([tuple(_values(part.fields, row)) for row in value])))
        elif isinstance(part, ZclCase):
            if value is not None:
                values.append((part, tuple(_values(part.fields, value))))
        elif value is not _Absent:
            values.append((part, value))
    return values
