"""A hub maker's metadata layout: which octets its hubs ask for around a Manufacturer Image."""

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from device_profiles.sections import U8, Positive, Section
from device_profiles.words import ImageHashScope

#: What every log line, document and report says where such a layout is named (F-059).
STAND_IN_NOTE: Final = "stand-in layout (real layout not public)"


class MetadataMode(enum.StrEnum):
    """Where a SMETS1 hub finds the metadata of an image (S003 §5)."""

    TACTICAL = "tactical"  # inside the image, under its hash
    ENDURING = "enduring"  # handed over by the S1SP on a channel of its own; the image is bare


class MetadataPosition(enum.StrEnum):
    """Where metadata stand between OTA header and trailer."""

    PREFIX = "prefix"
    SUFFIX = "suffix"
    NONE = "none"


class ByteOrder(enum.StrEnum):
    """Order of the octets of a number."""

    BIG = "big"
    LITTLE = "little"


class FieldKind(enum.StrEnum):
    """What a field holds."""

    NUMBER = "number"
    OCTETS = "octets"
    TEXT = "text"
    TLV = "tlv"


@dataclass(frozen=True, slots=True)
class FieldShape:
    """What the type of a field comes to.

    Attributes:
        kind: What it holds.
        octets: How many octets it has; None for as many as its TLV item says.
        order: Order of the octets of a number.
    """

    kind: FieldKind
    octets: int | None
    order: ByteOrder = ByteOrder.BIG


@dataclass(frozen=True, slots=True)
class ValueSource:
    """Where the value of a field comes from.

    Attributes:
        kind: What the value is: a number, octets (a digest) or text.
        octets: Fewest octets a field needs for it; a digest needs exactly so many.
    """

    kind: FieldKind
    octets: int


_NUMBER: Final = FieldKind.NUMBER
#: The closed list of ``value_from``; lengths and counts may be narrow, their fit is seen at build.
SOURCES: Final[Mapping[str, ValueSource]] = {
    "hub.manufacturer_code": ValueSource(_NUMBER, 2),
    "ota.manufacturer_code": ValueSource(_NUMBER, 2),
    "ota.image_type": ValueSource(_NUMBER, 2),
    "ota.file_version": ValueSource(_NUMBER, 4),
    "ota.minimum_hardware": ValueSource(_NUMBER, 2),
    "ota.maximum_hardware": ValueSource(_NUMBER, 2),
    "image.length": ValueSource(_NUMBER, 1),
    "image.crc32": ValueSource(_NUMBER, 4),
    "image.crc16x25": ValueSource(_NUMBER, 2),
    "image.sha256": ValueSource(FieldKind.OCTETS, 32),
    "metadata.length": ValueSource(_NUMBER, 1),
    "segment.size": ValueSource(_NUMBER, 1),
    "segment.count": ValueSource(_NUMBER, 1),
    "target.manufacturer_code": ValueSource(_NUMBER, 2),
    "target.model": ValueSource(FieldKind.TEXT, 8),
    "target.model_id": ValueSource(_NUMBER, 2),
    "target.hw_version": ValueSource(_NUMBER, 2),
    "target.device_class": ValueSource(_NUMBER, 1),
}
_SLICE: Final = re.compile(r"image\.sha256\[:([1-9][0-9]?)\]")
_TYPE: Final = re.compile(
    r"(?P<number>u8|u16|u32)(?P<order>be|le)?|(?P<octets>bytes|ascii)(?P<count>[1-9][0-9]{0,3})?|tlv"
)
_WIDTHS: Final = {"u8": 1, "u16": 2, "u32": 4}

FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Constant = Annotated[int, Field(strict=True, ge=0, le=0xFFFF_FFFF)] | str


class MetadataField(Section):
    """One field, or one item of a TLV group; its value comes from exactly one place.

    Attributes:
        name: What it is called in figures and refusals.
        type: ``u8``; ``u16``, ``u32`` (alone, or with ``be`` or ``le``); ``bytesN``; ``asciiN``
            (filled with zeros); ``tlv``. Inside a TLV group also ``bytes`` and ``ascii``.
        tag: Tag octet; of items of a TLV group.
        const: The one value it may have: a number, text, or octets in hex.
        value_from: What the value is computed from; one of :data:`SOURCES`.
        default: The value an image gets when nobody gives another; a hub takes any.
        unit: Unit of the value, for a reader.
        says: What it means, for a reader.
        item: The items of a TLV group, in order; each a tag, a length and a value.
        end_tag: The octet that ends a TLV group; None where nothing does.
    """

    name: FieldName
    type: str
    tag: U8 | None = None
    const: Constant | None = None
    value_from: str | None = None
    default: Constant | None = None
    unit: str = ""
    says: str = ""
    item: tuple["MetadataField", ...] = ()
    end_tag: U8 | None = None

    def __str__(self) -> str:
        held = self.const if self.const is not None else (self.value_from or self.default)
        told = " ".join(str(one) for one in self.item) if self.item else held
        return f"{self.name}:{self.type}={told}"


class MetadataLayout(Section):
    """Section ``[metadata]`` of a CHF profile.

    Attributes:
        layout_id: Name of the layout.
        position: Where the metadata stand.
        byte_order: Order of numbers whose type does not say it.
        size_bytes: Octets of the metadata; None where a TLV item is as long as it says.
        hash_scope: What the Manufacturer Image Hash is taken over in tactical mode.
        segment_bytes: Octets of one segment; where a field says ``segment.…``.
        required_fields: Names that the fields must have, so that none is lost in editing.
        field: The fields, in the order of the octets.
    """

    layout_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,30}$")]
    position: MetadataPosition
    byte_order: ByteOrder = ByteOrder.BIG
    size_bytes: Positive | None = None
    hash_scope: ImageHashScope = ImageHashScope.METADATA_AND_IMAGE
    segment_bytes: Positive | None = None
    required_fields: tuple[FieldName, ...] = ()
    field: tuple[MetadataField, ...] = ()

    @property
    def is_none(self) -> bool:
        """Whether hubs with this layout take bare images."""
        return self.position is MetadataPosition.NONE

    def values(self) -> Iterator[MetadataField]:
        """Yield every field that holds a value: TLV groups give their items."""
        for one in self.field:
            if one.item:
                yield from one.item
            else:
                yield one

    def shape(self, one: MetadataField) -> FieldShape:
        """Return what the type of a field comes to.

        Raises:
            ValueError: There is no such type.
        """
        return shape_of(one.type, self.byte_order)


#: Hubs that ask for no metadata: those of SMETS2+, and profiles without the section.
NO_LAYOUT: Final = MetadataLayout(
    layout_id="L-NONE", position=MetadataPosition.NONE, hash_scope=ImageHashScope.IMAGE
)


def shape_of(text: str, order: ByteOrder) -> FieldShape:
    """Return what a type comes to.

    Args:
        text: The type as the file writes it.
        order: Order of numbers that do not say theirs.

    Raises:
        ValueError: There is no such type.
    """
    found = _TYPE.fullmatch(text)
    if found is None or (found["number"] == "u8" and found["order"]):
        raise ValueError(
            f"{text!r} is no field type (u8, u16, u16be, u16le, u32, u32be, u32le, bytesN,"
            " asciiN, tlv)"
        )
    if found["number"]:
        told = {"be": ByteOrder.BIG, "le": ByteOrder.LITTLE}.get(found["order"] or "", order)
        return FieldShape(FieldKind.NUMBER, _WIDTHS[found["number"]], told)
    if not found["octets"]:
        return FieldShape(FieldKind.TLV, None)
    kind = FieldKind.OCTETS if found["octets"] == "bytes" else FieldKind.TEXT
    return FieldShape(kind, int(found["count"]) if found["count"] else None)


def source_of(text: str) -> ValueSource:
    """Return what a ``value_from`` yields.

    Raises:
        ValueError: It is not of the closed list.
    """
    if text in SOURCES:
        return SOURCES[text]
    cut = _SLICE.fullmatch(text)
    if cut is None or int(cut[1]) > 32:
        known = ", ".join((*SOURCES, "image.sha256[:N]"))
        raise ValueError(f"{text!r} is no source of a value (known: {known})")
    return ValueSource(FieldKind.OCTETS, int(cut[1]))
