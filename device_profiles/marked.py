"""Tables of marked values: files laid over each other, each value with its evidence mark."""

from collections.abc import Mapping, Sequence
from typing import Any

from device_profiles.errors import InvalidValueError, UnmarkedValueError
from device_profiles.evidence import (
    EvidenceKind,
    Mark,
    covers,
    leaves,
    marks_for,
    nested,
    refuse_foreign,
)
from device_profiles.files import DataFile, unknown_keys

Marked = dict[str, tuple[Any, Mark]]


def merge(
    files: Sequence[DataFile], *, sections: Sequence[str], head: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Mark]]:
    """Lay files over each other, value by value.

    Args:
        files: Weakest first.
        sections: Names of the tables that hold values.
        head: Keys that say what a file is; they need no mark and are left out.

    Returns:
        The merged tables, and the mark of each value by key path.

    Raises:
        DataError: A key is unknown, a value carries no mark, or a mark is wrong.
    """
    values: Marked = {}
    for file in files:
        added = _values_of(file, sections, head)
        _refuse_clashes(values, added, file)
        values |= added
    content = nested({leaf: value for leaf, (value, _) in values.items()})
    return content, {leaf: mark for leaf, (_, mark) in values.items()}


def _values_of(file: DataFile, sections: Sequence[str], head: Sequence[str]) -> Marked:
    """Return the values of one file by key path, each with its mark."""
    unknown_keys(file.table, (*head, *sections, "evidence"), file.path)
    tables = {key: value for key, value in file.table.items() if key in sections}
    for section, table in tables.items():
        if not isinstance(table, dict):
            raise InvalidValueError("must be a table", file=file.path, key=section)
    values = leaves(tables)
    evidence = file.table.get("evidence", {})
    if not isinstance(evidence, dict):
        raise InvalidValueError("must be a table", file=file.path, key="evidence")
    marks = marks_for(values, evidence, file.path)
    return {leaf: (value, _mark(leaf, marks, file)) for leaf, value in values.items()}


def _refuse_clashes(values: Marked, added: Marked, file: DataFile) -> None:
    """Refuse a value where a weaker file has a table, and the other way round."""
    for leaf in added:
        for held in values:
            if leaf != held and (covers(leaf, held) or covers(held, leaf)):
                raise InvalidValueError(
                    f"{held} is set elsewhere: a value cannot stand in the place of a table",
                    file=file.path,
                    key=leaf,
                )


def _mark(leaf: str, marks: Mapping[str, Mark], file: DataFile) -> Mark:
    mark = marks.get(leaf)
    if not file.is_overlay:
        if mark is None:
            raise UnmarkedValueError(
                f'no mark in [evidence] covers it: add "{leaf}" = "source:…", "known", '
                '"inferred:why" or "stand-in"',
                file=file.path,
                key=leaf,
            )
        return mark
    if mark is None:
        return Mark(EvidenceKind.USER, file.digest)
    refuse_foreign(mark, file.path, f"evidence of {leaf}", "values")
    return mark
