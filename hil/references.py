"""Where a secret is kept: references as a bench file writes them, and the octets they stand for."""

import enum
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from emulator.crypto.dlms_cipher import KEY_BYTES
from emulator.crypto.dlms_factory import FactoryKeys, load_keys
from emulator.crypto.dlms_keys import SecurityKeys
from emulator.crypto.key_entry import KeyStoreError
from harness.errors import UsageError

#: Largest file read for a secret; more is no file of secrets.
_MAX_FILE_BYTES: Final = 64 * 1024
_ENV_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIELD: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_KEYS: Final = ("unicast", "authentication", "master")
_HEX_PREFIX: Final = "hex:"


class Store(enum.StrEnum):
    """Places a secret may be kept in."""

    ENV = "env"
    FILE = "file"
    KEYSTORE = "keystore"


class SecretMissingError(UsageError):
    """A reference leads to nothing, or to something that is no secret of its kind."""


class NotAReferenceError(ValueError):
    """A text is no reference; it may be the secret itself, so it is never repeated."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where one secret is kept.

    Attributes:
        store: What kind of place.
        name: Environment variable, or path as the bench file writes it.
        field: Key path in the file (``file`` alone).
    """

    store: Store
    name: str
    field: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``env:NAME``, ``file:PATH#FIELD`` or ``keystore:PATH``.

        Raises:
            NotAReferenceError: It is none; the message does not repeat it.
        """
        word, colon, rest = text.partition(":")
        if colon and word == Store.ENV and _ENV_NAME.fullmatch(rest):
            return cls(Store.ENV, rest)
        if colon and word == Store.FILE:
            path, _hash, field = rest.rpartition("#")
            if path and _FIELD.fullmatch(field):
                return cls(Store.FILE, path, field)
        if colon and word == Store.KEYSTORE and rest and "#" not in rest:
            return cls(Store.KEYSTORE, rest)
        raise NotAReferenceError(
            "a secret is never written here; write where it is kept:"
            " env:NAME, file:PATH#FIELD or keystore:PATH"
        )

    def __str__(self) -> str:
        """Return the reference as it is written."""
        return f"{self.store}:{self.name}" + (f"#{self.field}" if self.field else "")

    def path(self, folder: Path) -> Path | None:
        """Return the file the reference names, seen from the bench file's folder."""
        return None if self.store is Store.ENV else folder / Path(self.name).expanduser()


@dataclass(frozen=True, slots=True)
class Vault:
    """Follows references.

    Attributes:
        folder: Folder of the bench file; paths start there.
        environment: Environment variables.
    """

    folder: Path
    environment: Mapping[str, str]

    @classmethod
    def beside(cls, bench_file: Path) -> Self:
        """Return the vault of a bench file, with the environment of this process."""
        return cls(bench_file.parent, os.environ)

    def secret(self, reference: Reference, association: str) -> bytes:
        """Return a low-level secret: text as it stands, or octets after ``hex:``.

        Args:
            reference: Where it is kept.
            association: Whose it is; names it in a key store.

        Raises:
            SecretMissingError: There is none; the error names the place and never its content.
        """
        if reference.store is Store.KEYSTORE:
            found = self._stored(reference).secrets.get(association)
            if found is None:
                raise _missing(reference, f"it holds no secret of the association {association}")
            return found
        value = self._value(reference)
        if not isinstance(value, str) or not value:
            raise _missing(reference, "no text stands there")
        if not value.startswith(_HEX_PREFIX):
            return value.encode()
        return _octets(reference, value.removeprefix(_HEX_PREFIX))

    def keys(self, reference: Reference) -> SecurityKeys:
        """Return the keys of a security setup.

        They are a key store's, a TOML table of ``unicast``, ``authentication``, ``master`` and
        perhaps ``broadcast`` in hex, or one text of hex digits: the first three (48 octets) or all
        four (64 octets), in this order.

        Raises:
            SecretMissingError: There are none; the error names the place and never its content.
        """
        if reference.store is Store.KEYSTORE:
            return self._stored(reference).keys
        value = self._value(reference)
        if isinstance(value, str):
            octets = _octets(reference, value)
            parts = [octets[n : n + KEY_BYTES] for n in range(0, len(octets), KEY_BYTES)]
        elif isinstance(value, dict):
            names = [*_KEYS, *(["broadcast"] if "broadcast" in value else [])]
            parts = [_octets(reference, value.get(name)) for name in names]
        else:
            raise _missing(reference, f"it is no table of {', '.join(_KEYS)}")
        if len(parts) not in {3, 4} or any(len(part) != KEY_BYTES for part in parts):
            raise _missing(reference, f"3 or 4 keys of {KEY_BYTES} octets are due")
        return SecurityKeys(*parts)

    def title(self, reference: Reference) -> bytes:
        """Return our own system title, where the place holds one; else nothing."""
        return self._stored(reference).client_title if reference.store is Store.KEYSTORE else b""

    def _stored(self, reference: Reference) -> FactoryKeys:
        try:
            return load_keys(self.folder / Path(reference.name).expanduser())
        except KeyStoreError as error:
            raise _missing(reference, str(error)) from None

    def _value(self, reference: Reference) -> Any:
        if reference.store is Store.ENV:
            return self.environment.get(reference.name)
        table: Any = self._table(reference)
        for part in reference.field.split("."):
            table = table.get(part) if isinstance(table, dict) else None
        return table

    def _table(self, reference: Reference) -> dict[str, Any]:
        path = self.folder / Path(reference.name).expanduser()
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_FILE_BYTES + 1)
        except OSError as error:
            raise _missing(reference, error.strerror or "it cannot be read") from None
        if len(content) > _MAX_FILE_BYTES:
            raise _missing(reference, f"it is longer than {_MAX_FILE_BYTES} octets")
        try:
            return tomllib.loads(content.decode())
        except (ValueError, RecursionError):  # the message could quote the line, secret and all
            raise _missing(reference, "it is not TOML in UTF-8") from None


def _octets(reference: Reference, text: object) -> bytes:
    try:
        octets = bytes.fromhex(text.replace(":", "")) if isinstance(text, str) else b""
    except ValueError:
        octets = b""
    if not octets:
        raise _missing(reference, "what stands there is not hex digits")
    return octets


def _missing(reference: Reference, why: str) -> SecretMissingError:
    causes = {
        Store.ENV: "the variable is not set in this shell",
        Store.FILE: "a mistyped path or field; paths start at the bench file's folder",
        Store.KEYSTORE: "not a file of DLMS keys (client_title, server_title, [keys], [secrets])",
    }
    commands = {Store.ENV: f"export {reference.name}=…", Store.FILE: "", Store.KEYSTORE: ""}
    return SecretMissingError(
        f"the secret kept in {reference} cannot be had: {why}",
        where=str(reference),
        cause=causes[reference.store],
        next_command=commands[reference.store] or f"ls -l {reference.name}",
    )
