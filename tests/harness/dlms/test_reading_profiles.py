"""Profiles as rows, selections, and the association view as objects."""

import pytest

from emulator.codecs.dlms import axdr, selective
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import (
    NULL,
    CompactArray,
    Data,
    StructureType,
    Tag,
    octets,
    structure,
)
from emulator.codecs.dlms.selective import CaptureObject, EntrySelection, RangeSelection
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from harness.dlms import obis, reading, selection
from harness.dlms.clock import clock_data, clock_of
from harness.dlms.object_list import AttributeMode, MethodMode, objects_of
from harness.dlms.profile import Column, columns_of, fields_of, rows_of
from harness.dlms.reading import Refused
from harness.dlms.values import Quantity, Unit

NOON = UtcMs(1_767_614_400_000)  # 2026-01-05T12:00:00Z


WH = structure(Data(Tag.INT8, -1), Data(Tag.ENUM, 30))


CLOCK = CaptureObject(8, obis.parse("0-0:1.0.0"), 2)


IMPORT = CaptureObject(3, obis.parse("1-0:1.8.0"), 2)


STATUS = CaptureObject(1, obis.parse("0-0:96.10.1"), 2)


def u32(value: int) -> Data:
    return Data(Tag.UINT32, value)


def shape(*captures: CaptureObject) -> Data:
    return Data(Tag.ARRAY, tuple(selective.capture_object(one) for one in captures))


UNITS = {Descriptor(3, IMPORT.obis, 3): Unit(-1, 30)}


def test_a_profile_becomes_rows_with_times_and_units() -> None:
    columns = columns_of(shape(CLOCK, IMPORT, STATUS), UNITS)
    assert reading.units_of_columns(columns) == (Attribute(Descriptor(3, IMPORT.obis, 3)),)
    assert columns[1].name == "Active import, value (1-0:1.8.0.255)"
    line = structure(clock_data(NOON), u32(17), Data(Tag.UINT8, 4))
    rows = rows_of(Data(Tag.ARRAY, (line,)), columns)
    assert rows[0].at == NOON
    assert rows[0].cells[1:] == (Quantity(17, Unit(-1, 30)), Data(Tag.UINT8, 4))
    told = [(field.value, field.unit) for field in fields_of(rows[0], columns)]
    assert told == [("2026-01-05T12:00:00.000Z", ""), ("1.7", "Wh"), ("4", "")]


def test_null_cells_are_those_of_the_row_before_and_null_times_one_period_later() -> None:
    columns = columns_of(shape(CLOCK, IMPORT), UNITS)
    first = structure(clock_data(NOON), u32(17))
    again = structure(NULL, NULL)
    rows = rows_of(Data(Tag.ARRAY, (first, again, again)), columns, period_s=1800)
    assert [row.at for row in rows] == [NOON, NOON + 1_800_000, NOON + 3_600_000]
    assert {row.cells[1] for row in rows} == {Quantity(17, Unit(-1, 30))}
    unknown = rows_of(Data(Tag.ARRAY, (first, again)), columns)
    assert unknown[1].at is None
    (alone,) = rows_of(Data(Tag.ARRAY, (again,)), columns)
    assert (alone.at, alone.cells) == (None, (NULL, NULL))


def test_a_compact_array_is_a_buffer_too() -> None:
    columns = columns_of(shape(CLOCK, IMPORT), UNITS)
    line = structure(clock_data(NOON), u32(17))
    packed = CompactArray(StructureType((Tag.OCTETS, Tag.UINT32)), (line,))
    assert rows_of(Data(Tag.COMPACT_ARRAY, packed), columns) == rows_of(
        Data(Tag.ARRAY, (line,)), columns
    )


@pytest.mark.parametrize(
    "buffer",
    [
        u32(1),
        Data(Tag.ARRAY, (u32(1),)),
        Data(Tag.ARRAY, (structure(u32(1)),)),
        Data(Tag.ARRAY, (structure(octets(b"no time"), u32(1)),)),
    ],
)
def test_a_buffer_of_another_shape_is_refused(buffer: Data) -> None:
    columns = columns_of(shape(CLOCK, IMPORT), UNITS)
    with pytest.raises(MalformedFrameError):
        rows_of(buffer, columns)
    refused = reading.rows((buffer,), columns)
    assert isinstance(refused, Refused)
    assert "shape" in refused.why


def test_columns_of_other_classes_have_no_unit() -> None:
    for class_id, attribute, has in ((3, 2, True), (4, 2, True), (5, 3, True), (5, 6, False),
                                     (4, 5, False), (1, 2, False)):  # fmt: skip
        column = Column(CaptureObject(class_id, IMPORT.obis, attribute))
        assert (column.unit_attribute is not None) is has


def test_selections_say_rows_by_time_and_by_number() -> None:
    part = selection.between(NOON, UtcMs(NOON + 1000), (IMPORT,), -60)
    read = selective.read_selection(part)
    assert isinstance(read, RangeSelection)
    assert clock_of(read.first).at == NOON
    assert clock_of(read.last).at == NOON + 1000
    assert read.columns == (IMPORT,)
    assert read.restricting == CLOCK
    entries = selective.read_selection(selection.entries(3, 9, 1, 2))
    assert entries == EntrySelection(3, 9, 1, 2)
    assert selection.buffer("1-0:99.1.0", part).selection == part


def element(attributes: Data, methods: Data) -> Data:
    return structure(
        axdr.uint16(7),
        Data(Tag.UINT8, 1),
        octets(obis.parse("1-0:99.1.0")),
        structure(attributes, methods),
    )


def test_an_association_view_becomes_objects_with_rights() -> None:
    attributes = Data(
        Tag.ARRAY,
        tuple(
            structure(Data(Tag.INT8, index), Data(Tag.ENUM, mode), ways)
            for index, mode, ways in (
                (1, 1, NULL),
                (2, 3, Data(Tag.ARRAY, (Data(Tag.INT8, 1), Data(Tag.INT8, 2)))),
                (3, 0, NULL),
                (4, 5, NULL),
                (5, 77, NULL),
            )
        ),
    )
    methods = Data(
        Tag.ARRAY,
        tuple(
            structure(Data(Tag.INT8, index), mode)
            for index, mode in (
                (1, Data(Tag.ENUM, 1)),
                (2, Data(Tag.BOOLEAN, 0)),
                (3, Data(Tag.BOOLEAN, 255)),
                (4, Data(Tag.ENUM, 9)),
            )
        ),
    )
    (view,) = objects_of(Data(Tag.ARRAY, (element(attributes, methods),)))
    assert (view.class_id, view.version, view.logical_name) == (7, 1, "1-0:99.1.0.255")
    assert view.name == "Load profile"
    assert view.readable() == (1, 2)
    assert view.selectors == {2: (1, 2)}
    assert view.attributes[4] is AttributeMode.PROTECTED_WRITE
    assert view.attributes[5] == 77
    assert dict(view.methods) == {
        1: MethodMode.INVOKE,
        2: MethodMode.NONE,
        3: MethodMode.INVOKE,
        4: 9,
    }
    assert reading.objects((Data(Tag.ARRAY, ()),)) == ()


@pytest.mark.parametrize(
    ("mode", "reads", "writes"),
    [
        (AttributeMode.NONE, False, False),
        (AttributeMode.READ, True, False),
        (AttributeMode.WRITE, False, True),
        (AttributeMode.READ_WRITE, True, True),
        (AttributeMode.PROTECTED_READ, True, False),
        (AttributeMode.PROTECTED_WRITE, False, True),
        (AttributeMode.PROTECTED_READ_WRITE, True, True),
    ],
)
def test_every_mode_says_what_may_be_done(mode: AttributeMode, reads: bool, writes: bool) -> None:
    assert (mode.reads, mode.writes) == (reads, writes)


@pytest.mark.parametrize("data", [NULL, Data(Tag.ARRAY, (NULL,)), element(NULL, NULL)])
def test_what_is_no_object_list_is_refused(data: Data) -> None:
    with pytest.raises(MalformedFrameError):
        objects_of(data)
