"""Which installation a run plays in: the user's, or the scenario's own, and its device models."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from device_profiles import installation as installations
from device_profiles.errors import DataError
from device_profiles.installation import Installation
from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, ImageKind
from emulator.codecs import ota_file
from emulator.core.errors import MalformedFrameError
from emulator.crypto.signature import point_of, verify
from firmware_images.recipe import made_up_scalar
from harness.data_files import reading_data, usage_error
from harness.errors import UsageError
from harness.files import read_octets
from harness.formats.duis import bodies
from harness.formats.duis.faults import DuisError
from harness.formats.duis.kinds import MAX_IMAGE_BYTES
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.formats.duis.xml_input import MAX_DOCUMENT_BYTES
from harness.run_options import RunOptions

DEFAULT: Final = "demo"
#: Shipped installations that a user's own image or request may be meant for, in this order.
SHIPPED: Final = (DEFAULT, "gfi")


def overlays(options: RunOptions) -> tuple[Path, ...]:
    """Return the overlay folders of a run, the strongest last."""
    return options.data


def chosen(options: RunOptions) -> Installation:
    """Return the installation of a run.

    The user's file where one is given; else, for the user's own image or request, the shipped one
    whose device takes such images; else the scenario's (setting ``installation``), with the
    device models the scenario names (setting ``profiles``: role -> profile).

    Raises:
        UsageError: The file, or a profile it names, cannot be loaded.
    """
    with reading_data():
        name = options.installation or fitting(options)
    try:
        found = installations.load(name, overlays(options))
        if options.installation is None:
            found = with_models(found, options.settings.get("profiles", {}))
        installations.check_profiles(found, overlays(options))
    except DataError as error:
        if any(Path(error.file).is_relative_to(folder) for folder in overlays(options)):
            raise usage_error(error) from error
        raise UsageError(
            f"the installation cannot be used: {error}",
            where=str(name),
            cause="a wrong or missing value, or a device model nobody knows",
            next_command="smetsbench installations new --out home.toml",
        ) from error
    return found


def fitting(options: RunOptions) -> str:
    """Return the shipped installation for a run: the one whose device takes the user's image.

    Raises:
        UsageError: The user's file is no image, or no shipped device takes such images.
    """
    octets = users_image(options)
    own = str(options.settings.get("installation", DEFAULT))
    if octets is None or not options.devices:
        return own
    where = str(options.image or options.request)
    try:
        header = ota_file.decode_header(octets)
    except MalformedFrameError as error:
        raise UsageError(
            f"the image cannot be read: {error.why}",
            where=where,
            cause="not an OTA image, or a damaged one",
            next_command=f"smetsbench firmware inspect {where}",
        ) from error
    for name in dict.fromkeys((own, *SHIPPED)):
        for device in installations.load(name, overlays(options)).of(
            DeviceType(options.devices[0])
        ):
            profile = load_profile(device.profile, overlays(options))
            takes = (profile.identity.manufacturer_code, profile.firmware.image_type)
            if takes == (header.manufacturer_code, header.image_type):
                return name
    raise UsageError(
        f"no shipped {options.devices[0]} takes images of manufacturer"
        f" {header.manufacturer_code:04X}, type {header.image_type:04X}",
        where=where,
        cause="the image is for a device model of your own, or for another kind of device",
        next_command="smetsbench run ID --image FILE --installation HOME.toml --data YOUR-MODELS",
    )


def users_image(options: RunOptions) -> bytes | None:
    """Return the user's own firmware image, from a file or out of a DUIS request, or None.

    Raises:
        UsageError: The request cannot be read.
    """
    if options.image is not None:
        octets = read_octets(options.image, MAX_IMAGE_BYTES)
        if 0 < len(octets) <= MAX_IMAGE_BYTES:
            return octets
        raise UsageError(
            "the image is empty" if not octets else "the image is too large",
            where=str(options.image),
            cause=f"not an image: DUIS carries at most {MAX_IMAGE_BYTES} octets",
            next_command=f"ls -l {options.image}",
        )
    asked = users_request(options)
    if asked is None or not isinstance(asked.body, bodies.UpdateFirmware):
        return None
    return asked.body.firmware_image


def has_made_up_signature(options: RunOptions) -> bool:
    """Say whether the user's image is signed with the test key of ``firmware build``."""
    octets = users_image(options)
    if octets is None:
        return False
    try:
        image = ota_file.decode(octets, ImageKind.SUPPLIER_SIGNED)
    except MalformedFrameError:
        return False
    point = point_of(made_up_scalar())
    return verify(point, image.manufacturer_image, image.signature or b"")


def users_request(options: RunOptions) -> ServiceRequest | None:
    """Return the user's own service request (unsigned, local), or None.

    Raises:
        UsageError: It cannot be read.
    """
    if options.request is None:
        return None
    try:
        return read_request(read_octets(options.request, MAX_DOCUMENT_BYTES))
    except DuisError as error:
        raise UsageError(
            f"the request cannot be used: {error}",
            where=str(options.request),
            cause="not a service request this product knows, or a value outside its limits",
            next_command=f"smetsbench duis check {options.request}",
        ) from error


def with_models(found: Installation, models: Mapping[str, str]) -> Installation:
    """Return the installation with other device models in some roles; their CPL rows are unset."""
    devices = tuple(
        device.model_copy(update={"profile": models[device.role], "cpl_entry": None})
        if device.role in models
        else device
        for device in found.devices
    )
    return found.model_copy(update={"devices": devices})


def profiles(found: Installation, folders: tuple[Path, ...] = ()) -> dict[str, DeviceProfile]:
    """Return the profile of every device by EUI-64 text.

    Raises:
        DataError: A profile cannot be loaded.
    """
    return {device.eui64: load_profile(device.profile, folders) for device in found.devices}
