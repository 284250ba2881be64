"""Images: built from their parts, signed the same way every time, verified against key stores."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.loader import load_profile
from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.crypto.keystore import KeyStore, KeyUsage
from firmware_images import image as images
from firmware_images.image import SignatureStatus, Signing, Target
from firmware_images.version import FirmwareVersion
from tests.emulator.codecs.test_ota_file import sample
from tests.firmware_images.forge import (
    BOTH,
    OTHER,
    OTHER_ONLY,
    OTHER_SCALAR,
    SCALAR,
    SUPPLIER,
    SUPPLIER_ONLY,
    image,
    key,
)
from tests.given import RTDS_KEYS, needs_duis, needs_rtds
from tests.sampling import examples

VERSION = FirmwareVersion.from_cpl("01020304")


@pytest.mark.parametrize("kind", list(ImageKind))
@pytest.mark.parametrize("size", [0, 1, 235, 4096])
def test_a_built_image_agrees_with_itself(kind: ImageKind, size: int) -> None:
    target = Target(kind, 0xFFF2, 7, (0x0100, 0x01FF))
    made = images.build(target, VERSION, bytes(size), title="made up", signing=Signing(SCALAR))
    octets = ota_file.encode(made)
    assert ota_file.decode(octets, kind) == made
    assert made.header.total_image_size == len(octets)
    assert made.header.version_octets == VERSION.octets


def test_a_target_of_a_profile_is_matched_by_that_hardware() -> None:
    profile = load_profile("gfi-ppmid")
    assert Target.of(profile) == Target(ImageKind.UNSIGNED, 0x121D, 0x0084, (0x1111, 0x1111))


def test_the_same_key_and_content_sign_to_the_same_octets() -> None:
    assert ota_file.encode(image()) == ota_file.encode(image())
    assert image(scalar=SCALAR).signature != image(scalar=OTHER_SCALAR).signature


def test_a_signed_kind_needs_a_key_and_others_take_none() -> None:
    target = Target(ImageKind.SUPPLIER_SIGNED, 1, 2, (3, 4))
    with pytest.raises(ValueError, match="key of its supplier"):
        images.build(target, VERSION, b"x")
    with pytest.raises(ValueError, match="carries no signature"):
        images.sign(image("demo-ppmid-2"), SCALAR)


@pytest.mark.parametrize("title", ["x" * 33, "größer"])
def test_a_header_string_that_does_not_fit_is_refused(title: str) -> None:
    with pytest.raises(ValueError, match=r"32 octets|ascii"):
        images.header_string(title)


def test_the_named_supplier_signed_or_did_not() -> None:
    made = image()
    assert images.verify(made, BOTH, SUPPLIER) is SignatureStatus.OK
    assert images.verify(made, BOTH, OTHER) is SignatureStatus.BAD_SIGNATURE
    assert images.verify(made, OTHER_ONLY, SUPPLIER) is SignatureStatus.UNKNOWN_SIGNER
    assert images.verify(made, None, SUPPLIER) is SignatureStatus.NOT_CHECKED


def test_without_a_name_any_key_at_hand_may_fit() -> None:
    made = image()
    assert images.verify(made, BOTH) is SignatureStatus.OK
    assert images.find_signer(made, BOTH) == SUPPLIER
    spoilt = replace(made, manufacturer_image=made.manufacturer_image + b"\0")
    assert images.verify(spoilt, SUPPLIER_ONLY) is SignatureStatus.BAD_SIGNATURE
    assert images.verify(spoilt, BOTH) is SignatureStatus.UNKNOWN_SIGNER
    assert images.verify(made, KeyStore()) is SignatureStatus.UNKNOWN_SIGNER
    assert images.find_signer(spoilt, BOTH) is None


def test_only_digital_signing_keys_are_tried() -> None:
    agreement = KeyStore([key(SUPPLIER, SCALAR, KeyUsage.KA)])
    assert images.verify(image(), agreement) is SignatureStatus.UNKNOWN_SIGNER
    assert images.verify(image(), agreement, SUPPLIER) is SignatureStatus.UNKNOWN_SIGNER


@pytest.mark.parametrize("recipe", ["demo-ppmid-2", "demo-chf-2"])
def test_kinds_without_a_trailer_say_so_whatever_the_keys(recipe: str) -> None:
    assert images.verify(image(recipe), BOTH, SUPPLIER) is SignatureStatus.NO_TRAILER
    assert images.verify(image(recipe), None) is SignatureStatus.NO_TRAILER
    assert images.find_signer(image(recipe), BOTH) is None


@settings(derandomize=True, deadline=None, max_examples=examples(40))
@given(st.integers(0, 64 * 8 - 1), st.integers(0, 8192 * 8 - 1))
def test_no_flipped_bit_of_signature_or_content_verifies(in_signature: int, in_image: int) -> None:
    made = image()
    assert made.signature is not None
    signature = bytearray(made.signature)
    signature[in_signature // 8] ^= 1 << in_signature % 8
    content = bytearray(made.manufacturer_image)
    content[in_image // 8] ^= 1 << in_image % 8
    for spoilt in (
        replace(made, signature=bytes(signature)),
        replace(made, manufacturer_image=bytes(content)),
    ):
        assert images.verify(spoilt, BOTH, SUPPLIER) is SignatureStatus.BAD_SIGNATURE


def test_force_replace_is_not_signed_over() -> None:
    assert images.verify(replace(image(), force_replace=1), BOTH) is SignatureStatus.OK


@needs_duis
@needs_rtds
def test_the_published_sample_is_signed_by_the_test_supplier() -> None:
    octets = sample("11.1_")
    keys = KeyStore.load(RTDS_KEYS)
    read = ota_file.decode(octets, ImageKind.SUPPLIER_SIGNED)
    signer = images.find_signer(read, keys)
    assert signer is not None
    assert signer.hex == "90b3d51f30010000"
    assert images.verify(read, keys, signer) is SignatureStatus.OK
    other = next(e.eui64 for e in keys.entries() if e.eui64 != signer and e.usage is KeyUsage.DS)
    assert images.verify(read, keys, other) is SignatureStatus.BAD_SIGNATURE
