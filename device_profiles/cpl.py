"""The Central Products List: a CSV file of ours, or a user's export through a column map."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from device_profiles.cpl_entry import CplEntry
from device_profiles.cpl_rules import Cpl, Finding, Resolution
from device_profiles.errors import InvalidValueError, UnmarkedValueError
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
]

#: The columns of our own file, in order (firmware.md 6.2, and ``evidence``).
COLUMNS: Final = tuple(CplEntry.model_fields)
FILE_NAME: Final = "cpl.csv"
MAP_NAME: Final = "cpl_columns.toml"
#: A cell that means "no entry".
NOT_APPLICABLE: Final = "N/A"


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How a user's export names the columns.

    Attributes:
        columns: Our column -> the heading in the file.
        constants: Our column -> the value of every row, where the export has no such column.
        date_format: ``strptime`` format of dates.
        list_separator: What stands between identifiers in ``upgrade_from``.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    date_format: str = "%Y-%m-%d"
    list_separator: str = ";"


def load_cpl(overlays: Folders = ()) -> Cpl:
    """Load the list in force: the strongest overlay's own, else the shipped synthetic one.

    An overlay's list replaces the shipped one; a ``cpl_columns.toml`` beside it is its column map.

    Raises:
        DataError: A file cannot be read, or a row is wrong.
    """
    for folder in reversed(overlays):
        path = folder / "catalogues" / FILE_NAME
        if os.path.lexists(path):
            column_map = path.with_name(MAP_NAME)
            return load(path, load_map(column_map) if column_map.is_file() else ColumnMap())
    return load(SHIPPED / "catalogues" / FILE_NAME)


def load_map(path: Path) -> ColumnMap:
    """Read a column map: tables ``[columns]``, ``[constants]`` and ``[formats]``.

    Raises:
        DataError: It cannot be read, or names a column that the list does not have.
    """
    table = read_toml(path, is_overlay=True).table
    unknown_keys(table, ("columns", "constants", "formats"), path)
    for name in ("columns", "constants", "formats"):
        if not isinstance(table.get(name, {}), dict):
            raise InvalidValueError("must be a table", file=path, key=name)
    for name in ("columns", "constants"):
        unknown_keys(table.get(name, {}), COLUMNS, path, name)
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


def load(path: Path, column_map: ColumnMap | None = None) -> Cpl:
    """Load a list from a CSV file.

    Args:
        path: The file: UTF-8, comma separated, one heading line.
        column_map: Headings of a user's export. Rows of such a file without a mark of their own
            are marked ``user:`` with the hash of the file.

    Raises:
        DataError: The file cannot be read, a column is missing or not known, a row is wrong.
    """
    headings, rows = read_csv(path)
    _check_headings(headings, path, column_map)
    mark = f"user:{digest_of(read_text(path).encode())}" if column_map is not None else ""
    used = column_map or ColumnMap()
    entries = [_entry(row, used, mark, path, line) for line, row in enumerate(rows, start=2)]
    return Cpl(entries, str(path))


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


def _check_headings(headings: Iterable[str], path: Path, column_map: ColumnMap | None) -> None:
    present = list(headings)
    for heading in present:
        if present.count(heading) > 1:
            raise InvalidValueError("this column stands twice", file=path, key=f"column {heading}")
    if column_map is None:
        unknown_keys(present, COLUMNS, path, "column")
    used = column_map or ColumnMap()
    needed = [name for name, info in CplEntry.model_fields.items() if info.is_required()]
    for name in needed:
        heading = used.columns.get(name, name)
        free = name in used.constants or (name == "evidence" and column_map is not None)
        if heading not in present and not free:
            raise InvalidValueError(
                "this column is missing (a cpl_columns.toml beside the file maps other headings)",
                file=path,
                key=f"column {heading}",
            )


def _entry(
    row: Mapping[str | Any, Any], used: ColumnMap, mark: str, path: Path, line: int
) -> CplEntry:
    where = f"line {line}"
    if None in row or None in row.values():
        raise InvalidValueError("more or fewer cells than headings", file=path, key=where)
    cells = {name: str(row.get(used.columns.get(name, name), "")).strip() for name in COLUMNS}
    cells = {name: cells[name] or used.constants.get(name, "") for name in COLUMNS}
    content: dict[str, Any] = {name: text for name, text in cells.items() if text}
    content["evidence"] = cells["evidence"] or mark
    if not content["evidence"]:
        raise UnmarkedValueError("the row carries no evidence mark", file=path, key=where)
    content["upgrade_from"] = _identifiers(cells["upgrade_from"], used.list_separator)
    for name in ("effective_from", "effective_to"):
        if cells[name]:
            content[name] = _iso_date(cells[name], used.date_format, path, f"{where} {name}")
    try:
        return CplEntry.model_validate(content)
    except ValidationError as error:
        raise refuse(error, path, where) from error


def _identifiers(text: str, separator: str) -> tuple[str, ...]:
    if text in {"", NOT_APPLICABLE}:
        return ()
    return tuple(part.strip() for part in text.split(separator) if part.strip())


def _iso_date(text: str, date_format: str, path: Path, where: str) -> str:
    try:
        # A calendar day has no zone.
        return datetime.strptime(text, date_format).date().isoformat()  # noqa: DTZ007 - see above
    except ValueError:
        raise InvalidValueError(
            f"not a date of the form {date_format}: {text!r}", file=path, key=where
        ) from None
