"""What answers say: registers, clocks, profiles, views, images; and what is refused."""

import pytest

from emulator.codecs.dlms import date_time
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, Descriptor
from emulator.codecs.dlms.axdr import (
    NULL,
    BitString,
    Data,
    Tag,
    octets,
    structure,
)
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.crypto.dlms_key_transfer import NewKey, read_transfer
from emulator.crypto.dlms_keys import KeyId
from harness.dlms import image, obis, reading, values, words
from harness.dlms.clock import ClockStatus, clock_data, clock_of, offset_ms
from harness.dlms.image import ImageInfo, ImagePlan, TransferStatus
from harness.dlms.reading import Refused
from harness.dlms.values import Quantity, Unit
from harness.meter import Silence, Unanswered
from tests.harness.dlms.scripted import KEYS

NOON = UtcMs(1_767_614_400_000)  # 2026-01-05T12:00:00Z
WH = structure(Data(Tag.INT8, -1), Data(Tag.ENUM, 30))


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
