"""SMETS1 Eligible Product Combinations: which sets of device models may migrate (F-060, F-064)."""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Self

from pydantic import ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from device_profiles.column_map import ColumnMap, ListColumns
from device_profiles.combination_diff import Difference, Differs, Installed, differences
from device_profiles.cpl import Cpl
from device_profiles.dmc import (
    Combination,
    CombinationRow,
    DmcList,
    RowId,
    list_in_force,
    model_problems,
    repeated,
)
from device_profiles.files import Folders
from device_profiles.list_faults import Problem, Scan
from device_profiles.list_files import scan as scan_list

FILE_NAME: Final = "epcl.csv"
MAP_NAME: Final = "epcl_columns.toml"


class EpclBasis(enum.StrEnum):
    """Why a combination is on the list."""

    TESTED = "tested"
    SUBSTANTIVE_EQUIVALENCE = "substantive-equivalence"


class EpclRoute(enum.StrEnum):
    """Which tests led to the entry."""

    SIT_MT = "sit-mt"
    DMCT = "dmct"


class EpclEntry(CombinationRow):
    """One entry of the list.

    Attributes:
        epcl_id: Identifier of the row.
        basis: Whether this very combination was tested.
        relies_on: The combination whose tests the entry relies on; needed for equivalence.
        route: Which tests they were.
        added_on: Day on which the entry was first made.
        removed_on: Day from which it no longer holds, or None.
    """

    epcl_id: RowId
    basis: EpclBasis
    relies_on: RowId | None = None
    route: EpclRoute
    added_on: date
    removed_on: date | None = None

    @field_validator("removed_on")
    @classmethod
    def _is_removed_after_it_was_added(cls, last: date | None, info: ValidationInfo) -> date | None:
        added = info.data.get("added_on")
        if last is not None and added is not None and last <= added:
            raise PydanticCustomError("reversed_dates", "removed_on does not lie after added_on")
        return last

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.basis is EpclBasis.SUBSTANTIVE_EQUIVALENCE and self.relies_on is None:
            raise ValueError("substantive equivalence names the combination it relies on")
        return self

    def holds_on(self, day: date) -> bool:
        """Say whether the entry is in force on a day."""
        return self.added_on <= day and (self.removed_on is None or day < self.removed_on)


#: The columns of our own file, in order.
COLUMNS: Final = (
    "epcl_id",
    *(name for name in CombinationRow.model_fields if name not in {"notes", "evidence"}),
    *(n for n in EpclEntry.model_fields if n not in {"epcl_id", *CombinationRow.model_fields}),
    "notes",
    "evidence",
)


LIST_COLUMNS: Final = ListColumns(
    COLUMNS,
    lists=frozenset({"ppmid"}),
    dates=frozenset({"added_on", "removed_on"}),
)


class Misalignment(enum.StrEnum):
    """Why no entry fits."""

    NO_ENTRY = "no-entry"
    NOT_YET = "not-yet"
    REMOVED = "removed"
    ELSEWHERE = "other-group-or-provider"


@dataclass(frozen=True, slots=True)
class Alignment:
    """What the list says of one installation (F-064).

    Attributes:
        entry: The entry that holds, or None.
        why: Why there is none, or None.
        nearest: The entry that differs least, or None for an empty list.
        differing: Component -> (value of the installation, value of the nearest entry).
    """

    entry: EpclEntry | None
    why: Misalignment | None = None
    nearest: EpclEntry | None = None
    differing: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Nearest:
    """The entry that an installation is nearest to.

    Attributes:
        entry: The entry.
        differing: What tells them apart.
        in_force: Whether the entry holds on the day.
    """

    entry: EpclEntry
    differing: tuple[Difference, ...]
    in_force: bool


class Epcl:
    """A list in force: entries checked against each other, the CPL and the tested combinations.

    Args:
        entries: The rows.
        cpl: The Central Products List they refer to.
        dmcs: The combinations they rely on; None leaves that reference unchecked.
        file: Where they come from, for messages.
        checked: Whether the caller has found no problem between them already.
    """

    def __init__(
        self,
        entries: Iterable[EpclEntry],
        cpl: Cpl,
        dmcs: DmcList | None = None,
        file: str = FILE_NAME,
        *,
        checked: bool = False,
    ) -> None:
        rows = list(entries)
        self.file: Final = file
        for problem in () if checked else problems(rows, cpl, dmcs):
            raise problem.error(file)
        self.cpl: Final = cpl
        self.entries: Final[Mapping[str, EpclEntry]] = {row.epcl_id: row for row in rows}
        self._by_models: dict[Combination, list[EpclEntry]] = {}
        for row in rows:
            self._by_models.setdefault(row.combination, []).append(row)

    def align(self, combination: Combination, *, group_id: str, csp: str, day: date) -> Alignment:
        """Compare one installation's whole set and provider with the list (F-064)."""
        alike = self._by_models.get(combination, [])
        here = [row for row in alike if (row.group_id, row.csp) == (group_id, csp)]
        for row in here:
            if row.holds_on(day):
                return Alignment(row)
        if here:
            ahead = any(row.added_on > day for row in here)
            why = Misalignment.NOT_YET if ahead else Misalignment.REMOVED
        else:
            why = Misalignment.ELSEWHERE if alike else Misalignment.NO_ENTRY
        near = self.nearest(Installed(combination, group_id, csp), day)
        if near is None:
            return Alignment(None, why)
        mine = {**combination.components(), "provider": csp, "group": group_id}
        return Alignment(None, why, near.entry, _differing(mine, near.entry))

    def nearest(self, mine: Installed, day: date) -> Nearest | None:
        """Return the entry that differs least; None for an empty list.

        Fewest differing components first; then those that differ in more than firmware; then
        whether the entry is in force; then its name.
        """
        found = (
            Nearest(row, differences(self.cpl, mine, row), row.holds_on(day))
            for row in self.entries.values()
        )
        return min(found, key=_distance, default=None)

    def holds_model(self, cpl_entry_id: str, day: date) -> bool:
        """Say whether any entry in force holds a model; otherwise it is a Non-EPCL Device Model."""
        return any(
            row.holds_on(day) and any(entry == cpl_entry_id for _, entry in row.devices())
            for row in self.entries.values()
        )


def _distance(one: Nearest) -> tuple[int, int, bool, str]:
    other = sum(difference.kind is not Differs.FIRMWARE for difference in one.differing)
    return len(one.differing), other, not one.in_force, one.entry.epcl_id


def _differing(mine: Mapping[str, str], row: EpclEntry) -> tuple[tuple[str, str, str], ...]:
    theirs = {**row.combination.components(), "provider": row.csp, "group": row.group_id}
    return tuple((key, mine[key], theirs[key]) for key in mine if mine[key] != theirs[key])


def load_epcl(cpl: Cpl, dmcs: DmcList | None = None, overlays: Folders = ()) -> Epcl:
    """Load the list in force: the strongest overlay's own, else the shipped synthetic one.

    Raises:
        DataError: A file cannot be read, or a row is wrong.
    """
    path, column_map = list_in_force(FILE_NAME, MAP_NAME, LIST_COLUMNS, overlays)
    return load(path, cpl, dmcs, column_map)


def scan(
    path: Path, cpl: Cpl, dmcs: DmcList | None = None, column_map: ColumnMap | None = None
) -> Scan[EpclEntry]:
    """Read a list to its end: its rows, and everything wrong with them.

    Args:
        path: The file: one heading line, then one row a line.
        cpl: The Central Products List its rows refer to.
        dmcs: The combinations its rows rely on; None leaves that reference unchecked.
        column_map: Headings of a user's export, whose unmarked rows are marked ``user:``.

    Raises:
        DataError: The file cannot be read, or a column is missing or not known.
    """
    found = scan_list(path, EpclEntry, LIST_COLUMNS, column_map)
    for problem in problems(found.rows, cpl, dmcs):
        found.blame(problem)
    return found


def load(
    path: Path, cpl: Cpl, dmcs: DmcList | None = None, column_map: ColumnMap | None = None
) -> Epcl:
    """Load a list from a CSV file.

    Args:
        path: The file: UTF-8, comma separated, one heading line.
        cpl: The Central Products List its rows refer to.
        dmcs: The combinations its rows rely on; None leaves that reference unchecked.
        column_map: Headings of a user's export, whose unmarked rows are marked ``user:``.

    Raises:
        DataError: The file cannot be read, a column is missing or not known, a row is wrong.
    """
    found = scan(path, cpl, dmcs, column_map)
    found.raise_first()
    return Epcl(found.rows, cpl, dmcs, str(path), checked=True)


def problems(rows: Sequence[EpclEntry], cpl: Cpl, dmcs: DmcList | None = None) -> Iterator[Problem]:
    """Yield every row that does not go with the others, the CPL or the combinations."""
    known = None if dmcs is None else {None, *dmcs.entries}
    yield from repeated(rows, lambda row: (row.epcl_id,), "epcl_id")
    yield from repeated(
        rows, lambda row: (row.group_id, row.csp, row.combination, row.added_on), "added_on"
    )
    for number, row in enumerate(rows):
        yield from model_problems(number, row, cpl, row.epcl_id)
        if dmcs is not None and known is not None and row.relies_on not in known:
            why = f"{row.relies_on}: no such combination in {dmcs.file}"
            key = f"{row.epcl_id} relies_on"
            yield Problem(number, "relies_on", "dangling-reference", key, why)
