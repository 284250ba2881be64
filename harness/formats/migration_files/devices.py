"""Devices and certificates as migration files name them."""

from dataclasses import dataclass
from typing import Final

from emulator.core.values import quick
from harness.formats.migration_files import kinds
from harness.formats.migration_files.xml_table import Column, Record, attribute
from harness.rules.migration_certificates import NULL_CERTIFICATE_ID, CertificateId

__all__ = (
    "CERTIFICATE_COLUMNS",
    "CERTIFICATE_ID",
    "DEVICE_MODEL",
    "NULL_CERTIFICATE_ID",
    "CertificateId",
    "DeviceModel",
)


@quick
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


DEVICE_MODEL: Final = Record(
    DeviceModel,
    (
        attribute("Manufacturer", "manufacturer", kinds.HEX4),
        attribute("Model", "model", kinds.HEX4),
        attribute("HardwareVersion", "hardware_version", kinds.HEX4),
        attribute("FirmwareVersion", "firmware_version", kinds.HEX8),
    ),
)
#: Half a Null Certificate ID can be read: rule NULL refuses its installation, and no other.
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
