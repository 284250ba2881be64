"""The keys that a party or a verifier holds, by owner and use."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from emulator.core.ids import Eui64
from emulator.crypto import key_files
from emulator.crypto.key_entry import KeyEntry, KeyStoreError, KeyUsage

__all__ = ["KeyEntry", "KeyStore", "KeyStoreError", "KeyUsage"]


#: Owner, usage, and whether it is the prepayment key.
_Slot = tuple[bytes, KeyUsage, bool]
_NONE: Final[Mapping[_Slot, KeyEntry]] = {}


class KeyStore:
    """Keys by EUI-64, usage and the prepayment flag; at most one of each.

    A store may stand on the keys of another, which it shares and never changes: the devices of a
    home hold everybody's public keys once, and each its own private ones.
    """

    __slots__ = ("_beneath", "_entries", "_public")

    def __init__(
        self, entries: Iterable[KeyEntry] = (), beneath: Mapping[_Slot, KeyEntry] = _NONE
    ) -> None:
        self._entries: dict[_Slot, KeyEntry] = {}
        self._beneath = beneath
        self._public: dict[_Slot, KeyEntry] | None = None
        for entry in entries:
            self.add(entry)

    def __repr__(self) -> str:
        entries = self.entries()
        private = sum(entry.private_scalar is not None for entry in entries)
        return f"KeyStore({len(entries)} keys, {private} private)"

    def find(self, eui64: Eui64, usage: KeyUsage, prepayment: bool = False) -> KeyEntry | None:
        """Return the key of that party and use, or None."""
        slot = (eui64.octets, usage, prepayment)
        return self._entries.get(slot) or self._beneath.get(slot)

    def add(self, entry: KeyEntry) -> None:
        """Hold ``entry``, in place of an older one of the same party and use.

        The same key without its private scalar or certificate takes nothing away.
        """
        slot = (entry.eui64.octets, entry.usage, entry.prepayment)
        held = self._entries.get(slot) or self._beneath.get(slot)
        if held is not None and held.public_point == entry.public_point:
            lacks_scalar = entry.private_scalar is None and held.private_scalar is not None
            if lacks_scalar or (held.certificate and not entry.certificate):
                scalar = held.private_scalar if lacks_scalar else entry.private_scalar
                certificate = entry.certificate or held.certificate
                entry = replace(entry, private_scalar=scalar, certificate=certificate)
        self._entries[slot] = entry
        self._public = None

    def entries(self) -> tuple[KeyEntry, ...]:
        """Return all keys, in the order they were first added."""
        return tuple({**self._beneath, **self._entries}.values())

    def public(self) -> Self:
        """Return a copy without private scalars."""
        if self._public is None:
            held = {**self._beneath, **self._entries}
            self._public = {slot: entry.public() for slot, entry in held.items()}
        return type(self)(beneath=self._public)

    def extended(self, entries: Iterable[KeyEntry]) -> Self:
        """Return a store that shares the keys of this one as they are now, and holds more.

        As long as this one gains no key, all its extensions share one table.
        """
        if self._entries:
            self._beneath, self._entries = {**self._beneath, **self._entries}, {}
        return type(self)(entries, self._beneath)

    def merged(self, *others: "KeyStore") -> Self:
        """Return a new store with the keys of this and the others; later ones win."""
        stores: list[KeyStore] = [self, *others]
        return type(self)(entry for store in stores for entry in store.entries())

    @classmethod
    def from_json(cls, path: Path) -> Self:
        """Read a JSON key store (the form of the RTDS key store).

        Raises:
            KeyStoreError: The file is missing, is not such a list, or holds a key that is none.
        """
        return cls(key_files.read_json(path))

    @classmethod
    def from_folder(cls, path: Path) -> Self:
        """Read a folder of PEM or DER certificates, public and private keys.

        Raises:
            KeyStoreError: The folder is missing or holds no key, or a file cannot be right.
        """
        return cls(key_files.read_folder(path))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key store, by kind: a folder of PEM or DER files, or a JSON file.

        Raises:
            KeyStoreError: As ``from_folder`` and ``from_json``.
        """
        return cls.from_folder(path) if path.is_dir() else cls.from_json(path)

    def to_json(self, path: Path) -> None:
        """Write a JSON key store; readable by its owner alone where it holds private keys."""
        key_files.write_json(path, self.entries())

    def to_folder(self, path: Path) -> None:
        """Write one file a certificate or public key, one a private key (mode 0600)."""
        key_files.write_folder(path, self.entries())
