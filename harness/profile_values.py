"""A profile's values as people read them."""

from typing import Final

from device_profiles.schema import DeviceProfile

#: Numbers that people read as four hex digits.
_HEX: Final = (
    "identity.manufacturer_code",
    "identity.model_id",
    "identity.hardware_version",
    "firmware.image_type",
)


def shown_values(profile: DeviceProfile) -> dict[str, tuple[str, str]]:
    """Return each value of a profile and its evidence mark, by key path."""
    found: dict[str, tuple[str, str]] = {}
    for path, mark in profile.evidence.items():
        value: object = profile
        for part in path.split("."):
            value = getattr(value, part)
        text = f"{value:04X}" if path in _HEX and isinstance(value, int) else shown(value)
        found[path] = (text, str(mark))
    return found


def shown(value: object) -> str:
    """Return one value as text: yes and no, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value) or "none"
    return str(value)
