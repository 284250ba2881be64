"""How long an S1SP waits for what becomes of images: data, each with its mark."""

from dataclasses import dataclass
from typing import Final

from device_profiles.errors import InvalidValueError
from device_profiles.files import Folders, once
from harness.rules.migration_tables import SettingRow, load_table

_TABLE: Final = "smets1-images.csv"


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """Patience of an S1SP, in seconds.

    Attributes:
        first_look_s: From handing an image over to the first look into the hub's log.
        longest_look_s: Longest time between two looks; each wait is twice the one before.
        patience_s: After so long an image without an outcome is given up.
        activation_patience_s: After so long an activation that shows nowhere has failed.
    """

    first_look_s: int
    longest_look_s: int
    patience_s: int
    activation_patience_s: int


def load_image_settings(overlays: Folders = ()) -> ImageSettings:
    """Load the table.

    Raises:
        DataError: A row is missing, or holds no positive whole number.
    """
    return once(("image settings", tuple(overlays)), lambda: _load(overlays))


def _load(overlays: Folders) -> ImageSettings:
    values = {row.key: row.value for row in load_table(SettingRow, _TABLE, overlays)}
    numbers: dict[str, int] = {}
    for name in ImageSettings.__slots__:
        text = values.get(name)
        if text is None:
            raise InvalidValueError("this row is missing", file=_TABLE, key=name)
        if not (text.isascii() and text.isdecimal()) or int(text) < 1:
            raise InvalidValueError(f"{text!r} is no number of seconds", file=_TABLE, key=name)
        numbers[name] = int(text)
    return ImageSettings(**numbers)
