"""XML signatures over DUIS documents: enveloped, exclusive canonical XML, ECDSA with SHA-256."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from emulator.core.clock import UtcMs, to_datetime
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto import signature, x509_certificate
from harness.formats.duis import quick_verification, signature_form
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.shape import SIGNATURE_NAMESPACE
from harness.formats.duis.signature_form import (
    ECDSA_SHA256,
    ENVELOPED,
    EXCLUSIVE,
    SHA256,
    Signed,
)
from harness.formats.duis.xml_input import is_plain, parse


@quick
@dataclass(frozen=True, slots=True)
class XmlKey:
    """A party's XML-signing key.

    Attributes:
        private_scalar: P-256 private scalar.
        issuer: Issuer name of its certificate, RFC 4514.
        serial: Serial number of its certificate.
    """

    private_scalar: int = field(repr=False)
    issuer: str
    serial: int

    @property
    def signed_by(self) -> tuple[str, str]:
        """Issuer name and serial number, as a signature names them."""
        return self.issuer, str(self.serial)

    @classmethod
    def of(cls, private_scalar: int, certificate: bytes) -> Self:
        """Take issuer and serial number out of the DER certificate."""
        return cls(private_scalar, *x509_certificate.names(certificate))


@quick
@dataclass(frozen=True, slots=True)
class Signatories:
    """Whose XML signatures are known.

    Attributes:
        certificates: DER certificate by party.
        at: The moment at which certificates must be valid (bench time, never the wall clock).
    """

    certificates: Mapping[Eui64, bytes]
    at: UtcMs


def sign(root: etree._Element, key: XmlKey) -> None:
    """Append a ds:Signature over the whole document to ``root``.

    The signature is deterministic, so the same document and key give the same octets.

    Source:
        XML Signature Syntax (W3C); algorithms of the DUIS 5.4 samples. Checked by verifying with
        signxml.
    """
    digest = base64.b64encode(hashlib.sha256(_canonical(root)).digest())
    if signature_form.is_usual(root):
        value = signature.sign(key.private_scalar, signature_form.signed_info(digest))
        root.append(signature_form.element(digest, base64.b64encode(value), key.signed_by))
        return
    _append(root, key, digest.decode("ascii"))


def signature_over(canonical: bytes, key: XmlKey) -> str:
    """Return the signature of a document, as it stands in one that declares its name space.

    Args:
        canonical: The document without it, in exclusive canonical form.
        key: Who signs.
    """
    return signature_form.plain(*_signed(canonical, key))


def canonical_signature_over(canonical: bytes, key: XmlKey) -> str:
    """Return the same in exclusive canonical form."""
    return signature_form.canonical(*_signed(canonical, key))


def _signed(canonical: bytes, key: XmlKey) -> tuple[str, str, tuple[str, str]]:
    """Return digest and signature in base64, and who signed."""
    digest = base64.b64encode(hashlib.sha256(canonical).digest())
    value = signature.sign(key.private_scalar, signature_form.signed_info(digest))
    return digest.decode("ascii"), base64.b64encode(value).decode("ascii"), key.signed_by


def _append(root: etree._Element, key: XmlKey, digest: str) -> None:
    """Append a signature to a document with name spaces of its own kind."""
    element = etree.SubElement(root, _ds("Signature"))
    info = etree.SubElement(element, _ds("SignedInfo"))
    _algorithm(info, "CanonicalizationMethod", EXCLUSIVE)
    _algorithm(info, "SignatureMethod", ECDSA_SHA256)
    reference = etree.SubElement(info, _ds("Reference"), URI="")
    transforms = etree.SubElement(reference, _ds("Transforms"))
    _algorithm(transforms, "Transform", ENVELOPED)
    _algorithm(transforms, "Transform", EXCLUSIVE)
    _algorithm(reference, "DigestMethod", SHA256)
    _text(reference, "DigestValue", digest)
    value = signature.sign(key.private_scalar, _canonical(info))
    _text(element, "SignatureValue", base64.b64encode(value).decode("ascii"))
    data = etree.SubElement(etree.SubElement(element, _ds("KeyInfo")), _ds("X509Data"))
    serial = etree.SubElement(data, _ds("X509IssuerSerial"))
    _text(serial, "X509IssuerName", key.issuer)
    _text(serial, "X509SerialNumber", str(key.serial))


def verify(
    data: bytes,
    signatories: Signatories,
    signer: Eui64,
    *,
    signed: bool,
    tree: etree._Element | Signed | None = None,
) -> None:
    """Verify the signature of a document, which must cover all of it.

    Args:
        data: The document.
        signatories: Whose signatures are known.
        signer: Who must have signed it.
        signed: Whether it has a signature at all.
        tree: What `parse` made of these octets, where that may be taken apart; or the signature
            with what it has to cover, where the text of these octets told it.

    Raises:
        DuisError: missing-signature, or bad-signature (unknown signer, altered, expired …).
    """
    if not signed:
        raise DuisError(DuisFault.MISSING_SIGNATURE, "the document has no ds:Signature")
    certificate = signatories.certificates.get(signer)
    if certificate is None:
        raise DuisError(DuisFault.BAD_SIGNATURE, f"no XML-signing certificate of {signer} is known")
    if quick_verification.held_before(data, certificate, signatories.at):
        return
    if isinstance(tree, Signed):
        is_held = quick_verification.text_holds(tree, certificate, signatories.at)
    else:
        root = tree if tree is not None and is_plain(data) else parse(data, keep_all=True)
        is_held = quick_verification.holds(root, certificate, signatories.at)
    if is_held:
        quick_verification.remember(data, certificate)
        return
    root = parse(data, keep_all=True)  # the quick way may have taken the first one apart
    _refuse_other_coverage(root)
    try:
        XMLVerifier().verify(
            root,
            x509_cert=x509_certificate.load(certificate),
            parser=etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True),
            expect_config=_configuration(to_datetime(signatories.at)),
        )
    # signxml takes an element without text for an error of ours: a TypeError.
    except (SignXMLException, etree.LxmlError, MalformedFrameError, ValueError, TypeError) as error:
        raise DuisError(
            DuisFault.BAD_SIGNATURE, str(error)[:200] or "it does not verify"
        ) from error


def _configuration(at: datetime) -> SignatureConfiguration:
    return SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=frozenset({SignatureMethod.ECDSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
        verification_time=at,
    )


def _refuse_other_coverage(root: etree._Element) -> None:
    """Refuse a signature that points at anything but the whole document.

    Only the document's own signature is looked at: documents inside it have theirs.
    """
    own = root.findall(_ds("Signature"))
    uris = [item.get("URI") for one in own for item in one.iter(_ds("Reference"))]
    transforms = [item.get("Algorithm") for one in own for item in one.iter(_ds("Transform"))]
    if uris != [""] or transforms not in ([ENVELOPED, EXCLUSIVE], [ENVELOPED]):
        raise DuisError(DuisFault.BAD_SIGNATURE, "it does not cover exactly the whole document")


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def _ds(name: str) -> str:
    return f"{{{SIGNATURE_NAMESPACE}}}{name}"


def _algorithm(parent: etree._Element, name: str, algorithm: str) -> None:
    etree.SubElement(parent, _ds(name), Algorithm=algorithm)


def _text(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, _ds(name)).text = text
