"""What can be wrong with a metadata layout, each by its own name (F-056)."""

import enum
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from device_profiles.errors import DataError
from device_profiles.metadata_layout import (
    ByteOrder,
    FieldKind,
    FieldShape,
    MetadataField,
    MetadataLayout,
    MetadataPosition,
    shape_of,
    source_of,
)

#: What a TLV length octet can say.
MOST_ITEM_OCTETS: Final = 255
#: Where the value of a field may come from.
_VALUES: Final = ("const", "value_from", "default")


class LayoutFault(enum.StrEnum):
    """The ways in which a layout is wrong."""

    POSITION = "layout-position"
    DUPLICATE_FIELD = "duplicate-field"
    MISSING_FIELD = "missing-required-field"
    UNKNOWN_TYPE = "unknown-field-type"
    UNKNOWN_SOURCE = "unknown-value-source"
    VALUE_COUNT = "field-value-count"
    VALUE_FIT = "value-does-not-fit"
    SOURCE_FIT = "source-does-not-fit"
    TLV = "broken-tlv"
    SEGMENT = "segment-size-missing"
    OPEN_SUFFIX = "open-ended-suffix"
    SIZE = "metadata-size-mismatch"
    ID_CLASH = "layout-id-clash"
    COLLISION = "magic-collision"


class LayoutError(DataError):
    """A metadata layout is wrong; ``code`` says in which way.

    Attributes:
        fault: Which of the ways.
    """

    def __init__(
        self, fault: LayoutFault, why: str, *, file: Path | str, key: str = "metadata"
    ) -> None:
        self.code = fault.value
        super().__init__(why, file=file, key=key)
        self.fault = fault


Fault = tuple[LayoutFault, str, str]


def check_layout(layout: MetadataLayout, file: Path | str = "") -> None:
    """Check one layout.

    Raises:
        LayoutError: It is wrong; the first fault found.
    """
    for check in _CHECKS:
        for fault, key, why in check(layout):
            where = f"metadata.{key}" if key else "metadata"
            raise LayoutError(fault, why, file=file or layout.layout_id, key=where)


def _position(layout: MetadataLayout) -> Iterator[Fault]:
    none = layout.position is MetadataPosition.NONE
    if none and layout.field:
        yield LayoutFault.POSITION, "position", 'position = "none" has no fields'
    if not none and not layout.field:
        yield LayoutFault.POSITION, "field", f"metadata as a {layout.position} need fields"


def _names(layout: MetadataLayout) -> Iterator[Fault]:
    names = [one.name for one in (*layout.field, *_items(layout))]
    for name in names:
        if names.count(name) > 1:
            yield LayoutFault.DUPLICATE_FIELD, f"field {name}", "this name stands twice"
    for name in layout.required_fields:
        if name not in names:
            yield LayoutFault.MISSING_FIELD, f"field {name}", "required_fields names it; it is gone"


def _items(layout: MetadataLayout) -> Iterator[MetadataField]:
    for one in layout.field:
        yield from one.item


def _types(layout: MetadataLayout) -> Iterator[Fault]:
    for one in (*layout.field, *_items(layout)):
        try:
            layout.shape(one)
        except ValueError as error:
            yield LayoutFault.UNKNOWN_TYPE, f"field {one.name}", str(error)


def _groups(layout: MetadataLayout) -> Iterator[Fault]:
    for one in layout.field:
        group = layout.shape(one).kind is FieldKind.TLV
        yield from ((LayoutFault.TLV, f"field {one.name}", why) for why in _group(one, group=group))
        if not group and layout.shape(one).octets is None:
            why = f"{one.type} needs a count of octets outside a TLV group"
            yield LayoutFault.UNKNOWN_TYPE, f"field {one.name}", why


def _group(one: MetadataField, *, group: bool) -> Iterator[str]:
    if not group:
        if one.item or one.end_tag is not None or one.tag is not None:
            yield "item, tag and end_tag belong to TLV groups"
        return
    if not one.item or one.tag is not None:
        yield "a TLV group has items and no tag of its own"
    tags = [item.tag for item in one.item]
    if None in tags or len({*tags, one.end_tag}) != len(tags) + 1:
        yield "every item needs a tag of its own, which is not the end tag"
    shapes = [shape_of(item.type, ByteOrder.BIG) for item in one.item]
    if any(item.item for item in one.item) or any(s.kind is FieldKind.TLV for s in shapes):
        yield "a TLV item holds no TLV group"
    if any((shape.octets or 0) > MOST_ITEM_OCTETS for shape in shapes):
        yield f"a TLV item has at most {MOST_ITEM_OCTETS} octets"


def _values(layout: MetadataLayout) -> Iterator[Fault]:
    for one in layout.field:
        if one.item and one.model_fields_set & set(_VALUES):
            yield LayoutFault.VALUE_COUNT, f"field {one.name}", "a TLV group has no value itself"
    for one in layout.values():
        if sum(getattr(one, name) is not None for name in _VALUES) != 1:
            why = "it needs exactly one of const, value_from and default"
            yield LayoutFault.VALUE_COUNT, f"field {one.name}", why


def _fits(layout: MetadataLayout) -> Iterator[Fault]:
    for one in layout.values():
        shape, where = layout.shape(one), f"field {one.name}"
        if one.value_from is not None:
            yield from ((fault, where, why) for fault, why in _source_fit(one.value_from, shape))
        for held in (one.const, one.default):
            if held is not None:
                try:
                    octets_of(held, shape)
                except ValueError as error:
                    yield LayoutFault.VALUE_FIT, where, str(error)


def _source_fit(source: str, shape: FieldShape) -> Iterator[tuple[LayoutFault, str]]:
    try:
        yielded = source_of(source)
    except ValueError as error:
        yield LayoutFault.UNKNOWN_SOURCE, str(error)
        return
    if yielded.kind is FieldKind.NUMBER:
        right = shape.kind in {FieldKind.NUMBER, FieldKind.OCTETS} and shape.octets is not None
        fits = right and (shape.octets or 0) >= yielded.octets
    elif yielded.kind is FieldKind.OCTETS:
        fits = shape.kind is FieldKind.OCTETS and shape.octets in {yielded.octets, None}
    else:
        fits = shape.kind is FieldKind.TEXT and (shape.octets or yielded.octets) >= yielded.octets
    if not fits:
        yield LayoutFault.SOURCE_FIT, f"{source} ({yielded.octets} octets) does not go in there"


def _segments(layout: MetadataLayout) -> Iterator[Fault]:
    asks = any((one.value_from or "").startswith("segment.") for one in layout.values())
    if asks != (layout.segment_bytes is not None):
        why = "segment_bytes belongs to layouts with segment.size or segment.count, and only there"
        yield LayoutFault.SEGMENT, "segment_bytes", why


def _size(layout: MetadataLayout) -> Iterator[Fault]:
    if layout.is_none:
        return
    size = computed_size(layout)
    if size is None and layout.position is MetadataPosition.SUFFIX:
        why = "a suffix is found from its end, so every TLV item needs a count of octets"
        yield LayoutFault.OPEN_SUFFIX, "position", why
    elif size != layout.size_bytes:
        told = "none" if size is None else str(size)
        why = f"the fields make {told} octets, size_bytes says {layout.size_bytes or 'none'}"
        yield LayoutFault.SIZE, "size_bytes", why


_CHECKS: Final[tuple[Callable[[MetadataLayout], Iterator[Fault]], ...]] = (
    _position,
    _names,
    _types,
    _groups,
    _values,
    _fits,
    _segments,
    _size,
)


def octets_of(value: int | str, shape: FieldShape) -> bytes:
    """Return a constant as a field holds it.

    Args:
        value: A number, text, or octets in hex, as the kind of field wants it.
        shape: The field; of a count of octets, or None for as many as the value has.

    Raises:
        ValueError: It is of the wrong kind, or does not fit.
    """
    number = shape.kind is FieldKind.NUMBER
    if number != isinstance(value, int):
        raise ValueError(f"{'a number' if number else 'text'} is wanted, not {value!r}")
    width = shape.octets or 0
    if isinstance(value, int):
        if value >= 1 << (8 * width):
            raise ValueError(f"{value} does not fit in {width} octets")
        return value.to_bytes(width, shape.order.value)
    if shape.kind is FieldKind.TEXT:
        return _text(value, shape.octets)
    try:
        octets = bytes.fromhex(value)
    except ValueError:
        raise ValueError(f"octets in hex are wanted, not {value!r}") from None
    if len(octets) != width if shape.octets is not None else len(octets) > MOST_ITEM_OCTETS:
        raise ValueError(f"{len(octets)} octets where {shape.octets or 'at most 255'} are wanted")
    return octets


def _text(value: str, width: int | None) -> bytes:
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"printable ASCII is wanted, not {value!r}")
    most = MOST_ITEM_OCTETS if width is None else width
    if len(value) > most:
        raise ValueError(f"{value!r} has more than {most} characters")
    return value.encode().ljust(width or 0, b"\0")


def computed_size(layout: MetadataLayout) -> int | None:
    """Return the octets of the metadata; None where a TLV item is as long as it says."""
    widths = [width for width, _ in _parts(layout)]
    return None if None in widths else sum(width for width in widths if width is not None)


def fixed_octets(layout: MetadataLayout) -> Mapping[int, int]:
    """Return the octets that are the same in every image: offset -> octet.

    Offsets count from the first octet of the metadata; those of a suffix from behind its last (-1
    is the last). Tags and lengths of TLV items are among them, up to the first open-ended item.
    """
    found: dict[int, int] = {}
    at = 0
    for width, octets in _parts(layout):
        if octets is not None:
            found |= {at + number: octet for number, octet in enumerate(octets)}
        if width is None:
            break
        at += width
    if layout.position is MetadataPosition.SUFFIX:
        return {offset - at: octet for offset, octet in found.items()}
    return found


def _parts(layout: MetadataLayout) -> Iterator[tuple[int | None, bytes | None]]:
    """Yield width and fixed octets of each stretch of the metadata; None: not fixed."""
    for one in layout.field:
        if not one.item:
            yield _stretch(layout, one)
            continue
        for item in one.item:
            width, octets = _stretch(layout, item)
            yield 1, bytes((item.tag or 0,))
            yield 1, None if width is None else bytes((width,))
            yield width, octets
        if one.end_tag is not None:
            yield 1, bytes((one.end_tag,))


def _stretch(layout: MetadataLayout, one: MetadataField) -> tuple[int | None, bytes | None]:
    shape = layout.shape(one)
    if one.const is None:
        return shape.octets, None
    octets = octets_of(one.const, shape)
    return (shape.octets or len(octets)), octets


def collide(one: MetadataLayout, other: MetadataLayout) -> bool:
    """Say whether the constants of two layouts do not tell them apart.

    They do not where they agree on every octet that is fixed in both, and share one that is more
    than filling (zero). Layouts at different ends of an image are each looked for in their place.
    """
    if one.position is not other.position:
        return False
    mine, theirs = fixed_octets(one), fixed_octets(other)
    shared = mine.keys() & theirs.keys()
    return any(mine[at] for at in shared) and all(mine[at] == theirs[at] for at in shared)
