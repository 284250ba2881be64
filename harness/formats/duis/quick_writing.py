"""Writes documents as text: the octets a tree would give, without a tree.

What stands here writes one form: elements of one name space, plain text in them. Whatever is out of
the ordinary (a character that XML would write in another way, a document inside that was not made
here) is left to the tree, and a test holds this path to it (architecture, fast paths).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from harness.formats.duis import document, signing
from harness.formats.duis.faults import DuisError
from harness.formats.duis.kinds import Simple
from harness.formats.duis.shape import (
    NAMESPACE,
    SIGNATURE_NAMESPACE,
    Choice,
    Embedded,
    Field,
    Shape,
)
from harness.formats.duis.signing import XmlKey

#: Appends the lines of a value.
_Writer = Callable[[Any, list[str]], None]
#: What every document begins with.
DECLARATION: Final = "<?xml version='1.0' encoding='UTF-8'?>\n"
#: How a root of the DUIS name space declares it, and that of signatures.
DECLARED: Final = f' xmlns:sr="{NAMESPACE}"'
SIGNING: Final = f' xmlns:ds="{SIGNATURE_NAMESPACE}"'
VERSION: Final = f' schemaVersion="{document.SCHEMA_VERSION}"'
_UNUSUAL: Final = re.compile(r"[^ -~]|[&<>]")


class UnusualError(Exception):
    """A value that only a tree can write."""


def plain(text: str) -> str:
    """Return a text that XML writes as it stands.

    Raises:
        UnusualError: It is none.
    """
    if _UNUSUAL.search(text) is not None:
        raise UnusualError
    return text


@dataclass(slots=True)
class DocumentWriter:
    """Writes documents of one root.

    Attributes:
        name: Local name of the root.
        parts: Local name and kind of the elements in it.
    """

    name: str
    parts: tuple[tuple[str, Shape | Choice], ...]
    _writers: list[_Writer] = field(default_factory=list)

    def write(self, values: tuple[Any, ...], key: XmlKey | None) -> bytes | None:
        """Return a document with these values, signed where a key is given.

        None where it needs a tree, or the schema does not allow a value: then the tree's way says
        what is wrong, and where.
        """
        if not self._writers:
            self._writers = [_element(name, kind, 1) for name, kind in self.parts]
        lines: list[str] = []
        try:
            for writer, value in zip(self._writers, values, strict=True):
                writer(value, lines)
        except (DuisError, UnusualError):
            return None
        name, body = self.name, "\n".join(lines)
        signature = ""
        if key is not None:
            signed = f"<sr:{name}{DECLARED}{VERSION}>\n{canonical_lines(body)}\n</sr:{name}>"
            signature = signing.signature_over(signed.encode("ascii"), key)
        root = f"<sr:{name}{DECLARED}{SIGNING}{VERSION}>"
        whole = f"{DECLARATION}{root}\n{body}\n{signature}</sr:{name}>"
        return whole.encode()


#: Canonical documents lately made here, oldest first: fit to stand inside others.
_MADE: Final[dict[bytes, None]] = {}
_MOST_MADE: Final = 64


def made(canonical: str) -> bytes:
    """Return a document in exclusive canonical form, made of texts and tags that `plain` let pass.

    Args:
        canonical: The document, its root of the DUIS name space.
    """
    octets = canonical.encode("ascii")
    if len(_MADE) >= _MOST_MADE:
        _MADE.pop(next(iter(_MADE), b""), None)  # another thread may have taken it
    _MADE[octets] = None
    return octets


def is_made(octets: bytes) -> bool:
    """Say whether a document is one of those lately made here, so that its octets are canonical."""
    return octets in _MADE


def canonical_lines(body: str) -> str:
    """Return lines in canonical form: nothing is empty, and signatures declare their name space."""
    pieces: list[str] = []
    at = 0
    while (end := body.find("/>", at)) >= 0:
        tag = body[body.rfind("<", 0, end) + 1 : end].split(" ", 1)[0]
        pieces += (body[at:end], "></", tag, ">")
        at = end + 2
    whole = "".join((*pieces, body[at:])) if pieces else body
    return whole.replace("<ds:Signature>", f"<ds:Signature{SIGNING}>")


def _shortened(body: str) -> str:
    """Return canonical lines as they stand in a document: what is empty is one tag."""
    pieces: list[str] = []
    at = 0
    while (end := body.find("></", at)) >= 0:
        if body[body.rfind("<", 0, end) + 1] == "/":
            pieces.append(body[at : end + 3])
            at = end + 3
        else:
            pieces += (body[at:end], "/>")
            at = body.index(">", end + 3) + 1
    whole = "".join((*pieces, body[at:]))
    return whole.replace(f"<ds:Signature{SIGNING}>", "<ds:Signature>")


def _element(name: str, kind: Simple | Shape | Choice | Embedded, depth: int) -> _Writer:
    """Return what writes an element of that name and kind."""
    space = "  " * depth
    if isinstance(kind, Simple):
        return _simple(f"{space}<sr:{name}>", f"</sr:{name}>", kind)
    if isinstance(kind, Embedded):
        return _embedded(space)
    inside = _content(kind, depth + 1)
    begun, empty, ended = f"{space}<sr:{name}>", f"{space}<sr:{name}/>", f"{space}</sr:{name}>"

    def write(value: Any, lines: list[str]) -> None:
        at = len(lines)
        lines.append(begun)
        inside(value, lines)
        if len(lines) == at + 1:
            lines[at] = empty
        else:
            lines.append(ended)

    return write


def _simple(begun: str, ended: str, kind: Simple) -> _Writer:
    written = kind.write

    def write(value: Any, lines: list[str]) -> None:
        text = written(value)
        if _UNUSUAL.search(text) is not None:
            raise UnusualError
        lines.append(f"{begun}{text}{ended}")

    return write


def _embedded(space: str) -> _Writer:
    def write(value: bytes, lines: list[str]) -> None:
        if not is_made(value):
            raise UnusualError
        lines.append(space + _shortened(value.decode("ascii").replace(DECLARED, "", 1)))

    return write


def _content(kind: Shape | Choice, depth: int) -> _Writer:
    """Return what writes the content of an element."""
    return _choice(kind, depth) if isinstance(kind, Choice) else _shape(kind, depth)


def _choice(kind: Choice, depth: int) -> _Writer:
    rows: dict[type, _Writer] = {}
    for name, row, made in kind.rows:
        rows.setdefault(made, _element(name, row, depth))

    def write(value: Any, lines: list[str]) -> None:
        if value is None:
            return
        writer = None if kind.named else rows.get(type(value))
        if writer is None:
            raise UnusualError
        writer(value, lines)

    return write


def _shape(kind: Shape, depth: int) -> _Writer:
    rows = [(one.attribute, one.most > 1, _field(one, depth)) for one in kind.fields]

    def write(value: Any, lines: list[str]) -> None:
        for attribute, several, writer in rows:
            content = getattr(value, attribute)
            if content is None:
                continue
            if several:
                for one in content:
                    writer(one, lines)
            else:
                writer(content, lines)

    return write


def _field(one: Field, depth: int) -> _Writer:
    if isinstance(one.kind, Choice) and not one.element:
        return _choice(one.kind, depth)
    return _element(one.element, one.kind, depth)
