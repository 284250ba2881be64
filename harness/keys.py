"""Key stores as commands and benches open them."""

from pathlib import Path

from emulator.crypto.keystore import KeyStore, KeyStoreError
from harness.errors import UsageError


def open_keystore(path: Path) -> KeyStore:
    """Read a key store for a command.

    Raises:
        UsageError: It cannot be read; says which file or row and why.
    """
    try:
        return KeyStore.load(path)
    except KeyStoreError as error:
        raise UsageError(
            f"the key store cannot be read: {error}",
            where=str(path),
            cause="not a JSON key store, nor a folder of PEM or DER files",
            next_command="smetsbench pki new --out keys",
        ) from error
