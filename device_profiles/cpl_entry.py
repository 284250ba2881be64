"""One row of the Central Products List: a Device Model at one firmware version."""

from datetime import date
from typing import Annotated, Final, Self

from pydantic import Field, field_validator, model_validator

from device_profiles.evidence import Mark
from device_profiles.sections import Section
from device_profiles.words import CplStatus, DeviceType, ImageHashScope, SmetsVersion

Hex4 = Annotated[str, Field(pattern=r"^[0-9A-F]{4}$")]
Hex8 = Annotated[str, Field(pattern=r"^[0-9A-F]{8}$")]
Hex64 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]

_UPPER_CASE: Final = ("manufacturer_id", "model_id", "hardware_version", "firmware_version")


class CplEntry(Section):
    """One row of the list: a Device Model at one firmware version.

    Attributes:
        cpl_entry_id: Identifier of the row.
        device_type: ESME, GSME, CHF …
        smets: Generation the row lists the model for.
        manufacturer_name: Name of the maker.
        manufacturer_id: Manufacturer code, 4 hex digits.
        model_id: First half of the DUIS model, 4 hex digits.
        hardware_version: Second half of the DUIS model, 4 hex digits.
        firmware_version: 8 hex digits.
        esme_variant: DUIS ESME variant, or empty.
        smets_chts_version: Technical specification, or empty.
        gbcs_version: GBCS version, or empty.
        manufacturer_image_hash: SHA-256, 64 hex digits in lower case, or empty.
        image_hash_scope: What the hash is taken over.
        status: As the list says it; see :meth:`status_on` for a day.
        effective_from: First day of the row.
        effective_to: Last day of the row, or None.
        upgrade_from: Rows whose version may be upgraded to this one (MP231); empty for ``N/A``.
        notes: Free text.
        evidence: Where the row comes from.
    """

    cpl_entry_id: Annotated[str, Field(min_length=1, max_length=40)]
    device_type: DeviceType
    smets: SmetsVersion
    manufacturer_name: str
    manufacturer_id: Hex4
    model_id: Hex4
    hardware_version: Hex4
    firmware_version: Hex8
    esme_variant: str = ""
    smets_chts_version: str = ""
    gbcs_version: str = ""
    manufacturer_image_hash: Hex64 = ""
    image_hash_scope: ImageHashScope = ImageHashScope.IMAGE
    status: CplStatus
    effective_from: date
    effective_to: date | None = None
    upgrade_from: tuple[str, ...] = ()
    notes: str = ""
    evidence: str

    @field_validator(*_UPPER_CASE, mode="before")
    @classmethod
    def _upper(cls, text: object) -> object:
        return text.upper() if isinstance(text, str) else text

    @field_validator("manufacturer_image_hash", mode="before")
    @classmethod
    def _lower(cls, text: object) -> object:
        return text.lower() if isinstance(text, str) else text

    @field_validator("evidence")
    @classmethod
    def _is_a_mark(cls, text: str) -> str:
        return str(Mark.parse(text))

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if self.effective_to is not None and self.effective_to < self.effective_from:
            raise ValueError("effective_to lies before effective_from")
        return self

    @property
    def model_hex(self) -> str:
        """Model as DUIS writes it: model id and hardware version."""
        return self.model_id + self.hardware_version

    @property
    def version_octets(self) -> bytes:
        """The firmware version as four octets."""
        return bytes.fromhex(self.firmware_version)

    @property
    def identity(self) -> tuple[str, ...]:
        """What must be unique in a list (F-060)."""
        return (
            self.device_type,
            self.manufacturer_id,
            self.model_id,
            self.hardware_version,
            self.firmware_version,
            self.smets,
        )

    def status_on(self, day: date) -> CplStatus:
        """Return the status on a day: an active row is Expired after its last day."""
        ended = self.effective_to is not None and day > self.effective_to
        return CplStatus.EXPIRED if ended and self.status is CplStatus.ACTIVE else self.status
