"""What a certificate says, read by a DER walk that full X.509 parsing cannot stop."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from emulator.core.clock import UtcMs, from_datetime
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.key_entry import KeyUsage
from emulator.crypto.signature import public_key

_LAYER = "certificate"
_SEQUENCE, _INTEGER, _BIT_STRING = 0x30, 0x02, 0x03
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_P256_KEY: Final = bytes.fromhex("06072a8648ce3d020106082a8648ce3d030107")
_OU: Final = bytes.fromhex("55040b")
_UNIQUE_IDENTIFIER: Final = bytes.fromhex("55042d")  # 2.5.4.45
_KEY_USAGE: Final = bytes.fromhex("551d0f")
_KEY_IDENTIFIER: Final = bytes.fromhex("551d0e")
_ALTERNATIVE_NAME: Final = bytes.fromhex("551d11")
_HARDWARE_MODULE_NAME: Final = bytes.fromhex("2b06010505070804")  # 1.3.6.1.5.5.7.8.4

#: Tag, offset of the tag, offset of the content, offset after the content.
_Item = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The fields of a certificate that matter here.

    Attributes:
        public_point: Uncompressed P-256 point, 65 octets.
        eui64: From x500UniqueIdentifier or hardwareModuleName; None when there is neither.
        role: Remote party role, from a two-hex-digit OU; None when there is none.
        usage: From the key usage extension; None for an authority's or without the extension.
        key_identifier: Subject key identifier, or empty.
        not_before: First moment of validity.
        not_after: Last moment of validity.
        issuer: DER of the issuer's name.
        subject: DER of the subject's name.
        signed: The octets that the issuer signed.
        signature: DER signature over them.
    """

    public_point: bytes
    eui64: Eui64 | None
    role: int | None
    usage: KeyUsage | None
    key_identifier: bytes
    not_before: UtcMs
    not_after: UtcMs
    issuer: bytes
    subject: bytes
    signed: bytes
    signature: bytes


class Fault(enum.StrEnum):
    """Why a certificate does not hold."""

    UNKNOWN_ISSUER = "unknown_issuer"
    BAD_SIGNATURE = "bad_signature"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"


def public_point(der: bytes) -> bytes:
    """Return the subject's P-256 point (65 octets) of a DER certificate.

    Only what stands before the key is walked over, and none of it is judged.

    Raises:
        MalformedFrameError: Layer ``certificate``: no certificate, or no P-256 key in it.

    Source:
        RFC 5280 4.1; reference/firmware.md F-009; checked on the 416 certificates of the RTDS
        key store.
    """
    return _point(der, _tbs_items(der)[5])


def point_of_key_info(der: bytes) -> bytes:
    """Return the P-256 point (65 octets) of a DER SubjectPublicKeyInfo.

    Raises:
        MalformedFrameError: Layer ``certificate``: it is not one.
    """
    return _point(der, _item(der, 0, len(der)))


@lru_cache(maxsize=1024)
def read(der: bytes) -> Certificate:
    """Read a DER certificate; the same one is read once.

    Raises:
        MalformedFrameError: Layer ``certificate``: truncated, trailing octets, a field that is
            not what X.509 has in its place.
    """
    outer = _expect(der, _item(der, 0, len(der)), _SEQUENCE)
    if outer[3] != len(der):
        raise MalformedFrameError(_LAYER, der, "octets after the certificate", outer[3])
    parts = list(_items(der, outer))
    if len(parts) != 3:
        raise MalformedFrameError(_LAYER, der, "a certificate has three parts", outer[2])
    tbs, _, signature = parts
    fields = _tbs_items(der)
    not_before, not_after = (_time(der, item) for item in _pair(der, fields[3]))
    eui64, role = _subject(der, fields[4])
    extensions = dict(_extensions(der, fields[6:]))
    return Certificate(
        public_point=_point(der, fields[5]),
        eui64=eui64 or _hardware_serial(extensions.get(_ALTERNATIVE_NAME, b"")),
        role=role,
        usage=_usage(extensions.get(_KEY_USAGE, b"")),
        key_identifier=extensions.get(_KEY_IDENTIFIER, b"")[2:],
        not_before=not_before,
        not_after=not_after,
        issuer=_whole(der, fields[2]),
        subject=_whole(der, fields[4]),
        signed=_whole(der, tbs),
        signature=_content(der, _expect(der, signature, _BIT_STRING))[1:],
    )


def judge(certificate: Certificate, issuers: tuple[Certificate, ...], at: UtcMs) -> Fault | None:
    """Say what is wrong with a certificate at a moment of the simulated clock; None: nothing.

    Args:
        certificate: The one to judge.
        issuers: Authorities that are believed; their own validity is judged as well.
        at: The moment, from the run's clock.
    """
    issuer = next((i for i in issuers if i.subject == certificate.issuer), None)
    if issuer is None:
        return Fault.UNKNOWN_ISSUER
    if not is_signed_by(certificate, issuer.public_point):
        return Fault.BAD_SIGNATURE
    if at < max(certificate.not_before, issuer.not_before):
        return Fault.NOT_YET_VALID
    return Fault.EXPIRED if at > min(certificate.not_after, issuer.not_after) else None


def is_signed_by(certificate: Certificate, issuer_point: bytes) -> bool:
    """Say whether the issuer with this public point (65 octets) signed the certificate."""
    try:
        key = public_key(issuer_point)
        key.verify(certificate.signature, certificate.signed, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _item(der: bytes, at: int, end: int) -> _Item:
    """Read tag and length at ``at``; the content must end at or before ``end``."""
    if at + 2 > end:
        raise MalformedFrameError(_LAYER, der, "truncated", at)
    length, content = der[at + 1], at + 2
    if length >= 0x80:
        octets = length - 0x80
        if octets not in {1, 2} or content + octets > end:
            raise MalformedFrameError(_LAYER, der, "a length of another form", at + 1)
        length = int.from_bytes(der[content : content + octets], "big")
        content += octets
    if content + length > end:
        raise MalformedFrameError(_LAYER, der, "truncated", at)
    return der[at], at, content, content + length


def _items(der: bytes, within: _Item) -> Iterator[_Item]:
    _, _, at, end = within
    while at < end:
        item = _item(der, at, end)
        yield item
        at = item[3]


def _expect(der: bytes, item: _Item, tag: int) -> _Item:
    if item[0] != tag:
        why = f"tag {item[0]:02x} where {tag:02x} belongs"
        raise MalformedFrameError(_LAYER, der, why, item[1])
    return item


def _pair(der: bytes, within: _Item) -> tuple[_Item, _Item]:
    items = list(_items(der, within))
    if len(items) != 2:
        raise MalformedFrameError(_LAYER, der, f"{len(items)} items where 2 belong", within[1])
    return items[0], items[1]


def _content(der: bytes, item: _Item) -> bytes:
    return der[item[2] : item[3]]


def _whole(der: bytes, item: _Item) -> bytes:
    return der[item[1] : item[3]]


def _tbs_items(der: bytes) -> list[_Item]:
    """Serial, algorithm, issuer, validity, subject, key info and what follows."""
    outer = _expect(der, _item(der, 0, len(der)), _SEQUENCE)
    tbs = _expect(der, _item(der, outer[2], outer[3]), _SEQUENCE)
    items = list(_items(der, tbs))
    if items and items[0][0] == 0xA0:
        del items[0]  # the version
    tags = (_INTEGER, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE)
    if len(items) < len(tags):
        raise MalformedFrameError(_LAYER, der, "fields are missing", tbs[3])
    for item, tag in zip(items, tags, strict=False):
        _expect(der, item, tag)
    return items


def _point(der: bytes, info: _Item) -> bytes:
    algorithm, key = _pair(der, _expect(der, info, _SEQUENCE))
    bits = _content(der, _expect(der, key, _BIT_STRING))
    if _content(der, algorithm) != _P256_KEY or len(bits) != 66 or bits[:2] != b"\0\4":
        raise MalformedFrameError(_LAYER, der, "not an uncompressed P-256 key", info[1])
    return bits[1:]


def _time(der: bytes, item: _Item) -> UtcMs:
    text = _content(der, item).decode("ascii", "replace")
    if item[0] == _UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    else:
        _expect(der, item, _GENERALIZED_TIME)
    try:
        moment = datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise MalformedFrameError(_LAYER, der, "not a time", item[1]) from None
    return from_datetime(moment)


def _subject(der: bytes, name: _Item) -> tuple[Eui64 | None, int | None]:
    """Return the EUI-64 and the role that a subject's name gives."""
    eui64, role = None, None
    for relative_name in _items(der, name):
        for attribute in _items(der, relative_name):
            kind, value = _pair(der, attribute)
            content = _content(der, value)
            if _content(der, kind) == _UNIQUE_IDENTIFIER and len(content) == 9:
                eui64 = Eui64(content[1:])
            elif _content(der, kind) == _OU and len(content) == 2:
                role = _role(content)
    return eui64, role


def _role(content: bytes) -> int | None:
    try:
        return int(content, 16)
    except ValueError:
        return None


def _extensions(der: bytes, rest: list[_Item]) -> Iterator[tuple[bytes, bytes]]:
    """Yield identifier and value of every extension."""
    for field in rest:
        if field[0] != 0xA3:
            continue
        for extension in _items(der, _item(der, field[2], field[3])):
            kind, *_, value = list(_items(der, extension)) or [extension]
            yield _content(der, kind), _content(der, value)


def _usage(key_usage: bytes) -> KeyUsage | None:
    """Read a key usage BIT STRING: 03 02 unused-bits flags."""
    flags = key_usage[3] if len(key_usage) > 3 else 0
    if flags & 0x80:
        return KeyUsage.DS
    return KeyUsage.KA if flags & 0x08 else None


def _hardware_serial(names: bytes) -> Eui64 | None:
    """Return the serial of a hardwareModuleName, which ends the alternative name."""
    marked = _HARDWARE_MODULE_NAME in names and names[-10:-8] == b"\x04\x08"
    return Eui64(names[-8:]) if marked else None
