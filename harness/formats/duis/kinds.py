"""Simple types of the DUIS schema: text of one element to a checked value, and back."""

import base64
import binascii
import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.duis import date_time
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.request_id import RequestId

#: Limits of the DUIS 5.4 XSD (UpdateFirmware, FirmwareVersion, DeviceIDList).
MAX_IMAGE_BYTES: Final = 10_240_000
MAX_VERSION_CHARS: Final = 8
MAX_DEVICES: Final = 50_000
HASH_BYTES: Final = 32

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,20}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_EUI: Final = re.compile(r"[A-Fa-f0-9]{2}(?:-[A-Fa-f0-9]{2}){7}")


@quick
@dataclass(frozen=True, slots=True)
class Simple:
    """One simple type.

    Attributes:
        name: For error messages.
        read: Text of the element to the value; raises DuisError.
        write: Value to the text; raises DuisError for a value the schema does not allow.
    """

    name: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]


def _collapse(text: str) -> str:
    """White space as xs:token and the other collapsing types treat it."""
    return " ".join(text.split())


# --- identifiers -----------------------------------------------------------------------------


def _read_eui(text: str) -> Eui64:
    token = _collapse(text)
    if _EUI.fullmatch(token) is None:
        raise DuisError(DuisFault.BAD_EUI, f"{token[:40]!r} is not written 00-DB-12-34-56-78-90-A0")
    return Eui64.parse(token)


def _read_devices(text: str) -> tuple[Eui64, ...]:
    parts = text.split(",")
    if len(parts) > MAX_DEVICES:
        raise DuisError(
            DuisFault.TOO_MANY_DEVICES, f"{len(parts)} devices, the limit is {MAX_DEVICES}"
        )
    for position, part in enumerate(parts, 1):
        if _EUI.fullmatch(part) is None:
            raise DuisError(
                DuisFault.BAD_DEVICE_LIST, f"entry {position} is no EUI-64: {part[:40]!r}"
            )
    return tuple(Eui64(bytes.fromhex(part.replace("-", ""))) for part in parts)


def _write_devices(devices: tuple[Eui64, ...]) -> str:
    if not devices:
        raise DuisError(DuisFault.BAD_DEVICE_LIST, "a device list names at least one device")
    if len(devices) > MAX_DEVICES:
        raise DuisError(
            DuisFault.TOO_MANY_DEVICES, f"{len(devices)} devices, the limit is {MAX_DEVICES}"
        )
    return ",".join(map(str, devices))


# --- octets ----------------------------------------------------------------------------------


def _read_base64(text: str) -> bytes:
    packed = "".join(text.split())
    try:
        octets = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DuisError(DuisFault.BAD_BASE64, str(error)) from error
    if base64.b64encode(octets).decode("ascii") != packed:
        raise DuisError(DuisFault.BAD_BASE64, "the last character carries bits that are not zero")
    return octets


def _write_base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _image(octets: bytes) -> bytes:
    if len(octets) > MAX_IMAGE_BYTES:
        raise DuisError(
            DuisFault.IMAGE_TOO_LARGE,
            f"the image has {len(octets)} octets, the limit is {MAX_IMAGE_BYTES}",
        )
    return octets


def _read_hex(text: str) -> bytes:
    token = _collapse(text)
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2})*", token) is None:
        raise DuisError(DuisFault.BAD_HEX, f"not pairs of hex digits: {token[:40]!r}")
    return bytes.fromhex(token)


def _hash(octets: bytes) -> bytes:
    if len(octets) != HASH_BYTES:
        raise DuisError(
            DuisFault.BAD_HASH_LENGTH, f"a firmware hash has {HASH_BYTES} octets, not {len(octets)}"
        )
    return octets


def _read_alert_code(text: str) -> int:
    octets = _read_hex(text)
    if len(octets) != 2:
        raise DuisError(DuisFault.BAD_LENGTH, f"an alert code has 2 octets, not {len(octets)}")
    return int.from_bytes(octets, "big")


# --- numbers, words, times -------------------------------------------------------------------


def _read_boolean(text: str) -> bool:
    token = _collapse(text)
    if token not in {"true", "1", "false", "0"}:
        raise DuisError(DuisFault.UNKNOWN_WORD, f"{token!r} is neither true nor false")
    return token in {"true", "1"}


def whole_number(low: int, high: int) -> Simple:
    """Return a whole number from ``low`` to ``high``."""

    def check(value: int) -> int:
        if not low <= value <= high:
            raise DuisError(DuisFault.BAD_NUMBER, f"{value} is not from {low} to {high}")
        return value

    def read(text: str) -> int:
        token = _collapse(text)
        if _NUMBER.fullmatch(token) is None:
            raise DuisError(DuisFault.BAD_NUMBER, f"{token[:40]!r} is not a whole number")
        return check(int(token))

    return Simple("whole number", read, lambda value: str(check(value)))


def words(enumeration: type[enum.StrEnum]) -> Simple:
    """Return an enumeration whose values are spelled as the schema spells them."""
    spelled = one_of(enumeration.__name__, frozenset(enumeration))
    return Simple(spelled.name, lambda word: enumeration(spelled.read(word)), spelled.write)


def one_of(name: str, allowed: frozenset[str]) -> Simple:
    """Return a text that is one of ``allowed``."""

    def check(word: str) -> str:
        if word not in allowed:
            known = ", ".join(sorted(allowed)[:12])
            raise DuisError(DuisFault.UNKNOWN_WORD, f"{word[:40]!r} is not a {name} ({known} …)")
        return str(word)

    return Simple(name, check, check)


def text(name: str, low: int, high: int, fault: DuisFault = DuisFault.BAD_LENGTH) -> Simple:
    """Return a text of ``low`` to ``high`` characters that XML can carry as it stands."""

    def check(value: str) -> str:
        if not low <= len(value) <= high:
            raise DuisError(fault, f"{name} has {low} to {high} characters, not {len(value)}")
        if _CONTROL.search(value) is not None:
            raise DuisError(fault, f"{name} holds a control character")
        return value

    return Simple(name, check, check)


EUI: Final = Simple("EUI", _read_eui, str)
REQUEST_ID: Final = Simple("RequestID", lambda value: RequestId.parse(_collapse(value)), str)
DEVICE_LIST: Final = Simple("DeviceIDList", _read_devices, _write_devices)
BASE64: Final = Simple("base64Binary", _read_base64, _write_base64)
IMAGE: Final = Simple(
    "FirmwareImage",
    lambda value: _image(_read_base64(value)),
    lambda octets: _write_base64(_image(octets)),
)
HASH: Final = Simple(
    "FirmwareHash",
    lambda value: _hash(_read_hex(value)),
    lambda octets: _hash(octets).hex().upper(),
)
HEX: Final = Simple("hexBinary", _read_hex, lambda octets: bytes(octets).hex().upper())
ALERT_CODE: Final = Simple("AlertCode", _read_alert_code, lambda code: f"{code:04X}")
BOOLEAN: Final = Simple("boolean", _read_boolean, lambda value: "true" if value else "false")
FIRMWARE_VERSION: Final = text(
    "FirmwareVersion", 1, MAX_VERSION_CHARS, DuisFault.BAD_FIRMWARE_VERSION
)
DATE_TIME: Final = Simple(
    "dateTime",
    lambda value: date_time.read(_collapse(value)),
    lambda at: date_time.write(UtcMs(at)),
)
DATE: Final = Simple("date", date_time.read_date, str)
UNSIGNED_SHORT: Final = whole_number(0, 0xFFFF)
