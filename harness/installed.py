"""Which installation a run plays in: the user's, or the scenario's own, and its device models."""

from collections.abc import Mapping
from pathlib import Path

from device_profiles import installation as installations
from device_profiles.errors import DataError
from device_profiles.installation import Installation
from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from harness.errors import UsageError
from harness.run_options import RunOptions

DEFAULT = "demo"


def overlays(options: RunOptions) -> tuple[Path, ...]:
    """Return the overlay folders of a run, the strongest last."""
    return () if options.data is None else (options.data,)


def chosen(options: RunOptions) -> Installation:
    """Return the installation of a run.

    The user's file where one is given; else the scenario's (setting ``installation``), with the
    device models the scenario names (setting ``profiles``: role -> profile).

    Raises:
        UsageError: The file, or a profile it names, cannot be loaded.
    """
    name = options.installation or options.settings.get("installation", DEFAULT)
    try:
        found = installations.load(name, overlays(options))
        if options.installation is None:
            found = with_models(found, options.settings.get("profiles", {}))
        installations.check_profiles(found, overlays(options))
    except DataError as error:
        raise UsageError(
            f"the installation cannot be used: {error}",
            where=str(name),
            cause="a wrong or missing value, or a device model nobody knows",
            next_command="smetsbench installations new --out home.toml",
        ) from error
    return found


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
