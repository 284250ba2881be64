"""Keys of general protection: whose they are, how an APDU names its key, how it is found."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.dlms.apdu_general import (
    AgreedKey,
    GeneralHeader,
    IdentifiedKey,
    KeyInfo,
    WrappedKey,
)
from emulator.core.errors import KeyNotHeldError
from emulator.crypto import dlms_agreement as agreement
from emulator.crypto import dlms_key_transfer
from emulator.crypto.dlms_cipher import KEY_BYTES
from emulator.crypto.dlms_keys import KeyId, SecurityKeys
from emulator.crypto.pki import scalar_from

ONE_PASS: Final = 1
STATIC: Final = 2
_MASTER_KEY: Final = 0


class KeyChoice(enum.StrEnum):
    """How a general-ciphering APDU comes by its key."""

    UNICAST = "unicast"
    BROADCAST = "broadcast"
    WRAPPED = "wrapped"
    EPHEMERAL = "ephemeral"
    STATIC = "static"


class GeneralRefusal(enum.StrEnum):
    """Why a well-formed general APDU is not accepted."""

    NOT_FOR_US = "not_for_us"
    UNKNOWN_PARTY = "unknown_party"
    NO_KEY_NAMED = "no_key_named"
    UNKNOWN_KEY = "unknown_key"
    KEY_NOT_HELD = "key_not_held"
    WRONG_KEY_DATA = "wrong_key_data"
    WRONG_SUITE = "wrong_suite"
    WRONG_CONTROL = "wrong_control"
    NOT_PROTECTED = "not_protected"
    COMPRESSED = "compressed"
    NOT_AUTHENTIC = "not_authentic"
    COUNTER_NOT_RISING = "counter_not_rising"
    WRONG_SIGNATURE = "wrong_signature"


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused APDU; nothing has changed.

    Attributes:
        reason: Why.
        detail: The same with the values, for people.
    """

    reason: GeneralRefusal
    detail: str


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """What one party holds of its own.

    Attributes:
        title: System title, eight octets.
        symmetric: Global keys shared with the other side.
        signing: Private digital signature key (scalar), or None.
        agreement: Private key agreement key (scalar), or None.
    """

    title: bytes
    symmetric: SecurityKeys = field(repr=False)
    signing: int | None = field(default=None, repr=False)
    agreement: int | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Party:
    """Public keys of another party, uncompressed points of 65 octets, or None."""

    signing: bytes | None = None
    agreement: bytes | None = None


class GeneralKeys:
    """Finds the key of a general-ciphering APDU, either way.

    Attributes:
        own: Own title and keys.
        parties: Others by their system titles; may grow or change at any time.
    """

    def __init__(
        self,
        own: OwnKeys,
        parties: Mapping[bytes, Party],
        draw: Callable[[int], bytes],
        *,
        asymmetric: bool,
    ) -> None:
        """Make a finder.

        Args:
            own: Own title and keys.
            parties: Others by their system titles.
            draw: Gives octets of chance, for wrapped and ephemeral keys.
            asymmetric: The security suite has signatures and key agreement.
        """
        self.own = own
        self.parties = parties
        self._draw = draw
        self._asymmetric = asymmetric

    def signing_key(self) -> int:
        """Return the private signature key.

        Raises:
            KeyNotHeldError: None is held, or the suite has none.
        """
        if not self._asymmetric or self.own.signing is None:
            raise KeyNotHeldError("no private signature key is held")
        return self.own.signing

    def verification_key(self, party: Party) -> bytes | None:
        """Return the public signature key of ``party``, or None when none may be used."""
        return party.signing if self._asymmetric else None

    def to_send(self, header: GeneralHeader, choice: KeyChoice) -> tuple[bytes, KeyInfo]:
        """Return a key to protect with, and what tells the recipient of it.

        Raises:
            KeyNotHeldError: A key that ``choice`` needs is not held, or the suite has none.
        """
        keys = self.own.symmetric
        if choice is KeyChoice.UNICAST:
            return keys.unicast, IdentifiedKey(KeyId.UNICAST)
        if choice is KeyChoice.BROADCAST:
            if keys.broadcast is None:
                raise KeyNotHeldError("no broadcast key is held")
            return keys.broadcast, IdentifiedKey(KeyId.BROADCAST)
        if choice is KeyChoice.WRAPPED:
            key = self._draw(KEY_BYTES)
            wrapped = dlms_key_transfer.wrap(keys.master, key)
            return key, WrappedKey(_MASTER_KEY, wrapped)
        return self._agreed_to_send(header, choice)

    def _agreed_to_send(self, header: GeneralHeader, choice: KeyChoice) -> tuple[bytes, KeyInfo]:
        peer = self.parties.get(header.recipient, Party()).agreement
        if not self._asymmetric or peer is None:
            raise KeyNotHeldError("no public key agreement key of the recipient")
        if choice is KeyChoice.EPHEMERAL:
            ephemeral = scalar_from(self._draw)
            z = agreement.shared_secret(ephemeral, peer[1:])
            offer = agreement.signed_offer(ephemeral, self.signing_key())
            return agreement.one_pass_key(z, header), AgreedKey(ONE_PASS, offer)
        if self.own.agreement is None:
            raise KeyNotHeldError("no private key agreement key is held")
        z = agreement.shared_secret(self.own.agreement, peer[1:])
        return agreement.static_key(z, header), AgreedKey(STATIC)

    def received(
        self, header: GeneralHeader, key_info: KeyInfo | None, party: Party
    ) -> tuple[bytes, KeyChoice] | Refused:
        """Return the key that a received APDU was protected with, or why there is none.

        Args:
            header: Header of the APDU.
            key_info: What it says of its key.
            party: Public keys of its originator.
        """
        if key_info is None:
            return Refused(GeneralRefusal.NO_KEY_NAMED, "there is no key information")
        if isinstance(key_info, IdentifiedKey):
            return self._identified(key_info)
        if isinstance(key_info, WrappedKey):
            return self._wrapped(key_info)
        return self._agreed(header, key_info, party)

    def _identified(self, key_info: IdentifiedKey) -> tuple[bytes, KeyChoice] | Refused:
        keys = self.own.symmetric
        if key_info.key_id == KeyId.UNICAST:
            return keys.unicast, KeyChoice.UNICAST
        if key_info.key_id != KeyId.BROADCAST:
            return Refused(GeneralRefusal.UNKNOWN_KEY, f"key {key_info.key_id} is neither 0 nor 1")
        if keys.broadcast is None:
            return Refused(GeneralRefusal.KEY_NOT_HELD, "no broadcast key is held")
        return keys.broadcast, KeyChoice.BROADCAST

    def _wrapped(self, key_info: WrappedKey) -> tuple[bytes, KeyChoice] | Refused:
        if key_info.kek_id != _MASTER_KEY:
            return Refused(GeneralRefusal.UNKNOWN_KEY, f"wrapping key {key_info.kek_id} is not 0")
        key = dlms_key_transfer.unwrap(self.own.symmetric.master, key_info.wrapped)
        if key is None:
            detail = "the key is not wrapped under our master key"
            return Refused(GeneralRefusal.WRONG_KEY_DATA, detail)
        return key, KeyChoice.WRAPPED

    def _agreed(
        self, header: GeneralHeader, key_info: AgreedKey, party: Party
    ) -> tuple[bytes, KeyChoice] | Refused:
        if key_info.scheme not in {ONE_PASS, STATIC}:
            detail = f"key agreement scheme {key_info.scheme} is neither 1 nor 2"
            return Refused(GeneralRefusal.UNKNOWN_KEY, detail)
        private = self.own.agreement
        if not self._asymmetric or private is None:
            return Refused(GeneralRefusal.KEY_NOT_HELD, "no private key agreement key is held")
        agree = self._ephemeral if key_info.scheme == ONE_PASS else self._static
        return agree(header, key_info.data, party, private)

    def _ephemeral(
        self, header: GeneralHeader, data: bytes, party: Party, private: int
    ) -> tuple[bytes, KeyChoice] | Refused:
        point = None
        if party.signing is not None:
            point = agreement.offered_point(data, party.signing)
        if point is None:
            detail = "no ephemeral key signed by the originator"
            return Refused(GeneralRefusal.WRONG_KEY_DATA, detail)
        z = agreement.shared_secret(private, point)
        return agreement.one_pass_key(z, header), KeyChoice.EPHEMERAL

    def _static(
        self, header: GeneralHeader, data: bytes, party: Party, private: int
    ) -> tuple[bytes, KeyChoice] | Refused:
        if data:
            return Refused(GeneralRefusal.WRONG_KEY_DATA, "a static agreement carries no key data")
        if party.agreement is None:
            detail = "no public key agreement key of the originator"
            return Refused(GeneralRefusal.KEY_NOT_HELD, detail)
        z = agreement.shared_secret(private, party.agreement[1:])
        return agreement.static_key(z, header), KeyChoice.STATIC
