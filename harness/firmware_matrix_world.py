"""The data a firmware matrix is made of, loaded: homes, devices, lists, clauses; users' images."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from device_profiles.bilingual_table import load_decisions
from device_profiles.cohort import Cohort, cohort_names, load_cohort
from device_profiles.cpl import Cpl
from device_profiles.files import Folders
from device_profiles.loader import load_profile, profile_names
from device_profiles.matrix_axes import THE_HUB, MatrixAxes, load_axes
from device_profiles.metadata_layout import NO_LAYOUT, MetadataMode
from device_profiles.metadata_makers import load_makers
from device_profiles.s1sr import load_s1sr
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, ImageKind
from emulator.codecs import ota_file
from emulator.core.errors import MalformedFrameError
from firmware_images.recipe import build, load_recipe, made_up_scalar, recipe_names
from harness.errors import UsageError
from harness.firmware_cells import MatrixCell, MatrixHome, MatrixWorld, of_image
from harness.firmware_files import read_firmware
from harness.firmware_matrix_images import ImageOrder, finish, read

#: The day the emulated bench begins on.
DEFAULT_DAY: Final = date(2026, 1, 5)


def load_world(
    folders: Folders, cpl: Cpl, day: date, *, cohorts: Sequence[str] = (), hub: str | None = None
) -> MatrixWorld:
    """Load everything a matrix is made of.

    Args:
        folders: Overlays, weakest first.
        cpl: The Central Products List in force.
        day: The day, UTC.
        cohorts: Keys of the cohorts; none: every cohort that is migrated, and SMETS2+ homes.
        hub: Profile of the hub of every home, in the place of the cohorts' own.

    Raises:
        DataError: A file cannot be used.
    """
    axes = load_axes(folders)
    homes = tuple(_homes(folders, axes, cohorts, hub))
    named = {one.profile for one in axes.targets} - {THE_HUB}
    return MatrixWorld(
        axes,
        homes,
        {name: load_profile(name, folders) for name in sorted(named)},
        load_makers(folders),
        cpl,
        load_s1sr(folders),
        load_decisions(folders),
        day,
    )


def _homes(
    folders: Folders, axes: MatrixAxes, cohorts: Sequence[str], hub: str | None
) -> Iterator[MatrixHome]:
    elsewhere = {one.id: one for one in axes.hubs}
    keys = [key for key in cohorts or cohort_names(folders) if key not in elsewhere]
    found = sorted((load_cohort(key, folders) for key in keys), key=_by_start)
    for cohort in found:
        if cohorts or cohort.cohort.migratable:
            own = load_profile(hub or cohort.models.chf, folders)
            yield MatrixHome(cohort.key, cohort, own, folders)
    for name, one in elsewhere.items():
        if not cohorts or name in cohorts:
            yield MatrixHome(name, None, load_profile(one.profile, folders), folders)


def _by_start(cohort: Cohort) -> tuple[date, str]:
    """Return what puts cohorts in the order in which they were migrated."""
    return cohort.dates.starts or date.max, cohort.key


def cells_of_image(
    named: str, world: MatrixWorld, folders: Folders, modes: Sequence[MetadataMode]
) -> Iterator[MatrixCell]:
    """Yield the cells of an image the user names: a file, or a recipe.

    A file is taken as it is, for every device it can be for. A recipe is built bare and with the
    metadata of every hub maker.

    Args:
        named: Path of an image file, of a DUIS request or of a recipe, or a recipe's name.
        world: What the matrix is made of.
        folders: Overlays, weakest first.
        modes: Modes, in order.

    Raises:
        DataError: The recipe cannot be used.
        UsageError: The file is no image, or for no device that is known.
    """
    path = Path(named)
    if path.suffix == ".toml" or (not path.exists() and named in recipe_names()):
        yield from _of_recipe(named, world, folders, modes)
    else:
        yield from _of_file(path, world, folders, modes)


def _of_recipe(
    named: str, world: MatrixWorld, folders: Folders, modes: Sequence[MetadataMode]
) -> Iterator[MatrixCell]:
    recipe = load_recipe(named)
    profile = load_profile(recipe.image.profile, folders)
    signed = profile.firmware.image_kind is ImageKind.SUPPLIER_SIGNED
    bare = build(recipe, profile, made_up_scalar() if signed else None)
    version = recipe.image.firmware_version
    order = ImageOrder(f"recipe {recipe.name}", version, version, recipe.content.size_bytes)
    for mode in modes:
        makers = (
            world.layouts()
            if mode is MetadataMode.TACTICAL
            else [world.makers.find(NO_LAYOUT.layout_id)]
        )
        for maker in makers:
            image = finish(order, bare, profile, maker)
            yield from of_image(world, image, profile.name, profile, (mode,))


def _of_file(
    path: Path, world: MatrixWorld, folders: Folders, modes: Sequence[MetadataMode]
) -> Iterator[MatrixCell]:
    source = read_firmware(path)
    try:
        header = ota_file.decode_header(source.image)
    except MalformedFrameError as error:
        raise _no_image(path, error.why) from error
    version = f"{header.file_version:08X}"
    order = ImageOrder(path.name, version, version, len(source.image))
    found = 0
    why = "no profile is of its manufacturer and image type"
    for target in _candidates(header.manufacturer_code, header.image_type, folders):
        try:
            image = read(source.image, target, world.makers, order)
        except MalformedFrameError as error:
            why = error.why
            continue
        found += 1
        yield from of_image(world, image, target.name, target, modes)
    if not found:
        raise _no_image(path, why)


def _candidates(
    manufacturer_code: int, image_type: int, folders: Folders
) -> Iterator[DeviceProfile]:
    """Yield every device the header of an image fits; hubs of the homes among them."""
    for name in profile_names(folders):
        profile = load_profile(name, folders)
        meant = (profile.identity.manufacturer_code, profile.firmware.image_type)
        if meant == (manufacturer_code, image_type) and profile.device_type is not DeviceType.CHF:
            yield profile


def _no_image(path: Path, why: str) -> UsageError:
    return UsageError(
        f"the file is no image for a device that is known: {why}",
        where=str(path),
        cause="another kind of file, or a device without a profile",
        next_command=f"smetsbench firmware inspect {path}",
    )
