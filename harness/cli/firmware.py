"""``smetsbench firmware``: inspect, build and lint firmware images."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from device_profiles.cpl import Cpl, load, load_cpl, load_map
from device_profiles.files import Folders
from device_profiles.loader import load_profile, profile_names
from device_profiles.metadata_layout import NO_LAYOUT
from device_profiles.metadata_makers import load_makers
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, ImageKind
from emulator.codecs import ota_file
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.signature import point_of
from firmware_images.defects import DEFECTS, DefectError, Draft, spoil
from firmware_images.inspect import inspect
from firmware_images.lint import lint
from firmware_images.metadata_figures import with_metadata
from firmware_images.recipe import (
    TEST_SIGNER,
    Recipe,
    build,
    load_recipe,
    made_up_scalar,
    signing_scalar,
)
from harness.cli import firmware_convert, firmware_matrix
from harness.cli.firmware_convert import Wrapping, given_values
from harness.cli.firmware_output import print_inspection, print_lint
from harness.cli.output import console, emit_json
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError
from harness.files import write_octets
from harness.firmware_files import read_firmware, read_private_scalar
from harness.keys import open_keystore

_REFUSED: Final = 1

_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_FILE = Annotated[Path, typer.Argument(help="Image file, or DUIS 11.1 or 11.4 request.")]
_KEYSTORE = Annotated[
    Path | None,
    typer.Option("--keystore", help="Keys to check the signature with: JSON file or folder."),
]


_RECIPE = Annotated[str, typer.Argument(help="Recipe file, or name of a shipped recipe.")]
_OUT = Annotated[Path, typer.Option("--out", help="Image file to write.")]
_KEY = Annotated[Path | None, typer.Option("--key", help="Supplier's private key, P-256 in PEM.")]
_DEFECT = Annotated[str | None, typer.Option("--defect", help=f"Spoil it: {', '.join(DEFECTS)}.")]
_HUB = Annotated[
    str | None,
    typer.Option("--hub", help="Hub profile that --defect oversize must not fit."),
]
_SIGNER_OUT = Annotated[
    Path | None,
    typer.Option("--signer-out", help="Folder for the public key of the test signer."),
]
_LAYOUT = Annotated[
    str | None,
    typer.Option("--layout", help="Hub maker's metadata it is to carry: layout or hub profile."),
]
_VALUES = Annotated[
    list[str] | None,
    typer.Option("--set", help="NAME=VALUE of a free field of the layout; repeatable."),
]


def register(app: typer.Typer) -> None:
    """Add ``firmware`` and its commands."""
    firmware = typer.Typer(help="Firmware images.", no_args_is_help=True)
    firmware.command("inspect")(inspect_file)
    firmware.command("build")(build_file)
    firmware.command("lint")(lint_file)
    firmware_convert.add(firmware)
    firmware_matrix.add(firmware)
    app.add_typer(firmware, name="firmware")


def inspect_file(
    file: _FILE,
    kind: Annotated[
        ImageKind | None,
        typer.Option(help="What the tail looks like; a DUIS request settles it itself."),
    ] = None,
    keystore: _KEYSTORE = None,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Show header, sizes, hashes, signature, hub metadata and contradictions of an image."""
    with reading_data():
        makers = load_makers(overlays(data))
    source = read_firmware(file)
    if kind is not None and source.kind not in {None, kind}:
        raise UsageError(
            f"the request says {source.kind}, --kind says {kind}",
            where=str(file),
            cause="11.1 carries supplier-signed images, 11.4 unsigned ones",
            next_command=f"smetsbench firmware inspect {file}",
        )
    keys = None if keystore is None else open_keystore(keystore)
    found = inspect(source.image, kind or source.kind, keys, source.signer)
    request = source.request_figures(found.header)
    shown = with_metadata(found, makers)
    figures = {"file": str(file), "request": request or None, **shown}
    if as_json:
        emit_json(figures)
    else:
        print_inspection(figures)
    if not found.is_clean:
        raise typer.Exit(_REFUSED)


def build_file(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    recipe: _RECIPE,
    out: _OUT,
    key: _KEY = None,
    defect: _DEFECT = None,
    hub: _HUB = None,
    signer_out: _SIGNER_OUT = None,
    layout: _LAYOUT = None,
    values: _VALUES = None,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Build an image from a recipe: the same octets every time."""
    folders = overlays(data)
    with reading_data():
        loaded = load_recipe(recipe)
        profile = load_profile(loaded.image.profile, folders)
        store = _largest_store(hub, folders)
        maker = load_makers(folders).find(layout or NO_LAYOUT.layout_id)
    wrapping = Wrapping(maker, given_values(maker, values or []))
    scalar = made_up_scalar() if key is None else read_private_scalar(key)
    octets = _octets(loaded, profile, scalar, defect, store, wrapping)
    write_octets(out, octets, made_from=[Path(recipe), *([] if key is None else [key])])
    if signer_out is not None:
        _write_signer(signer_out, scalar)
    signed = profile.firmware.image_kind is ImageKind.SUPPLIER_SIGNED
    _tell_built(
        {
            "file": str(out),
            "recipe": loaded.name,
            "kind": profile.firmware.image_kind.value,
            "layout": maker.layout.layout_id,
            "note": maker.note or None,
            "defect": defect,
            "size_bytes": len(octets),
            "sha256": hashlib.sha256(octets).hexdigest(),
            "signed_with": _signer_text(key) if signed else None,
        },
        as_json=as_json,
    )


def _tell_built(figures: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        emit_json(figures)
        return
    for name, value in figures.items():
        if value is not None:
            console().print(f"{name.replace('_', ' ')}: {value}", markup=False)


def _signer_text(key: Path | None) -> str:
    return str(key) if key is not None else f"test key of the made-up supplier {TEST_SIGNER}"


def _octets(  # noqa: PLR0913, PLR0917 -- what the command was told
    recipe: Recipe,
    profile: DeviceProfile,
    scalar: int,
    defect: str | None,
    store_bytes: int,
    wrapping: Wrapping,
) -> bytes:
    """Return the file of a recipe, spoilt when a defect is named.

    Raises:
        UsageError: The defect is not known, or the image has no place for it.
    """
    signed = profile.firmware.image_kind is ImageKind.SUPPLIER_SIGNED
    try:
        bare = build(recipe, profile, scalar if signed else None)
        image = wrapping.around(bare, profile, scalar)
        if defect is None:
            return ota_file.encode(image)
        other = signing_scalar("another supplier")
        return spoil(defect, Draft(image, scalar if signed else None, other, store_bytes))
    except DefectError as error:
        raise UsageError(
            str(error),
            where=f"--defect {defect}",
            cause="a misspelt name, or a defect of another kind of image",
            next_command="smetsbench firmware build --help",
        ) from error
    except ValueError as error:
        raise UsageError(
            str(error),
            where=f"recipe {recipe.name}",
            cause="recipe and device profile do not go together",
            next_command=f"smetsbench profiles {recipe.image.profile}",
        ) from error


def _largest_store(hub: str | None, folders: Folders) -> int:
    """Return the image store of the named hub, or the largest of all hubs known.

    Raises:
        UsageError: The named profile is not of a hub.
        DataError: A profile cannot be loaded.
    """
    hubs = _hubs(folders) if hub is None else [load_profile(hub, folders)]
    stores = [profile.hub.image_store_bytes for profile in hubs if profile.hub is not None]
    if not stores:
        raise UsageError(
            f"{hub} is no hub",
            where="--hub",
            cause="the profile of another kind of device",
            next_command="smetsbench profiles",
        )
    return max(stores)


def _hubs(folders: Folders) -> list[DeviceProfile]:
    found = [load_profile(name, folders) for name in profile_names(folders)]
    return [profile for profile in found if profile.device_type is DeviceType.CHF]


def _write_signer(folder: Path, scalar: int) -> None:
    entry = KeyEntry(TEST_SIGNER, KeyUsage.DS, public_point=point_of(scalar))
    try:
        KeyStore([entry]).to_folder(folder)
    except OSError as error:
        raise UsageError(
            f"the folder cannot be written: {error.strerror}",
            where=str(folder),
            cause="a file in its place, or a folder that is not yours",
            next_command="smetsbench firmware build RECIPE --out FILE --signer-out NEW-FOLDER",
        ) from error


def lint_file(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    file: _FILE,
    profile: Annotated[str, typer.Option("--profile", help="Device it is meant for.")],
    cpl: Annotated[
        Path | None,
        typer.Option(help="Central Products List (CSV), with a cpl_columns.toml beside it."),
    ] = None,
    keystore: _KEYSTORE = None,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Look for everything that would make an image fail on a kind of device."""
    source = read_firmware(file)
    keys = None if keystore is None else open_keystore(keystore)
    folders = overlays(data)
    with reading_data():
        device = load_profile(profile, folders)
        products = _products(cpl, folders)
        hubs = _hubs(folders)
    name = "" if source.request is not None else file.name
    report = lint(source.image, device, hubs, cpl=products, file_name=name)
    shown = inspect(source.image, device.firmware.image_kind, keys, source.signer)
    figures = {"file": str(file), "profile": device.name, **shown.figures(), **report.figures()}
    if as_json:
        emit_json(figures)
    else:
        print_lint(figures)
    if report.has_errors or not shown.is_clean:
        raise typer.Exit(_REFUSED)


def _products(cpl: Path | None, folders: Folders) -> Cpl | None:
    """Return the list to look images up in: the one named, else an overlay's, else none."""
    if cpl is not None:
        column_map = cpl.with_name("cpl_columns.toml")
        return load(cpl, load_map(column_map) if column_map.is_file() else None)
    if any((folder / "catalogues" / "cpl.csv").is_file() for folder in folders):
        return load_cpl(folders)
    return None
