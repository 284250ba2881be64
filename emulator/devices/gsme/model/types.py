"""Types of the catalogue's values: from plain data of a file, to ZCL, to a dump and back."""

import functools
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from emulator.codecs.zcl.values import AttributeValue, ZclType
from emulator.core.clock import from_datetime, to_zigbee_seconds
from emulator.devices.saved import Json

#: A number, characters or octets, or rows of them.
Value = int | bytes | str | tuple[Any, ...]


class WrongTypeError(ValueError):
    """A plain value is not of its type."""


_NUMBERS: Final[dict[str, tuple[ZclType, int, int]]] = {
    "u8": (ZclType.UINT8, 0, (1 << 8) - 1),
    "u16": (ZclType.UINT16, 0, (1 << 16) - 1),
    "u24": (ZclType.UINT24, 0, (1 << 24) - 1),
    "u32": (ZclType.UINT32, 0, (1 << 32) - 1),
    "u48": (ZclType.UINT48, 0, (1 << 48) - 1),
    "i32": (ZclType.INT32, -(1 << 31), (1 << 31) - 1),
    "e8": (ZclType.ENUM8, 0, 255),
    "b8": (ZclType.BITMAP8, 0, 255),
    "b16": (ZclType.BITMAP16, 0, (1 << 16) - 1),
    "utc": (ZclType.UTC_TIME, 0, (1 << 32) - 1),
    "date": (ZclType.DATE, 0, (1 << 32) - 1),
}
_STRINGS: Final = {"octets": ZclType.OCTETS, "chars": ZclType.OCTETS, "text": ZclType.TEXT}
_DATE: Final = re.compile(r"(\d{4}|\*{4})-(\d\d|\*\*)-(\d\d|\*\*)")
_FIRST_YEAR: Final = 1900


@dataclass(frozen=True, slots=True)
class Kind:
    """A type word, read.

    Attributes:
        word: The word; ``rows`` and ``list`` for tables.
        columns: Of rows: (name, type) in order; of a list: one.
    """

    word: str
    columns: tuple[tuple[str, "Kind"], ...] = ()

    @property
    def zcl(self) -> ZclType:
        """The ZCL data type.

        Raises:
            KeyError: It is a table.
        """
        return _STRINGS[self.word] if self.word in _STRINGS else _NUMBERS[self.word][0]

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest number.

        Raises:
            KeyError: It is no number.
        """
        return _NUMBERS[self.word][1:]


@functools.cache
def kind_of(word: str) -> Kind:
    """Read a type word such as ``u16`` or ``rows(at:utc,code:u16)``.

    Raises:
        WrongTypeError: There is no such type.
    """
    head, _, inner = word.partition("(")
    if head == "rows" and inner.endswith(")"):
        columns = [part.partition(":") for part in inner[:-1].split(",")]
        return Kind("rows", tuple((name, kind_of(each)) for name, _, each in columns))
    if head == "list" and inner.endswith(")"):
        return Kind("list", (("", kind_of(inner[:-1])),))
    if word not in _NUMBERS and word not in _STRINGS:
        raise WrongTypeError(f"no type {word!r}")
    return Kind(word)


def made(kind: Kind, plain: Any, name: str) -> Value:
    """Return a value from what a file says: numbers, text, hex, ``2015-01-01T00:00:00``, lists.

    Raises:
        WrongTypeError: It is of another type or out of range.
    """
    if kind.word in {"rows", "list"}:
        return _table(kind, plain, name)
    if isinstance(plain, str) and kind.word in {*_STRINGS, "utc", "date"}:
        return _from_text(kind.word, plain, name)
    if kind.word in _NUMBERS and isinstance(plain, int) and not isinstance(plain, bool):
        low, high = kind.limits
        if low <= plain <= high:
            return plain
    raise WrongTypeError(f"{name}: {plain!r} is no {kind.word}")


def _table(kind: Kind, plain: Any, name: str) -> Value:
    if not isinstance(plain, list | tuple):
        raise WrongTypeError(f"{name}: {plain!r} is no list")
    if kind.word == "list":
        return tuple([made(kind.columns[0][1], one, name) for one in plain])
    rows = []
    for row in plain:
        if not isinstance(row, list | tuple) or len(row) != len(kind.columns):
            raise WrongTypeError(f"{name}: a row has {len(kind.columns)} columns")
        cells = zip(kind.columns, row, strict=True)
        rows.append(tuple([made(each, one, f"{name}.{column}") for (column, each), one in cells]))
    return tuple(rows)


def _from_text(word: str, text: str, name: str) -> Value:
    if word == "text":
        return text
    if word == "chars":
        return text.encode("latin-1")
    try:
        if word == "octets":
            return bytes.fromhex(text)
        if word == "utc":
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return to_zigbee_seconds(from_datetime(moment))
    except ValueError as error:
        raise WrongTypeError(f"{name}: {error}") from None
    found = _DATE.fullmatch(text)
    if found is None:
        raise WrongTypeError(f"{name}: a date is 2015-01-31, with * for what is not said")
    year, month, day = [255 if "*" in part else int(part) for part in found.groups()]
    since = year if year == 255 and "*" in found[1] else year - _FIRST_YEAR
    return int.from_bytes(bytes((since, month, day, 255)), "little")


def as_attribute(kind: Kind, value: Value) -> AttributeValue:
    """Return a value as attribute commands carry it."""
    if isinstance(value, tuple):
        raise TypeError(f"a table is no attribute: {value!r}")
    return AttributeValue(kind.zcl, value)


def dumped(value: Value) -> Json:
    """Return a value as JSON: octets as hex, tables as lists."""
    if isinstance(value, tuple):
        return [dumped(part) for part in value]
    return value.hex() if isinstance(value, bytes) else value


def restored(kind: Kind, saved: Json, name: str) -> Value:
    """Return a value from its dump.

    Raises:
        WrongTypeError: It is not of its type.
    """
    if kind.word == "rows" and isinstance(saved, list):
        return tuple([_restored_row(kind, row, name) for row in saved])
    if kind.word == "list" and isinstance(saved, list):
        return tuple([restored(kind.columns[0][1], one, name) for one in saved])
    if kind.word in {"octets", "chars"} and isinstance(saved, str):
        return _from_text("octets", saved, name)
    return made(kind, saved, name)


def _restored_row(kind: Kind, row: Json, name: str) -> tuple[Any, ...]:
    if not isinstance(row, list) or len(row) != len(kind.columns):
        raise WrongTypeError(f"{name}: a row has {len(kind.columns)} columns")
    return tuple(
        [restored(each, one, name) for (_, each), one in zip(kind.columns, row, strict=True)]
    )
