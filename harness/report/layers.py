"""What a decoded frame is to a report: ends, one line, and layers of named fields."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Fields = tuple[tuple[str, str], ...]

#: Family of a fragment, and the layer that says a frame completed a message.
FRAGMENTS: Final = "fragments"
REASSEMBLED: Final = "reassembled"


@dataclass(frozen=True, slots=True)
class Layer:
    """One decoded layer of a frame.

    Attributes:
        name: Its name, for a heading.
        tell: Returns its fields as (name, text); asked only for frames that are shown.
    """

    name: str
    tell: Callable[[], Fields]


Layers = tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class Dissection:
    """A decoded frame; attributes as in ``TraceItem``."""

    sender: str
    receiver: str
    label: str
    family: str = ""
    layers: Layers = ()
    damaged: bool = False


def said(name: str, *rows: tuple[str, str]) -> Layer:
    """Return a layer whose fields are known already."""
    return Layer(name, lambda: rows)
