"""An authorisation read, line by line, into installations, and what had to be done for that."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from device_profiles.words import PaymentMode
from harness.formats.authorisation import csv_grid, workbook, xml_grid
from harness.formats.authorisation.cells import Cleaned, Cleaner, shown
from harness.formats.authorisation.columns import ColumnRow, Headings, Kind, Layout, Need
from harness.formats.authorisation.faults import too_large, unreadable
from harness.formats.authorisation.grid import (
    MAX_ROWS,
    FileKind,
    Grid,
    Line,
    Raw,
    Watch,
    address,
    is_empty,
    unwatched,
)
from harness.formats.authorisation.headings import find_headings
from harness.formats.authorisation.installation import AuthorisedInstallation, AuthorisedMeter
from harness.formats.authorisation.merges import MergedCells, told
from harness.formats.authorisation.read_rows import Authorisation, CellFinding, Row, Severity
from harness.formats.authorisation.shifts import Shift, find_shifts
from harness.rules.migration_certificates import CertificateId

#: Lines between two reports of how far the work is.
TOLD_EVERY: Final = 200
_MISSING: Final = "01"
_MERGED: Final = "09"
_SHIFTED: Final = "10"
_NO_GAS_METER: Final = "14"


def open_grids(path: Path) -> list[Grid]:
    """Open a file by the ending of its name.

    Raises:
        AuthorisationFileError: No kind of authorisation has that ending, or it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix in workbook.SUFFIXES:
        return workbook.open_workbook(path)
    if suffix in csv_grid.SUFFIXES:
        return csv_grid.open_csv(path)
    if suffix in xml_grid.SUFFIXES:
        return xml_grid.open_xml(path)
    known = ", ".join((*workbook.SUFFIXES, *csv_grid.SUFFIXES, *xml_grid.SUFFIXES))
    raise unreadable(f"a file's name ends in one of {known}", str(path))


def read(
    path: Path, layout: Layout, *, repairs: bool = True, watch: Watch = unwatched
) -> Authorisation:
    """Read an authorisation.

    Args:
        path: The file.
        layout: Columns, words and the user's map.
        repairs: Whether values are put into industry format; else they are taken as they are.
        watch: Told which line is read.

    Raises:
        AuthorisationFileError: The file as a whole cannot be used.
    """
    grids = open_grids(path)
    try:
        grid, headings = find_headings(grids, layout)
        reader = _Reader(layout, grid, headings, repairs=repairs)
        preamble, rows = _gone_through(grid, headings, reader, watch)
    finally:
        for one in grids:
            one.close()
    return Authorisation(path, grid, headings, tuple(preamble), tuple(rows))


def _gone_through(
    grid: Grid, headings: Headings, reader: "_Reader", watch: Watch
) -> tuple[list[Line], list[Row]]:
    preamble: list[Line] = []
    rows: list[Row] = []
    for line in grid.lines:
        if line.number % TOLD_EVERY == 0:
            watch("reading", line.number, grid.count)
        if line.number <= headings.line:
            preamble.append(line)
        elif (row := reader.row(line)) is not None:
            rows.append(row)
            if len(rows) > MAX_ROWS:
                raise too_large(f"more than {MAX_ROWS:,} installations")
    return preamble, rows


class _Reader:
    """Reads one line after the other."""

    def __init__(self, layout: Layout, grid: Grid, headings: Headings, *, repairs: bool) -> None:
        self._cleaner = Cleaner(layout, grid.serial_epoch, repairs=repairs)
        self._repairs = repairs and grid.kind is not FileKind.XML
        self._columns = dict(headings.read())
        width = max(self._columns, default=-1) + 1
        self._places: Sequence[ColumnRow | None] = [self._columns.get(i) for i in range(width)]
        self._headed = {heading.index for heading in headings.columns}
        self._merged = MergedCells(grid.merges, self._columns)
        constants = layout.column_map.constants
        self._constants = {
            name: self._cleaner.clean(layout.columns[name], text)
            for name, text in constants.items()
            if headings.index_of(name) is None
        }
        self._reads = [
            (index, column, self._cleaner.met(column.kind))
            for index, column in self._columns.items()
        ]
        self._columns_by_name = layout.columns
        there = [*(row.column for row in self._columns.values()), *self._constants]
        needs = {name: layout.columns[name].need for name in there}
        self._always = [name for name, need in needs.items() if need is Need.ALWAYS]
        self._with_gas = [name for name, need in needs.items() if need is Need.GAS]
        self._of_gas = [name for name, need in needs.items() if need.of_gas]
        self._certificates: dict[tuple[str, str], CertificateId] = {}

    def row(self, line: Line) -> Row | None:
        """Read one line; None for an empty one."""
        cells, findings = self._unmerged(line)
        if all(is_empty(cells[index]) for index in self._columns if index < len(cells)):
            return None
        row = self._read(line, cells, None, findings)
        beyond = [
            index
            for index, cell in enumerate(cells)
            if index not in self._headed and not is_empty(cell)
        ]
        if self._repairs and (row.installation is None or beyond):
            row = self._put_back(row, line, cells, findings)
        if beyond and row.shift is None:
            where, what = address(line.number, beyond[0]), shown(cells[beyond[0]])
            text = "a value under no heading: nothing reads it"
            note = CellFinding(where, "", Severity.NOTE, "", text, what)
            row = replace(row, findings=(*row.findings, note))
        return row

    def _unmerged(self, line: Line) -> tuple[tuple[Raw, ...], list[CellFinding]]:
        found = self._merged.of_line(line) if self._repairs else []
        if not found:
            return line.cells, []
        width = max(len(line.cells), len(self._places))
        cells = [line.at(index) for index in range(width)]
        findings = []
        for one in found:
            name = self._columns[one.index].column
            where = address(line.number, one.index)
            if one.refused:
                text = f"merged cells {one.merge}: {one.refused}"
                advice = "take the cells apart and give each its own value"
                findings.append(
                    CellFinding(where, name, Severity.REFUSED, _MERGED, text, suggestion=advice)
                )
            else:
                cells[one.index] = one.value
                result = shown(one.value)
                findings.append(
                    CellFinding(where, name, Severity.REPAIRED, _MERGED, told(one), "", result)
                )
        return tuple(cells), findings

    def _read(
        self,
        line: Line,
        cells: tuple[Raw, ...],
        shift: Shift | None,
        before: Sequence[CellFinding],
    ) -> Row:
        findings = list(before)
        values: dict[str, str] = {}
        width, clean = len(cells), self._cleaner.clean
        for index, column, known in self._reads:
            position = index if shift is None else shift.positions[index]
            raw = cells[position] if 0 <= position < width else None
            # Nearly every cell is a text that the cleaner has met: asked for without a call.
            cleaned = (known.get(raw) if type(raw) is str else None) or clean(column, raw)
            values[column.column] = cleaned.text
            if cleaned.refused or cleaned.done:
                where = address(line.number, position)
                findings.append(_finding(where, column.column, raw, cleaned))
        for name, cleaned in self._constants.items():
            values[name] = cleaned.text
            if cleaned.refused:
                findings.append(_finding("--map", name, None, cleaned))
        refused = {finding.column for finding in findings if finding.severity is Severity.REFUSED}
        if refused or not self._complete(values):
            for name, sub_code, text, advice in self._lacking(values, refused):
                where = self._where(line, name, shift)
                findings.append(
                    CellFinding(
                        where, name, Severity.REFUSED, sub_code, text, values[name], "", advice
                    )
                )
        sound = not any(finding.severity is Severity.REFUSED for finding in findings)
        built = _installation(values, self._identity) if sound else None
        return Row(line.number, line.cells, values, shift, tuple(findings), built)

    def _where(self, line: Line, name: str, shift: Shift | None) -> str:
        index = next((i for i, column in self._columns.items() if column.column == name), None)
        if index is None:
            return "--map"
        position = index if shift is None else shift.positions[index]
        return address(line.number, index if position < 0 else position)

    def _complete(self, values: Mapping[str, str]) -> bool:
        """Say whether `_lacking` has nothing to tell of a line of which nothing is refused."""
        if values.get("GSMEDeviceID"):
            return all(values[name] for name in self._always + self._with_gas)
        return all(values[name] for name in self._always) and not any(
            values[name] for name in self._of_gas
        )

    def _identity(self, serial: str, issuer: str) -> CertificateId:
        """Return a Certificate ID; the few that a file names are made once."""
        key = (serial, issuer)
        found = self._certificates.get(key)
        if found is None:
            found = self._certificates[key] = CertificateId(serial, issuer)
        return found

    def _lacking(
        self, values: Mapping[str, str], refused: set[str]
    ) -> Iterator[tuple[str, str, str, str]]:
        """Yield what is missing, and what is there without a gas meter."""
        has_gas = bool(values.get("GSMEDeviceID")) or "GSMEDeviceID" in refused
        for name, text in values.items():
            column = self._columns_by_name[name]
            if name in refused:
                continue
            needed = column.need is Need.ALWAYS or (column.need is Need.GAS and has_gas)
            if needed and not text:
                yield name, _MISSING, f"{column.says} is missing", f"give the {name}"
            null = column.kind is Kind.SERIAL and text == "0"
            if column.need.of_gas and not has_gas and text and not null:
                why = f"{column.says}, but there is no GSMEDeviceID"
                yield name, _NO_GAS_METER, why, "give the GSMEDeviceID, or empty the cell"

    def _put_back(
        self, row: Row, line: Line, cells: tuple[Raw, ...], before: Sequence[CellFinding]
    ) -> Row:
        """Return the line read with its cells put back, where one way alone fits."""

        def fits(column: ColumnRow, raw: Raw) -> bool:
            cleaned = self._cleaner.clean(column, raw)
            return not cleaned.refused and bool(cleaned.text or column.need is not Need.ALWAYS)

        def whole(shift: Shift) -> bool:
            row = self._read(line, cells, shift, before)
            return row.installation is not None and not _has_half(row.installation)

        shifts = find_shifts(cells, self._places, fits, whole)
        if not shifts or (row.installation is None and len(shifts) > 1):
            return row
        shift = shifts[0]
        if row.installation is not None:
            where = address(line.number, shift.first)
            text = "cells may have slipped: the line fits as it stands and moved as well"
            doubt = CellFinding(where, "", Severity.REFUSED, _SHIFTED, text)
            return replace(row, findings=(*row.findings, doubt), installation=None)
        row = self._read(line, cells, shift, before)
        way = "right" if shift.by > 0 else "left"
        text = f"from here on cells stand {abs(shift.by)} to the {way} of their columns: put back"
        column = self._places[shift.first]
        told_so = CellFinding(
            address(line.number, shift.first),
            "" if column is None else column.column,
            Severity.REPAIRED,
            _SHIFTED,
            text,
        )
        return replace(row, findings=(told_so, *row.findings))


def _finding(where: str, column: str, raw: Raw, cleaned: Cleaned) -> CellFinding:
    severity = Severity.REFUSED if cleaned.refused else Severity.REPAIRED
    text = cleaned.refused or cleaned.done
    return CellFinding(
        where,
        column,
        severity,
        cleaned.sub_code,
        text,
        shown(raw),
        cleaned.text,
        cleaned.suggestion,
    )


def _installation(
    values: Mapping[str, str], made: Callable[[str, str], CertificateId]
) -> AuthorisedInstallation:
    def identity(stem: str) -> CertificateId:
        return made(values.get(f"{stem}Serial", ""), values.get(f"{stem}Issuer", ""))

    def meter(role: str, fuel: str, mpxn: str, user_id: str) -> AuthorisedMeter:
        return AuthorisedMeter(
            device_id=values[f"{role}DeviceID"],
            mpxn=values[mpxn],
            user_id=values[user_id],
            critical_supplier=identity(f"{role}CriticalSupplierCert"),
            non_critical_supplier=identity(f"{role}NonCriticalSupplierCert"),
            critical_network_operator=identity(f"NetworkOperator{fuel}CriticalCert"),
            non_critical_network_operator=identity(f"NetworkOperator{fuel}NonCriticalCert"),
            payment_mode=PaymentMode(values[f"PaymentMode{role}"]),
            cpl_entry=values.get(f"{role}CplEntry", ""),
        )

    has_gas = bool(values.get("GSMEDeviceID"))
    ppmids = values.get("PPMIDCplEntry", "")
    return AuthorisedInstallation(
        ref=values["InstallationRef"],
        chf_device_id=values["CHFDeviceID"],
        esme=meter("ESME", "Elec", "MPAN", "EIS_UserID"),
        gsme=meter("GSME", "Gas", "MPRN", "GIS_UserID") if has_gas else None,
        earliest=date.fromisoformat(values["EarliestMigrationDate"]),
        latest=date.fromisoformat(values["LatestMigrationDate"]),
        chf_cpl_entry=values.get("CHFCplEntry", ""),
        ppmid_cpl_entries=tuple(part for part in ppmids.split(";") if part),
    )


def _has_half(installation: AuthorisedInstallation) -> bool:
    """Say whether a Certificate ID is not whole: a sign that the line is read wrongly."""
    meters = [installation.esme, *([installation.gsme] if installation.gsme else [])]
    return any(
        identity.is_half or identity.is_missing
        for meter in meters
        for identity in (
            meter.critical_supplier,
            meter.non_critical_supplier,
            meter.critical_network_operator,
            meter.non_critical_network_operator,
        )
    )
