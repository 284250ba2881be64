"""The hub's side: does an image carry the metadata that hubs of this maker ask for (F-051)?"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.metadata_layout import FieldKind, MetadataMode
from emulator.codecs.chf_metadata import (
    ImageFacts,
    MetadataCodec,
    MetadataTarget,
    Missing,
    image_hash,
)
from emulator.codecs.chf_metadata_format import Block, ReadField, encode
from emulator.codecs.ota_file import OtaHeader
from emulator.core.errors import MalformedFrameError


class MetadataRefusal(enum.StrEnum):
    """Why a hub discards an image because of its metadata."""

    TRUNCATED = "metadata-truncated"
    CONST = "const-mismatch"
    TLV = "tlv-mismatch"
    TEXT = "bad-text"
    HEADER = "header-mismatch"
    LENGTH = "length-mismatch"
    DIGEST = "digest-mismatch"
    OEM = "oem-mismatch"
    TARGET = "target-mismatch"
    SEGMENT = "segment-mismatch"
    EMPTY = "empty-image"
    NOT_SUPPLIED = "metadata-not-supplied"
    LEFT_OVER = "octets-left-over"


@dataclass(frozen=True, slots=True)
class MetadataObjection:
    """One thing wrong with metadata.

    Attributes:
        reason: What kind of thing.
        field: Name of the field, or empty.
        why: One sentence.
    """

    reason: MetadataRefusal
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The hub takes the image.

    Attributes:
        layout_id: Layout it was read by.
        fields: Fields of the metadata; none for hubs that ask for none.
        image: The Manufacturer Image, bare.
        image_hash: The hash it has for this hub, 32 octets.
    """

    layout_id: str
    fields: tuple[ReadField, ...]
    image: bytes
    image_hash: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The hub discards the image, whatever its header and signature say.

    Attributes:
        layout_id: Layout it was read by.
        objection: The first thing wrong.
    """

    layout_id: str
    objection: MetadataObjection

    @property
    def reason(self) -> MetadataRefusal:
        """What kind of thing is wrong."""
        return self.objection.reason


@dataclass(frozen=True, slots=True)
class Examination:
    """Metadata read by one layout, with everything wrong with them.

    Attributes:
        block: The metadata; None where they end too early.
        image: The Manufacturer Image beside them.
        objections: In the order of the octets.
    """

    block: Block | None
    image: bytes
    objections: tuple[MetadataObjection, ...]

    @property
    def fields(self) -> tuple[ReadField, ...]:
        """The fields as read; none where the metadata end too early."""
        return () if self.block is None else self.block.fields


@dataclass(frozen=True, slots=True)
class OfferedImage:
    """An image as a hub is offered it.

    Attributes:
        header: Its OTA header.
        content: What stands between OTA header and trailer.
        target: The device it is for, where the hub knows the model; None leaves those fields be.
        supplied: In enduring mode: the metadata that the S1SP handed over; None: none.
    """

    header: OtaHeader
    content: bytes
    target: MetadataTarget | None = None
    supplied: bytes | None = None


#: First word of a ``value_from`` -> what its disagreement is called.
_REASONS: Final[Mapping[str, MetadataRefusal]] = {
    "hub": MetadataRefusal.OEM,
    "ota": MetadataRefusal.HEADER,
    "image": MetadataRefusal.DIGEST,
    "metadata": MetadataRefusal.LENGTH,
    "segment": MetadataRefusal.SEGMENT,
    "target": MetadataRefusal.TARGET,
}


def check_image(
    codec: MetadataCodec, mode: MetadataMode, offered: OfferedImage
) -> Accepted | Refused:
    """Say whether a hub takes an image, by its metadata alone.

    Args:
        codec: Of the hub's maker.
        mode: Where the hub finds the metadata.
        offered: The image.
    """
    layout_id = codec.layout.layout_id
    if codec.layout.is_none:
        hashed = image_hash(codec, mode, offered.content)
        return Accepted(layout_id, (), offered.content, hashed)
    if mode is MetadataMode.ENDURING and offered.supplied is None:
        why = "the S1SP handed over no metadata with the image"
        return Refused(layout_id, MetadataObjection(MetadataRefusal.NOT_SUPPLIED, "", why))
    found = examine(codec, mode, offered)
    if found.objections:
        return Refused(layout_id, found.objections[0])
    return Accepted(layout_id, found.fields, found.image, image_hash(codec, mode, offered.content))


def examine(codec: MetadataCodec, mode: MetadataMode, offered: OfferedImage) -> Examination:
    """Read an image's metadata by one layout and tell everything that is wrong with them.

    Args:
        codec: Of the hub's maker; of one that asks for metadata.
        mode: Where they are: in the content, or supplied beside it.
        offered: The image; in enduring mode with supplied metadata.
    """
    inside = mode is MetadataMode.TACTICAL
    held = offered.content if inside else (offered.supplied or b"")
    try:
        metadata, image = codec.split(held)
        block = codec.format.read(metadata)
    except MalformedFrameError as error:
        objection = MetadataObjection(MetadataRefusal.TRUNCATED, "", error.why)
        return Examination(None, b"" if inside else offered.content, (objection,))
    left_over = b""
    if not inside:
        left_over, image = image, offered.content
    facts = codec.facts(offered.header, image, offered.target)
    return Examination(block, image, tuple(_objections(facts, block, left_over)))


def _objections(facts: ImageFacts, block: Block, left_over: bytes) -> Iterator[MetadataObjection]:
    for field in block.fields:
        found = _of_field(facts, field)
        if found is not None:
            yield found
    ends = {one.name: one.end_tag for one in facts.layout.field}
    for name, (offset, octet) in block.ends.items():
        if octet != ends[name]:
            why = f"octet {offset} is {octet:02X}, not the end tag {ends[name]:02X}"
            yield MetadataObjection(MetadataRefusal.TLV, name, why)
    if left_over:
        why = f"{len(left_over)} octets are left over behind the metadata"
        yield MetadataObjection(MetadataRefusal.LEFT_OVER, "", why)
    if not facts.image:
        yield MetadataObjection(MetadataRefusal.EMPTY, "", "there is no Manufacturer Image")


def _of_field(facts: ImageFacts, read: ReadField) -> MetadataObjection | None:
    one = read.field
    framing = _framing(read)
    if framing:
        return MetadataObjection(MetadataRefusal.TLV, one.name, framing)
    if one.const is not None:
        wanted = encode(_constant(read), read.shape)
        return _differs(read, wanted, MetadataRefusal.CONST, "the layout")
    if read.shape.kind is FieldKind.TEXT and not _is_text(read):
        why = f"{read.octets.hex()} is no printable text filled with zeros"
        return MetadataObjection(MetadataRefusal.TEXT, one.name, why)
    if one.value_from is None:
        return None
    return _of_source(facts, read, one.value_from)


def _of_source(facts: ImageFacts, read: ReadField, source: str) -> MetadataObjection | None:
    expected = facts.value(source)
    reason = _REASONS[source.partition(".")[0]]
    if source == "image.length":
        reason = MetadataRefusal.LENGTH
    if expected is Missing.UNKNOWN:
        return None
    if isinstance(expected, Missing):
        return MetadataObjection(reason, read.field.name, f"{source}: {expected.value}")
    try:
        wanted = encode(expected, read.shape)
    except ValueError as error:
        return MetadataObjection(reason, read.field.name, f"{source}: {error}")
    return _differs(read, wanted, reason, source)


def _differs(
    read: ReadField, wanted: bytes, reason: MetadataRefusal, source: str
) -> MetadataObjection | None:
    if read.octets == wanted:
        return None
    why = (
        f"octet {read.offset}: {_short(read.octets)} stands there, {source} makes {_short(wanted)}"
    )
    return MetadataObjection(reason, read.field.name, why)


def _short(octets: bytes) -> str:
    text = octets.hex()
    return text if len(text) <= 16 else f"{text[:16]}…"


def _framing(read: ReadField) -> str:
    """Return what is wrong with tag or length of a TLV item, or nothing."""
    if read.tag != read.field.tag:
        return f"tag {read.tag:02X} where {read.field.tag:02X} must stand"
    if read.length is not None and read.length != len(read.octets):
        return f"length {read.length} where the layout has {len(read.octets)} octets"
    return ""


def _constant(read: ReadField) -> int | bytes | str:
    held = read.field.const
    return "" if held is None else held


def _is_text(read: ReadField) -> bool:
    text = read.octets.rstrip(b"\0")
    return text.isascii() and text.decode("ascii").isprintable()
