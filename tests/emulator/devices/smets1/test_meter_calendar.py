"""Calendar and special days: passive and active, at once or at a time, and what means nothing."""

from datetime import date
from typing import Any

import pytest

from emulator.codecs.dlms import axdr, date_time
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.devices.smets1.calendar import MAX_SPECIAL_DAYS
from emulator.devices.smets1.esme import Smets1Esme
from emulator.devices.smets1.logs import EventCode
from emulator.devices.smets1.object_model import CosemObject
from tests.emulator.devices.smets1.meter_kit import (
    DAY_MS,
    HOUR_MS,
    at,
    invoke,
    made,
    manager,
    member,
    meter,
    pass_time,
    plain,
    read,
    stamp,
)
from tests.emulator.devices.smets1.server_kit import NOW

CALENDAR, SPECIAL = "0-0:13.0.0.255", "0-0:11.0.0.255"
ACTIVATE, TIME = member(20, CALENDAR, 1), member(20, CALENDAR, 10)
ENTRIES, INSERT, DELETE = (member(11, SPECIAL, index) for index in (2, 1, 2))
RATE = member(1, "0-0:96.14.0.255", 2)
SCRIPTS = bytes((0, 0, 10, 0, 100, 255))
R, D = ActionResult, DataAccessResult


def day(number: int, *parts: tuple[int, int], script: bytes = SCRIPTS) -> Data:
    schedule = tuple(
        axdr.structure(axdr.octets(bytes((hour, 0, 0, 0))), axdr.octets(script), axdr.uint16(rate))
        for hour, rate in parts
    )
    return axdr.structure(Data(Tag.UINT8, number), Data(Tag.ARRAY, schedule))


def week(name: bytes, *days: int) -> Data:
    return axdr.structure(axdr.octets(name), *(Data(Tag.UINT8, each) for each in days))


def season(name: bytes, month: int, week_name: bytes) -> Data:
    start = b"\xff\xff" + bytes((month, 1, 0xFF, 0, 0, 0, 0)) + b"\x80\0\xff"
    return axdr.structure(axdr.octets(name), axdr.octets(start), axdr.octets(week_name))


def array(*items: Data) -> Data:
    return Data(Tag.ARRAY, items)


#: A calendar of one rate from midnight, another from noon, and a third in winter.
PARTS = {
    6: axdr.octets(b"spring"),
    7: array(season(b"s", 3, b"day"), season(b"w", 11, b"dark")),
    8: array(week(b"day", *[5] * 7), week(b"dark", *[6] * 7)),
    9: array(day(5, (0, 1), (12, 7)), day(6, (0, 48))),
}


def write(device: Smets1Esme, index: int, value: Data, obis: str = CALENDAR) -> DataAccessResult:
    where = member(20 if obis == CALENDAR else 11, obis, index)
    item = device.tree.find(where.class_id, where.obis)
    assert isinstance(item, CosemObject)
    return item.write(index, value, at(device))


def with_passive(**changes: Any) -> Smets1Esme:
    device = meter()
    for index, value in {**PARTS, **{int(key[1:]): data for key, data in changes.items()}}.items():
        assert write(device, index, value) is D.SUCCESS
    return device


def noon(day_text: str) -> UtcMs:
    days = (date.fromisoformat(day_text) - date(1970, 1, 1)).days
    return UtcMs(days * DAY_MS + 12 * HOUR_MS)


def test_the_factory_s_calendar_divides_day_and_weekend() -> None:
    device = meter()
    friday = [read(device, RATE, UtcMs(NOW - DAY_MS + hour * HOUR_MS)) for hour in (-8, 0, 5, 8)]
    assert friday == [1, 2, 3, 2]
    assert [read(device, RATE, UtcMs(NOW + hour * HOUR_MS)) for hour in (-5, 0, 11)] == [1, 4, 4]
    scripts = read(device, member(9, "0-0:10.0.100.255", 2))
    assert [plain(script)[0] for script in scripts] == [1, 2, 3, 4]


def test_a_passive_calendar_waits_until_it_is_activated() -> None:
    device = with_passive()
    assert read(device, RATE) == 4
    assert read(device, member(20, CALENDAR, 2)) == b"factory"
    assert invoke(device, ACTIVATE, NULL) is R.SUCCESS
    assert [read(device, member(20, CALENDAR, n)) for n in range(2, 6)] == [
        data.value for data in PARTS.values()
    ]
    assert (read(device, RATE), read(device, RATE, UtcMs(NOW + 12 * HOUR_MS))) == (7, 1)
    assert read(device, RATE, noon("2024-10-31")) == 7
    assert read(device, RATE, noon("2024-11-01")) == read(device, RATE, noon("2025-02-28")) == 48
    assert device.logs["events"].last(NOW) == EventCode.CALENDAR_ACTIVATED


def test_the_past_keeps_its_rates_and_all_of_them_add_up() -> None:
    device = with_passive()
    before = device.rates.split_wh(NOW)
    assert invoke(device, ACTIVATE, NULL) is R.SUCCESS
    assert device.rates.split_wh(NOW) == before
    later = UtcMs(NOW + 10 * DAY_MS)
    assert sum(device.rates.split_wh(later).values()) == read(
        device, member(3, "1-0:1.8.0.255", 2), later
    )
    assert device.rates.split_wh(later)[7] > 0


WRONG = {
    "a week that no season finds": {"a8": array(week(b"other", *[5] * 7))},
    "a day that no week finds": {"a9": array(day(1, (0, 1)))},
    "a day that begins at noon": {"a9": array(day(5, (12, 1)), day(6, (0, 1)))},
    "a rate that is not there": {"a9": array(day(5, (0, 49)), day(6, (0, 1)))},
    "a day without a part": {"a9": array(day(5), day(6, (0, 1)))},
    "no season": {"a7": array()},
    "no week": {"a8": array()},
    "a season that begins with noise": {
        "a7": array(axdr.structure(axdr.octets(b"s"), axdr.octets(b"noise"), axdr.octets(b"day")))
    },
}


@pytest.mark.parametrize("name", list(WRONG))
def test_a_calendar_that_means_nothing_is_not_activated(name: str) -> None:
    device = with_passive(**WRONG[name])
    table = device.rates.table
    assert invoke(device, ACTIVATE, NULL) is R.OTHER_REASON
    assert device.rates.table == table
    assert read(device, member(20, CALENDAR, 2)) == b"factory"


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (6, array()),
        (7, array(axdr.octets(b"s"))),
        (7, axdr.octets(b"")),
        (8, array(week(b"w", 1, 2))),
        (9, array(axdr.structure(Data(Tag.UINT16, 1), array()))),
        (9, array(day(1, (0, 1), script=bytes(6)))),
        (9, array(day(1, (24, 1)))),
    ],
)
def test_a_part_of_another_shape_is_not_written(index: int, value: Data) -> None:
    device = meter()
    before = device.calendar.dump()
    assert write(device, index, value) is D.TYPE_UNMATCHED
    assert device.calendar.dump() == before


def test_a_calendar_comes_into_force_by_the_meter_s_clock() -> None:
    device = with_passive()
    person = manager(device)
    assert person.put(TIME, stamp(NOW + 2 * HOUR_MS)) is D.SUCCESS
    person.wait(HOUR_MS)
    assert device.calendar.active["name"].value == b"factory"
    assert person.put(member(8, "0-0:1.0.0.255", 2), stamp(NOW)) is D.SUCCESS  # an hour back
    person.wait(HOUR_MS + 1000)
    assert device.calendar.active["name"].value == b"factory"
    person.wait(HOUR_MS)
    assert device.calendar.active["name"].value == b"spring"
    assert person.value(TIME) == date_time.UNDEFINED
    assert not device.timers


def test_a_time_is_taken_back_and_one_that_is_past_is_now() -> None:
    device = with_passive()
    person = manager(device)
    assert person.put(TIME, stamp(NOW + HOUR_MS)) is D.SUCCESS
    assert person.value(TIME) == stamp(NOW + HOUR_MS).value
    assert person.put(TIME, axdr.octets(date_time.UNDEFINED)) is D.SUCCESS
    assert not device.timers
    impossible = axdr.octets(bytes.fromhex("07e80d01060c000000000000"))
    assert person.put(TIME, impossible) is D.SCOPE_OF_ACCESS_VIOLATED
    assert person.put(TIME, stamp(NOW - HOUR_MS)) is D.SUCCESS
    assert device.calendar.active["name"].value == b"spring"


def test_a_waiting_calendar_outlives_a_power_loss() -> None:
    device = with_passive()
    assert manager(device).put(TIME, stamp(NOW + HOUR_MS)) is D.SUCCESS
    device.handle(DeviceEvent.POWER_OFF, None, UtcMs(NOW + 1000))
    device.handle(DeviceEvent.POWER_ON, None, UtcMs(NOW + 5 * HOUR_MS))
    pass_time(device, UtcMs(NOW + 5 * HOUR_MS))
    assert device.calendar.active["name"].value == b"spring"


# -- special days ----------------------------------------------------------------------------------


def special(number: int, day_text: str, day_id: int) -> Data:
    when = bytes.fromhex(day_text) + b"\xff"
    return axdr.structure(axdr.uint16(number), axdr.octets(when), Data(Tag.UINT8, day_id))


THIS_YEAR, EVERY_YEAR = special(1, "07e80603", 2), special(2, "ffff0604", 2)


def test_special_days_have_schedules_of_their_own() -> None:
    device = meter()
    monday, tuesday = noon("2024-06-03"), noon("2024-06-04")
    assert read(device, RATE, monday) == 2
    assert invoke(device, INSERT, THIS_YEAR) is R.SUCCESS
    assert invoke(device, INSERT, EVERY_YEAR) is R.SUCCESS
    assert read(device, ENTRIES) == (THIS_YEAR, EVERY_YEAR)
    assert (read(device, RATE, monday), read(device, RATE, tuesday)) == (4, 4)
    assert read(device, RATE, noon("2025-06-03")) == 2
    assert read(device, RATE, noon("2025-06-04")) == 4
    assert invoke(device, DELETE, axdr.uint16(1)) is R.SUCCESS
    assert read(device, RATE, monday) == 2
    assert invoke(device, DELETE, axdr.uint16(1)) is R.SCOPE_OF_ACCESS_VIOLATED


def test_the_whole_table_is_written_at_once() -> None:
    device = meter()
    assert write(device, 2, array(THIS_YEAR, EVERY_YEAR), SPECIAL) is D.SUCCESS
    assert len(read(device, ENTRIES)) == 2
    other = made()
    other.load(device.dump())
    assert read(other, ENTRIES) == read(device, ENTRIES)
    assert write(device, 2, array(), SPECIAL) is D.SUCCESS
    assert read(device, ENTRIES) == ()


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (array(special(1, "07e80603", 9)), D.SCOPE_OF_ACCESS_VIOLATED),
        (array(special(1, "07e8ff03", 2)), D.SCOPE_OF_ACCESS_VIOLATED),
        (array(*(special(n, "07e80603", 2) for n in range(MAX_SPECIAL_DAYS + 1))),
         D.SCOPE_OF_ACCESS_VIOLATED),
        (array(THIS_YEAR, THIS_YEAR), D.TYPE_UNMATCHED),
        (array(NULL), D.TYPE_UNMATCHED),
    ],
)  # fmt: skip
def test_special_days_that_mean_nothing_are_refused(value: Data, result: DataAccessResult) -> None:
    device = meter()
    before = device.dump()
    assert write(device, 2, value, SPECIAL) is result
    assert device.dump() == before


@pytest.mark.parametrize("data", [None, NULL, axdr.structure(NULL, NULL, NULL)])
def test_a_special_day_of_another_shape_is_not_inserted(data: Data | None) -> None:
    assert invoke(meter(), INSERT, data) is R.TYPE_UNMATCHED
    assert invoke(meter(), DELETE, data) is R.TYPE_UNMATCHED
