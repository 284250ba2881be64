"""Objections to an image for one kind of device: header, size, hubs, Central Products List."""

import enum
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Final

from device_profiles.cpl import Cpl
from device_profiles.metadata_layout import NO_LAYOUT
from device_profiles.metadata_makers import HubMaker, HubMakers
from device_profiles.schema import DeviceProfile
from device_profiles.words import CplStatus, ImageKind, SmetsVersion
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataTarget
from emulator.codecs.chf_metadata_check import MetadataObjection
from emulator.codecs.ota_file import ImageError, OtaHeader, OtaImage
from firmware_images.metadata import Likeness, Recognition, accepting, recognise
from firmware_images.version import FirmwareVersion, VersionError

_NAME: Final = re.compile(r"[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{8}-.+\.zigbee")
#: What a hub says of metadata that are as it asks for them.
ACCEPTED: Final = "accepted"
#: DUIS carries no larger image.
DUIS_MAX_IMAGE_BYTES: Final = 10_240_000


class Severity(enum.StrEnum):
    """How grave an objection is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing the linter found.

    Attributes:
        severity: An error makes the update fail or be refused.
        word: Short name.
        detail: One sentence.
    """

    severity: Severity
    word: str
    detail: str


@dataclass(frozen=True, slots=True)
class HubFit:
    """Whether a hub can hold the image.

    Attributes:
        profile: Name of the hub's profile.
        maker: Its maker.
        store_bytes: Its image store.
        fits: Whether the whole file fits.
        updates_this_type: Whether its firmware can update the target type at all (SECMP0007).
        evidence: Mark of the store's size.
        layout: Metadata layout the hub asks for.
        metadata: ``accepted``, or why the hub discards the image in tactical mode.
    """

    profile: str
    maker: str
    store_bytes: int
    fits: bool
    updates_this_type: bool
    evidence: str
    layout: str = NO_LAYOUT.layout_id
    metadata: str = ACCEPTED

    @property
    def takes_it(self) -> bool:
        """Whether an image gets through this hub."""
        return self.fits and self.updates_this_type and self.metadata == ACCEPTED


@dataclass(frozen=True, slots=True)
class LintReport:
    """What the linter says of one file.

    Attributes:
        image: The image, or None when it contradicts itself.
        objections: In the order found.
        hubs: The fits-in-CHF table; empty without an image.
        cpl_entries: Rows of the list with this hash.
        metadata_layout: Hub maker's metadata found around the image.
    """

    image: OtaImage | None
    objections: tuple[Objection, ...]
    hubs: tuple[HubFit, ...]
    cpl_entries: tuple[str, ...]
    metadata_layout: str

    @property
    def has_errors(self) -> bool:
        """Whether an objection is an error."""
        return any(objection.severity is Severity.ERROR for objection in self.objections)

    def figures(self) -> dict[str, object]:
        """Return the report as a JSON object."""
        return {
            "metadata_layout": self.metadata_layout,
            "hubs": [asdict(hub) for hub in self.hubs],
            "hub_makers_accepting": sorted({hub.maker for hub in self.hubs if hub.takes_it}),
            "cpl_entries": list(self.cpl_entries),
            "objections": [asdict(objection) for objection in self.objections],
        }


def lint(
    data: bytes,
    profile: DeviceProfile,
    hubs: Iterable[DeviceProfile],
    *,
    cpl: Cpl | None = None,
    file_name: str = "",
) -> LintReport:
    """Look for everything that would make an image fail on a kind of device.

    Args:
        data: The whole file.
        profile: The device it is meant for.
        hubs: Profiles of the hubs it may have to pass through.
        cpl: The list to look it up in, or None.
        file_name: Name of the file, for the recommended form; empty skips that.
    """
    try:
        image = ota_file.decode(data, profile.firmware.image_kind)
    except ImageError as error:
        why = error.why.removeprefix(f"{error.name.value}: ")
        broken = Objection(Severity.ERROR, error.name.value, why)
        return LintReport(None, (broken,), (), (), "unknown")
    image_hash = ota_file.manufacturer_image_hash(image)
    asked = [hub for hub in hubs if hub.hub is not None]
    makers = HubMakers(HubMaker.of(hub) for hub in asked)
    target = MetadataTarget.of(profile)
    answers = accepting(image, list(makers.by_profile.values()), target)
    fits = tuple(_fit(hub, image, profile, answers[hub.name]) for hub in asked)
    metadata = recognise(image, makers, target)
    found = [
        *_header_objections(image.header, profile),
        *_content_objections(image, profile),
        *_version_objections(image.header, profile),
        *_hub_objections(fits, [hub for hub in asked if profile.is_of(hub.identity.smets)]),
        *_metadata_objections(metadata, profile),
        *_name_objections(file_name),
        *([] if cpl is None else _cpl_objections(image, image_hash, profile, cpl)),
    ]
    entries = () if cpl is None else tuple(e.cpl_entry_id for e in cpl.with_hash(image_hash))
    return LintReport(image, tuple(found), fits, entries, str(metadata))


def _header_objections(header: OtaHeader, profile: DeviceProfile) -> Iterator[Objection]:
    identity, firmware = profile.identity, profile.firmware
    if header.manufacturer_code != identity.manufacturer_code:
        yield Objection(
            Severity.ERROR,
            "manufacturer",
            f"image for {header.manufacturer_code:04X}, device of {identity.manufacturer_hex}",
        )
    if header.image_type != firmware.image_type:
        yield Objection(
            Severity.ERROR,
            "image-type",
            f"image type {header.image_type:04X}, device takes {firmware.image_type:04X}",
        )
    low, high = header.minimum_hardware, header.maximum_hardware
    if low is None or high is None:
        yield Objection(
            Severity.WARNING, "hardware-range", "no hardware versions: GB images carry them"
        )
    elif not low <= identity.hardware_version <= high:
        yield Objection(
            Severity.ERROR,
            "hardware-range",
            f"for hardware {low:04X} to {high:04X}, device is {identity.hardware_version:04X}",
        )
    if header.header_version != ota_file.HEADER_VERSION:
        detail = f"header version {header.header_version:04X}, not 0100"
        yield Objection(Severity.WARNING, "header-version", detail)
    if header.stack_version != ota_file.STACK_VERSION:
        detail = f"stack version {header.stack_version:04X}, not 0002"
        yield Objection(Severity.WARNING, "stack-version", detail)
    if any(octet and not 0x20 <= octet < 0x7F for octet in header.header_string):
        detail = "the header string is not printable text"
        yield Objection(Severity.WARNING, "header-string", detail)


def _content_objections(image: OtaImage, profile: DeviceProfile) -> Iterator[Objection]:
    size = image.header.total_image_size
    if not image.manufacturer_image:
        yield Objection(Severity.ERROR, "empty-image", "there is no Manufacturer Image")
    if size > profile.firmware.max_image_bytes:
        limit = profile.firmware.max_image_bytes
        yield Objection(
            Severity.ERROR, "too-large-for-device", f"{size} octets, the device takes {limit}"
        )
    if size > DUIS_MAX_IMAGE_BYTES:
        detail = f"{size} octets, a DUIS request carries {DUIS_MAX_IMAGE_BYTES}"
        yield Objection(Severity.ERROR, "too-large-for-duis", detail)
    if not profile.firmware.is_supported:
        detail = f"support of {profile.identity.model_name} has ended: the result is uncertain"
        yield Objection(Severity.WARNING, "unsupported-model", detail)
    if image.force_replace not in {None, 0, 1}:
        yield Objection(
            Severity.WARNING, "force-replace", f"ForceReplace is {image.force_replace}, not 0 or 1"
        )
    elif image.force_replace == 1:
        detail = "ForceReplace is 1: it replaces an image staged for the same device"
        yield Objection(Severity.NOTE, "force-replace", detail)
    if image.kind is ImageKind.WAN_PROVIDER:
        detail = "the inner layout of a hub's own image is maker-private (stand-in)"
        yield Objection(Severity.NOTE, "maker-private", detail)


def _version_objections(header: OtaHeader, profile: DeviceProfile) -> Iterator[Objection]:
    version = FirmwareVersion(header.version_octets)
    running = profile.identity.version_number
    if version.number == running:
        detail = f"{version} is what the device leaves the factory with"
        yield Objection(Severity.WARNING, "same-version", detail)
    elif version.number < running:
        policy = profile.firmware.downgrade_policy
        detail = f"{version} is below {profile.identity.firmware_version}; the device: {policy}"
        yield Objection(Severity.WARNING, "downgrade", detail)
    codec = profile.firmware.version_codec
    try:
        version.display(codec)
    except VersionError as error:
        yield Objection(Severity.WARNING, "version-coding", f"{error} (codec {codec.kind})")


def _fit(
    hub: DeviceProfile,
    image: OtaImage,
    profile: DeviceProfile,
    objection: MetadataObjection | None,
) -> HubFit:
    store = 0 if hub.hub is None else hub.hub.image_store_bytes
    targets = () if hub.hub is None else hub.hub.ccs08_targets
    able = hub.hub is not None and (hub.hub.ppmid_ota or profile.device_type not in targets)
    return HubFit(
        profile=hub.name,
        maker=hub.identity.manufacturer_name,
        store_bytes=store,
        fits=image.header.total_image_size <= store,
        updates_this_type=able,
        evidence=str(hub.evidence["hub.image_store_bytes"]),
        layout=(hub.metadata or NO_LAYOUT).layout_id,
        metadata=ACCEPTED if objection is None else objection.reason.value,
    )


def _hub_objections(fits: Sequence[HubFit], hubs: Sequence[DeviceProfile]) -> Iterator[Objection]:
    """Yield what hubs of the device's own generation object to; it can stand behind no others."""
    near = {hub.name for hub in hubs}
    fits = [fit for fit in fits if fit.profile in near]
    if fits and not any(fit.fits for fit in fits):
        detail = "no hub known here can hold the whole file, so no device could be given it"
        yield Objection(Severity.ERROR, "too-large-for-every-hub", detail)
    elif not all(fit.fits for fit in fits):
        small = ", ".join(fit.profile for fit in fits if not fit.fits)
        yield Objection(Severity.WARNING, "too-large-for-some-hubs", f"does not fit {small}")


def _metadata_objections(found: Recognition, profile: DeviceProfile) -> Iterator[Objection]:
    if found.likeness in {Likeness.DAMAGED, Likeness.AMBIGUOUS}:
        yield Objection(Severity.ERROR, f"metadata-{found.likeness}", str(found))
    elif profile.identity.smets is not SmetsVersion.SMETS1:
        if found.found:
            detail = f"{found}: a SMETS2+ hub passes them on as part of the Manufacturer Image"
            yield Objection(Severity.WARNING, "metadata-in-image", detail)
    elif found.likeness is Likeness.NONE:
        detail = "in tactical mode a hub that asks for metadata discards it"
        yield Objection(Severity.WARNING, "no-metadata", f"{found}; {detail}")


def _name_objections(file_name: str) -> Iterator[Objection]:
    name = PurePath(file_name).name
    if name and _NAME.fullmatch(name) is None:
        detail = "recommended: MMMM-TTTT-VVVVVVVV-info.zigbee (OTA 6.3.8)"
        yield Objection(Severity.NOTE, "file-name", detail)


def _cpl_objections(
    image: OtaImage, image_hash: bytes, profile: DeviceProfile, cpl: Cpl
) -> Iterator[Objection]:
    version = FirmwareVersion(image.header.version_octets)
    identity = profile.identity
    found = cpl.resolve(
        manufacturer=identity.manufacturer_hex,
        model=identity.model_hex,
        device_type=profile.device_type,
        firmware_version=version.cpl(),
        smets=identity.smets,
    )
    if found.entry is None:
        model = f"{identity.manufacturer_hex} {identity.model_hex}"
        yield Objection(Severity.ERROR, "not-on-cpl", f"{found.why}: {model} at version {version}")
        return
    entry = found.entry
    if entry.status is not CplStatus.ACTIVE:
        yield Objection(Severity.ERROR, "cpl-status", f"{entry.cpl_entry_id} is {entry.status}")
    if not entry.manufacturer_image_hash:
        detail = f"{entry.cpl_entry_id} lists no image hash"
        yield Objection(Severity.WARNING, "hash-not-listed", detail)
    elif entry.manufacturer_image_hash != image_hash.hex():
        detail = f"{entry.cpl_entry_id} lists {entry.manufacturer_image_hash[:16]}…"
        yield Objection(
            Severity.ERROR, "hash-mismatch", f"{detail}, the image has {image_hash.hex()[:16]}…"
        )
