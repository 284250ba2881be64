"""Secrets of devices that change hands, by who is to get them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import factory_keys
from harness.formats.migration_files.group_information import DeviceSecrets, Secret

#: Octets of the DCO's own secret. Source: invented.
_CRITICAL_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Handover:
    """Secrets of one device.

    Attributes:
        s1sp: For the S1SP.
        s1spdp: For the S1SPDP.
        dco: For the DCO.
    """

    s1sp: DeviceSecrets = field(repr=False)
    s1spdp: DeviceSecrets = field(repr=False)
    dco: DeviceSecrets = field(repr=False)


#: Gives the secrets of a device that holds head-end credentials.
SecretsOf = Callable[[Eui64], Handover]


def factory_secrets(seed: int) -> SecretsOf:
    """Return the secrets that emulated devices of this seed leave the factory with.

    The S1SP gets what opens associations, the S1SPDP the key that wraps keys, the DCO a secret of
    its own that no device of ours asks for yet.

    Source:
        invented, stand-in: which secrets change hands, and who gets which, is in no source.
    """

    def of(device: Eui64) -> Handover:
        held = factory_keys(seed, device)
        rows = [
            Secret("unicast", held.keys.unicast),
            Secret("authentication", held.keys.authentication),
            *(Secret(f"secret:{name}", value) for name, value in held.secrets.items()),
        ]
        critical = Stream(seed, f"dco/{device.hex}").octets(_CRITICAL_BYTES)
        return Handover(
            DeviceSecrets(device, tuple(rows)),
            DeviceSecrets(device, (Secret("master", held.keys.master),)),
            DeviceSecrets(device, (Secret("critical", critical),)),
        )

    return of
