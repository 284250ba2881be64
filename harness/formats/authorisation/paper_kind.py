"""What kind of paper a file is: by its octets first, then by its name."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import PurePosixPath
from typing import Final

from device_profiles.errors import InvalidValueError
from harness.formats.authorisation import sealed, signed
from harness.formats.authorisation.demand_file import COMMITMENT, REQUEST, DemandName
from harness.formats.authorisation.dormant_schedule import FIRMWARE, SCHEDULE
from harness.formats.authorisation.file_name import AuthorisationName
from harness.formats.migration_files.notifications import (
    DormantFirmwareLine,
    DormantMeterLine,
    read,
    render,
)


class PaperKind(enum.StrEnum):
    """Kinds of papers; the value is what reports call them."""

    AUTHORISATION = "MA"
    SEALED = "sealed MA"
    SIGNED = "signed paper"
    PASSWORD = "MAPASSWORD"  # noqa: S105 - the name of a kind of file
    DEMAND_REQUEST = "DR"
    DEMAND_COMMITMENT = "DC"
    DORMANT_SCHEDULE = "DMSN"
    DORMANT_FIRMWARE = "DFWN"
    RETRY_LIST = "RETRY"
    DUIS = "DUIS"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RetryLine:
    """One line of a retry list: what a supplier decides of an installation that failed.

    Attributes:
        ref: The installation.
        decision: ``retry`` or ``leave``.
        on: First day on which it may be tried again.
        why: Why.

    Source:
        invented: MEHRS speaks of retries; no file for them was found.
    """

    ref: str
    decision: str
    on: date
    why: str


DECISIONS: Final = frozenset({"retry", "leave"})
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0"
_DUIS: Final = (b"/dccinterface", b":Request", b"<Request", b"SignedPreCommand")
_HEAD: Final = 1_500
_BY_NAME: Final[Mapping[str, PaperKind]] = {
    "MA": PaperKind.AUTHORISATION,
    "MAPASSWORD": PaperKind.PASSWORD,
    SCHEDULE: PaperKind.DORMANT_SCHEDULE,
    FIRMWARE: PaperKind.DORMANT_FIRMWARE,
    "RETRY": PaperKind.RETRY_LIST,
    REQUEST: PaperKind.DEMAND_REQUEST,
    COMMITMENT: PaperKind.DEMAND_COMMITMENT,
}
#: Columns by which a CSV file is known under whatever name.
_BY_COLUMNS: Final[tuple[tuple[frozenset[str], PaperKind], ...]] = (
    (frozenset({sealed.HEADING}), PaperKind.PASSWORD),
    (frozenset({"on", "demand", "committed"}), PaperKind.DEMAND_COMMITMENT),
    (frozenset({"on", "demand"}), PaperKind.DEMAND_REQUEST),
    (frozenset({"ref", "decision", "on", "why"}), PaperKind.RETRY_LIST),
    (frozenset(one.name for one in fields(DormantMeterLine)), PaperKind.DORMANT_SCHEDULE),
    (frozenset(one.name for one in fields(DormantFirmwareLine)), PaperKind.DORMANT_FIRMWARE),
)
_SHEETS: Final = frozenset({".xlsx", ".xlsm", ".csv", ".xml"})


def kind_of_paper(name: str, octets: bytes) -> PaperKind:
    """Return what kind of paper a file is.

    Args:
        name: Its name; a name that says one thing, where the octets say another, does not count.
        octets: The file.
    """
    found = _by_octets(octets)
    if found is not None:
        return found
    named = _by_name(name)
    if named is not PaperKind.UNKNOWN:
        return named
    is_workbook = octets.startswith((_ZIP, _OLE))
    ends = PurePosixPath(name).suffix.lower() in _SHEETS
    return PaperKind.AUTHORISATION if is_workbook or ends else PaperKind.UNKNOWN


def stem_of(name: str) -> str:
    """Return a paper's name without ``.signed``, ``.sealed`` and the ending of its kind."""
    for ending in (signed.ENDING, sealed.ENDING):
        name = name.removesuffix(ending)
    return PurePosixPath(name).stem


def read_retries(octets: bytes, file: str) -> tuple[RetryLine, ...]:
    """Read a retry list.

    Raises:
        InvalidValueError: It is none.
    """
    found = read(RetryLine, octets, file)
    for number, line in enumerate(found, start=2):
        if line.decision not in DECISIONS:
            raise InvalidValueError(
                f"the decision is one of {', '.join(sorted(DECISIONS))}",
                file=file,
                key=f"line {number}",
            )
    return found


def render_retries(lines: Iterable[RetryLine]) -> bytes:
    """Write a retry list."""
    return render(RetryLine, lines)


def _by_octets(octets: bytes) -> PaperKind | None:
    if signed.is_signed(octets):
        return PaperKind.SIGNED
    if sealed.is_sealed(octets):
        return PaperKind.SEALED
    head = octets[:_HEAD]
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return PaperKind.DUIS if any(mark in head for mark in _DUIS) else None
    columns = _columns(head)
    return next((kind for wanted, kind in _BY_COLUMNS if wanted <= columns), None)


def _columns(head: bytes) -> frozenset[str]:
    """Return the headings of a CSV file; none where the octets are no text."""
    line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return frozenset()
    return frozenset(cell.strip().strip('"') for cell in text.split(","))


def _by_name(name: str) -> PaperKind:
    stem = stem_of(name)
    found = AuthorisationName.parse(stem)
    demand = DemandName.parse(stem)
    kind = found.kind if found is not None else demand.kind if demand is not None else ""
    return _BY_NAME.get(kind, PaperKind.UNKNOWN)
