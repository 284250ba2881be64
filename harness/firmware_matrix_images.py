"""Images of the firmware matrix: made ones, and the user's, with what is known of them."""

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from device_profiles.evidence import EvidenceKind, Mark
from device_profiles.metadata_layout import NO_LAYOUT
from device_profiles.metadata_makers import HubMaker, HubMakers
from device_profiles.schema import DeviceProfile
from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataTarget, codec_of
from emulator.codecs.ota_file import OtaImage
from firmware_images.image import Signing, Target, build, sign
from firmware_images.metadata import Likeness, recognise, wrap
from firmware_images.recipe import made_up_scalar
from firmware_images.version import FirmwareVersion
from harness.rules.firmware_case import ImageFacts

_LINE: Final = b"smetsbench matrix image\n"
_STAND_IN: Final = Mark(EvidenceKind.STAND_IN)


@dataclass(frozen=True, slots=True)
class MatrixImage:
    """One image.

    Attributes:
        file: The image, taken apart.
        octets: The whole file.
        facts: What the implying engine is told of it.
    """

    file: OtaImage
    octets: bytes
    facts: ImageFacts


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """An image to be made.

    Attributes:
        name: What it is called.
        version: Version in its header.
        listed_version: Version under which the list has it.
        content_bytes: Octets of its Manufacturer Image.
        mark: Where the order comes from.
    """

    name: str
    version: str
    listed_version: str
    content_bytes: int
    mark: Mark = _STAND_IN


def make(order: ImageOrder, target: DeviceProfile, maker: HubMaker) -> MatrixImage:
    """Make the image of an order with the metadata of a maker (or none)."""
    bare = _bare(order, target)
    return finish(order, bare, target, maker)


def make_oversize(
    order: ImageOrder, target: DeviceProfile, maker: HubMaker, store_bytes: int
) -> MatrixImage:
    """Make an image that is one octet larger than a hub's store, with the maker's metadata."""
    fitting = make(order, target, maker)
    more = store_bytes + 1 - len(fitting.octets)
    grown = replace(
        order,
        name=f"{order.name}, one octet too large",
        content_bytes=max(1, order.content_bytes + more),
    )
    return make(grown, target, maker)


def finish(
    order: ImageOrder, bare: OtaImage, target: DeviceProfile, maker: HubMaker
) -> MatrixImage:
    """Put a maker's metadata around a bare image."""
    scalar = made_up_scalar() if bare.kind is ImageKind.SUPPLIER_SIGNED else None
    around = (
        bare
        if maker.layout.is_none
        else wrap(bare, maker, MetadataTarget.of(target), scalar=scalar)
    )
    octets = ota_file.encode(around)
    facts = facts_of(order, around, len(octets), maker.layout.layout_id, bare.manufacturer_image)
    return MatrixImage(around, octets, facts)


def facts_of(
    order: ImageOrder, image: OtaImage, size_bytes: int, layout_id: str, bare: bytes
) -> ImageFacts:
    """Return what the implying engine is told of an image."""
    header = image.header
    low, high = header.minimum_hardware, header.maximum_hardware
    return ImageFacts(
        order.name,
        layout_id,
        header.manufacturer_code,
        header.image_type,
        f"{header.file_version:08X}",
        order.listed_version,
        None if low is None or high is None else (low, high),
        size_bytes,
        hashlib.sha256(image.manufacturer_image).digest(),
        hashlib.sha256(bare).digest(),
        order.mark,
    )


def read(octets: bytes, target: DeviceProfile, makers: HubMakers, order: ImageOrder) -> MatrixImage:
    """Read a user's image for a target: which layout it carries is recognised.

    Args:
        octets: The whole file.
        target: The device it is for, whose profile says what its tail looks like.
        makers: The makers whose layouts are looked for.
        order: Its name and the version the list has it under.

    Raises:
        MalformedFrameError: The file is no image of that kind.
    """
    image = ota_file.decode(octets, target.firmware.image_kind)
    found = recognise(image, makers, MetadataTarget.of(target))
    bare = image.manufacturer_image
    layout_id = NO_LAYOUT.layout_id if found.likeness is Likeness.NONE else ""
    if found.maker is not None:
        layout_id = found.maker.layout.layout_id
        bare = codec_of(found.maker).split(image.manufacturer_image)[1]
    return MatrixImage(image, octets, facts_of(order, image, len(octets), layout_id, bare))


def signed_anew(image: MatrixImage, scalar: int) -> bytes:
    """Return the file with another supplier's signature, for an observer that plays that one."""
    if image.file.kind is not ImageKind.SUPPLIER_SIGNED:
        return image.octets
    return ota_file.encode(sign(image.file, scalar))


def _bare(order: ImageOrder, target: DeviceProfile) -> OtaImage:
    signed = target.firmware.image_kind is ImageKind.SUPPLIER_SIGNED
    return build(
        Target.of(target),
        FirmwareVersion.from_cpl(order.version),
        _content(order.content_bytes),
        title="smetsbench matrix",
        signing=Signing(made_up_scalar()) if signed else None,
    )


@cache
def _content(size_bytes: int) -> bytes:
    line = _LINE[:size_bytes]
    pattern = hashlib.sha256(_LINE).digest()
    whole, rest = divmod(size_bytes - len(line), len(pattern))
    return line + pattern * whole + pattern[:rest]
