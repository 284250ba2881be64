"""Rows of a profile: a buffer and its columns to values with names, times and units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import selective
from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import CompactArray, Data, Tag
from emulator.codecs.dlms.selective import CaptureObject
from emulator.core.clock import UtcMs
from harness.dlms.clock import ClockReading, clock_of
from harness.dlms.values import NamedField, Quantity, Unit, items_of, refuse
from harness.dlms_view import names
from harness.dlms_view import values as view

_CLOCK_CLASS: Final = 8
#: Class -> attribute that holds its scaler and unit.
_UNIT_ATTRIBUTE: Final = {3: 3, 4: 3, 5: 4}
#: Class -> attributes that are counted in that unit.
_COUNTED: Final = {3: {2}, 4: {2}, 5: {2, 3}}

#: A cell: a quantity, a time, or whatever else the meter put there.
Cell = Quantity | ClockReading | Data


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a profile.

    Attributes:
        capture: What is captured.
        unit: Scaler and unit of a register; None where it has none, or is not known.
    """

    capture: CaptureObject
    unit: Unit | None = None

    @property
    def name(self) -> str:
        """What people call it, with its logical name."""
        one = self.capture
        target = Descriptor(one.class_id, one.obis, one.attribute)
        told = names.object_name(one.class_id, one.obis)
        member = names.member_name(target)
        part = f"[{one.data_index}]" if one.data_index else ""
        return f"{told}, {member}{part} ({print_obis(one.obis)})"

    @property
    def unit_attribute(self) -> Attribute | None:
        """Attribute that holds its scaler and unit; None where there is none."""
        index = _UNIT_ATTRIBUTE.get(self.capture.class_id)
        if index is None or self.capture.attribute not in _COUNTED[self.capture.class_id]:
            return None
        return Attribute(Descriptor(self.capture.class_id, self.capture.obis, index))

    @property
    def is_time(self) -> bool:
        """Whether it tells the time of a row."""
        return self.capture.class_id == _CLOCK_CLASS and self.capture.attribute == 2


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        at: When it was captured; None where no column tells a moment.
        cells: One for each column.
    """

    at: UtcMs | None
    cells: tuple[Cell, ...]


def columns_of(data: Data, units: Mapping[Descriptor, Unit] | None = None) -> tuple[Column, ...]:
    """Read the capture objects of a profile (attribute 3).

    Args:
        data: The attribute's value.
        units: Scaler and unit by the attribute that holds them (``Column.unit_attribute``).

    Raises:
        MalformedFrameError: It is not a list of capture objects.
    """
    known = units or {}
    columns = []
    for item in items_of(data, Tag.ARRAY):
        bare = Column(selective.read_capture_object(item))
        holder = bare.unit_attribute
        unit = None if holder is None else known.get(holder.descriptor)
        columns.append(Column(bare.capture, unit))
    return tuple(columns)


def rows_of(
    data: Data, columns: Sequence[Column], *, period_s: int = 0, zone_min: int = 0
) -> tuple[Row, ...]:
    """Read a profile's buffer, or the part of it that was selected.

    A null cell says "as in the row before"; a null time says "one period later".

    Args:
        data: Value of attribute 2: an array of structures, or a compact array.
        columns: The columns that were asked for, in order.
        period_s: Capture period in seconds, for null times.
        zone_min: Deviation of times that say none.

    Raises:
        MalformedFrameError: It is no buffer, or a row has not as many cells as columns.

    Source:
        Null cells: IEC 62056-6-2 Profile generic, compression by null-data (known).
    """
    rows: list[Row] = []
    for line in _lines(data):
        cells = items_of(line, Tag.STRUCTURE)
        if len(cells) != len(columns):
            refuse(line, f"{len(cells)} cells in a row of {len(columns)} columns")
        before = rows[-1] if rows else None
        at = None if before is None or before.at is None or not period_s else before.at
        later = None if at is None else UtcMs(at + period_s * 1000)
        values = tuple(
            _cell(cell, column, None if before is None else before.cells[number], later, zone_min)
            for number, (cell, column) in enumerate(zip(cells, columns, strict=True))
        )
        rows.append(Row(_time_of(values, columns), values))
    return tuple(rows)


def _lines(data: Data) -> tuple[Data, ...]:
    if isinstance(data.value, CompactArray):
        return data.value.rows
    return items_of(data, Tag.ARRAY)


def _cell(
    cell: Data, column: Column, before: Cell | None, later: UtcMs | None, zone_min: int
) -> Cell:
    if cell.tag is Tag.NULL and before is not None:
        if isinstance(before, ClockReading) and column.is_time:
            return ClockReading(before.parts, later)
        return before
    if column.is_time and cell.tag in {Tag.OCTETS, Tag.DATE_TIME}:
        return clock_of(cell, zone_min)
    if column.unit is not None and isinstance(cell.value, int):
        return Quantity(cell.value, column.unit)
    return cell


def _time_of(cells: tuple[Cell, ...], columns: Sequence[Column]) -> UtcMs | None:
    for cell, column in zip(cells, columns, strict=True):
        if column.is_time and isinstance(cell, ClockReading):
            return cell.at
    return None


def fields_of(row: Row, columns: Sequence[Column]) -> tuple[NamedField, ...]:
    """Return a row's cells under their columns' names, with units."""
    told = []
    for cell, column in zip(row.cells, columns, strict=True):
        if isinstance(cell, Quantity):
            told.append(NamedField(column.name, cell.decimal, cell.unit.symbol))
        elif isinstance(cell, ClockReading):
            told.append(NamedField(column.name, cell.fields()[0].value))
        else:
            told.append(NamedField(column.name, view.text_of(cell)))
    return tuple(told)
