"""The synthetic Central Products List, generated from profiles and recipes."""

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Final

from device_profiles.cpl import CplEntry, render
from device_profiles.loader import load_profile, profile_names
from device_profiles.schema import DeviceProfile
from device_profiles.words import CplStatus, SmetsVersion
from firmware_images.recipe import Recipe, load_recipe, manufacturer_image, recipe_names

#: Before every moment that RTDS vectors or scenarios use.
_EFFECTIVE_FROM: Final = date(2014, 1, 1)
_NOTES: Final = "synthetic: no real Central Products List has this row"
#: Models the list covers: the GFI test set and the made-up makers.
_COVERED: Final = ("gfi-", "demo-")
#: Profile -> version and image hash of the published sample requests (figures alone are kept).
_SAMPLES: Final = {
    "gfi-esme": ("TPL 11.1", "ACDCACDC"),
    "gfi-ppmid": ("TPL 11.4", "ACDCACDC"),
}
_SAMPLE_HASH: Final = "7542f475e3f12eae887d81e32c46d313741d67076b13caec2f82e00ba5e1bb36"


def entry_id(profile_name: str, firmware_version: str) -> str:
    """Return the identifier of the synthetic row for a profile at a version."""
    return f"SYN-{profile_name.upper()}-{firmware_version}"


def entries() -> list[CplEntry]:
    """Return every row, in the order of the file."""
    profiles = {name: load_profile(name) for name in profile_names() if name.startswith(_COVERED)}
    rows = [row for profile in profiles.values() for row in _rows_of(profile)]
    recipes = [load_recipe(name) for name in recipe_names()]
    rows += [row for recipe in recipes for row in _row_of(recipe, profiles[recipe.image.profile])]
    return sorted(rows, key=lambda row: row.cpl_entry_id)


def render_file() -> str:
    """Return the content of ``device_profiles/catalogues/cpl.csv``."""
    return render(entries())


def _rows_of(profile: DeviceProfile) -> Iterator[CplEntry]:
    """Yield the factory version, a bilingual model's other one, and that of a published sample."""
    factory = profile.identity.firmware_version
    yield _row(profile, factory, "", CplStatus.ACTIVE, ())
    if profile.bilingual is not None:
        row = _row(profile, profile.bilingual.smets1_version, "", CplStatus.ACTIVE, ())
        yield row.model_copy(
            update={
                "smets": SmetsVersion.SMETS1,
                "smets_chts_version": None,
                "gbcs_version": None,
                "notes": f"{_NOTES}; nominal: this version never runs",
            }
        )
    if profile.name in _SAMPLES:
        sample, version = _SAMPLES[profile.name]
        row = _row(profile, version, _SAMPLE_HASH, CplStatus.ACTIVE, (factory,))
        yield row.model_copy(
            update={"notes": f"{_NOTES}; version and hash are those of the {sample} sample"}
        )


def _row_of(recipe: Recipe, profile: DeviceProfile) -> Iterator[CplEntry]:
    if recipe.cpl is not None:
        image_hash = hashlib.sha256(manufacturer_image(recipe)).hexdigest()
        version = recipe.image.firmware_version
        yield _row(profile, version, image_hash, recipe.cpl.status, recipe.cpl.upgrade_from)


def _row(
    profile: DeviceProfile,
    version: str,
    image_hash: str,
    status: CplStatus,
    upgrade_from: tuple[str, ...],
) -> CplEntry:
    identity = profile.identity
    return CplEntry(
        cpl_entry_id=entry_id(profile.name, version),
        device_type=profile.device_type,
        smets=identity.smets,
        manufacturer_name=identity.manufacturer_name,
        manufacturer_id=identity.manufacturer_hex,
        model_id=f"{identity.model_id:04X}",
        hardware_version=f"{identity.hardware_version:04X}",
        firmware_version=version,
        esme_variant=identity.esme_variant or "",
        smets_chts_version=identity.smets_chts_version or "",
        gbcs_version=identity.gbcs_version or "",
        manufacturer_image_hash=image_hash,
        status=status,
        effective_from=_EFFECTIVE_FROM,
        upgrade_from=tuple(entry_id(profile.name, before) for before in upgrade_from),
        notes=_NOTES,
        evidence="stand-in",
    )
