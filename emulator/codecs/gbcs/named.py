"""Named values: what every GBCS payload becomes when each of its fields is told by name.

A named value is a pair of a part and its value. A `Leaf` (or a ``ZclField``) has a plain value:
whole number, octets, text, None (a certificate: its DER tree). A `Group` (or ``ZclCase``) has a
tuple of named values, `Rows` (or ``ZclRows``) a tuple of tuples of them.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from emulator.codecs.gbcs.zcl_layouts import ZclCase, ZclField, ZclRows


@dataclass(frozen=True, slots=True)
class Leaf:
    """A single value.

    Attributes:
        name: What it is; ends in its unit where it has one (``_wh``, ``_s``, ``_millipence`` …).
        type: Word for how it is to be read: of ``dlms.plain_scalars``, ``zcl_layouts``,
            ``asn1_layouts`` or this package.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Group:
    """Several values of one thing."""

    name: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Several things of one kind; each row is a tuple of named values."""

    name: str


Part = Leaf | Group | Rows | ZclField | ZclCase | ZclRows
NamedValue = tuple[Part, Any]
Named = tuple[NamedValue, ...]


@lru_cache(maxsize=4096)
def leaf(name: str, kind: str) -> Leaf:
    """Return the leaf of that name and type, the same one each time."""
    return Leaf(name, kind)


@lru_cache(maxsize=1024)
def group(name: str) -> Group:
    """Return the group of that name, the same one each time."""
    return Group(name)


def is_rows(part: Part) -> bool:
    """Say whether a part's value is a tuple of rows."""
    return isinstance(part, Rows | ZclRows)


def is_group(part: Part) -> bool:
    """Say whether a part's value is a tuple of named values."""
    return isinstance(part, Group | ZclCase)


def leaves(named: Named, path: str = "") -> list[tuple[str, Part, Any]]:
    """Return every leaf with the path of names that leads to it."""
    found: list[tuple[str, Part, Any]] = []
    for part, value in named:
        here = f"{path}/{part.name}" if path else part.name
        if is_rows(part):
            for row in value:
                found += leaves(row, here)
        elif is_group(part):
            found += leaves(value, here)
        else:
            found.append((here, part, value))
    return found
