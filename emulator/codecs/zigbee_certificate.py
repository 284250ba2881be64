"""Zigbee Smart Energy implicit certificates: 48 octets (sect163k1), 74 octets (sect283k1).

An implicit certificate holds no signature: its point, its octets and the key of the authority
give the public key (`emulator.crypto.ecqv`).
"""

from dataclasses import asdict, dataclass
from typing import ClassVar, Final, Self, TypeAlias

import construct as c

from emulator.codecs.zigbee.blocks import build, parse_whole
from emulator.core.ids import Eui64

CERTIFICATE_163_OCTETS: Final = 48
CERTIFICATE_283_OCTETS: Final = 74
ISSUER_OCTETS: Final = 8
ATTRIBUTES_OCTETS: Final = 10
#: Key usage bits: signatures, key agreement.
USAGE_SIGNATURE: Final = 0x80
USAGE_KEY_AGREEMENT: Final = 0x08
#: Validity that never ends.
FOR_EVER_S: Final = 0xFFFFFFFF
_TYPE_IMPLICIT: Final = 0
_CURVE_SECT283K1: Final = 0x0D
_HASH_AES_MMO: Final = 0x08


class _Eui64BigEndian(c.Adapter):
    """Eight octets, most significant first on the wire; an `Eui64` in Python."""

    def __init__(self) -> None:
        super().__init__(c.Bytes(8))

    def _decode(self, obj: bytes, context: object, path: str) -> Eui64:
        return Eui64(obj)

    def _encode(self, obj: Eui64, context: object, path: str) -> bytes:
        return obj.octets


@dataclass(frozen=True, slots=True)
class Certificate163:
    """A certificate of crypto suite 1.

    Attributes:
        point: Public key reconstruction point, compressed, 22 octets.
        subject: Device it is for.
        issuer: Authority it is of, 8 octets.
        attributes: 10 octets of the authority's choice (profile, manufacturer and so on; what
            they mean is inferred from two examples, so nothing here reads them).

    Source:
        Zigbee Smart Energy 1.1b, Annex C.4.2.2; checked on the certificates of
        reference/zigbee-dongle.md 4.3 and Annex C.5.
    """

    point: bytes
    subject: Eui64
    issuer: bytes
    attributes: bytes

    FORM: ClassVar[c.Construct] = c.Struct(
        "point" / c.Bytes(22),
        "subject" / _Eui64BigEndian(),
        "issuer" / c.Bytes(ISSUER_OCTETS),
        "attributes" / c.Bytes(ATTRIBUTES_OCTETS),
        c.Terminated,
    )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read a certificate of 48 octets; the point is not judged.

        Raises:
            MalformedFrameError: Another length.
        """
        raw = parse_whole("zigbee.certificate163", cls.FORM, octets)
        return cls(raw.point, raw.subject, raw.issuer, raw.attributes)

    def encode(self) -> bytes:
        """Write the certificate.

        Raises:
            ValueError: A field has a wrong length.
        """
        return build("zigbee.certificate163", self.FORM, asdict(self) | {"subject": self.subject})

    def agrees_keys(self) -> bool:
        """Say whether the key may agree keys: of suite 1, each may."""
        return True


@dataclass(frozen=True, slots=True)
class Certificate283:
    """A certificate of crypto suite 2, the one of GB devices.

    Attributes:
        serial: Serial number, 8 octets.
        issuer: Authority it is of, 8 octets.
        valid_from_s: Start of validity, seconds since 1970, 5 octets.
        valid_for_s: Seconds of validity, 4 octets; FOR_EVER_S: no end.
        subject: Device it is for.
        key_usage: USAGE_ bits.
        point: Public key reconstruction point, compressed, 37 octets.

    Source:
        Zigbee Smart Energy 1.2, Annex C.4.2.3; checked on the certificates of
        reference/zigbee-dongle.md 4.3 and Annex C.5. The epoch is inferred (the examples' dates
        make sense since 1970).
    """

    serial: int
    issuer: bytes
    valid_from_s: int
    valid_for_s: int
    subject: Eui64
    key_usage: int
    point: bytes

    FORM: ClassVar[c.Construct] = c.Struct(
        c.Const(_TYPE_IMPLICIT, c.Int8ub),
        "serial" / c.Int64ub,
        c.Const(_CURVE_SECT283K1, c.Int8ub),
        c.Const(_HASH_AES_MMO, c.Int8ub),
        "issuer" / c.Bytes(ISSUER_OCTETS),
        "valid_from_s" / c.BytesInteger(5),
        "valid_for_s" / c.Int32ub,
        "subject" / _Eui64BigEndian(),
        "key_usage" / c.Int8ub,
        "point" / c.Bytes(37),
        c.Terminated,
    )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read a certificate of 74 octets; the point is not judged.

        Raises:
            MalformedFrameError: Another length, type, curve or hash.
        """
        raw = parse_whole("zigbee.certificate283", cls.FORM, octets)
        return cls(
            raw.serial,
            raw.issuer,
            raw.valid_from_s,
            raw.valid_for_s,
            raw.subject,
            raw.key_usage,
            raw.point,
        )

    def encode(self) -> bytes:
        """Write the certificate.

        Raises:
            ValueError: A field has a wrong length or range.
        """
        return build("zigbee.certificate283", self.FORM, asdict(self) | {"subject": self.subject})

    def agrees_keys(self) -> bool:
        """Say whether the key may agree keys."""
        return bool(self.key_usage & USAGE_KEY_AGREEMENT)


Certificate: TypeAlias = Certificate163 | Certificate283
