"""Which keys a command means: made from a seed, or chosen out of a key store."""

from collections.abc import Iterable
from pathlib import Path

from device_profiles.installation import Installation
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from harness.errors import UsageError
from harness.formats.migration_files.parties import (
    TEST_NETWORK_OPERATOR,
    Role,
    Signer,
    role_keys,
)
from harness.keys import open_keystore


def made_keys(seed: int, at: UtcMs, homes: Iterable[Installation]) -> KeyStore:
    """Make keys of every role, of the installations' suppliers and of a network operator.

    Args:
        seed: Same seed and suppliers, same keys.
        at: Begin of validity.
        homes: The installations.
    """
    suppliers = {device.supplier for home in homes for device in home.devices}
    return role_keys(
        Chance(seed).stream("migration keys").octets,
        at,
        suppliers=[Eui64.parse(supplier) for supplier in sorted(suppliers)],
        network_operators=[TEST_NETWORK_OPERATOR],
    )


def signing_entry(key: Path, party: Eui64 | None, wanted: Role | None) -> KeyEntry:
    """Return the one XML-signing key that is meant.

    Args:
        key: A key store, or one ``.key`` file of a folder of keys.
        party: Whose key; None: whose it is follows from the rest.
        wanted: The role that signs files of this type; decides between several keys.

    Raises:
        UsageError: The key store cannot be read, or it is not one key that is meant.
    """
    one_file = key.is_file() and key.suffix == ".key"
    store = open_keystore(key.parent if one_file else key)
    found = [
        entry
        for entry in store.entries()
        if entry.usage is KeyUsage.XML and entry.private_scalar is not None and entry.certificate
    ]
    if one_file:
        found = [entry for entry in found if entry.name == key.stem]
    if party is not None:
        found = [entry for entry in found if entry.eui64 == party]
    if len(found) > 1 and wanted is not None:
        signers = [(entry, Signer.of(entry)) for entry in found]
        found = [entry for entry, signer in signers if signer and signer.role is wanted]
    if len(found) != 1:
        raise UsageError(
            f"{len(found)} XML-signing keys with private part and certificate are meant, not one",
            where=str(key),
            cause="a key store of several parties, or one without XML-signing keys",
            next_command="smetsbench migration sign FILE --key STORE --party EUI64 --out FILE",
        )
    return found[0]
