"""Structures as tables that serve reading and writing alike."""

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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
    _plans: "dict[str, _Plan]" = field(default_factory=dict, init=False, repr=False, compare=False)

    def plan(self, space: str) -> "_Plan":
        """Return how the structure is read in a name space."""
        plan = self._plans.get(space)
        if plan is None:
            plan = self._plans[space] = _plan_of(self.columns, space)
        return plan


class _Plan(NamedTuple):
    """A table as reading goes through it.

    Attributes:
        elements: Columns of elements, with their qualified names.
        others: Columns of attributes and of the element's own text, in their order.
        has_text: Whether there is such a text.
    """

    elements: tuple[tuple[Column, str], ...]
    others: tuple[Column, ...]
    has_text: bool


def _plan_of(columns: tuple[Column, ...], space: str) -> _Plan:
    elements = [one for one in columns if one.place is Place.ELEMENT]
    others = tuple(one for one in columns if one.place is not Place.ELEMENT)
    has_text = any(one.place is Place.TEXT for one in others)
    return _Plan(tuple((one, f"{{{space}}}{one.name}") for one in elements), others, has_text)


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
    plan = record.plan(_space(element))
    values, between = _elements(plan, element.iterchildren(), gate)
    used = 0
    for column in plan.others:
        if column.place is Place.ATTRIBUTE:
            given = element.get(column.name)
            if given is None:
                raise _other(element, f"the attribute {column.name} is missing")
            values[column.field] = _simple(column.kind, given, element, gate)
            used += 1
        else:
            values[column.field] = _simple(column.kind, element.text or "", element, gate)
    if len(element.attrib) != used:
        raise _other(element, "an attribute has no place here")
    if not plan.has_text and (between or _is_said(element.text)):
        raise _other(element, "text stands between elements")
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
    values, _between = _elements(record.plan(_space(element)), iter(children), gate)
    return _made(record, values, element)


def _elements(
    plan: _Plan, children: Iterator[etree._Element], gate: Gate
) -> tuple[dict[str, Any], bool]:
    """Return values of elements, and whether text stands behind one of them."""
    values: dict[str, Any] = {}
    between = False
    child = next(children, None)
    for column, wanted in plan.elements:
        found: list[Any] = []
        while child is not None and child.tag == wanted and (column.many or not found):
            found.append(_content(column.kind, child, gate))
            between = between or _is_said(child.tail)
            child = next(children, None)
        if column.many:
            values[column.field] = tuple(found)
        elif found:
            values[column.field] = found[0]
        elif column.optional:
            values[column.field] = None
        else:
            at = "the end" if child is None else local(child)
            why = f"expected {column.name}, found {at}"
            raise MigrationFileError(checks.SCHEMA, "03", why, line=line_of(child))
    if child is not None:
        raise _other(child, f"{local(child)} has no place here")
    return values, between


def _is_said(text: str | None) -> bool:
    """Say whether a text between elements is more than space."""
    return bool(text and text.strip(" \t\r\n"))


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
    space, closed, _name = element.tag.rpartition("}")
    return space[1:] if closed else ""


def _other(element: etree._Element, why: str) -> MigrationFileError:
    return MigrationFileError(
        checks.SCHEMA, "03", f"{local(element)}: {why}", line=line_of(element)
    )
