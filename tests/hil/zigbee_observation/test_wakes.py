"""Wake statistics as pure functions of what was heard and when."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.zigbee_observation.sights import Sight, sight_of
from hil.zigbee_observation.spread import BOUNDS_US, Spread, gaps, in_words
from hil.zigbee_observation.wakes import AWAKE_US, beginnings, wakes_of
from tests.hil.zigbee_observation.air_given import (
    COORDINATOR,
    DISPLAY,
    METER,
    SECOND,
    ack,
    poll,
    secured,
)
from tests.sampling import examples

moments = st.lists(st.integers(0, 10_000 * SECOND), max_size=40)


def polls(at: list[int], node: int = METER) -> list[Sight]:
    found = [sight_of(poll(moment, node)) for moment in at]
    return [sight for sight in found if sight is not None]


def test_a_meter_that_wakes_every_half_hour_is_told_so() -> None:
    sights = polls([n * 1800 * SECOND + jitter for n in range(5) for jitter in (0, 80_000)])
    (meter,) = wakes_of(sights)
    assert (meter.node, meter.frames, meter.polls, meter.wakes) == (METER, 10, 10, 5)
    assert meter.intervals is not None
    assert meter.intervals.row() == {
        "count": 4,
        "min_s": 1800,
        "median_s": 1800,
        "max_s": 1800,
        "histogram": [0] * 10 + [4] + [0] * 2,
    }
    assert meter.intervals.bars == "··········█··"
    assert meter.transmissions is not None
    assert meter.transmissions.least_us == 80_000


def test_nodes_are_told_apart_and_the_busiest_comes_first() -> None:
    frame = sight_of(secured(3 * SECOND, COORDINATOR, METER, 60, 1))
    acknowledged = sight_of(ack(4 * SECOND, 1))
    assert frame is not None
    assert acknowledged is not None
    sights = [*polls([0, 9 * SECOND], DISPLAY), frame, acknowledged]
    assert [(one.node, one.frames, one.polls) for one in wakes_of(sights)] == [
        (DISPLAY, 2, 2),
        (COORDINATOR, 1, 0),
    ]
    assert wakes_of(sights)[1].intervals is None


@given(moments)
@settings(max_examples=examples(200), derandomize=True)
def test_intervals_cover_the_time_from_the_first_wake_to_the_last(at: list[int]) -> None:
    begun = beginnings(at)
    assert begun == sorted(set(begun))
    assert set(begun) <= set(at)
    assert sum(gaps(begun)) == (begun[-1] - begun[0] if begun else 0)
    assert all(length > AWAKE_US for length in gaps(begun))
    assert bool(begun) == bool(at)


@given(moments, st.integers(0, 1 << 40), st.randoms(use_true_random=False))
@settings(max_examples=examples(100), derandomize=True)
def test_neither_order_nor_epoch_nor_other_nodes_change_a_nodes_intervals(
    at: list[int], shift: int, order: object
) -> None:
    alone = wakes_of(polls(at))
    mixed = [*polls([moment + shift for moment in at]), *polls([5, 7], DISPLAY)]
    order.shuffle(mixed)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    again = [one for one in wakes_of(mixed) if one.node == METER]
    assert [one.intervals for one in again] == [one.intervals for one in alone]
    assert [one.wakes for one in again] == [one.wakes for one in alone]


@given(st.lists(st.integers(0, 10_000 * SECOND), min_size=1, max_size=60))
@settings(max_examples=examples(200), derandomize=True)
def test_a_spread_counts_every_length_once_and_keeps_its_order(lengths: list[int]) -> None:
    spread = Spread.of(lengths)
    assert spread is not None
    assert spread.least_us == min(lengths) <= spread.median_us <= max(lengths) == spread.most_us
    assert sum(spread.columns) == spread.count == len(lengths)
    assert len(spread.bars) == len(spread.columns) == len(BOUNDS_US) + 1
    below = sum(length <= spread.median_us for length in lengths)
    above = sum(length >= spread.median_us for length in lengths)
    assert below >= len(lengths) / 2
    assert above >= len(lengths) / 2
    shown = [column > 0 for column in spread.columns]
    assert [bar != "·" for bar in spread.bars] == shown


def test_lengths_of_time_are_told_in_the_unit_a_person_would_choose() -> None:
    assert [
        in_words(length) for length in (500, 12_000, 3_200_000, 840 * SECOND, 9000 * SECOND)
    ] == [
        "0.5 ms",
        "12 ms",
        "3.2 s",
        "14 min",
        "2.5 h",
    ]


def test_nothing_heard_gives_nothing() -> None:
    assert wakes_of([]) == []
    assert Spread.of([]) is None
