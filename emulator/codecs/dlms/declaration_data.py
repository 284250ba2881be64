"""DLMS data as a construct declaration: the reference for the fast path in ``axdr``.

It has no limit of depth, so it is for tests and benchmarks and not for hostile octets.
"""

import io
from typing import Any, Final

from construct import (
    Adapter,
    Array,
    Bytes,
    Construct,
    ConstructError,
    Int8sb,
    Int8ub,
    Int16sb,
    Int16ub,
    Int32sb,
    Int32ub,
    Int64sb,
    Int64ub,
    LazyBound,
    MappingError,
    OneOf,
    Sequence,
    SizeofError,
    Struct,
    Switch,
    Terminated,
    stream_tell,
    this,
)

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import (
    ArrayType,
    BitString,
    CompactArray,
    Data,
    StructureType,
    Tag,
    TypeDescription,
)
from emulator.codecs.dlms.declaration_parts import OCTETS, Listed, Member, Shaped
from emulator.codecs.gbcs.envelope_declaration import BerLength
from emulator.core.errors import MalformedFrameError

#: What construct and Python raise at values that do not fit a declaration.
UNFIT: Final = (ConstructError, OverflowError, TypeError)


class _Nothing(Construct):
    """No octets, and None."""

    def _parse(self, stream: Any, context: Any, path: str) -> None:
        return None

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> None:
        if obj is not None:
            raise MappingError(f"{obj!r} where nothing is due", path=path)

    def _sizeof(self, context: Any, path: str) -> int:
        return 0


class _Something(Construct):
    """A row, or an element of an array: it must take octets, or it could repeat for ever."""

    def __init__(self, form: Construct) -> None:
        super().__init__()
        self._form = form

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        start = stream_tell(stream, path)
        value = self._form.parse_stream(stream)
        if stream_tell(stream, path) == start:
            raise MappingError("an element of a compact array takes no octets", path=path)
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        return self._form.build_stream(obj, stream)

    def _sizeof(self, context: Any, path: str) -> int:
        raise SizeofError("a row has no fixed size", path=path)


_SIMPLE: Final[dict[int, Construct]] = {
    Tag.NULL: _Nothing(),
    Tag.BOOLEAN: Int8ub,
    Tag.BIT_STRING: Shaped(
        BitString, "count" / BerLength(), "octets" / Bytes((this.count + 7) // 8)
    ),
    Tag.INT32: Int32sb,
    Tag.UINT32: Int32ub,
    Tag.OCTETS: OCTETS,
    Tag.VISIBLE: OCTETS,
    Tag.UTF8: OCTETS,
    Tag.BCD: Int8sb,
    Tag.INT8: Int8sb,
    Tag.INT16: Int16sb,
    Tag.UINT8: Int8ub,
    Tag.UINT16: Int16ub,
    Tag.INT64: Int64sb,
    Tag.UINT64: Int64ub,
    Tag.ENUM: Int8ub,
    Tag.FLOAT32: Bytes(4),
    Tag.FLOAT64: Bytes(8),
    Tag.DATE_TIME: Bytes(12),
    Tag.DATE: Bytes(5),
    Tag.TIME: Bytes(4),
    Tag.DELTA_INT8: Int8sb,
    Tag.DELTA_INT16: Int16sb,
    Tag.DELTA_INT32: Int32sb,
    Tag.DELTA_UINT8: Int8ub,
    Tag.DELTA_UINT16: Int16ub,
    Tag.DELTA_UINT32: Int32ub,
    Tag.DONT_CARE: _Nothing(),
}


class _Description(Adapter):
    """The type of a compact array's rows."""

    def _decode(self, obj: Any, context: Any, path: str) -> TypeDescription:
        described: TypeDescription = Tag(obj.tag) if obj.inner is None else obj.inner
        return described

    def _encode(self, obj: TypeDescription, context: Any, path: str) -> dict[str, Any]:
        if isinstance(obj, ArrayType):
            return {"tag": Tag.ARRAY, "inner": obj}
        if isinstance(obj, StructureType):
            return {"tag": Tag.STRUCTURE, "inner": obj}
        return {"tag": obj, "inner": None}


_TYPE: Final[Construct] = _Description(
    Struct(
        "tag" / OneOf(Int8ub, [int(tag) for tag in Tag if tag is not Tag.COMPACT_ARRAY]),
        "inner"
        / Switch(
            this.tag,
            {
                Tag.ARRAY: Shaped(
                    ArrayType, "count" / Int16ub, "element" / LazyBound(lambda: _TYPE)
                ),
                Tag.STRUCTURE: Shaped(StructureType, "elements" / Listed(LazyBound(lambda: _TYPE))),
            },
        ),
    )
)


class _Packed(Adapter):
    """A value without its tag, as data of that tag."""

    def __init__(self, tag: Tag, form: Construct) -> None:
        super().__init__(form)
        self._tag = tag

    def _decode(self, obj: Any, context: Any, path: str) -> Data:
        several = self._tag in {Tag.ARRAY, Tag.STRUCTURE}
        return Data(self._tag, tuple(obj) if several else obj)

    def _encode(self, obj: Data, context: Any, path: str) -> Any:
        if obj.tag is not self._tag:
            raise MappingError(f"{obj.tag.name} where {self._tag.name} is due", path=path)
        due = len(self.subcon.subcons) if isinstance(self.subcon, Sequence) else None
        if due is not None and (not isinstance(obj.value, tuple) or len(obj.value) != due):
            raise MappingError("a row has another number of elements", path=path)
        return obj.value


def _packed(row_type: TypeDescription) -> Construct:
    if isinstance(row_type, ArrayType):
        return _Packed(Tag.ARRAY, Array(row_type.count, _Something(_packed(row_type.element))))
    if isinstance(row_type, StructureType):
        return _Packed(Tag.STRUCTURE, Sequence(*(_packed(item) for item in row_type.elements)))
    return _Packed(row_type, _SIMPLE[row_type])


class _Compact(Construct):
    """A compact array: the type of its rows, then the rows in one string of octets."""

    def _parse(self, stream: Any, context: Any, path: str) -> CompactArray:
        row_type = _TYPE.parse_stream(stream)
        octets = OCTETS.parse_stream(stream)
        form = _Something(_packed(row_type))
        inner = io.BytesIO(octets)
        rows = []
        while inner.tell() < len(octets):
            rows.append(form.parse_stream(inner))
        return CompactArray(row_type, tuple(rows))

    def _build(self, obj: CompactArray, stream: Any, context: Any, path: str) -> CompactArray:
        form = _packed(obj.row_type)
        _TYPE.build_stream(obj.row_type, stream)
        octets = b"".join(form.build(row) for row in obj.rows)
        OCTETS.build_stream(octets, stream)
        return obj

    def _sizeof(self, context: Any, path: str) -> int:
        raise SizeofError("a compact array has no fixed size", path=path)


#: One value, tag first.
DATA: Final[Construct] = Shaped(
    Data,
    "tag" / Member(Tag),
    "value"
    / Switch(
        this.tag,
        {
            **_SIMPLE,
            Tag.ARRAY: Listed(LazyBound(lambda: DATA)),
            Tag.STRUCTURE: Listed(LazyBound(lambda: DATA)),
            Tag.COMPACT_ARRAY: _Compact(),
        },
    ),
)
_WHOLE: Final = Struct("data" / DATA, Terminated)


def decode(data: bytes) -> Data:
    """Decode one value that fills ``data``, by the declaration.

    Raises:
        MalformedFrameError: As ``axdr.decode``; the offset is not known here.
    """
    try:
        value: Data = _WHOLE.parse(data).data
    except ConstructError as error:
        raise MalformedFrameError(axdr.LAYER, data, str(error)) from error
    return value


def encode(data: Data) -> bytes:
    """Encode one value, by the declaration.

    Raises:
        ValueError: As ``axdr.encode``.
    """
    try:
        octets: bytes = DATA.build(data)
    except UNFIT as error:
        raise ValueError(str(error)) from error
    return octets
