"""An image at the S1SP: its file taken apart, believed or not, and what the S1SP makes of it."""

from dataclasses import dataclass
from typing import Final

from device_profiles.metadata_layout import MetadataMode
from device_profiles.metadata_makers import HubMaker
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataError, MetadataTarget, codec_of, image_hash
from emulator.codecs.dlms.hub_image import ImageTicket
from emulator.codecs.ota_file import ImageError, OtaImage
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from firmware_images.image import SignatureStatus, verify
from firmware_images.version import FirmwareVersion, VersionError
from harness.formats.duis.bodies import UpdateFirmware
from harness.parties.s1sp_desk_faults import DeskError, DeskFault

#: Devices whose CPL entry may name another version than the image's header does.
#: Source: S003 §2 (the SMETS1 entry of a bilingual PPMID does not show what it executes).
_NOMINAL: Final = frozenset({DeviceType.PPMID})


@dataclass(frozen=True, slots=True)
class OfferedImage:
    """An image for one device behind one hub.

    Attributes:
        device: The device.
        profile: Its model.
        hub: Model of its hub.
        file: The image, taken apart.
        octets: The same as the request carries it.
        version: Version as the request says it, eight hex digits.
    """

    device: Eui64
    profile: DeviceProfile
    hub: DeviceProfile
    file: OtaImage
    octets: bytes
    version: str

    @property
    def ticket(self) -> ImageTicket:
        """How the hub is told of it; ForceReplace goes with it."""
        header = self.file.header
        return ImageTicket(self.device, header.file_version, self.file.force_replace == 1)

    @property
    def file_version(self) -> str:
        """Version of its OTA header, eight hex digits."""
        return FirmwareVersion.from_number(self.file.header.file_version).cpl()


def open_image(
    body: UpdateFirmware, device: Eui64, profile: DeviceProfile, hub: DeviceProfile
) -> OfferedImage:
    """Take the image of a request apart as the target's model has it (F-004, F-050).

    Args:
        body: The request.
        device: The target.
        profile: Its model, which says whether the file has a trailer.
        hub: Model of its hub.

    Raises:
        DeskError: The file contradicts itself, or names another version than the request.
    """
    try:
        file = ota_file.decode(body.firmware_image, profile.firmware.image_kind)
    except ImageError as error:
        raise DeskError(DeskFault.IMAGE_MALFORMED, f"{error.name}: {error.why}") from error
    except MalformedFrameError as error:
        raise DeskError(DeskFault.IMAGE_MALFORMED, error.why) from error
    if not file.manufacturer_image:
        raise DeskError(DeskFault.IMAGE_MALFORMED, "there is nothing behind the OTA header")
    try:
        version = FirmwareVersion.from_duis(body.firmware_version).cpl()
    except VersionError as error:
        raise DeskError(DeskFault.IMAGE_VERSION, str(error)) from error
    offered = OfferedImage(device, profile, hub, file, body.firmware_image, version)
    if offered.file_version != version and profile.device_type not in _NOMINAL:
        why = f"the request says {version}, the image {offered.file_version}"
        raise DeskError(DeskFault.IMAGE_VERSION, why)
    return offered


def signature_trouble(image: OfferedImage, keys: KeyStore, supplier: Eui64) -> str:
    """Return what is wrong with the authorising signature of a supplier, or nothing.

    A kind without a trailer is authorised by the signature of the request alone.

    Source:
        GBCS 11.2 (the authorising supplier signs the Manufacturer Image); for kinds without a
        trailer: inferred.
    """
    status = verify(image.file, keys, supplier)
    fine = {SignatureStatus.OK, SignatureStatus.NO_TRAILER}
    return "" if status in fine else f"{status}: it is not authorised by {supplier}"


def hash_of(image: OfferedImage, mode: MetadataMode) -> str:
    """Return the Manufacturer Image Hash that 11.3 must name, 64 hex digits (F-053).

    Source:
        S003 §5 (the hash is taken with the metadata in place).
    """
    codec = codec_of(HubMaker.of(image.hub))
    try:
        return image_hash(codec, mode, image.file.manufacturer_image).hex()
    except MalformedFrameError:  # no metadata to leave out: the hub will say so
        return ota_file.manufacturer_image_hash(image.file).hex()


def metadata_of(image: OfferedImage) -> bytes:
    """Return what the hub is handed beside a bare image; nothing where it asks for none (F-055).

    Raises:
        DeskError: The hub's layout asks for what the S1SP does not know.

    Source:
        S003 §5 (the enduring solution: the S1SP supplies the metadata); the layouts are stand-ins
        (real layout not public).
    """
    maker = HubMaker.of(image.hub)
    if maker.layout.is_none:
        return b""
    target = MetadataTarget.of(image.profile)
    bare = image.file.manufacturer_image
    try:
        return codec_of(maker).build(image.file.header, bare, target)
    except MetadataError as error:
        why = f"{error} (stand-in layout {maker.layout.layout_id}, real layout not public)"
        raise DeskError(DeskFault.METADATA_NOT_MADE, why) from error
