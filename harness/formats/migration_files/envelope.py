"""One encrypted layer: sealed for a party, bound to counter, group and CHF, and opened."""

import enum
import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto.pki import Draw, scalar_from
from emulator.crypto.signature import CURVE, private_key, public_key
from harness.formats.migration_files.group_information import IV_BYTES, CipherText
from harness.formats.migration_files.header import Header

_ECDH: Final = ec.ECDH()
_FIRST_BLOCK: Final = b"\0\0\0\1"
_KEY_BYTES: Final = 16


class Layer(enum.Enum):
    """Layers of group information; the value ends the additional data."""

    S1SP = ""
    S1SPDP = "|DP"
    DCO = "|DCO"


class BadPointError(Exception):
    """The ephemeral public key is no compressed point of P-256."""


class NotAuthenticError(Exception):
    """Tag and cipher text do not belong to this key and binding."""


@quick
@dataclass(frozen=True, slots=True)
class Binding:
    """What a cipher text is bound to, so that it opens in one place only (R-047).

    Attributes:
        counter: Migration counter of the file.
        group_id: GroupID of the file.
        hub: CHF of the installation.
        party: Requesting Party, where it is bound too; None: the reference's layout, the default.
    """

    counter: int
    group_id: str
    hub: Eui64
    party: Eui64 | None = None

    @classmethod
    def of(cls, header: Header, hub: Eui64, *, with_party: bool = False) -> "Binding":
        """Return the binding of one installation of a file."""
        party = header.requesting_party if with_party else None
        return cls(header.counter, header.group_id, hub, party)

    def additional_data(self, layer: Layer) -> bytes:
        """Return the AAD, e.g. ``41|EA|00-0C-C1-00-00-00-00-00|DP`` in UTF-8.

        With a Requesting Party its EUI-64 stands between CHF and layer.

        Source:
            invented (reference 4.4); the form with the Requesting Party is not in the reference.
        """
        party = "" if self.party is None else f"|{self.party}"
        return f"{self.counter}|{self.group_id}|{self.hub}{party}{layer.value}".encode()


def seal(
    plaintext: bytes, recipient_point: bytes, binding: Binding, layer: Layer, draw: Draw
) -> CipherText:
    """Encrypt one layer.

    Args:
        plaintext: Canonical XML of the structure.
        recipient_point: The recipient's key-agreement key, uncompressed, 65 octets.
        binding: What it is bound to.
        layer: Which layer.
        draw: Source of chance: 40 octets for the ephemeral key, 12 for the IV.

    Raises:
        ValueError: ``recipient_point`` is no point of P-256.

    Source:
        invented (reference 4.4); KDF: NIST SP 800-56A concatenation, one block of SHA-256.
    """
    # The scalar is used once: it stays out of the cache of long-lived keys.
    ephemeral = ec.derive_private_key(scalar_from(draw), CURVE)
    point = ephemeral.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    iv = draw(IV_BYTES)
    aad = binding.additional_data(layer)
    key = _key(ephemeral.exchange(_ECDH, public_key(recipient_point)), point, aad)
    return CipherText(point, iv, AESGCM(key).encrypt(iv, plaintext, aad))


def open_layer(cipher: CipherText, scalar: int, binding: Binding, layer: Layer) -> bytes:
    """Decrypt one layer.

    Args:
        cipher: The layer.
        scalar: The recipient's private key-agreement key.
        binding: Where the cipher text stands: counter, group, CHF.
        layer: Which layer.

    Raises:
        BadPointError: The ephemeral key is no point of the curve.
        NotAuthenticError: Another key or binding, or octets that were changed.
    """
    try:
        point = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, cipher.ephemeral_point)
    except ValueError as error:
        raise BadPointError(str(error)) from None
    aad = binding.additional_data(layer)
    z = private_key(scalar).exchange(_ECDH, point)
    try:
        return AESGCM(_key(z, cipher.ephemeral_point, aad)).decrypt(cipher.iv, cipher.octets, aad)
    except InvalidTag:
        raise NotAuthenticError from None


def _key(z: bytes, point: bytes, aad: bytes) -> bytes:
    return hashlib.sha256(_FIRST_BLOCK + z + point + aad).digest()[:_KEY_BYTES]
