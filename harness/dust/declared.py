"""What a supplier declared of a home's meters, as the Migration Common File takes it over."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from device_profiles.words import PaymentMode
from harness.formats.authorisation.installation import AuthorisedInstallation, AuthorisedMeter
from harness.formats.migration_files.common_file import CommonInstallation, MeterDetail
from harness.rules.migration_certificates import CertificateId

#: Meter (``esme``, ``gsme``) -> name -> value.
Meters = Mapping[str, Mapping[str, str]]

_IDS: Final = (
    "critical_supplier",
    "non_critical_supplier",
    "critical_network_operator",
    "non_critical_network_operator",
)
_MODE: Final = "payment_mode"


def meters_of(authorised: AuthorisedInstallation) -> dict[str, dict[str, str]]:
    """Return what an authorised line says of its meters, as JSON values."""
    found = {"esme": authorised.esme, "gsme": authorised.gsme}
    return {name: _told(meter) for name, meter in found.items() if meter is not None}


def _told(meter: AuthorisedMeter) -> dict[str, str]:
    told = {_MODE: meter.payment_mode.value}
    for name in _IDS:
        identity: CertificateId = getattr(meter, name)
        told |= {f"{name} serial": identity.serial, f"{name} issuer": identity.issuer}
    return told


def declared(part: CommonInstallation, meters: Meters) -> CommonInstallation:
    """Return a home's part of the MCF with the Certificate IDs and modes that were authorised."""
    found = part
    if "esme" in meters:
        found = replace(found, esme=_meter(found.esme, meters["esme"]))
    if "gsme" in meters and found.gsme is not None:
        found = replace(found, gsme=_meter(found.gsme, meters["gsme"]))
    return found


def _meter(meter: MeterDetail, told: Mapping[str, str]) -> MeterDetail:
    ids: dict[str, Any] = {}
    for name in _IDS:
        ids[name] = CertificateId(told[f"{name} serial"], told[f"{name} issuer"])
    return replace(meter, payment_mode=PaymentMode(told[_MODE]), **ids)
