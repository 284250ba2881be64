"""Sealed authorisations: a file under a pass phrase, and the MAPASSWORD file that holds it.

Source:
    DCC-mig has the sample name ``MAPASSWORD_CGI_…``; what such a file is for was not found. That
    it holds the pass phrase of an encrypted authorisation, and how that is sealed: invented.
"""

import csv
import hashlib
import hmac
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from harness.errors import UsageError
from harness.files import read_octets
from harness.formats.authorisation.faults import AuthorisationFileError, damaged
from harness.formats.authorisation.file_name import AuthorisationName
from harness.formats.authorisation.grid import MAX_FILE_BYTES

#: What stands behind the name of the file that was sealed.
ENDING: Final = ".sealed"
HEADING: Final = "PassPhrase"
_EVIDENCE: Final = "Evidence"
_MAGIC: Final = b"smetsbench sealed authorisation 1 (stand-in: the real form is not public)\n"
_PASSWORD: Final = "MAPASSWORD"  # noqa: S105 - what the names of such files begin with
MAX_PASSWORD_BYTES: Final = 4096
_SHORTEST: Final = 8
_LONGEST: Final = 200
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
#: Cost, block size and parallelism of scrypt: 16 MiB, some tens of milliseconds.
_SCRYPT: Final = {"n": 1 << 14, "r": 8, "p": 1}


def seal(plain: bytes, name: str, phrase: str) -> bytes:
    """Seal a file; the same file, name and phrase give the same octets.

    Args:
        plain: The file.
        name: Its name, to which it is bound.
        phrase: The pass phrase.
    """
    salt = hashlib.sha256(b"salt\n" + name.encode()).digest()[:_SALT_BYTES]
    key = _key(phrase, salt)
    # Made from key and content, a nonce never comes twice for two contents.
    nonce = hmac.digest(key, plain, "sha256")[:_NONCE_BYTES]
    return _MAGIC + salt + nonce + AESGCM(key).encrypt(nonce, plain, _bound_to(name))


def unseal(octets: bytes, name: str, phrase: str) -> bytes:
    """Open a sealed file.

    Args:
        octets: The sealed file.
        name: Name of the file that was sealed.
        phrase: The pass phrase.

    Raises:
        AuthorisationFileError: It is none, was damaged or renamed, or has another pass phrase.
    """
    body = octets.removeprefix(_MAGIC)
    if body == octets or len(body) < _SALT_BYTES + _NONCE_BYTES:
        raise damaged("it is no sealed authorisation", name)
    salt, rest = body[:_SALT_BYTES], body[_SALT_BYTES:]
    nonce, cipher_text = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
    try:
        return AESGCM(_key(phrase, salt)).decrypt(nonce, cipher_text, _bound_to(name))
    except InvalidTag:
        why = "the pass phrase does not open it, or it was changed or renamed since it was sealed"
        raise damaged(why, name) from None


def unseal_file(path: Path, password: Path | None) -> bytes:
    """Open a sealed file with its MAPASSWORD file: the one that is named, or the one beside it.

    Raises:
        AuthorisationFileError: No MAPASSWORD file is there, or it is another's; it does not open.
        UsageError: A file cannot be read.
    """
    plain_name = path.name.removesuffix(ENDING)
    holder = companion(path) if password is None else password
    if holder is None:
        why = "it is sealed, and its MAPASSWORD file is neither beside it nor named"
        raise damaged(why, path.name)
    octets = read_octets(path, MAX_FILE_BYTES)
    return unseal(octets, plain_name, read_phrase(holder))


def companion(path: Path) -> Path | None:
    """Return the MAPASSWORD file beside an authorisation: same tag, User ID and moment."""
    name = AuthorisationName.parse(path.name.partition(".")[0])
    if name is None:
        return None
    for other in sorted(path.parent.glob(f"{_PASSWORD}_*.csv")):
        found = AuthorisationName.parse(other.stem)
        same = found is not None and found.has_tag(name.tag)
        if same and found is not None and (found.user_id, found.at) == (name.user_id, name.at):
            return other
    return None


def read_phrase(path: Path) -> str:
    """Read a MAPASSWORD file: the column ``PassPhrase``, one line.

    Raises:
        AuthorisationFileError: It is none; the phrase itself is never told.
        UsageError: It cannot be read.
    """
    return phrase_in(read_octets(path, MAX_PASSWORD_BYTES), path.name)


def phrase_in(octets: bytes, name: str) -> str:
    """Read the octets of a MAPASSWORD file.

    Raises:
        AuthorisationFileError: It is none; the phrase itself is never told.
    """
    if len(octets) > MAX_PASSWORD_BYTES:
        raise _no_phrase(name, "it is too long")
    try:
        lines = list(csv.reader(octets.decode("utf-8-sig").splitlines()))
    except (UnicodeDecodeError, csv.Error):
        raise _no_phrase(name, "it is no text") from None
    filled = [line for line in lines if any(line)]
    if len(filled) != 2 or HEADING not in filled[0]:
        raise _no_phrase(name, f"a heading {HEADING} and one line must stand there")
    place = filled[0].index(HEADING)
    phrase = filled[1][place] if place < len(filled[1]) else ""
    if not _SHORTEST <= len(phrase) <= _LONGEST:
        raise _no_phrase(name, f"a pass phrase has {_SHORTEST} to {_LONGEST} characters")
    return phrase


def is_sealed(octets: bytes) -> bool:
    """Say whether octets are a sealed authorisation."""
    return octets.startswith(_MAGIC)


def render_phrase(phrase: str) -> str:
    """Return a MAPASSWORD file.

    Raises:
        UsageError: The phrase is too short or too long.
    """
    if not _SHORTEST <= len(phrase) <= _LONGEST or any(char in phrase for char in '",\r\n'):
        raise UsageError(
            f"a pass phrase has {_SHORTEST} to {_LONGEST} characters, and no comma, quote or line"
            " end",
            where=HEADING,
            cause="another phrase was chosen",
        )
    return f"{HEADING},{_EVIDENCE}\r\n{phrase},stand-in\r\n"


def _no_phrase(name: str, why: str) -> AuthorisationFileError:
    return damaged(f"no pass phrase can be read: {why}", name)


def _key(phrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **_SCRYPT).derive(phrase.encode())


def _bound_to(name: str) -> bytes:
    return _MAGIC + name.encode()
