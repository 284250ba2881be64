"""Images with a hub maker's metadata: wrapped, recognised, converted and stripped."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from device_profiles.metadata_layout import MetadataMode
from device_profiles.metadata_makers import HubMaker, HubMakers
from device_profiles.words import ImageKind
from emulator.codecs.chf_metadata import MetadataCodec, MetadataTarget, codec_of, image_hash
from emulator.codecs.chf_metadata_check import (
    Examination,
    MetadataObjection,
    MetadataRefusal,
    OfferedImage,
    Refused,
    check_image,
    examine,
)
from emulator.codecs.chf_metadata_format import Value
from emulator.codecs.ota_file import OtaImage
from firmware_images import image as images

_NOT_THIS_LAYOUT = {MetadataRefusal.CONST, MetadataRefusal.TLV, MetadataRefusal.TRUNCATED}


class ConversionError(ValueError):
    """An image cannot be given other metadata."""


class Likeness(enum.StrEnum):
    """What looking for metadata in an image came to."""

    RECOGNISED = "recognised"
    AMBIGUOUS = "ambiguous"
    DAMAGED = "damaged"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Found:
    """One layout read in an image.

    Attributes:
        maker: A maker whose hubs ask for it.
        examination: What was read, and what is wrong with it.
    """

    maker: HubMaker
    examination: Examination


@dataclass(frozen=True, slots=True)
class Recognition:
    """Which metadata an image carries.

    Attributes:
        likeness: What the search came to; ``damaged`` means that one layout is nearly there.
        found: The layouts that fit, or the one that nearly does; none for a bare image.
        stand_ins: How many of the layouts looked for are stand-ins.
        searched: How many layouts were looked for.
    """

    likeness: Likeness
    found: tuple[Found, ...] = ()
    stand_ins: int = 0
    searched: int = 0

    @property
    def maker(self) -> HubMaker | None:
        """The one maker whose hubs take the image, or None."""
        return self.found[0].maker if self.likeness is Likeness.RECOGNISED else None

    def __str__(self) -> str:
        if not self.found:
            told = f"{self.stand_ins} of {self.searched} layouts looked for are stand-ins"
            return f"L-NONE: a bare image ({told}: real layouts not public)"
        names = " or ".join(one.maker.layout.layout_id for one in self.found)
        wrong = [one.why for one in self.found[0].examination.objections]
        told = f", damaged: {wrong[0]}" if self.likeness is Likeness.DAMAGED else ""
        notes = sorted({one.maker.note for one in self.found} - {""})
        return ", ".join((f"{names}{told}", *notes))


@dataclass(frozen=True, slots=True)
class Conversion:
    """An image given other metadata.

    Attributes:
        image: The new image; its signature is over the new content.
        hash_before: Manufacturer Image Hash it had, 32 octets.
        hash_after: Manufacturer Image Hash it has.
    """

    image: OtaImage
    hash_before: bytes
    hash_after: bytes

    @property
    def warning(self) -> str:
        """What the user must know of the Central Products List, or empty."""
        if self.hash_before == self.hash_after:
            return ""
        return (
            "the Manufacturer Image Hash changes: the CPL entry of the old image does not serve"
            " the new one, which needs an entry of its own"
        )


def _offered(image: OtaImage, target: MetadataTarget | None) -> OfferedImage:
    return OfferedImage(image.header, image.manufacturer_image, target)


def _distinct(makers: HubMakers) -> list[HubMaker]:
    found = {
        (one.layout.layout_id, one.manufacturer_code): one
        for one in reversed(list(makers.by_profile.values()))
        if not one.layout.is_none
    }
    return sorted(found.values(), key=lambda one: one.profile)


def recognise(
    image: OtaImage, makers: HubMakers, target: MetadataTarget | None = None
) -> Recognition:
    """Look for the metadata of every maker at hand.

    Args:
        image: The image; its Manufacturer Image is all between OTA header and trailer.
        makers: The makers.
        target: The device it is for, where that is known.
    """
    offered = _offered(image, target)
    read = [
        Found(one, examine(codec_of(one), MetadataMode.TACTICAL, offered))
        for one in _distinct(makers)
    ]
    counts = sum(one.maker.is_stand_in for one in read), len(read)
    fitting = tuple(one for one in read if not one.examination.objections)
    if fitting:
        layouts = {one.maker.layout.layout_id for one in fitting}
        likeness = Likeness.RECOGNISED if len(layouts) == 1 else Likeness.AMBIGUOUS
        return Recognition(likeness, fitting, *counts)
    nearly = [one for one in read if _is_nearly(one.examination)]
    if not nearly:
        return Recognition(Likeness.NONE, (), *counts)
    nearest = min(nearly, key=lambda one: len(one.examination.objections))
    return Recognition(Likeness.DAMAGED, (nearest,), *counts)


def _is_nearly(found: Examination) -> bool:
    """Say whether all constants are there, or all but one value is right."""
    reasons = {one.reason for one in found.objections}
    return found.block is not None and (
        not reasons & _NOT_THIS_LAYOUT or len(found.objections) == 1
    )


def accepting(
    image: OtaImage, makers: Sequence[HubMaker], target: MetadataTarget | None = None
) -> dict[str, MetadataObjection | None]:
    """Return what each hub model says of an image's metadata in tactical mode.

    Returns:
        Profile of the hub -> the first thing wrong; None where it takes the image.
    """
    offered = _offered(image, target)
    found: dict[str, MetadataObjection | None] = {}
    for one in makers:
        answer = check_image(codec_of(one), MetadataMode.TACTICAL, offered)
        found[one.profile] = answer.objection if isinstance(answer, Refused) else None
    return found


def wrap(
    image: OtaImage,
    maker: HubMaker,
    target: MetadataTarget | None,
    *,
    scalar: int | None = None,
    given: Mapping[str, Value] | None = None,
) -> OtaImage:
    """Return a bare image with the metadata that a maker's hubs ask for (F-050).

    Args:
        image: The bare image.
        maker: The maker; of one that asks for none the image stays as it is.
        target: The device it is for.
        scalar: Key of the authorising supplier; supplier-signed images need it.
        given: Values by field name, in the place of defaults.

    Raises:
        MetadataError: A value is not known or does not fit.
        ConversionError: A supplier-signed image without a key.
    """
    codec = codec_of(maker)
    bare = image.manufacturer_image
    metadata = codec.build(image.header, bare, target, given)
    return _signed(images.resized(image, codec.join(metadata, bare)), scalar)


def convert(  # noqa: PLR0913 -- what is converted, from, to, for whom, by whom
    image: OtaImage,
    source: HubMaker,
    wanted: HubMaker,
    target: MetadataTarget | None,
    *,
    scalar: int | None = None,
    given: Mapping[str, Value] | None = None,
) -> Conversion:
    """Take one maker's metadata off an image and put another's on (F-058).

    Args:
        image: The image, with the metadata of ``source``.
        source: Whose hubs take it now; L-NONE: it is bare.
        wanted: Whose hubs are to take it; L-NONE strips it.
        target: The device it is for; layouts that say nothing of it do without.
        scalar: Key of the authorising supplier; supplier-signed images need it.
        given: Values by field name, in the place of the new layout's defaults.

    Raises:
        ConversionError: The image does not carry sound metadata of ``source``, or no key.
        MetadataError: A value of the new metadata is not known or does not fit.
    """
    old, new = codec_of(source), codec_of(wanted)
    before = image_hash(old, MetadataMode.TACTICAL, image.manufacturer_image)
    bare = images.resized(image, _bare(image, old, target))
    made = wrap(bare, wanted, target, scalar=scalar, given=given)
    return Conversion(made, before, image_hash(new, MetadataMode.TACTICAL, made.manufacturer_image))


def _bare(image: OtaImage, codec: MetadataCodec, target: MetadataTarget | None) -> bytes:
    found = check_image(codec, MetadataMode.TACTICAL, _offered(image, target))
    if isinstance(found, Refused):
        objection = found.objection
        raise ConversionError(
            f"it carries no sound {found.layout_id}: {objection.reason}"
            f"{f' in {objection.field}' if objection.field else ''}: {objection.why}"
        )
    return found.image


def _signed(image: OtaImage, scalar: int | None) -> OtaImage:
    if image.kind is not ImageKind.SUPPLIER_SIGNED:
        return image
    if scalar is None:
        raise ConversionError("a supplier-signed image needs the key of its supplier")
    return images.sign(image, scalar)
