"""Bench files: read, checked, and refused with key path and line."""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from device_profiles.errors import DataError
from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from harness.data_files import usage_error
from harness.errors import UsageError
from harness.files import read_octets
from hil.bench_sections import BenchFile, RoleSection
from hil.dongle_sections import DongleSection
from hil.endpoints import EndpointKind
from hil.references import Vault
from hil.zigbee.guard import Role

#: Largest bench file read; more is no bench file.
MAX_FILE_BYTES: Final = 1024 * 1024
#: Kinds of error that pydantic names in its own way -> our word.
_UNKNOWN: Final = "extra_forbidden"
_CODES: Final = {_UNKNOWN: "unknown-key", "missing": "missing-key"}
_CAUSES: Final = {
    "unreadable": "a wrong path, or a file that is no bench file",
    "not-toml": "a missing quote, bracket or equals sign",
    "unknown-key": "a misspelt key, or one that belongs to another table",
    "missing-key": "a key was left out",
    "invalid-value": "a value of another type, width or word than the key takes",
    "inline-secret": "the secret itself stands in the file, or the reference is mistyped",
    "unknown-endpoint": "a mistyped endpoint",
    "numbered-port": "ports are numbered in the order in which they are plugged in",
    "bad-pattern": "a bracket or backslash that a regular expression reads otherwise",
    "inconsistent": "keys that do not go together",
    "no-dlms": "a model whose profile has no [dlms] section",
}
_SENTENCES: Final = {
    _UNKNOWN: "there is no such key here",
    "missing": "this key must be there",
}
#: Keys that people give to secrets.
_SECRET: Final = re.compile(
    r"secret|passw|passphrase|(^|_)(pin|psk|token|keys?|unicast|authentication|master|broadcast)$",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?$")


class BenchFileError(UsageError):
    """A bench file cannot be used.

    Attributes:
        code: Kind of error; each kind has its own word, listed in docs/bench.md.
        file: The file.
        key: Key path, or empty.
        line: Line number from 1, or None where it is not known.
    """

    def __init__(
        self, code: str, why: str, *, file: Path, key: str = "", line: int | None = None
    ) -> None:
        at = ", ".join(
            part for part in (str(file), "" if line is None else f"line {line}", key) if part
        )
        super().__init__(
            f"{code}: {why}",
            where=at,
            cause=_CAUSES[code],
            next_command="smetsbench bench schema   (every key; in words: docs/bench.md)",
        )
        self.code = code
        self.file = file
        self.key = key
        self.line = line


class InlineSecretError(BenchFileError):
    """A secret stands in the file, or where a reference belongs; it is never repeated."""

    def __init__(self, why: str, *, file: Path, key: str, line: int | None) -> None:
        super().__init__("inline-secret", why, file=file, key=key, line=line)


@dataclass(frozen=True, slots=True)
class LoadedBench:
    """A bench file that was read and is right in itself.

    Attributes:
        path: Where it lies.
        content: What it says.
        sha256: Hash of its octets, in hex; arming and dry runs are bound to it.
        profiles: Device type -> its model.
        vault: Follows its references.
    """

    path: Path
    content: BenchFile
    sha256: str
    profiles: Mapping[DeviceType, DeviceProfile]
    vault: Vault = field(repr=False)

    def of(self, *kinds: EndpointKind) -> dict[DeviceType, RoleSection]:
        """Return the roles whose endpoint is of one of these kinds."""
        roles = self.content.roles
        return {role: section for role, section in roles.items() if section.where.kind in kinds}

    def model(self, role: DeviceType) -> str:
        """Return the profile of a role as others can load it: a name, or a path from the root.

        Empty where the file leaves it to the scenario (a role behind a dongle may).
        """
        return _model(self.path, self.content.roles[role])

    @property
    def dongle(self) -> tuple[str, DongleSection] | None:
        """The dongle that is the bench's hub or node, with its name; None where there is none."""
        ends = (one for one in self.content.dongles.items() if one[1].role is not Role.OBSERVER)
        return next(ends, None)

    @property
    def is_emulated(self) -> bool:
        """Whether all of its devices live in virtual time."""
        if self.dongle is not None or not self.content.roles:
            return False
        return len(self.of(EndpointKind.EMULATED)) == len(self.content.roles)

    @property
    def is_mixed(self) -> bool:
        """Whether some of its devices live in virtual time, and others stand on lines."""
        emulated = bool(self.of(EndpointKind.EMULATED))
        return emulated and not self.is_emulated and self.dongle is None

    def on_lines(self) -> list[DeviceType]:
        """Return the roles that are reached by a line."""
        return list(self.of(EndpointKind.LOOPBACK, EndpointKind.SERIAL, EndpointKind.REPLAY))


def load_bench(path: Path, overlays: Sequence[Path] = ()) -> LoadedBench:
    """Read a bench file and the profiles it names; opens no port and follows no reference.

    Args:
        path: The file.
        overlays: Overlay folders for profiles, the strongest last.

    Raises:
        BenchFileError: The file is wrong (``InlineSecretError``: it holds a secret).
        UsageError: A profile it names cannot be loaded.
    """
    octets = read_octets(path, MAX_FILE_BYTES)
    if len(octets) > MAX_FILE_BYTES:
        raise BenchFileError("unreadable", f"more than {MAX_FILE_BYTES} octets", file=path)
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BenchFileError("unreadable", f"not UTF-8 (octet {error.start})", file=path) from error
    content = _validated(_table(text, path), text, path)
    profiles = {
        role: _profile(role, section, path, overlays)
        for role, section in content.roles.items()
        if section.model_name
    }
    digest = hashlib.sha256(octets).hexdigest()
    return LoadedBench(path, content, digest, profiles, Vault.beside(path))


def schema() -> dict[str, Any]:
    """Return the JSON schema of a bench file."""
    made = BenchFile.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://smetsbench.invalid/schemas/bench.schema.json",
        **made,
        "title": "smetsbench bench file",
    }


def schema_text() -> str:
    """Return the JSON schema as ``hil/schemas/bench.schema.json`` holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _table(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise BenchFileError("not-toml", "brackets nested too deep", file=path) from None
    except ValueError as error:
        found = re.search(r"\(at (?:line (\d+), column \d+|end of document)\)", str(error))
        line = int(found[1]) if found is not None and found[1] else None
        raise BenchFileError("not-toml", "this is not TOML", file=path, line=line) from None


def _validated(table: dict[str, Any], text: str, path: Path) -> BenchFile:
    try:
        return BenchFile.model_validate(table)
    except ValidationError as error:
        # Values are left out of the errors: any of them may be a secret in the wrong place.
        raise _refused(error.errors(include_input=False, include_url=False), text, path) from None


def _refused(errors: Sequence[ErrorDetails], text: str, path: Path) -> BenchFileError:
    # A secret in the file is told before all else: the file must not be passed on. Then a key
    # nobody knows: it is often the missing one, misspelt.
    ranked = sorted(errors, key=lambda one: (not _holds_secret(one), one["type"] != _UNKNOWN))
    first = ranked[0]
    kind = first["type"]
    code = kind if kind in _CAUSES else _CODES.get(kind, "invalid-value")
    keys = _keys(first)
    why = _SENTENCES.get(kind, first["msg"].removeprefix("Value error, "))
    if len(errors) > 1:
        why += f" (and {len(errors) - 1} more)"
    key, line = ".".join(keys), line_of(text, keys)
    if _holds_secret(first):
        why = why if code == "inline-secret" else "no secret stands in a bench file"
        return InlineSecretError(why, file=path, key=key, line=line)
    return BenchFileError(code, why, file=path, key=key, line=line)


def _keys(error: ErrorDetails) -> tuple[str, ...]:
    return tuple(str(part) for part in error["loc"] if part != "[key]")


def _holds_secret(error: ErrorDetails) -> bool:
    """Say whether a reference is none, or a key of no meaning is called like a secret."""
    if error["type"] != _UNKNOWN:
        return error["type"] == "inline-secret"
    return any(_SECRET.search(part) for part in _keys(error)[-1:])


def line_of(text: str, keys: Sequence[str]) -> int | None:
    """Return the line of a key in a TOML text, else of the table it would stand in, else None.

    Knows headings and keys at the beginning of a line; inline tables are found by their own key.
    """
    here: tuple[str, ...] = ()
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header is not None:
            here = tuple(part.strip().strip("\"'") for part in header[1].split("."))
            found = here
        else:
            name, equals, _value = line.partition("=")
            if not equals or line.lstrip().startswith("#"):
                continue
            found = (*here, *(part.strip().strip("\"'") for part in name.split(".")))
        if tuple(keys[: len(found)]) == found and (best is None or len(found) > best[0]):
            best = (len(found), number)
    return None if best is None else best[1]


def _model(path: Path, section: RoleSection) -> str:
    name = section.model_name
    is_file = name.endswith(".toml") or "/" in name
    return str((path.parent / name).resolve()) if is_file else name


def _profile(
    role: DeviceType, section: RoleSection, path: Path, overlays: Sequence[Path]
) -> DeviceProfile:
    name = section.model_name
    try:
        profile = load_profile(_model(path, section), tuple(overlays))
    except DataError as error:
        raise usage_error(error) from error
    key = f"roles.{role}"
    if profile.device_type is not role:
        why = f"profile {name} is of a {profile.device_type}, not of a {role}"
        raise BenchFileError("inconsistent", why, file=path, key=key)
    lineless = {EndpointKind.EMULATED, EndpointKind.DONGLE}
    if profile.dlms is None and section.where.kind not in lineless:
        why = f"profile {name} has no DLMS server, so it has no line to read"
        raise BenchFileError("no-dlms", why, file=path, key=key)
    return profile
