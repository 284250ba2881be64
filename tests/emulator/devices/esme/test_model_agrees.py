"""Registers, logs, balance and billing of one meter agree with each other at any instant."""

import json
import tracemalloc
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import CompactArray, Data, Tag
from emulator.codecs.dlms.shapes import fits, make, shape_of
from emulator.codecs.gbcs.dates import NOW
from emulator.codecs.zcl import metering
from emulator.codecs.zcl.metering import MeteringAttribute
from emulator.core.clock import from_zigbee_seconds
from emulator.core.effects import DeviceEvent
from emulator.devices.consumption import DAY_MS, HALF_HOUR_MS
from emulator.devices.esme.esme import Esme
from emulator.devices.esme.model.bindings import BINDINGS
from tests.emulator.devices.esme.esme_kit import CODES, OBJECTS, Meter, item_of, number, values_of
from tests.emulator.devices.kit import ACB, ESME, NETWORK, START, build, powered
from tests.sampling import examples

AT_ONCE = axdr.octets(NOW)
INT8 = Data(Tag.INT8, 0)
HOUR = 3_600_000


def numbers(data: Data) -> list[int]:
    assert isinstance(data.value, tuple)
    return [number(item) for item in data.value]


def rows(data: Data) -> list[tuple[Data, ...]]:
    assert isinstance(data.value, CompactArray)
    return [row.value for row in data.value.rows if isinstance(row.value, tuple)]


def part(data: Data, *places: int) -> Data:
    for place in places:
        assert isinstance(data.value, tuple)
        data = data.value[place]
    return data


@settings(max_examples=examples(12), deadline=None)
@given(st.lists(st.integers(1, 40 * 24), min_size=1, max_size=4))
def test_tariff_registers_and_blocks_are_the_import_register(hours: list[int]) -> None:
    meter = Meter(
        tariff_days=[[1, [["00:00:00", "0-0:10.0.100.255", 3],
                          ["09:30:00", "0-0:10.0.100.255", 102],
                          ["20:00:00", "0-0:10.0.100.255", 1]]]],
        tariff_thresholds_2_wh=[5_000, 20_000, 70_000],
    )  # fmt: skip
    for some in hours:
        meter.wait(some * HOUR + 12_345)
        tous = numbers(part(meter.read("ECS17d", "tou_registers_wh"), 0))
        blocks = meter.read("ECS17e", "block_registers_wh")
        per_block = [sum(numbers(part(blocks, block))) for block in range(4)]
        whole = number(part(meter.read("ECS17b", "import_registers"), 0))
        assert sum(tous) + sum(per_block) == whole
        assert [place for place, wh in enumerate(tous) if wh] == [0, 2]
        assert all(per_block[:3])
    meter.set("ECS05", block_counter_reset=Data(Tag.UINT16, 1))
    assert sum(numbers(part(meter.read("ECS17e", "block_registers_wh"), 0))) == 0


@settings(max_examples=examples(10), deadline=None)
@given(st.integers(1, 60))
def test_profile_and_daily_logs_add_up_to_the_registers(days: int) -> None:
    meter = Meter()
    meter.wait(days * DAY_MS)
    daily = rows(meter.read("ECS21a", "daily_read_log"))
    assert len(daily) == 31
    half_hours = {
        number(row[0]): number(row[1]) for row in rows(meter.read("ECS22b", "import_profile", 40))
    }
    used = {
        number(row[0]): number(row[1]) for row in rows(meter.read("ECS66", "daily_consumption_log"))
    }
    for before, after in pairwise(daily):
        first, last = number(before[0]), number(after[0])
        assert last - first == DAY_MS // 1000
        energy = number(after[1]) - number(before[1])
        step = HALF_HOUR_MS // 1000
        assert energy == sum(half_hours[at] for at in range(first + step, last + 1, step))
        assert energy == used[last]
        assert sum(numbers(after[2])) == number(after[1])
    billing = rows(meter.read("ECS20c", "billing_log_registers"))
    by_day = {number(row[0]): row for row in daily}
    assert len(billing) == 12
    assert any(number(row[0]) in by_day for row in billing)
    assert all(by_day.get(number(row[0]), row) == row for row in billing)


@settings(max_examples=examples(10), deadline=None)
@given(st.integers(0, 30_000), st.integers(0, 30_000), st.integers(1, 30 * 24))
def test_the_balance_falls_by_what_is_used_at_its_price(price: int, daily: int, hours: int) -> None:
    meter = Meter(tariff_days=[[1, [["00:00:00", "0-0:10.0.100.255", 1]]]])
    matrix = make(shape_of("charge"), {
        "scales": [3, -5], "commodity": [3, "1-0:1.8.0.255", 2], "prices": [price] + [0] * 79,
    })  # fmt: skip
    standing = make(shape_of("charge"), {
        "scales": [0, -5], "commodity": [0, "0-0:0.0.0.0", 0], "prices": daily,
    })  # fmt: skip
    meter.set(
        "ECS01b",
        passive_standing_charge=standing,
        passive_price_matrix=matrix,
        standing_charge_activation=AT_ONCE,
        price_matrix_activation=AT_ONCE,
    )
    assert number(meter.read("ECS24", "active_price")) == price
    meter.set("ECS04b", meter_balance_set=Data(Tag.INT32, 0))
    before = number(part(meter.read("ECS17b", "import_registers"), 0))
    start = meter.now
    meter.wait(hours * HOUR)
    used = number(part(meter.read("ECS17b", "import_registers"), 0)) - before
    days = meter.now // DAY_MS - start // DAY_MS
    spent = -number(meter.read("ECS82", "meter_balance_millipence"))
    assert abs(spent - (used * price // 1000 + days * daily)) <= 1
    [change] = rows(meter.read("ECS20b", "tariff_change_log"))
    assert from_zigbee_seconds(number(change[0])) == start


@pytest.mark.parametrize("told", [{}, {"values_at": "2024-01-01T00:00:00", "active_import_wh": 7}])
def test_the_han_shows_the_register_that_commands_read(told: dict[str, Any]) -> None:
    meter = Meter(**told)
    for _ in range(2):
        served = meter.device.attributes(metering.CLUSTER, meter.now)
        shown = served[MeteringAttribute.CURRENT_SUMMATION_DELIVERED].value
        assert shown == number(part(meter.read("ECS17b", "import_registers"), 0))
        meter.wait(5 * HOUR)


def test_nothing_is_counted_while_the_switch_is_open() -> None:
    meter = Meter()
    meter.set("ECS43", switch_script=Data(Tag.UINT16, 52))
    before = number(part(meter.read("ECS17b", "import_registers"), 0))
    meter.wait(5 * DAY_MS)
    assert number(part(meter.read("ECS17b", "import_registers"), 0)) == before
    assert number(part(meter.read("ECS17c", "power_import_w"), 0)) == 0


def test_a_maximum_demand_is_one_of_the_half_hours_since_its_reset() -> None:
    meter = Meter()
    meter.set("ECS57", demand_import_reset=INT8)
    assert number(meter.read("ECS18b", "demand_import_w")) == 0
    meter.wait(3 * DAY_MS)
    half_hours = rows(meter.read("ECS22b", "import_profile", 4))
    recent = [number(row[1]) for row in half_hours if from_zigbee_seconds(number(row[0])) > START]
    most = number(meter.read("ECS18b", "demand_import_w"))
    assert abs(most - 2 * max(recent[1:])) <= 2


# -- the catalogue -------------------------------------------------------------------------------


def test_every_binding_and_shape_of_the_catalogue_is_known() -> None:
    for row in OBJECTS.rows:
        assert row.binding in BINDINGS, row.name
        if row.type == "protected":
            continue
        shape = shape_of(row.type)
        if row.default is not None:
            assert fits(shape, make(shape, row.default)), row.name


def test_every_use_case_of_the_table_is_answered_without_a_failure_of_reads() -> None:
    """A meter as it leaves the factory answers every plain read of every use case."""
    meter = Meter(phases=3)
    for use_case in CODES:
        wanted = [row for row in OBJECTS.rows if use_case in row.read]
        writes = [row for row in OBJECTS.rows if use_case in row.write]
        if not wanted or writes:
            continue
        items = [
            meter.selected(row, 20) if row.binding == "log" else item_of(row) for row in wanted
        ]
        response, _ = meter.ask(use_case, items)
        assert {one.result for one in response.results} == {0}, use_case


@pytest.mark.parametrize("use_case", sorted(u for u in CODES if u != "ECS47e"))
def test_what_is_not_in_a_use_case_fails_and_what_follows_fails_otherwise(use_case: str) -> None:
    meter = Meter()
    strange = item_of(OBJECTS.named["firmware_version"])
    if use_case == "ECS52":
        strange = item_of(OBJECTS.named["switch_state"])
    response, _ = meter.ask(use_case, [strange, strange])
    assert [one.result for one in response.results] == [1, 250]


def test_a_log_that_fits_no_message_is_not_read_whole() -> None:
    row = OBJECTS.named["reactive_import_profile"]
    assert Meter().ask("ECS22c", [item_of(row)])[0].results[0].result == 1


def test_a_value_of_another_type_is_not_taken() -> None:
    meter = Meter()
    row = OBJECTS.named["randomised_offset_limit_s"]
    response, _ = meter.ask("ECS38", [item_of(row, Data(Tag.UINT32, 5))])
    assert response.results[0].result == 1


@settings(max_examples=3, deadline=None, phases=[Phase.generate])
@given(st.data())
def test_no_setting_breaks_a_meter(data: st.DataObject) -> None:
    """Whatever a party may set, the meter goes on counting and answers every read."""
    meter = Meter(phases=3)
    for row in OBJECTS.rows:
        if row.binding == "stored" and row.write - {"ECS47e"}:
            value = data.draw(values_of(row.type), label=row.name)
            meter.ask(min(row.write), [item_of(row, value)])
    for row in OBJECTS.rows:
        if row.binding in {"activation", "activate"}:
            value = INT8 if row.is_method else AT_ONCE
            meter.ask(min(row.write), [item_of(row, value)])
    meter.wait(40 * DAY_MS)
    for row in OBJECTS.rows:
        for use_case in row.read & set(CODES):
            days = 3 if row.binding == "log" else 0
            if not row.name.startswith("voltage_log"):
                meter.read(use_case, row.name, days)


def test_registers_begin_again_and_amounts_stay_at_the_end_of_their_range() -> None:
    most, top = (1 << 31) - 1, (1 << 32) - 1
    meter = Meter(
        values_at="2024-05-31T12:00:00", active_import_wh=top, tou_wh=[top] * 48,
        block_wh=[top] * 32, active_export_wh=top,
    )  # fmt: skip
    for _ in range(2):
        adjust = {f"{debt}_adjust": Data(Tag.INT32, most) for debt in ("debt_1", "debt_2")}
        meter.set("ECS07", **adjust)
        meter.set("ECS04a", meter_balance_adjust=Data(Tag.INT32, -most))
    meter.wait(2 * DAY_MS)
    assert numbers(meter.read("ECS19", "prepayment_balances"))[5] == most
    for use_case, name in (
        ("ECS17b", "import_registers"), ("ECS17d", "tou_registers_wh"),
        ("ECS17e", "block_registers_wh"), ("ECS21a", "daily_read_log"),
        ("ECS21b", "daily_balance_log"), ("ECS17a", "active_export_wh"),
    ):  # fmt: skip
        meter.read(use_case, name)


def test_a_single_phase_meter_has_no_objects_of_other_phases() -> None:
    response, _ = Meter().ask("ECS26k", [item_of(OBJECTS.named["under_voltage_threshold_2_v"])])
    assert response.results[0].result == 1


def test_every_role_is_one_that_a_network_knows() -> None:
    known = NETWORK.roles(ACB, ESME)
    assert known == {RemoteParty.ACCESS_CONTROL_BROKER}
    assert all(OBJECTS.roles.values())


# -- state ---------------------------------------------------------------------------------------


def test_a_loaded_meter_goes_on_as_the_dumped_one() -> None:
    meter = Meter()
    meter.set("ECS38", randomised_offset_limit_s=Data(Tag.UINT16, 77))
    meter.set("ECS04b", meter_balance_set=Data(Tag.INT32, 5))
    meter.wait(3 * DAY_MS + 777)
    meter.read("ECS21a", "daily_read_log")
    state: Any = json.loads(json.dumps(meter.device.dump()))
    other = Meter()
    other.device.load(state)
    other.counter, other.now = meter.counter, meter.now
    for each in (meter, other):
        each.wait(2 * DAY_MS)
    for use_case, name in (
        ("ECS17d", "tou_registers_wh"), ("ECS21a", "daily_read_log"),
        ("ECS82", "meter_balance_millipence"), ("ECS26c", "randomised_offset_limit_s"),
    ):  # fmt: skip
        assert meter.read(use_case, name) == other.read(use_case, name)
    assert meter.device.dump() == other.device.dump()


def test_a_broken_member_fails_until_the_fault_is_gone() -> None:
    meter = Meter()
    meter.device.inject("object:70/0-0:96.3.10.255/a3")
    row = OBJECTS.named["switch_state"]
    assert meter.ask("ECS45", [item_of(row)])[0].results[0].result == 1
    with pytest.raises(ValueError, match="no member"):
        meter.device.inject("object:70/0-0:96.3.10.255/a9")
    meter.device.model.broken.clear()
    assert meter.ask("ECS45", [item_of(row)])[0].results[0].result == 0


def test_an_idle_meter_is_small() -> None:
    first = powered(DeviceType.ESME)
    assert isinstance(first, Esme)
    tracemalloc.start()
    made = [build(DeviceType.ESME) for _ in range(50)]
    for one in made:
        one.handle(DeviceEvent.POWER_ON, None, START)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / len(made) < 40_000
