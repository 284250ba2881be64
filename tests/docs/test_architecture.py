"""docs/architecture.md names every package, and every file that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/architecture.md").read_text("utf-8")
#: Folders whose packages a stranger looks for.
TOP = ("device_profiles", "firmware_images", "hil")
LISTED = ("emulator", "harness")
PATHS = sorted(set(re.findall(r"`((?:[a-z_]+/)+[a-z0-9_]+\.(?:py|md|csv|toml))`", TEXT)))


def packages() -> list[str]:
    below = [path.parent for top in LISTED for path in sorted((ROOT / top).glob("*/__init__.py"))]
    return [*TOP, *(".".join(path.relative_to(ROOT).parts) for path in below)]


@pytest.mark.parametrize("package", packages())
def test_every_package_has_its_duty_in_one_line(package: str) -> None:
    assert f"`{package}`" in TEXT


@pytest.mark.parametrize("path", PATHS)
def test_what_the_page_names_is_there(path: str) -> None:
    places = [ROOT, ROOT / "device_profiles", *(ROOT / one for one in LISTED)]
    places += [ROOT / "emulator/devices", ROOT / "harness/formats/duis"]
    assert any((place / path).is_file() for place in places)
