"""What the firmware matrix asks when nobody names an image: devices, versions, SMETS2+ hubs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field, ValidationError

from device_profiles.errors import InvalidValueError, UnmarkedValueError
from device_profiles.evidence import EvidenceKind
from device_profiles.files import DataFile, Folders, layers, read_toml, refuse, unknown_keys
from device_profiles.rows import MarkText
from device_profiles.schema import VersionText
from device_profiles.sections import Section

FILE: Final = "firmware-matrix.toml"
#: Profile of a target that is the hub itself.
THE_HUB: Final = "@hub"


class MatrixTarget(Section):
    """A device of the matrix and the image made for it.

    Attributes:
        id: What it is called.
        profile: Its profile; ``@hub`` for the hub of each home.
        version: Version in the image's OTA header.
        listed_version: Version under which the Central Products List has the image.
        content_bytes: Octets of its Manufacturer Image.
        evidence: Where the row comes from.
    """

    id: Annotated[str, Field(min_length=1, max_length=40)]
    profile: Annotated[str, Field(min_length=1)]
    version: VersionText
    listed_version: VersionText
    content_bytes: Annotated[int, Field(strict=True, ge=64, le=10_000_000)]
    evidence: MarkText


class MatrixHub(Section):
    """A hub of SMETS2+ homes.

    Attributes:
        id: What such homes are called in the place of a cohort.
        profile: Its profile.
        evidence: Where the row comes from.
    """

    id: Annotated[str, Field(min_length=1, max_length=20)]
    profile: Annotated[str, Field(min_length=1)]
    evidence: MarkText


@dataclass(frozen=True, slots=True)
class MatrixAxes:
    """The rows in force.

    Attributes:
        targets: Devices, in order.
        hubs: Hubs of SMETS2+ homes, in order.
    """

    targets: tuple[MatrixTarget, ...]
    hubs: tuple[MatrixHub, ...]


def load_axes(overlays: Folders = ()) -> MatrixAxes:
    """Load the table; a row of an overlay changes what it names of the row with its id.

    Raises:
        DataError: A file cannot be read, or a row is wrong or unmarked.
    """
    paths = layers("catalogues", FILE, overlays)
    files = [read_toml(path, is_overlay=path.parents[1] in overlays) for path in paths]
    for file in files:
        unknown_keys(file.table, ("target", "hub"), file.path)
    return MatrixAxes(_rows(MatrixTarget, "target", files), _rows(MatrixHub, "hub", files))


_Row = TypeVar("_Row", MatrixTarget, MatrixHub)


def _rows(row: type[_Row], key: str, files: list[DataFile]) -> tuple[_Row, ...]:
    tables: dict[str, tuple[Mapping[str, Any], Path]] = {}
    for file in files:
        for number, table in enumerate(file.table.get(key, [])):
            name = table.get("id")
            if not isinstance(name, str):
                raise InvalidValueError("the row has no id", file=file.path, key=f"{key}.{number}")
            marked = table
            if "evidence" not in table:
                if not file.is_overlay:
                    raise UnmarkedValueError("the row carries no mark", file=file.path, key=name)
                marked = {**table, "evidence": f"{EvidenceKind.USER}:{file.digest}"}
            before = tables[name][0] if name in tables else {}
            tables[name] = ({**before, **marked}, file.path)
    made = []
    for name, (table, path) in tables.items():
        try:
            made.append(row.model_validate(table))
        except ValidationError as error:
            raise refuse(error, path, f"{key} {name}") from error
    return tuple(made)
