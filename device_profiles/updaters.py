"""Which supplier may update which device: rows of a table, each with its evidence mark."""

import enum
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, field_validator, model_validator

from device_profiles.csv_rows import CsvTable
from device_profiles.errors import InconsistentDataError
from device_profiles.files import Folders, layers
from device_profiles.sections import NONE_FOR_EMPTY, SPLIT, MarkText, Section
from device_profiles.words import DeviceType, SmetsVersion

FILE: Final = "firmware-updaters.csv"
_GENERATIONS: Final[Mapping[str, frozenset[SmetsVersion]]] = {
    "both": frozenset(SmetsVersion),
    **{str(one): frozenset({one}) for one in SmetsVersion},
}
_COORDINATED: Final = {"either": frozenset({True, False}), "yes": frozenset({True})} | {
    "no": frozenset({False})
}


class Updater(enum.StrEnum):
    """Who updates a device."""

    GAS_SUPPLIER = "gas-supplier"
    IMPORT_SUPPLIER = "import-supplier"
    NOBODY = "nobody"  # no supplier at all


class Others(enum.StrEnum):
    """What becomes of another supplier of the same home that asks."""

    REFUSED = "refused"
    SILENT = "silent"  # the documents do not say: allowed or refused


class Played(enum.StrEnum):
    """What our own DSP makes of a request about which the documents are silent."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    EITHER = "either"  # the run's chance decides


class UpdaterRow(Section):
    """One row.

    Attributes:
        id: Name of the row.
        smets: Generations it is about; ``both``, ``SMETS1`` or ``SMETS2+`` in the file.
        coordinated: Whether the hub's group has a coordinating supplier; ``either``, ``yes``,
            ``no`` in the file. Which group has one is data of its cohort.
        devices: Device types.
        updater: Who updates them.
        others: What becomes of another supplier of the home.
        played: What our own DSP does where the documents are silent; None elsewhere.
        says: The row in a sentence.
        evidence: Where it comes from.
    """

    id: Annotated[str, Field(min_length=1, max_length=30)]
    smets: frozenset[SmetsVersion]
    coordinated: frozenset[bool]
    devices: Annotated[frozenset[DeviceType], SPLIT]
    updater: Updater
    others: Others
    played: Annotated[Played | None, NONE_FOR_EMPTY] = None
    says: Annotated[str, Field(min_length=3)]
    evidence: MarkText

    @field_validator("smets", mode="before")
    @classmethod
    def _generations(cls, text: object) -> object:
        return _GENERATIONS.get(text, text) if isinstance(text, str) else text

    @field_validator("coordinated", mode="before")
    @classmethod
    def _groups(cls, text: object) -> object:
        return _COORDINATED.get(text, text) if isinstance(text, str) else text

    @model_validator(mode="after")
    def _silence_is_played_somehow(self) -> Self:
        if (self.others is Others.SILENT) != (self.played is not None):
            raise ValueError('played belongs to others = "silent", and only there')
        return self

    def covers(self, device: DeviceType, smets: SmetsVersion, *, coordinated: bool) -> bool:
        """Say whether the row is about such a device."""
        here = smets in self.smets and coordinated in self.coordinated
        return here and device in self.devices


class Updaters:
    """The rows in force; no device is of two of them."""

    def __init__(self, rows: Iterable[UpdaterRow], file: Path | str = FILE) -> None:
        self.rows: Final = tuple(rows)
        for device in DeviceType:
            for smets in SmetsVersion:
                for coordinated in (True, False):
                    found = self._covering(device, smets, coordinated=coordinated)
                    if len(found) > 1:
                        raise InconsistentDataError(
                            f"{found[0].id} and {found[1].id} are both about a {smets} {device}",
                            file=file,
                        )

    def find(
        self, device: DeviceType, smets: SmetsVersion, *, coordinated: bool
    ) -> UpdaterRow | None:
        """Return the row about such a device, or None where nobody updates it."""
        found = self._covering(device, smets, coordinated=coordinated)
        return found[0] if found else None

    def _covering(
        self, device: DeviceType, smets: SmetsVersion, *, coordinated: bool
    ) -> list[UpdaterRow]:
        return [row for row in self.rows if row.covers(device, smets, coordinated=coordinated)]


_TABLE: Final = CsvTable(FILE, UpdaterRow, "id", lambda row: row.id)


def load_updaters(overlays: Folders = ()) -> Updaters:
    """Load the table; a row of an overlay wins over the one of its name.

    Raises:
        DataError: A file cannot be read, a row is wrong, or two are about one device.
    """
    return Updaters(_TABLE.load(overlays).values(), layers("catalogues", FILE, overlays)[-1])
