"""Authorisations made from installations: what a supplier's own system would write (R-020)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from device_profiles.installation import Installation, InstalledDevice
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.formats.authorisation.columns import Layout
from harness.formats.authorisation.grid import FileKind
from harness.formats.authorisation.writing import EVIDENCE, csv_of, workbook_of
from harness.formats.migration_files.parties import certificate_id
from harness.rules.migration_certificates import NULL_CERTIFICATE_ID, CertificateId

SHEET: Final = "Authorisation"
_FUELS: Final = {DeviceType.ESME: "Elec", DeviceType.GSME: "Gas"}
_USAGES: Final = {"Critical": KeyUsage.DS, "NonCritical": KeyUsage.KA}


@dataclass(frozen=True, slots=True)
class Maker:
    """Writes the line of an installation.

    Supplier Certificate IDs are Null where two suppliers serve one home: split supply migrates with
    Null ones only (S000 §5), and every cohort takes them.

    Attributes:
        keys: Certificates of suppliers and network operator.
        operator: The network operator of all meters.
    """

    keys: KeyStore = field(repr=False)
    operator: Eui64

    def line(self, home: Installation, window: tuple[date, date]) -> dict[str, str]:
        """Return our columns of one installation, in industry format.

        Args:
            home: The installation.
            window: First and last day on which it may migrate.

        Raises:
            ValueError: It has no ESME, or no hub.
        """
        if not home.of(DeviceType.ESME):
            raise ValueError(f"{home.ref} has no ESME: no supplier authorises it")
        hub, esme = home.of(DeviceType.CHF)[0], home.of(DeviceType.ESME)[0]
        meters = (esme, *home.of(DeviceType.GSME))
        values = {
            "InstallationRef": home.ref,
            "CHFDeviceID": hub.eui64,
            "ESMEDeviceID": esme.eui64,
            "MPAN": esme.mpxn or "",
            "EIS_UserID": esme.supplier,
            "EarliestMigrationDate": window[0].isoformat(),
            "LatestMigrationDate": window[1].isoformat(),
            "CHFCplEntry": hub.cpl_entry or "",
            "PPMIDCplEntry": ";".join(
                one.cpl_entry for one in home.of(DeviceType.PPMID) if one.cpl_entry
            ),
        }
        for gas in home.of(DeviceType.GSME):
            values |= {
                "GSMEDeviceID": gas.eui64,
                "MPRN": gas.mpxn or "",
                "GIS_UserID": gas.supplier,
            }
        split = len({one.supplier for one in meters}) > 1
        for meter in meters:
            values |= self._of_meter(meter, null=split)
        return values

    def own_certificates(self, home: Installation) -> dict[str, str]:
        """Return the columns of supplier Certificate IDs with each supplier's own, never Null."""
        found: dict[str, str] = {}
        for role in _FUELS:
            for meter in home.of(role):
                found |= self._suppliers(meter, null=False)
        return found

    def _of_meter(self, meter: InstalledDevice, *, null: bool) -> dict[str, str]:
        role, fuel = meter.role, _FUELS[meter.role]
        found = self._suppliers(meter, null=null)
        for name, usage in _USAGES.items():
            found |= _columns(f"NetworkOperator{fuel}{name}Cert", self._id(self.operator, usage))
        found[f"PaymentMode{role}"] = "" if meter.payment_mode is None else meter.payment_mode.value
        found[f"{role}CplEntry"] = meter.cpl_entry or ""
        return found

    def _suppliers(self, meter: InstalledDevice, *, null: bool) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, usage in _USAGES.items():
            party = Eui64.parse(meter.supplier)
            own = NULL_CERTIFICATE_ID if null else self._id(party, usage)
            found |= _columns(f"{meter.role}{name}SupplierCert", own)
        return found

    def _id(self, party: Eui64, usage: KeyUsage) -> CertificateId:
        return certificate_id(self.keys.find(party, usage))


def render(lines: Iterable[Mapping[str, str]], layout: Layout, kind: FileKind) -> bytes:
    """Write an authorisation with the columns in force; the same lines give the same octets.

    Args:
        lines: Our columns of each installation.
        layout: The columns.
        kind: Workbook or CSV.

    Raises:
        ValueError: XML is made by the project's own transformation only.
    """
    if kind is FileKind.XML:
        raise ValueError("suppliers write workbooks and CSV")
    cells = _cells(lines, layout)
    return workbook_of(cells, SHEET) if kind is FileKind.WORKBOOK else csv_of(cells).encode()


def _cells(lines: Iterable[Mapping[str, str]], layout: Layout) -> list[Sequence[str]]:
    names = list(layout.columns)
    headings = layout.column_map.headings
    mark = layout.column_map.mark
    rows: list[Sequence[str]] = [[headings.get(name, name) for name in names]]
    rows += [[mark if name == EVIDENCE else line.get(name, "") for name in names] for line in lines]
    return rows


def _columns(stem: str, identity: CertificateId) -> dict[str, str]:
    return {f"{stem}Serial": identity.serial, f"{stem}Issuer": identity.issuer}
