"""What two devices compute to agree on a Zigbee link key: ECMQV, key derivation, keyed hashes.

Checked on the worked examples of Zigbee Smart Energy, Annex C.5 (suite 1) and C.6 (suite 2): keys,
certificates, shared secrets, MAC keys, link keys and both keyed hashes. The specification itself
was not at hand; its numbers were found quoted in the tests of three public repositories that agree
with each other (Texas Instruments' Z-Stack, a copy of ZBOSS, the Rust stack panweave). What such a
check cannot show is how a real device behaves: nobody has run this against one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.crypto.aes_mmo import aes_mmo, hmac_aes_mmo
from emulator.crypto.binary_curve import InvalidPointError, KoblitzCurve, Point, PointFault
from emulator.crypto.ecqv import SUITES, Credentials, public_key

#: What tells MAC(U), the initiator's, from MAC(V), the responder's.
_TAG_U: Final = b"\x02"
_TAG_V: Final = b"\x03"
_COUNTER_OCTETS: Final = 4


@dataclass(frozen=True, slots=True)
class EphemeralKey:
    """A key pair for one key establishment.

    Attributes:
        scalar: Private key.
        public: Public key, compressed.
    """

    scalar: int = field(repr=False)
    public: bytes

    @classmethod
    def of(cls, suite: KeySuite, scalar: int) -> "EphemeralKey":
        """Return the pair of a private key.

        Raises:
            ValueError: ``scalar`` is none.
        """
        curve = SUITES[suite].curve
        return cls(scalar, curve.encode(curve.public(scalar)))

    @classmethod
    def draw(cls, suite: KeySuite, chance: Stream) -> "EphemeralKey":
        """Make a pair by chance."""
        return cls.of(suite, SUITES[suite].curve.draw_scalar(chance))


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a key establishment, as the keyed hashes name it.

    Attributes:
        eui64: Its identity.
        ephemeral: Its ephemeral public key, compressed.
    """

    eui64: Eui64
    ephemeral: bytes


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both sides know at the end, if all went well.

    Attributes:
        mac_u: What the initiator proves itself with, 16 octets.
        mac_v: What the responder proves itself with, 16 octets.
        link_key: The new link key, 16 octets.
    """

    mac_u: bytes
    mac_v: bytes
    link_key: bytes = field(repr=False)


def implicit_signature(curve: KoblitzCurve, static: int, ephemeral: EphemeralKey) -> int:
    """Return s = d_e + avf(Q_e)·d_s modulo n."""
    weight = associated_value(curve, int.from_bytes(ephemeral.public[1:], "big"))
    return (ephemeral.scalar + weight * static) % curve.order


def associated_value(curve: KoblitzCurve, x: int) -> int:
    """Return the lower half of a point's x with the next bit set: half as long as the order."""
    top = 1 << (curve.order.bit_length() + 1) // 2
    return x % top + top


def shared_secret(
    suite: KeySuite, static: int, ephemeral: EphemeralKey, partner: Point, partner_key: Point
) -> bytes:
    """Return Z, the x-coordinate that ECMQV gives: 21 or 36 octets.

    Args:
        suite: Suite of all keys.
        static: Private key of our certificate.
        ephemeral: Our ephemeral key.
        partner: The partner's public key, out of its certificate.
        partner_key: Its ephemeral public key.

    Raises:
        InvalidPointError: The result is the point at infinity.

    Source:
        SEC 1 version 2, 3.4 and 6.2 (the two-pass scheme); checked on the shared secrets of Smart
        Energy Annex C.5 and C.6, from both sides.
    """
    curve = SUITES[suite].curve
    signature = implicit_signature(curve, static, ephemeral)
    weighted = curve.multiply(associated_value(curve, partner_key.x), partner)
    combined = curve.multiply(
        curve.cofactor * signature % curve.order, curve.add(partner_key, weighted)
    )
    if combined is None:
        raise InvalidPointError(curve.name, PointFault.INFINITY)
    return combined.x.to_bytes(curve.field.octets, "big")


def derive_keys(z: bytes) -> tuple[bytes, bytes]:
    """Return MAC key and link key: AES-MMO over Z and a counter, 1 and 2, of four octets.

    Source:
        ANSI X9.63 key derivation without shared information; checked on Smart Energy Annex C.5
        and C.6.
    """
    mac_key, link_key = (
        aes_mmo(z + counter.to_bytes(_COUNTER_OCTETS, "big")) for counter in (1, 2)
    )
    return mac_key, link_key


def keyed_hashes(mac_key: bytes, initiator: Party, responder: Party) -> tuple[bytes, bytes]:
    """Return MAC(U) and MAC(V): each names its own side first.

    Source:
        Zigbee Smart Energy, C.4.2; checked on all four values of Annex C.5 and C.6.
    """
    one = _named(initiator, responder)
    other = _named(responder, initiator)
    return hmac_aes_mmo(mac_key, _TAG_U + one), hmac_aes_mmo(mac_key, _TAG_V + other)


def _named(sender: Party, receiver: Party) -> bytes:
    return sender.eui64.octets + receiver.eui64.octets + sender.ephemeral + receiver.ephemeral


def agree(
    credentials: Credentials,
    ephemeral: EphemeralKey,
    partner_certificate: bytes,
    partner_key: bytes,
    *,
    initiator: bool,
) -> Agreement:
    """Compute all that one side can from its own secrets and what its partner sent.

    Args:
        credentials: Ours.
        ephemeral: Our ephemeral key.
        partner_certificate: The partner's certificate; its subject counts as the partner.
        partner_key: The partner's ephemeral public key, compressed.
        initiator: Which side we are.

    Raises:
        MalformedFrameError: The certificate is none.
        InvalidPointError: A key of the partner is none.
    """
    suite = credentials.suite
    chosen = SUITES[suite]
    partner = public_key(suite, partner_certificate, credentials.authority_key)
    partner_point = chosen.curve.decode(partner_key)
    z = shared_secret(suite, credentials.private_scalar, ephemeral, partner, partner_point)
    mac_key, link_key = derive_keys(z)
    we = Party(credentials.subject, ephemeral.public)
    they = Party(chosen.read_certificate(partner_certificate).subject, partner_key)
    mac_u, mac_v = keyed_hashes(mac_key, *((we, they) if initiator else (they, we)))
    return Agreement(mac_u, mac_v, link_key)


class SoftwareEngine:
    """The arithmetic of one key establishment after another, as a dongle's library does it.

    Attributes:
        credentials: What the device proves itself with.
    """

    def __init__(self, credentials: Credentials, chance: Stream) -> None:
        self.credentials = credentials
        self._chance = chance
        self._ephemeral: EphemeralKey | None = None
        self._agreement: Agreement | None = None

    def make_key(self) -> bytes:
        """Make a new ephemeral key, in place of an older one; return its public half."""
        self.forget()
        self._ephemeral = EphemeralKey.draw(self.credentials.suite, self._chance)
        return self._ephemeral.public

    def agree(
        self, partner_certificate: bytes, partner_key: bytes, *, initiator: bool
    ) -> Agreement:
        """Compute the keyed hashes and the link key.

        Raises:
            IllegalEventError: No ephemeral key was made.
            MalformedFrameError: The certificate is none.
            InvalidPointError: A key of the partner is none.
        """
        if self._ephemeral is None:
            raise IllegalEventError("CBKE: agreeing before an ephemeral key was made")
        self._agreement = agree(
            self.credentials, self._ephemeral, partner_certificate, partner_key, initiator=initiator
        )
        return self._agreement

    def take_link_key(self) -> bytes:
        """Return the link key agreed upon, and forget all that led to it.

        Raises:
            IllegalEventError: Nothing was agreed upon.
        """
        agreement = self._agreement
        self.forget()
        if agreement is None:
            raise IllegalEventError("CBKE: no link key was agreed upon")
        return agreement.link_key

    def forget(self) -> None:
        """Forget ephemeral key and agreement."""
        self._ephemeral = None
        self._agreement = None

    def dump(self) -> dict[str, Any]:
        """Return what it remembers, as plain data (secrets included)."""
        agreed = self._agreement
        return {
            "ephemeral": None if self._ephemeral is None else f"{self._ephemeral.scalar:x}",
            "agreement": None
            if agreed is None
            else [agreed.mac_u.hex(), agreed.mac_v.hex(), agreed.link_key.hex()],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        scalar, agreed = state["ephemeral"], state["agreement"]
        self._ephemeral = (
            None if scalar is None else EphemeralKey.of(self.credentials.suite, int(scalar, 16))
        )
        self._agreement = None if agreed is None else Agreement(*map(bytes.fromhex, agreed))
