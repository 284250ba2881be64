"""The Central Products List: a CSV file of ours, or a user's export through a column map."""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from device_profiles.column_map import ColumnMap, ListColumns, load_column_map
from device_profiles.cpl_entry import CplEntry
from device_profiles.cpl_rules import Cpl, Finding, Resolution, problems
from device_profiles.files import SHIPPED, Folders, once
from device_profiles.list_faults import Scan
from device_profiles.list_files import NOT_APPLICABLE
from device_profiles.list_files import scan as scan_list

__all__ = [
    "COLUMNS",
    "ColumnMap",
    "Cpl",
    "CplEntry",
    "Finding",
    "Resolution",
    "load",
    "load_cpl",
    "load_map",
    "render",
    "scan",
]

#: The columns of our own file, in order (firmware.md 6.2, and ``evidence``).
COLUMNS: Final = tuple(CplEntry.model_fields)
LIST_COLUMNS: Final = ListColumns(
    COLUMNS,
    lists=frozenset({"upgrade_from"}),
    dates=frozenset({"effective_from", "effective_to"}),
    hexes={
        "manufacturer_id": 4,
        "model_id": 4,
        "hardware_version": 4,
        "firmware_version": 8,
        "manufacturer_image_hash": 64,
    },
)
FILE_NAME: Final = "cpl.csv"
MAP_NAME: Final = "cpl_columns.toml"


def load_cpl(overlays: Folders = ()) -> Cpl:
    """Load the list in force: the strongest overlay's own, else the shipped synthetic one.

    An overlay's list replaces the shipped one; a ``cpl_columns.toml`` beside it is its column map.

    Raises:
        DataError: A file cannot be read, or a row is wrong.
    """
    return once(("cpl", tuple(overlays)), lambda: _load_strongest(overlays))


def _load_strongest(overlays: Folders) -> Cpl:
    for folder in reversed(overlays):
        path = folder / "catalogues" / FILE_NAME
        if os.path.lexists(path):
            column_map = path.with_name(MAP_NAME)
            return load(path, load_map(column_map) if column_map.is_file() else ColumnMap())
    return load(SHIPPED / "catalogues" / FILE_NAME)


def load_map(path: Path) -> ColumnMap:
    """Read a column map: tables ``[columns]``, ``[constants]``, ``[words.COLUMN]``, ``[formats]``.

    Raises:
        DataError: It cannot be read, or names a column that the list does not have.
    """
    return load_column_map(path, COLUMNS)


def scan(path: Path, column_map: ColumnMap | None = None) -> Scan[CplEntry]:
    """Read a list to its end: its rows, and everything wrong with them.

    Args:
        path: The file: one heading line, then one row a line.
        column_map: Headings of a user's export. Rows of such a file without a mark of their own
            are marked ``user:`` with the hash of the file.

    Raises:
        DataError: The file cannot be read, or a column is missing or not known.
    """
    found = scan_list(path, CplEntry, LIST_COLUMNS, column_map)
    for problem in problems(found.rows, found.broken):
        found.blame(problem)
    return found


def load(path: Path, column_map: ColumnMap | None = None) -> Cpl:
    """Load a list from a CSV file.

    Args:
        path: The file: one heading line, then one row a line.
        column_map: Headings of a user's export.

    Raises:
        DataError: The file cannot be read, a column is missing or not known, a row is wrong; the
            first wrong cell of the file, with line and column.
    """
    found = scan(path, column_map)
    found.raise_first()
    return Cpl(found.rows, str(path), checked=True)


def render(entries: Iterable[CplEntry]) -> str:
    """Write rows as a CSV file in our own columns."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        cells = entry.model_dump(mode="json")
        cells["upgrade_from"] = ";".join(entry.upgrade_from) or NOT_APPLICABLE
        writer.writerow(["" if cells[name] is None else cells[name] for name in COLUMNS])
    return out.getvalue()
