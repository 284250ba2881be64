"""Device Model Combinations: sets of SMETS1 device models that are tested together (F-060)."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from device_profiles.cpl import ColumnMap, Cpl
from device_profiles.errors import (
    DanglingReferenceError,
    DuplicateEntryError,
    InconsistentDataError,
    InvalidValueError,
    UnmarkedValueError,
)
from device_profiles.evidence import Mark
from device_profiles.files import (
    SHIPPED,
    Folders,
    digest_of,
    read_csv,
    read_text,
    read_toml,
    refuse,
    unknown_keys,
)
from device_profiles.sections import Section
from device_profiles.words import DeviceType, SmetsVersion

FILE_NAME: Final = "dmc.csv"
MAP_NAME: Final = "dmc_columns.toml"
#: A cell that means "none".
NOT_APPLICABLE: Final = "N/A"

#: Columns of either list that hold days.
_DATES: Final = frozenset({"mt_complete_on", "dmct_report_on", "added_on", "removed_on"})

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
    evidence: str

    @field_validator("evidence")
    @classmethod
    def _is_a_mark(cls, text: str) -> str:
        return str(Mark.parse(text))

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


class DmcList:
    """A list of combinations, each checked against the others and the CPL."""

    def __init__(self, entries: Iterable[Dmc], cpl: Cpl, file: str = FILE_NAME) -> None:
        rows = list(entries)
        self.file: Final = file
        self.entries: Final[Mapping[str, Dmc]] = {row.dmc_id: row for row in rows}
        refuse_twice(rows, lambda row: (row.dmc_id,), file)
        refuse_twice(rows, lambda row: (row.group_id, row.csp, row.combination), file)
        for row in rows:
            check_models(row, cpl, file, row.dmc_id)
            if row.equivalent_of is not None and row.equivalent_of not in self.entries:
                raise DanglingReferenceError(
                    "no such combination", file=file, key=f"{row.dmc_id} equivalent_of"
                )
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
    path, column_map = list_in_force(FILE_NAME, MAP_NAME, COLUMNS, overlays)
    return load(path, cpl, column_map)


def load(path: Path, cpl: Cpl, column_map: ColumnMap | None = None) -> DmcList:
    """Load a list of combinations from a CSV file.

    Args:
        path: The file: UTF-8, comma separated, one heading line.
        cpl: The Central Products List its rows refer to.
        column_map: Headings of a user's export, whose unmarked rows are marked ``user:``.

    Raises:
        DataError: The file cannot be read, a column is missing or not known, a row is wrong.
    """
    return DmcList(read_list(path, Dmc, COLUMNS, column_map), cpl, str(path))


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
    name: str, map_name: str, columns: Iterable[str], overlays: Folders
) -> tuple[Path, ColumnMap | None]:
    """Return the file of a list, the strongest overlay's first, and its column map."""
    for folder in reversed(overlays):
        path = folder / "catalogues" / name
        if os.path.lexists(path):
            column_map = path.with_name(map_name)
            return path, load_map(column_map, columns) if column_map.is_file() else ColumnMap()
    return SHIPPED / "catalogues" / name, None


def load_map(path: Path, columns: Iterable[str]) -> ColumnMap:
    """Read a column map: tables ``[columns]``, ``[constants]`` and ``[formats]``.

    Raises:
        DataError: It cannot be read, or names a column that the list does not have.
    """
    known = tuple(columns)
    table = read_toml(path, is_overlay=True).table
    unknown_keys(table, ("columns", "constants", "formats"), path)
    for name in ("columns", "constants", "formats"):
        if not isinstance(table.get(name, {}), dict):
            raise InvalidValueError("must be a table", file=path, key=name)
    for name in ("columns", "constants"):
        unknown_keys(table.get(name, {}), known, path, name)
    formats = table.get("formats", {})
    unknown_keys(formats, ("date", "list_separator"), path, "formats")
    if formats.get("list_separator") == "":
        raise InvalidValueError("must not be empty", file=path, key="formats.list_separator")
    return ColumnMap(
        columns={key: str(value) for key, value in table.get("columns", {}).items()},
        constants={key: str(value) for key, value in table.get("constants", {}).items()},
        date_format=str(formats.get("date", "%Y-%m-%d")),
        list_separator=str(formats.get("list_separator", ";")),
    )


def read_list(
    path: Path, row: type[Row], columns: Iterable[str], column_map: ColumnMap | None
) -> list[Row]:
    """Read the rows of either list.

    Raises:
        DataError: The file cannot be read, a column is missing or not known, a row is wrong.
    """
    known = tuple(columns)
    headings, raw = read_csv(path)
    _check_headings(headings, row, known, column_map, path)
    mark = f"user:{digest_of(read_text(path).encode())}" if column_map is not None else ""
    used = column_map or ColumnMap()
    found = []
    for line, cells in enumerate(raw, start=2):
        content = _content(cells, known, used, path, line)
        content["evidence"] = content.get("evidence") or mark
        if not content["evidence"]:
            raise UnmarkedValueError(
                "the row carries no evidence mark", file=path, key=f"line {line}"
            )
        try:
            found.append(row.model_validate(content))
        except ValidationError as error:
            raise refuse(error, path, f"line {line}") from error
    return found


def check_models(row: CombinationRow, cpl: Cpl, file: str, where: str) -> None:
    """Check that every device is a SMETS1 entry of its type on the CPL.

    Raises:
        DanglingReferenceError: An entry is not there.
        InconsistentDataError: It is of another type or generation.
    """
    for device_type, entry_id in row.devices():
        entry = cpl.entries.get(entry_id)
        if entry is None:
            raise DanglingReferenceError(
                f"no such CPL entry in {cpl.file}", file=file, key=f"{where} {entry_id}"
            )
        allowed = {device_type}
        if device_type is DeviceType.PPMID:
            allowed = {DeviceType.PPMID, DeviceType.IHD}
        if entry.device_type not in allowed or entry.smets is not SmetsVersion.SMETS1:
            raise InconsistentDataError(
                f"{entry_id} is a {entry.smets} {entry.device_type}, not a SMETS1 {device_type}",
                file=file,
                key=where,
            )


def refuse_twice(rows: Iterable[Row], identity: Callable[[Row], object], file: str) -> None:
    """Refuse two rows of one identity.

    Raises:
        DuplicateEntryError: There are two.
    """
    seen: set[object] = set()
    for row in rows:
        key = identity(row)
        if key in seen:
            raise DuplicateEntryError("this row stands twice", file=file, key=str(key))
        seen.add(key)


def _check_headings(
    headings: list[str],
    row: type[BaseModel],
    known: tuple[str, ...],
    column_map: ColumnMap | None,
    path: Path,
) -> None:
    for heading in headings:
        if headings.count(heading) > 1:
            raise InvalidValueError("this column stands twice", file=path, key=f"column {heading}")
    if column_map is None:
        unknown_keys(headings, known, path, "column")
    used = column_map or ColumnMap()
    for name, info in row.model_fields.items():
        heading = used.columns.get(name, name)
        free = name in used.constants or (name == "evidence" and column_map is not None)
        if info.is_required() and heading not in headings and not free:
            raise InvalidValueError(
                "this column is missing (a column map beside the file maps other headings)",
                file=path,
                key=f"column {heading}",
            )


def _content(
    row: Mapping[str | Any, Any], known: tuple[str, ...], used: ColumnMap, path: Path, line: int
) -> dict[str, Any]:
    if None in row or None in row.values():
        raise InvalidValueError("more or fewer cells than headings", file=path, key=f"line {line}")
    cells = {name: str(row.get(used.columns.get(name, name), "")).strip() for name in known}
    cells = {name: cells[name] or used.constants.get(name, "") for name in known}
    content: dict[str, Any] = {
        name: text for name, text in cells.items() if text and text != NOT_APPLICABLE
    }
    if "ppmid" in content:
        parts = content["ppmid"].split(used.list_separator)
        content["ppmid"] = tuple(part.strip() for part in parts if part.strip())
    for name in sorted(_DATES & set(content)):
        content[name] = _iso_date(content[name], used.date_format, path, f"line {line} {name}")
    return content


def _iso_date(text: str, date_format: str, path: Path, where: str) -> str:
    try:
        # A calendar day has no zone.
        return datetime.strptime(text, date_format).date().isoformat()  # noqa: DTZ007 - see above
    except ValueError:
        raise InvalidValueError(
            f"not a date of the form {date_format}: {text!r}", file=path, key=where
        ) from None
