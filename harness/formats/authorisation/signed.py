"""Signed papers: a file of any kind in a document with one XML signature over all of it (R-023).

Source:
    MAM 7.5.3 demands digital signatures (S001 §4.1.1); its form for authorisations was not found.
    A document of ours that holds the file and is signed as migration files are: invented.
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from emulator.core.ids import Eui64
from harness.formats.duis.signing import XmlKey
from harness.formats.migration_files import checks
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.parties import Directory
from harness.formats.migration_files.signing import sign as sign_tree
from harness.formats.migration_files.signing import verify
from harness.formats.migration_files.xml_input import SIGNATURE_NAMESPACE, parse

#: What stands behind the name of a file that was signed.
ENDING: Final = ".signed"
NAMESPACE: Final = "urn:x-bench:signed-paper:1"
ROOT: Final = "SignedPaper"
_CONTENT: Final = "Content"
_NAME: Final = "Name"
_TAG: Final = f"{{{NAMESPACE}}}"
_OPENING: Final = b":SignedPaper "
#: Octets in which the root must begin.
_HEAD: Final = 400


@dataclass(frozen=True, slots=True)
class SignedPaper:
    """A paper whose signature holds.

    Attributes:
        name: Name of the file, as it was signed.
        octets: The file.
        signer: Whose key signed it.
    """

    name: str
    octets: bytes = field(repr=False)
    signer: Eui64


def sign(octets: bytes, name: str, key: XmlKey) -> bytes:
    """Sign a file; the same file, name and key give the same octets.

    Args:
        octets: The file.
        name: Its name, to which it is bound.
        key: The key.
    """
    root = etree.Element(f"{_TAG}{ROOT}", nsmap={"sp": NAMESPACE, "ds": SIGNATURE_NAMESPACE})
    etree.SubElement(root, f"{_TAG}{_NAME}").text = name
    etree.SubElement(root, f"{_TAG}{_CONTENT}").text = base64.b64encode(octets).decode()
    sign_tree(root, key)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def is_signed(octets: bytes) -> bool:
    """Say whether octets are a signed paper, by how they begin."""
    head = octets[:_HEAD]
    return _OPENING in head and NAMESPACE.encode() in head


def open_signed(octets: bytes, directory: Directory, expected: frozenset[Eui64]) -> SignedPaper:
    """Open a signed paper.

    Args:
        octets: The signed paper.
        directory: Whose signatures are known.
        expected: Who may have signed it: the User IDs of one participant; empty: anybody known.

    Raises:
        MigrationFileError: It is none (X-XML and others), unsigned (X-SIG-NONE), altered
            (X-SIG-BAD), by nobody known (X-SIG-UNKNOWN) or by another than expected
            (X-SIG-SIGNER).
    """
    root = parse(octets, NAMESPACE)
    signer = verify(root, directory)
    if signer is None:
        raise unsigned()
    if expected and signer.party not in expected:
        known = ", ".join(str(one) for one in sorted(expected))
        raise MigrationFileError(checks.SIGNER, "01", f"by {signer.party}; expected: {known}")
    names = [(one.tag, len(one), len(one.attrib)) for one in root]
    if root.tag != f"{_TAG}{ROOT}" or names != [
        (f"{_TAG}{_NAME}", 0, 0),
        (f"{_TAG}{_CONTENT}", 0, 0),
    ]:
        raise MigrationFileError(checks.SCHEMA, "01", f"a {ROOT} holds a {_NAME} and a {_CONTENT}")
    try:
        content = base64.b64decode(root[1].text or "", validate=True)
    except (binascii.Error, ValueError):
        raise MigrationFileError(checks.BASE64, "01", f"{_CONTENT} is no base64") from None
    return SignedPaper(root[0].text or "", content, signer.party)


def unsigned() -> MigrationFileError:
    """Return the refusal of a paper that carries no signature."""
    return MigrationFileError(checks.SIGNATURE_NONE, "01", "the paper is not signed (MAM 7.5.3)")
