"""What the firmware matrix asks when nobody names an image: devices, versions, SMETS2+ hubs."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from device_profiles.files import Folders, layers, read_toml, unknown_keys
from device_profiles.schema import VersionText
from device_profiles.sections import MarkText, Section
from device_profiles.toml_rows import laid_over

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
    by_layer = [(file,) for file in files]
    targets = laid_over(MatrixTarget, "target", by_layer)
    hubs = laid_over(MatrixHub, "hub", by_layer)
    return MatrixAxes(tuple(targets.values()), tuple(hubs.values()))
