"""Writes structures as text: the octets a tree would give, without a tree to be written out.

What stands here writes elements of one name space with plain text in them. Whatever is out of the
ordinary (a character that XML would write in another way, an empty text, a value that has no text
of its kind) is left to the tree, which writes it or says what is wrong with it; a test holds this
path to it (architecture, fast paths).
"""

from collections.abc import Callable
from typing import Any, Final

from harness.formats.duis.quick_writing import UnusualError, plain
from harness.formats.migration_files.kinds import Kind
from harness.formats.migration_files.xml_table import Column, Place, Record

#: The prefix of migration files.
PREFIX: Final = "mig"
#: Appends the lines of a value, and the same lines in canonical form.
Writer = Callable[[Any, list[str], list[str]], None]


def element(name: str, kind: Kind | Record, depth: int | None) -> Writer:
    """Return what writes an element of that name and kind.

    Args:
        name: Its local name.
        kind: What it contains.
        depth: How many spaces stand before it; those inside it stand one deeper. None: there is
            no space anywhere.
    """
    space = " " * (depth or 0)
    if isinstance(kind, Kind):
        return _simple(f"{space}<{PREFIX}:{name}>", f"</{PREFIX}:{name}>", kind)
    attributes = [one for one in kind.columns if one.place is Place.ATTRIBUTE]
    texts = [one for one in kind.columns if one.place is Place.TEXT]
    inside = content(kind, None if depth is None else depth + 1)
    begun, ended = f"<{PREFIX}:{name}", f"</{PREFIX}:{name}>"

    def write(value: Any, lines: list[str], canonical: list[str]) -> None:
        given, ordered = _attributes(attributes, value) if attributes else ("", "")
        if texts:
            text = _text(texts[0], value)
            lines.append(f"{space}{begun}{given}>{text}{ended}")
            canonical.append(f"{space}{begun}{ordered}>{text}{ended}")
            return
        at = len(lines)
        lines.append(f"{space}{begun}{given}>")
        canonical.append(f"{space}{begun}{ordered}>")
        inside(value, lines, canonical)
        if len(lines) > at + 1:
            lines.append(f"{space}{ended}")
            canonical.append(f"{space}{ended}")
        else:
            lines[at] = f"{space}{begun}{given}/>"
            canonical[at] += ended

    return write


def content(record: Record, depth: int | None) -> Writer:
    """Return what writes the elements of a structure, each at that depth."""
    rows = [
        (one.field, one.many, one.optional, element(one.name, one.kind, depth))
        for one in record.columns
        if one.place is Place.ELEMENT
    ]

    def write(value: Any, lines: list[str], canonical: list[str]) -> None:
        for field, many, optional, writer in rows:
            found = getattr(value, field)
            if many:
                for one in found:
                    writer(one, lines, canonical)
            elif found is not None or not optional:
                writer(found, lines, canonical)

    return write


def _simple(begun: str, ended: str, kind: Kind) -> Writer:
    written = kind.write

    def write(value: Any, lines: list[str], canonical: list[str]) -> None:
        text = plain(written(value))
        if not text:
            raise UnusualError
        line = f"{begun}{text}{ended}"
        lines.append(line)
        canonical.append(line)

    return write


def _attributes(columns: list[Column], value: Any) -> tuple[str, str]:
    """Return attributes in the order of their table, and in that of canonical XML."""
    pieces = []
    for column in columns:
        text = _written(column, value)
        if '"' in text:
            raise UnusualError
        pieces.append((column.name, f' {column.name}="{text}"'))
    given = "".join([piece for _name, piece in pieces])
    return given, "".join([piece for _name, piece in sorted(pieces)])


def _text(column: Column, value: Any) -> str:
    text = _written(column, value)
    if not text:
        raise UnusualError
    return text


def _written(column: Column, value: Any) -> str:
    kind = column.kind
    if isinstance(kind, Record):
        raise UnusualError
    return plain(kind.write(getattr(value, column.field)))
