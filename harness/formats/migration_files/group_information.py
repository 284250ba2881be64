"""Group information: what is encrypted for the S1SP, the S1SPDP and the DCO, once decrypted."""

from dataclasses import dataclass, field
from typing import Final

from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.migration_files import kinds
from harness.formats.migration_files.xml_table import (
    Column,
    Record,
    attribute,
    many,
    optional,
    text,
)

#: The one agreed algorithm of a layer (reference 4.4).
ALGORITHM: Final = "ECDH-ES+ConcatKDF-SHA256/AES-128-GCM"
IV_BYTES: Final = 12
TAG_BYTES: Final = 16
POINT_BYTES: Final = 33
_MAX_SECRET_BYTES: Final = 512
_MAX_CIPHER_BYTES: Final = 128 * 1024


@quick
@dataclass(frozen=True, slots=True)
class CipherText:
    """One encrypted layer.

    Attributes:
        ephemeral_point: Compressed X9.62 point of P-256, 33 octets.
        iv: 12 octets.
        octets: Cipher text and its 16-octet tag.
        algorithm: The one agreed name.

    Source:
        invented (reference 4.4, cipher layout of one layer).
    """

    ephemeral_point: bytes
    iv: bytes
    octets: bytes
    algorithm: str = ALGORITHM


@quick
@dataclass(frozen=True, slots=True)
class Secret:
    """One key, secret or counter of a device.

    Attributes:
        name: What it is, e.g. ``unicast``, ``authentication``, ``master``, ``secret:reader``.
        octets: Its octets; never printed.
    """

    name: str
    octets: bytes = field(repr=False)


@quick
@dataclass(frozen=True, slots=True)
class DeviceSecrets:
    """What opens one device to a head end.

    Attributes:
        device: The device.
        secrets: Its secrets, in the order they stand in.
    """

    device: Eui64
    secrets: tuple[Secret, ...] = field(repr=False)

    def find(self, name: str) -> bytes | None:
        """Return the octets of the secret of that name."""
        return next((row.octets for row in self.secrets if row.name == name), None)


@quick
@dataclass(frozen=True, slots=True)
class S1spInformation:
    """``DecryptedS1SPGroupInformation``.

    Attributes:
        hub: CHF of the installation.
        devices: Secrets for the S1SP, one row a device that holds head-end credentials.
        protected: ProtectedData: encrypted for the S1SPDP alone; None in groups without it.
    """

    hub: Eui64
    devices: tuple[DeviceSecrets, ...]
    protected: CipherText | None = None


@dataclass(frozen=True, slots=True)
class S1spdpInformation:
    """``DecryptedS1SPDPGroupInformation``.

    Attributes:
        hub: CHF of the installation.
        devices: Secrets for the S1SPDP.
    """

    hub: Eui64
    devices: tuple[DeviceSecrets, ...]


@dataclass(frozen=True, slots=True)
class DcoInformation:
    """``DecryptedDCOGroupInformation``.

    Attributes:
        hub: CHF of the installation.
        devices: Secrets for the DCO.
    """

    hub: Eui64
    devices: tuple[DeviceSecrets, ...]


Information = S1spInformation | S1spdpInformation | DcoInformation

S1SP_ROOT: Final = "DecryptedS1SPGroupInformation"
S1SPDP_ROOT: Final = "DecryptedS1SPDPGroupInformation"
DCO_ROOT: Final = "DecryptedDCOGroupInformation"

CIPHER_TEXT: Final = Record(
    CipherText,
    (
        attribute("Algorithm", "algorithm", kinds.NAME),
        Column(
            "EphemeralPublicKey",
            "ephemeral_point",
            kinds.octets("a compressed point", POINT_BYTES, POINT_BYTES),
        ),
        Column("IV", "iv", kinds.octets("an IV", IV_BYTES, IV_BYTES)),
        Column("CipherText", "octets", kinds.octets("a cipher text", TAG_BYTES, _MAX_CIPHER_BYTES)),
    ),
)
_SECRET: Final = Record(
    Secret,
    (
        attribute("Name", "name", kinds.NAME),
        text("octets", kinds.octets("a secret", 1, _MAX_SECRET_BYTES)),
    ),
)
_DEVICE: Final = Record(
    DeviceSecrets,
    (attribute("DeviceID", "device", kinds.EUI64), many("Secret", "secrets", _SECRET)),
)
_HUB: Final = Column("CHFDeviceID", "hub", kinds.EUI64)
_DEVICES: Final = many("Device", "devices", _DEVICE)
S1SP_INFORMATION: Final = Record(
    S1spInformation, (_HUB, _DEVICES, optional("ProtectedData", "protected", CIPHER_TEXT))
)
#: Root element -> structure.
STRUCTURES: Final = {
    S1SP_ROOT: S1SP_INFORMATION,
    S1SPDP_ROOT: Record(S1spdpInformation, (_HUB, _DEVICES)),
    DCO_ROOT: Record(DcoInformation, (_HUB, _DEVICES)),
}
#: Structure in Python -> root element.
ROOTS: Final[dict[type, str]] = {
    S1spInformation: S1SP_ROOT,
    S1spdpInformation: S1SPDP_ROOT,
    DcoInformation: DCO_ROOT,
}
