"""Firmware images: built, signed by the authorising supplier, and verified."""

import enum
from dataclasses import dataclass, field, replace

from device_profiles.schema import DeviceProfile
from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.codecs.ota_file import HEADER_STRING_BYTES, ImageError, OtaHeader, OtaImage
from emulator.core.ids import Eui64
from emulator.crypto import signature
from emulator.crypto.keystore import KeyStore, KeyUsage
from firmware_images.version import FirmwareVersion


class SignatureStatus(enum.StrEnum):
    """What checking an image's signature came to (F-006)."""

    OK = "ok"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN_SIGNER = "unknown-signer"
    NO_TRAILER = "no-trailer"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class Target:
    """For which devices an image is.

    Attributes:
        kind: What its tail looks like.
        manufacturer_code: Zigbee manufacturer code (u16).
        image_type: Image type (u16).
        hardware: Lowest and highest hardware version (u16 each).
    """

    kind: ImageKind
    manufacturer_code: int
    image_type: int
    hardware: tuple[int, int]

    @classmethod
    def of(cls, profile: DeviceProfile) -> "Target":
        """Return the target that a device of this profile, and its hardware alone, matches."""
        identity, firmware = profile.identity, profile.firmware
        version = identity.hardware_version
        return cls(
            firmware.image_kind,
            identity.manufacturer_code,
            firmware.image_type,
            (version, version),
        )


@dataclass(frozen=True, slots=True)
class Signing:
    """How a supplier authorises an image.

    Attributes:
        scalar: Private key of the authorising supplier.
        force_replace: ForceReplace octet of the trailer.
    """

    scalar: int = field(repr=False)
    force_replace: int = 0


def header_string(text: str) -> bytes:
    """Return a header string of 32 octets, filled with zeros.

    Raises:
        ValueError: ``text`` is not ASCII or longer than 32 octets.
    """
    octets = text.encode("ascii")
    if len(octets) > HEADER_STRING_BYTES:
        raise ValueError(f"a header string has at most {HEADER_STRING_BYTES} octets: {text!r}")
    return octets.ljust(HEADER_STRING_BYTES, b"\0")


def build(
    target: Target,
    version: FirmwareVersion,
    manufacturer_image: bytes,
    *,
    title: str = "",
    signing: Signing | None = None,
) -> OtaImage:
    """Build an image whose header agrees with its content.

    Args:
        target: For which devices it is.
        version: Firmware version it carries.
        manufacturer_image: What the device is to run.
        title: Header string, at most 32 ASCII characters.
        signing: Key and ForceReplace; ``supplier-signed`` images need it, others ignore it.

    Raises:
        ValueError: A signed kind without a key, or a title that does not fit.
    """
    header = OtaHeader(
        manufacturer_code=target.manufacturer_code,
        image_type=target.image_type,
        file_version=version.number,
        header_string=header_string(title),
        total_image_size=0,
        minimum_hardware=target.hardware[0],
        maximum_hardware=target.hardware[1],
    )
    size = ota_file.size_of(target.kind, header, manufacturer_image)
    header = replace(header, total_image_size=size)
    if target.kind is not ImageKind.SUPPLIER_SIGNED:
        return OtaImage(target.kind, header, manufacturer_image)
    if signing is None:
        raise ValueError("a supplier-signed image needs the key of its supplier")
    made = signature.sign(signing.scalar, manufacturer_image)
    return OtaImage(target.kind, header, manufacturer_image, signing.force_replace, made)


def resized(image: OtaImage, manufacturer_image: bytes) -> OtaImage:
    """Return the image with other content and a total size to match; its signature stays."""
    size = ota_file.size_of(image.kind, image.header, manufacturer_image)
    header = replace(image.header, total_image_size=size)
    return replace(image, header=header, manufacturer_image=manufacturer_image)


def sign(image: OtaImage, scalar: int) -> OtaImage:
    """Return the image signed by this key; the same key and image give the same octets (F-005).

    Raises:
        ValueError: The image is of a kind that carries no signature.
    """
    if image.kind is not ImageKind.SUPPLIER_SIGNED:
        raise ValueError(f"an image of kind {image.kind} carries no signature")
    return replace(image, signature=signature.sign(scalar, image.manufacturer_image))


def find_signer(image: OtaImage, keystore: KeyStore) -> Eui64 | None:
    """Return the party whose digital-signing key made the signature, or None."""
    if image.signature is None:
        return None
    for entry in keystore.entries():
        if entry.usage is KeyUsage.DS and signature.verify(
            entry.public_point, image.manufacturer_image, image.signature
        ):
            return entry.eui64
    return None


def verify(
    image: OtaImage, keystore: KeyStore | None, signer: Eui64 | None = None
) -> SignatureStatus:
    """Check an image's signature.

    Args:
        image: The image.
        keystore: Keys to check with; None gives ``not-checked``.
        signer: The party that must have signed, where the caller knows it. An image does not name
            its signer, so without this any digital-signing key of the store may fit; when none
            does, ``bad-signature`` is said only where the store holds the keys of one party.

    Returns:
        ``no-trailer`` for kinds without one, whatever the keys.
    """
    if image.signature is None:
        return SignatureStatus.NO_TRAILER
    if keystore is None:
        return SignatureStatus.NOT_CHECKED
    if signer is None:
        return _verify_by_anyone(image, keystore)
    entry = keystore.find(signer, KeyUsage.DS)
    if entry is None:
        return SignatureStatus.UNKNOWN_SIGNER
    fits = signature.verify(entry.public_point, image.manufacturer_image, image.signature)
    return SignatureStatus.OK if fits else SignatureStatus.BAD_SIGNATURE


def _verify_by_anyone(image: OtaImage, keystore: KeyStore) -> SignatureStatus:
    if find_signer(image, keystore) is not None:
        return SignatureStatus.OK
    parties = {entry.eui64 for entry in keystore.entries() if entry.usage is KeyUsage.DS}
    return SignatureStatus.BAD_SIGNATURE if len(parties) == 1 else SignatureStatus.UNKNOWN_SIGNER


__all__ = [
    "ImageError",
    "OtaImage",
    "SignatureStatus",
    "Signing",
    "Target",
    "build",
    "find_signer",
    "header_string",
    "resized",
    "sign",
    "verify",
]
