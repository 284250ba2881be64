"""AES-GCM as DLMS security suites 0 and 1 use it: 12-octet tags, IV of title and counter."""

import hmac
from functools import lru_cache
from struct import Struct
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from emulator.codecs.dlms.apdu_ciphered import (
    TITLE_BYTES,
    CipheredApdu,
    Protection,
    SecurityControl,
)

TAG_BYTES: Final = 12
_AUTHENTICATED: Final = int(Protection.AUTHENTICATED)
_ENCRYPTED: Final = int(Protection.ENCRYPTED)
KEY_BYTES: Final = 16
_LAST_COUNTER: Final = (1 << 32) - 1
_NONCE: Final = Struct(f">{TITLE_BYTES}sI")


#: A cipher made of a key; a meter and its head end use the same few keys again and again.
_cipher: Final = lru_cache(maxsize=512)(AESGCM)


def nonce(title: bytes, counter: int) -> bytes:
    """Return the initialisation vector: the sender's system title, then its counter.

    Raises:
        ValueError: The title has not eight octets, or the counter does not fit 32 bits.
    """
    if len(title) != TITLE_BYTES or not 0 <= counter <= _LAST_COUNTER:
        raise ValueError(f"no nonce of title {title.hex()} and counter {counter}")
    return _NONCE.pack(title, counter)


def protect(
    key: bytes, authentication_key: bytes, iv: bytes, control: SecurityControl, plaintext: bytes
) -> bytes:
    """Return what follows the invocation counter: text and, when authenticated, 12-octet tag.

    Args:
        key: Block-cipher key, 16 octets.
        authentication_key: Authentication key, 16 octets; part of what is authenticated.
        iv: From ``nonce``.
        control: What to do; its octet is authenticated too.
        plaintext: The plain APDU.

    Raises:
        ValueError: ``control`` asks for no protection.

    Source:
        IEC 62056-5-3 and reference serial-dlms.md section 3.2; checked on the examples of the
        DLMS Green Book in all three forms.
    """
    protection = control.protected
    if not protection:
        raise ValueError("security control asks for no protection")
    cipher = _cipher(key)
    aad = control.written + authentication_key
    if not protection & _AUTHENTICATED:
        return cipher.encrypt(iv, plaintext, b"")[: len(plaintext)]
    if not protection & _ENCRYPTED:
        return plaintext + cipher.encrypt(iv, b"", aad + plaintext)[:TAG_BYTES]
    return cipher.encrypt(iv, plaintext, aad)[: len(plaintext) + TAG_BYTES]


def unprotect(
    key: bytes, authentication_key: bytes, title: bytes, apdu: CipheredApdu
) -> bytes | None:
    """Return the plain APDU, or None when it does not authenticate.

    What is encrypted only cannot fail, and says nothing of who wrote it.

    Args:
        key: Block-cipher key, 16 octets.
        authentication_key: Authentication key, 16 octets.
        title: System title of the sender, eight octets.
        apdu: The ciphered APDU; its title is not looked at.
    """
    iv, content = nonce(title, apdu.counter), apdu.content
    aad = apdu.control.written + authentication_key
    protection = apdu.control.protected
    encrypted = protection & _ENCRYPTED
    if not protection & _AUTHENTICATED:
        if not encrypted:
            return None
        return _cipher(key).encrypt(iv, content, b"")[: len(content)]  # GCM's counter mode
    text, tag = content[:-TAG_BYTES], content[-TAG_BYTES:]
    if len(tag) < TAG_BYTES:
        return None
    if not encrypted:
        good = _cipher(key).encrypt(iv, b"", aad + text)[:TAG_BYTES]
        return text if hmac.compare_digest(good, tag) else None
    # AESGCM takes no tags of 12 octets. What it makes of the cipher text is the plain text (its
    # counter mode is its own inverse), and of that, the tag that must be there.
    cipher, length = _cipher(key), len(text)
    plain = cipher.encrypt(iv, text, b"")[:length]
    good = cipher.encrypt(iv, plain, aad)[length : length + TAG_BYTES]
    return plain if hmac.compare_digest(good, tag) else None
