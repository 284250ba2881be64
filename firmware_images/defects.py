"""Images with exactly one thing wrong, by name (F-011)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.codecs.ota_file import OtaImage
from firmware_images import image as images

_FIELD_CONTROL_AT: Final = 8
_HEADER_LENGTH_AT: Final = 6
_TOTAL_SIZE_AT: Final = 52


class DefectError(ValueError):
    """This defect cannot be put into this image."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A sound image, and what it takes to spoil it.

    Attributes:
        image: The image, signed where its kind carries a signature.
        scalar: Key it was signed with; None for kinds without a signature.
        other_scalar: Key of another supplier.
        store_bytes: Image store of the hub that ``oversize`` must not fit.
    """

    image: OtaImage
    scalar: int | None
    other_scalar: int
    store_bytes: int


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to spoil an image.

    Attributes:
        sentence: What is wrong with the image.
        spoil: Makes the octets of the spoiled file.
    """

    sentence: str
    spoil: Callable[[Draft], bytes]


def spoil(name: str, draft: Draft) -> bytes:
    """Return the file of ``draft`` with the named defect.

    Raises:
        DefectError: No such defect, or the image's kind has no place for it.
    """
    try:
        defect = DEFECTS[name]
    except KeyError:
        raise DefectError(f"no defect {name!r} (known: {', '.join(DEFECTS)})") from None
    return defect.spoil(draft)


def _wrong_magic(draft: Draft) -> bytes:
    return b"\x1e\xf1\xee\x0c" + ota_file.encode(draft.image)[4:]


def _reserved_field_control(draft: Draft) -> bytes:
    return _flipped(ota_file.encode(draft.image), _FIELD_CONTROL_AT, 0x08)


def _wrong_header_length(draft: Draft) -> bytes:
    return _flipped(ota_file.encode(draft.image), _HEADER_LENGTH_AT, 0x01)


def _wrong_total_size(draft: Draft) -> bytes:
    return _flipped(ota_file.encode(draft.image), _TOTAL_SIZE_AT, 0x01)


def _wrong_hardware_range(draft: Draft) -> bytes:
    header = draft.image.header
    above = (header.maximum_hardware or 0) + 1
    if above > 0xFFFF:
        raise DefectError("no hardware version lies above the range of this image")
    return _with_header(draft, replace(header, minimum_hardware=above, maximum_hardware=above))


def _wrong_manufacturer(draft: Draft) -> bytes:
    header = draft.image.header
    return _with_header(draft, replace(header, manufacturer_code=header.manufacturer_code ^ 0x0001))


def _wrong_image_type(draft: Draft) -> bytes:
    header = draft.image.header
    return _with_header(draft, replace(header, image_type=header.image_type ^ 0x0100))


def _lower_file_version(draft: Draft) -> bytes:
    return _with_header(draft, replace(draft.image.header, file_version=0))


def _bit_flip_in_image(draft: Draft) -> bytes:
    content = draft.image.manufacturer_image
    middle = len(content) // 2
    return ota_file.encode(replace(draft.image, manufacturer_image=_flipped(content, middle, 0x01)))


def _bit_flip_in_signature(draft: Draft) -> bytes:
    made = _signature(draft)
    return ota_file.encode(replace(draft.image, signature=_flipped(made, 40, 0x01)))


def _signature_by_another_supplier(draft: Draft) -> bytes:
    _signature(draft)
    return ota_file.encode(images.sign(draft.image, draft.other_scalar))


def _hash_not_on_cpl(draft: Draft) -> bytes:
    content = draft.image.manufacturer_image + b"\0"
    return ota_file.encode(_sound(draft, content))


def _absent_trailer(draft: Draft) -> bytes:
    _signature(draft)
    bare = OtaImage(ImageKind.UNSIGNED, draft.image.header, draft.image.manufacturer_image)
    return ota_file.encode(images.resized(bare, bare.manufacturer_image))


def _truncated_trailer(draft: Draft) -> bytes:
    _signature(draft)
    header = ota_file.encode_header(
        replace(
            draft.image.header,
            total_image_size=draft.image.header.header_length + ota_file.TRAILER_BYTES - 1,
        )
    )
    return header + ota_file.encode(draft.image)[-(ota_file.TRAILER_BYTES - 1) :]


def _wrong_signature_length(draft: Draft) -> bytes:
    _signature(draft)
    octets = ota_file.encode(draft.image)
    return _flipped(octets, len(octets) - ota_file.SIGNATURE_BYTES - 1, 0x01)


def _force_replace(draft: Draft) -> bytes:
    _signature(draft)
    return ota_file.encode(replace(draft.image, force_replace=1))


def _oversize(draft: Draft) -> bytes:
    excess = draft.store_bytes + 1 - draft.image.header.total_image_size
    content = draft.image.manufacturer_image
    return ota_file.encode(_sound(draft, content + b"\xff" * max(excess, 0)))


def _metadata_for_another_maker(draft: Draft) -> bytes:
    content = draft.image.manufacturer_image
    return ota_file.encode(_sound(draft, _stand_in_metadata(draft.image) + content))


def _metadata_truncated(draft: Draft) -> bytes:
    content = draft.image.manufacturer_image
    return ota_file.encode(_sound(draft, _stand_in_metadata(draft.image)[:11] + content))


def _stand_in_metadata(image: OtaImage) -> bytes:
    """Return a metadata block of 24 octets, big-endian, that no SMETS2+ hub asks for.

    Source:
        invented: the form of stand-in layout L-FOC-L1 (real layout not public).
    """
    size = len(image.manufacturer_image)
    head = b"LG\x01\x00" + image.header.image_type.to_bytes(2, "big")
    hardware = (image.header.minimum_hardware or 0).to_bytes(2, "big")
    version = image.header.version_octets
    segments = (256).to_bytes(2, "big") + (-(-size // 256) & 0xFFFF).to_bytes(2, "big")
    return head + hardware + version + size.to_bytes(4, "big") + segments + b"\0\0\0\0"


def _signature(draft: Draft) -> bytes:
    if draft.image.signature is None:
        raise DefectError(f"an image of kind {draft.image.kind} has no trailer to spoil")
    return draft.image.signature


def _sound(draft: Draft, content: bytes) -> OtaImage:
    """Return the image with other content: total size and signature fit it."""
    image = images.resized(draft.image, content)
    return image if draft.scalar is None else images.sign(image, draft.scalar)


def _with_header(draft: Draft, header: ota_file.OtaHeader) -> bytes:
    return ota_file.encode(replace(draft.image, header=header))


def _flipped(octets: bytes, at: int, mask: int) -> bytes:
    return octets[:at] + bytes((octets[at] ^ mask,)) + octets[at + 1 :]


#: Every defect, by the name the command line and scenarios use.
DEFECTS: Final[Mapping[str, Defect]] = {
    "wrong-magic": Defect("the file does not begin with the OTA magic", _wrong_magic),
    "reserved-field-control": Defect(
        "a field-control bit that means nothing is set", _reserved_field_control
    ),
    "wrong-header-length": Defect(
        "the header length contradicts the field control", _wrong_header_length
    ),
    "wrong-total-size": Defect("the header says another size than the file has", _wrong_total_size),
    "wrong-hardware-range": Defect("it is for later hardware only", _wrong_hardware_range),
    "wrong-manufacturer": Defect("it is for another maker's devices", _wrong_manufacturer),
    "wrong-image-type": Defect("it is for another type of device", _wrong_image_type),
    "lower-file-version": Defect("its version is lower than any device runs", _lower_file_version),
    "bit-flip-in-image": Defect(
        "one bit of the Manufacturer Image differs from what was signed", _bit_flip_in_image
    ),
    "bit-flip-in-signature": Defect("one bit of the signature is wrong", _bit_flip_in_signature),
    "signature-by-another-supplier": Defect(
        "a supplier signed that is not the device's", _signature_by_another_supplier
    ),
    "hash-not-on-cpl": Defect(
        "soundly signed, but one octet longer than what the CPL lists", _hash_not_on_cpl
    ),
    "absent-trailer": Defect("ForceReplace and signature are missing", _absent_trailer),
    "truncated-trailer": Defect("the file is shorter than its trailer", _truncated_trailer),
    "wrong-signature-length": Defect(
        "the signature length is not 40 hexadecimal", _wrong_signature_length
    ),
    "force-replace": Defect("ForceReplace is 1", _force_replace),
    "oversize": Defect("one octet more than the hub's image store holds", _oversize),
    "metadata-for-another-maker": Defect(
        "a hub maker's metadata stands before the image (stand-in layout, real layout not public)",
        _metadata_for_another_maker,
    ),
    "metadata-truncated": Defect(
        "half of such metadata stands before the image (stand-in layout, real layout not public)",
        _metadata_truncated,
    ),
}
