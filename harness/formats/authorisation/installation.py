"""What an authorisation says of one installation: the values its part of an MCF is made from."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from device_profiles.words import PaymentMode
from emulator.core.values import quick
from harness.rules.migration_certificates import CertificateId


@quick
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

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values; a Certificate ID as serial and issuer."""
        return {
            name: {"serial": value.serial, "issuer": value.issuer}
            if isinstance(value := getattr(self, name), CertificateId)
            else str(value)
            for name in self.__slots__
        }


@quick
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
        return {
            "ref": self.ref,
            "chf_device_id": self.chf_device_id,
            "esme": self.esme.as_json(),
            "gsme": None if self.gsme is None else self.gsme.as_json(),
            "earliest": self.earliest.isoformat(),
            "latest": self.latest.isoformat(),
            "chf_cpl_entry": self.chf_cpl_entry,
            "ppmid_cpl_entries": list(self.ppmid_cpl_entries),
        }
