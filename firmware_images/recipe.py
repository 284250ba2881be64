"""Recipes: TOML files from which the same image comes out, octet for octet, every time."""

import difflib
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, model_validator

from device_profiles.errors import UnknownNameError
from device_profiles.files import checked, read_toml
from device_profiles.marked import merge
from device_profiles.schema import DeviceProfile, VersionText
from device_profiles.sections import U8, U16, Section
from device_profiles.words import CplStatus
from emulator.codecs.ota_file import OtaImage
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.signature import ORDER
from firmware_images import image
from firmware_images.version import FirmwareVersion

_FOLDER: Final = Path(__file__).parent / "recipes"
#: DUIS refuses a larger image (FirmwareImage, base64Binary of at most 10,240,000 octets).
MAX_CONTENT_BYTES: Final = 10_240_000


class ImageSection(Section):
    """What the header says.

    Attributes:
        profile: Name of the device profile it is for.
        firmware_version: Version it carries: 8 hex digits.
        title: Header string, at most 32 ASCII characters.
        minimum_hardware: Lowest hardware version; the profile's own when absent.
        maximum_hardware: Highest hardware version; the profile's own when absent.
        force_replace: ForceReplace octet of supplier-signed images.
    """

    profile: str
    firmware_version: VersionText
    title: Annotated[str, Field(max_length=32)]
    minimum_hardware: U16 | None = None
    maximum_hardware: U16 | None = None
    force_replace: U8 = 0

    @model_validator(mode="after")
    def _range_in_order(self) -> "ImageSection":
        low, high = self.minimum_hardware, self.maximum_hardware
        if (low is None) != (high is None) or (low is not None and high is not None and low > high):
            raise ValueError("minimum_hardware and maximum_hardware come together, lowest first")
        return self


class ContentSection(Section):
    """What the Manufacturer Image holds: one line of text, then seeded octets.

    Attributes:
        seed: Seed of the octets.
        size_bytes: Octets of the Manufacturer Image.
    """

    seed: Annotated[int, Field(strict=True, ge=0, le=0xFFFF_FFFF)]
    size_bytes: Annotated[int, Field(strict=True, ge=64, le=MAX_CONTENT_BYTES)]


class CplSection(Section):
    """What the synthetic CPL says of the version.

    Attributes:
        status: Status of the row.
        upgrade_from: Versions it is a step from (8 hex digits each); empty for ``N/A``.
    """

    status: CplStatus
    upgrade_from: tuple[VersionText, ...]


class Recipe(Section):
    """One recipe.

    Attributes:
        name: Stem of its file.
        title: One line for a reader.
        image: See :class:`ImageSection`.
        content: See :class:`ContentSection`.
        cpl: See :class:`CplSection`; None where the CPL does not list the version.
    """

    name: str
    title: str
    image: ImageSection
    content: ContentSection
    cpl: CplSection | None = None

    @property
    def version(self) -> FirmwareVersion:
        """The version the image carries."""
        return FirmwareVersion.from_cpl(self.image.firmware_version)


def recipe_names() -> list[str]:
    """Return the names of all shipped recipes."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Load a shipped recipe by name, or one of your own by path.

    Raises:
        DataError: No such recipe, or the file cannot be read, has a wrong or unmarked value.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml" and path.name == str(name_or_path):
        path = _FOLDER / f"{name_or_path}.toml"
        if not path.is_file():
            close = difflib.get_close_matches(str(name_or_path), recipe_names(), n=3)
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            known = ", ".join(recipe_names())
            raise UnknownNameError(f"no recipe of this name (known: {known}){hint}", file=path.stem)
    file = read_toml(path, is_overlay=False)
    content, _ = merge([file], sections=("image", "content", "cpl"), head=("title",))
    content |= {key: file.table[key] for key in ("title",) if key in file.table}
    return checked(Recipe, {"name": path.stem, **content}, path)


def manufacturer_image(recipe: Recipe) -> bytes:
    """Return the Manufacturer Image of a recipe: the same octets every time."""
    line = f"smetsbench test image {recipe.name} {recipe.image.firmware_version}\n".encode()
    head = line[: recipe.content.size_bytes]
    stream = Stream(recipe.content.seed, f"image/{recipe.name}")
    return head + stream.octets(recipe.content.size_bytes - len(head))


def build(recipe: Recipe, profile: DeviceProfile, scalar: int | None = None) -> OtaImage:
    """Build the image of a recipe.

    Args:
        recipe: The recipe.
        profile: The profile it names, loaded.
        scalar: Key of the authorising supplier; images of other kinds do without.

    Raises:
        ValueError: The profile is another one, or a signed kind has no key.
    """
    if profile.name != recipe.image.profile:
        raise ValueError(f"recipe {recipe.name} is for {recipe.image.profile}, not {profile.name}")
    own = profile.identity.hardware_version
    low, high = recipe.image.minimum_hardware, recipe.image.maximum_hardware
    target = image.Target(
        profile.firmware.image_kind,
        profile.identity.manufacturer_code,
        profile.firmware.image_type,
        (own if low is None else low, own if high is None else high),
    )
    return image.build(
        target,
        recipe.version,
        manufacturer_image(recipe),
        title=recipe.image.title,
        signing=None if scalar is None else image.Signing(scalar, recipe.image.force_replace),
    )


def signing_scalar(label: str) -> int:
    """Return a test key that only its label determines; worth nothing outside tests."""
    octets = Stream(0, f"firmware signing key/{label}").octets(48)
    return int.from_bytes(octets, "big") % (ORDER - 1) + 1


def made_up_scalar() -> int:
    """Return the key with which ``firmware build`` signs when it is given none."""
    return signing_scalar("supplier")


#: The made-up supplier of that key.
TEST_SIGNER: Final = Eui64(bytes.fromhex("0253800000000001"))
