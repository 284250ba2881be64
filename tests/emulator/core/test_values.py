"""Identifiers, time and chance."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core import clock
from emulator.core.chance import Chance, Stream
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

ESME = bytes.fromhex("00DB1234567890A0")


@pytest.mark.parametrize(
    "text",
    [
        "00-DB-12-34-56-78-90-A0",
        "00:db:12:34:56:78:90:a0",
        "00DB1234567890A0",
        " 00db1234567890a0\n",
    ],
)
def test_an_eui64_is_read_in_all_its_spellings_and_printed_one_way(text: str) -> None:
    assert Eui64.parse(text) == Eui64(ESME)
    assert str(Eui64.parse(text)) == "00-DB-12-34-56-78-90-A0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00DB1234567890A",
        "00DB1234567890A0A0",
        "00-DB:12-34-56-78-90-A0",
        "00-DB-12-34-56-78-90-G0",
    ],
)
def test_what_is_no_eui64_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 00-DB-12"):
        Eui64.parse(text)


def test_an_eui64_of_seven_octets_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="8 octets, got 7"):
        Eui64(ESME[:7])


@given(st.integers(0, 253_402_300_799_000))
def test_time_survives_the_way_through_datetime(at_ms: int) -> None:
    assert clock.from_datetime(clock.to_datetime(UtcMs(at_ms))) == at_ms


def test_the_zigbee_epoch_is_the_year_2000() -> None:
    start = clock.from_datetime(datetime(2000, 1, 1, tzinfo=UTC))
    assert clock.to_zigbee_seconds(start) == 0
    assert clock.from_zigbee_seconds(473_385_600) == clock.from_datetime(
        datetime(2015, 1, 1, tzinfo=UTC)
    )


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        clock.from_datetime(datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose


def test_iso_prints_milliseconds_and_z() -> None:
    assert clock.iso(UtcMs(1_420_070_400_123)) == "2015-01-01T00:00:00.123Z"


def test_the_same_seed_and_name_draw_the_same_octets() -> None:
    assert Chance(7).stream("iv").octets(99) == Chance(7).stream("iv").octets(99)
    assert Chance(7).stream("iv").octets(9) != Chance(8).stream("iv").octets(9)
    assert Chance(7).stream("iv").octets(9) != Chance(7).stream("key").octets(9)


@given(st.lists(st.integers(0, 100), max_size=20))
def test_octets_do_not_depend_on_how_they_are_drawn(sizes: list[int]) -> None:
    pieces = Stream(1, "x")
    drawn = b"".join(pieces.octets(size) for size in sizes)
    assert drawn == Stream(1, "x").octets(sum(sizes))


@given(st.integers(0, 200), st.integers(1, 50))
def test_restored_chance_goes_on_where_it_stood(before: int, after: int) -> None:
    chance = Chance(3)
    chance.stream("faults").octets(before)
    restored = Chance.restore(3, chance.dump())
    assert restored.stream("faults").octets(after) == chance.stream("faults").octets(after)


@given(st.integers(1, 10**12))
def test_below_stays_below(limit: int) -> None:
    assert 0 <= Stream(1, "b").below(limit) < limit


def test_below_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Stream(1, "b").below(0)


def test_probability_is_met_at_its_ends_and_nearly_between() -> None:
    stream = Stream(1, "p")
    assert not any(stream.happens(0.0) for _ in range(500))
    assert all(stream.happens(1.0) for _ in range(500))
    assert 350 < sum(stream.happens(0.4) for _ in range(1000)) < 450


def test_a_malformed_frame_says_layer_offset_and_first_octets() -> None:
    error = MalformedFrameError("gbcs.grouping", b"\xdf\x09\x01", "cut short", 3)
    assert str(error) == "gbcs.grouping: cut short at octet 3 (3 octets: df0901)"
    assert error.data == b"\xdf\x09\x01"
