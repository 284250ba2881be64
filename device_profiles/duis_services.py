"""Every service reference variant of DUIS: its body, and what our DCC makes of it."""

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field

from device_profiles.csv_rows import CsvTable, rows_of
from device_profiles.files import Folders, by_content, layers
from device_profiles.sections import SPLIT, MarkText, Section
from device_profiles.words import DeviceType

SERVICES: Final = "duis-services.csv"
TRANSFORMS: Final = "duis-transforms.csv"
_CRITICAL: Final = 4


class Treatment(enum.StrEnum):
    """What becomes of a request for a device of one generation."""

    SUPPORTED = "supported"  # it reaches the device
    DSP = "dsp"  # the DSP answers it by itself
    NO_SERVICE = "no-service"  # devices of the generation have no such service
    NO_TRANSFORM = "no-transform"  # our DSP does not know the command for it
    NOT_PLAYED = "not-played"  # our DSP keeps nothing that it could be about


#: Treatments that are no refusal.
PLAYED: Final = frozenset({Treatment.SUPPORTED, Treatment.DSP})


class DuisService(Section):
    """One service reference variant.

    Attributes:
        service: Service reference variant.
        reference: Service reference.
        body: Element of the request's body.
        variants: Command variants under which the body travels.
        roles: Roles of service users that may ask for it.
        smets1: What becomes of it for SMETS1 devices.
        smets2: What becomes of it for SMETS2+ devices.
        evidence: Where the row comes from.
    """

    service: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+){1,2}$")]
    reference: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+$")]
    body: Annotated[str, Field(min_length=1)]
    variants: Annotated[frozenset[int], SPLIT]
    roles: Annotated[frozenset[str], SPLIT]
    smets1: Treatment
    smets2: Treatment
    evidence: MarkText

    @property
    def critical(self) -> bool:
        """Whether it becomes a pre-command that its originator signs."""
        return _CRITICAL in self.variants


class Transform(Section):
    """How a request that has no arguments, or a period and a word, becomes a GBCS command.

    Attributes:
        service: Service reference variant.
        devices: Device types.
        asks: Word of the request that it is for (the log of 6.13), or empty for any.
        message: Message code by name (``ECS17B``).
        content: What the command does, in the small language of ``dsp_contents``.
        seals: ``yes`` where the answer is sealed for who reads, else ``no``.
        evidence: Where the row comes from.
    """

    service: str
    devices: Annotated[frozenset[DeviceType], SPLIT]
    asks: str
    message: str
    content: Annotated[str, Field(min_length=3)]
    seals: Annotated[str, Field(pattern="^(yes|no)$")]
    evidence: MarkText

    @property
    def sealed(self) -> bool:
        """Whether the answer is sealed for who reads."""
        return self.seals == "yes"

    @classmethod
    def found(
        cls, rows: Mapping[str, tuple[Self, ...]], service: str, kind: DeviceType, asks: str = ""
    ) -> Self | None:
        """Return the transform of a service for a device type and a word, or None."""
        fit = [row for row in rows.get(service, ()) if kind in row.devices]
        exact = next((row for row in fit if row.asks == asks), None)
        return exact or next((row for row in fit if not row.asks), None)


_SERVICES: Final = CsvTable(SERVICES, DuisService, "service", lambda row: row.service)


def load_duis_services(overlays: Folders = ()) -> Mapping[str, DuisService]:
    """Load the table of services: variant -> service; rows of an overlay win.

    Raises:
        DataError: A file cannot be read, or a row is wrong or stands twice.
    """
    return _SERVICES.load(overlays)


def load_transforms(overlays: Folders = ()) -> Mapping[str, tuple[Transform, ...]]:
    """Load the transforms: variant -> one for each kind of device; the strongest overlay's win.

    Raises:
        DataError: A file cannot be read, or a row is wrong.
    """
    rows: dict[str, tuple[Transform, ...]] = {}
    for path in layers("catalogues", TRANSFORMS, overlays):
        rows |= _transforms(path)
    return rows


@by_content
def _transforms(path: Path) -> Mapping[str, tuple[Transform, ...]]:
    own: dict[str, tuple[Transform, ...]] = {}
    for _where, one in rows_of(path, Transform):
        own[one.service] = (*own.get(one.service, ()), one)
    return own
