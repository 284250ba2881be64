"""How both sides of an association prove who they are at the high levels: GMAC, or ECDSA."""

from dataclasses import dataclass, field
from typing import Final, Protocol

from emulator.codecs.dlms.acse import Mechanism
from emulator.core.values import quick
from emulator.crypto import dlms_authentication as gmac
from emulator.crypto import dlms_signature as ecdsa
from emulator.crypto.dlms_authentication import AuthenticationRefusal
from emulator.crypto.dlms_keys import InvocationCounters, SecurityKeys
from harness.meter import Credentials

#: Octets of our challenge. Source: reference serial-dlms.md section 3.2; the least for ECDSA.
GMAC_CHALLENGE_BYTES: Final = 16
ECDSA_CHALLENGE_BYTES: Final = ecdsa.MIN_CHALLENGE_BYTES


@dataclass(frozen=True, slots=True)
class Signing:
    """What mechanism 7 needs beside the credentials.

    Attributes:
        scalar: Our private digital signature key, on P-256.
        server_point: The meter's public one, uncompressed, 65 octets.
    """

    scalar: int = field(repr=False)
    server_point: bytes


@quick
@dataclass(frozen=True, slots=True)
class Exchange:
    """What passes 1 and 2 brought.

    Attributes:
        server: System title of the meter.
        sent: Our challenge.
        received: The meter's challenge.
    """

    server: bytes
    sent: bytes = field(repr=False)
    received: bytes = field(repr=False)


class Proof(Protocol):
    """One mechanism."""

    @property
    def challenge_bytes(self) -> int:
        """Octets of our challenge."""
        ...

    def bad_challenge(self, received: bytes | None, sent: bytes) -> AuthenticationRefusal | None:
        """Say why the meter's challenge will not do, or None."""
        ...

    def ours(self, passed: Exchange) -> bytes:
        """Return our proof."""
        ...

    def bad_reply(self, passed: Exchange, reply: bytes) -> AuthenticationRefusal | None:
        """Say why the meter's proof does not hold, or None."""
        ...


@quick
@dataclass(frozen=True, slots=True)
class GmacProof:
    """Mechanism 5."""

    keys: SecurityKeys = field(repr=False)
    title: bytes
    suite: int
    counters: InvocationCounters = field(repr=False)

    @property
    def challenge_bytes(self) -> int:
        """Octets of our challenge."""
        return GMAC_CHALLENGE_BYTES

    def bad_challenge(self, received: bytes | None, sent: bytes) -> AuthenticationRefusal | None:
        """Say why the meter's challenge will not do, or None."""
        return gmac.challenge_refusal(received, sent)

    def ours(self, passed: Exchange) -> bytes:
        """Return our proof."""
        return gmac.hls_reply(
            self.keys, self.counters, title=self.title, challenge=passed.received, suite=self.suite
        )

    def bad_reply(self, passed: Exchange, reply: bytes) -> AuthenticationRefusal | None:
        """Say why the meter's proof does not hold, or None."""
        return gmac.hls_refusal(
            self.keys, title=passed.server, challenge=passed.sent, reply=reply, suite=self.suite
        )


@dataclass(frozen=True, slots=True)
class EcdsaProof:
    """Mechanism 7."""

    signing: Signing = field(repr=False)
    title: bytes

    @property
    def challenge_bytes(self) -> int:
        """Octets of our challenge."""
        return ECDSA_CHALLENGE_BYTES

    def bad_challenge(self, received: bytes | None, sent: bytes) -> AuthenticationRefusal | None:
        """Say why the meter's challenge will not do, or None."""
        return ecdsa.challenge_refusal(received, sent)

    def ours(self, passed: Exchange) -> bytes:
        """Return our proof."""
        return ecdsa.hls_reply(
            self.signing.scalar,
            title=self.title,
            peer=passed.server,
            received=passed.received,
            sent=passed.sent,
        )

    def bad_reply(self, passed: Exchange, reply: bytes) -> AuthenticationRefusal | None:
        """Say why the meter's proof does not hold, or None."""
        return ecdsa.hls_refusal(
            self.signing.server_point,
            title=passed.server,
            own=self.title,
            sent=passed.sent,
            received=passed.received,
            reply=reply,
        )


@dataclass(frozen=True, slots=True)
class SpoiltProof:
    """Another mechanism, with one bit of our proof wrong: a right meter refuses it.

    Attributes:
        right: The other.
    """

    right: Proof

    @property
    def challenge_bytes(self) -> int:
        """Octets of our challenge."""
        return self.right.challenge_bytes

    def bad_challenge(self, received: bytes | None, sent: bytes) -> AuthenticationRefusal | None:
        """Say why the meter's challenge will not do, or None."""
        return self.right.bad_challenge(received, sent)

    def ours(self, passed: Exchange) -> bytes:
        """Return our proof, its last bit the other way round."""
        found = self.right.ours(passed)
        return found[:-1] + bytes((found[-1] ^ 1,))

    def bad_reply(self, passed: Exchange, reply: bytes) -> AuthenticationRefusal | None:
        """Say why the meter's proof does not hold, or None."""
        return self.right.bad_reply(passed, reply)


def proof_of(
    credentials: Credentials, counters: InvocationCounters, signing: Signing | None
) -> Proof | None:
    """Return how these credentials prove themselves; None where no challenge is exchanged.

    Raises:
        ValueError: They lack a secret, keys, a signature key or a title, or the mechanism is none
            that our client speaks.
    """
    right = _right_proof(credentials, counters, signing)
    return SpoiltProof(right) if credentials.lies and right is not None else right


def _right_proof(
    credentials: Credentials, counters: InvocationCounters, signing: Signing | None
) -> Proof | None:
    name, mechanism, keys = credentials.name, credentials.mechanism, credentials.keys
    match mechanism:
        case Mechanism.NONE:
            return None
        case Mechanism.LLS if credentials.secret:
            return None
        case Mechanism.LLS:
            raise ValueError(f"{name} proves itself by a secret, and has none")
        case Mechanism.HLS_GMAC if keys is not None:
            return GmacProof(keys, credentials.title, credentials.suite, counters)
        case Mechanism.HLS_GMAC:
            raise ValueError(f"{name} proves itself by keys, and has none")
        case Mechanism.HLS_ECDSA if signing is not None:
            return EcdsaProof(signing, credentials.title)
        case Mechanism.HLS_ECDSA:
            raise ValueError(f"{name} proves itself by a signature key, and has none")
    raise ValueError(f"{name}: our client does not speak mechanism {mechanism.name}")
