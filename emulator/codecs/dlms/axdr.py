"""DLMS data in A-XDR: a tree of tagged values, compact arrays included.

This is the fast path; ``declaration`` says the same format in construct, and a test holds the two
to agreement on every vector and on damaged ones.
"""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.codecs.common import MAX_DEPTH, MAX_LENGTH, Reader, encode_length
from emulator.core.values import quick

LAYER: Final = "dlms.axdr"


class Tag(enum.IntEnum):
    """Tags of DLMS data (Blue Book common data types).

    Source:
        IEC 62056-6-2 and 62056-5-3 Data; DELTA_INT8 to DELTA_UINT32 and DONT_CARE known from the
        later editions, no vector at hand.
    """

    NULL = 0
    ARRAY = 1
    STRUCTURE = 2
    BOOLEAN = 3
    BIT_STRING = 4
    INT32 = 5
    UINT32 = 6
    OCTETS = 9
    VISIBLE = 10
    UTF8 = 12
    BCD = 13
    INT8 = 15
    INT16 = 16
    UINT8 = 17
    UINT16 = 18
    COMPACT_ARRAY = 19
    INT64 = 20
    UINT64 = 21
    ENUM = 22
    FLOAT32 = 23
    FLOAT64 = 24
    DATE_TIME = 25
    DATE = 26
    TIME = 27
    DELTA_INT8 = 28
    DELTA_INT16 = 29
    DELTA_INT32 = 30
    DELTA_UINT8 = 31
    DELTA_UINT16 = 32
    DELTA_UINT32 = 33
    DONT_CARE = 255


@dataclass(frozen=True, slots=True)
class BitString:
    """A row of bits, first bit in the top of the first octet.

    Attributes:
        count: Number of bits.
        octets: The bits, as many octets as they need; what stands after them is kept.
    """

    count: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class ArrayType:
    """In a compact array's description: ``count`` times ``element``."""

    count: int
    element: "TypeDescription"


@dataclass(frozen=True, slots=True)
class StructureType:
    """In a compact array's description: these elements in this order."""

    elements: tuple["TypeDescription", ...]


TypeDescription = Tag | ArrayType | StructureType


@dataclass(frozen=True, slots=True)
class CompactArray:
    """Rows of one type, written without their tags.

    Attributes:
        row_type: Type of every row.
        rows: The rows as ordinary data.
    """

    row_type: TypeDescription
    rows: tuple["Data", ...]


@quick
@dataclass(frozen=True, slots=True)
class Data:
    """One DLMS value with the type it is written in.

    Attributes:
        tag: Its type.
        value: None for NULL and DONT_CARE; int for integers, ENUM and BOOLEAN (the octet: 00
            false, GBCS writes FF for true); bytes for strings, times and floats; a tuple for ARRAY
            and STRUCTURE.
    """

    tag: Tag
    value: "int | bytes | tuple[Data, ...] | BitString | CompactArray | None"


NULL: Final = Data(Tag.NULL, None)

#: Tag -> (octets, signed) of the integers.
_INTEGERS: Final[dict[int, tuple[int, bool]]] = {
    Tag.BOOLEAN: (1, False),
    Tag.INT32: (4, True),
    Tag.UINT32: (4, False),
    Tag.BCD: (1, True),
    Tag.INT8: (1, True),
    Tag.INT16: (2, True),
    Tag.UINT8: (1, False),
    Tag.UINT16: (2, False),
    Tag.INT64: (8, True),
    Tag.UINT64: (8, False),
    Tag.ENUM: (1, False),
    Tag.DELTA_INT8: (1, True),
    Tag.DELTA_INT16: (2, True),
    Tag.DELTA_INT32: (4, True),
    Tag.DELTA_UINT8: (1, False),
    Tag.DELTA_UINT16: (2, False),
    Tag.DELTA_UINT32: (4, False),
}
#: Tag -> octets of what has a fixed length and no arithmetic; no float crosses a codec.
_FIXED: Final[dict[int, int]] = {
    Tag.FLOAT32: 4,
    Tag.FLOAT64: 8,
    Tag.DATE_TIME: 12,
    Tag.DATE: 5,
    Tag.TIME: 4,
}
_STRINGS: Final = frozenset({Tag.OCTETS, Tag.VISIBLE, Tag.UTF8})
_EMPTY: Final = frozenset({Tag.NULL, Tag.DONT_CARE})
_TAGS: Final[dict[int, Tag]] = {int(tag): tag for tag in Tag}
_ROWS: Final = frozenset({Tag.ARRAY, Tag.STRUCTURE})
#: The same by plain octets, for speed: integers (member, octets, signed), strings, rows.
_FAST_INTEGERS: Final = {int(tag): (_TAGS[tag], *rule) for tag, rule in _INTEGERS.items()}
_FAST_STRINGS: Final = {int(tag): _TAGS[tag] for tag in _STRINGS}
_FAST_ROWS: Final = {int(tag): _TAGS[tag] for tag in _ROWS}


def octets(value: bytes) -> Data:
    """Return an octet-string."""
    return Data(Tag.OCTETS, value)


def structure(*items: Data) -> Data:
    """Return a structure of ``items``."""
    return Data(Tag.STRUCTURE, items)


def uint16(value: int) -> Data:
    """Return a long-unsigned."""
    return Data(Tag.UINT16, value)


def decode(data: bytes) -> Data:
    """Decode one value that fills ``data``.

    Raises:
        MalformedFrameError: An unknown tag, a length that does not fit or is not in its shortest
            form, nesting deeper than ``MAX_DEPTH``, truncation or trailing octets.

    Source:
        IEC 62056-5-3 (A-XDR of the Data type), as far as reference gbcs.md section 7 states it;
        checked on the 369 DLMS payloads of the RTDS 4.5.0 messages at hand (a test counts them).
    """
    reader = Reader(LAYER, data)
    value = read(reader)
    reader.finish()
    return value


def read(reader: Reader, depth: int = 0) -> Data:
    """Read one value, tag first.

    Raises:
        MalformedFrameError: As ``decode``, but for trailing octets.
    """
    value, reader.at = _read_at(reader, reader.at, depth)
    return value


def _read_at(reader: Reader, at: int, depth: int) -> tuple[Data, int]:
    """Read the value at ``at``; return it and the offset behind it.

    What profiles are made of is read here without a call for each part; all that is rarer, or
    wrong, by ``_read_slowly``.
    """
    data, end = reader.data, reader.end
    tag = data[at] if at < end else -1
    if tag in _FAST_INTEGERS:
        member, size, signed = _FAST_INTEGERS[tag]
        after = at + 1 + size
        if after <= end:
            return Data(member, int.from_bytes(data[at + 1 : after], "big", signed=signed)), after
    elif tag in _FAST_STRINGS and at + 1 < end and data[at + 1] < 0x80:
        after = at + 2 + data[at + 1]
        if after <= end:
            return Data(_FAST_STRINGS[tag], data[at + 2 : after]), after
    elif tag in _FAST_ROWS and depth < MAX_DEPTH:
        reader.at = at + 1
        count, items = reader.length(), []
        at = reader.at
        for _ in range(count):
            item, at = _read_at(reader, at, depth + 1)
            items.append(item)
        return Data(_FAST_ROWS[tag], tuple(items)), at
    reader.at = at
    return _read_slowly(reader, depth), reader.at


def _read_slowly(reader: Reader, depth: int) -> Data:
    tag = _read_tag(reader)
    if tag in _ROWS and depth >= MAX_DEPTH:
        reader.fail("nested too deep")
    if tag is Tag.COMPACT_ARRAY:
        return Data(tag, _read_compact(reader))
    return _read_simple(reader, tag)


def _read_tag(reader: Reader) -> Tag:
    tag = _TAGS.get(reader.u8())
    if tag is None:
        reader.fail("unknown data type", reader.at - 1)
    return tag


def _read_simple(reader: Reader, tag: Tag) -> Data:
    if tag in _STRINGS:
        return Data(tag, reader.take(reader.length()))
    integer = _INTEGERS.get(tag)
    if integer is not None:
        size, signed = integer
        return Data(tag, int.from_bytes(reader.take(size), "big", signed=signed))
    if tag in _EMPTY:
        return NULL if tag is Tag.NULL else Data(tag, None)
    if tag is Tag.BIT_STRING:
        count = reader.length()
        return Data(tag, BitString(count, reader.take((count + 7) // 8)))
    return Data(tag, reader.take(_FIXED[tag]))


def _read_compact(reader: Reader) -> CompactArray:
    row_type = _read_description(reader, 0)
    length = reader.length()
    if reader.at + length > reader.end:
        reader.fail(f"compact array of {length} octets, {reader.end - reader.at} left")
    inner = Reader(reader.layer, reader.data, reader.at, reader.at + length)
    rows = []
    while inner.at < inner.end:
        rows.append(_read_repeated(inner, row_type))
    reader.at = inner.end
    return CompactArray(row_type, tuple(rows))


def _read_description(reader: Reader, depth: int) -> TypeDescription:
    if depth >= MAX_DEPTH:
        reader.fail("type description nested too deep")
    tag = _read_tag(reader)
    if tag is Tag.ARRAY:
        return ArrayType(reader.unsigned(2), _read_description(reader, depth + 1))
    if tag is Tag.STRUCTURE:
        count = reader.length()
        return StructureType(tuple([_read_description(reader, depth + 1) for _ in range(count)]))
    if tag is Tag.COMPACT_ARRAY:
        reader.fail("a compact array holds no compact array", reader.at - 1)
    return tag


def _read_repeated(reader: Reader, row_type: TypeDescription) -> Data:
    """Read a row, or an element of an array: one of nothing could repeat for ever."""
    start = reader.at
    value = _read_packed(reader, row_type)
    if reader.at == start:
        reader.fail("an element of a compact array takes no octets")
    return value


def _read_packed(reader: Reader, row_type: TypeDescription) -> Data:
    if isinstance(row_type, ArrayType):
        element = row_type.element
        items = [_read_repeated(reader, element) for _ in range(row_type.count)]
        return Data(Tag.ARRAY, tuple(items))
    if isinstance(row_type, StructureType):
        parts = [_read_packed(reader, element) for element in row_type.elements]
        return Data(Tag.STRUCTURE, tuple(parts))
    return _read_simple(reader, row_type)


def encode(data: Data) -> bytes:
    """Encode one value.

    Raises:
        ValueError: The value does not fit its tag, or a compact array's row its type.
    """
    out = bytearray()
    write(out, data)
    return bytes(out)


def write(out: bytearray, data: Data) -> None:
    """Append one value, tag first.

    Raises:
        ValueError: As ``encode``.
    """
    tag, value = data.tag, data.value
    code = tag._value_  # a member of an enum is slow to look up by
    out.append(code)
    if isinstance(value, bytes) and code in _FAST_STRINGS:
        out += encode_length(len(value))
        out += value
    elif isinstance(value, int) and code in _FAST_INTEGERS:
        _member, size, signed = _FAST_INTEGERS[code]
        try:
            out += value.to_bytes(size, "big", signed=signed)
        except OverflowError:
            raise ValueError(f"{value} does not fit {tag.name}") from None
    elif isinstance(value, tuple) and code in _FAST_ROWS:
        out += encode_length(len(value))
        for item in value:
            write(out, item)
    elif isinstance(value, CompactArray) and tag is Tag.COMPACT_ARRAY:
        _write_description(out, value.row_type)
        rows = bytearray()
        for row in value.rows:
            _write_packed(rows, row, value.row_type)
        out += encode_length(len(rows)) + rows
    else:
        _write_simple(out, data)


def _write_simple(out: bytearray, data: Data) -> None:
    tag, value = data.tag, data.value
    if isinstance(value, bytes) and tag in _STRINGS:
        out += encode_length(len(value)) + value
    elif isinstance(value, int) and tag in _INTEGERS:
        size, signed = _INTEGERS[tag]
        try:
            out += value.to_bytes(size, "big", signed=signed)
        except OverflowError:
            raise ValueError(f"{value} does not fit {tag.name}") from None
    elif isinstance(value, BitString) and tag is Tag.BIT_STRING:
        if len(value.octets) != (value.count + 7) // 8:
            raise ValueError(f"{value.count} bits do not fill {len(value.octets)} octets")
        out += encode_length(value.count) + value.octets
    elif isinstance(value, bytes) and _FIXED.get(tag) == len(value):
        out += value
    elif value is not None or tag not in _EMPTY:
        raise ValueError(f"{value!r} is no value of type {tag.name}")


def _write_description(out: bytearray, row_type: TypeDescription) -> None:
    if isinstance(row_type, ArrayType):
        if not 0 <= row_type.count <= MAX_LENGTH:
            raise ValueError(f"{row_type.count} elements do not fit 16 bits")
        out.append(Tag.ARRAY)
        out += row_type.count.to_bytes(2, "big")
        _write_description(out, row_type.element)
    elif isinstance(row_type, StructureType):
        out.append(Tag.STRUCTURE)
        out += encode_length(len(row_type.elements))
        for element in row_type.elements:
            _write_description(out, element)
    else:
        out.append(row_type)


def _write_packed(out: bytearray, data: Data, row_type: TypeDescription) -> None:
    if isinstance(row_type, Tag):
        if data.tag is not row_type:
            raise ValueError(f"{data.tag.name} in a compact array of {row_type.name}")
        _write_simple(out, data)
        return
    if isinstance(row_type, ArrayType):
        tag, types = Tag.ARRAY, (row_type.element,) * row_type.count
    else:
        tag, types = Tag.STRUCTURE, row_type.elements
    if data.tag is not tag or not isinstance(data.value, tuple) or len(data.value) != len(types):
        raise ValueError(f"a row does not follow the type of its compact array: {data!r}")
    for item, element in zip(data.value, types, strict=True):
        _write_packed(out, item, element)
