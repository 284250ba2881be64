"""Every code that a participant may be sent: by whom, what it means, and whether that was read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError, field_validator

from device_profiles.errors import DuplicateEntryError
from device_profiles.evidence import Mark
from device_profiles.files import Folders, by_content, layers, read_csv, refuse
from device_profiles.sections import Section
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
    evidence: str

    @field_validator("evidence")
    @classmethod
    def _is_a_mark(cls, text: str) -> str:
        return str(Mark.parse(text))


def load_participant_codes(overlays: Folders = ()) -> Mapping[tuple[str, str], ParticipantCode]:
    """Load the table: (kind, code) -> row; rows of an overlay win.

    Raises:
        DataError: A file cannot be read, or a row is wrong or stands twice.
    """
    rows: dict[tuple[str, str], ParticipantCode] = {}
    for path in layers("catalogues", FILE, overlays):
        rows |= _load(path)
    return rows


@by_content
def _load(path: Path) -> Mapping[tuple[str, str], ParticipantCode]:
    own: dict[tuple[str, str], ParticipantCode] = {}
    for line, row in enumerate(read_csv(path)[1], 2):
        try:
            one = ParticipantCode.model_validate(row)
        except ValidationError as error:
            raise refuse(error, str(path), f"line {line}") from error
        if (one.kind, one.code) in own:
            raise DuplicateEntryError("this code stands twice", file=path, key=one.code)
        own[one.kind, one.code] = one
    return own
