"""Reads documents of the very form that is written here: the values a tree would give, without one.

What stands here reads one form, line by line and to the letter: what `quick_writing` writes. Such a
text is well-formed XML of a known shape, with nothing in it that a parser has to refuse, and its
canonical form follows from it. Whatever deviates in the least (a comment, an entity, a space, a
value that its kind does not allow) is left to the parser, which then reads it, or says what is
wrong with it and where. Tests hold this path to the parser's (architecture, fast paths).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.core.values import quick
from harness.formats.duis import signature_form, smets1_text
from harness.formats.duis.faults import DuisError
from harness.formats.duis.kinds import Simple
from harness.formats.duis.quick_writing import (
    DECLARATION,
    DECLARED,
    SIGNING,
    VERSION,
    canonical_lines,
    is_made,
)
from harness.formats.duis.shape import Choice, Embedded, Field, Shape
from harness.formats.duis.signature_form import Signed

#: Reads what stands at a line; returns the value and the line behind it.
_Reader = Callable[[list[str], int], tuple[Any, int]]
#: Longer documents are for the parser.
_SMALL_BYTES: Final = 32 * 1024
#: What the parts of such a document consist of: no tab, no return, nothing that XML escapes.
_PLAIN: Final = bytes({*range(0x20, 0x7F), 0x0A} - {ord("&")})


class OtherFormError(Exception):
    """A text of another form, which only the parser can read or refuse."""


@quick
@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a document.

    Attributes:
        values: Values of its parts, in their order.
        mark: Its signature with what it has to cover; None where it has none.
    """

    values: tuple[Any, ...]
    mark: Signed | None


@dataclass(slots=True)
class DocumentReader:
    """Reads documents of one root.

    Attributes:
        name: Local name of the root.
        parts: Local name and kind of the elements in it.
    """

    name: str
    parts: tuple[tuple[str, Shape | Choice], ...]
    _readers: list[_Reader] = field(default_factory=list)
    _begun: bytes = b""
    _ended: bytes = b""

    def __post_init__(self) -> None:
        root = f"<sr:{self.name}{DECLARED}{SIGNING}{VERSION}>"
        self._begun = f"{DECLARATION}{root}\n".encode("ascii")
        self._ended = f"</sr:{self.name}>".encode("ascii")

    def read(self, data: bytes) -> Read | None:
        """Return what a document says; None where it is for the parser to read or refuse it."""
        parts = self._parted(data)
        if parts is None:
            return None
        body, mark = parts
        signature = signature_form.texts_in(mark) if mark else None
        if mark and signature is None:
            return None
        try:
            values = self._values(body.split("\n"))
        except (OtherFormError, DuisError, IndexError):
            return None
        if signature is None:
            return Read(values, None)
        return Read(values, Signed(signature, lambda: self._signed(body)))

    def _parted(self, data: bytes) -> tuple[str, str] | None:
        """Return what stands in a document: its parts, and its signature or nothing."""
        begun, ended = self._begun, self._ended
        end = data.rfind(b"\n")
        if len(data) > _SMALL_BYTES or end < len(begun) or not data.isascii():
            return None
        if not data.startswith(begun) or not data.endswith(ended):
            return None
        body, mark = data[len(begun) : end], data[end + 1 : -len(ended)]
        if body.translate(None, _PLAIN):
            return None
        return body.decode("ascii"), mark.decode("ascii")

    def _values(self, lines: list[str]) -> tuple[Any, ...]:
        if not self._readers:
            self._readers = [_element(name, kind, 1) for name, kind in self.parts]
        values, at = [], 0
        for reader in self._readers:
            value, at = reader(lines, at)
            values.append(value)
        if at != len(lines):
            raise OtherFormError
        return tuple(values)

    def _signed(self, body: str) -> bytes:
        inside = canonical_lines(body)
        return f"<sr:{self.name}{DECLARED}{VERSION}>\n{inside}\n</sr:{self.name}>".encode("ascii")


def _element(name: str, kind: Simple | Shape | Choice | Embedded, depth: int) -> _Reader:
    """Return what reads an element of that name and kind."""
    space = "  " * depth
    if isinstance(kind, Simple):
        return _simple(f"{space}<sr:{name}>", f"</sr:{name}>", kind)
    if isinstance(kind, Embedded):
        return _embedded(f"{space}<sr:{name}")
    inside = _content(kind, depth + 1)
    begun, empty, ended = f"{space}<sr:{name}>", f"{space}<sr:{name}/>", f"{space}</sr:{name}>"

    def read(lines: list[str], at: int) -> tuple[Any, int]:
        line = lines[at]
        if line == begun:
            value, at = inside(lines, at + 1)
            if lines[at] == ended:
                return value, at + 1
        elif line == empty:
            return inside(_NOTHING, 0)[0], at + 1
        raise OtherFormError

    return read


#: What stands in an empty element: a line that begins nothing.
_NOTHING: Final = [""]


def _simple(begun: str, ended: str, kind: Simple) -> _Reader:
    understood, first, rest = kind.read, len(begun), -len(ended)

    def read(lines: list[str], at: int) -> tuple[Any, int]:
        line = lines[at]
        text = line[first:rest]
        if not line.startswith(begun) or not line.endswith(ended) or "<" in text or ">" in text:
            raise OtherFormError
        if len(line) < first - rest:  # the tags may not overlap
            raise OtherFormError
        return understood(text), at + 1

    return read


def _embedded(begun: str) -> _Reader:
    """Return what reads a document inside: one whose octets are known to be canonical."""

    def read(lines: list[str], at: int) -> tuple[Any, int]:
        line = lines[at]
        if not line.startswith(f"{begun} "):
            raise OtherFormError
        # In a document of its own the root declares the name space too.
        octets = canonical_lines(f"{begun.lstrip()}{DECLARED}{line[len(begun) :]}").encode("ascii")
        if not is_made(octets) and not smets1_text.is_canonical(octets):
            raise OtherFormError
        return octets, at + 1

    return read


def _content(kind: Shape | Choice, depth: int) -> _Reader:
    """Return what reads the content of an element."""
    return _choice(kind, depth) if isinstance(kind, Choice) else _shape(kind, depth)


def _choice(kind: Choice, depth: int) -> _Reader:
    begun = "  " * depth + "<sr:"
    rows: dict[str, _Reader] = {}
    for name, row, _made in kind.rows:
        rows.setdefault(name, _element(name, row, depth))

    def read(lines: list[str], at: int) -> tuple[Any, int]:
        name = _name_in(lines[at], begun)
        reader = rows.get(name)
        if reader is not None:
            return reader(lines, at)
        if name or not kind.optional:
            raise OtherFormError
        return None, at

    return read


def _name_in(line: str, begun: str) -> str:
    """Return the name of the element that a line of that depth begins; empty where it is none."""
    if not line.startswith(begun):
        return ""
    return line[len(begun) : line.find(">")].rstrip("/")


def _shape(kind: Shape, depth: int) -> _Reader:
    if kind.marks or kind.text:
        return _refused
    rows = [(one.attribute, one.most, one.optional, *_field(one, depth)) for one in kind.fields]
    make = kind.make

    def read(lines: list[str], at: int) -> tuple[Any, int]:
        values: dict[str, Any] = {}
        for attribute, most, optional, begun, reader in rows:
            if begun and not lines[at].startswith(begun):
                if not optional:
                    raise OtherFormError
                values[attribute] = None
                continue
            values[attribute], at = reader(lines, at)
            if most > 1:
                several = [values[attribute]]
                while len(several) < most and lines[at].startswith(begun):
                    value, at = reader(lines, at)
                    several.append(value)
                values[attribute] = tuple(several)
        return make(**values), at

    return read


def _refused(_lines: list[str], _at: int) -> tuple[Any, int]:
    """Elements with attributes, or with text beside elements, are not written here."""
    raise OtherFormError


def _field(one: Field, depth: int) -> tuple[tuple[str, ...], _Reader]:
    """Return what the line of a field begins with (none: its reader knows), and its reader."""
    if isinstance(one.kind, Choice) and not one.element:
        return (), _choice(one.kind, depth)
    begun = f"{'  ' * depth}<sr:{one.element}"
    return (f"{begun}>", f"{begun}/>", f"{begun} "), _element(one.element, one.kind, depth)
