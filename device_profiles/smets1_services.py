"""Which services SMETS1 devices know at the DCC: who takes them, who may ask, what they need."""

import enum
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, field_validator

from device_profiles.csv_rows import CsvTable
from device_profiles.files import Folders, once
from device_profiles.sections import SPLIT, MarkText, Section
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
    roles: Annotated[frozenset[str], SPLIT]
    devices: Annotated[frozenset[DeviceType], SPLIT]
    before_commissioning: bool
    evidence: MarkText

    @field_validator("critical", "before_commissioning", mode="before")
    @classmethod
    def _yes_or_no(cls, text: object) -> object:
        return _YES_NO.get(text, text) if isinstance(text, str) else text


_TABLE: Final = CsvTable(FILE, Smets1Service, "service", lambda row: row.service)


def load_smets1_services(overlays: Folders = ()) -> Mapping[str, Smets1Service]:
    """Load the table: service reference variant -> service; rows of an overlay win.

    Raises:
        DataError: A file cannot be read, or a row is wrong or stands twice.
    """
    return once(("smets1 services", tuple(overlays)), lambda: _TABLE.load(overlays))
