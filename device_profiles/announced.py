"""With which version and generation a model is announced in a home of a generation."""

from typing import Final

from device_profiles.cpl import Cpl
from device_profiles.cpl_rules import Resolution
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, SmetsVersion

_SMETS1: Final = SmetsVersion.SMETS1


def announced_in_smets1(profile: DeviceProfile) -> tuple[str, SmetsVersion]:
    """Return the version (eight hex digits) and generation a device of a SMETS1 home goes by.

    A bilingual model goes by its SMETS1 entry, which does not show what it executes; a model that
    is of SMETS2+ alone by what it is.

    Source:
        S003 §2 (B1, B4).
    """
    if profile.is_of(_SMETS1):
        return profile.nominal_version(_SMETS1).upper(), _SMETS1
    return profile.identity.firmware_version.upper(), profile.identity.smets


def resolve_in_smets1(cpl: Cpl, profile: DeviceProfile, role: DeviceType) -> Resolution:
    """Return the CPL row that a device of a SMETS1 home goes by, or why there is none.

    Args:
        cpl: The list.
        profile: The device's model.
        role: What it is in the home: a hub is its GPF too.
    """
    version, smets = announced_in_smets1(profile)
    return cpl.resolve(
        manufacturer=profile.identity.manufacturer_hex,
        model=profile.identity.model_hex,
        device_type=role,
        firmware_version=version,
        smets=smets,
    )
