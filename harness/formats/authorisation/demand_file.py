"""Migration demand files: what a supplier asks for (DR), and what the DCC commits to (DC).

Source:
    DCC-msm, two published sample names: ``DC-AAA123_70-B3-D5-1F-30-00-A0-08_CGI_20190121`` and
    ``DR_AAA123_70-B3-D5-1F-30-00-A0-08_CGI_20190121``. What the letters mean, and the columns:
    invented (migration.md 4.1, 4.2).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Self

from device_profiles.errors import InvalidValueError
from emulator.core.ids import Eui64
from harness.formats.migration_files.notifications import read as read_lines
from harness.formats.migration_files.notifications import render

REQUEST: Final = "DR"
COMMITMENT: Final = "DC"
_NAME: Final = re.compile(
    r"(?P<kind>DR|DC)(?P<mark>[_-])(?P<party>[A-Za-z0-9]{1,20})"
    r"_(?P<user>[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){7})_(?P<tag>[A-Za-z0-9]{1,12})_(?P<day>\d{8})"
)
#: Installations a day that a file may name.
_MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class DemandName:
    """The stem of a demand file's name.

    Attributes:
        kind: ``DR`` or ``DC``.
        party: SEC Party ID.
        user_id: User ID.
        tag: Tag of the SMSO, in the case it was written.
        day: First day it is about.
        mark: What stands behind the kind: one of the samples has a hyphen.
    """

    kind: str
    party: str
    user_id: Eui64
    tag: str
    day: date
    mark: str = "_"

    @classmethod
    def parse(cls, stem: str) -> Self | None:
        """Read a file's stem; None when it is named otherwise."""
        found = _NAME.fullmatch(stem)
        if found is None:
            return None
        try:
            # A calendar day has no zone.
            day = datetime.strptime(found["day"], "%Y%m%d").date()  # noqa: DTZ007 - see above
        except ValueError:
            return None
        user = Eui64.parse(found["user"])
        return cls(found["kind"], found["party"], user, found["tag"], day, found["mark"])

    def __str__(self) -> str:
        head = f"{self.kind}{self.mark}{self.party}"
        return f"{head}_{self.user_id}_{self.tag}_{self.day:%Y%m%d}"


@dataclass(frozen=True, slots=True)
class DemandLine:
    """What is asked for on one day, and what is committed.

    Attributes:
        on: The day.
        demand: Active installations that are asked for.
        committed: Installations that get a place; in a request: none is told.
    """

    on: date
    demand: int
    committed: int | None = None


@dataclass(frozen=True, slots=True)
class _RequestCells:
    """A line of a request as the file has it."""

    on: date
    demand: str


@dataclass(frozen=True, slots=True)
class _CommitmentCells:
    """A line of a commitment as the file has it."""

    on: date
    demand: str
    committed: str


def render_demand(kind: str, lines: Iterable[DemandLine]) -> bytes:
    """Write a demand file as CSV.

    Raises:
        ValueError: A commitment lacks what is committed.
    """
    if kind == REQUEST:
        cells = [_RequestCells(one.on, str(one.demand)) for one in lines]
        return render(_RequestCells, cells)
    kept = list(lines)
    if any(one.committed is None for one in kept):
        raise ValueError("a commitment says what is committed")
    return render(
        _CommitmentCells,
        [_CommitmentCells(one.on, str(one.demand), str(one.committed)) for one in kept],
    )


def read_demand(kind: str, octets: bytes, file: str) -> tuple[DemandLine, ...]:
    """Read a demand file.

    Raises:
        InvalidValueError: It is none; a day stands twice, or a number is none.
    """
    found: list[DemandLine] = []
    rows: Iterable[_RequestCells | _CommitmentCells] = (
        read_lines(_RequestCells, octets, file)
        if kind == REQUEST
        else read_lines(_CommitmentCells, octets, file)
    )
    for number, row in enumerate(rows, start=2):
        committed = row.committed if isinstance(row, _CommitmentCells) else None
        where = f"line {number}"
        found.append(
            DemandLine(
                row.on,
                _number(row.demand, file, where),
                None if committed is None else _number(committed, file, where),
            )
        )
    days = [one.on for one in found]
    if len(set(days)) < len(days):
        raise InvalidValueError("a day stands twice", file=file)
    return tuple(found)


def _number(text: str, file: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > _MOST:
        raise InvalidValueError(f"{text!r} is no number of installations", file=file, key=where)
    return int(text)
