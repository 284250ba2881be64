"""What suppliers and Network Operator gave for the files, right or wrong, as a row has it."""

from dataclasses import replace
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.formats.migration_files.common_file import CommonInstallation, MeterDetail
from harness.formats.migration_files.devices import NULL_CERTIFICATE_ID
from harness.formats.migration_files.parties import certificate_id
from harness.new_installations import GIS
from harness.rules.migration_certificates import CertificateId
from harness.scenarios.migration.row import SupplierIds

_NULLS: Final = (NULL_CERTIFICATE_ID, NULL_CERTIFICATE_ID)


def given(
    part: CommonInstallation,
    which: SupplierIds | None,
    store: KeyStore,
    *,
    without_operator: frozenset[DeviceType],
) -> CommonInstallation:
    """Return an installation of an MCF with the Certificate IDs it was given.

    Args:
        part: The installation as the Requesting Party would write it.
        which: Certificate IDs of the suppliers; None: as they are.
        store: Certificates of suppliers.
        without_operator: Meters for which the Network Operator's were not given.
    """
    esme = _meter(part.esme, which, store, is_first=True)
    gsme = None if part.gsme is None else _meter(part.gsme, which, store, is_first=False)
    if DeviceType.ESME in without_operator:
        esme = _without_operator(esme)
    if DeviceType.GSME in without_operator and gsme is not None:
        gsme = _without_operator(gsme)
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
        SupplierIds.ANOTHERS: (
            _own(store, Eui64.parse(GIS), KeyUsage.DS),
            _own(store, Eui64.parse(GIS), KeyUsage.KA),
        ),
        SupplierIds.HALF: (CertificateId(own[0].serial, ""), own[1]),
    }[which]
    return replace(meter, critical_supplier=critical, non_critical_supplier=other)


def _own(store: KeyStore, supplier: Eui64, usage: KeyUsage) -> CertificateId:
    return certificate_id(store.find(supplier, usage))
