"""ECDSA over P-256 with SHA-256 in the raw form of GBCS messages: r || s, 64 octets."""

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

CURVE: Final = ec.SECP256R1()
#: Number of points of P-256; a private scalar is 1 … ORDER - 1.
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_VERIFY: Final = ec.ECDSA(hashes.SHA256())
_SIGN: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


@lru_cache(maxsize=4096)
def public_key(public_point: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key object of an uncompressed P-256 point of 65 octets.

    Raises:
        ValueError: Not such a point, or not on the curve.
    """
    if len(public_point) != 65:
        raise ValueError(f"an uncompressed P-256 point has 65 octets, got {len(public_point)}")
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, public_point)


@lru_cache(maxsize=4096)
def private_key(scalar: int) -> ec.EllipticCurvePrivateKey:
    """Return the key object of a private scalar, 1 … ORDER - 1.

    Raises:
        ValueError: The scalar is out of range.
    """
    if not 0 < scalar < ORDER:
        raise ValueError("a private scalar lies between 1 and the order of P-256")
    return ec.derive_private_key(scalar, CURVE)


@lru_cache(maxsize=4096)
def point_of(scalar: int) -> bytes:
    """Return the public point (65 octets, uncompressed) of a private scalar.

    Raises:
        ValueError: The scalar is out of range.
    """
    numbers = private_key(scalar).public_key().public_numbers()
    return b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def sign(scalar: int, data: bytes) -> bytes:
    """Return r || s (64 octets) over SHA-256 of ``data``; the same input gives the same octets.

    Raises:
        ValueError: The scalar is out of range.

    Source:
        RFC 6979 for the nonce; raw form as in the 219 signed RTDS 4.5.0 messages at hand.
    """
    r, s = decode_dss_signature(private_key(scalar).sign(data, _SIGN))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify(public_point: bytes, data: bytes, signature: bytes) -> bool:
    """Say whether ``signature`` (r || s, 64 octets) over ``data`` was made with this key.

    A signature of another length, and a point that is none, verify nothing.
    """
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public_key(public_point).verify(encode_dss_signature(r, s), data, _VERIFY)
    except (InvalidSignature, ValueError):
        return False
    return True
