"""Device Model Combinations: sets of SMETS1 device models that are tested together (F-060)."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Self, TypeVar

from pydantic import Field, model_validator

from device_profiles.column_map import ColumnMap, ListColumns, load_column_map
from device_profiles.cpl import Cpl
from device_profiles.files import SHIPPED, Folders
from device_profiles.list_faults import Problem, Scan
from device_profiles.list_files import scan as scan_list
from device_profiles.sections import MarkText, Section
from device_profiles.words import DeviceType, SmetsVersion

FILE_NAME: Final = "dmc.csv"
MAP_NAME: Final = "dmc_columns.toml"

CplEntryId = Annotated[str, Field(min_length=1, max_length=40)]
RowId = Annotated[str, Field(min_length=1, max_length=60)]
GroupId = Annotated[str, Field(pattern=r"^[0-9A-Z]{2}$")]


@dataclass(frozen=True, slots=True)
class Combination:
    """The device models of one installation, as identifiers of CPL entries.

    Attributes:
        chf: The hub.
        esme: The electricity meter.
        gsme: The gas meter, or None.
        ppmids: PPMIDs and IHDs that migrate with it, sorted.
    """

    chf: str
    esme: str
    gsme: str | None = None
    ppmids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "ppmids", tuple(sorted(self.ppmids)))

    def components(self) -> dict[str, str]:
        """Return what can differ between two combinations, by name."""
        return {
            "CHF": self.chf,
            "ESME": self.esme,
            "GSME": self.gsme or "none",
            "PPMID": ";".join(self.ppmids) or "none",
        }


class CombinationRow(Section):
    """What the rows of both lists share.

    Attributes:
        group_id: GroupID of the installations.
        chf: CPL entry of the hub.
        esme: CPL entry of the electricity meter.
        gsme: CPL entry of the gas meter, or None.
        ppmid: CPL entries of PPMIDs and IHDs.
        csp: The communications service provider, as the list writes it.
        notes: Free text.
        evidence: Where the row comes from.
    """

    group_id: GroupId
    chf: CplEntryId
    esme: CplEntryId
    gsme: CplEntryId | None = None
    ppmid: tuple[CplEntryId, ...] = ()
    csp: Annotated[str, Field(min_length=1, max_length=60)]
    notes: str = ""
    evidence: MarkText

    @property
    def combination(self) -> Combination:
        """The device models alone."""
        return Combination(self.chf, self.esme, self.gsme, self.ppmid)

    def devices(self) -> Iterable[tuple[DeviceType, str]]:
        """Yield type and CPL entry of every device."""
        yield DeviceType.CHF, self.chf
        yield DeviceType.ESME, self.esme
        if self.gsme is not None:
            yield DeviceType.GSME, self.gsme
        for entry in self.ppmid:
            yield DeviceType.PPMID, entry


class Dmc(CombinationRow):
    """One combination and how far its testing is.

    Attributes:
        dmc_id: Identifier of the row.
        mt_complete_on: Day on which SIT and MT were complete, or None.
        dmct_report_on: Day on which its DMCT EPCL Report was issued, or None.
        equivalent_of: The combination whose tests it relies on (substantive equivalence).
        uneconomic: Whether it was declared not economic to test.
    """

    dmc_id: RowId
    mt_complete_on: date | None = None
    dmct_report_on: date | None = None
    equivalent_of: RowId | None = None
    uneconomic: bool = False

    @model_validator(mode="after")
    def _does_not_rely_on_itself(self) -> Self:
        if self.equivalent_of == self.dmc_id:
            raise ValueError("a combination is no equivalent of itself")
        return self

    def mt_complete(self, day: date) -> bool:
        """Say whether SIT and MT of this very combination are complete on a day."""
        return self.mt_complete_on is not None and self.mt_complete_on <= day

    def dmct_report(self, day: date) -> bool:
        """Say whether its DMCT EPCL Report is issued on a day."""
        return self.dmct_report_on is not None and self.dmct_report_on <= day


#: The columns of our own file, in order.
COLUMNS: Final = (
    "dmc_id",
    *(name for name in CombinationRow.model_fields if name not in {"notes", "evidence"}),
    *(name for name in Dmc.model_fields if name not in {"dmc_id", *CombinationRow.model_fields}),
    "notes",
    "evidence",
)


LIST_COLUMNS: Final = ListColumns(
    COLUMNS,
    lists=frozenset({"ppmid"}),
    dates=frozenset({"mt_complete_on", "dmct_report_on"}),
)


class DmcList:
    """A list of combinations, each checked against the others and the CPL."""

    def __init__(self, entries: Iterable[Dmc], cpl: Cpl, file: str = FILE_NAME) -> None:
        rows = list(entries)
        self.file: Final = file
        for problem in problems(rows, cpl):
            raise problem.error(file)
        self.entries: Final[Mapping[str, Dmc]] = {row.dmc_id: row for row in rows}
        self._by_models = {(row.group_id, row.csp, row.combination): row for row in rows}

    def find(self, combination: Combination, *, group_id: str, csp: str) -> Dmc | None:
        """Return the row of a combination, or None."""
        return self._by_models.get((group_id, csp, combination))

    def relied_on(self, dmc: Dmc) -> Dmc | None:
        """Return the combination whose tests it relies on, or None."""
        return None if dmc.equivalent_of is None else self.entries[dmc.equivalent_of]


def load_dmcs(cpl: Cpl, overlays: Folders = ()) -> DmcList:
    """Load the list in force: the strongest overlay's own, else the shipped synthetic one.

    Raises:
        DataError: A file cannot be read, or a row is wrong.
    """
    path, column_map = list_in_force(FILE_NAME, MAP_NAME, LIST_COLUMNS, overlays)
    return load(path, cpl, column_map)


def scan(path: Path, cpl: Cpl, column_map: ColumnMap | None = None) -> Scan[Dmc]:
    """Read a list to its end: its rows, and everything wrong with them.

    Args:
        path: The file: one heading line, then one row a line.
        cpl: The Central Products List its rows refer to.
        column_map: Headings of a user's export, whose unmarked rows are marked ``user:``.

    Raises:
        DataError: The file cannot be read, or a column is missing or not known.
    """
    found = scan_list(path, Dmc, LIST_COLUMNS, column_map)
    for problem in problems(found.rows, cpl):
        found.blame(problem)
    return found


def load(path: Path, cpl: Cpl, column_map: ColumnMap | None = None) -> DmcList:
    """Load a list of combinations from a CSV file.

    Args:
        path: The file: UTF-8, comma separated, one heading line.
        cpl: The Central Products List its rows refer to.
        column_map: Headings of a user's export, whose unmarked rows are marked ``user:``.

    Raises:
        DataError: The file cannot be read, a column is missing or not known, a row is wrong.
    """
    found = scan(path, cpl, column_map)
    found.raise_first()
    return DmcList(found.rows, cpl, str(path))


def render(entries: Iterable[CombinationRow], columns: Iterable[str]) -> str:
    """Write rows of either list as a CSV file in our own columns."""
    names = list(columns)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for entry in entries:
        cells = entry.model_dump(mode="json")
        cells["ppmid"] = ";".join(entry.ppmid)
        if "uneconomic" in cells:
            cells["uneconomic"] = "yes" if cells["uneconomic"] else "no"
        writer.writerow(["" if cells[name] is None else cells[name] for name in names])
    return out.getvalue()


Row = TypeVar("Row", bound=CombinationRow)


def list_in_force(
    name: str, map_name: str, columns: ListColumns, overlays: Folders
) -> tuple[Path, ColumnMap | None]:
    """Return the file of a list, the strongest overlay's first, and its column map."""
    for folder in reversed(overlays):
        path = folder / "catalogues" / name
        if os.path.lexists(path):
            column_map = path.with_name(map_name)
            return path, load_column_map(
                column_map, columns.names
            ) if column_map.is_file() else ColumnMap()
    return SHIPPED / "catalogues" / name, None


def model_problems(number: int, row: CombinationRow, cpl: Cpl, key: str) -> Iterator[Problem]:
    """Yield each device of a row that is no SMETS1 entry of its type on the CPL.

    Args:
        number: Number of the row among the rows.
        row: The row.
        cpl: The Central Products List it refers to.
        key: Identifier of the row, for messages.
    """
    for device_type, entry_id in row.devices():
        column = device_type.value.lower()
        entry = cpl.entries.get(entry_id)
        if entry is None:
            why = f"{entry_id}: no such CPL entry in {cpl.file}"
            yield Problem(number, column, "dangling-reference", f"{key} {entry_id}", why)
            continue
        allowed = {device_type}
        if device_type is DeviceType.PPMID:
            allowed = {DeviceType.PPMID, DeviceType.IHD}
        if entry.device_type not in allowed or entry.smets is not SmetsVersion.SMETS1:
            why = f"{entry_id} is a {entry.smets} {entry.device_type}, not a SMETS1 {device_type}"
            yield Problem(number, column, "inconsistent", key, why)


def repeated(
    rows: Sequence[Row], identity: Callable[[Row], tuple[object, ...]], column: str
) -> Iterator[Problem]:
    """Yield each row of an identity that an earlier one has.

    Args:
        rows: The rows.
        identity: What no two rows may share.
        column: The column to blame.
    """
    seen: dict[tuple[object, ...], int] = {}
    for number, row in enumerate(rows):
        key = identity(row)
        first = seen.setdefault(key, number)
        if first != number:
            why = "this row stands twice"
            yield Problem(number, column, "duplicate-entry", str(key), why, first)


def problems(rows: Sequence[Dmc], cpl: Cpl) -> Iterator[Problem]:
    """Yield every row that does not go with the others or the CPL."""
    known = {row.dmc_id for row in rows}
    yield from repeated(rows, lambda row: (row.dmc_id,), "dmc_id")
    yield from repeated(rows, lambda row: (row.group_id, row.csp, row.combination), "esme")
    for number, row in enumerate(rows):
        yield from model_problems(number, row, cpl, row.dmc_id)
        if row.equivalent_of is not None and row.equivalent_of not in known:
            why = f"{row.equivalent_of}: no such combination"
            key = f"{row.dmc_id} equivalent_of"
            yield Problem(number, "equivalent_of", "dangling-reference", key, why)
