"""DLMS data and access APDUs as a construct declaration: the reference for the fast path.

It has no limit of depth, so it is for tests and not for hostile octets.
"""

import io
from typing import Any, Final

from construct import (
    Array,
    Bytes,
    Check,
    Const,
    Construct,
    ConstructError,
    If,
    Int8sb,
    Int8ub,
    Int16sb,
    Int16ub,
    Int32sb,
    Int32ub,
    Int64sb,
    Int64ub,
    LazyBound,
    OneOf,
    Pass,
    PrefixedArray,
    Rebuild,
    Sequence,
    Struct,
    Switch,
    Terminated,
    len_,
    this,
)

from emulator.codecs.dlms.access import (
    AccessItem,
    AccessRequest,
    AccessResponse,
    AccessResult,
    DataNotification,
    Operation,
    Selection,
)
from emulator.codecs.dlms.axdr import (
    ArrayType,
    BitString,
    CompactArray,
    Data,
    StructureType,
    Tag,
    TypeDescription,
)
from emulator.codecs.gbcs.envelope_declaration import BerLength
from emulator.core.errors import MalformedFrameError

Apdu = AccessRequest | AccessResponse | DataNotification

_STRING: Final = Struct(
    "length" / Rebuild(BerLength(), len_(this.octets)), "octets" / Bytes(this.length)
)
_SIMPLE: Final[dict[int, Construct]] = {
    Tag.NULL: Pass,
    Tag.BOOLEAN: Int8ub,
    Tag.BIT_STRING: Struct("count" / BerLength(), "octets" / Bytes((this.count + 7) // 8)),
    Tag.INT32: Int32sb,
    Tag.UINT32: Int32ub,
    Tag.OCTETS: _STRING,
    Tag.VISIBLE: _STRING,
    Tag.UTF8: _STRING,
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
}
_TYPE: Final[Construct] = Struct(
    "tag" / OneOf(Int8ub, [int(tag) for tag in Tag if tag is not Tag.COMPACT_ARRAY]),
    "inner"
    / Switch(
        this.tag,
        {
            Tag.ARRAY: Struct("count" / Int16ub, "element" / LazyBound(lambda: _TYPE)),
            Tag.STRUCTURE: PrefixedArray(BerLength(), LazyBound(lambda: _TYPE)),
        },
    ),
)
_DATA: Final[Construct] = Struct(
    "tag" / OneOf(Int8ub, [int(tag) for tag in Tag]),
    "value"
    / Switch(
        this.tag,
        {
            **_SIMPLE,
            Tag.ARRAY: PrefixedArray(BerLength(), LazyBound(lambda: _DATA)),
            Tag.STRUCTURE: PrefixedArray(BerLength(), LazyBound(lambda: _DATA)),
            Tag.COMPACT_ARRAY: Struct("type" / _TYPE, "rows" / _STRING),
        },
    ),
)
_SPECIFICATION: Final = Struct(
    "operation" / OneOf(Int8ub, [int(operation) for operation in Operation]),
    "class_id" / Int16ub,
    "obis" / Bytes(6),
    "index" / Int8ub,
    "selector" / If(this.operation == Operation.GET_SELECTED, Int8ub),
    "parameters" / If(this.operation == Operation.GET_SELECTED, _DATA),
)
_RESULT: Final = Struct("operation" / OneOf(Int8ub, [1, 2, 3]), "result" / Int8ub)
_APDUS: Final = {
    0xD9: Struct(
        Const(b"\xd9"),
        "invoke_id" / Int32ub,
        Const(b"\x00"),  # no date-time
        "specifications" / PrefixedArray(BerLength(), _SPECIFICATION),
        "data" / PrefixedArray(BerLength(), _DATA),
        Check(len_(this.data) == len_(this.specifications)),
        Terminated,
    ),
    0xDA: Struct(
        Const(b"\xda"),
        "invoke_id" / Int32ub,
        Const(b"\x00\x00"),  # no date-time, no echo of the request
        "data" / PrefixedArray(BerLength(), _DATA),
        "results" / PrefixedArray(BerLength(), _RESULT),
        Check(len_(this.data) == len_(this.results)),
        Terminated,
    ),
    0x0F: Struct(Const(b"\x0f"), "invoke_id" / Int32ub, Const(b"\x00"), "body" / _DATA, Terminated),
}


def decode(data: bytes) -> Apdu:
    """Decode an APDU of the kind its first octet says, by the declaration.

    Raises:
        MalformedFrameError: Layer ``dlms.apdu``; the offset is not known here.
    """
    try:
        form = _APDUS[data[0]]
        return _apdu(data[0], form.parse(data))
    except (ConstructError, IndexError, KeyError) as error:
        raise MalformedFrameError("dlms.apdu", data, str(error)) from error


def _apdu(tag: int, raw: Any) -> Apdu:
    if tag == 0x0F:
        return DataNotification(raw.invoke_id, _value(raw.body))
    values = [_value(item) for item in raw.data]
    if tag == 0xDA:
        pairs = zip(raw.results, values, strict=True)
        results = [AccessResult(Operation(r.operation), r.result, v) for r, v in pairs]
        return AccessResponse(raw.invoke_id, tuple(results))
    items = zip(raw.specifications, values, strict=True)
    return AccessRequest(raw.invoke_id, tuple(_item(s, value) for s, value in items))


def _item(raw: Any, value: Data) -> AccessItem:
    chosen = None if raw.parameters is None else Selection(raw.selector, _value(raw.parameters))
    return AccessItem(Operation(raw.operation), raw.class_id, raw.obis, raw.index, value, chosen)


def _value(raw: Any) -> Data:
    tag = Tag(raw.tag)
    if tag is Tag.COMPACT_ARRAY:
        return Data(tag, _compact(raw.value))
    if tag in {Tag.ARRAY, Tag.STRUCTURE}:
        return Data(tag, tuple(_value(item) for item in raw.value))
    return _simple(tag, raw.value)


def _simple(tag: Tag, raw: Any) -> Data:
    if tag in {Tag.OCTETS, Tag.VISIBLE, Tag.UTF8}:
        return Data(tag, raw.octets)
    return Data(tag, BitString(raw.count, raw.octets) if tag is Tag.BIT_STRING else raw)


def _compact(raw: Any) -> CompactArray:
    row_type = _description(raw.type)
    form = _packed(row_type)
    stream = io.BytesIO(raw.rows.octets)
    rows = []
    while stream.tell() < len(raw.rows.octets):
        start = stream.tell()
        rows.append(_row(row_type, form.parse_stream(stream)))
        if stream.tell() == start:
            raise ConstructError("a row takes no octets")
    return CompactArray(row_type, tuple(rows))


def _description(raw: Any) -> TypeDescription:
    tag = Tag(raw.tag)
    if tag is Tag.ARRAY:
        return ArrayType(raw.inner.count, _description(raw.inner.element))
    if tag is Tag.STRUCTURE:
        return StructureType(tuple(_description(item) for item in raw.inner))
    return tag


def _packed(row_type: TypeDescription) -> Construct:
    """Return the form of one row; parts that take no octets are refused."""
    if isinstance(row_type, ArrayType):
        if row_type.count == 0:
            raise ConstructError("an array of nothing takes no octets")
        return Array(row_type.count, _packed(row_type.element))
    if isinstance(row_type, StructureType):
        if not row_type.elements:
            raise ConstructError("an empty structure takes no octets")
        return Sequence(*(_packed(element) for element in row_type.elements))
    if row_type is Tag.NULL:
        raise ConstructError("a null takes no octets")
    return _SIMPLE[row_type]


def _row(row_type: TypeDescription, raw: Any) -> Data:
    if isinstance(row_type, ArrayType):
        return Data(Tag.ARRAY, tuple(_row(row_type.element, item) for item in raw))
    if isinstance(row_type, StructureType):
        pairs = zip(row_type.elements, raw, strict=True)
        return Data(Tag.STRUCTURE, tuple(_row(element, item) for element, item in pairs))
    return _simple(row_type, raw)
