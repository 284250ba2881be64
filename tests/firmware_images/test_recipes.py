"""Recipes: the same octets every time, and every wrong file refused with its own error."""

import hashlib
from pathlib import Path

import pytest

from device_profiles.errors import BadMarkError, DataError, UnmarkedValueError
from device_profiles.loader import load_profile
from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.crypto.signature import point_of
from firmware_images.recipe import (
    build,
    load_recipe,
    manufacturer_image,
    recipe_names,
    signing_scalar,
)

GOOD = """
title = "a test image"
[image]
profile = "demo-ppmid"
firmware_version = "01000005"
title = "mine"
[content]
seed = 3
size_bytes = 100
[evidence]
"image" = "stand-in"
"content" = "stand-in"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_builds_an_image_that_reads_back(name: str) -> None:
    recipe = load_recipe(name)
    profile = load_profile(recipe.image.profile)
    made = build(recipe, profile, signing_scalar("any"))
    octets = ota_file.encode(made)
    assert ota_file.decode(octets, profile.firmware.image_kind) == made
    assert made.header.version_octets == recipe.version.octets
    assert len(made.manufacturer_image) == recipe.content.size_bytes
    assert len(octets) <= profile.firmware.max_image_bytes
    low, high = made.header.minimum_hardware, made.header.maximum_hardware
    assert low is not None
    assert high is not None
    assert low <= profile.identity.hardware_version <= high


def test_no_two_recipes_make_the_same_content() -> None:
    hashes = {hashlib.sha256(manufacturer_image(load_recipe(n))).digest() for n in recipe_names()}
    assert len(hashes) == len(recipe_names())


def test_the_content_is_the_one_of_the_first_day() -> None:
    # A change here changes every hash of the synthetic CPL and every capture of the demo.
    content = manufacturer_image(load_recipe("demo-esme-2"))
    assert content.startswith(b"smetsbench test image demo-esme-2 01000001\n")
    known = "35a4212021e09fbd"
    assert hashlib.sha256(content).hexdigest().startswith(known)


def test_a_recipe_of_ones_own_is_read_by_path(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, GOOD))
    assert recipe.name == "mine"
    assert recipe.cpl is None
    image = build(recipe, load_profile("demo-ppmid"))
    assert image.kind is ImageKind.UNSIGNED
    assert (image.header.minimum_hardware, image.header.maximum_hardware) == (0x0100, 0x0100)


def test_a_recipe_is_for_its_own_profile(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, GOOD))
    with pytest.raises(ValueError, match="for demo-ppmid"):
        build(recipe, load_profile("gfi-ppmid"))


@pytest.mark.parametrize(
    ("change", "code", "key"),
    [
        (("size_bytes = 100", ""), "invalid-value", "content.size_bytes"),
        (("size_bytes = 100", "size_bytes = 10"), "invalid-value", "content.size_bytes"),
        (("size_bytes = 100", "size_bytes = 10_240_001"), "invalid-value", "content.size_bytes"),
        (('"01000005"', '"V1"'), "invalid-value", "image.firmware_version"),
        (('title = "mine"', f'title = "{"x" * 33}"'), "invalid-value", "image.title"),
        (('title = "mine"', 'title = "m"\nfoo = 1'), "invalid-value", "image.foo"),
        (('title = "mine"', 'title = "m"\nminimum_hardware = 1'), "invalid-value", "image"),
        (('"content" = "stand-in"', ""), "unmarked-value", "content.seed"),
        (('"content" = "stand-in"', '"content" = "guess"'), "bad-mark", "evidence.content"),
        (('"content" = "stand-in"', '"contents" = "known"'), "bad-mark", "evidence.contents"),
        (("[content]", "[contents]"), "invalid-value", "contents"),
        (("seed = 3", "seed ="), "unreadable-file", ""),
    ],
)
def test_each_wrong_recipe_has_its_own_error(
    tmp_path: Path, change: tuple[str, str], code: str, key: str
) -> None:
    assert change[0] in GOOD
    with pytest.raises(DataError) as caught:
        load_recipe(written(tmp_path, GOOD.replace(*change)))
    assert (caught.value.code, caught.value.key) == (code, key)
    assert "mine.toml" in caught.value.file


def test_mark_errors_are_kinds_of_their_own() -> None:
    assert UnmarkedValueError.code != BadMarkError.code


def test_an_unknown_recipe_names_a_near_one() -> None:
    with pytest.raises(DataError, match="did you mean demo-esme-2"):
        load_recipe("demo-esme2")
    with pytest.raises(DataError, match="unreadable-file"):
        load_recipe(Path("/no/such/recipe.toml"))


def test_test_keys_follow_from_their_label() -> None:
    assert signing_scalar("a") == signing_scalar("a") != signing_scalar("b")
    assert len(point_of(signing_scalar("a"))) == 65
