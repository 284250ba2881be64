"""Keys that a SMETS1 device leaves the factory with: derived from a seed, or out of a file."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from emulator.codecs.dlms.apdu_ciphered import TITLE_BYTES
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto.dlms_cipher import KEY_BYTES
from emulator.crypto.dlms_keys import SecurityKeys
from emulator.crypto.key_entry import KeyStoreError
from emulator.crypto.signature import ORDER, point_of

#: Associations that get a secret by default. Source: reference serial-dlms.md 8.2 (illustrative).
NAMES: Final = ("reader", "installer", "management")
#: Octets of a low-level secret, ASCII digits. Source: invented.
SECRET_BYTES: Final = 8
#: First octets of a made-up EUI-64: no maker was ever given them. Source: invented.
_MADE_UP: Final = bytes.fromhex("02534203")
#: First octets of our own client's system title, as manufacturer letters. Source: invented.
_CLIENT_LETTERS: Final = b"SBC"
MAX_FILE_BYTES: Final = 64 * 1024
_TOP: Final = {"client_title", "server_title", "keys", "secrets", "signing"}
_ENDS: Final = ("server", "client")
_SCALAR_BYTES: Final = 32
_KEYS: Final = ("unicast", "authentication", "master")
_OPTIONAL_KEYS: Final = ("broadcast",)


@quick
@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Digital signature keys on P-256, for HLS with ECDSA.

    Public points are computed when they are asked for: few associations are by ECDSA, and every
    device has keys.

    Attributes:
        server: The device's private scalar.
        client: The client's private scalar.
    """

    server: int = field(repr=False)
    client: int = field(repr=False)

    @property
    def server_point(self) -> bytes:
        """The device's public point, uncompressed, 65 octets."""
        return point_of(self.server)

    @property
    def client_point(self) -> bytes:
        """The client's public point, uncompressed, 65 octets."""
        return point_of(self.client)


@quick
@dataclass(frozen=True, slots=True)
class FactoryKeys:
    """What both ends of a device's first associations hold.

    Attributes:
        secrets: Name of an association -> its low-level secret.
        keys: Keys of the management association.
        client_title: System title of our own client, eight octets; a device takes any other too.
        server_title: The device's, eight octets: its EUI-64.
        signing: Signature keys of both ends; None where no client proves itself by ECDSA.
    """

    secrets: Mapping[str, bytes] = field(repr=False)
    keys: SecurityKeys = field(repr=False)
    client_title: bytes
    server_title: bytes
    signing: SigningKeys | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.client_title) != TITLE_BYTES or len(self.server_title) != TITLE_BYTES:
            raise ValueError(f"a system title has {TITLE_BYTES} octets")


def made_up_eui64(seed: int, name: str) -> Eui64:
    """Return the identifier of a device that was given none: from seed and name, never live.

    Source:
        invented (the range of docs/installations.md).
    """
    return Eui64(_MADE_UP + Stream(seed, f"served/{name}").octets(4))


def factory_keys(seed: int, eui64: Eui64, names: Iterable[str] = NAMES) -> FactoryKeys:
    """Derive a device's keys from the run's seed and its EUI-64.

    Whoever knows both gets the same keys: a bench, an emulator in a child process, a test.

    Args:
        seed: Seed of the run.
        eui64: The device's.
        names: Associations that have a low-level secret.

    Source:
        invented, stand-in: no real device's keys are derived so.
    """
    return _derived(seed, eui64, tuple(names))


@lru_cache(maxsize=512)  # asked for by the party that has them, then by each device of a chunk
def _derived(seed: int, eui64: Eui64, names: tuple[str, ...]) -> FactoryKeys:
    def drawn(what: str, count: int) -> bytes:
        return Stream(seed, f"dlms factory/{eui64.hex}/{what}").octets(count)

    keys = SecurityKeys(
        drawn("unicast", KEY_BYTES),
        drawn("authentication", KEY_BYTES),
        drawn("master", KEY_BYTES),
        drawn("broadcast", KEY_BYTES),
    )
    secrets = {name: _digits(drawn(f"secret {name}", SECRET_BYTES)) for name in names}
    title = _CLIENT_LETTERS + drawn("client title", TITLE_BYTES - len(_CLIENT_LETTERS))
    scalars = [_scalar(drawn(f"{end} signature", 2 * _SCALAR_BYTES)) for end in _ENDS]
    signing = SigningKeys(*scalars)
    return FactoryKeys(secrets, keys, title, eui64.octets, signing)


def _scalar(octets: bytes) -> int:
    return 1 + int.from_bytes(octets, "big") % (ORDER - 1)


def _digits(octets: bytes) -> bytes:
    return bytes(ord("0") + octet % 10 for octet in octets)


def load_keys(path: Path) -> FactoryKeys:
    """Read keys of a person's own from a TOML file; every value is hex.

    The file has ``client_title``, ``server_title``, a table ``[keys]`` with ``unicast``,
    ``authentication``, ``master`` and perhaps ``broadcast``, and perhaps a table ``[secrets]``
    with one low-level secret an association, and a table ``[signing]`` with the private scalars
    ``server`` and ``client`` (32 octets each) of HLS with ECDSA.

    Raises:
        KeyStoreError: The file cannot be read or is not of this shape; names file and value, never
            what the value is.
    """
    table = _table(path)
    unknown = sorted(table.keys() - _TOP)
    if unknown:
        raise KeyStoreError(f"{path}: {', '.join(unknown)}: no such value in a file of DLMS keys")
    keys = _part(path, table, "keys")
    strangers = sorted(keys.keys() - {*_KEYS, *_OPTIONAL_KEYS})
    if strangers:
        raise KeyStoreError(f"{path}: keys.{strangers[0]}: no such key")
    held = [_octets(path, keys, name, "keys.", KEY_BYTES) for name in _KEYS]
    more = [
        _octets(path, keys, name, "keys.", KEY_BYTES) for name in _OPTIONAL_KEYS if name in keys
    ]
    secrets = _part(path, table, "secrets") if "secrets" in table else {}
    return FactoryKeys(
        {name: _octets(path, secrets, name, "secrets.") for name in secrets},
        SecurityKeys(*held, *more),
        _octets(path, table, "client_title", "", TITLE_BYTES),
        _octets(path, table, "server_title", "", TITLE_BYTES),
        _signing(path, _part(path, table, "signing")) if "signing" in table else None,
    )


def _signing(path: Path, table: Mapping[str, Any]) -> SigningKeys:
    octets = [_octets(path, table, end, "signing.", _SCALAR_BYTES) for end in _ENDS]
    server, client = (int.from_bytes(value, "big") for value in octets)
    try:
        point_of(server), point_of(client)
    except ValueError:  # its message may not be shown: it is of a private key
        raise KeyStoreError(f"{path}: signing: a scalar is not one of P-256") from None
    return SigningKeys(server, client)


def _table(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyStoreError(f"{path}: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise KeyStoreError(f"{path}: longer than {MAX_FILE_BYTES} octets")
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError):  # the message of TOML would quote the line, key and all
        raise KeyStoreError(f"{path}: not TOML in UTF-8") from None


def _part(path: Path, table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = table.get(name)
    if not isinstance(part, dict):
        raise KeyStoreError(f"{path}: there is no table [{name}]")
    return part


def _octets(
    path: Path, table: Mapping[str, Any], name: str, where: str, count: int | None = None
) -> bytes:
    value = table.get(name)
    try:
        octets = bytes.fromhex(value) if isinstance(value, str) else None
    except ValueError:
        octets = None
    if not octets or count not in {None, len(octets)}:
        due = "one or more" if count is None else str(count)
        raise KeyStoreError(f"{path}: {where}{name}: {due} octets in hex are due")
    return octets
