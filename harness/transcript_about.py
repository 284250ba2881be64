"""What is said of a recorded conversation: the file ``NAME.toml`` beside its octets."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.dlms.settings import Framing
from harness.errors import UsageError
from harness.files import read_octets, write_octets

FORMAT: Final = 1
#: Whose line it is.
METER: Final = "meter"
DONGLE: Final = "dongle"
_MAX_BYTES: Final = 1024 * 1024
_HEADER: Final = """\
# A recorded conversation with a meter or a dongle; its octets are in the .pcapng of the same name.
# Secrets stand here by name only; masked ones are `*` in the octets (zeros on a dongle's line).
"""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Client(_Part):
    """A client that talked to the meter.

    Attributes:
        name: What the bench calls it: ``public``, ``reader`` …
        sap: Its service access point.
        mechanism: How it proved who it is.
        ciphered: Whether its APDUs were protected.
    """

    name: str
    sap: Annotated[int, Field(ge=0, le=0xFFFF)]
    mechanism: str
    ciphered: bool = False


class Masked(_Part):
    """Secrets of one kind that were masked.

    Attributes:
        what: ``lls-secret``, ``new-secret`` or ``dedicated-key``; of a dongle's line ``key``,
            ``key-elsewhere``, ``secret-token`` or ``damaged-frame``.
        client: Service access point of the client that sent them; 0 of a dongle's line.
        times: How often.
    """

    what: str
    client: int
    times: int


class About(_Part):
    """What ``NAME.toml`` says.

    Attributes:
        format: Version of both files.
        complete: Whether the recording ended in good order.
        sha256: Hash of the ``.pcapng`` file, in hex; empty while it is being written.
        started_at: First moment, ISO 8601.
        role: Device type.
        profile: Profile the device runs, or is expected to be.
        endpoint: What was recorded: ``emulated``, ``loopback``, ``serial`` …; never the address.
        framing: How APDUs travelled.
        bench: Name of the bench.
        tools: Name -> version of the programs that took part.
        seed: Seed of the client's chance (challenges, invoke ids); None where it had none.
        chance: Name of the stream of that seed that the client drew from; empty where it had none.
        device_seed: Seed of an emulated device; None for a real one.
        device: What the device said of itself: ``eui64``, ``serial_number``, ``firmware_version``.
        pseudonyms: Whether the device's identifiers are replaced, here and in the octets.
        protection_broken: Whether that replaced octets which protected APDUs depend on, so that a
            client with keys will not accept them in a replay.
        clients: Who talked to it.
        secrets: Names of the secrets that took part; never their values.
        masked: Secrets that were masked in the octets.
        line: Whose line it is: a ``meter``'s, or a Zigbee ``dongle``'s.
        ezsp: Version of EZSP that a dongle spoke.
        clock_factor: How much faster than the wall the clocks behind a dongle ran.
        keys_in_clear: Whether keys stand in the octets of a dongle's line, because that was asked.
    """

    format: int = FORMAT
    complete: bool = False
    sha256: str = ""
    started_at: str = ""
    role: str = "ESME"
    profile: str = ""
    endpoint: str = ""
    framing: Framing = Framing.HDLC
    bench: str = ""
    tools: dict[str, str] = Field(default_factory=dict)
    seed: int | None = None
    chance: str = ""
    device_seed: int | None = None
    device: dict[str, str] = Field(default_factory=dict)
    pseudonyms: bool = False
    protection_broken: bool = False
    clients: tuple[Client, ...] = ()
    secrets: tuple[str, ...] = ()
    masked: tuple[Masked, ...] = ()
    line: Literal["meter", "dongle"] = METER
    ezsp: int | None = None
    clock_factor: int | None = None
    keys_in_clear: bool = False

    @property
    def short_hash(self) -> str:
        """The capture hash as evidence marks name it: 12 hexadecimal digits."""
        return self.sha256[:12]

    def write(self, path: Path) -> None:
        """Write the file.

        Raises:
            UsageError: It cannot be written.
        """
        write_octets(path, self.text().encode())

    def text(self) -> str:
        """Return the content of the file."""
        content = self.model_dump(mode="json", exclude_none=True)
        tables = {name: value for name, value in content.items() if isinstance(value, dict)}
        rows = {name: content[name] for name in ("clients", "masked")}
        lines = [
            f"{name} = {_toml(value)}"
            for name, value in content.items()
            if name not in tables and name not in rows
        ]
        for name, table in tables.items():
            lines += ["", f"[{name}]", *(f"{_key(key)} = {_toml(table[key])}" for key in table)]
        for name, items in rows.items():
            for item in items:
                lines += ["", f"[[{name}]]", *(f"{key} = {_toml(item[key])}" for key in item)]
        return _HEADER + "\n".join(lines) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file.

        Raises:
            UsageError: It cannot be read, is of another format, or holds a wrong value.
        """
        octets = read_octets(path, _MAX_BYTES)
        try:
            return cls.model_validate(_checked(tomllib.loads(octets.decode("utf-8"))))
        except (ValueError, RecursionError) as error:
            raise UsageError(
                "what is said of the capture cannot be read",
                where=str(path),
                cause=_cause(error),
                next_command="smetsbench capture --bench FILE --out NAME",
            ) from error


def _checked(content: dict[str, Any]) -> dict[str, Any]:
    found = content.get("format")
    if found != FORMAT:
        raise ValueError(f"format {found!r}; this version reads format {FORMAT}")
    return content


def _cause(error: ValueError | RecursionError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # JSON's strings are TOML's but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    bare = key.replace("-", "").replace("_", "")
    return key if bare.isascii() and bare.isalnum() else _toml(key)
