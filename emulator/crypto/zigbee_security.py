"""How Zigbee frames are sealed: AES-CCM* with a check of four octets, and the keys for it."""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from emulator.codecs.zigbee import security
from emulator.codecs.zigbee.security import CHECK_OCTETS, LEVEL, Auxiliary, KeyId
from emulator.core.ids import Eui64
from emulator.crypto.aes_mmo import hmac_aes_mmo

_TRANSPORT: Final = b"\x00"
_LOAD: Final = b"\x02"
_VERIFY: Final = b"\x03"


def key_transport_key(link_key: bytes) -> bytes:
    """Return the key under which a network key travels to the holder of a link key.

    Source:
        Zigbee specification 05-3474, 4.5.3; checked with tshark 4.0.17.
    """
    return hmac_aes_mmo(link_key, _TRANSPORT)


def key_load_key(link_key: bytes) -> bytes:
    """Return the key under which a new link key travels to the holder of an old one."""
    return hmac_aes_mmo(link_key, _LOAD)


def verify_hash(link_key: bytes) -> bytes:
    """Return what proves, in a Verify Key command, that its sender holds a link key."""
    return hmac_aes_mmo(link_key, _VERIFY)


def working_key(key: bytes, key_id: KeyId) -> bytes:
    """Return the key that a frame of this ``key_id`` is enciphered with.

    Args:
        key: The network key, or the link key that the others are made of.
        key_id: What the auxiliary header names.
    """
    if key_id is KeyId.KEY_TRANSPORT:
        return key_transport_key(key)
    return key_load_key(key) if key_id is KeyId.KEY_LOAD else key


def seal(header: bytes, auxiliary: Auxiliary, payload: bytes, key: bytes, sender: Eui64) -> bytes:
    """Return a secured frame: header, auxiliary header, enciphered payload, check.

    Args:
        header: The layer's header, with its security bit set.
        auxiliary: The auxiliary header.
        payload: What is enciphered.
        key: As `working_key` takes it.
        sender: Who sends.

    Source:
        Zigbee specification 05-3474, 4.3.1.1, 4.4.1.1 and annex A; checked with tshark 4.0.17.
    """
    authenticated = header + security.encode(auxiliary, LEVEL)
    cipher = AESCCM(working_key(key, auxiliary.key_id), CHECK_OCTETS)
    enciphered = cipher.encrypt(auxiliary.nonce(sender), payload, authenticated)
    return header + security.encode(auxiliary) + enciphered


def opened(
    header: bytes, auxiliary: Auxiliary, enciphered: bytes, key: bytes, sender: Eui64
) -> bytes | None:
    """Return the payload of a secured frame; None: this key does not open it, or it was altered.

    Args:
        header: The layer's header as it was on the air.
        auxiliary: The auxiliary header.
        enciphered: What stands behind it, the check included.
        key: As `working_key` takes it.
        sender: Who sent it.
    """
    if len(enciphered) < CHECK_OCTETS:
        return None
    authenticated = header + security.encode(auxiliary, LEVEL)
    cipher = AESCCM(working_key(key, auxiliary.key_id), CHECK_OCTETS)
    try:
        return cipher.decrypt(auxiliary.nonce(sender), enciphered, authenticated)
    except InvalidTag:
        return None
