"""Digests: SHA-256 and the 8-octet key identifiers of GBCS certificates."""

import hashlib
from typing import Final

KEY_IDENTIFIER_LENGTH: Final = 8


def sha256(data: bytes) -> bytes:
    """Return the 32-octet SHA-256 of ``data``."""
    return hashlib.sha256(data).digest()


def skid(public_point: bytes) -> bytes:
    """Return the 8-octet key identifier of a public key.

    Args:
        public_point: Uncompressed P-256 point, 65 octets beginning 04.

    Source:
        RFC 5280 4.2.1.2 method (2): 0100 and the low 60 bits of the SHA-1 of the point; checked
        on the certificates of the RTDS key store.
    """
    low = bytearray(hashlib.sha1(public_point, usedforsecurity=False).digest()[-8:])
    low[0] = 0x40 | low[0] & 0x0F
    return bytes(low)
