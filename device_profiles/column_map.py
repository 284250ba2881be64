"""Column maps: how a user's export of a list names its columns and writes its values."""

import codecs
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from device_profiles.errors import InvalidValueError
from device_profiles.files import read_toml, unknown_keys

_TABLES: Final = ("columns", "constants", "words", "formats")
_FORMATS: Final[Mapping[str, object]] = {
    "date": "%Y-%m-%d",
    "list_separator": ";",
    "delimiter": ",",
    "encoding": "utf-8",
    "heading_line": 1,
    "strip_0x": False,
}
_MOST_HEADING_LINE: Final = 1_000


@dataclass(frozen=True, slots=True)
class ListColumns:
    """The columns of a list of ours.

    Attributes:
        names: All of them, in order.
        lists: Those that hold several identifiers.
        dates: Those that hold days.
        free: Those whose text is nobody's but the reader's: ``N/A`` stays as it is.
        hexes: Those that hold hex digits, with how many.
    """

    names: tuple[str, ...]
    lists: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset({"notes"})
    hexes: Mapping[str, int] = field(default_factory=dict)

    def hex_form(self, name: str) -> str:
        """Return what a hex column must hold."""
        return f"{self.hexes[name]} hex digits are wanted"


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How a user's export names the columns and writes the values.

    Attributes:
        columns: Our column -> the heading in the file.
        constants: Our column -> the value of every row, where the export has no such cell.
        words: Our column -> word of the export -> our word.
        date_format: ``strptime`` format of dates.
        list_separator: What stands between identifiers in a list.
        delimiter: What stands between cells; one character.
        encoding: Python's name of the file's encoding.
        heading_line: Line of the headings, from 1; lines above it are passed over.
        strip_0x: Whether hex digits may begin with ``0x``.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    date_format: str = "%Y-%m-%d"
    list_separator: str = ";"
    delimiter: str = ","
    encoding: str = "utf-8"
    heading_line: int = 1
    strip_0x: bool = False


def load_column_map(path: Path, columns: Iterable[str]) -> ColumnMap:
    """Read a column map: tables ``[columns]``, ``[constants]``, ``[words.COLUMN]``, ``[formats]``.

    Args:
        path: The TOML file.
        columns: The columns of the list it is for.

    Raises:
        DataError: It cannot be read, names a column that the list does not have, or two of ours
            for one heading, or a format is wrong.
    """
    known = tuple(columns)
    table = read_toml(path, is_overlay=True).table
    unknown_keys(table, _TABLES, path)
    for name in _TABLES:
        if not isinstance(table.get(name, {}), dict):
            raise InvalidValueError("must be a table", file=path, key=name)
    for name in ("columns", "constants", "words"):
        unknown_keys(table.get(name, {}), known, path, name)
    headings = {key: str(value) for key, value in table.get("columns", {}).items()}
    for name, heading in headings.items():
        if list(headings.values()).count(heading) > 1:
            why = f"{heading!r} is given to more than one column"
            raise InvalidValueError(why, file=path, key=f"columns.{name}")
    formats = _formats(table.get("formats", {}), path)
    return ColumnMap(
        columns=headings,
        constants={key: str(value) for key, value in table.get("constants", {}).items()},
        words=_words(table.get("words", {}), path),
        date_format=str(formats["date"]),
        list_separator=str(formats["list_separator"]),
        delimiter=str(formats["delimiter"]),
        encoding=str(formats["encoding"]),
        heading_line=int(formats["heading_line"]),
        strip_0x=bool(formats["strip_0x"]),
    )


def _words(table: Mapping[str, Any], path: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, words in table.items():
        if not isinstance(words, dict):
            why = "must be a table: word of the export = our word"
            raise InvalidValueError(why, file=path, key=f"words.{name}")
        found[name] = {str(theirs): str(ours) for theirs, ours in words.items()}
    return found


def _formats(table: Mapping[str, Any], path: Path) -> dict[str, Any]:
    unknown_keys(table, _FORMATS, path, "formats")
    found: dict[str, Any] = {**_FORMATS, **table}
    for name, value in found.items():
        why = _wrong_format(name, value)
        if why:
            raise InvalidValueError(why, file=path, key=f"formats.{name}")
    return found


def _wrong_format(name: str, value: object) -> str:
    """Return what is wrong with one format, or nothing."""
    if type(value) is not type(_FORMATS[name]):
        return f"must be like {_FORMATS[name]!r}"
    checks: dict[str, tuple[Callable[[object], bool], str]] = {
        "heading_line": (_is_line, "no line of a file has this number"),
        "delimiter": (_is_delimiter, "must be one character that stands between cells"),
        "encoding": (_is_text_encoding, "is no encoding of text"),
        "date": (_is_date_format, "does not hold a whole day"),
        "list_separator": (bool, "must not be empty"),
    }
    if name not in checks:
        return ""
    check, why = checks[name]
    return "" if check(value) else why


def _is_line(number: object) -> bool:
    return isinstance(number, int) and 1 <= number <= _MOST_HEADING_LINE


def _is_delimiter(text: object) -> bool:
    return isinstance(text, str) and len(text) == 1 and text not in '"\r\n'


def _is_text_encoding(name: object) -> bool:
    try:
        return isinstance(codecs.decode(b"", str(name)), str)
    except (LookupError, TypeError, ValueError):
        return False


def _is_date_format(form: object) -> bool:
    """Say whether a day that is written in a format is read back as it was."""
    text = str(form)
    day = datetime(2019, 11, 23, tzinfo=None)  # noqa: DTZ001 -- a calendar day has no zone
    try:
        return datetime.strptime(day.strftime(text), text) == day  # noqa: DTZ007 -- the same
    except ValueError:
        return False
