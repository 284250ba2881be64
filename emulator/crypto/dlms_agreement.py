"""Key agreement of security suite 1: ECDH on P-256, and the keys that follow from it."""

import enum
import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from emulator.codecs.dlms.apdu_general import GeneralHeader, octet_string
from emulator.crypto import signature as ecdsa
from emulator.crypto.dlms_cipher import KEY_BYTES

#: An ephemeral public key as it is sent, x then y; and with its signature behind it.
POINT_BYTES: Final = 64
SIGNATURE_BYTES: Final = 64
OFFER_BYTES: Final = POINT_BYTES + SIGNATURE_BYTES
_UNCOMPRESSED: Final = b"\x04"
#: What DLMS object identifiers begin with; then comes the algorithm's own arc.
_ALGORITHMS: Final = bytes.fromhex("608574050803")
_FIRST_BLOCK: Final = b"\0\0\0\1"
_ECDH: Final = ec.ECDH()


class Algorithm(enum.IntEnum):
    """What a derived key is for: last arc of its algorithm identifier.

    Source:
        IEC 62056-5-3, cryptographic algorithm identifiers (AES-GCM-128: 2.16.756.5.8.3.0).
    """

    AES_GCM_128 = 0
    AES_WRAP_128 = 2


def shared_secret(scalar: int, point: bytes) -> bytes:
    """Return Z, 32 octets: the x-coordinate of ``scalar`` times ``point`` (x, y; 64 octets).

    Raises:
        ValueError: The scalar is out of range, or the point is none of the curve.
    """
    public = ecdsa.public_key(_UNCOMPRESSED + point)
    return ecdsa.private_key(scalar).exchange(_ECDH, public)


def derive(z: bytes, algorithm: Algorithm, party_u: bytes, party_v: bytes) -> bytes:
    """Return the key of 16 octets that follows from a shared secret.

    Args:
        z: Shared secret, 32 octets.
        algorithm: What the key is for.
        party_u: Information of the party that began: its system title, and its nonce if any.
        party_v: The other party's system title.

    Source:
        NIST SP 800-56A concatenation KDF, one block of SHA-256, as the DLMS Green Book uses it;
        checked on the Green Book's one-pass example, whose ciphertext deciphers under this key.
        An earlier edition prints keys derived with algorithm identifier 60 85 74 06 08 03 00,
        which GBCS kept (``key_agreement``); this is the later editions' 60 85 74 05 08 03 00.
    """
    other_info = _ALGORITHMS + bytes((algorithm,)) + party_u + party_v
    return hashlib.sha256(_FIRST_BLOCK + z + other_info).digest()[:KEY_BYTES]


def one_pass_key(z: bytes, header: GeneralHeader) -> bytes:
    """Return the key of a one-pass agreement, C(1e, 1s): party U is the originator.

    Source:
        As ``derive``.
    """
    return derive(z, Algorithm.AES_GCM_128, header.originator, header.recipient)


def static_key(z: bytes, header: GeneralHeader) -> bytes:
    """Return the key of a static agreement, C(0e, 2s): the transaction id is the nonce.

    Source:
        DLMS Green Book; that the nonce stands behind its length, and after the originator: as
        GBCS has it, checked there on 429 RTDS 4.5.0 messages.
    """
    party_u = header.originator + octet_string(header.transaction_id)
    return derive(z, Algorithm.AES_GCM_128, party_u, header.recipient)


def signed_offer(ephemeral: int, signing: int, prefix: bytes = b"") -> bytes:
    """Return an ephemeral public key and its signature, 128 octets.

    Args:
        ephemeral: Private scalar of the ephemeral key.
        signing: Private scalar of the digital signature key.
        prefix: What is signed before the public key: nothing in a general-ciphering APDU, the key
            id in the method key_agreement.

    Raises:
        ValueError: A scalar is out of range.

    Source:
        DLMS Green Book; both forms checked on signatures printed there.
    """
    point = ecdsa.point_of(ephemeral)[1:]
    return point + ecdsa.sign(signing, prefix + point)


def offered_point(offer: bytes, signer: bytes, prefix: bytes = b"") -> bytes | None:
    """Return the ephemeral public key of ``offer`` (x, y), or None when it is not to be trusted.

    Args:
        offer: What came, 128 octets.
        signer: Public digital signature key of the other party, uncompressed, 65 octets.
        prefix: As in ``signed_offer``.
    """
    if len(offer) != OFFER_BYTES:
        return None
    point, signature = offer[:POINT_BYTES], offer[POINT_BYTES:]
    if not ecdsa.verify(signer, prefix + point, signature):
        return None
    try:
        ecdsa.public_key(_UNCOMPRESSED + point)
    except ValueError:  # signed, and yet no point of the curve
        return None
    return point
