"""Opening and sealing of GBCS messages: which protections a message must carry, and do they hold.

A message is accepted only when it carries exactly a set of protections that its message code
demands in its direction, and every one of them was checked and holds.
"""

import enum
from dataclasses import dataclass, replace
from typing import Final

from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader
from emulator.codecs.gbcs.use_cases import MESSAGES, Category, MessageRow, Protection
from emulator.core.errors import KeyNotHeldError
from emulator.core.ids import Eui64
from emulator.crypto import mac as gcm
from emulator.crypto import signature as ecdsa
from emulator.crypto.key_agreement import ENCRYPTION, KeyAgreement, derive_key
from emulator.crypto.keystore import KeyStore, KeyUsage


def _demanded(row: MessageRow, cra: Cra) -> tuple[Protection, ...]:
    """Return the protection sets that will do for a message of this code and direction.

    The empty set never will. Nor will a set that is part of another allowed set: taking the
    difference away from a message must never leave an acceptable one.
    """
    by_direction = {Cra.COMMAND: row.command, Cra.RESPONSE: row.response, Cra.ALERT: row.alert}
    sets = by_direction[cra]
    return tuple(s for s in sets if s and not any(s != t and s & t == s for t in sets))


_DEMANDED: Final = {
    (code, cra): _demanded(row, cra) for code, row in MESSAGES.items() for cra in Cra
}


class KeyRing:
    """A key store and the secrets computed from it.

    Attributes:
        keystore: The keys; may grow or change at any time.
        agreement: Shared secrets of its parties.
    """

    def __init__(self, keystore: KeyStore) -> None:
        self.keystore = keystore
        self.agreement = KeyAgreement(keystore)


class Refusal(enum.StrEnum):
    """Why a well-formed message is refused."""

    UNKNOWN_MESSAGE_CODE = "unknown_message_code"
    WRONG_DIRECTION = "wrong_direction"
    MISSING_SIGNATURE = "missing_signature"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_SIGNER = "unknown_signer"
    MISSING_MAC = "missing_mac"
    BAD_MAC = "bad_mac"
    NO_MAC_KEY = "no_mac_key"
    UNEXPECTED_PROTECTION = "unexpected_protection"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Every protection that the message's code demands is there and holds."""

    envelope: Envelope
    row: MessageRow


@dataclass(frozen=True, slots=True)
class Unauthenticated:
    """Nothing wrong was found, but something that would have to be checked cannot be.

    Attributes:
        why: A pre-command, or a MAC between parties of whom no private key is held.
    """

    envelope: Envelope
    row: MessageRow
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The message must not be acted upon.

    Attributes:
        reason: One of a closed list.
        detail: One sentence for people.
        envelope: The decoded message.
    """

    reason: Refusal
    detail: str
    envelope: Envelope | None


Opened = Accepted | Unauthenticated | Refused


def open_message(data: bytes, ring: KeyRing, *, acb: Eui64) -> Opened:
    """Decode one message and judge its protections.

    Args:
        data: The whole message, beginning at 0xDD or 0xDF.
        ring: Keys to check with; for a MAC the private key of either side.
        acb: The Access Control Broker, whose key makes the MAC of commands.

    Returns:
        ``Accepted`` when everything demanded is present and verified and nothing else is there;
        ``Unauthenticated`` for pre-commands and for messages whose MAC no held key can check;
        ``Refused`` otherwise. Replay counters, addressing and roles are not judged here.

    Raises:
        MalformedFrameError: The octets are no message.

    Source:
        reference/gbcs.md §4 and §5; checked on the 641 RTDS 4.5.0 messages at hand.
    """
    parts = envelope.split(data)
    env = parts.envelope
    row = MESSAGES.get(env.header.other.message_code)
    if row is None:
        detail = f"message code {env.header.other.message_code:04x} is in no table"
        return Refused(Refusal.UNKNOWN_MESSAGE_CODE, detail, env)
    demanded = _DEMANDED[row.code, env.header.cra]
    if not demanded:
        detail = f"{row.use_case} has no {env.header.cra.name.lower()}"
        return Refused(Refusal.WRONG_DIRECTION, detail, env)
    if env.signature is None:
        return Unauthenticated(env, row, "a pre-command carries no protection")
    refusal = _refuse_set(env, demanded)
    if refusal is None and env.signature:
        refusal = _refuse_signature(env, parts.signed, ring)
    if refusal is not None:
        return refusal
    if env.mac is None:
        return Accepted(env, row)
    return _judge_mac(parts, row, ring, acb)


def _refuse_set(env: Envelope, demanded: tuple[Protection, ...]) -> Refused | None:
    """Refuse a message whose set of protections is not one of those demanded."""
    present = Protection.SIGNATURE if env.signature else Protection.NONE
    if env.mac is not None:
        present |= Protection.MAC
    if present in demanded:
        return None
    missing = next((s & ~present for s in demanded if s & present == present), None)
    if not missing:
        detail = f"carries {_words(present)} where {_words(demanded[0])} belongs"
        return Refused(Refusal.UNEXPECTED_PROTECTION, detail, env)
    reason = Refusal.MISSING_MAC
    if missing & Protection.SIGNATURE:
        reason = Refusal.MISSING_SIGNATURE
    return Refused(reason, f"carries {_words(present)}, lacks {_words(missing)}", env)


def _words(protection: Protection) -> str:
    named = ((Protection.SIGNATURE, "a signature"), (Protection.MAC, "a MAC"))
    return " and ".join(words for p, words in named if p & protection) or "no protection"


def _refuse_signature(env: Envelope, signed: bytes, ring: KeyRing) -> Refused | None:
    originator = env.header.originator
    signer = ring.keystore.find(originator, KeyUsage.DS)
    if signer is None:
        detail = f"no digital-signing key of {originator} is held"
        return Refused(Refusal.UNKNOWN_SIGNER, detail, env)
    if not ecdsa.verify(signer.public_point, signed, env.signature or b""):
        return Refused(Refusal.BAD_SIGNATURE, f"not the signature of {originator}", env)
    return None


def _judge_mac(parts: envelope.Split, row: MessageRow, ring: KeyRing, acb: Eui64) -> Opened:
    env = parts.envelope
    one, other = mac_parties(env.header, row, acb=acb)
    z = ring.agreement.shared_secret(one, other)
    if z is None:
        unknown = next((p for p in (one, other) if not ring.agreement.knows(p)), None)
        if unknown is not None:
            detail = f"no key-agreement key of {unknown} is held"
            return Refused(Refusal.NO_MAC_KEY, detail, env)
        return Unauthenticated(env, row, f"no private key of {one} or {other} is held")
    key = _message_key(z, env.header)
    if not gcm.matches(key, env.header.originator, gcm.MAC_PREFIX + parts.maced, env.mac or b""):
        return Refused(Refusal.BAD_MAC, f"not a MAC of {one} and {other}", env)
    return Accepted(env, row)


def mac_parties(header: GroupingHeader, row: MessageRow, *, acb: Eui64) -> tuple[Eui64, Eui64]:
    """Return the two parties whose key-agreement keys make a message's MAC.

    A command's MAC is the ACB's, whoever its originator is; except between two devices, and
    always for responses and alerts, it is originator and target.
    """
    if header.cra is Cra.COMMAND and row.category is not Category.BETWEEN_DEVICES:
        return acb, header.target
    return header.originator, header.target


def _message_key(z: bytes, header: GroupingHeader) -> bytes:
    return derive_key(z, header.originator, header.target, header.counter, header.cra)


def sign(env: Envelope, ring: KeyRing) -> Envelope:
    """Return the message with its originator's signature, and without a MAC, which comes after.

    Raises:
        KeyNotHeldError: The originator's private signing key is not held.
    """
    entry = ring.keystore.find(env.header.originator, KeyUsage.DS)
    if entry is None or entry.private_scalar is None:
        raise KeyNotHeldError(f"no private signing key of {env.header.originator} is held")
    signature = ecdsa.sign(entry.private_scalar, envelope.signed_part(env))
    return replace(env, signature=signature, mac=None)


def add_mac(env: Envelope, ring: KeyRing, *, acb: Eui64) -> Envelope:
    """Return the message with its MAC; an absent signature field becomes an empty one.

    Raises:
        KeyNotHeldError: The two parties' shared secret cannot be computed from the keys held.
        ValueError: The message code is in no table, or the message cannot be encoded.
    """
    row = MESSAGES.get(env.header.other.message_code)
    if row is None:
        raise ValueError(f"message code {env.header.other.message_code:04x} is in no table")
    one, other = mac_parties(env.header, row, acb=acb)
    z = ring.agreement.shared_secret(one, other)
    if z is None:
        raise KeyNotHeldError(f"no shared secret of {one} and {other}: no private key is held")
    full = replace(env, signature=env.signature or b"", mac=None)
    aad = gcm.MAC_PREFIX + envelope.maced_part(full)
    tag = gcm.gmac(_message_key(z, env.header), env.header.originator, aad)
    return replace(full, mac=tag)


def seal(env: Envelope, ring: KeyRing, *, protection: Protection, acb: Eui64) -> bytes:
    """Return a message's octets under exactly these protections, made anew.

    ``Protection.NONE`` gives the pre-command form, which only a command has.

    Raises:
        KeyNotHeldError: A private key that is needed is not held.
        ValueError: The message cannot be encoded.
    """
    sealed = replace(env, signature=None if protection is Protection.NONE else b"", mac=None)
    if protection & Protection.SIGNATURE:
        sealed = sign(sealed, ring)
    if protection & Protection.MAC:
        sealed = add_mac(sealed, ring, acb=acb)
    return envelope.encode(sealed)


def encrypt_block(plaintext: bytes, header: GroupingHeader, ring: KeyRing) -> bytes:
    """Encrypt a sensitive attribute: ``31 00000000``, ciphertext, 12-octet tag.

    Args:
        plaintext: The attribute's octets.
        header: Header of the response or alert that will carry the block. The parties are its
            originator and the supplementary remote party, or its target where there is none; the
            counter is the supplementary originator counter, or the originator counter.
        ring: Keys; the private one of either party must be held.

    Raises:
        KeyNotHeldError: The shared secret cannot be computed from the keys held.

    Source:
        reference/gbcs.md §4; checked on the 39 encrypted blocks of the RTDS messages at hand.
    """
    return gcm.encrypt(_block_key(header, ring), header.originator, plaintext)


def decrypt_block(block: bytes, header: GroupingHeader, ring: KeyRing) -> bytes | None:
    """Decrypt a sensitive attribute; None when its tag is wrong.

    Args:
        block: From ``31 00000000`` to the end of the tag.
        header: Header of the message that carried the block.
        ring: Keys; the private one of either party must be held.

    Raises:
        KeyNotHeldError: The shared secret cannot be computed from the keys held.
        MalformedFrameError: Layer ``gbcs.encrypted_block``: no such block.
    """
    return gcm.decrypt(_block_key(header, ring), header.originator, block)


def _block_key(header: GroupingHeader, ring: KeyRing) -> bytes:
    other = header.other
    party = other.supplementary_party or header.target
    counter = other.supplementary_originator_counter
    if counter is None:
        counter = header.counter
    z = ring.agreement.shared_secret(header.originator, party)
    if z is None:
        pair = f"{header.originator} and {party}"
        raise KeyNotHeldError(f"no shared secret of {pair}: no private key is held")
    return derive_key(z, header.originator, party, counter, ENCRYPTION)
