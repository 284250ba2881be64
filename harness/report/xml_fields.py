"""A DUIS document as rows for a reader: each leaf element with its text."""

from typing import Final

from lxml import etree

from harness.formats.duis.faults import DuisError
from harness.formats.duis.xml_input import parse

_LONGEST: Final = 120
_NOT_SHOWN: Final = frozenset({"Signature"})


def is_xml(octets: bytes) -> bool:
    """Say whether octets look like an XML document."""
    return octets.lstrip()[:1] == b"<"


def fields_of_xml(octets: bytes) -> tuple[tuple[str, str], ...]:
    """Return (element, text) of every leaf in order, long texts cut; empty when it is no DUIS XML.

    The signature is left out: it says nothing to a reader.
    """
    try:
        root = parse(octets)
    except DuisError:
        return ()
    return tuple(_rows(root, 0))


def _rows(element: etree._Element, depth: int) -> list[tuple[str, str]]:
    name = etree.QName(element).localname
    if name in _NOT_SHOWN:
        return []
    inner = list(element)
    text = (element.text or "").strip()
    if not inner:
        return [("\N{NO-BREAK SPACE}" * 2 * depth + name, _cut(text))]
    rows = [("\N{NO-BREAK SPACE}" * 2 * depth + name, "")] if depth else []
    for child in inner:
        rows += _rows(child, depth + 1)
    return rows


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
