"""Every defect spoils exactly the one thing it names."""

import hashlib

import pytest

from device_profiles.cpl import load_cpl
from device_profiles.loader import load_profile
from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.codecs.ota_file import ImageError, ImageErrorName, OtaImage
from firmware_images.defects import DEFECTS, DefectError, spoil
from firmware_images.image import SignatureStatus, verify
from tests.firmware_images.forge import BOTH, OTHER, STORE_BYTES, SUPPLIER, draft

SIGNED = ImageKind.SUPPLIER_SIGNED
#: Defects that make the file contradict itself.
CONTRADICTIONS = {
    "wrong-magic": ImageErrorName.BAD_MAGIC,
    "reserved-field-control": ImageErrorName.RESERVED_FIELD_CONTROL,
    "wrong-header-length": ImageErrorName.BAD_HEADER_LENGTH,
    "wrong-total-size": ImageErrorName.SIZE_MISMATCH,
    "truncated-trailer": ImageErrorName.TRUNCATED_TRAILER,
    "wrong-signature-length": ImageErrorName.BAD_SIG_LENGTH,
}
#: Defects of F-011, as firmware.md lists them.
LISTED = [
    "wrong-magic",
    "wrong-total-size",
    "wrong-hardware-range",
    "wrong-manufacturer",
    "wrong-image-type",
    "lower-file-version",
    "bit-flip-in-image",
    "bit-flip-in-signature",
    "signature-by-another-supplier",
    "hash-not-on-cpl",
    "absent-trailer",
    "force-replace",
    "oversize",
    "metadata-for-another-maker",
    "metadata-truncated",
]
#: What a supplier-signed trailer alone can have.
OF_THE_TRAILER = [
    "bit-flip-in-signature",
    "signature-by-another-supplier",
    "absent-trailer",
    "truncated-trailer",
    "wrong-signature-length",
    "force-replace",
]


def spoilt(name: str) -> OtaImage:
    return ota_file.decode(spoil(name, draft()), SIGNED)


def is_sound(image: OtaImage) -> bool:
    return verify(image, BOTH, SUPPLIER) is SignatureStatus.OK


@pytest.mark.parametrize("name", LISTED)
def test_every_listed_defect_is_in_the_table(name: str) -> None:
    assert name in DEFECTS


@pytest.mark.parametrize("name", list(DEFECTS))
def test_a_defect_changes_the_file_the_same_way_every_time(name: str) -> None:
    octets = spoil(name, draft())
    assert octets != ota_file.encode(draft().image)
    assert octets == spoil(name, draft())
    assert len(DEFECTS[name].sentence) > 10


@pytest.mark.parametrize(("name", "error"), CONTRADICTIONS.items())
def test_a_contradiction_is_found_by_its_name(name: str, error: ImageErrorName) -> None:
    with pytest.raises(ImageError) as caught:
        ota_file.decode(spoil(name, draft()), SIGNED)
    assert caught.value.name is error


@pytest.mark.parametrize("name", [n for n in DEFECTS if n not in CONTRADICTIONS])
def test_other_defects_leave_a_file_that_can_be_read(name: str) -> None:
    kind = ImageKind.UNSIGNED if name == "absent-trailer" else SIGNED
    assert ota_file.decode(spoil(name, draft()), kind).kind is kind


def test_an_absent_trailer_leaves_header_and_content_alone() -> None:
    sound = draft().image
    bare = ota_file.decode(spoil("absent-trailer", draft()), ImageKind.UNSIGNED)
    assert bare.manufacturer_image == sound.manufacturer_image
    with pytest.raises(ImageError) as caught:
        ota_file.decode(spoil("absent-trailer", draft()), SIGNED)
    assert caught.value.name in {ImageErrorName.BAD_SIG_LENGTH, ImageErrorName.TRUNCATED_TRAILER}


def test_header_defects_touch_one_field_and_keep_the_signature() -> None:
    profile = load_profile("demo-esme")
    own = draft().image.header
    hardware = spoilt("wrong-hardware-range").header
    assert hardware.minimum_hardware is not None
    assert hardware.minimum_hardware > profile.identity.hardware_version
    assert spoilt("wrong-manufacturer").header.manufacturer_code != own.manufacturer_code
    assert spoilt("wrong-image-type").header.image_type != own.image_type
    assert spoilt("lower-file-version").header.file_version < profile.identity.version_number
    for name in (
        "wrong-hardware-range",
        "wrong-manufacturer",
        "wrong-image-type",
        "lower-file-version",
    ):
        assert is_sound(spoilt(name))
        assert spoilt(name).manufacturer_image == draft().image.manufacturer_image


def test_flipped_bits_break_the_signature() -> None:
    for name in ("bit-flip-in-image", "bit-flip-in-signature"):
        assert verify(spoilt(name), BOTH, SUPPLIER) is SignatureStatus.BAD_SIGNATURE
    assert spoilt("bit-flip-in-signature").manufacturer_image == draft().image.manufacturer_image


def test_another_supplier_signs_soundly() -> None:
    image = spoilt("signature-by-another-supplier")
    assert verify(image, BOTH, SUPPLIER) is SignatureStatus.BAD_SIGNATURE
    assert verify(image, BOTH, OTHER) is SignatureStatus.OK


def test_a_hash_that_the_list_has_not_is_soundly_signed() -> None:
    cpl = load_cpl()
    assert cpl.with_hash(hashlib.sha256(draft().image.manufacturer_image).digest())
    image = spoilt("hash-not-on-cpl")
    assert is_sound(image)
    assert not cpl.with_hash(ota_file.manufacturer_image_hash(image))


def test_force_replace_alone_is_set() -> None:
    image = spoilt("force-replace")
    assert image.force_replace == 1
    assert is_sound(image)


def test_oversize_is_one_octet_more_than_the_store_holds() -> None:
    octets = spoil("oversize", draft())
    assert len(octets) == STORE_BYTES + 1
    assert is_sound(ota_file.decode(octets, SIGNED))


def test_metadata_stand_before_the_image_and_are_signed_over() -> None:
    content = draft().image.manufacturer_image
    whole, half = spoilt("metadata-for-another-maker"), spoilt("metadata-truncated")
    assert whole.manufacturer_image.endswith(content)
    assert len(whole.manufacturer_image) == len(content) + 24
    assert half.manufacturer_image == whole.manufacturer_image[:11] + content
    assert is_sound(whole)
    assert is_sound(half)


@pytest.mark.parametrize("name", OF_THE_TRAILER)
@pytest.mark.parametrize("recipe", ["demo-ppmid-2", "demo-chf-2"])
def test_a_kind_without_trailer_has_no_trailer_to_spoil(name: str, recipe: str) -> None:
    with pytest.raises(DefectError, match="no trailer"):
        spoil(name, draft(recipe))


@pytest.mark.parametrize(
    "name", [n for n in DEFECTS if n not in {*OF_THE_TRAILER, *CONTRADICTIONS}]
)
def test_other_defects_fit_an_unsigned_image_too(name: str) -> None:
    octets = spoil(name, draft("demo-ppmid-2"))
    assert ota_file.decode(octets, ImageKind.UNSIGNED) != draft("demo-ppmid-2").image


def test_an_unknown_defect_names_those_there_are() -> None:
    with pytest.raises(DefectError, match="wrong-magic"):
        spoil("no-such-defect", draft())
