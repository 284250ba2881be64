"""The S1SP Commissioning File: what the Commissioning Party needs of each viable installation."""

from dataclasses import dataclass
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.migration_files import kinds
from harness.formats.migration_files.devices import (
    CERTIFICATE_COLUMNS,
    DEVICE_MODEL,
    CertificateId,
    DeviceModel,
)
from harness.formats.migration_files.xml_table import Column, Record, attribute, many, optional


@quick
@dataclass(frozen=True, slots=True)
class AssociatedCertificates:
    """Certificate IDs to associate with a meter.

    Attributes:
        critical_supplier: See ``MeterDetail``.
        non_critical_supplier: See ``MeterDetail``.
        critical_network_operator: See ``MeterDetail``.
        non_critical_network_operator: See ``MeterDetail``.
    """

    critical_supplier: CertificateId
    non_critical_supplier: CertificateId
    critical_network_operator: CertificateId
    non_critical_network_operator: CertificateId


@quick
@dataclass(frozen=True, slots=True)
class CommissioningDevice:
    """One device to commission.

    Attributes:
        device: Its EUI-64.
        device_type: Its type.
        model: Its Device Model, by the SMETS1 entry of the Central Products List.
        associated_with: The device it is associated with; None for a CHF.
        certificates: What to associate with a meter; None for other devices.
    """

    device: Eui64
    device_type: DeviceType
    model: DeviceModel
    associated_with: Eui64 | None = None
    certificates: AssociatedCertificates | None = None


@quick
@dataclass(frozen=True, slots=True)
class CommissioningInstallation:
    """One installation to commission.

    Attributes:
        ref: The Requesting Party's reference.
        s1sp: The S1SP that serves it.
        devices: Its devices, CHF first.
    """

    ref: str
    s1sp: Eui64
    devices: tuple[CommissioningDevice, ...]


@dataclass(frozen=True, slots=True)
class CommissioningFile:
    """Content of an S1SP Commissioning File.

    Attributes:
        installations: One row a viable installation.

    Source:
        invented (reference 4.4).
    """

    installations: tuple[CommissioningInstallation, ...]


_CERTIFICATES: Final = Record(AssociatedCertificates, CERTIFICATE_COLUMNS)
_DEVICE: Final = Record(
    CommissioningDevice,
    (
        attribute("DeviceID", "device", kinds.EUI64),
        attribute("DeviceType", "device_type", kinds.words(DeviceType)),
        Column("DeviceModel", "model", DEVICE_MODEL),
        optional("AssociatedWith", "associated_with", kinds.EUI64),
        optional("Certificates", "certificates", _CERTIFICATES),
    ),
)
_INSTALLATION: Final = Record(
    CommissioningInstallation,
    (
        attribute("InstallationRef", "ref", kinds.NAME),
        attribute("S1SPID", "s1sp", kinds.EUI64),
        many("Device", "devices", _DEVICE),
    ),
)
COMMISSIONING_FILE: Final = Record(
    CommissioningFile, (many("Installation", "installations", _INSTALLATION),)
)
