"""Profiles: full, by range, by entry and by column; captures under a clock that is set."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import axdr, date_time, selective
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.codecs.dlms.selective import CaptureObject, EntrySelection, RangeSelection
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.devices.consumption import HALF_HOUR_MS, Kind
from emulator.devices.saved import Saved
from emulator.devices.smets1.captures import Capture, Captures, Every, Monthly
from emulator.devices.smets1.esme import Smets1Esme
from emulator.devices.smets1.object_model import CosemObject
from tests.emulator.devices.smets1.meter_kit import (
    CLOCK_COLUMN,
    DAY_MS,
    HOUR_MS,
    IMPORT,
    at,
    changed,
    invoke,
    made,
    manager,
    member,
    meter,
    moment_of,
    plain,
    read,
    stamp,
)
from tests.emulator.devices.smets1.server_kit import NOW
from tests.sampling import examples

LOAD = member(7, "1-0:99.1.0.255", 2)
BILLING = member(7, "1-0:98.1.0.255", 2)
EVENTS = member(7, "0-0:99.98.0.255", 2)
CLOCK = member(8, "0-0:1.0.0.255", 2)
EXPORT = CaptureObject(3, bytes((1, 0, 2, 8, 0, 255)), 2)
SMALL = changed("smets1", profile_entries=20)
OUT_OF_SCOPE = DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
QUICK = settings(max_examples=examples(30), deadline=None)


def select(
    device: Smets1Esme, choice: RangeSelection | EntrySelection | Selection | None, now: int = NOW
) -> Any:
    """The load profile's rows, or why not."""
    item = device.tree.find(7, LOAD.obis)
    assert isinstance(item, CosemObject)
    selection = choice if isinstance(choice, Selection | None) else selective.selection_of(choice)
    found = item.read(2, selection, at(device, UtcMs(now)))
    return found if isinstance(found, DataAccessResult) else found.value


def times(rows: Any) -> list[int]:
    return [moment_of(row.value[0]) for row in rows]


def by_time(first: Data, last: Data, *columns: CaptureObject) -> RangeSelection:
    return RangeSelection(CLOCK_COLUMN, first, last, columns)


# -- the whole buffer ----------------------------------------------------------------------------


def test_the_load_profile_ends_now_and_has_no_gap() -> None:
    rows = select(meter(SMALL), None)
    assert times(rows) == [NOW - step * HALF_HOUR_MS for step in range(19, -1, -1)]


def test_a_row_holds_what_the_registers_held_then() -> None:
    device = meter(SMALL)
    for row in select(device, None):
        then = UtcMs(moment_of(row.value[0]))
        held = [device.consumption.energy_wh(kind, then) for kind in
                (Kind.IMPORT, Kind.EXPORT, Kind.REACTIVE_IMPORT)]  # fmt: skip
        assert [cell.value for cell in row.value[1:]] == held


@given(later=st.integers(0, 3 * DAY_MS))
@QUICK
def test_profile_and_register_agree_at_any_instant(later: int) -> None:
    device = meter(SMALL)
    now = UtcMs(NOW + later)
    rows = select(device, None, now)
    register = read(device, member(3, "1-0:1.8.0.255", 2), now)
    last = moment_of(rows[-1].value[0])
    assert 0 <= now - last < HALF_HOUR_MS
    since = device.consumption.half_hours_wh(Kind.IMPORT, UtcMs(last), now)
    assert rows[-1].value[1].value + sum(since) == register


def test_the_billing_profile_has_a_row_each_month() -> None:
    device = meter()
    item = device.tree.find(7, BILLING.obis)
    assert isinstance(item, CosemObject)
    found = item.read(2, None, at(device))
    assert isinstance(found, Data)
    rows = plain(found)
    assert len(rows) == 13
    stamps = [date_time.decode(row[0]) for row in rows]
    assert {(value.day, value.hour, value.minute) for value in stamps} == {(1, 0, 0)}
    assert [value.month for value in stamps] == [6, 7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6]
    for _, total, *rates, _ in rows:
        assert sum(rates) == total


def test_attributes_tell_of_the_buffer() -> None:
    device = meter(SMALL)
    values = [read(device, member(7, "1-0:99.1.0.255", index)) for index in range(3, 9)]
    columns, period, sort, sort_object, in_use, entries = values
    assert [selective.read_capture_object(column) for column in columns][:2] == [
        CLOCK_COLUMN, IMPORT,
    ]  # fmt: skip
    assert (period, sort, in_use, entries) == (1800, 1, 20, 20)
    assert sort_object[0].value == 0
    assert read(device, member(7, "0-0:99.98.0.255", 4)) == 0
    assert read(device, member(7, "0-0:99.98.0.255", 7)) == 1


# -- selective access ----------------------------------------------------------------------------


def test_a_range_holds_both_its_ends() -> None:
    rows = select(meter(SMALL), by_time(stamp(NOW - 2 * HOUR_MS), stamp(NOW - HOUR_MS)))
    assert times(rows) == [NOW - step * HALF_HOUR_MS for step in (4, 3, 2)]


def test_an_open_end_is_an_undefined_time_or_nothing() -> None:
    device, undefined = meter(SMALL), axdr.octets(date_time.UNDEFINED)
    assert len(select(device, by_time(stamp(NOW - HOUR_MS), undefined))) == 3
    assert len(select(device, by_time(undefined, stamp(NOW - HOUR_MS)))) == 18
    assert len(select(device, by_time(undefined, undefined))) == 20
    assert len(select(device, by_time(NULL, NULL))) == 20


def test_a_range_in_local_time_means_the_same() -> None:
    local = axdr.octets(date_time.encode(date_time.of_moment(UtcMs(NOW - HOUR_MS), -60)))
    assert len(select(meter(SMALL), by_time(local, axdr.octets(date_time.UNDEFINED)))) == 3


def test_a_range_of_no_row_is_empty() -> None:
    assert select(meter(SMALL), by_time(stamp(NOW + 1000), stamp(NOW + DAY_MS))) == ()


def test_a_range_may_look_at_another_column() -> None:
    device = meter(SMALL)
    readings = [row.value[1] for row in select(device, None)]
    rows = select(device, RangeSelection(IMPORT, readings[5], readings[8]))
    between = range(readings[5].value, readings[8].value + 1)
    assert [row.value[1] for row in rows] == [each for each in readings if each.value in between]


def test_columns_come_in_the_order_of_the_profile() -> None:
    device = meter(SMALL)
    rows = select(device, by_time(NULL, NULL, EXPORT, CLOCK_COLUMN))
    assert [len(row.value) for row in rows] == [2] * 20
    assert [row.value[1] for row in rows] == [row.value[2] for row in select(device, None)]


@pytest.mark.parametrize(
    ("choice", "first", "count", "columns"),
    [
        (EntrySelection(1), 1, 20, 4),
        (EntrySelection(1, 1), 1, 1, 4),
        (EntrySelection(5, 7), 5, 3, 4),
        (EntrySelection(20, 0), 20, 1, 4),
        (EntrySelection(18, 99), 18, 3, 4),
        (EntrySelection(1, 2, 2, 3), 1, 2, 2),
        (EntrySelection(1, 2, 4, 0), 1, 2, 1),
    ],
)
def test_entries_count_from_the_oldest(
    choice: EntrySelection, first: int, count: int, columns: int
) -> None:
    device = meter(SMALL)
    rows = select(device, choice)
    begin = choice.first_column - 1
    whole = select(device, None)[first - 1 : first - 1 + count]
    assert [row.value for row in rows] == [row.value[begin : begin + columns] for row in whole]


@pytest.mark.parametrize(
    ("choice", "result"),
    [
        (EntrySelection(0), DataAccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (EntrySelection(3, 2), DataAccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (EntrySelection(1, 0, 0), DataAccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (EntrySelection(1, 0, 5), DataAccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (EntrySelection(1, 0, 3, 2), DataAccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (Selection(3, NULL), DataAccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (Selection(1, NULL), DataAccessResult.TYPE_UNMATCHED),
        (Selection(2, axdr.structure()), DataAccessResult.TYPE_UNMATCHED),
        (by_time(axdr.octets(b"noon"), axdr.octets(b"noon")), DataAccessResult.TYPE_UNMATCHED),
        (by_time(Data(Tag.UINT32, 1), Data(Tag.UINT32, 2)), DataAccessResult.TYPE_UNMATCHED),
        (
            RangeSelection(IMPORT, axdr.octets(b""), axdr.octets(b"")),
            DataAccessResult.TYPE_UNMATCHED,
        ),
        (
            by_time(stamp(NOW), axdr.octets(bytes.fromhex("07e8ffff06ffffffff800000"))),
            DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
        ),
        (
            RangeSelection(CaptureObject(3, bytes(6), 2), NULL, NULL),
            DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
        ),
        (
            by_time(NULL, NULL, CLOCK_COLUMN, CaptureObject(3, bytes(6), 2)),
            DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
        ),
    ],
)
def test_a_selection_of_what_is_not_there_has_its_result(
    choice: RangeSelection | EntrySelection | Selection, result: DataAccessResult
) -> None:
    assert select(meter(SMALL), choice) is result


def test_the_server_selects_too() -> None:
    person = manager(meter(SMALL))
    range_ = selective.selection_of(by_time(stamp(NOW - HOUR_MS), stamp(NOW)))
    found = person.get(LOAD, range_)
    assert len(found.value) == 3


def test_reset_empties_and_capture_adds_a_row() -> None:
    device = meter(SMALL)
    assert invoke(device, member(7, "1-0:99.1.0.255", 1)) is ActionResult.SUCCESS
    assert select(device, None) == ()
    later = UtcMs(NOW + 10_000)
    assert invoke(device, member(7, "1-0:99.1.0.255", 2), None, later) is ActionResult.SUCCESS
    assert times(select(device, None, later)) == [later]
    assert times(select(device, None, NOW + HOUR_MS)) == [
        later, NOW + HALF_HOUR_MS, NOW + HOUR_MS,
    ]  # fmt: skip
    assert device.logs["events"].last(later) == 10
    assert invoke(device, member(7, "0-0:99.98.0.255", 1)) is ActionResult.SUCCESS
    assert read(device, member(7, "0-0:99.98.0.255", 7)) == 1  # that it was emptied


# -- the clock -----------------------------------------------------------------------------------


def test_the_clock_shows_local_time_and_drifts() -> None:
    device = meter("smets1-quirks")  # 80 ppm fast
    day = read(device, CLOCK, UtcMs(NOW + DAY_MS))
    assert date_time.decode(day).moment() == NOW + DAY_MS + DAY_MS * 80 // 1_000_000 // 10 * 10
    person = manager(device)
    assert (
        person.put(member(8, "0-0:1.0.0.255", 3), Data(Tag.INT16, -60)) is DataAccessResult.SUCCESS
    )
    shown = date_time.decode(person.value(CLOCK))
    assert (shown.hour, shown.deviation_min) == (13, -60)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (stamp(NOW + 90_000), DataAccessResult.SUCCESS),
        (axdr.octets(date_time.UNDEFINED), OUT_OF_SCOPE),
        (axdr.octets(bytes.fromhex("07e80d01060c000000000000")), OUT_OF_SCOPE),
        (axdr.octets(bytes.fromhex("006401010600000000000000")), OUT_OF_SCOPE),
        (axdr.octets(bytes.fromhex("07e80101060c00000002d100")), OUT_OF_SCOPE),
        (axdr.octets(b"noon"), DataAccessResult.TYPE_UNMATCHED),
        (Data(Tag.UINT32, 1), DataAccessResult.TYPE_UNMATCHED),
    ],
)  # fmt: skip
def test_setting_the_clock_takes_a_moment_and_nothing_else(
    value: Data, result: DataAccessResult
) -> None:
    device = meter()
    person = manager(device)
    assert person.put(CLOCK, value) is result
    ahead = 90_000 if result is DataAccessResult.SUCCESS else 0
    assert device.clock.shows(NOW) == NOW + ahead
    assert (4 in {row.code for row in device.logs["events"].rows}) == bool(ahead)


def test_zones_beyond_half_a_day_are_refused() -> None:
    person = manager(meter())
    zone = member(8, "0-0:1.0.0.255", 3)
    assert person.put(zone, Data(Tag.INT16, 721)) is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.parametrize(
    ("method", "ahead", "shown"),
    [
        (1, 400_000, 0), (1, 500_000, 900_000), (2, 800_000, 0), (2, 1_000_000, 1_800_000),
        (3, 29_000, 0), (3, 31_000, 60_000),
    ],
)  # fmt: skip
def test_the_clock_goes_to_the_nearest_quarter_period_or_minute(
    method: int, ahead: int, shown: int
) -> None:
    device = meter()
    person = manager(device)
    assert person.put(CLOCK, stamp(NOW + ahead)) is DataAccessResult.SUCCESS
    outcome = person.act(member(8, "0-0:1.0.0.255", method), Data(Tag.INT8, 0))
    assert outcome.result is ActionResult.SUCCESS
    assert device.clock.shows(NOW) == NOW + shown


def test_a_preset_time_is_good_while_it_is_valid() -> None:
    device = meter()
    preset, adjust = member(8, "0-0:1.0.0.255", 5), member(8, "0-0:1.0.0.255", 4)
    assert invoke(device, adjust) is ActionResult.OTHER_REASON
    ahead = stamp(NOW + DAY_MS)
    wrong = axdr.structure(ahead, stamp(NOW + 9), stamp(NOW - HOUR_MS))
    assert invoke(device, preset, wrong) is ActionResult.SCOPE_OF_ACCESS_VIOLATED
    assert invoke(device, preset, axdr.structure(ahead)) is ActionResult.TYPE_UNMATCHED
    good = axdr.structure(ahead, stamp(NOW - HOUR_MS), stamp(NOW + HOUR_MS))
    assert invoke(device, preset, good) is ActionResult.SUCCESS
    assert invoke(device, adjust, None, UtcMs(NOW + 2 * HOUR_MS)) is ActionResult.OTHER_REASON
    assert invoke(device, adjust) is ActionResult.SUCCESS
    assert device.clock.shows(NOW) == NOW + DAY_MS


@pytest.mark.parametrize(
    ("seconds", "result"),
    [(900, ActionResult.SUCCESS), (-900, ActionResult.SUCCESS),
     (901, ActionResult.SCOPE_OF_ACCESS_VIOLATED)],
)  # fmt: skip
def test_a_shift_is_at_most_a_quarter(seconds: int, result: ActionResult) -> None:
    device = meter()
    assert invoke(device, member(8, "0-0:1.0.0.255", 6), Data(Tag.INT16, seconds)) is result
    moved = seconds * 1000 if result is ActionResult.SUCCESS else 0
    assert device.clock.shows(NOW) == NOW + moved


def test_a_clock_put_forward_leaves_a_gap_and_one_put_back_repeats() -> None:
    device = meter(changed("smets1", profile_entries=6))
    person = manager(device)
    person.wait(5 * 60_000)
    assert person.put(CLOCK, stamp(NOW + 2 * HOUR_MS)) is DataAccessResult.SUCCESS
    rows = times(select(device, None, NOW + 40 * 60_000))
    assert rows[-3:] == [NOW - HALF_HOUR_MS, NOW, NOW + 2 * HOUR_MS + HALF_HOUR_MS]
    person.wait(35 * 60_000)
    assert person.put(CLOCK, stamp(NOW + 10 * 60_000)) is DataAccessResult.SUCCESS
    rows = times(select(device, None, NOW + 2 * HOUR_MS))
    assert rows[-3:] == [NOW + step * HALF_HOUR_MS for step in (1, 2, 3)]
    readings = [row.value[1].value for row in select(device, None, NOW + 2 * HOUR_MS)]
    assert readings == sorted(readings)


def test_without_power_nothing_is_captured_and_nothing_flows() -> None:
    device = meter(SMALL)
    dark, light = UtcMs(NOW + HOUR_MS), UtcMs(NOW + 4 * HOUR_MS + 60_000)
    device.handle(DeviceEvent.POWER_OFF, None, dark)
    device.handle(DeviceEvent.POWER_ON, None, light)
    rows = select(device, None, NOW + 5 * HOUR_MS)
    assert times(rows)[-4:] == [
        NOW + HALF_HOUR_MS, dark, NOW + 4 * HOUR_MS + HALF_HOUR_MS, NOW + 5 * HOUR_MS,
    ]  # fmt: skip
    register = member(3, "1-0:1.8.0.255", 2)
    assert read(device, register, dark) == read(device, register, light)
    assert [row.code for row in device.logs["events"].rows] == [2, 1, 2]


# -- captures on their own -------------------------------------------------------------------------


def test_captures_keep_the_latest_rows_over_many_stretches() -> None:
    captures = Captures(Every(1000), 5, UtcMs(0))
    for second in range(0, 40, 4):
        captures.run(UtcMs(second * 1000), 0, UtcMs(second * 1000))
    rows = captures.rows(UtcMs(39_500))
    assert [row.shown for row in rows] == [35_000, 36_000, 37_000, 38_000, 39_000]
    assert captures.count(UtcMs(39_500)) == 5
    assert len(captures.dump()["stretches"]) < 8  # type: ignore[arg-type]  # a list


@given(
    ppm=st.integers(-10_000, 10_000), begin=st.integers(0, 10_000_000), span=st.integers(0, 10**8)
)
@QUICK
def test_a_row_is_captured_at_the_first_instant_of_its_time(
    ppm: int, begin: int, span: int
) -> None:
    captures = Captures(Every(900_000), 10_000, UtcMs(0))
    captures.reset(UtcMs(begin))
    captures.run(UtcMs(begin + 77), ppm, UtcMs(begin))
    end = UtcMs(begin + span)
    rows = captures.rows(end)
    assert len(rows) == captures.count(end)

    def shows(at: int) -> int:
        return begin + 77 + (at - begin) + (at - begin) * ppm // 1_000_000

    for row in rows:
        assert shows(row.at - 1) < row.shown <= shows(row.at)
        assert row.shown % 900_000 == 0
    assert len(rows) == shows(end) // 900_000 - (begin + 77) // 900_000


def test_months_begin_at_their_first_midnight() -> None:
    months = Monthly()
    for text in (NOW, UtcMs(1_704_067_200_000), UtcMs(1_704_067_199_999)):
        first = months.moment(months.ordinal(text))
        assert first <= text < months.moment(months.ordinal(text) + 1)


def test_captures_come_back_out_of_a_dump() -> None:
    captures = Captures(Every(1000), 50, UtcMs(0))
    captures.run(UtcMs(5_500), 100, UtcMs(4_000))
    captures.capture(Capture(UtcMs(6_010), UtcMs(7_510)))
    captures.stop(UtcMs(20_000))
    other = Captures(Every(1000), 50, UtcMs(0))
    other.load(Saved(captures.dump()))
    assert other.dump() == captures.dump()
    assert other.rows(UtcMs(30_000)) == captures.rows(UtcMs(30_000))


def test_a_meter_that_never_had_power_holds_what_was_before() -> None:
    device = made(SMALL)
    assert times(select(device, None, NOW + DAY_MS))[-1] == NOW
