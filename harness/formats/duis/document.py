"""The outside of a DUIS document: root element, schema version, where the signature stands."""

from collections.abc import Mapping
from typing import Final

from lxml import etree

from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.shape import (
    INSTANCE_NAMESPACE,
    NAMESPACE,
    SIGNATURE_NAMESPACE,
    line_of,
    tag,
)

SCHEMA_VERSION: Final = "5.4"
_SIGNATURE: Final = f"{{{SIGNATURE_NAMESPACE}}}Signature"
#: Documents with a signature of their own that stand inside others.
_SIGNED_INSIDE: Final = (tag("SMETS1SignedResponse"), tag("S1SPAlert"))
_PREFIXES: Final[Mapping[str, str]] = {"sr": NAMESPACE, "ds": SIGNATURE_NAMESPACE}


def parts(root: etree._Element, name: str) -> tuple[etree._Element, etree._Element, bool]:
    """Return Header and Body of a Request or Response, and whether a Signature follows.

    Raises:
        DuisError: wrong-root, schema-version, missing-element, unexpected-element …
    """
    if root.tag != tag(name):
        raise DuisError(
            DuisFault.WRONG_ROOT, f"the root is {root.tag}, not {tag(name)}", line=line_of(root)
        )
    _check_attributes(root)
    children = list(root)
    for position, expected in enumerate(("Header", "Body")):
        if len(children) <= position or children[position].tag != tag(expected):
            raise DuisError(
                DuisFault.MISSING_ELEMENT,
                f"expected {expected}",
                line=line_of(children[position] if len(children) > position else root),
                where=name,
            )
    signed = len(children) > 2 and children[2].tag == _SIGNATURE
    for extra in children[3 if signed else 2 :]:
        raise DuisError(
            DuisFault.UNEXPECTED_ELEMENT,
            f"{extra.tag} has no place here",
            line=line_of(extra),
            where=name,
        )
    return children[0], children[1], signed


def new(name: str) -> etree._Element:
    """Return an empty root element of that name."""
    root = etree.Element(tag(name), nsmap=dict(_PREFIXES))
    root.set("schemaVersion", SCHEMA_VERSION)
    return root


def indent(root: etree._Element) -> None:
    """Indent a document; signed documents inside it stay as they are."""
    inner = [one for one in root.iter(*_SIGNED_INSIDE) if one is not root]
    places = []
    for element in inner:
        place = etree.Element(element.tag)
        parent = element.getparent()
        if parent is not None:
            parent.replace(element, place)
            places.append((place, element))
    etree.indent(root)
    for place, element in places:
        element.tail = place.tail
        parent = place.getparent()
        if parent is not None:
            parent.replace(place, element)


def octets(root: etree._Element) -> bytes:
    """Return the document as UTF-8 octets with an XML declaration."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _check_attributes(root: etree._Element) -> None:
    version = root.get("schemaVersion")
    if version is None or version.strip() != SCHEMA_VERSION:
        raise DuisError(
            DuisFault.SCHEMA_VERSION,
            f"schemaVersion is {version!r}, this reads {SCHEMA_VERSION}",
            line=line_of(root),
        )
    for name in map(str, root.attrib):
        if name != "schemaVersion" and not name.startswith(f"{{{INSTANCE_NAMESPACE}}}"):
            raise DuisError(DuisFault.UNEXPECTED_ATTRIBUTE, f"attribute {name}", line=line_of(root))
