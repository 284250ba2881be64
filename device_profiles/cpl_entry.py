"""One row of the Central Products List: a Device Model at one firmware version."""

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from device_profiles.sections import MarkText, Section
from device_profiles.words import CplStatus, DeviceType, ImageHashScope, SmetsVersion

Hex4 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{4}$", to_upper=True)]
Hex8 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{8}$", to_upper=True)]
Hex64 = Annotated[str, StringConstraints(pattern=r"^([0-9A-Fa-f]{64})?$", to_lower=True)]


def in_order(first: date | None, last: date | None, names: tuple[str, str]) -> date | None:
    """Return the later of two days.

    Args:
        first: The earlier one, or None.
        last: The later one, or None.
        names: What they are called.

    Raises:
        PydanticCustomError: The later day lies before the earlier one.
    """
    if first is not None and last is not None and last < first:
        raise PydanticCustomError(
            "reversed_dates", "{last} lies before {first}", {"last": names[1], "first": names[0]}
        )
    return last


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
    evidence: MarkText

    @field_validator("effective_to")
    @classmethod
    def _dates_in_order(cls, last: date | None, info: ValidationInfo) -> date | None:
        return in_order(info.data.get("effective_from"), last, ("effective_from", "effective_to"))

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

    def may_be_installed(self, day: date) -> bool:
        """Say whether devices may be updated to this version on a day (F-063, F-066)."""
        return self.status_on(day) is CplStatus.ACTIVE and self.effective_from <= day
