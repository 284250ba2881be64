"""The Matyas-Meyer-Oseas hash over AES-128, and the keyed hash made of it."""

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

#: A longer message would need another padding, which nothing in Smart Energy uses.
MAX_OCTETS: Final = 0xFFFF // 8
_BLOCK: Final = 16
_LENGTH_OCTETS: Final = 2
_ECB: Final = modes.ECB()  # noqa: S305 - one block at a time, the chaining is the hash's own
_INNER: Final = bytes([0x36]) * _BLOCK
_OUTER: Final = bytes([0x5C]) * _BLOCK


def aes_mmo(data: bytes) -> bytes:
    """Return the 16-octet hash of ``data``, at most 8191 octets.

    Raises:
        ValueError: ``data`` is longer.

    Source:
        Zigbee specification 05-3474, B.1.3 and B.6; checked on the install codes of
        reference/firmware.md 8.1 and the certificates of zigbee-dongle.md 4.3.
    """
    if len(data) > MAX_OCTETS:
        raise ValueError(f"AES-MMO: {len(data)} octets, at most {MAX_OCTETS}")
    zeros = -(len(data) + 1 + _LENGTH_OCTETS) % _BLOCK
    padded = data + b"\x80" + bytes(zeros) + (8 * len(data)).to_bytes(_LENGTH_OCTETS, "big")
    digest = bytes(_BLOCK)
    for at in range(0, len(padded), _BLOCK):
        block = padded[at : at + _BLOCK]
        digest = _xor(Cipher(algorithms.AES(digest), _ECB).encryptor().update(block), block)
    return digest


def hmac_aes_mmo(key: bytes, data: bytes) -> bytes:
    """Return the 16-octet HMAC of ``data`` under a key of 16 octets.

    Raises:
        ValueError: The key has another length, or ``data`` is too long.

    Source:
        Zigbee specification 05-3474, B.1.4 (FIPS 198 with a block of 16 octets); checked on the
        keyed hashes of Smart Energy Annex C.5 and C.6.
    """
    if len(key) != _BLOCK:
        raise ValueError(f"HMAC-AES-MMO: a key has {_BLOCK} octets")
    return aes_mmo(_xor(key, _OUTER) + aes_mmo(_xor(key, _INNER) + data))


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
