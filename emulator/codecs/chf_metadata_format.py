"""A hub maker's metadata layout as a construct format: octets to fields and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from construct import (
    Bytes,
    Construct,
    Default,
    Int8ub,
    Int16ub,
    Int16ul,
    Int32ub,
    Int32ul,
    Rebuild,
    StreamError,
    Struct,
    Tell,
    len_,
    this,
)

from device_profiles.metadata_checks import MOST_ITEM_OCTETS, check_layout, octets_of
from device_profiles.metadata_layout import (
    ByteOrder,
    FieldKind,
    FieldShape,
    MetadataField,
    MetadataLayout,
)
from emulator.core.errors import MalformedFrameError

Value = int | bytes | str

LAYER: Final = "chf_metadata"
_NUMBERS: Final[Mapping[tuple[int, ByteOrder], Construct]] = {
    (1, ByteOrder.BIG): Int8ub,
    (1, ByteOrder.LITTLE): Int8ub,
    (2, ByteOrder.BIG): Int16ub,
    (2, ByteOrder.LITTLE): Int16ul,
    (4, ByteOrder.BIG): Int32ub,
    (4, ByteOrder.LITTLE): Int32ul,
}


@dataclass(frozen=True, slots=True)
class ReadField:
    """One field as it stands in the metadata.

    Attributes:
        field: What the layout says of it.
        shape: What its type comes to.
        offset: Offset of its first octet in the metadata.
        value: A number, octets, or text without the zeros that fill it.
        octets: The octets of the value alone, without tag and length.
        tag: Tag octet as read; None outside TLV groups.
        length: Length octet as read; None outside TLV groups.
    """

    field: MetadataField
    shape: FieldShape
    offset: int
    value: Value
    octets: bytes
    tag: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Metadata, read.

    Attributes:
        octets: All of the metadata.
        fields: Every value, TLV items among them, in order.
        ends: Offset and octet of each end tag, as read, by name of its group.
    """

    octets: bytes
    fields: tuple[ReadField, ...]
    ends: Mapping[str, tuple[int, int]]


class MetadataFormat:
    """One layout, compiled.

    Attributes:
        layout: The layout.
    """

    def __init__(self, layout: MetadataLayout) -> None:
        check_layout(layout)
        self.layout: Final = layout
        self._shapes: Final = {one.name: layout.shape(one) for one in layout.values()}
        declared = Struct(*(one.name / self._member(one) for one in layout.field), "_end" / Tell)
        # Compiled formats do not notice where octets end; those of a fixed size need not.
        self._format: Final = declared if layout.size_bytes is None else declared.compile()

    def read(self, data: bytes) -> Block:
        """Read metadata that begin with the first octet of ``data``; what follows is left.

        No constant, tag or digest is judged here: whatever has the octets can be read.

        Raises:
            MalformedFrameError: ``data`` ends before the metadata do.
        """
        why = f"{len(data)} octets end inside {self.layout.layout_id}"
        if len(data) < (self.layout.size_bytes or 0):
            raise MalformedFrameError(LAYER, data, why, len(data))
        try:
            raw = self._format.parse(data)
        except StreamError as error:
            raise MalformedFrameError(LAYER, data, why, len(data)) from error
        fields: list[ReadField] = []
        ends: dict[str, tuple[int, int]] = {}
        for one in self.layout.field:
            held = raw[one.name]
            if not one.item:
                fields.append(self._field(one, held))
                continue
            fields += [self._field(item, held[item.name]) for item in one.item]
            if one.end_tag is not None:
                ends[one.name] = (held["_end_at"], held["_end_tag"])
        return Block(data[: raw["_end"]], tuple(fields), ends)

    def _field(self, one: MetadataField, held: Any) -> ReadField:
        shape = self._shapes[one.name]
        octets = encode(held.value, shape)
        value: Value = held.value
        if shape.kind is FieldKind.TEXT:
            value = octets.rstrip(b"\0").decode("ascii", "backslashreplace")
        return ReadField(one, shape, held.at, value, octets, held.get("tag"), held.get("length"))

    def write(self, values: Mapping[str, Value]) -> bytes:
        """Write metadata, with the tags, lengths and end tags of the layout.

        Args:
            values: Value of every field by name; TLV items by theirs.

        Raises:
            ValueError: A value is missing, of the wrong kind, or does not fit.
        """
        raw: dict[str, Any] = {}
        for one in self.layout.field:
            if one.item:
                items = {item.name: {"value": self.encoded(item, values)} for item in one.item}
                raw[one.name] = items
            else:
                raw[one.name] = {"value": self.encoded(one, values)}
        return bytes(self._format.build(raw))

    def rewrite(self, block: Block) -> bytes:
        """Write what was read, octet for octet: tags, lengths and filling as they stood."""
        raw: dict[str, Any] = {}
        read = {field.field.name: field for field in block.fields}
        for one in self.layout.field:
            if not one.item:
                raw[one.name] = _held(read[one.name])
                continue
            raw[one.name] = {item.name: _held(read[item.name]) for item in one.item}
            if one.name in block.ends:
                raw[one.name]["_end_tag"] = block.ends[one.name][1]
        return bytes(self._format.build(raw))

    def _member(self, one: MetadataField) -> Construct:
        if not one.item:
            return Struct("at" / Tell, "value" / _value(self._shapes[one.name]))
        items = [item.name / _item(self._shapes[item.name], item.tag or 0) for item in one.item]
        end = [] if one.end_tag is None else ["_end_at" / Tell, "_end_tag" / _said(one.end_tag)]
        return Struct(*items, *end)

    def encoded(self, one: MetadataField, values: Mapping[str, Value]) -> int | bytes:
        """Return the value of one field as the format takes it.

        Raises:
            ValueError: It is missing, of the wrong kind, or does not fit.
        """
        if one.name not in values:
            raise ValueError(f"{one.name} has no value")
        shape = self._shapes[one.name]
        octets = encode(values[one.name], shape)
        return _decoded(octets, shape)


def encode(value: Value, shape: FieldShape) -> bytes:
    """Return a value as a field of this shape holds it; numbers in octets are big-endian.

    Raises:
        ValueError: It is of the wrong kind, or does not fit.
    """
    if isinstance(value, bytes):
        if shape.kind is FieldKind.NUMBER or shape.octets not in {len(value), None}:
            raise ValueError(f"{len(value)} octets do not go in there")
        if len(value) > MOST_ITEM_OCTETS and shape.octets is None:
            raise ValueError(f"a TLV item has at most {MOST_ITEM_OCTETS} octets")
        return value
    if isinstance(value, int) and shape.kind is FieldKind.OCTETS:
        width = shape.octets or 0
        if value >= 1 << (8 * width):
            raise ValueError(f"{value} does not fit in {width} octets")
        return value.to_bytes(width, "big")
    return octets_of(value, shape)


def _decoded(octets: bytes, shape: FieldShape) -> int | bytes:
    return int.from_bytes(octets, shape.order.value) if shape.kind is FieldKind.NUMBER else octets


def _held(read: ReadField) -> dict[str, Any]:
    held: dict[str, Any] = {"value": _decoded(read.octets, read.shape)}
    if read.tag is not None:
        held |= {"tag": read.tag, "length": read.length}
    return held


def _item(shape: FieldShape, tag: int) -> Construct:
    """Return tag, length and value; only an open-ended item believes the length it reads."""
    open_ended = shape.octets is None
    length = Rebuild(Int8ub, len_(this.value)) if open_ended else _said(shape.octets or 0)
    value = Bytes(this.length) if open_ended else _value(shape)
    return Struct("tag" / _said(tag), "length" / length, "at" / Tell, "value" / value)


def _value(shape: FieldShape) -> Construct:
    if shape.kind is FieldKind.NUMBER:
        return _NUMBERS[shape.octets or 0, shape.order]
    return Bytes(shape.octets or 0)


def _said(octet: int) -> Construct:
    """Return one octet, by default this one; another is read, and written again, as it stands."""
    return Default(Int8ub, octet)
