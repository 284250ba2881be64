"""Key stores as files: the JSON list of the RTDS key store, and folders of PEM or DER files."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate as x509
from emulator.crypto.key_entry import KeyEntry, KeyStoreError, KeyUsage
from emulator.crypto.signature import point_of, private_key

_SUFFIXES: Final = {".pem", ".key", ".der", ".cer", ".crt", ".pub"}
_STEM = re.compile(r"(?P<eui>[0-9a-f]{16})(?P<pp>-pp)?-(?P<usage>ds|ka|xml)", re.IGNORECASE)
_ARMOUR = re.compile(r"-----BEGIN (?P<label>[A-Z ]+)-----\s(?P<body>[^-]*)-----END (?P=label)-----")
_PRIVATE: Final = 0o600
#: No key store comes near: the RTDS one has 419 keys in 0.4 MiB.
MAX_FILE_BYTES: Final = 16 * 1024 * 1024

#: Party, usage, prepayment.
_Slot = tuple[Eui64, KeyUsage, bool]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One certificate, public key or private key out of a file."""

    path: Path
    point: bytes
    slot: _Slot | None
    certificate: bytes | None = None
    scalar: int | None = None


def read_json(path: Path) -> list[KeyEntry]:
    """Read the keys of a JSON key store.

    Raises:
        KeyStoreError: The file cannot be read or is not a key store; names file and row.
    """
    try:
        rows = json.loads(_octets(path))
    except (ValueError, RecursionError):
        raise KeyStoreError(f"{path}: not JSON") from None
    if not isinstance(rows, list):
        raise KeyStoreError(f"{path}: a key store is a list of keys")
    entries = [_json_entry(path, number, row) for number, row in enumerate(rows)]
    points: dict[_Slot, bytes] = {}
    for number, entry in enumerate(entries):
        slot = (entry.eui64, entry.usage, entry.prepayment)
        if points.setdefault(slot, entry.public_point) != entry.public_point:
            raise KeyStoreError(f"{path}, row {number}: another key than the {entry.name} above")
    return entries


def _octets(path: Path) -> bytes:
    """Return the content of a file, however much of it there claims to be.

    Raises:
        KeyStoreError: It cannot be read, or is longer than any key store.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyStoreError(f"{path}: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise KeyStoreError(f"{path}: longer than {MAX_FILE_BYTES} octets")
    return content


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


#: Field of a JSON row, how it is read, and what an absent one counts as (if it may be absent).
_FIELDS: Final[tuple[tuple[str, Callable[[Any], Any], tuple[Any, ...]], ...]] = (
    ("eui64", Eui64.parse, ()),
    ("usage", KeyUsage, ()),
    ("prepayment", _flag, (False,)),
    ("public_point", bytes.fromhex, ()),
    ("private_scalar", lambda text: int(text, 16), (None,)),
    ("certificate", lambda text: base64.b64decode(text, validate=True), (None,)),
)


def _json_entry(path: Path, number: int, row: Any) -> KeyEntry:
    if not isinstance(row, dict):
        raise KeyStoreError(f"{path}, row {number}: not a key (a JSON object)")
    values = []
    for name, read, absent in _FIELDS:
        try:
            values.append(absent[0] if absent and row.get(name) is None else read(row[name]))
        except (AttributeError, KeyError, TypeError, ValueError):
            # The reason may quote the row, and the row may hold a private key: not repeated.
            why = f"{name} is {'not right' if name in row else 'missing'}"
            raise KeyStoreError(f"{path}, row {number}: not a key: {why}") from None
    entry = KeyEntry(*values)
    try:
        _check(entry)
    except (KeyStoreError, MalformedFrameError) as error:
        raise KeyStoreError(f"{path}, row {number}: {error}") from None
    return entry


def _check(entry: KeyEntry) -> None:
    entry.check()
    if entry.certificate and x509.public_point(entry.certificate) != entry.public_point:
        raise KeyStoreError(f"key {entry.name}: the certificate is of another key")


def write_json(path: Path, entries: Iterable[KeyEntry]) -> None:
    """Write a JSON key store; mode 0600 when a private key is in it."""
    rows = []
    for entry in entries:
        row: dict[str, object] = {
            "eui64": entry.eui64.hex,
            "usage": entry.usage.value,
            "prepayment": entry.prepayment,
        }
        if entry.certificate is not None:
            row["certificate"] = base64.b64encode(entry.certificate).decode("ascii")
        row["public_point"] = entry.public_point.hex()
        if entry.private_scalar is not None:
            row["private_scalar"] = f"{entry.private_scalar:064x}"
        rows.append(row)
    private = any("private_scalar" in row for row in rows)
    write_file(path, (json.dumps(rows, indent=1) + "\n").encode(), private=private)


def read_folder(path: Path) -> list[KeyEntry]:
    """Read every key in a folder (not in folders below it).

    A file name ``<eui64>[-pp]-ds|ka|xml`` says whose key it is; otherwise the certificate does,
    and a private key goes to the certificate with its public key. Certificates of authorities
    are passed over.

    Raises:
        KeyStoreError: No such folder, no key in it, a file that is neither, a private key that
            belongs to nothing or to another certificate than its name says.
    """
    if not path.is_dir():
        raise KeyStoreError(f"{path}: no such folder")
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES)
    pieces = [piece for file in files for piece in _pieces(file)]
    slots: dict[_Slot, KeyEntry] = {}
    for piece in pieces:
        if piece.scalar is None and piece.slot is not None:
            _keep(slots, piece, piece.slot)
    for piece in pieces:
        if piece.scalar is not None:
            for slot in _owners(slots, piece):
                _keep(slots, piece, slot)
    if not slots:
        raise KeyStoreError(f"{path}: no key in this folder")
    return list(slots.values())


def _owners(slots: dict[_Slot, KeyEntry], piece: _Piece) -> list[_Slot]:
    if piece.slot is not None:
        return [piece.slot]
    owners = [slot for slot, entry in slots.items() if entry.public_point == piece.point]
    if not owners:
        why = "a private key without a certificate (or name it <eui64>-ds.key or <eui64>-ka.key)"
        raise KeyStoreError(f"{piece.path}: {why}")
    return owners


def _keep(slots: dict[_Slot, KeyEntry], piece: _Piece, slot: _Slot) -> None:
    held = slots.get(slot)
    if held is not None and held.public_point != piece.point:
        raise KeyStoreError(f"{piece.path}: another key than the one held as {held.name}")
    der = piece.certificate or (held.certificate if held else None)
    scalar = held.private_scalar if held and piece.scalar is None else piece.scalar
    entry = KeyEntry(*slot, piece.point, scalar, der)
    entry.check()
    slots[slot] = entry


def _pieces(path: Path) -> Iterator[_Piece]:
    """Yield what one file holds."""
    named = _STEM.fullmatch(path.stem)
    slot: _Slot | None = None
    if named is not None:
        usage = KeyUsage(named["usage"].upper())
        slot = (Eui64.parse(named["eui"]), usage, named["pp"] is not None)
    content = _octets(path)
    try:
        if b"-----BEGIN" not in content:
            yield _piece(path, "", content, slot)
            return
        for block in _ARMOUR.finditer(content.decode("ascii", "replace")):
            if block["label"] != "EC PARAMETERS":
                body = base64.b64decode("".join(block["body"].split()), validate=True)
                yield _piece(path, block["label"], body, slot)
    except (MalformedFrameError, binascii.Error, ValueError, TypeError):
        # The reason may quote octets of a private key: it is not repeated.
        raise KeyStoreError(f"{path}: no certificate or P-256 key that can be read") from None


def _piece(path: Path, label: str, der: bytes, slot: _Slot | None) -> _Piece:
    if label == "CERTIFICATE" or (not label and path.suffix.lower() != ".key"):
        return _certificate_piece(path, der, slot)
    if label == "PUBLIC KEY":
        return _Piece(path, x509.point_of_key_info(der), slot)
    if label not in {"", "PRIVATE KEY", "EC PRIVATE KEY"}:
        raise ValueError(label)
    key = serialization.load_der_private_key(der, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise TypeError("not a P-256 key")
    scalar = key.private_numbers().private_value
    return _Piece(path, point_of(scalar), slot, scalar=scalar)


def _certificate_piece(path: Path, der: bytes, slot: _Slot | None) -> _Piece:
    point = x509.public_point(der)
    if slot is None:
        fields = x509.read(der)
        if fields.eui64 is not None and fields.usage is not None:
            slot = (fields.eui64, fields.usage, False)
    return _Piece(path, point, slot, certificate=der)


def write_folder(path: Path, entries: Iterable[KeyEntry]) -> None:
    """Write ``<name>.pem`` for every certificate or public key, ``<name>.key`` for private ones."""
    path.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        if entry.certificate is not None:
            shown = pem("CERTIFICATE", entry.certificate)
        else:
            shown = pem("PUBLIC KEY", _KEY_INFO + entry.public_point)
        write_file(path / f"{entry.name}.pem", shown, private=False)
        if entry.private_scalar is not None:
            write_file(path / f"{entry.name}.key", key_pem(entry.private_scalar), private=True)


#: SubjectPublicKeyInfo of a P-256 key up to its uncompressed point.
_KEY_INFO: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


def pem(label: str, der: bytes) -> bytes:
    """Return ``der`` in PEM armour, lines of 64 characters."""
    body = base64.b64encode(der).decode("ascii")
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", "")).encode()


def key_pem(scalar: int) -> bytes:
    """Return a private key as unencrypted PKCS#8 PEM."""
    return private_key(scalar).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def write_file(path: Path, content: bytes, *, private: bool) -> None:
    """Write a file; a private one is readable by its owner alone before the first octet."""
    if private:
        path.touch(mode=_PRIVATE)
        path.chmod(_PRIVATE)
    path.write_bytes(content)
