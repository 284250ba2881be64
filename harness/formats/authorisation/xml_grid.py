"""Authorisations in our own XML, as lines of cells; the real schema is not public.

The namespace is the project's own (migration.md 4.3), so that nobody takes it for the TMAD's::

    <mig:MigrationAuthorisation xmlns:mig="urn:x-bench:smets1-migration:1">
      <mig:Installation><mig:CHFDeviceID>…</mig:CHFDeviceID> …one element a column… </…>
    </mig:MigrationAuthorisation>

Source:
    invented.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from lxml import etree

from harness.formats.authorisation.csv_grid import read_bounded
from harness.formats.authorisation.faults import (
    AuthorisationFileError,
    too_large,
    unreadable,
    with_declaration,
)
from harness.formats.authorisation.grid import (
    MAX_CELL_CHARS,
    MAX_COLUMNS,
    MAX_ROWS,
    FileKind,
    Grid,
    Line,
)

SUFFIXES: Final = (".xml",)
NAMESPACE: Final = "urn:x-bench:smets1-migration:1"
ROOT: Final = "MigrationAuthorisation"
ROW: Final = "Installation"
_CHUNK: Final = 1 << 16


def open_xml(path: Path) -> list[Grid]:
    """Read an XML authorisation; line 1 takes the place of headings.

    Raises:
        AuthorisationFileError: It cannot be read, is too large, declares a document type or
            entities, or is no authorisation.
    """
    content = read_bounded(path)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise with_declaration()
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(f"octet {error.start} is not UTF-8") from error
    seen = _Reader()
    parser = etree.XMLParser(
        target=seen, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        for start in range(0, len(content), _CHUNK):
            parser.feed(content[start : start + _CHUNK])
        parser.close()
    except etree.XMLSyntaxError as error:
        raise seen.refusal or unreadable(str(error.msg), f"line {error.lineno}") from error
    return [Grid(FileKind.XML, "", _Lines(list(seen.columns), seen.rows))]


class _Reader:
    """Takes the document in as it streams by."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self.columns: dict[str, int] = {}
        self.rows: list[dict[str, str]] = []
        self.refusal: AuthorisationFileError | None = None

    def start(self, tag: str | bytes, attrib: dict[str | bytes, str | bytes]) -> None:
        namespace, _, name = str(tag).removeprefix("{").rpartition("}")
        self._path.append(name)
        place = f"{'/'.join(self._path)}, installation {len(self.rows)}"
        wanted = (ROOT, ROW)
        if len(self._path) > 3 or (len(self._path) < 3 and wanted[len(self._path) - 1] != name):
            self._refuse(unreadable("an element that an authorisation does not have", place))
        if namespace != NAMESPACE:
            self._refuse(unreadable(f"the namespace is {namespace or 'none'}, not {NAMESPACE}"))
        if attrib:
            self._refuse(unreadable("an authorisation has no attributes", place))
        self._text, self._length = [], 0
        if len(self._path) == 2:
            self._begin_row()
        elif len(self._path) == 3:
            self._begin_cell(name, place)

    def end(self, tag: str | bytes) -> None:  # noqa: ARG002 - lxml fixes the signature
        if len(self._path) == 3:
            self.rows[-1][self._path[-1]] = "".join(self._text)
        self._path.pop()
        self._text, self._length = [], 0

    def data(self, data: str | bytes) -> None:
        self._length += len(data)
        if self._length > MAX_CELL_CHARS:
            place = f"{'/'.join(self._path)}, installation {len(self.rows)}"
            self._refuse(too_large(f"text of more than {MAX_CELL_CHARS} characters", place))
        if len(self._path) == 3:
            self._text.append(str(data))

    def comment(self, text: str | bytes) -> None:
        """Comments say nothing."""

    def pi(self, target: str | bytes, data: str | bytes | None = None) -> None:
        """Processing instructions say nothing."""

    def close(self) -> None:
        """Nothing is built."""

    def _begin_row(self) -> None:
        if len(self.rows) >= MAX_ROWS:
            self._refuse(too_large(f"more than {MAX_ROWS:,} installations"))
        self.rows.append({})

    def _begin_cell(self, name: str, place: str) -> None:
        if name in self.rows[-1]:
            self._refuse(unreadable("an element stands twice", place))
        if self.columns.setdefault(name, len(self.columns)) >= MAX_COLUMNS:
            self._refuse(too_large(f"more than {MAX_COLUMNS} kinds of elements"))
        self.rows[-1][name] = ""

    def _refuse(self, refusal: AuthorisationFileError) -> None:
        self.refusal = refusal
        raise refusal


class _Lines:
    """The installations as lines; may be gone through more than once."""

    def __init__(self, columns: Sequence[str], rows: Sequence[dict[str, str]]) -> None:
        self._columns = columns
        self._rows = rows

    def __iter__(self) -> Iterator[Line]:
        yield Line(1, tuple(self._columns))
        for number, row in enumerate(self._rows, start=2):
            yield Line(number, tuple(row.get(name) for name in self._columns))
