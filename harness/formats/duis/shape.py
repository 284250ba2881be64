"""Complex types of the DUIS schema as tables that serve reading and writing alike."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from lxml import etree

from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.kinds import Simple
from harness.formats.duis.xml_input import parse

NAMESPACE: Final = "http://www.dccinterface.co.uk/ServiceUserGateway"
SIGNATURE_NAMESPACE: Final = "http://www.w3.org/2000/09/xmldsig#"
INSTANCE_NAMESPACE: Final = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass(frozen=True, slots=True)
class Field:
    """One element of a sequence.

    Attributes:
        element: Local name in the DUIS name space; empty for a choice that stands in the
            sequence itself.
        attribute: Name of the dataclass field that holds it.
        kind: What it contains.
        optional: Absent means None.
        most: With more than one, the attribute is a tuple of 1 to that many.
    """

    element: str
    attribute: str
    kind: "Simple | Shape | Choice | Embedded"
    optional: bool = False
    most: int = 1


@dataclass(frozen=True, slots=True)
class Shape:
    """A sequence of elements that makes one dataclass.

    Attributes:
        make: The dataclass.
        fields: Its elements, in schema order.
        marks: Its XML attributes, all required, without name space; their kinds are ``Simple``.
        text: What stands between its tags instead of elements, or None.
    """

    make: Callable[..., Any]
    fields: tuple[Field, ...] = ()
    marks: tuple[Field, ...] = ()
    text: Field | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """A signed document of its own inside another; its value is its octets.

    They are exclusive canonical XML, so that a signature over them stays good wherever they stand.
    """


@dataclass(frozen=True, slots=True)
class Choice:
    """Exactly one of several elements, told apart by name on reading and by type on writing.

    Attributes:
        rows: Element name, what it contains, type of its value.
        optional: None of them may be there.
        named: Attribute of the value that names its element, where types do not tell; or empty.
    """

    rows: tuple[tuple[str, "Simple | Shape", type], ...]
    optional: bool = False
    _by_tag: dict[str, "Simple | Shape"] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def row(self, qualified: str) -> "Simple | Shape | None":
        """Return what the element of that qualified name contains; None: it is none of them."""
        if not self._by_tag:
            self._by_tag.update({tag(name): kind for name, kind, _type in reversed(self.rows)})
        return self._by_tag.get(qualified)

    named: str = ""


@cache
def tag(element: str) -> str:
    """Return the qualified name of a DUIS element."""
    return f"{{{NAMESPACE}}}{element}"


def read(kind: Simple | Shape | Choice | Embedded, element: etree._Element) -> Any:
    """Read the content of ``element``.

    Raises:
        DuisError: With the line of the element at fault.
    """
    if isinstance(kind, Embedded):
        return canonical(element)
    if isinstance(kind, Simple):
        return _read_simple(kind, element)
    if isinstance(kind, Shape) and (kind.marks or kind.text):
        return _read_marked(kind, element)
    _refuse_attributes(element)
    _refuse_text(element)
    children = element.iterchildren()
    value = _read_choice(kind, children, element) if isinstance(kind, Choice) else None
    if isinstance(kind, Shape):
        value = _read_shape(kind, children, element)
    return value


def _read_marked(shape: Shape, element: etree._Element) -> Any:
    """Read an element with XML attributes, or with text of its own."""
    _refuse_attributes(element, frozenset(mark.element for mark in shape.marks))
    values: dict[str, Any] = {}
    for mark in shape.marks:
        written = element.get(mark.element)
        if written is None:
            why = f"the attribute {mark.element} is missing"
            raise DuisError(DuisFault.MISSING_ELEMENT, why).at(line_of(element), local(element))
        values[mark.attribute] = _read_text(mark.kind, written, element)
    if shape.text is None:
        _refuse_text(element)
        return _read_shape(shape, element.iterchildren(), element, values)
    if len(element):
        raise _unexpected(element[0], element)
    values[shape.text.attribute] = _read_text(shape.text.kind, element.text or "", element)
    return _made(shape, values, element)


def _read_text(kind: Any, text: str, element: etree._Element) -> Any:
    try:
        return kind.read(text)
    except DuisError as error:
        raise error.at(line_of(element), local(element)) from error


def _read_shape(
    shape: Shape,
    children: Iterator[etree._Element],
    parent: etree._Element,
    marked: dict[str, Any] | None = None,
) -> Any:
    values: dict[str, Any] = marked or {}
    child = next(children, None)
    for field in shape.fields:
        kind = _kind_of(field, child)
        if child is not None and kind is not None:
            values[field.attribute] = read(kind, child)
            child = next(children, None)
            if field.most > 1:
                more, child = _more(field, child, children)
                values[field.attribute] = (values[field.attribute], *more)
        elif _may_be_absent(field):
            values[field.attribute] = None
        else:
            raise _missing(_name_of(field), parent, child)
    if child is not None:
        raise _unexpected(child, parent)
    return _made(shape, values, parent)


def _more(
    field: Field, child: etree._Element | None, children: Iterator[etree._Element]
) -> tuple[list[Any], etree._Element | None]:
    values: list[Any] = []
    while child is not None and child.tag == tag(field.element) and len(values) < field.most - 1:
        values.append(read(field.kind, child))
        child = next(children, None)
    return values, child


def _kind_of(
    field: Field, child: etree._Element | None
) -> "Simple | Shape | Choice | Embedded | None":
    """Return how to read ``child`` if it belongs to this field."""
    if child is None:
        return None
    if isinstance(field.kind, Choice) and not field.element:
        return _row_of(field.kind, child)
    return field.kind if child.tag == tag(field.element) else None


def _may_be_absent(field: Field) -> bool:
    inline = isinstance(field.kind, Choice) and not field.element and field.kind.optional
    return field.optional or inline


def _name_of(field: Field) -> str:
    return _names(field.kind) if isinstance(field.kind, Choice) else field.element


def _made(shape: Shape, values: dict[str, Any], parent: etree._Element) -> Any:
    try:
        return shape.make(**values)
    except DuisError as error:
        raise error.at(line_of(parent), local(parent)) from error


def _read_choice(choice: Choice, children: Iterator[etree._Element], parent: etree._Element) -> Any:
    child = next(children, None)
    row = None if child is None else _row_of(choice, child)
    if child is None or row is None:
        if child is None and choice.optional:
            return None
        raise _missing(_names(choice), parent, child)
    value = read(row, child)
    if (extra := next(children, None)) is not None:
        raise _unexpected(extra, parent)
    return value


def _read_simple(kind: Simple, element: etree._Element) -> Any:
    _refuse_attributes(element)
    if len(element):
        raise _unexpected(element[0], element)
    try:
        return kind.read(element.text or "")
    except DuisError as error:
        raise error.at(line_of(element), local(element)) from error


def canonical(element: etree._Element) -> bytes:
    """Return an element as a document of its own, in exclusive canonical XML.

    Raises:
        DuisError: not-well-formed: it has none, because a name space in it is a relative one.
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    except etree.C14NError as error:
        why = "it has no canonical form"
        raise DuisError(DuisFault.NOT_WELL_FORMED, why, line=line_of(element)) from error


def write(
    parent: etree._Element, element: str, kind: Simple | Shape | Choice | Embedded, value: Any
) -> None:
    """Append ``value`` to ``parent`` as an element of that name.

    Raises:
        DuisError: The schema does not allow the value.
    """
    if isinstance(kind, Embedded):
        parent.append(parse(value))
        return
    child = etree.SubElement(parent, tag(element))
    if isinstance(kind, Simple):
        try:
            child.text = kind.write(value)
        except DuisError as error:
            raise error.at(0, element) from error
        return
    fill(child, kind, value)


def fill(element: etree._Element, kind: Shape | Choice, value: Any) -> None:
    """Write ``value`` as the content of ``element``.

    Raises:
        DuisError: The schema does not allow the value.
    """
    if isinstance(kind, Choice):
        if value is not None:
            name, row = _row_for(kind, value)
            write(element, name, row, value)
        return
    for mark in kind.marks:
        element.set(mark.element, mark.kind.write(getattr(value, mark.attribute)))  # type: ignore[union-attr] # marks are simple
    if kind.text is not None:
        element.text = kind.text.kind.write(getattr(value, kind.text.attribute))  # type: ignore[union-attr] # text is simple
    for field in kind.fields:
        content = getattr(value, field.attribute)
        if isinstance(field.kind, Choice) and not field.element:
            fill(element, field.kind, content)
        elif content is not None:
            for one in content if field.most > 1 else (content,):
                write(element, field.element, field.kind, one)


def line_of(element: etree._Element) -> int:
    """Return the line an element starts on, counted from 1."""
    line: object = element.sourceline
    return line if isinstance(line, int) else 0


def local(element: etree._Element) -> str:
    """Return the local name of an element."""
    return etree.QName(element).localname


def _row_of(choice: Choice, child: etree._Element) -> "Simple | Shape | None":
    return choice.row(str(child.tag))


def _row_for(choice: Choice, value: Any) -> "tuple[str, Simple | Shape]":
    wanted = getattr(value, choice.named) if choice.named else None
    for name, kind, made in choice.rows:
        if type(value) is made and wanted in {None, name}:
            return name, kind
    raise TypeError(f"{type(value).__name__} is none of {_names(choice)}")


def _names(choice: Choice) -> str:
    names = [name for name, _kind, _type in choice.rows]
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def _missing(what: str, parent: etree._Element, found: etree._Element | None) -> DuisError:
    instead = "the end" if found is None else local(found)
    return DuisError(
        DuisFault.MISSING_ELEMENT,
        f"expected {what}, found {instead}",
        line=line_of(parent if found is None else found),
        where=local(parent),
    )


def _unexpected(element: etree._Element, parent: etree._Element) -> DuisError:
    return DuisError(
        DuisFault.UNEXPECTED_ELEMENT,
        f"{local(element)} has no place here",
        line=line_of(element),
        where=local(parent),
    )


def _refuse_attributes(element: etree._Element, known: frozenset[str] = frozenset()) -> None:
    for name in element.keys():  # noqa: SIM118 -- an element's iterator gives its children
        if name in known:
            continue
        raise DuisError(
            DuisFault.UNEXPECTED_ATTRIBUTE,
            f"attribute {str(name)[:60]} has no place here",
            line=line_of(element),
            where=local(element),
        )


def _refuse_text(element: etree._Element) -> None:
    text = element.text or ""
    for child in element:
        if tail := child.tail:
            text += tail
    if text.strip(" \t\r\n"):
        raise DuisError(
            DuisFault.UNEXPECTED_TEXT,
            "text between elements",
            line=line_of(element),
            where=local(element),
        )
