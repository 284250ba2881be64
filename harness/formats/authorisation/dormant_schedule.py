"""Notifications of dormant meters and of their firmware: names, workbooks, and what must hold.

Source:
    S001 §7 and DCC-mig name both workbooks; their columns and file names were not found: invented
    (the columns are those of ``formats.migration_files.notifications``).
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, TypeVar

from device_profiles.installation import Installation, InstalledDevice
from device_profiles.words import InstallationClass
from emulator.core.ids import Eui64
from harness.files import read_octets
from harness.formats.authorisation import workbook
from harness.formats.authorisation.cells import shown
from harness.formats.authorisation.csv_grid import SUFFIXES as CSV_SUFFIXES
from harness.formats.authorisation.faults import unreadable
from harness.formats.authorisation.grid import MAX_FILE_BYTES, is_empty
from harness.formats.authorisation.writing import csv_of, workbook_of
from harness.formats.migration_files.notifications import (
    DormantFirmwareLine,
    DormantMeterLine,
    read,
    render,
)
from harness.formats.migration_files.words import MeterStatus
from harness.rules.migration_planning import status_of
from harness.rules.migration_rulebook import RuleBook

SCHEDULE: Final = "DMSN"
FIRMWARE: Final = "DFWN"
_VERSION_DIGITS: Final = 8
_HEX: Final = frozenset("0123456789ABCDEFabcdef")

Line = TypeVar("Line", DormantMeterLine, DormantFirmwareLine)


@dataclass(frozen=True, slots=True)
class LineFinding:
    """What is wrong with one line.

    Attributes:
        line: From 2; the headings are line 1.
        code: ``X-DMSN`` or ``X-DFWN``.
        sub_code: Two digits.
        text: What is wrong.
    """

    line: int
    code: str
    sub_code: str
    text: str


def read_notification(kind: type[Line], path: Path) -> tuple[Line, ...]:
    """Read a notification: CSV, or a workbook.

    Raises:
        AuthorisationFileError: No kind of notification has that ending, or it cannot be opened.
        InvalidValueError: Its columns or values are others.
        UsageError: It cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix in CSV_SUFFIXES:
        return read(kind, read_octets(path, MAX_FILE_BYTES), path.name)
    if suffix in workbook.SUFFIXES:
        return read(kind, _as_csv(path), path.name)
    known = ", ".join((*workbook.SUFFIXES, *CSV_SUFFIXES))
    raise unreadable(f"a notification's name ends in one of {known}", str(path))


def render_workbook(kind: type[Line], lines: Iterable[Line]) -> bytes:
    """Write a notification as a workbook; the same lines give the same octets."""
    text = render(kind, lines).decode()
    cells = list(csv.reader(io.StringIO(text, newline="")))
    return workbook_of(cells, kind.__name__.removesuffix("Line"))


def check_schedule(
    lines: Sequence[DormantMeterLine],
    addressee: Eui64,
    day: date,
    homes: Iterable[Installation] = (),
) -> tuple[LineFinding, ...]:
    """Judge a dormant schedule notification as its addressee would.

    Args:
        lines: Its lines.
        addressee: User ID of the supplier it is for.
        day: The day it is looked at, UTC.
        homes: What is known of the installations; none: nothing is said of meters.
    """
    meters = {
        device.mpxn: (home, device)
        for home in homes
        for device in home.devices
        if device.mpxn is not None
    }
    counted = Counter(line.mpxn for line in lines)
    found: list[LineFinding] = []
    for number, line in enumerate(lines, start=2):
        tell = _teller(found, number, "X-DMSN")
        if line.user_id.upper() != str(addressee):
            tell("01", f"{line.user_id}; the notification is for {addressee}")
        if line.latest < line.earliest or line.latest < day:
            tell("02", f"{line.earliest} to {line.latest}; the day is {day}")
        if counted[line.mpxn] > 1 or not (line.mpxn.isascii() and line.mpxn.isdigit()):
            tell("03", line.mpxn)
        if meters:
            _judge_meter(line.mpxn, meters.get(line.mpxn), tell)
    return tuple(found)


def check_firmware(
    lines: Sequence[DormantFirmwareLine],
    book: RuleBook,
    homes: Iterable[Installation] = (),
) -> tuple[LineFinding, ...]:
    """Judge a dormant firmware schedule notification (4.26, R-014).

    Args:
        lines: Its lines.
        book: The rules: from which day on early updates are allowed.
        homes: What is known of the installations; none: nothing is said of devices.
    """
    devices = {device.eui64: home for home in homes for device in home.devices}
    counted = Counter(line.device for line in lines)
    found: list[LineFinding] = []
    for number, line in enumerate(lines, start=2):
        tell = _teller(found, number, "X-DFWN")
        if counted[line.device] > 1 or not _is_eui64(line.device):
            tell("01", line.device)
        versions = (line.from_version, line.to_version)
        if not all(map(_is_version, versions)) or versions[0].upper() == versions[1].upper():
            tell("02", f"{line.from_version} to {line.to_version}")
        if line.on < book.settings.early_firmware_from:
            tell("03", f"{line.on}; from {book.settings.early_firmware_from} on")
        home = devices.get(line.device)
        if devices and (home is None or home.installation_class is InstallationClass.ACTIVE):
            tell("04", line.device)
    return tuple(found)


def _teller(found: list[LineFinding], number: int, code: str) -> Callable[[str, str], None]:
    def tell(sub_code: str, text: str) -> None:
        found.append(LineFinding(number, code, sub_code, text))

    return tell


def _judge_meter(
    mpxn: str,
    known: tuple[Installation, InstalledDevice] | None,
    tell: Callable[[str, str], None],
) -> None:
    if known is None or status_of(*known) is not MeterStatus.DORMANT:
        tell("04", mpxn)


def _is_eui64(text: str) -> bool:
    try:
        Eui64.parse(text)
    except ValueError:
        return False
    return True


def _is_version(text: str) -> bool:
    return len(text) == _VERSION_DIGITS and set(text) <= _HEX


def _as_csv(path: Path) -> bytes:
    grids = workbook.open_workbook(path)
    try:
        return csv_of(_filled(grids[0].lines)).encode()
    finally:
        for grid in grids:
            grid.close()


def _filled(lines: Iterable[object]) -> Iterator[list[str]]:
    for line in lines:
        cells = [shown(cell) for cell in getattr(line, "cells", ())]
        if not all(map(is_empty, cells)):
            yield cells
