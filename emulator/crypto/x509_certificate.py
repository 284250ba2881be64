"""A certificate as the X.509 library reads it: names and serial number, for XML signatures.

What the library cannot read it says in several ways, not all of them a ``ValueError``; here there
is one.
"""

from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from emulator.core.errors import MalformedFrameError

_LAYER = "certificate"


def load(der: bytes) -> x509.Certificate:
    """Return a certificate whose issuer, serial number and key can be read.

    Args:
        der: The certificate, DER.

    Raises:
        MalformedFrameError: Layer ``certificate``: it is none, of a version that there is not, or
            with a key of a kind or curve that is not known.

    Source:
        RFC 5280 4.1; checked by flipping every bit of a certificate.
    """
    try:
        found = x509.load_der_x509_certificate(der)
        found.issuer.rfc4514_string()
        found.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise MalformedFrameError(_LAYER, der, f"no certificate: {error}") from error
    return found


@lru_cache(maxsize=256)
def names(der: bytes) -> tuple[str, int]:
    """Return issuer (RFC 4514) and serial number of a certificate; a run has the same few.

    Raises:
        MalformedFrameError: It cannot be read.
    """
    parsed = load(der)
    return parsed.issuer.rfc4514_string(), parsed.serial_number
