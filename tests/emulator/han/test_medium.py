"""The air: how long frames take, and what faults do to them."""

from collections.abc import Sequence

import pytest

from emulator.codecs.zigbee import mac
from emulator.codecs.zigbee.mac import MacFrame
from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import parse
from emulator.han.medium import LATENCY_US, SPACING_US, Medium

FRAME = mac.encode(MacFrame(1, 0x1A2B, 0, 1, b"payload"))
AIRTIME_US = (6 + len(FRAME)) * 32


def medium(*texts: str) -> Medium:
    return Medium(FaultSchedule([parse(text) for text in texts], Chance(1)))


def carry(air: Medium, now_us: int, label: str = "x") -> tuple[int, Sequence[tuple[int, bytes]]]:
    carried = air.carry(FRAME, label, ("chf", "esme"), now_us)
    return carried.start_us, [(one.due_us, one.octets) for one in carried.arrivals]


def test_a_frame_takes_the_time_of_its_octets_at_250_kbit() -> None:
    assert carry(medium(), 1000) == (1000, [(1000 + AIRTIME_US + LATENCY_US, FRAME)])


def test_a_second_frame_waits_until_the_air_is_free() -> None:
    air = medium()
    carry(air, 1000)
    start, _ = carry(air, 1000)
    assert start == 1000 + AIRTIME_US + SPACING_US
    later, _ = carry(air, 1_000_000)
    assert later == 1_000_000


def test_the_air_is_busy_after_a_restore_as_before() -> None:
    air, copy = medium(), medium()
    carry(air, 1000)
    copy.load(air.dump())
    assert carry(copy, 1001) == carry(air, 1001)


def test_a_corrupted_frame_fails_its_check_sequence_and_a_resealed_one_does_not() -> None:
    _, ((_, damaged),) = carry(medium("corrupt@han"), 0)
    with pytest.raises(MalformedFrameError, match="check sequence"):
        mac.decode(damaged)
    _, ((_, resealed),) = carry(medium("corrupt-payload:bit=0@han"), 0)
    assert mac.decode(resealed).payload == b"payloae"


def test_lost_doubled_and_late_frames() -> None:
    assert carry(medium("drop@han"), 0)[1] == []
    due = AIRTIME_US + LATENCY_US
    assert carry(medium("duplicate:gap_ms=4@han"), 0)[1] == [(due, FRAME), (due + 4000, FRAME)]
    assert carry(medium("delay:ms=9@han"), 0)[1] == [(due + 9000, FRAME)]


def test_a_fault_for_another_kind_of_frame_or_role_touches_nothing() -> None:
    for text in ("drop:kind=ota.*@han", "drop:to=gsme@han", "drop@wan"):
        assert len(carry(medium(text), 0, "tunnel.close")[1]) == 1
