"""The hardened way from octets to an element tree: what may not be there is refused early."""

import re
from functools import cache
from typing import Final

from lxml import etree

from harness.formats.duis.faults import DuisError, DuisFault

#: A 10 240 000-octet image is 13 653 336 characters of base64, a full device list 1 199 999.
MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 32
#: A profile of 13 months has 18,980 half hours, five elements each. Source: invented.
MAX_ELEMENTS: Final = 131_072
MAX_ATTRIBUTES: Final = 64
#: Documents up to this length are remembered as looked through; 128 of them are 4 MiB.
_SMALL_BYTES: Final = 32 * 1024

#: How the documents that are written here begin.
_USUAL: Final = b"<?xml version='1.0' encoding='UTF-8'?>"
_UTF8_NAMES: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


def parse(data: bytes, *, keep_all: bool = False) -> etree._Element:
    """Parse one DUIS document.

    Comments and processing instructions in it are dropped, so text on both sides of a comment is
    one text (``keep_all`` keeps them, for the check of a signature).

    Args:
        data: The whole document, UTF-8, at most 16 MiB.
        keep_all: Keep comments and processing instructions.

    Raises:
        DuisError: too-large, not-utf-8, dtd, external-dtd, entity, external-entity, too-deep,
            too-many-elements, too-many-attributes or not-well-formed.

    Source:
        invented (limits); the image and list sizes they follow from are the DUIS 5.4 XSD's.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise DuisError(
            DuisFault.TOO_LARGE,
            f"the document has {len(data)} octets, the limit is {MAX_DOCUMENT_BYTES}",
        )
    if len(data) <= _SMALL_BYTES:
        built = _look_through_small(data)
        if built is not None and (keep_all or not _is_commented(data, built)):
            return built if data.startswith(_USUAL) else _in_utf8(built)
    else:
        _look_through(data)
    # The walk has bounded depth, elements and attributes more tightly than libxml2 would; only
    # its 10 000 000-character limit on one text node is in the way of a full-size image.
    return _tree(data, _parser(huge=True, keep_all=keep_all))


def _look_through(data: bytes) -> None:
    _refuse_document_type(_text(data))
    _walk(data)


#: Short documents that were looked through, oldest first.
_LOOKED_THROUGH: Final[dict[bytes, None]] = {}
_MOST_LOOKED_THROUGH: Final = 128


def _look_through_small(data: bytes) -> etree._Element | None:
    """Look through a document once: every party on its way reads the same octets again.

    A short document may be built first and looked at then; one in which anything is wrong, or
    close to it, is walked through like a long one, so that both are refused alike.

    Returns:
        The tree, comments and all, where one was built.
    """
    if data in _LOOKED_THROUGH:
        return None
    if not data.isascii() or b"<!DOCTYPE" in data:
        _refuse_document_type(_text(data))
    try:
        root = etree.fromstring(data, _parser(huge=False, keep_all=True))
    except etree.XMLSyntaxError:
        root = None
    if root is None or _is_large(data, root) or _has_dtd(data, root):
        _walk(data)
        root = None
    if len(_LOOKED_THROUGH) >= _MOST_LOOKED_THROUGH:
        _LOOKED_THROUGH.pop(
            next(iter(_LOOKED_THROUGH), b""), None
        )  # another thread may have taken it
    _LOOKED_THROUGH[data] = None
    return root


def _has_dtd(data: bytes, root: etree._Element) -> bool:
    """Say whether a tree has a document type; octets in ASCII that name none declare none."""
    if data.isascii() and b"<!DOCTYPE" not in data:
        return False
    return root.getroottree().docinfo.internalDTD is not None


def _is_commented(data: bytes, root: etree._Element) -> bool:
    """Say whether anything in a tree is a comment, or in or beside it an instruction."""
    return not is_plain(data) and bool(_IS_COMMENTED(root))


#: A declaration and comments with nothing between them but space, then the first element.
_BEFORE_ALL: Final = re.compile(rb"<\?xml [^>]*\?>\s*(?:<!--[^-]*(?:-[^-]+)*-->\s*)*<[A-Za-z]")


def is_plain(data: bytes) -> bool:
    """Say whether `parse` drops nothing a signature could stand on: no instruction, no comment.

    A comment before the document's first element is no part of what is signed.
    """
    if data.find(b"<?", 2) >= 0:
        return False
    last = data.rfind(b"<!--")
    if last < 0:
        return True
    found = _BEFORE_ALL.match(data)
    return found is not None and last < found.end()


def _is_large(data: bytes, root: etree._Element) -> bool:
    """Say whether a tree is at or over a bound of its own; most octets have no room for one."""
    if data.count(b"<") >= MAX_ELEMENTS or (
        data.count(b"=") >= MAX_ATTRIBUTES
        # A tag and the text behind it, up to the next one: no value of an attribute holds a "<".
        and max(piece.count(b"=") for piece in data.split(b"<")) >= MAX_ATTRIBUTES
    ):
        return bool(_IS_LARGE(root))
    # Whatever has a child has an end of its own.
    return data.count(b"</") >= MAX_DEPTH - 1 and bool(_IS_DEEP(root))


#: Whether anything in a tree is a comment, or anything in or beside it an instruction.
_IS_COMMENTED: Final = etree.XPath("boolean(/*//comment() | //processing-instruction())")
#: Whether a tree is at or over a bound of its own.
_IS_DEEP: Final = etree.XPath(f"boolean({'/*' * MAX_DEPTH})")
_IS_LARGE: Final = etree.XPath(
    f"count(//*) >= {MAX_ELEMENTS}"
    f" or boolean({'/*' * MAX_DEPTH}) or boolean(//*[@*[{MAX_ATTRIBUTES}]])"
)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DuisError(
            DuisFault.NOT_UTF8, f"octet {error.start} is not UTF-8; DUIS documents are"
        ) from error


def _refuse_document_type(text: str) -> None:
    """Find a DOCTYPE where the grammar allows one, before any parser sees it."""
    at = _prolog_end(text)
    if not text.startswith("<!DOCTYPE", at):
        return
    line = text.count("\n", 0, at) + 1
    subset = text[at : at + 65536]
    opening = subset.split("[", 1)[0].split(">", 1)[0]
    entity = subset.find("<!ENTITY")
    if entity >= 0:
        declaration = subset[entity:].split(">", 1)[0]
        external = " SYSTEM" in declaration or " PUBLIC" in declaration
        name = DuisFault.EXTERNAL_ENTITY if external else DuisFault.ENTITY
        raise DuisError(name, "a DUIS document declares no entities", line=line)
    external = " SYSTEM" in opening or " PUBLIC" in opening
    name = DuisFault.EXTERNAL_DTD if external else DuisFault.DTD
    raise DuisError(name, "a DUIS document has no document type declaration", line=line)


def _prolog_end(text: str) -> int:
    """Return the index of the first markup that is no declaration, comment or instruction."""
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        for opening, closing in (("<?", "?>"), ("<!--", "-->")):
            if text.startswith(opening, at):
                end = text.find(closing, at + len(opening))
                if end < 0:
                    return len(text)
                at = end + len(closing)
                break
        else:
            return at


class _Bounds:
    """Counts while the document streams by; stores nothing of it."""

    def __init__(self) -> None:
        self._depth = 0
        self._elements = 0
        self.refusal: DuisError | None = None

    def start(
        self,
        tag: str | bytes,
        attrib: dict[str | bytes, str | bytes],
    ) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            self._refuse(DuisFault.TOO_DEEP, f"more than {MAX_DEPTH} levels at {tag[-40:]!r}")
        if self._elements > MAX_ELEMENTS:
            self._refuse(DuisFault.TOO_MANY_ELEMENTS, f"more than {MAX_ELEMENTS} elements")
        if len(attrib) > MAX_ATTRIBUTES:
            self._refuse(DuisFault.TOO_MANY_ATTRIBUTES, f"more than {MAX_ATTRIBUTES} attributes")

    def end(self, tag: str | bytes) -> None:  # noqa: ARG002 - lxml fixes the signature
        self._depth -= 1

    def data(self, data: str | bytes) -> None:
        """Text is bounded by the size of the document."""

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        self._refuse(DuisFault.DTD, f"document type {name}")

    def comment(self, text: str | bytes) -> None:
        """Comments are bounded by the size of the document."""

    def close(self) -> None:
        """Nothing is built."""

    def _refuse(self, name: DuisFault, what: str) -> None:
        self.refusal = DuisError(name, what)
        raise self.refusal


def _walk(data: bytes) -> None:
    bounds = _Bounds()
    parser = etree.XMLParser(
        target=bounds, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    view = memoryview(data)
    try:
        for start in range(0, len(data), 65536):
            parser.feed(bytes(view[start : start + 65536]))
        parser.close()
    except etree.XMLSyntaxError as error:
        raise bounds.refusal or _syntax(error) from error


@cache
def _parser(*, huge: bool, keep_all: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=huge,
        remove_comments=not keep_all,
        remove_pis=not keep_all,
    )


def _tree(data: bytes, parser: etree.XMLParser) -> etree._Element:
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _syntax(error) from error
    return _in_utf8(root)


def _in_utf8(root: etree._Element) -> etree._Element:
    encoding = root.getroottree().docinfo.encoding
    if encoding is not None and encoding.lower() not in _UTF8_NAMES:
        raise DuisError(DuisFault.NOT_UTF8, f"declared encoding {encoding}; DUIS uses UTF-8")
    return root


def _syntax(error: etree.XMLSyntaxError) -> DuisError:
    return DuisError(DuisFault.NOT_WELL_FORMED, str(error.msg), line=error.lineno or 0)
