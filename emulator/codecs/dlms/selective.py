"""Selective access to a profile: by range or by entry, and of some columns only."""

from dataclasses import dataclass
from typing import Final, NoReturn

from emulator.codecs.common import Reader
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.axdr import Data, Tag

RANGE: Final = 1
ENTRY: Final = 2
_LAYER: Final = "dlms.selective_access"


@dataclass(frozen=True, slots=True)
class CaptureObject:
    """One column of a profile.

    Attributes:
        class_id: Interface class, 16 bits.
        obis: Logical name, six octets.
        attribute: Attribute index, -128 to 127.
        data_index: Element of the attribute, 16 bits; 0 is the whole attribute.
    """

    class_id: int
    obis: bytes
    attribute: int
    data_index: int = 0


@dataclass(frozen=True, slots=True)
class RangeSelection:
    """Rows whose value in one column lies between two values, both included.

    Attributes:
        restricting: The column that is looked at.
        first: Least value.
        last: Greatest value, of the same type.
        columns: Columns to give; empty for all.
    """

    restricting: CaptureObject
    first: Data
    last: Data
    columns: tuple[CaptureObject, ...] = ()


@dataclass(frozen=True, slots=True)
class EntrySelection:
    """Rows and columns by their numbers, both counted from 1.

    Attributes:
        first_entry: First row, 32 bits.
        last_entry: Last row, 32 bits; 0 is the last there is.
        first_column: First column, 16 bits.
        last_column: Last column, 16 bits; 0 is the last there is.
    """

    first_entry: int
    last_entry: int = 0
    first_column: int = 1
    last_column: int = 0


def capture_object(column: CaptureObject) -> Data:
    """Return a capture object definition as DLMS data."""
    return axdr.structure(
        axdr.uint16(column.class_id),
        axdr.octets(column.obis),
        Data(Tag.INT8, column.attribute),
        axdr.uint16(column.data_index),
    )


def read_capture_object(data: Data) -> CaptureObject:
    """Read a capture object definition: class, logical name, attribute and data index.

    Raises:
        MalformedFrameError: Layer ``dlms.selective_access``; it is not such a structure.
    """
    items = _items(data, Tag.STRUCTURE)
    if [item.tag for item in items] != [Tag.UINT16, Tag.OCTETS, Tag.INT8, Tag.UINT16]:
        _refuse(data, "a capture object is long-unsigned, octet-string, integer, long-unsigned")
    class_id, obis, attribute, data_index = (item.value for item in items)
    if not isinstance(obis, bytes) or len(obis) != 6:
        _refuse(data, "a logical name has six octets")
    return CaptureObject(_integer(class_id), obis, _integer(attribute), _integer(data_index))


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no integer, though its tag says so")
    return value


def _items(data: Data, tag: Tag) -> tuple[Data, ...]:
    if data.tag is not tag or not isinstance(data.value, tuple):
        _refuse(data, f"{tag.name} is due, not {data.tag.name}")
    return data.value


def _refuse(data: Data, why: str) -> NoReturn:
    Reader(_LAYER, axdr.encode(data)).fail(why)


def read_selection(selection: Selection) -> RangeSelection | EntrySelection:
    """Read a selective-access descriptor of the class "profile generic".

    Raises:
        MalformedFrameError: Layer ``dlms.selective_access``; a selector other than 1 and 2, or
            parameters of another shape.

    Source:
        IEC 62056-6-2 Profile generic, range_descriptor and entry_descriptor (four elements each,
        reference serial-dlms.md section 4.2).
    """
    if selection.selector == RANGE:
        return _read_range(selection.parameters)
    if selection.selector == ENTRY:
        return _read_entry(selection.parameters)
    return _refuse(selection.parameters, f"selector {selection.selector} is neither 1 nor 2")


def _read_range(data: Data) -> RangeSelection:
    items = _items(data, Tag.STRUCTURE)
    if len(items) != 4:
        _refuse(data, "a range has four elements")
    restricting, first, last, columns = items
    if first.tag is not last.tag:
        _refuse(data, "a range begins and ends with values of one type")
    chosen = tuple([read_capture_object(column) for column in _items(columns, Tag.ARRAY)])
    return RangeSelection(read_capture_object(restricting), first, last, chosen)


def _read_entry(data: Data) -> EntrySelection:
    items = _items(data, Tag.STRUCTURE)
    if [item.tag for item in items] != [Tag.UINT32, Tag.UINT32, Tag.UINT16, Tag.UINT16]:
        _refuse(data, "an entry selection is two double-long-unsigned, two long-unsigned")
    return EntrySelection(*(_integer(item.value) for item in items))


def selection_of(choice: RangeSelection | EntrySelection) -> Selection:
    """Return the access selection that says ``choice``; widths are checked when it is encoded."""
    if isinstance(choice, EntrySelection):
        rows = [Data(Tag.UINT32, n) for n in (choice.first_entry, choice.last_entry)]
        columns = [axdr.uint16(n) for n in (choice.first_column, choice.last_column)]
        return Selection(ENTRY, axdr.structure(*rows, *columns))
    chosen = Data(Tag.ARRAY, tuple([capture_object(column) for column in choice.columns]))
    restricting = capture_object(choice.restricting)
    return Selection(RANGE, axdr.structure(restricting, choice.first, choice.last, chosen))
