"""``smetsbench firmware convert`` and ``strip``: another hub maker's metadata, or none."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from device_profiles.files import Folders
from device_profiles.loader import load_profile
from device_profiles.metadata_layout import NO_LAYOUT, FieldKind
from device_profiles.metadata_makers import HubMaker, HubMakers, load_makers
from device_profiles.schema import DeviceProfile
from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataError, MetadataTarget
from emulator.codecs.chf_metadata_format import Value
from emulator.codecs.ota_file import OtaImage
from firmware_images.metadata import (
    Conversion,
    ConversionError,
    Recognition,
    convert,
    recognise,
    wrap,
)
from firmware_images.recipe import TEST_SIGNER, made_up_scalar
from harness.cli.output import console, emit_json
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError
from harness.files import write_octets
from harness.firmware_files import FirmwareFile, read_firmware, read_private_scalar

_FILE = Annotated[Path, typer.Argument(help="Image file, or DUIS 11.1 or 11.4 request.")]
_OUT = Annotated[Path, typer.Option("--out", help="Image file to write.")]
_FROM = Annotated[
    str | None,
    typer.Option(
        "--from-layout",
        help="Layout it carries, or hub profile; left out: the one that is recognised.",
    ),
]
_PROFILE = Annotated[
    str | None, typer.Option("--profile", help="Device it is for; says the kind as well.")
]
_KIND = Annotated[
    ImageKind | None, typer.Option(help="What the tail looks like, where no --profile says it.")
]
_KEY = Annotated[Path | None, typer.Option("--key", help="Supplier's private key, P-256 in PEM.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_NONE: Final = NO_LAYOUT.layout_id


def add(firmware: typer.Typer) -> None:
    """Add the commands to ``firmware``."""
    firmware.command("convert")(convert_file)
    firmware.command("strip")(strip_file)


def convert_file(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    file: _FILE,
    to_layout: Annotated[
        str, typer.Option("--to-layout", help="Layout it is to carry, or hub profile.")
    ],
    out: _OUT,
    from_layout: _FROM = None,
    profile: _PROFILE = None,
    kind: _KIND = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE of a free field of the new layout; repeatable."),
    ] = None,
    key: _KEY = None,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Give an image the metadata that another maker's hubs ask for; its hash changes."""
    folders = overlays(data)
    job = _Job(file, folders, profile, kind)
    wanted = job.maker(to_layout)
    given = given_values(wanted, values or [])
    _run(job, from_layout, wanted, given, key, out, as_json=as_json)


def strip_file(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    file: _FILE,
    out: _OUT,
    from_layout: _FROM = None,
    profile: _PROFILE = None,
    kind: _KIND = None,
    key: _KEY = None,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Take a hub maker's metadata off an image (to L-NONE); its hash changes."""
    folders = overlays(data)
    job = _Job(file, folders, profile, kind)
    _run(job, from_layout, job.maker(_NONE), {}, key, out, as_json=as_json)


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What ``firmware build`` puts around an image.

    Attributes:
        maker: Whose metadata; L-NONE puts nothing.
        given: Values of free fields.
    """

    maker: HubMaker
    given: Mapping[str, Value]

    def around(self, image: OtaImage, profile: DeviceProfile, scalar: int) -> OtaImage:
        """Return the image with the metadata, signed anew where its kind carries a signature.

        Raises:
            UsageError: A value of the metadata does not fit.
        """
        if self.maker.layout.is_none and not self.given:
            return image
        target = MetadataTarget.of(profile)
        try:
            return wrap(image, self.maker, target, scalar=scalar, given=self.given)
        except MetadataError as error:
            raise UsageError(
                str(error),
                where=f"--layout {self.maker.layout.layout_id}",
                cause="a field that is not free, or a value too large for it",
                next_command=f"smetsbench profiles {self.maker.profile}",
            ) from error


class _Job:
    """The image of a command, read, and what it is read with."""

    def __init__(
        self, file: Path, folders: Folders, profile: str | None, kind: ImageKind | None
    ) -> None:
        self.file: Final = file
        with reading_data():
            self.makers: Final[HubMakers] = load_makers(folders)
            device = None if profile is None else load_profile(profile, folders)
        source = read_firmware(file)
        self.image: Final[OtaImage] = ota_file.decode(source.image, kind_of(source, device, kind))
        self.target: Final = None if device is None else _target(self.image, device, file)
        self.recognition: Final[Recognition] = recognise(self.image, self.makers, self.target)

    def maker(self, name: str) -> HubMaker:
        """Return a maker by layout or hub profile."""
        with reading_data():
            return self.makers.find(name)

    def source(self, name: str | None) -> HubMaker:
        """Return whose metadata the image carries: the one named, or the one recognised."""
        found = self.recognition
        if name is None:
            if found.maker is not None:
                return found.maker
            if not found.found:
                return self.maker(_NONE)
            raise self.refused(f"which metadata it carries is not clear: {found}")
        named = self.maker(name)
        if named.layout.is_none and found.maker is not None:
            raise self.refused(f"it is not bare: it carries {found}")
        return named

    def refused(self, why: str) -> UsageError:
        """Return the error for an image that cannot be converted."""
        return UsageError(
            why,
            where=str(self.file),
            cause="another layout than the image has, or a damaged image",
            next_command=f"smetsbench firmware inspect {self.file}",
        )


def _target(image: OtaImage, device: DeviceProfile, file: Path) -> MetadataTarget:
    """Return what metadata may say of a device, if the image is for it.

    Raises:
        UsageError: The OTA header names another maker or image type.
    """
    header = image.header
    meant = (device.identity.manufacturer_code, device.firmware.image_type)
    if (header.manufacturer_code, header.image_type) != meant:
        raise UsageError(
            f"the image is for manufacturer {header.manufacturer_code:04X}, type"
            f" {header.image_type:04X}; {device.name} is {meant[0]:04X}, {meant[1]:04X}",
            where=str(file),
            cause="another device's profile",
            next_command="smetsbench profiles",
        )
    return MetadataTarget.of(device)


def kind_of(
    source: FirmwareFile, device: DeviceProfile | None, kind: ImageKind | None
) -> ImageKind:
    """Return the kind of an image as request, profile or option say it.

    Raises:
        UsageError: Nobody says it, or they contradict each other.
    """
    told = {
        "the request": source.kind,
        "--profile": None if device is None else device.firmware.image_kind,
        "--kind": kind,
    }
    said = {name: value for name, value in told.items() if value is not None}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    raise UsageError(
        "nobody says of which kind the image is"
        if not said
        else "; ".join(f"{name} says {value}" for name, value in said.items()),
        where=str(source.path),
        cause="the tail of an image cannot be guessed from its content",
        next_command=f"smetsbench firmware inspect {source.path}",
    )


def given_values(maker: HubMaker, texts: list[str]) -> dict[str, Value]:
    """Return the values of ``--set``, each of the kind its field holds.

    Raises:
        UsageError: One is no NAME=VALUE, or no number where the field holds one.
    """
    kinds = {one.name: maker.layout.shape(one).kind for one in maker.layout.values()}
    found: dict[str, Value] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name] = int(value, 0) if kinds.get(name) is FieldKind.NUMBER else value
        except ValueError as error:
            raise UsageError(
                f"{name} holds a number, not {value!r}",
                where=f"--set {text}",
                cause="a typing error; hexadecimal begins with 0x",
            ) from error
    return found


def _run(  # noqa: PLR0913, PLR0917 -- what both commands pass on
    job: _Job,
    from_layout: str | None,
    wanted: HubMaker,
    given: Mapping[str, Value],
    key: Path | None,
    out: Path,
    *,
    as_json: bool,
) -> None:
    source = job.source(from_layout)
    scalar = made_up_scalar() if key is None else read_private_scalar(key)
    try:
        made = convert(job.image, source, wanted, job.target, scalar=scalar, given=given)
    except ConversionError as error:
        raise job.refused(str(error)) from error
    except MetadataError as error:
        raise UsageError(
            f"{wanted.layout.layout_id} cannot be made: {error}",
            where=str(job.file),
            cause="a value that only --profile DEVICE or --set NAME=VALUE tells",
            next_command="smetsbench firmware convert --help",
        ) from error
    octets = ota_file.encode(made.image)
    write_octets(out, octets, made_from=[job.file, *([] if key is None else [key])])
    figures = _figures(job, source, wanted, made, octets)
    figures |= {"file": str(out), "signed_with": _signer(made.image, key)}
    if as_json:
        emit_json(figures)
        return
    for name, value in figures.items():
        if value and name != "cpl_hash_changes":  # the warning says it
            console().print(f"{name.replace('_', ' ')}: {value}", markup=False)


def _figures(
    job: _Job, source: HubMaker, wanted: HubMaker, made: Conversion, octets: bytes
) -> dict[str, object]:
    notes = sorted({source.note, wanted.note} - {""})
    return {
        "made_from": str(job.file),
        "from_layout": source.layout.layout_id,
        "to_layout": wanted.layout.layout_id,
        "note": "; ".join(notes),
        "size_bytes": len(octets),
        "sha256": hashlib.sha256(octets).hexdigest(),
        "manufacturer_image_hash_before": made.hash_before.hex(),
        "manufacturer_image_hash_after": made.hash_after.hex(),
        "cpl_hash_changes": made.hash_before != made.hash_after,
        "warning": made.warning,
    }


def _signer(image: OtaImage, key: Path | None) -> str | None:
    if image.signature is None:
        return None
    return str(key) if key is not None else f"test key of the made-up supplier {TEST_SIGNER}"
