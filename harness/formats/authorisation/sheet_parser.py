"""The parser that reads parts of workbooks: it takes in nothing that a part only names."""

from collections.abc import Iterable
from typing import Any, Literal

from lxml import etree


def sheet_parser(events: Iterable[Literal["start", "end"]], tag: str | tuple[str, ...]) -> Any:
    """Return a pull parser of some elements: no entities, no network, no DTD, no huge texts.

    Args:
        events: Which moments of an element are told, ``start`` and ``end``.
        tag: Names of the elements that are told.
    """
    return etree.XMLPullParser(
        events=tuple(events),
        tag=tag,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
