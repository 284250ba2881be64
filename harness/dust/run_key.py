"""The key that signs a run's evidence: drawn from the run's seed, its certificate beside it.

Whoever knows the seed can draw the key, and the seed stands in the pack: the signature shows that
a pack is as the run wrote it, not who ran it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from emulator.core.chance import Chance
from emulator.core.clock import from_datetime
from emulator.core.ids import Eui64
from emulator.crypto.key_files import pem
from emulator.crypto.pki import TestPki
from emulator.crypto.signature import sign
from harness.dust.record import Header

#: Role of a party that signs XML and files.
#: Source: stand-in.
_ROLE: Final = 0x02


@dataclass(frozen=True, slots=True)
class RunKey:
    """A key and what proves whose it is.

    Attributes:
        certificates: PEM: the key's certificate, its issuer's, the root's.
    """

    certificates: bytes
    scalar: int = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Return a signature (DER) over octets; the same octets give the same signature."""
        raw = sign(self.scalar, data)
        return encode_dss_signature(
            int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        )


def key_of_run(header: Header) -> RunKey:
    """Return the key of a run: the same seed, id and day give the same key."""
    draw = Chance(header.seed).stream(f"dust/evidence/{header.run_id}").octets
    at = from_datetime(
        datetime(header.as_of.year, header.as_of.month, header.as_of.day, tzinfo=UTC)
    )
    pki = TestPki.new(draw, at)
    owner = Eui64(b"\x02\x53" + draw(6))
    entry = pki.xml_signing_entry(owner, _ROLE, "smetsbench dust run")
    if entry.private_scalar is None or entry.certificate is None:
        raise ValueError("the test PKI issued a key without its private half")
    chain = (entry.certificate, pki.issuing.certificate, pki.root.certificate)
    shown = b"".join(pem("CERTIFICATE", one) for one in chain)
    return RunKey(shown, entry.private_scalar)


def verifies(certificates: bytes, data: bytes, signature: bytes) -> bool:
    """Say whether a signature (DER) was made with the key of the first of these certificates."""
    try:
        key = x509.load_pem_x509_certificate(certificates).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion, ValueError):
        return False
    return True
