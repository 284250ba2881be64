"""Structures as tables that serve reading and writing alike."""

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from harness.formats.migration_files import checks
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.gate import Gate
from harness.formats.migration_files.kinds import Kind

#: Lets nothing pass.
_STRICT = Gate()


class Place(enum.Enum):
    """Where a value stands."""

    ELEMENT = enum.auto()
    ATTRIBUTE = enum.auto()
    TEXT = enum.auto()


@dataclass(frozen=True, slots=True)
class Column:
    """One value of a structure.

    Attributes:
        name: Local name of the element or attribute; empty for the text of the element itself.
        field: Field of the dataclass.
        kind: What it contains.
        optional: It may be absent, which is None.
        many: Any number of them, which is a tuple.
        place: Element, attribute or text.
    """

    name: str
    field: str
    kind: "Kind | Record"
    optional: bool = False
    many: bool = False
    place: Place = Place.ELEMENT


@dataclass(frozen=True, slots=True)
class Record:
    """A structure that makes one dataclass.

    Attributes:
        make: The dataclass.
        columns: Its values, elements in schema order.
    """

    make: Callable[..., Any]
    columns: tuple[Column, ...]


def attribute(name: str, field: str, kind: Kind) -> Column:
    """Return the column of an attribute."""
    return Column(name, field, kind, place=Place.ATTRIBUTE)


def text(field: str, kind: Kind) -> Column:
    """Return the column of an element's own text."""
    return Column("", field, kind, place=Place.TEXT)


def optional(name: str, field: str, kind: "Kind | Record") -> Column:
    """Return the column of an element that may be absent."""
    return Column(name, field, kind, optional=True)


def many(name: str, field: str, kind: "Kind | Record") -> Column:
    """Return the column of an element that may stand any number of times."""
    return Column(name, field, kind, many=True)


def read(record: Record, element: etree._Element, gate: Gate = _STRICT) -> Any:
    """Read the structure of ``element``; all of it must be in the table.

    Args:
        record: The table.
        element: The element.
        gate: Which refusals of values pass.

    Raises:
        MigrationFileError: X-XSD 03 for another structure; X-VALUE or X-B64 for a value.
    """
    values = _elements(record, element, element.iterchildren(), gate)
    used, has_text = 0, False
    for column in record.columns:
        if column.place is Place.ATTRIBUTE:
            given = element.get(column.name)
            if given is None:
                raise _other(element, f"the attribute {column.name} is missing")
            values[column.field] = _simple(column.kind, given, element, gate)
            used += 1
        elif column.place is Place.TEXT:
            values[column.field] = _simple(column.kind, element.text or "", element, gate)
            has_text = True
    _refuse_rest(element, used, has_text=has_text)
    return _made(record, values, element)


def read_among(
    record: Record,
    element: etree._Element,
    children: Iterable[etree._Element],
    gate: Gate = _STRICT,
) -> Any:
    """Read a structure that consists of these children of ``element``, which has others as well.

    Raises:
        MigrationFileError: As ``read``.
    """
    return _made(record, _elements(record, element, iter(children), gate), element)


def _elements(
    record: Record,
    element: etree._Element,
    children: Iterator[etree._Element],
    gate: Gate,
) -> dict[str, Any]:
    space = _space(element)
    values: dict[str, Any] = {}
    child = next(children, None)
    for column in record.columns:
        if column.place is Place.ELEMENT:
            values[column.field], child = _read_elements(column, space, child, children, gate)
    if child is not None:
        raise _other(child, f"{local(child)} has no place here")
    return values


def _read_elements(
    column: Column,
    space: str,
    child: etree._Element | None,
    children: Iterator[etree._Element],
    gate: Gate,
) -> tuple[Any, etree._Element | None]:
    wanted = f"{{{space}}}{column.name}"
    found: list[Any] = []
    while child is not None and child.tag == wanted and (column.many or not found):
        found.append(_content(column.kind, child, gate))
        child = next(children, None)
    if column.many:
        return tuple(found), child
    if not found and not column.optional:
        at = "the end" if child is None else local(child)
        why = f"expected {column.name}, found {at}"
        raise MigrationFileError(checks.SCHEMA, "03", why, line=line_of(child))
    return (found[0] if found else None), child


def _content(kind: "Kind | Record", element: etree._Element, gate: Gate) -> Any:
    if isinstance(kind, Record):
        return read(kind, element, gate)
    if len(element) or element.attrib:
        raise _other(element, f"{local(element)} holds text alone")
    return _simple(kind, element.text or "", element, gate)


def _simple(kind: "Kind | Record", given: str, element: etree._Element, gate: Gate) -> Any:
    if not isinstance(kind, Kind):
        raise TypeError("an attribute or a text is of a simple kind")
    try:
        return kind.read_through(given, gate)
    except MigrationFileError as error:
        why = f"{local(element)}: {error.why}"
        raise MigrationFileError(error.check, error.sub_code, why, line=line_of(element)) from None


def _made(record: Record, values: dict[str, Any], element: etree._Element) -> Any:
    try:
        return record.make(**values)
    except MigrationFileError as error:
        why = f"{local(element)}: {error.why}"
        raise MigrationFileError(error.check, error.sub_code, why, line=line_of(element)) from None


def _refuse_rest(element: etree._Element, used: int, *, has_text: bool) -> None:
    if len(element.attrib) != used:
        raise _other(element, "an attribute has no place here")
    if has_text:
        return
    for piece in [element.text, *[child.tail for child in element]]:
        if piece and piece.strip(" \t\r\n"):
            raise _other(element, "text stands between elements")


def write(record: Record, element: etree._Element, value: Any) -> None:
    """Write the structure of ``value`` into ``element``.

    Raises:
        MigrationFileError: X-VALUE: a value has no text of its kind.
    """
    space = _space(element)
    for column in record.columns:
        content = getattr(value, column.field)
        if column.place is Place.ELEMENT:
            rows = content if column.many else (content,)
            for row in rows:
                if row is not None or not column.optional:
                    _write_element(column.kind, element, f"{{{space}}}{column.name}", row)
        elif isinstance(column.kind, Kind):
            written = column.kind.write(content)
            if column.place is Place.ATTRIBUTE:
                element.set(column.name, written)
            else:
                element.text = written


def _write_element(kind: "Kind | Record", parent: etree._Element, name: str, value: Any) -> None:
    child = etree.SubElement(parent, name)
    if isinstance(kind, Record):
        write(kind, child, value)
        return
    try:
        child.text = kind.write(value)
    except MigrationFileError as error:
        why = f"{local(child)}: {error.why}"
        raise MigrationFileError(error.check, error.sub_code, why) from None


def local(element: etree._Element) -> str:
    """Return the local name of an element."""
    return etree.QName(element).localname


def line_of(element: etree._Element | None) -> int:
    """Return the line an element starts on, counted from 1; 0 where there is none."""
    line: object = None if element is None else element.sourceline
    return line if isinstance(line, int) else 0


def _space(element: etree._Element) -> str:
    space, closed, _name = element.tag[1:].partition("}")  # "{namespace}name", or a name alone
    return space if closed else ""


def _other(element: etree._Element, why: str) -> MigrationFileError:
    return MigrationFileError(
        checks.SCHEMA, "03", f"{local(element)}: {why}", line=line_of(element)
    )
