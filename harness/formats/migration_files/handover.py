"""Secrets of devices that change hands, by who is to get them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from device_profiles.cohort import CohortEnvelope
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto.dlms_factory import factory_keys
from emulator.crypto.dlms_keys import SecurityKeys
from harness.formats.migration_files.group_information import (
    S1SPDP_ROOT,
    DeviceSecrets,
    Secret,
)

UNICAST: Final = "unicast"
AUTHENTICATION: Final = "authentication"
MASTER: Final = "master"
#: What names of low-level secrets begin with.
SECRET_PREFIX: Final = "secret:"  # noqa: S105 -- a name, no secret


@quick
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


def hand_over(
    device: Eui64,
    keys: SecurityKeys,
    secrets: Mapping[str, bytes],
    envelope: CohortEnvelope | None = None,
) -> Handover:
    """Share the secrets of a device out to those who are to have them.

    The S1SP gets the unicast key and the low-level secrets, the S1SPDP the authentication key, the
    DCO the master key, under which all others are wrapped. A cohort without ProtectedData gives
    the S1SP the authentication key too, one whose layer opens to the S1SPDP's structure gives that
    all, and one without a part for the DCO puts the master key with the authentication key.

    Args:
        device: The device.
        keys: Its keys.
        secrets: Name of an association -> its low-level secret.
        envelope: The cohort's row of Table 11.2.1; None: one that has every part.

    Source:
        invented, stand-in: which secrets change hands, and who gets which, is in no source.
    """
    unicast = [Secret(UNICAST, keys.unicast)]
    unicast += [Secret(f"{SECRET_PREFIX}{name}", value) for name, value in secrets.items()]
    authentication = [Secret(AUTHENTICATION, keys.authentication)]
    master = [Secret(MASTER, keys.master)]
    if envelope is not None and not envelope.dco_part:
        authentication, master = authentication + master, []
    if envelope is not None and envelope.root == S1SPDP_ROOT:
        unicast, authentication = [], unicast + authentication
    elif envelope is not None and envelope.protected_data is None:
        unicast, authentication = unicast + authentication, []
    return Handover(
        DeviceSecrets(device, tuple(unicast)),
        DeviceSecrets(device, tuple(authentication)),
        DeviceSecrets(device, tuple(master)),
    )


def factory_secrets(seed: int, envelope: CohortEnvelope | None = None) -> SecretsOf:
    """Return the secrets that emulated devices of this seed leave the factory with.

    Args:
        seed: Seed of the run.
        envelope: The cohort's row of Table 11.2.1; None: one that has every part.

    Source:
        invented, stand-in: see ``hand_over``.
    """

    def of(device: Eui64) -> Handover:
        held = factory_keys(seed, device)
        return hand_over(device, held.keys, held.secrets, envelope)

    return of
