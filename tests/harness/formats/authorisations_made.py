"""Authorisations made up for tests: every number is one that cannot be live."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from device_profiles.words import RemoteParty
from harness.formats.authorisation.columns import load_layout
from harness.new_installations import mpan_check_digit
from harness.rules.migration_certificates import (
    CertificateId,
    RegisteredCertificate,
)

EIS = "02-53-42-00-00-01-00-00"
GIS = "02-53-42-00-00-03-00-00"
EIS_ISSUER = "Made-up Supplier CA"
GIS_ISSUER = "Made-up Gas Supplier CA"
NO_ISSUER = "Made-up Network CA"
COLUMNS = [
    name for name, row in load_layout().columns.items() if row.need not in {"extra", "gas-extra"}
]
CPL = {
    "CHFCplEntry": "SYN-DEMO-S1-CHF-10000001",
    "ESMECplEntry": "SYN-DEMO-S1-ESME-10000001",
    "GSMECplEntry": "SYN-DEMO-S1-GSME-10000001",
    "PPMIDCplEntry": "SYN-DEMO-S1-PPMID-10000001",
}


def mpan(number: int) -> str:
    core = f"99{number:010d}"
    return core + str(mpan_check_digit(core))


def eui64(kind: int, number: int) -> str:
    return (bytes((0x02, 0x53, kind)) + number.to_bytes(5, "big")).hex("-").upper()


def _certificates(values: dict[str, str], stem: str, serial: str, issuer: str) -> None:
    values[f"{stem}Serial"], values[f"{stem}Issuer"] = serial, issuer


def installation(number: int = 1, *, gas: bool = True, **changes: Any) -> dict[str, Any]:
    """One installation that every rule accepts for cohort EA on 1 March 2021."""
    values: dict[str, Any] = {
        "InstallationRef": f"REF-{number:06d}",
        "CHFDeviceID": eui64(2, number),
        "ESMEDeviceID": eui64(1, number),
        "MPAN": mpan(number),
        "EIS_UserID": EIS,
        "EarliestMigrationDate": "2021-03-01",
        "LatestMigrationDate": "2021-03-31",
        "PaymentModeESME": "Credit",
    }
    for stem in ("ESMECriticalSupplierCert", "ESMENonCriticalSupplierCert"):
        _certificates(values, stem, "1001" if "Non" not in stem else "1002", EIS_ISSUER)
    for stem in ("NetworkOperatorElecCriticalCert", "NetworkOperatorElecNonCriticalCert"):
        _certificates(values, stem, "2001" if "Non" not in stem else "2002", NO_ISSUER)
    if gas:
        values |= {
            "GSMEDeviceID": eui64(0x10, number),
            "MPRN": f"99{number:08d}",
            "GIS_UserID": EIS,
            "PaymentModeGSME": "Prepayment",
        }
        for stem in ("GSMECriticalSupplierCert", "GSMENonCriticalSupplierCert"):
            _certificates(values, stem, "1001" if "Non" not in stem else "1002", EIS_ISSUER)
        for stem in ("NetworkOperatorGasCriticalCert", "NetworkOperatorGasNonCriticalCert"):
            _certificates(values, stem, "3001" if "Non" not in stem else "3002", NO_ISSUER)
    return values | changes


def null_ids(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same with Null supplier Certificate IDs."""
    found = dict(values)
    for name in values:
        if "SupplierCertSerial" in name:
            found[name] = "0"
        elif "SupplierCertIssuer" in name:
            found[name] = ""
    return found


def split(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A split-supply installation with Null Certificate IDs."""
    return null_ids(installation(number, GIS_UserID=GIS)) | changes


def register_certificates() -> list[RegisteredCertificate]:
    """Every certificate that :func:`installation` names."""
    found = [
        RegisteredCertificate(CertificateId(s, EIS_ISSUER), RemoteParty.SUPPLIER, EIS)
        for s in ("1001", "1002")
    ]
    found += [
        RegisteredCertificate(CertificateId(s, GIS_ISSUER), RemoteParty.SUPPLIER, GIS)
        for s in ("4001", "4002")
    ]
    found += [
        RegisteredCertificate(CertificateId(s, NO_ISSUER), RemoteParty.NETWORK_OPERATOR, "")
        for s in ("2001", "2002", "3001", "3002")
    ]
    return found


def lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = COLUMNS) -> list[list[Any]]:
    """Headings and installations as lines of cells."""
    return [list(columns), *([row.get(name) for name in columns] for row in rows)]


def write_workbook(
    path: Path,
    table: Iterable[Sequence[Any]],
    *,
    merged: Iterable[str] = (),
    sheet: str = "Authorisation",
    others: Iterable[str] = (),
) -> Path:
    """Write a workbook with one sheet of cells, and empty ones."""
    workbook = Workbook()
    page = workbook.active
    assert page is not None
    page.title = sheet
    for row in table:
        page.append(list(row))
    for area in merged:
        page.merge_cells(area)
    for name in others:
        workbook.create_sheet(name)
    workbook.save(path)
    return path


def write_csv(path: Path, table: Iterable[Sequence[Any]], separator: str = ",") -> Path:
    """Write a CSV file."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerows(["" if cell is None else cell for cell in row] for row in table)
    path.write_bytes(out.getvalue().encode())
    return path
