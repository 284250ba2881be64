"""Rows of TOML tables with identifiers and marks, laid over each other by identifier."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from device_profiles.errors import DuplicateEntryError, InvalidValueError, UnmarkedValueError
from device_profiles.evidence import EvidenceKind
from device_profiles.files import DataFile, checked
from device_profiles.sections import Section

Row = TypeVar("Row", bound=Section)


def with_mark(table: Mapping[str, Any], file: DataFile, where: str) -> Mapping[str, Any]:
    """Return a row with a mark: its own, or ``user:`` with the hash of an overlay's file.

    Raises:
        UnmarkedValueError: A shipped row carries none.
    """
    if "evidence" in table:
        return table
    if not file.is_overlay:
        raise UnmarkedValueError("the row carries no mark", file=file.path, key=where)
    return {**table, "evidence": f"{EvidenceKind.USER}:{file.digest}"}


def laid_over(row: type[Row], key: str, layers: Iterable[Iterable[DataFile]]) -> dict[str, Row]:
    """Return the rows in force by identifier; a row changes what it names of a weaker one.

    Args:
        row: Shape of a row.
        key: Name of the list of tables.
        layers: The files of each folder, weakest folder first.

    Raises:
        DataError: A row is wrong, unmarked, or stands twice in one folder.
    """
    tables: dict[str, tuple[Mapping[str, Any], Path]] = {}
    for files in layers:
        own: set[str] = set()
        for file in files:
            for name, table in _named(file, key):
                if name in own:
                    raise DuplicateEntryError(
                        "this identifier stands twice", file=file.path, key=name
                    )
                own.add(name)
                before = tables[name][0] if name in tables else {}
                tables[name] = ({**before, **table}, file.path)
    return {
        name: checked(row, table, path, f"{key} {name}") for name, (table, path) in tables.items()
    }


def _named(file: DataFile, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rows of one file with their identifiers and marks."""
    tables = file.table.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise InvalidValueError(f"must be [[{key}]] tables", file=file.path, key=key)
    for number, table in enumerate(tables):
        name = table.get("id")
        if not isinstance(name, str):
            raise InvalidValueError("the row has no id", file=file.path, key=f"{key}.{number}")
        yield name, with_mark(table, file, name)
