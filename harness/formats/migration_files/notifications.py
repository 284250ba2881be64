"""Schedule notifications of dormant meters and of their firmware: read and written as CSV."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final, TypeVar

from device_profiles.errors import InvalidValueError
from emulator.core.values import quick

#: What stands in the column ``evidence`` of every line: the real columns are not public.
MARK: Final = "stand-in"
_EVIDENCE: Final = "evidence"
#: Fields that hold a day.
_DAYS: Final = frozenset({"earliest", "latest", "on"})


@quick
@dataclass(frozen=True, slots=True)
class AuthorisedMeterLine:
    """One meter of a Migration Authorisation, in brief: who lets it migrate, and when.

    Attributes:
        ref: The installation.
        mpxn: MPAN or MPRN.
        user_id: User ID of its supplier, printed form.
        earliest: First day.
        latest: Last day.
    """

    ref: str
    mpxn: str
    user_id: str
    earliest: date
    latest: date


@dataclass(frozen=True, slots=True)
class DormantMeterLine:
    """One line of a dormant schedule notification: a dormant meter, and when it migrates.

    Attributes:
        ref: The installation.
        mpxn: MPAN or MPRN.
        user_id: User ID of the supplier it belongs to, printed form.
        earliest: First day.
        latest: Last day.

    Source:
        S001 §7 names the workbook; its columns were not found: invented.
    """

    ref: str
    mpxn: str
    user_id: str
    earliest: date
    latest: date


@dataclass(frozen=True, slots=True)
class DormantFirmwareLine:
    """One line of a dormant firmware schedule notification.

    Attributes:
        ref: The installation.
        device: EUI-64 of the device, printed form.
        from_version: Version it runs.
        to_version: Version it is to run.
        on: The day.

    Source:
        DCC-mig names the workbook; its columns were not found: invented.
    """

    ref: str
    device: str
    from_version: str
    to_version: str
    on: date


#: Any of the three.
Line = TypeVar("Line")


def render(kind: type[Line], lines: Iterable[Line]) -> bytes:
    """Write lines as CSV, UTF-8, each with its mark."""
    names = _names(kind)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*names, _EVIDENCE])
    for line in lines:
        writer.writerow([*(str(getattr(line, name)) for name in names), MARK])
    return out.getvalue().encode()


def read(kind: type[Line], content: bytes, file: str = "notification") -> tuple[Line, ...]:
    """Read lines from CSV.

    Raises:
        InvalidValueError: It is not UTF-8, has other columns, or a value is none of its kind.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidValueError("not UTF-8 text", file=file) from error
    names = _names(kind)
    reader = csv.reader(io.StringIO(text, newline=""))
    heading = next(reader, [])
    if heading != [*names, _EVIDENCE]:
        raise InvalidValueError(f"the columns are {', '.join(names)}, {_EVIDENCE}", file=file)
    found: list[Line] = []
    for number, cells in enumerate(reader, start=2):
        if len(cells) != len(heading):
            why = "more or fewer cells than headings"
            raise InvalidValueError(why, file=file, key=f"line {number}")
        values = dict(zip(names, cells, strict=False))
        found.append(_line(kind, values, file, number))
    return tuple(found)


def _names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind)]


def _line(kind: type[Line], values: dict[str, str], file: str, number: int) -> Line:
    made: dict[str, Any] = dict(values)
    try:
        for name in _DAYS & values.keys():
            made[name] = date.fromisoformat(values[name])
    except ValueError as error:
        raise InvalidValueError(str(error), file=file, key=f"line {number}") from error
    return kind(**made)
