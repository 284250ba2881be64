"""Every service reference variant of DUIS: its body, and what our DCC makes of it."""

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import Field, ValidationError, field_validator

from device_profiles.errors import DuplicateEntryError, InvalidValueError, UnreadableFileError
from device_profiles.evidence import Mark
from device_profiles.files import Folders, by_content, layers, read_csv, refuse
from device_profiles.sections import Section
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
    variants: frozenset[int]
    roles: frozenset[str]
    smets1: Treatment
    smets2: Treatment
    evidence: str

    @field_validator("variants", "roles", mode="before")
    @classmethod
    def _words(cls, text: object) -> object:
        return frozenset(text.split()) if isinstance(text, str) else text

    @field_validator("evidence")
    @classmethod
    def _is_a_mark(cls, text: str) -> str:
        return str(Mark.parse(text))

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
    devices: frozenset[DeviceType]
    asks: str
    message: str
    content: Annotated[str, Field(min_length=3)]
    seals: Annotated[str, Field(pattern="^(yes|no)$")]
    evidence: str

    @field_validator("devices", mode="before")
    @classmethod
    def _types(cls, text: object) -> object:
        return frozenset(text.split()) if isinstance(text, str) else text

    @field_validator("evidence")
    @classmethod
    def _is_a_mark(cls, text: str) -> str:
        return str(Mark.parse(text))

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


def load_duis_services(overlays: Folders = ()) -> Mapping[str, DuisService]:
    """Load the table of services: variant -> service; rows of an overlay win.

    Raises:
        DataError: A file cannot be read, or a row is wrong or stands twice.
    """
    rows: dict[str, DuisService] = {}
    for path in layers("catalogues", SERVICES, overlays):
        rows |= _services(path)
    return rows


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
def _services(path: Path) -> Mapping[str, DuisService]:
    own: dict[str, DuisService] = {}
    for one in _rows(path, DuisService):
        if one.service in own:
            raise DuplicateEntryError("this service stands twice", file=path, key=one.service)
        own[one.service] = one
    return own


@by_content
def _transforms(path: Path) -> Mapping[str, tuple[Transform, ...]]:
    own: dict[str, tuple[Transform, ...]] = {}
    for one in _rows(path, Transform):
        own[one.service] = (*own.get(one.service, ()), one)
    return own


_Row = TypeVar("_Row", bound=Section)


def _rows(path: Path, make: type[_Row]) -> list[_Row]:
    headings, cells = read_csv(path)
    if set(headings) != set(make.model_fields):
        raise UnreadableFileError(
            f"the headings are {', '.join(headings)}", file=path, key="line 1"
        )
    return [_row(make, row, path, line) for line, row in enumerate(cells, 2)]


def _row(make: type[_Row], row: dict[str | Any, Any], path: Path, line: int) -> _Row:
    if None in row or None in row.values():
        raise InvalidValueError("more or fewer cells than headings", file=path, key=f"line {line}")
    try:
        return make.model_validate(row)
    except ValidationError as error:
        raise refuse(error, str(path), f"line {line}") from error
