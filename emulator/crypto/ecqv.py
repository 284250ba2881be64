"""ECQV implicit certificates: their public keys, and a test authority that issues them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee_certificate import (
    ATTRIBUTES_OCTETS,
    FOR_EVER_S,
    USAGE_KEY_AGREEMENT,
    Certificate,
    Certificate163,
    Certificate283,
)
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.aes_mmo import aes_mmo
from emulator.crypto.binary_curve import (
    SECT163K1,
    SECT283K1,
    InvalidPointError,
    KoblitzCurve,
    Point,
    PointFault,
)

#: Names our test authorities have unless told otherwise: no real authority's.
TEST_ISSUER: Final = b"SMETSTST"


@dataclass(frozen=True, slots=True)
class CryptoSuite:
    """What a suite of the cluster stands for.

    Attributes:
        name: `KeySuite` it is.
        curve: Its curve.
        read_certificate: Reads one of its certificates (raises MalformedFrameError).
    """

    name: KeySuite
    curve: KoblitzCurve
    read_certificate: Callable[[bytes], Certificate]


SUITES: Final[Mapping[int, CryptoSuite]] = MappingProxyType(
    {
        KeySuite.CBKE_163: CryptoSuite(KeySuite.CBKE_163, SECT163K1, Certificate163.decode),
        KeySuite.CBKE_283: CryptoSuite(KeySuite.CBKE_283, SECT283K1, Certificate283.decode),
    }
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a device proves itself with.

    Attributes:
        suite: Suite they are for.
        certificate: Its implicit certificate, 48 or 74 octets.
        private_scalar: The private key of the certificate's public key.
        authority_key: Public key of the authority whose certificates it trusts, compressed.
    """

    suite: KeySuite
    certificate: bytes
    private_scalar: int = field(repr=False)
    authority_key: bytes

    @property
    def subject(self) -> Eui64:
        """Device the certificate is for."""
        return SUITES[self.suite].read_certificate(self.certificate).subject

    def fit(self) -> bool:
        """Say whether private key, certificate and authority belong together."""
        curve = SUITES[self.suite].curve
        public = public_key(self.suite, self.certificate, self.authority_key)
        return public == curve.public(self.private_scalar)


def public_key(suite: KeySuite, certificate: bytes, authority_key: bytes) -> Point:
    """Return the public key that a certificate stands for: e·P + Q_CA.

    A certificate of another authority, or a damaged one, gives a key too, but one whose private
    half nobody knows: only the key agreement shows it.

    Args:
        suite: Suite of the certificate.
        certificate: All its octets; e is their AES-MMO as a big-endian number, P their point.
        authority_key: Public key of the authority, compressed.

    Raises:
        MalformedFrameError: The octets are no certificate of the suite.
        InvalidPointError: Its point, the authority's key or the result is no public key.

    Source:
        SEC 4 version 1, 2.5; checked on both pairs of reference/zigbee-dongle.md 4.3 and the four
        certificates of Smart Energy Annex C.5 and C.6.
    """
    chosen = SUITES[suite]
    curve = chosen.curve
    contribution = curve.decode(chosen.read_certificate(certificate).point)
    digest = int.from_bytes(aes_mmo(certificate), "big")
    found = curve.add(curve.multiply(digest, contribution), _authority_point(curve, authority_key))
    if found is None:
        raise InvalidPointError(curve.name, PointFault.INFINITY)
    return found


@lru_cache(maxsize=16)
def _authority_point(curve: KoblitzCurve, authority_key: bytes) -> Point:
    """Read an authority's key: one for all devices of a run, so it is validated once."""
    return curve.decode(authority_key)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of our own, for emulated devices: nothing real trusts it.

    Attributes:
        suite: Suite of its certificates.
        private_scalar: Its private key.
        issuer: Its name in certificates, 8 octets.
    """

    suite: KeySuite
    private_scalar: int = field(repr=False)
    issuer: bytes = TEST_ISSUER

    def __post_init__(self) -> None:
        SUITES[self.suite].curve.check_scalar(self.private_scalar)

    @classmethod
    def draw(cls, suite: KeySuite, chance: Stream, issuer: bytes = TEST_ISSUER) -> "Authority":
        """Make an authority with a key of chance."""
        return cls(suite, SUITES[suite].curve.draw_scalar(chance), issuer)

    @property
    def public(self) -> bytes:
        """Its public key, compressed."""
        curve = SUITES[self.suite].curve
        return curve.encode(curve.public(self.private_scalar))

    def issue(
        self, subject: Eui64, chance: Stream, *, key_usage: int = USAGE_KEY_AGREEMENT
    ) -> Credentials:
        """Make a device's key pair and certify it, both sides of SEC 4 in one place.

        Args:
            subject: Device it is for.
            chance: Source of the device's contribution, of ours and of the serial number.
            key_usage: USAGE_ bits, in suite 2 alone.

        Source:
            SEC 4 version 1, 2.3 to 2.4; validity without end from 1970.
        """
        curve = SUITES[self.suite].curve
        theirs, ours = curve.draw_scalar(chance), curve.draw_scalar(chance)
        point = curve.public((theirs + ours) % curve.order)  # infinity: chance 1 in 2^162
        certificate = self._fill(subject, chance, key_usage, curve.encode(point)).encode()
        digest = int.from_bytes(aes_mmo(certificate), "big")
        reconstruction = (digest * ours + self.private_scalar) % curve.order
        private = (reconstruction + digest * theirs) % curve.order
        return Credentials(self.suite, certificate, private, self.public)

    def _fill(self, subject: Eui64, chance: Stream, key_usage: int, point: bytes) -> Certificate:
        if self.suite is KeySuite.CBKE_163:
            return Certificate163(point, subject, self.issuer, bytes(ATTRIBUTES_OCTETS))
        serial = int.from_bytes(chance.octets(8), "big")
        return Certificate283(serial, self.issuer, 0, FOR_EVER_S, subject, key_usage, point)
