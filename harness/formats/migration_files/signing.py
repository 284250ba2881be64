"""XML signatures of migration files: made, and verified against the one agreed form."""

import copy
import hashlib
from dataclasses import dataclass
from typing import Final

from lxml import etree

from emulator.core.values import quick
from emulator.crypto import signature as ecdsa
from emulator.crypto.keystore import KeyEntry
from harness.formats.duis import signature_form
from harness.formats.duis import signing as duis
from harness.formats.duis.signing import XmlKey
from harness.formats.migration_files import checks
from harness.formats.migration_files.document import SIGNATURE, canonical
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.gate import Gate
from harness.formats.migration_files.kinds import Kind
from harness.formats.migration_files.kinds import octets as base64_of
from harness.formats.migration_files.parties import Directory, Signer
from harness.formats.migration_files.xml_input import SIGNATURE_NAMESPACE
from harness.formats.migration_files.xml_table import line_of, local

_VALUE: Final = base64_of("a signature", 64, 64)
_DIGEST: Final = base64_of("a digest", 32, 32)
#: Every element of a signature in document order: depth, name, Algorithm or URI; no other
#: attribute is allowed, and text in the five leaves alone.
_FORM: Final[tuple[tuple[int, str, tuple[tuple[str, str], ...]], ...]] = (
    (0, "Signature", ()),
    (1, "SignedInfo", ()),
    (2, "CanonicalizationMethod", (("Algorithm", signature_form.EXCLUSIVE),)),
    (2, "SignatureMethod", (("Algorithm", signature_form.ECDSA_SHA256),)),
    (2, "Reference", (("URI", ""),)),
    (3, "Transforms", ()),
    (4, "Transform", (("Algorithm", signature_form.ENVELOPED),)),
    (4, "Transform", (("Algorithm", signature_form.EXCLUSIVE),)),
    (3, "DigestMethod", (("Algorithm", signature_form.SHA256),)),
    (3, "DigestValue", ()),
    (1, "SignatureValue", ()),
    (1, "KeyInfo", ()),
    (2, "X509Data", ()),
    (3, "X509IssuerSerial", ()),
    (4, "X509IssuerName", ()),
    (4, "X509SerialNumber", ()),
)
_LEAVES: Final = frozenset({"DigestValue", "SignatureValue", "X509IssuerName", "X509SerialNumber"})


@quick
@dataclass(frozen=True, slots=True)
class Claim:
    """What a signature says of itself, before anything of it is verified.

    Attributes:
        issuer: Issuer name of the certificate.
        serial: Serial number of the certificate.
        digest: SHA-256 of the document's canonical form without the signature.
        value: r and s, 64 octets.
    """

    issuer: str
    serial: int
    digest: bytes
    value: bytes


def xml_key(entry: KeyEntry) -> XmlKey:
    """Return a key store's key as one to sign with.

    Raises:
        ValueError: The private key or the certificate is not held.
    """
    if entry.private_scalar is None or entry.certificate is None:
        raise ValueError(f"no private key with its certificate is held for {entry.eui64}")
    return XmlKey.of(entry.private_scalar, entry.certificate)


def sign(root: etree._Element, key: XmlKey) -> None:
    """Append a signature over the whole document; the same input gives the same octets.

    Source:
        algorithm identifiers as in the DUIS samples (reference 4.3); that migration files use
        them: invented. Checked with signxml, with the standard library, and with xmlsec1 where
        it is at hand.
    """
    duis.sign(root, key)


def claim_of(root: etree._Element) -> Claim:
    """Read the signature of a document without judging whether it is right.

    Raises:
        MigrationFileError: X-SIG-NONE, or X-SIG-FORM: not of the one agreed form.
    """
    found = list(root.iter(SIGNATURE))
    if not found:
        raise MigrationFileError(checks.SIGNATURE_NONE, "01", "there is no ds:Signature")
    if len(found) > 1 or found[0] is not root[-1]:
        why = f"{len(found)} ds:Signature elements, or one that is not the last of the document"
        raise MigrationFileError(checks.SIGNATURE_FORM, "03", why, line=line_of(found[0]))
    quick = _quick_claim(found[0])
    if quick is not None:
        return quick
    _refuse_other_form(found[0])
    texts = {local(element): element.text or "" for element in found[0].iter()}
    return Claim(
        texts["X509IssuerName"],
        _serial(texts["X509SerialNumber"]),
        _base64(_DIGEST, texts["DigestValue"]),
        _base64(_VALUE, texts["SignatureValue"]),
    )


def _quick_claim(signature: etree._Element) -> Claim | None:
    """Read a signature that is written as those made here are, to the letter.

    None for every other one, with no word on why: the full way says what is wrong with it, or
    reads it where nothing is.
    """
    texts = None if signature.tail else signature_form.texts_of(signature)
    if texts is None or b"&" in texts.issuer or b"\n" in texts.issuer:
        return None
    try:
        digest, value = _DIGEST.read(texts.digest.decode()), _VALUE.read(texts.value.decode())
        return Claim(texts.issuer.decode(), _serial(texts.serial.decode()), digest, value)
    except MigrationFileError:
        return None


def verify(root: etree._Element, directory: Directory, gate: Gate | None = None) -> Signer | None:
    """Verify that one known party signed all of a document; the signature is taken out of it.

    Nothing in SignedInfo is interpreted: it must be the one agreed form, letter for letter, so
    there is one way only to compute what was signed.

    Args:
        root: The document.
        directory: Whose signatures are known.
        gate: Which refusals pass; None: none does.

    Returns:
        Whose signature it is; whether that party may make the file is not judged here. None where
        nobody is known to have signed and the run lets that pass.

    Raises:
        MigrationFileError: X-SIG-NONE, X-SIG-FORM, X-SIG-UNKNOWN or X-SIG-BAD.
    """
    through = gate or Gate()
    try:
        claim = claim_of(root)
    except MigrationFileError as error:
        through.settle(error)
        for found in list(root.iter(SIGNATURE)):
            _take_out(found)
        return None
    signer = directory.find(claim.issuer, claim.serial)
    if signer is None:
        why = f"no certificate {claim.serial} of {claim.issuer[:100]} is known"
        through.refuse(checks.SIGNATURE_UNKNOWN, "01", why)
        _take_out(root[-1])
        return None
    element = root[-1]
    signed_info = _alone(element[0])
    _take_out(element)
    if hashlib.sha256(canonical(root)).digest() != claim.digest:
        through.refuse(checks.SIGNATURE_BAD, "01", "the content was changed after it was signed")
    if not ecdsa.verify(signer.public_point, signed_info, claim.value):
        through.refuse(checks.SIGNATURE_BAD, "02", f"it is not by the key of {signer.party}")
    return signer


def strip(root: etree._Element) -> bool:
    """Take the signature, if there is one, out of a document; says whether there was one."""
    if len(root) and root[-1].tag == SIGNATURE:
        _take_out(root[-1])
        return True
    return False


def _refuse_other_form(signature: etree._Element) -> None:
    flat = list(_flat(signature, 0))
    if [(depth, element.tag, tuple(element.attrib.items())) for depth, element in flat] != [
        (depth, f"{{{SIGNATURE_NAMESPACE}}}{name}", attributes) for depth, name, attributes in _FORM
    ]:
        why = "its elements, attributes or algorithms are not the agreed ones"
        raise MigrationFileError(checks.SIGNATURE_FORM, "01", why, line=line_of(signature))
    for _depth, element in flat:
        own = element.text or ""
        after = "" if element is signature else element.tail or ""
        if (own.strip(" \n") and local(element) not in _LEAVES) or after.strip(" \n"):
            why = f"{local(element)}: text where none belongs"
            raise MigrationFileError(checks.SIGNATURE_FORM, "01", why, line=line_of(element))


def _flat(element: etree._Element, depth: int) -> list[tuple[int, etree._Element]]:
    if depth > len(_FORM):
        return []
    rows = [(depth, element)]
    for child in element:
        rows += _flat(child, depth + 1)
    return rows


def _serial(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 60) or str(int(text)) != text:
        why = "X509SerialNumber: no whole number in its one form"
        raise MigrationFileError(checks.SIGNATURE_FORM, "01", why)
    return int(text)


def _base64(kind: Kind, text: str) -> bytes:
    try:
        octets: bytes = kind.read(text)
    except MigrationFileError as error:
        raise MigrationFileError(checks.SIGNATURE_FORM, "02", error.why) from None
    return octets


def _alone(element: etree._Element) -> bytes:
    """Return the canonical form of one element of a document."""
    # lxml canonicalises a whole tree; a copy of its own keeps the name spaces in scope.
    return canonical(copy.deepcopy(element))


def _take_out(signature: etree._Element) -> None:
    """Remove a signature, and leave the text behind it where the signed document has it."""
    before, parent = signature.getprevious(), signature.getparent()
    tail = signature.tail or ""
    if parent is None:
        return
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(signature)
