"""The committed synthetic list is the generated one, and fits profiles and recipes."""

import hashlib

import pytest

from device_profiles.cpl import load_cpl
from device_profiles.files import SHIPPED
from device_profiles.loader import load_profile, profile_names
from device_profiles.words import DeviceType
from firmware_images.recipe import load_recipe, manufacturer_image, recipe_names
from firmware_images.synthetic_cpl import entry_id, render_file

CPL = load_cpl()


def test_the_committed_list_is_the_generated_one() -> None:
    committed = (SHIPPED / "catalogues" / "cpl.csv").read_text("utf-8")
    assert committed == render_file(), "run: smetsbench data synthetic-cpl --out …/cpl.csv"


@pytest.mark.parametrize("name", recipe_names())
def test_every_listed_recipe_has_its_hash_in_the_list(name: str) -> None:
    recipe = load_recipe(name)
    row_id = entry_id(recipe.image.profile, recipe.image.firmware_version)
    if recipe.cpl is None:
        assert row_id not in CPL.entries
        return
    row = CPL.entry(row_id)
    content = manufacturer_image(recipe)
    assert row.manufacturer_image_hash == hashlib.sha256(content).hexdigest()
    assert row.status is recipe.cpl.status


@pytest.mark.parametrize("name", [n for n in profile_names() if n.startswith(("gfi-", "demo-"))])
def test_every_covered_profile_resolves_to_one_row(name: str) -> None:
    profile = load_profile(name)
    identity = profile.identity
    found = CPL.resolve(
        manufacturer=identity.manufacturer_hex,
        model=identity.model_hex,
        device_type=profile.device_type,
        firmware_version=identity.firmware_version,
    )
    assert found.entry is not None
    assert found.entry.smets is identity.smets


def test_every_row_says_that_it_is_synthetic() -> None:
    assert all("synthetic" in row.notes for row in CPL.entries.values())
    assert {row.evidence for row in CPL.entries.values()} == {"stand-in"}


def test_the_published_samples_resolve_with_their_hash() -> None:
    sample = bytes.fromhex("7542f475e3f12eae887d81e32c46d313741d67076b13caec2f82e00ba5e1bb36")
    rows = CPL.with_hash(sample)
    assert {row.device_type for row in rows} == {DeviceType.ESME, DeviceType.PPMID}
    assert {row.firmware_version for row in rows} == {"ACDCACDC"}
