"""Verification of a received image: sizes, addressee, hardware, and who signed it."""

import hashlib
from dataclasses import dataclass
from typing import Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.codecs.ota_file import ImageError, OtaImage
from emulator.core.ids import Eui64
from emulator.crypto import signature
from emulator.crypto.keystore import KeyUsage
from emulator.crypto.protection import KeyRing
from emulator.devices.firmware_slots import PendingImage

#: Where a readable image's content begins; used for the hash of an unreadable one.
_USUAL_HEADER_BYTES: Final = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a verification.

    Attributes:
        why: Why the image is discarded; empty when it is good.
        calculated_hash: SHA-256 over the Manufacturer Image, 32 octets. Of an image that cannot
            be taken apart, over everything after the usual header (inferred: 8F1C needs a hash).
        image: What goes into the pending slot; None when the image is discarded.
    """

    why: str
    calculated_hash: bytes
    image: PendingImage | None = None


def verify_image(
    octets: bytes, profile: DeviceProfile, ring: KeyRing, eui64: Eui64, authorising: Eui64 | None
) -> Verdict:
    """Verify an OTA Upgrade Image that was received whole.

    Args:
        octets: The OTA file as it arrived.
        profile: Of the device: manufacturer, image type, hardware version, image kind.
        ring: Keys the device holds.
        eui64: The device.
        authorising: Party whose signature the image must carry; None where images of this kind
            carry none.

    Source:
        Signature over the Manufacturer Image alone by the authorising supplier: firmware.md 1.1
        fact 5. The other checks and their order: inferred (a device must not run what is not for
        it).
    """
    try:
        image = ota_file.decode(octets, profile.firmware.image_kind)
    except ImageError as error:
        return Verdict(error.name.value, hashlib.sha256(octets[_USUAL_HEADER_BYTES:]).digest())
    calculated = ota_file.manufacturer_image_hash(image)
    why = _why_not_ours(image, profile, eui64) or _why_not_signed(image, ring, authorising)
    if why:
        return Verdict(why, calculated)
    header = image.header
    pending = PendingImage(
        header.version_octets,
        calculated,
        len(octets),
        header.image_type,
        header.minimum_hardware,
        header.maximum_hardware,
    )
    return Verdict("", calculated, pending)


def _why_not_ours(image: OtaImage, profile: DeviceProfile, eui64: Eui64) -> str:
    header, identity = image.header, profile.identity
    if header.manufacturer_code != identity.manufacturer_code:
        return "other-manufacturer"
    if header.image_type != profile.firmware.image_type:
        return "other-image-type"
    if header.destination not in {None, eui64}:
        return "other-device"
    low, high = header.minimum_hardware, header.maximum_hardware
    if low is not None and high is not None and not low <= identity.hardware_version <= high:
        return "other-hardware"
    return ""


def _why_not_signed(image: OtaImage, ring: KeyRing, authorising: Eui64 | None) -> str:
    if image.kind is not ImageKind.SUPPLIER_SIGNED:
        return ""
    signer = None if authorising is None else ring.keystore.find(authorising, KeyUsage.DS)
    if signer is None:
        return "unknown-signer"
    good = signature.verify(signer.public_point, image.manufacturer_image, image.signature or b"")
    return "" if good else "bad-signature"
