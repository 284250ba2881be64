"""What an authorisation says of one installation: the values its part of an MCF is made from."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from device_profiles.words import PaymentMode
from harness.rules.migration_certificates import CertificateId


@dataclass(frozen=True, slots=True)
class AuthorisedMeter:
    """One meter.

    Attributes:
        device_id: Its EUI-64, printed form.
        mpxn: MPAN of 13 digits or MPRN of 1 to 10.
        user_id: User ID of its supplier.
        critical_supplier: Notified Critical Supplier Certificate ID.
        non_critical_supplier: Notified Non-Critical Supplier Certificate ID.
        critical_network_operator: Notified Critical Network Operator Certificate ID.
        non_critical_network_operator: Notified Non-Critical Network Operator Certificate ID.
        payment_mode: Credit or Prepayment.
        cpl_entry: Its CPL entry; empty where the file does not say.
    """

    device_id: str
    mpxn: str
    user_id: str
    critical_supplier: CertificateId
    non_critical_supplier: CertificateId
    critical_network_operator: CertificateId
    non_critical_network_operator: CertificateId
    payment_mode: PaymentMode
    cpl_entry: str = ""


@dataclass(frozen=True, slots=True)
class AuthorisedInstallation:
    """One installation.

    Attributes:
        ref: What the supplier calls it.
        chf_device_id: EUI-64 of the hub, printed form.
        esme: The electricity meter.
        gsme: The gas meter, or None.
        earliest: First day of the migration window.
        latest: Last day of it.
        chf_cpl_entry: The hub's CPL entry; empty where the file does not say.
        ppmid_cpl_entries: CPL entries of its PPMIDs, likewise.
    """

    ref: str
    chf_device_id: str
    esme: AuthorisedMeter
    gsme: AuthorisedMeter | None
    earliest: date
    latest: date
    chf_cpl_entry: str = ""
    ppmid_cpl_entries: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        values = asdict(self)
        values["earliest"] = self.earliest.isoformat()
        values["latest"] = self.latest.isoformat()
        values["ppmid_cpl_entries"] = list(self.ppmid_cpl_entries)
        return values
