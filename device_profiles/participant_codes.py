"""Every code that a participant may be sent: by whom, what it means, and whether that was read."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from device_profiles.csv_rows import CsvTable
from device_profiles.files import Folders
from device_profiles.sections import MarkText, Section
from device_profiles.words import MeaningStatus

FILE: Final = "participant-codes.csv"


class ParticipantCode(Section):
    """One code.

    Attributes:
        code: The code.
        kind: Who says it: the ``door``, the reader of a ``document``, the DSP in a ``response`` or
            an ``alert``, an S1SP (``s1sp``), the desk for papers (``paper``).
        status: Whether its meaning was read in a source.
        says: Its meaning, or the best guess.
        evidence: Where we know it from.
    """

    code: Annotated[str, Field(min_length=2)]
    kind: Literal["door", "document", "response", "alert", "s1sp", "paper"]
    status: MeaningStatus
    says: Annotated[str, Field(min_length=5)]
    evidence: MarkText


def _name(row: ParticipantCode) -> tuple[str, str]:
    return row.kind, row.code


_TABLE: Final = CsvTable(FILE, ParticipantCode, "code", _name)


def load_participant_codes(overlays: Folders = ()) -> Mapping[tuple[str, str], ParticipantCode]:
    """Load the table: (kind, code) -> row; rows of an overlay win.

    Raises:
        DataError: A file cannot be read, or a row is wrong or stands twice.
    """
    return _TABLE.load(overlays)
