"""The COSEM objects of a SMETS1 model as data: one row an attribute or method, rights by column.

A file is ``catalogues/dlms-NAME.csv``: UTF-8, comma separated, one heading line. Beside the columns
of :data:`COLUMNS` every column is a rights word: the name that an association of a profile's
``[dlms]`` section gives as its ``rights``.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final, NoReturn

from device_profiles.csv_rows import whole_lines
from device_profiles.errors import (
    BadMarkError,
    DataError,
    DuplicateEntryError,
    InconsistentDataError,
    InvalidValueError,
    UnknownNameError,
    UnmarkedValueError,
)
from device_profiles.evidence import Mark, refuse_foreign
from device_profiles.files import Folders, digest_of, layers, names, read_csv, read_text

#: Columns of a catalogue that are no rights, in order.
COLUMNS: Final = (
    "obis", "class", "version", "member", "name", "type", "unit", "scaler", "binding", "value",
    "evidence",
)  # fmt: skip
#: Unit word -> COSEM unit. Source: serial-dlms.md 8.2; IEC 62056-6-2 table of units (known).
UNITS: Final[Mapping[str, int]] = {
    "": 255, "min": 6, "s": 7, "currency": 10, "m3": 13, "W": 27, "var": 29, "Wh": 30,
    "varh": 32, "A": 33, "V": 35,
}  # fmt: skip
#: Words of the column ``type``; ``octets`` and ``visible`` may carry a length, ``octets(12)``.
TYPES: Final = frozenset(
    ("bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "enum", "octets", "visible",
     "bits", "array", "struct", "any", "none")
)  # fmt: skip
_SIZED: Final = re.compile(r"(octets|visible)\((\d{1,4})\)")
_OBIS: Final = re.compile(
    r"(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:~(\d{1,3}))?\.(\d{1,3})"
)
_MEMBER: Final = re.compile(r"([am])(\d{1,3})")
_RIGHTS: Final = {
    "a": frozenset({"", "r", "w", "rw", "r!", "w!", "rw!"}),
    "m": frozenset({"", "x", "x!"}),
}
_PREFIX: Final = "dlms-"


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One attribute or method of one object.

    Attributes:
        obis: Logical name, six octets.
        class_id: Interface class.
        version: Its version.
        is_method: Whether it is a method.
        index: Attribute or method index.
        name: What the standard calls it.
        type: A word of ``TYPES``, with its length where it has one.
        unit: COSEM unit number; 255 for none.
        scaler: Power of ten of what the register shows.
        binding: Word that says where the value comes from; the emulator has the table.
        value: What the binding needs to know beside its word; empty for nothing.
        rights: Rights word -> what it may do: ``r``, ``w``, ``x``, and ``!`` for "protected only".
        mark: How well it is known.
        where: File and line, for messages.
    """

    obis: bytes
    class_id: int
    version: int
    is_method: bool
    index: int
    name: str
    type: str
    unit: int
    scaler: int
    binding: str
    value: str
    rights: Mapping[str, str]
    mark: Mark
    where: str = field(compare=False)

    @property
    def member(self) -> str:
        """``a2`` or ``m1``."""
        return f"{'m' if self.is_method else 'a'}{self.index}"

    @property
    def obis_text(self) -> str:
        """The logical name as ``1-0:1.8.0.255``."""
        a, b, c, d, e, f = self.obis
        return f"{a}-{b}:{c}.{d}.{e}.{f}"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One object of a catalogue.

    Attributes:
        class_id: Interface class.
        obis: Logical name, six octets.
        version: Version of the class.
        attributes: Rows by attribute index, without the logical name.
        methods: Rows by method index.
    """

    class_id: int
    obis: bytes
    version: int
    attributes: dict[int, CatalogueRow] = field(default_factory=dict)
    methods: dict[int, CatalogueRow] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """The objects of one model.

    Attributes:
        name: Its name, or its path.
        rights: Rights words that have a column.
        rows: Attributes and methods, as they stand in the file.
    """

    name: str
    rights: frozenset[str]
    rows: tuple[CatalogueRow, ...]

    @cached_property
    def objects(self) -> dict[tuple[int, bytes], CatalogueEntry]:
        """The rows by class and logical name, in the order of the file."""
        found: dict[tuple[int, bytes], CatalogueEntry] = {}
        for row in self.rows:
            key = (row.class_id, row.obis)
            entry = found.setdefault(key, CatalogueEntry(*key, row.version))
            (entry.methods if row.is_method else entry.attributes)[row.index] = row
        return found


def catalogue_names(overlays: Folders = ()) -> list[str]:
    """Return the names of all catalogues, shipped and overlaid."""
    return [name for name in names("catalogues", ".csv", overlays) if name.startswith(_PREFIX)]


def load_catalogue(
    name_or_path: str, overlays: Folders = (), bindings: Collection[str] | None = None
) -> Catalogue:
    """Load one catalogue; the strongest overlay's file of a name replaces the weaker ones whole.

    Args:
        name_or_path: Name as in a profile's ``[dlms].objects`` (``dlms-smets1``), or path of a
            CSV file (anything with a folder or ending in ``.csv``).
        overlays: Folders whose files win, weakest first.
        bindings: Words that the column ``binding`` may hold; None leaves them unchecked.

    Raises:
        DataError: One of its kinds: the name is unknown, the file cannot be read, a cell is wrong
            or a row carries no mark.
    """
    path, is_overlay = _path(name_or_path, overlays)
    headings, rows = read_csv(path)
    rights = _rights_of(headings, path)
    default = f"user:{digest_of(read_text(path).encode())}" if is_overlay else ""
    found: list[CatalogueRow] = []
    for where, row in whole_lines(path, rows):
        found += _expanded(_Line(row, path, where, rights, default))
    _check(found, path, bindings)
    return Catalogue(name_or_path, frozenset(rights), tuple(found))


def _path(name_or_path: str, overlays: Folders) -> tuple[Path, bool]:
    if "/" in name_or_path or name_or_path.endswith(".csv"):
        return Path(name_or_path), False
    found = layers("catalogues", f"{name_or_path}.csv", overlays)
    if not found or not name_or_path.startswith(_PREFIX):
        known = ", ".join(catalogue_names(overlays))
        raise UnknownNameError(
            f"no catalogue of DLMS objects of this name (there are: {known})", file=name_or_path
        )
    return found[-1], found[-1].parents[1] in overlays


def _rights_of(headings: list[str], path: Path) -> list[str]:
    for heading in headings:
        if headings.count(heading) > 1:
            _refuse(path, f"column {heading}", "this column stands twice")
    for heading in COLUMNS:
        if heading not in headings:
            _refuse(path, f"column {heading}", "this column is missing")
    rights = [heading for heading in headings if heading not in COLUMNS]
    if not rights or "" in rights:
        _refuse(path, "headings", "every other column is a rights word, and there is one at least")
    return rights


def _refuse(path: Path | str, key: str, why: str) -> NoReturn:
    raise InvalidValueError(why, file=path, key=key)


class _Line:
    """One line of the file: cells, and refusals that name file, line and column."""

    def __init__(
        self, row: Mapping[str, str], path: Path, where: str, rights: list[str], mark: str
    ) -> None:
        self.path, self.where, self.rights, self.default_mark = path, where, rights, mark
        self.cells = {name: text.strip() for name, text in row.items()}

    def refuse(self, column: str, why: str) -> NoReturn:
        _refuse(self.path, f"{self.where} {column}", why)

    def number(self, column: str, low: int, high: int, default: int | None = None) -> int:
        text = self.cells[column]
        if not text and default is not None:
            return default
        try:
            number = int(text)
        except ValueError:
            self.refuse(column, f"{text!r} is no whole number")
        if not low <= number <= high:
            self.refuse(column, f"{number} is not from {low} to {high}")
        return number

    def mark(self) -> Mark:
        text = self.cells["evidence"] or self.default_mark
        if not text:
            raise UnmarkedValueError(
                "the row carries no evidence mark", file=self.path, key=self.where
            )
        try:
            mark = Mark.parse(text)
        except ValueError as error:
            raise BadMarkError(str(error), file=self.path, key=self.where) from error
        if self.default_mark:
            refuse_foreign(mark, self.path, self.where)
        return mark


def _expanded(line: _Line) -> Iterator[CatalogueRow]:
    """Yield the row of a line, or one for each of a range such as ``1-0:1.8.1~48.255``."""
    match = _OBIS.fullmatch(line.cells["obis"])
    if match is None:
        line.refuse("obis", f"{line.cells['obis']!r} is no logical name (like 1-0:1.8.0.255)")
    a, b, c, d, first, f = (int(match[group]) for group in (1, 2, 3, 4, 5, 7))
    last = first if match[6] is None else int(match[6])
    if max(a, b, c, d, first, last, f) > 0xFF or last < first:
        line.refuse("obis", f"{line.cells['obis']!r}: each value is from 0 to 255, a range rises")
    row = _row(line)
    for number in range(first, last + 1):
        yield replace(
            row,
            obis=bytes((a, b, c, d, number, f)),
            name=row.name.replace("{n}", str(number)),
            value=row.value.replace("{n}", str(number)),
        )


def _row(line: _Line) -> CatalogueRow:
    cells = line.cells
    member = _MEMBER.fullmatch(cells["member"])
    if member is None or not 1 <= int(member[2]) <= 127 or cells["member"] == "a1":
        line.refuse("member", "an attribute is a2 to a127 (a1 is always there), a method m1 up")
    kind = cells["type"]
    if kind not in TYPES and not _SIZED.fullmatch(kind):
        line.refuse("type", f"{kind!r} is no type ({', '.join(sorted(TYPES))}, octets(12), …)")
    if cells["unit"] not in UNITS:
        line.refuse("unit", f"{cells['unit']!r} is no unit ({', '.join(filter(None, UNITS))})")
    if not cells["binding"]:
        line.refuse("binding", "every row says where its value comes from")
    for word in line.rights:
        if cells[word] not in _RIGHTS[member[1]]:
            known = ", ".join(sorted(filter(None, _RIGHTS[member[1]])))
            line.refuse(word, f"{cells[word]!r} is no right of this member ({known}, or nothing)")
    return CatalogueRow(
        obis=bytes(6),
        class_id=line.number("class", 1, 0xFFFF),
        version=line.number("version", 0, 0xFF),
        is_method=member[1] == "m",
        index=int(member[2]),
        name=cells["name"],
        type=kind,
        unit=UNITS[cells["unit"]],
        scaler=line.number("scaler", -128, 127, 0),
        binding=cells["binding"],
        value=cells["value"],
        rights={word: cells[word] for word in line.rights},
        mark=line.mark(),
        where=f"{line.path} {line.where}",
    )


def _check(rows: list[CatalogueRow], path: Path, bindings: Collection[str] | None) -> None:
    """Refuse what only whole files can be wrong in.

    Raises:
        DataError: A member twice, an object of two versions, a binding that nobody has.
    """
    seen: set[tuple[int, bytes, str]] = set()
    versions: dict[tuple[int, bytes], int] = {}
    for row in rows:
        key = row.where.removeprefix(f"{path} ")
        member = (row.class_id, row.obis, row.member)
        if member in seen:
            raise DuplicateEntryError(
                f"{row.class_id} / {row.obis_text} {row.member} stands twice", file=path, key=key
            )
        seen.add(member)
        if versions.setdefault((row.class_id, row.obis), row.version) != row.version:
            raise InconsistentDataError(
                f"{row.class_id} / {row.obis_text} has two versions", file=path, key=key
            )
        if bindings is not None and row.binding not in bindings:
            _refuse(
                path,
                f"{key} binding",
                f"{row.binding!r} is no binding (known: {', '.join(sorted(bindings))})",
            )


def refuse_row(row: CatalogueRow, column: str, why: str) -> DataError:
    """Return the error of a row whose cells are each fine, but not for what binds them."""
    path, _, line = row.where.rpartition(" line ")
    return InvalidValueError(why, file=path, key=f"line {line} {column}")
