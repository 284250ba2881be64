"""Kinds of text in migration files: each value is written in exactly one way."""

import base64
import binascii
import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, NoReturn

from emulator.core.clock import UtcMs, from_datetime, to_datetime
from emulator.core.ids import Eui64
from harness.formats.migration_files import checks
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.gate import Gate
from harness.formats.migration_files.names import MAX_COUNTER


@dataclass(frozen=True, slots=True)
class Kind:
    """A simple kind of content.

    Attributes:
        name: What it is, for messages.
        decode: Text to value; raises ValueError.
        encode: Value to text; raises ValueError or TypeError for a value that has no text.
        lenient: Text to value where the agreed form is not asked for; None: as ``decode``.
    """

    name: str
    decode: Callable[[str], Any]
    encode: Callable[[Any], str]
    lenient: Callable[[str], Any] | None = None

    def read(self, text: str) -> Any:
        """Read a text, which must be the one that the value is written as.

        Raises:
            MigrationFileError: X-VALUE 01, or X-B64 01 for base64.
        """
        try:
            value = self.decode(text)
            written = value if self.encode is _same else self.encode(value)
            if written != text:
                _refuse("written in another form than the agreed one")
        except (ValueError, OverflowError) as error:
            check = checks.BASE64 if self.name.startswith("base64") else checks.VALUE
            told = f"{_shown(self, text)} is no {self.name}: {error}"
            raise MigrationFileError(check, "01", told[:300]) from None
        return value

    def read_through(self, text: str, gate: Gate) -> Any:
        """Read a text as ``read`` does, or leniently where the run lets its refusal pass.

        Raises:
            MigrationFileError: As ``read``; also where nothing can be made of the text.
        """
        try:
            return self.read(text)
        except MigrationFileError as error:
            gate.settle(error)
            try:
                return (self.lenient or self.decode)(text)
            except (ValueError, OverflowError):
                raise error from None

    def write(self, value: Any) -> str:
        """Write a value.

        Raises:
            MigrationFileError: X-VALUE 01: it has no text of this kind.
        """
        try:
            text = self.encode(value)
            if self.decode(text) != value:
                _refuse("not what it would be read as")
        except (ValueError, TypeError, OverflowError, AttributeError) as error:
            told = f"a value cannot be written as {self.name}: {error}"
            raise MigrationFileError(checks.VALUE, "01", told[:300]) from None
        return text


def _refuse(why: str) -> NoReturn:
    raise ValueError(why)


def _shown(kind: Kind, text: str) -> str:
    """Return the text for a message; binary content, which may be a key, is not repeated."""
    return "the text" if kind.name.startswith("base64") else repr(text[:40])


def _same(text: str) -> str:
    return text


def _matching(name: str, pattern: str) -> Kind:
    form = re.compile(pattern)

    def checked(text: str) -> str:
        if form.fullmatch(text) is None:
            raise ValueError(f"the form is {pattern}")
        return text

    return Kind(name, checked, _same, _same)


def words(of: type[enum.StrEnum]) -> Kind:
    """Return the kind of one enumeration."""
    spelled = {str(word): word for word in of}

    def decoded(text: str) -> enum.StrEnum:
        word = spelled.get(text)
        return of(text) if word is None else word

    return Kind(f"one of {', '.join(of)}", decoded, str)


_DIGITS: Final = re.compile(r"[0-9]{1,20}")


def number(name: str, most: int) -> Kind:
    """Return the kind of a whole number from 0 to ``most``, without leading zeros."""

    def checked(text: str) -> int:
        if _DIGITS.fullmatch(text) is None or int(text) > most:
            raise ValueError(f"0 to {most}")
        return int(text)

    return Kind(name, checked, str)


def octets(name: str, least: int, most: int) -> Kind:
    """Return the kind of base64 of ``least`` to ``most`` octets, in one piece."""

    def decoded(text: str) -> bytes:
        try:
            value = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("not base64") from None
        if not least <= len(value) <= most:
            raise ValueError(f"{least} to {most} octets")
        return value

    def encoded(value: bytes) -> str:
        return base64.b64encode(value).decode("ascii")

    return Kind(f"base64 of {name}", decoded, encoded, base64.b64decode)


def _eui64(text: str) -> Eui64:
    return Eui64.parse(text)


_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def _moment(text: str) -> UtcMs:
    if _MOMENT.fullmatch(text) is not None:
        try:
            return from_datetime(datetime.fromisoformat(text))
        except ValueError:
            pass  # no day of the calendar: the full way says so
    return from_datetime(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC))


def _moment_text(at: UtcMs) -> str:
    return to_datetime(at).isoformat(timespec="seconds").replace("+00:00", "Z")


_WEEK: Final = re.compile(r"([0-9]{4})-W([0-9]{2})")


def _week(text: str) -> str:
    match = _WEEK.fullmatch(text)
    if match is None:
        raise ValueError("the form is 2021-W09")
    date.fromisocalendar(int(match[1]), int(match[2]), 1)
    return text


def week_of(at: UtcMs) -> str:
    """Return the ISO week of a moment of UTC, as ``MigrationWeek`` is written.

    Source:
        invented: an ISO week, from Monday 00:00 UTC (reference 6.1).
    """
    year, week, _day = to_datetime(at).isocalendar()
    return f"{year:04d}-W{week:02d}"


#: Any text without control characters, no space at either end.
TEXT: Final = _matching("text", r"(?!\s)[^\x00-\x1f\x7f]{0,500}(?<!\s)")
NAME: Final = _matching("name", r"(?! )[ -~]{1,60}(?<! )")
FILE_NAME: Final = _matching("file name", r"[0-9A-Za-z._-]{1,200}")
GROUP: Final = _matching("GroupID", r"[A-Z]{2}")
STEP: Final = _matching("step", r"[A-Z][0-9]{1,2}")
CODE: Final = _matching("error code", r"X-[0-9A-Z][0-9A-Z.-]{0,28}|[A-Z]{1,4}[0-9]{1,4}")
SUB_CODE: Final = _matching("sub-code", r"((X-)?[0-9]{2})?")
HEX8: Final = _matching("eight hex digits", r"[0-9A-F]{8}")
HEX4: Final = _matching("four hex digits", r"[0-9A-F]{4}")
SHA256: Final = _matching("SHA-256", r"[0-9a-f]{64}")
MPAN: Final = _matching("MPAN", r"[0-9]{13}")
MPRN: Final = _matching("MPRN", r"[0-9]{1,10}")
SERIAL: Final = _matching("certificate serial number", r"0|[1-9][0-9]{0,59}")
ISSUER: Final = _matching("issuer name", r"((?! )[ -~]{1,200}(?<! ))?")
EUI64: Final = Kind("EUI-64", _eui64, str)
MOMENT: Final = Kind("moment of UTC in whole seconds", _moment, _moment_text)
WEEK: Final = Kind("Migration Week", _week, _same, _same)
COUNTER: Final = number("counter", MAX_COUNTER)
