"""Key transfer of the security setup (class 64): global keys wrapped under the master key."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.values import quick
from emulator.crypto.dlms_cipher import KEY_BYTES
from emulator.crypto.dlms_keys import KeyId, SecurityKeys

WRAPPED_BYTES: Final = KEY_BYTES + 8
_KEY_IDS: Final[dict[int, KeyId]] = {int(key_id): key_id for key_id in KeyId}


class TransferRefusal(enum.StrEnum):
    """Why a key transfer is refused as a whole."""

    WRONG_SHAPE = "wrong_shape"
    UNKNOWN_KEY_ID = "unknown_key_id"
    SAME_KEY_TWICE = "same_key_twice"
    WRAPPED_LENGTH = "wrapped_length"
    WRONG_WRAPPING = "wrong_wrapping"


@quick
@dataclass(frozen=True, slots=True)
class NewKey:
    """One key of a transfer.

    Attributes:
        key_id: Which key it replaces.
        key: The key, 16 octets.
    """

    key_id: KeyId
    key: bytes = field(repr=False)


def wrap(master: bytes, key: bytes) -> bytes:
    """Return ``key`` (16 octets) wrapped under ``master`` (16 octets), 24 octets.

    Raises:
        ValueError: Either has not 16 octets.

    Source:
        RFC 3394; checked on its vector 4.1.
    """
    if len(master) != KEY_BYTES or len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} octets")
    return aes_key_wrap(master, key)


def unwrap(master: bytes, wrapped: bytes) -> bytes | None:
    """Return the key in ``wrapped``, or None when it was not wrapped under ``master``."""
    if len(wrapped) != WRAPPED_BYTES:
        return None
    try:
        return aes_key_unwrap(master, wrapped)
    except InvalidUnwrap:
        return None


def transfer_parameters(master: bytes, keys: Sequence[NewKey]) -> Data:
    """Return the argument of key_transfer: an array of key id and wrapped key.

    Raises:
        ValueError: A key has not 16 octets.

    Source:
        IEC 62056-6-2 Security setup, key_transfer; reference serial-dlms.md section 8.1.
    """
    rows = [
        axdr.structure(Data(Tag.ENUM, new.key_id), axdr.octets(wrap(master, new.key)))
        for new in keys
    ]
    return Data(Tag.ARRAY, tuple(rows))


def read_transfer(master: bytes, parameters: Data) -> tuple[NewKey, ...] | TransferRefusal:
    """Return the keys of a key_transfer argument, or why none of them may be used."""
    rows = parameters.value
    if parameters.tag is not Tag.ARRAY or not isinstance(rows, tuple) or not rows:
        return TransferRefusal.WRONG_SHAPE
    found: list[NewKey] = []
    for row in rows:
        new = _read_row(master, row)
        if isinstance(new, TransferRefusal):
            return new
        found.append(new)
    if len({new.key_id for new in found}) != len(found):
        return TransferRefusal.SAME_KEY_TWICE
    return tuple(found)


def _read_row(master: bytes, row: Data) -> NewKey | TransferRefusal:
    if row.tag is not Tag.STRUCTURE or not isinstance(row.value, tuple) or len(row.value) != 2:
        return TransferRefusal.WRONG_SHAPE
    number, wrapped = row.value
    if number.tag is not Tag.ENUM or not isinstance(number.value, int):
        return TransferRefusal.WRONG_SHAPE
    if wrapped.tag is not Tag.OCTETS or not isinstance(wrapped.value, bytes):
        return TransferRefusal.WRONG_SHAPE
    key_id = _KEY_IDS.get(number.value)
    if key_id is None:
        return TransferRefusal.UNKNOWN_KEY_ID
    if len(wrapped.value) != WRAPPED_BYTES:
        return TransferRefusal.WRAPPED_LENGTH
    key = unwrap(master, wrapped.value)
    return TransferRefusal.WRONG_WRAPPING if key is None else NewKey(key_id, key)


def with_new_keys(keys: SecurityKeys, new_keys: Sequence[NewKey]) -> SecurityKeys:
    """Return ``keys`` with every one of ``new_keys`` in place of the old."""
    for new in new_keys:
        keys = keys.with_key(new.key_id, new.key)
    return keys
