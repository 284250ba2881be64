"""CSV tables of ours, one checked row a line, each row once."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from device_profiles.errors import DuplicateEntryError, InvalidValueError, UnreadableFileError
from device_profiles.files import read_csv, refuse
from device_profiles.sections import Section

Row = TypeVar("Row", bound=Section)


def read_rows(path: Path, row: type[Row], key: str) -> tuple[Row, ...]:
    """Read a table whose headings are the fields of ``row``.

    Args:
        path: UTF-8, comma separated, one heading line.
        row: Shape of a row.
        key: Field that no two rows share.

    Raises:
        DataError: The file cannot be read, its headings are others, a row is wrong or twice.
    """
    headings, lines = read_csv(path)
    if set(headings) != set(row.model_fields):
        wanted = ", ".join(row.model_fields)
        raise UnreadableFileError(
            f"the headings are {', '.join(headings)}; they must be {wanted}",
            file=path,
            key="line 1",
        )
    rows: dict[object, Row] = {}
    for number, cells in enumerate(lines, 2):
        where = f"line {number}"
        if None in cells or None in cells.values():
            raise InvalidValueError("more or fewer cells than headings", file=path, key=where)
        try:
            one = row.model_validate(cells)
        except ValidationError as error:
            raise refuse(error, path, where) from error
        name = getattr(one, key)
        if name in rows:
            raise DuplicateEntryError(f"{key} {name} stands twice", file=path, key=where)
        rows[name] = one
    return tuple(rows.values())
