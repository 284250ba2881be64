"""COSEM date-time: twelve octets, any of them left unsaid."""

import pytest

from emulator.codecs.dlms import date_time
from emulator.codecs.dlms.date_time import UNDEFINED, DateTime
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError

NOON = UtcMs(1_717_243_200_000)  # Saturday 2024-06-01T12:00Z


def test_a_moment_goes_out_as_local_time_with_its_deviation() -> None:
    octets = date_time.encode(date_time.of_moment(NOON, -60, 0x80))
    assert octets.hex() == "07e80601060d000000ffc480"
    assert date_time.decode(octets).moment() == NOON


@pytest.mark.parametrize("deviation", [-720, -60, 0, 1, 60, 720])
def test_every_deviation_names_the_same_moment(deviation: int) -> None:
    at = UtcMs(NOON + 12_340)
    value = date_time.of_moment(at, deviation)
    assert date_time.decode(date_time.encode(value)) == value
    assert value.moment(999) == at


def test_a_deviation_that_is_not_said_is_the_reader_s() -> None:
    value = date_time.decode(bytes.fromhex("07e80601ff0c0000ff8000ff"))
    assert value.deviation_min is None
    assert value.moment() == NOON
    assert value.moment(60) == NOON + 3_600_000


def test_an_undefined_date_time_names_nothing_and_goes_back_as_it_was() -> None:
    value = date_time.decode(UNDEFINED)
    assert value.is_undefined
    assert value.moment() is None
    assert date_time.encode(value) == UNDEFINED


@pytest.mark.parametrize(
    "octets",
    [
        "ffff0601060c000000000000", "07e8ff01060c000000000000", "07e806ff060c000000000000",
        "07e8060106ff000000000000", "07e80601060cff0000000000", "07e8060c2e0c000000000000",
        "07e80d01060c000000000000", "07e80220060c000000000000", "07e80601061800000000",
    ],
)  # fmt: skip
def test_a_part_that_is_missing_or_impossible_leaves_no_moment(octets: str) -> None:
    data = bytes.fromhex(octets)
    if len(data) != date_time.SIZE_BYTES:
        with pytest.raises(MalformedFrameError, match=r"dlms\.date_time"):
            date_time.decode(data)
        return
    value = date_time.decode(data)
    assert value.moment() is None or octets.startswith("07e8060c")
    assert not value.is_undefined
    assert date_time.encode(value) == data


@pytest.mark.parametrize("size", [0, 5, 11, 13])
def test_another_length_is_refused(size: int) -> None:
    with pytest.raises(MalformedFrameError):
        date_time.decode(bytes(size))


@pytest.mark.parametrize("deviation", [721, -721, 0x7FFF])
def test_more_than_twelve_hours_from_utc_is_refused(deviation: int) -> None:
    octets = UNDEFINED[:9] + deviation.to_bytes(2, "big", signed=True) + b"\0"
    with pytest.raises(MalformedFrameError, match="no deviation") as caught:
        date_time.decode(octets)
    assert caught.value.offset == 9
    with pytest.raises(ValueError, match="no deviation"):
        date_time.of_moment(NOON, deviation)


def test_a_part_that_does_not_fit_is_not_written() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        date_time.encode(DateTime(70_000, 1, 1, 1, 0, 0, 0, 0, 0, 0))
    with pytest.raises(ValueError, match="does not fit"):
        date_time.encode(DateTime(2024, 256, 1, 1, 0, 0, 0, 0, 0, 0))
