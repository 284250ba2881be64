"""Shared secrets of two parties, and the keys derived from them."""

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from emulator.core.ids import Eui64
from emulator.crypto.key_entry import KeyEntry, KeyUsage
from emulator.crypto.keystore import KeyStore
from emulator.crypto.signature import private_key, public_key

#: Stands in the place of the CRA octet where the key encrypts instead of authenticating.
ENCRYPTION: Final = 4
_COUNTER: Final = b"\0\0\0\1"
_ALGORITHM: Final = bytes.fromhex("60857406080300")  # AES-GCM-128
_ECDH: Final = ec.ECDH()


def derive_key(z: bytes, originator: Eui64, target: Eui64, counter: int, cra_octet: int) -> bytes:
    """Return the 16-octet AES key for one message.

    Args:
        z: Shared secret: the 32-octet x-coordinate, big-endian.
        originator: Originator of the grouping header.
        target: Target of the grouping header (for encryption: the other party).
        counter: 64-bit originator counter (for encryption: see ``protection.encrypt_block``).
        cra_octet: 1 command, 2 response, 3 alert, or ``ENCRYPTION``.

    Source:
        NIST SP 800-56A 5.8.1 concatenation KDF, one block of SHA-256, OtherInfo as in
        reference/gbcs.md §4; checked on 429 RTDS 4.5.0 messages at hand.
    """
    transaction = b"\x09%c%b" % (cra_octet, counter.to_bytes(8, "big"))
    other_info = _ALGORITHM + originator.octets + transaction + target.octets
    return hashlib.sha256(_COUNTER + z + other_info).digest()[:16]


class KeyAgreement:
    """ECDH over P-256 between parties of one key store, each pair computed once.

    The cache goes by public keys, not by names: a replaced key never meets an old secret.
    """

    def __init__(self, keystore: KeyStore) -> None:
        self._keystore = keystore
        self._secrets: dict[tuple[bytes, bytes], bytes] = {}

    def shared_secret(self, a: Eui64, b: Eui64, *, prepayment: bool = False) -> bytes | None:
        """Return Z of two parties (32 octets), from whichever side's private key is held.

        Args:
            a: One party.
            b: The other; the order does not matter.
            prepayment: Use the prepayment key of the one that has such a key.

        Returns:
            None when a party has no key-agreement key here, or neither private key is held.
        """
        one, other = self._entry(a, prepayment=prepayment), self._entry(b, prepayment=prepayment)
        if one is None or other is None:
            return None
        if prepayment and not (one.prepayment or other.prepayment):
            return None
        pair = (one.public_point, other.public_point)
        secret = self._secrets.get(pair)
        if secret is None:
            secret = _exchange(one, other)
            if secret is not None:
                self._secrets[pair] = self._secrets[pair[1], pair[0]] = secret
        return secret

    def knows(self, party: Eui64) -> bool:
        """Say whether a key-agreement key of ``party``, public or private, is held."""
        return self._keystore.find(party, KeyUsage.KA) is not None

    def _entry(self, party: Eui64, *, prepayment: bool) -> KeyEntry | None:
        special = self._keystore.find(party, KeyUsage.KA, prepayment=True) if prepayment else None
        return special or self._keystore.find(party, KeyUsage.KA)


def _exchange(one: KeyEntry, other: KeyEntry) -> bytes | None:
    if one.private_scalar is None:
        one, other = other, one
    if one.private_scalar is None:
        return None
    return private_key(one.private_scalar).exchange(_ECDH, public_key(other.public_point))
