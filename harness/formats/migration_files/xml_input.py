"""The hardened way from octets to an element tree: what may not be there is refused early."""

import re
import stat
from pathlib import Path
from typing import Final

from lxml import etree

from harness.files import read_octets
from harness.formats.migration_files import checks
from harness.formats.migration_files.checks import Check
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.gate import Gate

#: 15 000 installations of four devices, a busy day, make an MEF of some 65 MiB.
MAX_DOCUMENT_BYTES: Final = 96 * 1024 * 1024
#: What stands in one cipher text is of one installation.
MAX_PLAINTEXT_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 16
MAX_ELEMENTS: Final = 1_500_000
MAX_ATTRIBUTES: Final = 16
SIGNATURE_NAMESPACE: Final = "http://www.w3.org/2000/09/xmldsig#"

_CHUNK: Final = 65536
_UTF8_NAMES: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


def octets_of(path: Path) -> bytes:
    """Return the content of a file; of one that is too large nothing, or little, is read.

    Raises:
        MigrationFileError: X-SIZE 01.
        UsageError: The file cannot be read.
    """
    try:
        about = path.stat()
    except (OSError, ValueError):
        about = None  # reading it says why
    if about is not None and stat.S_ISREG(about.st_mode) and about.st_size > MAX_DOCUMENT_BYTES:
        raise _too_large(about.st_size, MAX_DOCUMENT_BYTES)
    data = read_octets(path, MAX_DOCUMENT_BYTES)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise _too_large(len(data), MAX_DOCUMENT_BYTES)
    return data


def parse(
    data: bytes,
    namespace: str,
    *,
    limit_bytes: int | None = None,
    gate: Gate | None = None,
) -> etree._Element:
    """Parse one document.

    Comments are dropped, so a text on both sides of a comment is one text.

    Args:
        data: The whole document, UTF-8.
        namespace: The namespace of migration files; only that of XML signatures may stand beside
            it, each under one prefix.
        limit_bytes: How long the document may be; None: as long as a file.
        gate: Which refusals pass; None: none does. Entities are expanded, and other resources
            fetched, in no case.

    Raises:
        MigrationFileError: X-SIZE, X-DTD, X-ENTITY, X-XML, X-NS or X-NS-TWICE.

    Source:
        invented (limits).
    """
    through = gate or Gate()
    limit = MAX_DOCUMENT_BYTES if limit_bytes is None else limit_bytes
    if len(data) > limit:
        through.settle(_too_large(len(data), limit))
    if data.count(b"<") > 3 * MAX_ELEMENTS:  # before any of them costs anything
        through.refuse(checks.SIZE, "03", f"more than {MAX_ELEMENTS} elements")
    _refuse_document_type(_text(data, through), through)
    root = _built(data, namespace)
    if root is None:
        _walk(data, namespace, through)
        root = _tree(data, through)
    encoding = root.getroottree().docinfo.encoding
    if encoding is not None and encoding.lower() not in _UTF8_NAMES:
        through.refuse(checks.XML, "01", f"declared encoding {encoding[:40]}")
    return root


def _too_large(size_bytes: int, limit_bytes: int) -> MigrationFileError:
    why = f"{size_bytes} octets or more, the limit is {limit_bytes}"
    return MigrationFileError(checks.SIZE, "01", why)


def _text(data: bytes, gate: Gate) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        gate.refuse(checks.XML, "01", f"octet {error.start} is not UTF-8")
        return data.decode("utf-8-sig", errors="replace")


def _refuse_document_type(text: str, gate: Gate) -> None:
    """Find a DOCTYPE where the grammar allows one, before any parser sees it."""
    at = _prolog_end(text)
    if not text.startswith("<!DOCTYPE", at):
        return
    line = text.count("\n", 0, at) + 1
    subset = text[at : at + _CHUNK]
    entity = subset.find("<!ENTITY")
    if entity >= 0:
        declaration = subset[entity:].split(">", 1)[0]
        sub_code = "02" if _names_a_resource(declaration) else "01"
        gate.refuse(checks.ENTITY, sub_code, "an entity is declared", line=line)
    opening = subset.split("[", 1)[0].split(">", 1)[0]
    sub_code = "02" if _names_a_resource(opening) else "01"
    gate.refuse(checks.DTD, sub_code, "a document type is declared", line=line)


def _names_a_resource(declaration: str) -> bool:
    return " SYSTEM" in declaration or " PUBLIC" in declaration


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
    """Counts elements and keeps namespaces while the document streams by; stores nothing else."""

    def __init__(self, namespace: str, gate: Gate) -> None:
        self._allowed = (namespace, SIGNATURE_NAMESPACE)
        self._gate = gate
        self._told: set[tuple[str, str]] = set()
        self._depth = 0
        self._elements = 0
        self._uris: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        self.refusal: MigrationFileError | None = None

    def start_ns(self, prefix: str | None, uri: str | None) -> None:
        """Note a binding; lxml tells of it before the element it stands on."""
        name, space = prefix or "", uri or ""
        if self._prefixes.setdefault(space, name) != name:
            told = f"{space} has the prefixes {self._prefixes[space]!r} and {name!r}"
            self._refuse(checks.NAMESPACE_TWICE, "01", told)
        if self._uris.setdefault(name, space) != space:
            told = f"the prefix {name!r} stands for {self._uris[name]} and {space}"
            self._refuse(checks.NAMESPACE_TWICE, "02", told)

    def start(self, tag: str | bytes, attrib: dict[str | bytes, str | bytes]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            self._refuse(checks.SIZE, "02", f"more than {MAX_DEPTH} levels")
        if self._elements > MAX_ELEMENTS:
            self._refuse(checks.SIZE, "03", f"more than {MAX_ELEMENTS} elements")
        if len(attrib) > MAX_ATTRIBUTES:
            self._refuse(checks.SIZE, "04", f"more than {MAX_ATTRIBUTES} attributes")
        if self._elements == 1:
            self._check_root(str(tag))
        self._check_bindings()

    def _check_root(self, tag: str) -> None:
        space = tag[1:].split("}", 1)[0] if tag.startswith("{") else ""
        if space != self._allowed[0]:
            told = f"the root element is in {space or 'no namespace'}, not in {self._allowed[0]}"
            self._refuse(checks.NAMESPACE, "01", told)

    def _check_bindings(self) -> None:
        for space in self._prefixes:
            if space not in self._allowed:
                self._refuse(checks.NAMESPACE, "02", f"{space or 'no namespace'} is bound")

    def end(self, tag: str | bytes) -> None:  # noqa: ARG002 - lxml fixes the signature
        self._depth -= 1

    def data(self, data: str | bytes) -> None:
        """Text is bounded by the size of the document."""

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        self._refuse(checks.DTD, "01", f"document type {name}")

    def pi(self, target: str, _data: str | None = None) -> None:
        self._refuse(checks.XML, "03", f"processing instruction {target[:40]}")

    def comment(self, text: str | bytes) -> None:
        """Comments are bounded by the size of the document."""

    def close(self) -> None:
        """Nothing is built."""

    def _refuse(self, check: Check, sub_code: str, why: str) -> None:
        if (check.rule, sub_code) in self._told:
            return
        refusal = MigrationFileError(check, sub_code, why[:300])
        self._told.add((check.rule, sub_code))  # what the run lets pass is told once
        try:
            self._gate.settle(refusal)
        except MigrationFileError:
            self.refusal = refusal
            raise


#: Documents up to this length may be built first and looked at then; a tree of so few octets is of
#: some 20 MiB at the most.
_SMALL_BYTES: Final = 256 * 1024
#: What a file begins with: a declaration, and comments that say what it is.
_PROLOG: Final = re.compile(rb"(?:<\?xml [^<>]*\?>)?\s*(?:<!--[^-]*(?:-[^-]+)*-->\s*)*")
_IS_DEEP: Final = etree.XPath(f"boolean({'/*' * (MAX_DEPTH + 1)})")
_IS_WIDE: Final = etree.XPath(f"boolean(//*[@*[{MAX_ATTRIBUTES + 1}]])")


def _built(data: bytes, namespace: str) -> etree._Element | None:
    """Return the tree of a short document in which a walk would find nothing to refuse.

    None for all that is no plain case, with no word on why: the walk says what is wrong with it.
    """
    if len(data) > _SMALL_BYTES or data.count(b"<") >= MAX_ELEMENTS:
        return None
    begun = _PROLOG.match(data)
    at = 0 if begun is None else begun.end()
    if data.find(b"<!", at) >= 0 or data.find(b"<?", at) >= 0:
        return None
    try:
        root = etree.fromstring(data, _SMALL_PARSER)
    except etree.XMLSyntaxError:
        return None
    bound = root.nsmap
    spaces = set(bound.values())
    # Whatever declares a name space says xmlns; all that do so here stand in the root.
    if data.count(b"xmlns") != len(bound) or len(spaces) != len(bound):
        return None
    if bound.get(root.prefix) != namespace or not spaces <= {namespace, SIGNATURE_NAMESPACE}:
        return None
    return None if _IS_DEEP(root) or _IS_WIDE(root) else root


_SMALL_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    remove_comments=True,
)


def _walk(data: bytes, namespace: str, gate: Gate) -> None:
    bounds = _Bounds(namespace, gate)
    # Depth and elements are bounded here, more tightly than by libxml2 without huge_tree.
    parser = etree.XMLParser(
        target=bounds, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    view = memoryview(data)
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(bytes(view[start : start + _CHUNK]))
        parser.close()
    except etree.XMLSyntaxError as error:
        if bounds.refusal is not None:
            raise bounds.refusal from error
        gate.settle(_syntax(error))


def _tree(data: bytes, gate: Gate) -> etree._Element:
    # Only reached after the walk; huge_tree lifts libxml2's limit on the length of a document.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
        recover=not gate.asks(checks.XML),
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _syntax(error) from error
    if root is None:
        raise MigrationFileError(checks.XML, "02", "there is no document at all")
    return root


def _syntax(error: etree.XMLSyntaxError) -> MigrationFileError:
    return MigrationFileError(checks.XML, "02", str(error.msg)[:200], line=error.lineno or 0)
