"""The one form that signatures of DUIS documents have: written and recognised as octets.

All of it is fixed but for four texts, so neither its elements nor its canonical form need be made
anew for each document. What has any other form is for the makers of canonical forms to look at.
"""

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lxml import etree

from emulator.core.values import quick
from harness.formats.duis.shape import SIGNATURE_NAMESPACE

EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
ECDSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"

_PREFIX: Final = "ds"
_DECLARED: Final = f' xmlns:ds="{SIGNATURE_NAMESPACE}"'.encode()


def _algorithm(name: str, algorithm: str) -> str:
    return f'<ds:{name} Algorithm="{algorithm}"></ds:{name}>'


#: What stands between the name of SignedInfo and the digest, and behind the digest.
_BEFORE_DIGEST: Final = (
    f">{_algorithm('CanonicalizationMethod', EXCLUSIVE)}"
    f"{_algorithm('SignatureMethod', ECDSA_SHA256)}"
    f'<ds:Reference URI=""><ds:Transforms>{_algorithm("Transform", ENVELOPED)}'
    f"{_algorithm('Transform', EXCLUSIVE)}</ds:Transforms>"
    f"{_algorithm('DigestMethod', SHA256)}<ds:DigestValue>"
).encode()
_BEHIND_DIGEST: Final = b"</ds:DigestValue></ds:Reference></ds:SignedInfo>"
_BEFORE_VALUE: Final = b"<ds:SignatureValue>"
_BEFORE_ISSUER: Final = (
    b"</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>"
)
_BEFORE_SERIAL: Final = b"</ds:X509IssuerName><ds:X509SerialNumber>"
_BEHIND_SERIAL: Final = (
    b"</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data></ds:KeyInfo></ds:Signature>"
)
_FORM: Final = re.compile(
    b"([^<]*)".join(
        re.escape(piece)
        for piece in (
            b"<ds:Signature" + _DECLARED + b"><ds:SignedInfo" + _BEFORE_DIGEST,
            _BEHIND_DIGEST + _BEFORE_VALUE,
            _BEFORE_ISSUER,
            _BEFORE_SERIAL,
            _BEHIND_SERIAL,
        )
    )
)
#: A signature without its texts.
_EMPTY: Final = etree.fromstring(
    b"".join(
        (
            b"<ds:Signature", _DECLARED, b"><ds:SignedInfo", _BEFORE_DIGEST, _BEHIND_DIGEST,
            _BEFORE_VALUE, _BEFORE_ISSUER, _BEFORE_SERIAL, _BEHIND_SERIAL,
        )
    )
)  # fmt: skip
#: What canonical XML writes for characters of a text. Source: Canonical XML 1.0, 2.3 (W3C).
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})


#: What a serialiser writes for them. Source: known (libxml2).
_SERIALISED: Final = _ESCAPES | {ord("\r"): "&#13;"}
#: What stands around the four texts in the canonical form, and in a document that declares the
#: prefix, where an empty element is one tag.
_CANONICAL_PIECES: Final = tuple(
    piece.decode("ascii")
    for piece in (
        b"<ds:Signature" + _DECLARED + b"><ds:SignedInfo" + _BEFORE_DIGEST,
        _BEHIND_DIGEST + _BEFORE_VALUE,
        _BEFORE_ISSUER,
        _BEFORE_SERIAL,
        _BEHIND_SERIAL,
    )
)
_PIECES: Final = tuple(
    re.sub(r"></ds:\w+Method>|></ds:Transform>", "/>", piece).replace(_DECLARED.decode(), "")
    for piece in _CANONICAL_PIECES
)


#: What the four texts are made of where they stand as they are: nothing that XML escapes.
_AS_THEY_STAND: Final = bytes({*range(0x20, 0x7F)} - {ord("&"), ord(">")})


@quick
@dataclass(frozen=True, slots=True)
class Texts:
    """What of a signature is not fixed, as octets of its canonical form.

    Attributes:
        digest: Base64 of the document's digest.
        value: Base64 of the signature.
        issuer: Issuer name of the signer's certificate, escaped.
        serial: Its serial number.
    """

    digest: bytes
    value: bytes
    issuer: bytes
    serial: bytes


@quick
@dataclass(frozen=True, slots=True)
class Signed:
    """A signature with what it has to cover.

    Attributes:
        texts: What it says.
        covered: Returns the document without it, in exclusive canonical form.
    """

    texts: Texts
    covered: Callable[[], bytes]


def texts_in(text: str) -> Texts | None:
    """Return what a signature says that stands in a document which declares its name space.

    None where it has any other form than `plain` gives it.
    """
    return _texts(_PIECES, text)


def texts_in_canonical(text: str) -> Texts | None:
    """Return what a signature in exclusive canonical form says; None where it is of another one."""
    return _texts(_CANONICAL_PIECES, text)


def _texts(pieces: tuple[str, ...], text: str) -> Texts | None:
    """Return the four texts between the fixed pieces."""
    if not text.startswith(pieces[0]):
        return None
    at, found = len(pieces[0]), []
    for piece in pieces[1:]:
        end = text.find("<", at)
        if not text.startswith(piece, end):
            return None
        found.append(text[at:end].encode())
        at = end + len(piece)
    if at != len(text) or b"".join(found).translate(None, _AS_THEY_STAND):
        return None
    return Texts(*found)


def is_usual(root: etree._Element) -> bool:
    """Say whether a signature at the end of ``root`` would have the prefix of this form."""
    known = root.nsmap
    spaces = [prefix for prefix, space in known.items() if space == SIGNATURE_NAMESPACE]
    return spaces == [_PREFIX]


def signed_info(digest: bytes) -> bytes:
    """Return the exclusive canonical form of SignedInfo around a digest in base64."""
    return b"".join((b"<ds:SignedInfo", _DECLARED, _BEFORE_DIGEST, digest, _BEHIND_DIGEST))


def plain(digest: str, value: str, signed_by: tuple[str, str]) -> str:
    """Return a signature as it stands in a document that declares its name space.

    Args:
        digest: Base64 of the document's digest.
        value: Base64 of the signature.
        signed_by: Issuer name and serial number of the signer's certificate.
    """
    issuer, serial = signed_by
    a, b, c, d, e = _PIECES
    return f"{a}{digest}{b}{value}{c}{issuer.translate(_SERIALISED)}{d}{serial}{e}"


def canonical(digest: str, value: str, signed_by: tuple[str, str]) -> str:
    """Return a signature in exclusive canonical form."""
    issuer, serial = signed_by
    a, b, c, d, e = _CANONICAL_PIECES
    return f"{a}{digest}{b}{value}{c}{issuer.translate(_ESCAPES)}{d}{serial}{e}"


def element(digest: bytes, value: bytes, signed_by: tuple[str, str]) -> etree._Element:
    """Return a signature.

    Args:
        digest: Base64 of the document's digest.
        value: Base64 of the signature.
        signed_by: Issuer name and serial number of the signer's certificate.
    """
    made = copy.copy(_EMPTY)
    info, signed, named = made
    info[2][2].text, signed.text = digest.decode("ascii"), value.decode("ascii")
    issuer, serial = named[0][0]
    issuer.text, serial.text = signed_by
    return made


def texts_of(signature: etree._Element) -> Texts | None:
    """Return what a signature says; None where it has any other form.

    Comments and instructions in it are another form, and so is space between its elements.
    """
    octets = etree.tostring(signature, method="c14n", exclusive=True, with_comments=True)
    found = _FORM.fullmatch(octets)
    return None if found is None else Texts(*found.groups())


def escaped(text: str) -> bytes:
    """Return a text as canonical XML writes it."""
    return text.translate(_ESCAPES).encode()
