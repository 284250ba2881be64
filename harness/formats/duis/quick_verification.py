"""Verifies signatures of exactly the form DUIS documents have; all others are for signxml.

What stands here accepts nothing that signxml refuses: one form, one algorithm of each kind, the
whole document, the very certificate. Whatever deviates in the least is left to signxml, which then
says what is wrong with it. It exists because whole migrations verify dozens of signatures for each
home (``benchmarks/bench_migration.py``).
"""

import base64
import binascii
import hashlib
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from emulator.core.clock import UtcMs, from_datetime
from emulator.core.errors import MalformedFrameError
from emulator.crypto import signature, x509_certificate
from harness.formats.duis import signature_form
from harness.formats.duis.shape import SIGNATURE_NAMESPACE
from harness.formats.duis.signature_form import Signed, Texts

_SIGNATURE: Final = f"{{{SIGNATURE_NAMESPACE}}}Signature"


@dataclass(frozen=True, slots=True)
class _Signer:
    """What of a certificate a verification needs."""

    point: bytes
    issuer: bytes
    serial: bytes
    not_before: UtcMs
    not_after: UtcMs


def holds(root: etree._Element, certificate: bytes, at: UtcMs) -> bool:
    """Say whether a document's signature has the one form, covers it all, and verifies.

    Args:
        root: The document with its comments and processing instructions; it may be taken apart.
        certificate: DER certificate of the signer.
        at: Moment at which the certificate must be valid.

    Returns:
        False for everything else, with no word on why.
    """
    signer = _signer(certificate)
    if signer is None or not signer.not_before <= at <= signer.not_after:
        return False
    try:
        return _holds(root, signer)
    except etree.C14NError:  # a relative name space has no canonical form
        return False


def text_holds(signed: Signed, certificate: bytes, at: UtcMs) -> bool:
    """Say whether a signature of the one form is by this certificate, and of what it has to cover.

    Args:
        signed: The signature and what it has to cover, read from a document's text.
        certificate: DER certificate of the signer.
        at: Moment at which the certificate must be valid.

    Returns:
        False for everything else, with no word on why.
    """
    signer, texts = _signer(certificate), signed.texts
    if signer is None or not signer.not_before <= at <= signer.not_after:
        return False
    if (texts.issuer, texts.serial) != (signer.issuer, signer.serial):
        return False
    digest = _digest_by(texts, signer)
    return digest is not None and hashlib.sha256(signed.covered()).digest() == digest


#: Names of documents and certificates of which ``holds`` was true, oldest first.
_HELD: Final[dict[tuple[bytes, bytes], None]] = {}
_MOST_HELD: Final = 512
#: Documents up to this length are their own names; 512 of them are 16 MiB.
_SMALL_BYTES: Final = 32 * 1024
#: Doors verify in one thread, the parties of a world in another.
_ONE_AT_A_TIME: Final = threading.Lock()


def held_before(data: bytes, certificate: bytes, at: UtcMs) -> bool:
    """Say whether these very octets were verified with this certificate, and it is valid now.

    A request passes several desks, and each of them verifies it.
    """
    signer = _signer(certificate)
    valid = signer is not None and signer.not_before <= at <= signer.not_after
    return valid and _name(data, certificate) in _HELD


def remember(data: bytes, certificate: bytes) -> None:
    """Remember that ``holds`` was true of these octets and this certificate."""
    name = _name(data, certificate)
    with _ONE_AT_A_TIME:
        while len(_HELD) >= _MOST_HELD:
            del _HELD[next(iter(_HELD))]
        _HELD[name] = None


def _name(data: bytes, certificate: bytes) -> tuple[bytes, bytes]:
    """Return what a document is remembered by: its octets, or the SHA-256 of many of them.

    A document of 32 octets that are another one's SHA-256 is none: it is no XML that verifies.
    """
    if len(data) <= _SMALL_BYTES:
        return data, certificate
    return _digest(data), certificate


@lru_cache(maxsize=4)  # asked for before a verification, and behind it
def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _holds(root: etree._Element, signer: _Signer) -> bool:
    found = root.findall(_SIGNATURE)
    beside = [*root.itersiblings(), *root.itersiblings(preceding=True)]
    # Beside a root stand comments, no part of what is signed, and instructions, which have targets.
    instructed = any(hasattr(one, "target") for one in beside)
    if len(found) != 1 or instructed or root.getroottree().docinfo.internalDTD is not None:
        return False
    texts = signature_form.texts_of(found[0])
    if texts is None or (texts.issuer, texts.serial) != (signer.issuer, signer.serial):
        return False
    return _verifies(root, found[0], texts, signer)


def _verifies(root: etree._Element, element: etree._Element, texts: Texts, signer: _Signer) -> bool:
    digest = _digest_by(texts, signer)
    if digest is None:
        return False
    _take_out(element)
    return hashlib.sha256(_octets_of(root)).digest() == digest


def _digest_by(texts: Texts, signer: _Signer) -> bytes | None:
    """Return the digest that a signer signed; None where he did not."""
    digest, value = _octets(texts.digest), _octets(texts.value)
    if digest is None or value is None:
        return None
    info = signature_form.signed_info(texts.digest)
    return digest if signature.verify(signer.point, info, value) else None


def _take_out(own: etree._Element) -> None:
    """Take a document's own signature out of it; what follows it stays."""
    root, before = own.getparent(), own.getprevious()
    if root is None:
        return
    if own.tail and before is not None:
        before.tail = (before.tail or "") + own.tail
    elif own.tail:
        root.text = (root.text or "") + own.tail
    root.remove(own)


def _octets_of(root: etree._Element) -> bytes:
    octets: bytes = etree.tostring(root, method="c14n", exclusive=True, with_comments=False)
    return octets


def _octets(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


@lru_cache(maxsize=256)
def _signer(certificate: bytes) -> _Signer | None:
    """Read a certificate once; None for one that signxml has to judge."""
    try:
        parsed = x509_certificate.load(certificate)
    except MalformedFrameError:
        return None
    key = parsed.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != signature.CURVE.name:
        return None
    point = key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return _Signer(
        point,
        signature_form.escaped(parsed.issuer.rfc4514_string()),
        str(parsed.serial_number).encode(),
        from_datetime(parsed.not_valid_before_utc),
        from_datetime(parsed.not_valid_after_utc),
    )
