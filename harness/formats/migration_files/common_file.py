"""The Migration Common File: which installations are to be migrated."""

from dataclasses import dataclass
from typing import Final

from device_profiles.words import CspRegion, InstallationClass, PaymentMode
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.migration_files import kinds
from harness.formats.migration_files.devices import (
    CERTIFICATE_COLUMNS,
    DEVICE_MODEL,
    CertificateId,
    DeviceModel,
)
from harness.formats.migration_files.words import MeterStatus
from harness.formats.migration_files.xml_table import (
    Column,
    Record,
    attribute,
    many,
    optional,
)


@quick
@dataclass(frozen=True, slots=True)
class HubDetail:
    """The CHF of an installation.

    Attributes:
        device: Its EUI-64.
        model: Its Device Model.
        csp: Communications service provider region.
    """

    device: Eui64
    model: DeviceModel
    csp: CspRegion


@quick
@dataclass(frozen=True, slots=True)
class MeterDetail:
    """An ESME or a GSME of an installation.

    Attributes:
        device: Its EUI-64.
        model: Its Device Model.
        mpxn: MPAN (13 digits) of an ESME, MPRN (1 to 10) of a GSME.
        supplier: User ID of the import supplier (EIS or GIS).
        critical_supplier: Notified Critical Supplier Certificate ID.
        non_critical_supplier: Notified Non-Critical Supplier Certificate ID.
        critical_network_operator: Notified Critical Network Operator Certificate ID.
        non_critical_network_operator: Notified Non-Critical Network Operator Certificate ID.
        payment_mode: Credit or prepayment.
        status: Active or dormant.
    """

    device: Eui64
    model: DeviceModel
    mpxn: str
    supplier: Eui64
    critical_supplier: CertificateId
    non_critical_supplier: CertificateId
    critical_network_operator: CertificateId
    non_critical_network_operator: CertificateId
    payment_mode: PaymentMode
    status: MeterStatus

    @property
    def supplier_certificates(self) -> tuple[CertificateId, CertificateId]:
        """The Supplier Certificate IDs, critical first: what 5.9.10 looks at."""
        return self.critical_supplier, self.non_critical_supplier


@quick
@dataclass(frozen=True, slots=True)
class PpmidDetail:
    """A PPMID of an installation.

    Attributes:
        device: Its EUI-64.
        model: Its Device Model.
    """

    device: Eui64
    model: DeviceModel


@dataclass(frozen=True, slots=True)
class ExcludedGsme:
    """A GSME that stays behind while its installation is migrated.

    Attributes:
        device: Its EUI-64.
        reason: Why, e.g. GT01.
    """

    device: Eui64
    reason: str


@quick
@dataclass(frozen=True, slots=True)
class CommonInstallation:
    """One installation of a Migration Common File.

    Attributes:
        ref: What the Requesting Party calls it; once in a file.
        installation_class: Active, Dormant or Mixed.
        hub: Its CHF.
        esme: Its electricity meter.
        gsme: Its gas meter; None where there is none to migrate (R-048).
        excluded_gsme: A gas meter that is left behind; None where there is none.
        ppmids: Its PPMIDs.

    Source:
        invented (reference 4.4); that GSMEDetail is optional: S000 §4. The excluded GSME: invented.
    """

    ref: str
    installation_class: InstallationClass
    hub: HubDetail
    esme: MeterDetail
    gsme: MeterDetail | None = None
    excluded_gsme: ExcludedGsme | None = None
    ppmids: tuple[PpmidDetail, ...] = ()

    @property
    def meters(self) -> tuple[MeterDetail, ...]:
        """The meters to migrate, electricity first."""
        return (self.esme,) if self.gsme is None else (self.esme, self.gsme)

    @property
    def devices(self) -> tuple[Eui64, ...]:
        """Every device to migrate: CHF, meters, PPMIDs."""
        meters = (meter.device for meter in self.meters)
        return (self.hub.device, *meters, *(ppmid.device for ppmid in self.ppmids))


@dataclass(frozen=True, slots=True)
class CommonFile:
    """Content of a Migration Common File.

    Attributes:
        installations: The installations, one or more.
    """

    installations: tuple[CommonInstallation, ...]


_DEVICE: Final = Column("DeviceID", "device", kinds.EUI64)
_MODEL: Final = Column("DeviceModel", "model", DEVICE_MODEL)


def _meter(mpxn: str, kind: kinds.Kind, supplier: str) -> Record:
    return Record(
        MeterDetail,
        (
            _DEVICE,
            _MODEL,
            Column(mpxn, "mpxn", kind),
            Column(supplier, "supplier", kinds.EUI64),
            *CERTIFICATE_COLUMNS,
            Column("PaymentMode", "payment_mode", kinds.words(PaymentMode)),
            Column("Status", "status", kinds.words(MeterStatus)),
        ),
    )


_HUB: Final = Record(
    HubDetail,
    (_DEVICE, _MODEL, Column("CommunicationsServiceProvider", "csp", kinds.words(CspRegion))),
)
_EXCLUDED: Final = Record(ExcludedGsme, (_DEVICE, Column("Reason", "reason", kinds.CODE)))
_INSTALLATION: Final = Record(
    CommonInstallation,
    (
        attribute("InstallationRef", "ref", kinds.NAME),
        attribute("InstallationClass", "installation_class", kinds.words(InstallationClass)),
        Column("CHFDetail", "hub", _HUB),
        Column("ESMEDetail", "esme", _meter("MPAN", kinds.MPAN, "EISUserID")),
        optional("GSMEDetail", "gsme", _meter("MPRN", kinds.MPRN, "GISUserID")),
        optional("ExcludedGSME", "excluded_gsme", _EXCLUDED),
        many("PPMIDDetail", "ppmids", Record(PpmidDetail, (_DEVICE, _MODEL))),
    ),
)
COMMON_FILE: Final = Record(CommonFile, (many("Installation", "installations", _INSTALLATION),))
