"""What suppliers and Network Operator gave for the files, right or wrong, as a row has it."""

from dataclasses import replace
from typing import Final

from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.formats.migration_files.common_file import CommonInstallation, MeterDetail
from harness.formats.migration_files.devices import NULL_CERTIFICATE_ID
from harness.formats.migration_files.parties import certificate_id
from harness.rules.migration_certificates import CertificateId
from harness.scenarios.migration.row import SupplierIds

_NULLS: Final = (NULL_CERTIFICATE_ID, NULL_CERTIFICATE_ID)


def given(
    part: CommonInstallation,
    which: SupplierIds | None,
    store: KeyStore,
    *,
    network_operator: bool,
) -> CommonInstallation:
    """Return an installation of an MCF with the Certificate IDs it was given.

    Args:
        part: The installation as the Requesting Party would write it.
        which: Certificate IDs of the suppliers; None: as they are.
        store: Certificates of suppliers.
        network_operator: Whether the Network Operator's were given.
    """
    esme = _meter(part.esme, which, store, is_first=True)
    gsme = None if part.gsme is None else _meter(part.gsme, which, store, is_first=False)
    if not network_operator:
        esme = _without_operator(esme)
        gsme = None if gsme is None else _without_operator(gsme)
    return replace(part, esme=esme, gsme=gsme)


def _without_operator(meter: MeterDetail) -> MeterDetail:
    return replace(
        meter,
        critical_network_operator=NULL_CERTIFICATE_ID,
        non_critical_network_operator=NULL_CERTIFICATE_ID,
    )


def _meter(
    meter: MeterDetail, which: SupplierIds | None, store: KeyStore, *, is_first: bool
) -> MeterDetail:
    if which is None:
        return meter
    own = (_own(store, meter.supplier, KeyUsage.DS), _own(store, meter.supplier, KeyUsage.KA))
    critical, other = {
        SupplierIds.OWN: own,
        SupplierIds.NULL: _NULLS,
        SupplierIds.ONE_OWN: (own[0], NULL_CERTIFICATE_ID) if is_first else _NULLS,
        SupplierIds.HALF: (CertificateId(own[0].serial, ""), own[1]),
    }[which]
    return replace(meter, critical_supplier=critical, non_critical_supplier=other)


def _own(store: KeyStore, supplier: Eui64, usage: KeyUsage) -> CertificateId:
    return certificate_id(store.find(supplier, usage))
