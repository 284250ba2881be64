"""One household's energy: pure, monotonic, and the same however it is asked for."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.clock import UtcMs
from emulator.core.errors import IllegalEventError
from emulator.devices.consumption import (
    DAY_MS,
    HALF_HOUR_MS,
    Consumption,
    Household,
    Kind,
)
from emulator.devices.saved import Saved
from emulator.devices.smets1.rates import FLAT, Rates, SwitchingTable
from tests.sampling import examples

QUICK = settings(max_examples=examples(30), deadline=None)
START = UtcMs(1_700_006_400_000)  # 2023-11-15T00:00Z
SPAN = 40 * DAY_MS
MOMENTS = st.integers(START - DAY_MS, START + SPAN).map(UtcMs)
KINDS = st.sampled_from(list(Kind))
TWO_RATES = SwitchingTable((((0, 1), (25_200_000, 2)), ((0, 3),)), ((0, 0, 0, 0, 0, 1, 1),))


def household(name: str = "home") -> Consumption:
    return Consumption(3, name, START)


def interrupted(spans: list[tuple[int, int]]) -> Consumption:
    """A household whose supply is cut for spans of (pause before, length)."""
    home, at = household(), int(START)
    for pause, length in spans:
        home.interrupt("switch", UtcMs(at + pause))
        at += pause + length
        home.restore("switch", UtcMs(at))
    return home


SPANS = st.lists(st.tuples(st.integers(0, 5 * DAY_MS), st.integers(0, 2 * DAY_MS)), max_size=5)


def test_registers_stand_at_nothing_at_the_start_and_before() -> None:
    home = household()
    for kind in Kind:
        assert home.energy_wh(kind, START) == home.energy_wh(kind, UtcMs(START - DAY_MS)) == 0
    assert home.power_w(UtcMs(START - 1)) == 0


def test_the_order_of_questions_does_not_matter() -> None:
    asked = [UtcMs(START + step * 7 * HALF_HOUR_MS + 1234) for step in range(200)]
    forwards, backwards = household(), household()
    there = [forwards.energy_wh(Kind.IMPORT, at) for at in asked]
    back = [backwards.energy_wh(Kind.IMPORT, at) for at in reversed(asked)]
    assert there == back[::-1]


def test_seed_name_and_household_make_another_home() -> None:
    at = UtcMs(START + 10 * DAY_MS)
    homes = [
        household(),
        household("other"),
        Consumption(4, "home", START),
        Consumption(3, "home", START, Household(import_wh=20_000)),
    ]
    assert len({home.energy_wh(Kind.IMPORT, at) for home in homes}) == 4


def test_a_day_is_of_the_size_of_a_home() -> None:
    home = household()
    for kind, least, most in ((Kind.IMPORT, 5_000, 20_000), (Kind.EXPORT, 50, 6_000)):
        for day in range(40):
            since = UtcMs(START + day * DAY_MS)
            used = home.energy_wh(kind, UtcMs(since + DAY_MS)) - home.energy_wh(kind, since)
            assert least < used < most


@given(kind=KINDS, first=MOMENTS, second=MOMENTS, spans=SPANS)
@QUICK
def test_registers_only_rise(
    kind: Kind, first: UtcMs, second: UtcMs, spans: list[tuple[int, int]]
) -> None:
    home = interrupted(spans)
    low, high = sorted((first, second))
    assert 0 <= home.energy_wh(kind, low) <= home.energy_wh(kind, high)


@given(kind=KINDS, first=MOMENTS, second=MOMENTS, spans=SPANS)
@QUICK
def test_half_hours_sum_to_the_difference_of_the_registers(
    kind: Kind, first: UtcMs, second: UtcMs, spans: list[tuple[int, int]]
) -> None:
    home = interrupted(spans)
    low, high = sorted((first, second))
    halves = home.half_hours_wh(kind, low, high)
    assert sum(halves) == home.energy_wh(kind, high) - home.energy_wh(kind, low)
    assert all(half >= 0 for half in halves)


@given(at=MOMENTS.filter(lambda at: at >= START), spans=SPANS)
@QUICK
def test_power_is_what_the_register_moves_by(at: UtcMs, spans: list[tuple[int, int]]) -> None:
    home = interrupted(spans)
    hour_of_it = home.power_w(at) // 2
    begin = UtcMs(at - at % HALF_HOUR_MS)
    whole = home.half_hours_wh(Kind.IMPORT, begin, UtcMs(begin + HALF_HOUR_MS))
    if home.interrupted_at(at):
        assert hour_of_it == 0
    assert sum(whole) <= household().power_w(at) // 2


@given(spans=SPANS, at=MOMENTS)
@QUICK
def test_interruptions_take_away_what_would_have_flowed(
    spans: list[tuple[int, int]], at: UtcMs
) -> None:
    home, free = interrupted(spans), household()
    lost, begin = 0, int(START)
    for pause, length in spans:
        begin += pause
        end = min(begin + length, at)
        if begin < end:
            lost += free.energy_wh(Kind.IMPORT, UtcMs(end))
            lost -= free.energy_wh(Kind.IMPORT, UtcMs(begin))
        begin += length
    missing = free.energy_wh(Kind.IMPORT, at) - home.energy_wh(Kind.IMPORT, at)
    assert abs(missing - lost) <= len(spans) + 1  # each span is cut to whole Wh


def test_two_causes_of_an_interruption_end_it_together() -> None:
    home = household()
    at = [UtcMs(START + hour * 3_600_000) for hour in range(6)]
    home.interrupt("switch", at[1])
    home.interrupt("power", at[2])
    home.restore("switch", at[3])
    assert home.interrupted_at(at[3])
    home.restore("power", at[4])
    assert not home.interrupted_at(at[4])
    assert home.energy_wh(Kind.IMPORT, at[4]) == home.energy_wh(Kind.IMPORT, at[1])
    home.restore("power", at[5])  # none runs: nothing happens
    assert home.energy_wh(Kind.IMPORT, at[5]) > home.energy_wh(Kind.IMPORT, at[4])


def test_the_past_is_not_interrupted() -> None:
    home = interrupted([(DAY_MS, DAY_MS)])
    with pytest.raises(IllegalEventError, match="past"):
        home.interrupt("switch", UtcMs(START + DAY_MS))


def test_demand_is_energy_over_time() -> None:
    home = household()
    since, until = UtcMs(START + DAY_MS), UtcMs(START + DAY_MS + HALF_HOUR_MS)
    assert home.demand_w(since, until) == home.power_w(since)
    most, end = home.most_w(START, UtcMs(START + 3 * DAY_MS))
    edges = range(START, START + 3 * DAY_MS, HALF_HOUR_MS)
    powers = {UtcMs(edge + HALF_HOUR_MS): home.power_w(UtcMs(edge)) for edge in edges}
    assert most == max(powers.values()) == powers[end]
    with pytest.raises(ValueError, match="time to pass"):
        home.demand_w(until, since)


def test_voltage_and_current_go_with_power() -> None:
    home = household()
    for minute in range(0, 3000, 7):
        at = UtcMs(START + minute * 60_000)
        volts = home.voltage_mv(at)
        assert 226_000 <= volts <= 234_000
        assert abs(home.current_ma(at) * volts // 1_000_000 - home.power_w(at)) <= 1


@given(at=MOMENTS, spans=SPANS)
@QUICK
def test_a_dump_is_all_there_is_to_know(at: UtcMs, spans: list[tuple[int, int]]) -> None:
    home = interrupted(spans)
    home.interrupt("power", UtcMs(START + 80 * DAY_MS))
    other = Consumption(3, "home", UtcMs(START + 9 * DAY_MS))
    other.load(Saved(home.dump()))
    assert other.dump() == home.dump()
    assert all(other.energy_wh(kind, at) == home.energy_wh(kind, at) for kind in Kind)


@pytest.mark.parametrize("change", [{"causes": ["power"]}, {"from": [1, 2]}, {"to": "x"}])
def test_a_dump_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(IllegalEventError):
        household().load(Saved({**household().dump(), **change}))  # type: ignore[dict-item]  # broken on purpose


# -- rates -------------------------------------------------------------------------------------


def rates_of(home: Consumption) -> Rates:
    return Rates(lambda at: home.energy_wh(Kind.IMPORT, at), START, TWO_RATES)


@given(at=MOMENTS, changes=st.lists(st.integers(0, 10 * DAY_MS), max_size=3), spans=SPANS)
@QUICK
def test_rates_add_up_to_the_total_at_any_instant(
    at: UtcMs, changes: list[int], spans: list[tuple[int, int]]
) -> None:
    home = interrupted(spans)
    rates = rates_of(home)
    since = int(START)
    for number, pause in enumerate(changes):
        since += pause
        rates.switch_table(FLAT if number % 2 else TWO_RATES, UtcMs(since))
    assert sum(rates.split_wh(at).values()) == home.energy_wh(Kind.IMPORT, at)


def test_a_rate_counts_while_its_time_lasts() -> None:
    home = household()
    rates = rates_of(home)
    friday = UtcMs(START + 2 * DAY_MS)
    morning = UtcMs(friday + 25_200_000)
    assert rates.rate_at(UtcMs(morning - 1)) == 1
    assert rates.rate_at(morning) == 2
    assert rates.rate_at(UtcMs(friday + DAY_MS)) == 3
    before, after = rates.split_wh(friday), rates.split_wh(morning)
    assert after[1] - before[1] == sum(home.half_hours_wh(Kind.IMPORT, friday, morning))
    assert after[2] == before[2]


def test_rates_come_back_out_of_a_dump() -> None:
    home = household()
    rates, other = rates_of(home), rates_of(home)
    rates.switch_table(FLAT, UtcMs(START + DAY_MS))
    other.load(Saved({"rates": rates.dump()}).rows("rates"))
    assert other.dump() == rates.dump()
    assert other.table == FLAT
    with pytest.raises(IllegalEventError, match="switching table"):
        other.load([])


def test_a_table_does_not_come_into_force_in_the_past() -> None:
    rates = rates_of(household())
    rates.switch_table(FLAT, UtcMs(START + DAY_MS))
    with pytest.raises(IllegalEventError, match="past"):
        rates.switch_table(TWO_RATES, START)


def test_seasons_and_special_days_choose_the_schedule() -> None:
    table = SwitchingTable(
        (((0, 1),), ((0, 2),), ((0, 3),)),
        ((0,) * 7, (1,) * 7),
        seasons=((301, 0), (1101, 1)),
        special=((1225, 2), (2024_0102, 2)),
    )
    day = {
        "2024-02-01": 2, "2024-03-01": 1, "2024-10-31": 1, "2024-11-01": 2, "2024-12-25": 3,
        "2025-12-25": 3, "2024-01-02": 3, "2025-01-02": 2,
    }  # fmt: skip
    for text, rate in day.items():
        number = (date.fromisoformat(text) - date(1970, 1, 1)).days
        assert table.rate_at(UtcMs(number * DAY_MS + 5)) == rate, text


@pytest.mark.parametrize(
    ("days", "weeks", "seasons"),
    [
        ((((1, 1),),), ((0,) * 7,), ((101, 0),)),
        ((((0, 0),),), ((0,) * 7,), ((101, 0),)),
        ((((0, 49),),), ((0,) * 7,), ((101, 0),)),
        ((((0, 1), (0, 2)),), ((0,) * 7,), ((101, 0),)),
        ((((0, 1),),), ((0,) * 6,), ((101, 0),)),
        ((((0, 1),),), ((0, 0, 0, 0, 0, 0, 1),), ((101, 0),)),
        ((((0, 1),),), ((0,) * 7,), ()),
        ((((0, 1),),), ((0,) * 7,), ((101, 1),)),
    ],
)
def test_a_table_that_means_nothing_is_refused(
    days: object, weeks: object, seasons: object
) -> None:
    with pytest.raises(ValueError, match=r"a (week|year|day)"):
        SwitchingTable(days, weeks, seasons)  # type: ignore[arg-type]  # broken on purpose
