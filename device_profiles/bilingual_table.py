"""What becomes of PPMIDs that can be of both generations: a decision table (D1 to D14)."""

import enum
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, field_validator

from device_profiles.csv_rows import CsvTable
from device_profiles.files import Folders
from device_profiles.metadata_layout import MetadataMode
from device_profiles.sections import MarkText, Section
from device_profiles.words import SmetsVersion

FILE: Final = "bilingual-decisions.csv"
_ANY: Final = "any"
_YES_NO: Final[Mapping[str, frozenset[bool]]] = {
    _ANY: frozenset({True, False}),
    "yes": frozenset({True}),
    "no": frozenset({False}),
}


class Listed(enum.StrEnum):
    """Which rows the Central Products List has for a model."""

    SMETS1 = "SMETS1"
    SMETS2 = "SMETS2+"
    BOTH = "both"
    BOTH_SAME_VERSION = "both-same-version"


class NotifiedAs(enum.StrEnum):
    """With what a device was announced to the DCC (12.2)."""

    SMETS1 = "SMETS1"
    SMETS2 = "SMETS2+"
    EXECUTING_VERSION = "executing-version"  # the version that runs, where no entry has it
    NONE = "none"


class BilingualOutcome(enum.StrEnum):
    """What becomes of the device."""

    TARGETABLE = "TARGETABLE"
    UNTARGETABLE = "UNTARGETABLE"
    JOIN_REFUSED = "JOIN_REFUSED"
    NOTIFICATION_REFUSED = "NOTIFICATION_REFUSED"
    NOT_MIGRATABLE = "NOT_MIGRATABLE"
    LIST_ERROR = "LIST_ERROR"


class TableRoute(enum.StrEnum):
    """Who carries a request to the device out."""

    S1SP = "S1SP"
    GBCS = "GBCS"
    NONE = "none"


class InventoryVersion(enum.StrEnum):
    """Which firmware version the inventory shows."""

    NOMINAL = "nominal"  # of the SMETS1 entry
    ACTUAL = "actual"  # the one that runs
    NONE = "none"


def _or_any(words: type[enum.StrEnum]) -> BeforeValidator:
    """Read words separated by spaces as a set, ``any`` as all of them."""

    def read(text: object) -> object:
        if not isinstance(text, str):
            return text
        return frozenset(words) if text == _ANY else frozenset(text.split())

    return BeforeValidator(read)


class BilingualDecision(Section):
    """One row; rows are asked in the order of the file, and the first that fits decides.

    Attributes:
        id: D1 to D14, or a user's own.
        mode: Modes it is about; ``any`` in the file for both.
        listed: What the list has.
        notified: With what the device was announced.
        installation: Of which generation the installation is where it stands.
        moved: Whether it stood in an installation of the other kind before.
        in_dmc: Whether a combination of the EPCL holds its SMETS1 entry.
        outcome: What becomes of it.
        route: Who carries requests out.
        inventory: Which version the inventory shows.
        why: Rule of firmware.md 9.1 behind it; empty for none.
        says: The row in a sentence.
        evidence: Where it comes from.
    """

    id: Annotated[str, Field(min_length=1, max_length=20)]
    mode: Annotated[frozenset[MetadataMode], _or_any(MetadataMode)]
    listed: Annotated[frozenset[Listed], _or_any(Listed)]
    notified: Annotated[frozenset[NotifiedAs], _or_any(NotifiedAs)]
    installation: Annotated[frozenset[SmetsVersion], _or_any(SmetsVersion)]
    moved: frozenset[bool]
    in_dmc: frozenset[bool]
    outcome: BilingualOutcome
    route: TableRoute
    inventory: InventoryVersion
    why: str
    says: Annotated[str, Field(min_length=3)]
    evidence: MarkText

    @field_validator("moved", "in_dmc", mode="before")
    @classmethod
    def _answers(cls, text: object) -> object:
        return _YES_NO.get(text, text) if isinstance(text, str) else text


_TABLE: Final = CsvTable(FILE, BilingualDecision, "id", lambda row: row.id)


def load_decisions(overlays: Folders = ()) -> tuple[BilingualDecision, ...]:
    """Load the table in its order; rows of an overlay take the place of those of their name.

    Rows of an overlay that are new come first, so that they can decide before the others.

    Raises:
        DataError: A file cannot be read, or a row is wrong.
    """
    rows: dict[str, BilingualDecision] = {}
    for own in _TABLE.layers(overlays):
        new = {name: row for name, row in own.items() if name not in rows}
        rows = {**new, **{name: own.get(name, row) for name, row in rows.items()}}
    return tuple(rows.values())
