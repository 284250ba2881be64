"""The columns of an authorisation: which there are, how headings are recognised, user's maps."""

import enum
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, field_validator

from device_profiles.errors import DuplicateEntryError, InvalidValueError
from device_profiles.files import Folders, read_toml, unknown_keys
from harness.rules.migration_tables import TableRow, load_table

_COLUMNS: Final = "migration-authorisation-columns.csv"
_WORDS: Final = "migration-authorisation-words.csv"


class Kind(enum.StrEnum):
    """What a column holds."""

    REF = "ref"
    EUI64 = "eui64"
    MPAN = "mpan"
    MPRN = "mprn"
    DATE = "date"
    SERIAL = "serial"
    ISSUER = "issuer"
    PAYMENT_MODE = "payment_mode"
    CPL_ENTRY = "cpl_entry"
    CPL_ENTRIES = "cpl_entries"
    EVIDENCE = "evidence"


class Need(enum.StrEnum):
    """When a column must have a value."""

    ALWAYS = "always"
    CERTIFICATE = "certificate"  # the Certificate ID as a whole is judged by a rule
    OPTIONAL = "optional"
    GAS_KEY = "gas-key"  # its value says that there is a gas meter
    GAS = "gas"
    GAS_CERTIFICATE = "gas-certificate"
    GAS_OPTIONAL = "gas-optional"
    EXTRA = "extra"
    GAS_EXTRA = "gas-extra"

    @property
    def of_gas(self) -> bool:
        """Whether the column belongs to the gas meter."""
        return self.value.startswith("gas")

    @property
    def needs_heading(self) -> bool:
        """Whether a file must have the column (those of the gas meter where it has any)."""
        return self not in {Need.EXTRA, Need.GAS_EXTRA, Need.GAS_KEY}


class ColumnRow(TableRow):
    """One column.

    Attributes:
        column: Its heading in our own files.
        kind: What it holds.
        need: When it must have a value.
        shared: Whether one value may hold for several installations (merged cells).
        synonyms: Other headings that are recognised.
        says: What it is.
    """

    column: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,60}$")]
    kind: Kind
    need: Need
    shared: bool
    synonyms: tuple[str, ...] = ()
    says: Annotated[str, Field(min_length=1)]

    @field_validator("synonyms", mode="before")
    @classmethod
    def _several(cls, text: object) -> object:
        if isinstance(text, str):
            return tuple(part.strip() for part in text.split(";") if part.strip())
        return text


class WordRow(TableRow):
    """A word for a value.

    Attributes:
        kind: Kind of column in which it stands.
        word: The word, compared without case.
        value: The value; empty for none.
    """

    kind: Kind
    word: Annotated[str, Field(min_length=1)]
    value: str = ""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How a user's file differs from ours (``--map``).

    Attributes:
        headings: Our column -> heading in the file, or column letter where there are no headings.
        constants: Our column -> value for every installation.
        sheet: Name of the sheet; empty: the one with headings that fit.
        heading_line: Line of the headings, from 1; 0: there are none; None: it is looked for.
        date_format: ``strptime`` format of days; empty: the usual ones.
        words: Kind -> word -> value.
        mark: Evidence mark of rows read with it.
    """

    headings: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    sheet: str = ""
    heading_line: int | None = None
    date_format: str = ""
    words: Mapping[Kind, Mapping[str, str]] = field(default_factory=dict)
    mark: str = "stand-in"


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns and words in force.

    Attributes:
        columns: Our columns, by heading, in order.
        words: Kind -> word -> value.
        column_map: The user's map.
    """

    columns: Mapping[str, ColumnRow]
    words: Mapping[Kind, Mapping[str, str]]
    column_map: ColumnMap = field(default_factory=ColumnMap)

    def spellings(self) -> dict[str, str]:
        """Return every spelling that is recognised, and its column."""
        found: dict[str, str] = {}
        for name, heading in self.column_map.headings.items():
            found[plain(heading)] = name
        for name, row in self.columns.items():
            if name not in self.column_map.headings:
                for spelling in (name, *row.synonyms):
                    found.setdefault(plain(spelling), name)
        return found


def load_layout(overlays: Folders = (), column_map: ColumnMap | None = None) -> Layout:
    """Load the columns and words, and put a user's map over them.

    Raises:
        DataError: A table cannot be used.
    """
    columns: dict[str, ColumnRow] = {}
    for row in load_table(ColumnRow, _COLUMNS, overlays):
        if row.column in columns:
            raise DuplicateEntryError("this column stands twice", file=_COLUMNS, key=row.column)
        columns[row.column] = row
    used = column_map or ColumnMap()
    words: dict[Kind, dict[str, str]] = {kind: {} for kind in Kind}
    for word in load_table(WordRow, _WORDS, overlays):
        words[word.kind][word.word.casefold()] = word.value
    for kind, more in used.words.items():
        words[kind] |= {word.casefold(): value for word, value in more.items()}
    layout = Layout(columns, words, used)
    _refuse_two_columns(layout.columns.values(), used)
    return layout


def load_column_map(path: Path, columns: Iterable[str]) -> ColumnMap:
    """Read a user's map.

    Tables: ``[columns]`` (our column = heading), ``[constants]`` (our column = value),
    ``[sheet]`` (``name``, ``heading_line``; 0 means no headings, and ``[columns]`` then gives
    column letters), ``[formats]`` (``date``), ``[words.KIND]`` (word = value).

    Raises:
        DataError: It cannot be read, or names what there is not.
    """
    file = read_toml(path, is_overlay=True)
    table = file.table
    unknown_keys(table, ("columns", "constants", "sheet", "formats", "words"), path)
    for name in table:
        if not isinstance(table[name], dict):
            raise InvalidValueError("must be a table", file=path, key=name)
    known = list(columns)
    for name in ("columns", "constants"):
        unknown_keys(table.get(name, {}), known, path, name)
    sheet, formats = table.get("sheet", {}), table.get("formats", {})
    unknown_keys(sheet, ("name", "heading_line"), path, "sheet")
    unknown_keys(formats, ("date",), path, "formats")
    line = sheet.get("heading_line")
    if line is not None and (not isinstance(line, int) or isinstance(line, bool) or line < 0):
        raise InvalidValueError("a whole number from 0", file=path, key="sheet.heading_line")
    return ColumnMap(
        headings=_texts(table.get("columns", {}), path, "columns"),
        constants=_texts(table.get("constants", {}), path, "constants"),
        sheet=str(sheet.get("name", "")),
        heading_line=line,
        date_format=str(formats.get("date", "")),
        words=_words(table.get("words", {}), path),
        mark=f"user:{file.digest}",
    )


def plain(heading: str) -> str:
    """Return a heading without case, spaces and signs, as headings are compared."""
    text = unicodedata.normalize("NFKC", heading).casefold()
    return "".join(char for char in text if char.isalnum())


def _texts(table: Mapping[str, Any], path: Path, where: str) -> dict[str, str]:
    for key, value in table.items():
        if isinstance(value, (dict, list)) or not str(value).strip():
            raise InvalidValueError(
                "must be text that is not empty", file=path, key=f"{where}.{key}"
            )
    return {key: str(value).strip() for key, value in table.items()}


def _words(table: Mapping[str, Any], path: Path) -> dict[Kind, dict[str, str]]:
    unknown_keys(table, tuple(Kind), path, "words")
    found: dict[Kind, dict[str, str]] = {}
    for kind, words in table.items():
        if not isinstance(words, dict):
            raise InvalidValueError("must be a table", file=path, key=f"words.{kind}")
        found[Kind(kind)] = {str(word): str(value) for word, value in words.items()}
    return found


def _refuse_two_columns(rows: Iterable[ColumnRow], used: ColumnMap) -> None:
    """Refuse one heading for two columns of ours."""
    seen: dict[str, str] = {}
    for name, heading in used.headings.items():
        other = seen.setdefault(plain(heading), name)
        if other != name:
            raise InvalidValueError(
                f"{heading!r} is mapped to {other} as well", file="--map", key=f"columns.{name}"
            )
    spelt: dict[str, str] = {}
    for row in rows:
        for spelling in (row.column, *row.synonyms):
            other = spelt.setdefault(plain(spelling), row.column)
            if other != row.column:
                raise InvalidValueError(
                    f"{spelling!r} is a heading of {other} as well", file=_COLUMNS, key=row.column
                )


@dataclass(frozen=True, slots=True)
class Heading:
    """One column of a file.

    Attributes:
        index: From 0.
        text: Its heading.
        column: Our column; None for one that nothing reads.
    """

    index: int
    text: str
    column: ColumnRow | None


@dataclass(frozen=True, slots=True)
class Headings:
    """The columns of a file.

    Attributes:
        line: Line of the headings, from 1; 0: there are none.
        columns: All columns with a heading, from left to right.
    """

    line: int
    columns: Sequence[Heading]

    def read(self) -> list[tuple[int, ColumnRow]]:
        """Return index and column of those that are read."""
        return [(h.index, h.column) for h in self.columns if h.column is not None]

    def index_of(self, column: str) -> int | None:
        """Return the index of one of our columns, or None."""
        return next((index for index, row in self.read() if row.column == column), None)
