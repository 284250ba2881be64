"""Fields of GBCS messages that are nothing but octets: no tree says more of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: Last name of a leaf -> why its octets are shown as they are.
OPAQUE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "signature": "two numbers of ECDSA",
        "MAC": "a tag of AES-GCM",
        "encrypted block": "sealed; shown decrypted beside it where a key is held",
        "DER octets": "a whole certificate or request; its fields stand before it",
        "key identifier": "part of a hash",
        "old key identifier": "part of a hash",
        "new key identifier": "part of a hash",
        "manufacturer image hash": "a hash",
        "install code key": "a key",
        "hashed tc link key": "a hashed key",
        "extended pan id": "an identifier without parts",
        "firmware version": "a version of four octets",
        "current meter id firmware version": "a version of four octets",
        "integrity issue": "two octets whose meaning is the maker's",
        "channel data": "sub-GHz channel log: the meaning of its parts is not established",
        "password": "a secret",
        "privacy pin": "a secret",
        "event data": "the maker's",
        "payload of unknown command": "a command that is in no table",
        "key": "the key of the contingency",
    }
)
