"""The method key_agreement of the security setup (class 64): new global keys by ECDH, C(2e, 0s)."""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.crypto import dlms_agreement as agreement
from emulator.crypto.dlms_agreement import Algorithm
from emulator.crypto.dlms_key_transfer import NewKey
from emulator.crypto.dlms_keys import KeyId
from emulator.crypto.pki import scalar_from

_KEY_IDS: Final[dict[int, KeyId]] = {int(key_id): key_id for key_id in KeyId}


class AgreementRefusal(enum.StrEnum):
    """Why a key agreement is refused as a whole."""

    WRONG_SHAPE = "wrong_shape"
    UNKNOWN_KEY_ID = "unknown_key_id"
    SAME_KEY_TWICE = "same_key_twice"
    WRONG_SIGNATURE = "wrong_signature"
    OTHER_KEYS = "other_keys"


@dataclass(frozen=True, slots=True)
class Offer:
    """An ephemeral key for one key that is to be agreed upon.

    Attributes:
        key_id: Which key it will replace.
        ephemeral: Private scalar of the ephemeral key.
    """

    key_id: KeyId
    ephemeral: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a server has agreed to.

    Attributes:
        returned: What the method gives back: the server's offers.
        keys: The new keys.
    """

    returned: Data
    keys: tuple[NewKey, ...]


def agreement_parameters(offers: Sequence[Offer], signing: int) -> Data:
    """Return an array of key id and signed ephemeral public key: argument and answer alike.

    Args:
        offers: One for each key.
        signing: Private digital signature key of the one who offers.

    Raises:
        ValueError: A scalar is out of range.

    Source:
        IEC 62056-6-2 Security setup, key_agreement (key_agreement_data); the signature covers key
        id and public key: checked on the DLMS Green Book's example.
    """
    rows = [
        axdr.structure(
            Data(Tag.ENUM, offer.key_id),
            axdr.octets(agreement.signed_offer(offer.ephemeral, signing, bytes((offer.key_id,)))),
        )
        for offer in offers
    ]
    return Data(Tag.ARRAY, tuple(rows))


def read_agreement(
    parameters: Data, signer: bytes
) -> tuple[tuple[KeyId, bytes], ...] | AgreementRefusal:
    """Return key ids and ephemeral public keys (x, y), or why none of them may be used.

    Args:
        parameters: Argument or answer of the method.
        signer: Public digital signature key of the other side, 65 octets.
    """
    rows = parameters.value
    if parameters.tag is not Tag.ARRAY or not isinstance(rows, tuple) or not rows:
        return AgreementRefusal.WRONG_SHAPE
    found: list[tuple[KeyId, bytes]] = []
    for row in rows:
        read = _read_row(row, signer)
        if isinstance(read, AgreementRefusal):
            return read
        found.append(read)
    if len({key_id for key_id, _ in found}) != len(found):
        return AgreementRefusal.SAME_KEY_TWICE
    return tuple(found)


def _read_row(row: Data, signer: bytes) -> tuple[KeyId, bytes] | AgreementRefusal:
    if row.tag is not Tag.STRUCTURE or not isinstance(row.value, tuple) or len(row.value) != 2:
        return AgreementRefusal.WRONG_SHAPE
    number, offer = row.value
    if number.tag is not Tag.ENUM or not isinstance(number.value, int):
        return AgreementRefusal.WRONG_SHAPE
    if offer.tag is not Tag.OCTETS or not isinstance(offer.value, bytes):
        return AgreementRefusal.WRONG_SHAPE
    key_id = _KEY_IDS.get(number.value)
    if key_id is None:
        return AgreementRefusal.UNKNOWN_KEY_ID
    if len(offer.value) != agreement.OFFER_BYTES:
        return AgreementRefusal.WRONG_SHAPE
    point = agreement.offered_point(offer.value, signer, bytes((key_id,)))
    return AgreementRefusal.WRONG_SIGNATURE if point is None else (key_id, point)


def agreed_key(
    key_id: KeyId, ephemeral: int, point: bytes, *, client: bytes, server: bytes
) -> NewKey:
    """Return the key that both sides derive.

    Args:
        key_id: Which key it replaces.
        ephemeral: Our private scalar.
        point: The other side's ephemeral public key (x, y).
        client: System title of the client, party U.
        server: System title of the server, party V.

    Raises:
        ValueError: The scalar is out of range, or the point is none of the curve.

    Source:
        As ``derive``; that the master key is derived for AES key wrap and all others for AES-GCM:
        known, no example at hand.
    """
    algorithm = Algorithm.AES_WRAP_128 if key_id is KeyId.MASTER else Algorithm.AES_GCM_128
    z = agreement.shared_secret(ephemeral, point)
    return NewKey(key_id, agreement.derive(z, algorithm, client, server))


def answer_agreement(  # noqa: PLR0913 - one value each that the two sides bring
    parameters: Data,
    signer: bytes,
    *,
    signing: int,
    client: bytes,
    server: bytes,
    draw: Callable[[int], bytes],
) -> Agreed | AgreementRefusal:
    """Do the method on the server's side; the keys count once their owner puts them in.

    Args:
        parameters: Argument of the method.
        signer: Public digital signature key of the client, 65 octets.
        signing: Private digital signature key of the server.
        client: System title of the client.
        server: System title of the server.
        draw: Gives octets of chance.

    Raises:
        ValueError: ``signing`` is out of range.
    """
    offered = read_agreement(parameters, signer)
    if isinstance(offered, AgreementRefusal):
        return offered
    own = [Offer(key_id, scalar_from(draw)) for key_id, _ in offered]
    keys = [
        agreed_key(offer.key_id, offer.ephemeral, point, client=client, server=server)
        for offer, (_, point) in zip(own, offered, strict=True)
    ]
    return Agreed(agreement_parameters(own, signing), tuple(keys))


def agreed_keys(
    offers: Sequence[Offer], returned: Data, signer: bytes, *, client: bytes, server: bytes
) -> tuple[NewKey, ...] | AgreementRefusal:
    """Return the keys on the client's side, or why none of them may be used.

    Args:
        offers: What the client offered.
        returned: What the method gave back.
        signer: Public digital signature key of the server, 65 octets.
        client: System title of the client.
        server: System title of the server.
    """
    answered = read_agreement(returned, signer)
    if isinstance(answered, AgreementRefusal):
        return answered
    if [key_id for key_id, _ in answered] != [offer.key_id for offer in offers]:
        return AgreementRefusal.OTHER_KEYS
    return tuple(
        agreed_key(offer.key_id, offer.ephemeral, point, client=client, server=server)
        for offer, (_, point) in zip(offers, answered, strict=True)
    )
