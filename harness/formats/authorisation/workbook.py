"""Workbooks (.xlsx, .xlsm) as lines of cells: values only, macros and formulas never run."""

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from harness.formats.authorisation.faults import damaged
from harness.formats.authorisation.grid import (
    MAX_COLUMNS,
    FileKind,
    Grid,
    Line,
    Note,
    Raw,
    Unusable,
    address,
)
from harness.formats.authorisation.sheet_lines import QuickReader, lines_of
from harness.formats.authorisation.workbook_gate import SheetShape, WorkbookShape, look_through

SUFFIXES: Final = (".xlsx", ".xlsm")
#: Hidden lines that are named one by one.
_TOLD_LINES: Final = 8
_ERROR_VALUES: Final = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#GETTING_DATA"}
)


def open_workbook(path: Path) -> list[Grid]:
    """Read every sheet of a workbook; lines are read as they are asked for.

    Raises:
        AuthorisationFileError: It is no workbook, too large, damaged, or declares entities.
    """
    shape = look_through(path)
    file = path.open("rb")
    try:
        return _grids(_opened(file), shape, file.close)
    except BaseException:
        file.close()
        raise


def _grids(workbook: Any, shape: WorkbookShape, close: Callable[[], None]) -> list[Grid]:
    notes = [Note("01", "the workbook holds macros")] if shape.has_macros else []
    grids = []
    for name in workbook.sheetnames:
        sheet = workbook[name]
        seen = shape.sheets.get(name)
        if seen is None:  # a sheet that holds a chart alone
            continue
        sheet.reset_dimensions()
        grids.append(
            Grid(
                FileKind.WORKBOOK,
                name,
                _Lines(sheet, seen),
                seen.merges,
                (*notes, *_unseen(sheet.sheet_state != "visible", seen.hidden_lines)),
                workbook.epoch,
                sheet.sheet_state != "visible",
                seen.lines,
                close,
            )
        )
    others = [grid.sheet for grid in grids]
    return [replace(grid, notes=(*grid.notes, *_left_out(others, grid.sheet))) for grid in grids]


def _unseen(hidden: bool, lines: Sequence[int]) -> list[Note]:
    """Return what is to be told of what is read although its supplier may not see it."""
    notes = [Note("04", "no sheet that can be seen fits")] if hidden else []
    if lines:
        shown = ", ".join(str(number) for number in lines[:_TOLD_LINES])
        more = f" and {len(lines) - _TOLD_LINES:,} more" if len(lines) > _TOLD_LINES else ""
        notes.append(Note("05", f"{shown}{more}"))
    return notes


def _left_out(sheets: list[str], read: str) -> list[Note]:
    rest = ", ".join(repr(name) for name in sheets if name != read)
    return [Note("02", f"read: {read!r}; not read: {rest}")] if rest else []


def _opened(file: BinaryIO) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of extensions it leaves out
            reader = QuickReader(
                file, read_only=True, data_only=True, keep_vba=False, keep_links=False
            )
            reader.read()
            return reader.wb
    except Exception as error:  # openpyxl lets through what it meets
        raise damaged(f"{type(error).__name__}: {error}") from error


class _Lines:
    """The lines of a sheet; may be gone through more than once."""

    def __init__(self, sheet: Any, shape: SheetShape) -> None:
        self._sheet = sheet
        self._shape = shape

    def __iter__(self) -> Iterator[Line]:
        rows = lines_of(self._sheet)
        for number in itertools.count(1):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    cells = next(rows, None)
            except Exception as error:
                raise damaged(f"{type(error).__name__}: {error}", f"line {number}") from error
            if cells is None:
                return
            yield Line(number, self._cells(number, cells))

    def _cells(self, number: int, cells: tuple[Any, ...]) -> tuple[Raw, ...]:
        last = len(cells)
        while last and cells[last - 1] is None:
            last -= 1
        found = tuple(_raw(value) for value in cells[:last])
        if not self._shape.formulas:
            return found
        width = max(last, MAX_COLUMNS)
        empty = {index for index in range(width) if address(number, index) in self._shape.formulas}
        if not empty:
            return found
        padded = [*found, *[None] * (max(empty) + 1 - last)]
        return tuple(
            Unusable("a formula", is_formula=True) if index in empty else value
            for index, value in enumerate(padded)
        )


def _raw(value: Any) -> Raw:
    if type(value) is str:
        return Unusable(value) if value in _ERROR_VALUES else value
    if value is None or isinstance(value, Raw):
        return value
    return str(value)
