"""Bodies declared once: a dataclass whose annotations say their elements; the shape follows."""

import dataclasses
import enum
import typing
from functools import cache
from typing import Any, Final

from harness.formats.duis import kinds
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.kinds import Simple
from harness.formats.duis.shape import Choice, Field, Shape

#: Whole numbers of XML Schema.
SHORT: Final = kinds.whole_number(-(2**15), 2**15 - 1)
INT: Final = kinds.whole_number(-(2**31), 2**31 - 1)
UNSIGNED_SHORT: Final = kinds.whole_number(0, 2**16 - 1)
UNSIGNED_INT: Final = kinds.whole_number(0, 2**32 - 1)
SCALE: Final = kinds.whole_number(-128, 127)


class _Place(enum.Enum):
    """Where in its element a field stands."""

    ELEMENT = enum.auto()
    MARK = enum.auto()
    TEXT = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What an annotation says of a field.

    Attributes:
        place: Element, XML attribute or text.
        name: Name of the element or attribute; empty for a choice and for text.
        kind: A simple type, a declared body, or the rows of a choice.
        optional: It may be absent.
        least: How often it stands there at least.
        most: How often at most; with more than one its value is a tuple.
    """

    place: _Place
    name: str
    kind: Any
    optional: bool = False
    least: int = 1
    most: int = 1


class Body:
    """Base of declared bodies: their repeated elements are tuples of an allowed length."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Check how often elements stand there.

        Raises:
            DuisError: missing-element: too few.
        """
        kind: Any = type(self)
        for name, said in declared(kind):
            if said.most == 1:
                continue
            rows = tuple(getattr(self, name) or ())
            object.__setattr__(self, name, rows)
            if not said.least <= len(rows) <= said.most:
                why = f"{said.least} to {said.most} of {said.name} are due, not {len(rows)}"
                raise DuisError(DuisFault.MISSING_ELEMENT, why)
        self.check()

    def check(self) -> None:
        """Check what the schema says of several fields together; bodies override it.

        Raises:
            DuisError: They do not fit.
        """


def element(name: str, kind: Any, *, optional: bool = False, least: int = 1, most: int = 1) -> Said:
    """Say that a field is an element: of a simple type or a declared body."""
    return Said(_Place.ELEMENT, name, kind, optional or not least, least, most)


def one_of(*rows: tuple[str, Any]) -> Said:
    """Say that a field is one of several elements, which stand in the sequence itself."""
    return Said(_Place.ELEMENT, "", rows)


def mark(name: str, kind: Simple) -> Said:
    """Say that a field is an XML attribute."""
    return Said(_Place.MARK, name, kind)


def text(kind: Simple) -> Said:
    """Say that a field is the element's own text."""
    return Said(_Place.TEXT, "", kind)


@cache
def declared(body: Any) -> tuple[tuple[str, Said], ...]:
    """Return the fields of a body and what is said of each, in their order."""
    hints = typing.get_type_hints(body, include_extras=True)
    fields = dataclasses.fields(body)
    return tuple([(field.name, hints[field.name].__metadata__[0]) for field in fields])


@cache
def shape_of(body: type) -> Shape:
    """Return the shape of a declared body."""
    found: dict[_Place, list[Field]] = {place: [] for place in _Place}
    for name, said in declared(body):
        found[said.place].append(_as_field(name, said))
    own_text = found[_Place.TEXT][0] if found[_Place.TEXT] else None
    return Shape(body, tuple(found[_Place.ELEMENT]), tuple(found[_Place.MARK]), own_text)


def _as_field(attribute: str, said: Said) -> Field:
    if isinstance(said.kind, tuple):
        rows = tuple((name, _kind(kind), _type(kind)) for name, kind in said.kind)
        return Field("", attribute, Choice(rows))
    return Field(said.name, attribute, _kind(said.kind), said.optional, said.most)


def _kind(kind: Any) -> Any:
    return shape_of(kind) if isinstance(kind, type) else kind


def _type(kind: Any) -> type:
    return kind if isinstance(kind, type) else int
