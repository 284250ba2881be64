"""Secrets of one device sealed for one party: what SMSO and S1SP send each other.

Stand-in: certificates, which the real SMSO puts on devices, need no such letter; symmetric keys
do. The cipher is that of one layer of the migration files.
"""

import json
from typing import Final

from emulator.core.errors import EmulatorError
from emulator.core.ids import Eui64
from emulator.crypto.pki import Draw
from harness.formats.migration_files.envelope import (
    BadPointError,
    Binding,
    Layer,
    NotAuthenticError,
    open_layer,
    seal,
)
from harness.formats.migration_files.group_information import (
    IV_BYTES,
    POINT_BYTES,
    CipherText,
    DeviceSecrets,
    Secret,
)

#: Migration counter in the binding: a letter belongs to no file set. Source: invented.
_NO_COUNTER: Final = 0


class SealBrokenError(EmulatorError):
    """A sealed letter was made for another party or device, or was changed."""


def seal_secrets(secrets: DeviceSecrets, point: bytes, group_id: str, draw: Draw) -> bytes:
    """Return the secrets of a device, sealed.

    Args:
        secrets: The secrets.
        point: The receiver's key-agreement key, uncompressed, 65 octets.
        group_id: GroupID of the installation.
        draw: Source of chance.

    Returns:
        Ephemeral point (33 octets), IV (12), cipher text with its tag.
    """
    plain = json.dumps({one.name: one.octets.hex() for one in secrets.secrets}).encode()
    binding = Binding(_NO_COUNTER, group_id, secrets.device)
    cipher = seal(plain, point, binding, Layer.S1SP, draw)
    return cipher.ephemeral_point + cipher.iv + cipher.octets


def open_secrets(letter: bytes, scalar: int, group_id: str, device: Eui64) -> DeviceSecrets:
    """Return the secrets of a sealed letter.

    Args:
        letter: As ``seal_secrets`` made it.
        scalar: The receiver's private key-agreement key.
        group_id: GroupID of the installation.
        device: The device it is about.

    Raises:
        SealBrokenError: It was made for another party, group or device, or was changed.
    """
    ends = POINT_BYTES + IV_BYTES
    cipher = CipherText(letter[:POINT_BYTES], letter[POINT_BYTES:ends], letter[ends:])
    binding = Binding(_NO_COUNTER, group_id, device)
    try:
        plain = open_layer(cipher, scalar, binding, Layer.S1SP)
    except (BadPointError, NotAuthenticError, ValueError):
        raise SealBrokenError(f"the sealed letter about {device} does not open") from None
    rows = json.loads(plain)
    return DeviceSecrets(
        device, tuple(Secret(name, bytes.fromhex(hexed)) for name, hexed in rows.items())
    )
