"""What answers say: registers, clocks, profiles, views, images; and what is refused."""

import pytest

from emulator.codecs.dlms import axdr, date_time, selective
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, Descriptor
from emulator.codecs.dlms.axdr import (
    NULL,
    BitString,
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
from emulator.crypto.dlms_key_transfer import NewKey, read_transfer
from emulator.crypto.dlms_keys import KeyId
from harness.dlms import image, obis, reading, selection, values, words
from harness.dlms.clock import ClockStatus, clock_data, clock_of, offset_ms
from harness.dlms.image import ImageInfo, ImagePlan, TransferStatus
from harness.dlms.object_list import AttributeMode, MethodMode, objects_of
from harness.dlms.profile import Column, columns_of, fields_of, rows_of
from harness.dlms.reading import Refused
from harness.dlms.values import Quantity, Unit
from harness.meter import Silence, Unanswered
from tests.harness.dlms.scripted import KEYS

NOON = UtcMs(1_767_614_400_000)  # 2026-01-05T12:00:00Z
WH = structure(Data(Tag.INT8, -1), Data(Tag.ENUM, 30))
CLOCK = CaptureObject(8, obis.parse("0-0:1.0.0"), 2)
IMPORT = CaptureObject(3, obis.parse("1-0:1.8.0"), 2)
STATUS = CaptureObject(1, obis.parse("0-0:96.10.1"), 2)


def u32(value: int) -> Data:
    return Data(Tag.UINT32, value)


@pytest.mark.parametrize(
    ("text", "octets_of"),
    [
        ("1-0:1.8.0.255", "0100010800ff"),
        ("1-0:1.8.0", "0100010800ff"),
        ("1.8.0", "0000010800ff"),
        ("0-0:43.2.8.7", "00002b020807"),
        (" 0-1:96.1.0*255 ", "0001600100ff"),
    ],
)
def test_logical_names_as_people_write_them(text: str, octets_of: str) -> None:
    assert obis.parse(text).hex() == octets_of


@pytest.mark.parametrize(
    "text", ["", "1-0", "1-0:1.8", "1-0:1.8.256", "a-b:c.d.e.f", "1-0:1.8.0.2.3"]
)
def test_what_is_no_logical_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="logical name"):
        obis.parse(text)


@pytest.mark.parametrize(
    ("raw", "scaler", "decimal"),
    [
        (1234567, 0, "1234567"),
        (1234567, -1, "123456.7"),
        (5, -3, "0.005"),
        (-5, -3, "-0.005"),
        (0, -2, "0.00"),
        (-1234, -2, "-12.34"),
        (12, 3, "12000"),
        (18446744073709551615, -2, "184467440737095516.15"),
    ],
)
def test_quantities_are_exact_decimals(raw: int, scaler: int, decimal: str) -> None:
    assert Quantity(raw, Unit(scaler, 30)).decimal == decimal
    assert str(Quantity(raw, Unit(scaler, 30))) == f"{decimal} Wh"


def test_quantities_in_other_powers_of_ten_are_whole_or_refused() -> None:
    volts = Quantity(2345, Unit(-1, 35))
    assert volts.whole(-1) == 2345
    assert volts.whole(-3) == 234500
    with pytest.raises(ValueError, match="no whole number"):
        volts.whole()
    assert Quantity(-20, Unit(-1)).whole() == -2
    assert Quantity(7, Unit(2)).whole() == 700


def test_a_register_comes_with_its_unit_and_a_refusal_in_words() -> None:
    assert reading.register("1-0:1.8.0") == (
        Attribute(Descriptor(3, obis.parse("1-0:1.8.0"), 2)),
        Attribute(Descriptor(3, obis.parse("1-0:1.8.0"), 3)),
    )
    assert reading.quantity((u32(123), WH)) == Quantity(123, Unit(-1, 30))
    denied = reading.quantity((DataAccessResult.READ_WRITE_DENIED, WH))
    assert denied == Refused(
        "value 1: read-write-denied (3): this client may not do that",
        DataAccessResult.READ_WRITE_DENIED,
    )
    silence = Unanswered(Silence.LINK_LOST, "gone")
    lost = reading.quantity(silence)
    assert lost == Refused("link-lost: gone", unanswered=silence)
    wrong = reading.quantity((octets(b"x"), WH))
    assert isinstance(wrong, Refused)
    assert "an integer is due" in wrong.why
    few = reading.quantity((u32(1),))
    assert isinstance(few, Refused)


def test_several_registers_at_once() -> None:
    asked = reading.registers(reading.rate_registers(2))
    assert [item.descriptor.obis[4] for item in asked] == [1, 1, 2, 2]
    found = reading.quantities((u32(1), WH, u32(2), WH))
    assert found == (Quantity(1, Unit(-1, 30)), Quantity(2, Unit(-1, 30)))
    assert len(reading.rate_registers()) == 48


@pytest.mark.parametrize("number", [*sorted(values.UNITS), 200])
def test_every_unit_is_written(number: int) -> None:
    assert Unit(0, number).symbol or number == 255


def test_a_clock_tells_moment_deviation_and_status() -> None:
    summer = clock_of(clock_data(NOON, -60, 0x80))
    assert summer.at == NOON
    assert summer.parts.hour == 13
    assert summer.status is ClockStatus.DAYLIGHT_SAVING
    assert summer.is_trusted
    assert [field.value for field in summer.fields()] == [
        "2026-01-05T12:00:00.000Z",
        "-60",
        "daylight saving",
    ]
    assert offset_ms(summer, UtcMs(NOON - 1500)) == 1500


def test_a_clock_that_says_no_deviation_is_read_in_its_zone() -> None:
    parts = date_time.of_moment(NOON)
    bare = date_time.encode(
        date_time.DateTime(
            *(parts.year, parts.month, parts.day, parts.weekday),
            *(parts.hour, parts.minute, parts.second, None, None),
            status=0xFF,
        )
    )
    found = reading.moment((octets(bare), Data(Tag.INT16, -60)))
    assert isinstance(found, reading.ClockReading)
    assert found.at == NOON - 3_600_000
    assert found.status is None
    assert [field.value for field in found.fields()][1:] == ["not said", "not said"]


@pytest.mark.parametrize(
    ("status", "trusted", "text"),
    [
        (0x00, True, "good"),
        (0x01, False, "invalid"),
        (0x02, False, "doubtful"),
        (0x08, False, "invalid status"),
        (0x84, True, "other base, daylight saving"),
        (0x10, True, "reserved bits 10"),
    ],
)
def test_every_status_has_words(status: int, trusted: bool, text: str) -> None:
    found = clock_of(clock_data(NOON, 0, status))
    assert found.is_trusted is trusted
    assert found.fields()[2].value == text


def test_a_clock_that_names_no_moment_is_not_trusted() -> None:
    undefined = clock_of(octets(date_time.UNDEFINED))
    assert undefined.at is None
    assert not undefined.is_trusted
    assert offset_ms(undefined, NOON) is None
    assert undefined.fields()[0].value == "none"


@pytest.mark.parametrize("data", [u32(1), octets(b"12"), octets(bytes(13)), NULL])
def test_what_is_no_clock_is_malformed(data: Data) -> None:
    with pytest.raises(MalformedFrameError):
        clock_of(data)


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


@pytest.mark.parametrize(
    ("size", "block", "count"), [(1, 64, 1), (64, 64, 1), (65, 64, 2), (1000, 200, 5)]
)
def test_an_image_is_cut_into_blocks_and_only_the_last_is_short(
    size: int, block: int, count: int
) -> None:
    content = bytes(n % 256 for n in range(size))
    plan = ImagePlan(b"id", content, block)
    assert plan.count == count
    pieces = []
    for number, call in enumerate(plan.blocks()):
        sent_number, piece = values.items_of(call.parameters, Tag.STRUCTURE, 2)
        assert sent_number.value == number
        assert call.method == Descriptor(18, obis.parse("0-0:44.0.0"), 2)
        pieces.append(values.octets_of(piece))
    assert b"".join(pieces) == content
    assert {len(piece) for piece in pieces[:-1]} <= {block}
    assert plan.initiate().parameters == structure(octets(b"id"), u32(size))
    assert [plan.verify().method.index, plan.activate().method.index] == [3, 4]
    assert len(list(plan.blocks(count - 1))) == 1
    assert content.hex() not in repr(plan)
    with pytest.raises(IndexError):
        plan.block(count)


def test_plans_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one octet"):
        ImagePlan(b"", b"", 64)
    for block in (0, 65536):
        with pytest.raises(ValueError, match="a block has"):
            ImagePlan(b"", b"x", block)


def test_a_transfer_tells_status_and_images() -> None:
    assert image.status_of(Data(Tag.ENUM, 3)) is TransferStatus.VERIFIED
    assert image.status_of(Data(Tag.ENUM, 99)) == 99
    info = structure(u32(10), octets(b"id"), octets(b""))
    assert image.images_of(Data(Tag.ARRAY, (info,))) == (ImageInfo(10, b"id", b""),)
    assert image.attribute(2) == obis.attribute(18, "0-0:44.0.0", 2)


def test_a_key_transfer_says_what_the_meter_can_unwrap() -> None:
    new = {KeyId.UNICAST: bytes([1]) * 16, KeyId.AUTHENTICATION: bytes([2]) * 16}
    call = reading.key_transfer(KEYS.master, new)
    assert call.method == obis.KEY_TRANSFER
    assert read_transfer(KEYS.master, call.parameters) == tuple(
        NewKey(key_id, key) for key_id, key in new.items()
    )
    held = reading.with_keys(KEYS, new)
    assert (held.unicast, held.authentication, held.master) == (*new.values(), KEYS.master)
    with pytest.raises(ValueError, match="16 octets"):
        reading.key_transfer(KEYS.master, {KeyId.UNICAST: b"short"})


def test_an_answer_as_fields_names_everything_and_refuses_nothing() -> None:
    asked = (*reading.register("1-0:1.8.0"), obis.SERIAL_NUMBER, obis.CLOCK_TIME)
    answer = (u32(17), WH, DataAccessResult.OBJECT_UNDEFINED, octets(b"not a clock"))
    told = reading.fields(asked, answer)
    assert [field.name.split(",")[0] for field in told] == [
        "Active import",
        "Active import",
        "Serial number",
        "Clock",
    ]
    assert (told[0].value, told[0].unit) == ("1.7", "Wh")
    assert told[2].value == "object-undefined (4): it has no such object"
    (silence,) = reading.fields(asked, Unanswered(Silence.NO_ANSWER, "nothing came"))
    assert silence.value == "no-answer: nothing came"
    odd = reading.fields(asked[:2], (u32(17), NULL))
    assert (odd[0].value, odd[0].unit) == ("17", "")


def test_texts_and_numbers() -> None:
    assert reading.texts((octets(b"abc"), octets(b"\x00\xff"), Data(Tag.VISIBLE, b"v"))) == (
        "abc",
        "00ff",
        "v",
    )
    assert reading.number((Data(Tag.INT8, -3),)) == -3
    assert isinstance(reading.number((Data(Tag.BOOLEAN, 1),)), Refused)
    assert values.flag_of(Data(Tag.BOOLEAN, 255))
    assert values.bits_of(Data(Tag.BIT_STRING, BitString(3, b"\xa0"))) == (True, False, True)
    for read in (values.flag_of, values.bits_of, values.text_of, values.enumerated_of):
        with pytest.raises(MalformedFrameError):
            read(u32(1))


@pytest.mark.parametrize("result", list(DataAccessResult))
def test_every_result_has_words(result: DataAccessResult) -> None:
    assert f"({int(result)})" in words.of_result(result)
