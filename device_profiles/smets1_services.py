"""Which services SMETS1 devices know at the DCC: who takes them, who may ask, what they need."""

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError, field_validator

from device_profiles.errors import DuplicateEntryError, InvalidValueError, UnreadableFileError
from device_profiles.evidence import Mark
from device_profiles.files import Folders, by_content, layers, read_csv, refuse
from device_profiles.sections import Section
from device_profiles.words import DeviceType

FILE: Final = "smets1-services.csv"
_YES_NO: Final = {"yes": True, "no": False}


class Taker(enum.StrEnum):
    """Who carries a service out for a SMETS1 device."""

    DSP = "DSP"
    S1SP = "S1SP"


class Notified(enum.StrEnum):
    """What the notified Certificate IDs of the device have to be for a request to be taken."""

    SUPPLIER = "supplier"  # the critical supplier one is that of the asker
    PARTY = "party"  # the critical one of the asker's own role is that of the asker
    NULL = "null"  # the critical one of the asker's own role is Null
    NONE = "none"  # nothing is asked of them


class Smets1Service(Section):
    """One service.

    Attributes:
        service: Service reference variant.
        reference: Service reference.
        body: Element of the DUIS request.
        answer: Element of the response's SMETS data; empty where there is none.
        taker: Who carries it out.
        critical: Whether instructions for it need the DCO's part.
        notified: What the notified Certificate IDs have to be.
        roles: Roles of service users that may ask for it.
        devices: Device types it is for.
        before_commissioning: Whether the device need not be commissioned.
        evidence: Where the row comes from.
    """

    service: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+){1,2}$")]
    reference: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+$")]
    body: Annotated[str, Field(min_length=1)]
    answer: str
    taker: Taker
    critical: bool
    notified: Notified
    roles: frozenset[str]
    devices: frozenset[DeviceType]
    before_commissioning: bool
    evidence: str

    @field_validator("critical", "before_commissioning", mode="before")
    @classmethod
    def _yes_or_no(cls, text: object) -> object:
        return _YES_NO.get(text, text) if isinstance(text, str) else text

    @field_validator("roles", "devices", mode="before")
    @classmethod
    def _words(cls, text: object) -> object:
        return frozenset(text.split()) if isinstance(text, str) else text

    @field_validator("evidence")
    @classmethod
    def _is_a_mark(cls, text: str) -> str:
        return str(Mark.parse(text))


def load_smets1_services(overlays: Folders = ()) -> Mapping[str, Smets1Service]:
    """Load the table: service reference variant -> service; rows of an overlay win.

    Raises:
        DataError: A file cannot be read, or a row is wrong or stands twice.
    """
    rows: dict[str, Smets1Service] = {}
    for path in layers("catalogues", FILE, overlays):
        rows |= _load(path)
    return rows


@by_content
def _load(path: Path) -> Mapping[str, Smets1Service]:
    headings, cells = read_csv(path)
    if set(headings) != set(Smets1Service.model_fields):
        raise UnreadableFileError(
            f"the headings are {', '.join(headings)}", file=path, key="line 1"
        )
    own: dict[str, Smets1Service] = {}
    for line, row in enumerate(cells, 2):
        one = _row(row, str(path), line)
        if one.service in own:
            raise DuplicateEntryError("this service stands twice", file=path, key=one.service)
        own[one.service] = one
    return own


def _row(row: dict[str | Any, Any], path: str, line: int) -> Smets1Service:
    if None in row or None in row.values():
        raise InvalidValueError("more or fewer cells than headings", file=path, key=f"line {line}")
    try:
        return Smets1Service.model_validate(row)
    except ValidationError as error:
        raise refuse(error, path, f"line {line}") from error
