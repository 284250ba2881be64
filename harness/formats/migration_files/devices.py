"""Devices and certificates as migration files name them."""

from dataclasses import dataclass
from typing import Final

from harness.formats.migration_files import checks, kinds
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.xml_table import Column, Record, attribute


@dataclass(frozen=True, slots=True)
class DeviceModel:
    """A Device Model of the Central Products List.

    Attributes:
        manufacturer: Four hex digits.
        model: Four hex digits.
        hardware_version: Four hex digits.
        firmware_version: Eight hex digits.
    """

    manufacturer: str
    model: str
    hardware_version: str
    firmware_version: str


@dataclass(frozen=True, slots=True)
class CertificateId:
    """A Certificate ID: serial number and common name of the issuer.

    Attributes:
        serial: Decimal digits; ``0`` in the Null Certificate ID.
        issuer: Common name; empty in the Null Certificate ID.

    Source:
        S1SR-d for the two parts; how the null one is written: invented (R-052).
    """

    serial: str
    issuer: str

    def __post_init__(self) -> None:
        """Refuse half a Null Certificate ID.

        Raises:
            MigrationFileError: X-VALUE 02.
        """
        if (self.serial == "0") != (self.issuer == ""):
            why = "a Null Certificate ID has serial 0 and no issuer; this has one of the two"
            raise MigrationFileError(checks.VALUE, "02", why)

    @property
    def is_null(self) -> bool:
        """Whether it names no certificate."""
        return self.issuer == ""


#: The one Null Certificate ID (R-052).
NULL_CERTIFICATE_ID: Final = CertificateId("0", "")

DEVICE_MODEL: Final = Record(
    DeviceModel,
    (
        attribute("Manufacturer", "manufacturer", kinds.HEX4),
        attribute("Model", "model", kinds.HEX4),
        attribute("HardwareVersion", "hardware_version", kinds.HEX4),
        attribute("FirmwareVersion", "firmware_version", kinds.HEX8),
    ),
)
CERTIFICATE_ID: Final = Record(
    CertificateId,
    (
        attribute("Serial", "serial", kinds.SERIAL),
        attribute("Issuer", "issuer", kinds.ISSUER),
    ),
)
#: The four notified Certificate IDs of a meter, in the order they stand in.
CERTIFICATE_COLUMNS: Final = (
    Column("CriticalSupplierCertificateID", "critical_supplier", CERTIFICATE_ID),
    Column("NonCriticalSupplierCertificateID", "non_critical_supplier", CERTIFICATE_ID),
    Column("CriticalNetworkOperatorCertificateID", "critical_network_operator", CERTIFICATE_ID),
    Column(
        "NonCriticalNetworkOperatorCertificateID", "non_critical_network_operator", CERTIFICATE_ID
    ),
)
