"""A meter on its line in virtual time: speed, faults, power, hang-ups, timers, state."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from emulator.codecs.dlms import hdlc
from emulator.codecs.dlms.hdlc_control import Kind
from emulator.core.chance import Chance
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import parse
from emulator.runtime.line_wire import LATENCY_US
from emulator.runtime.line_world import LineWorld
from emulator.runtime.snapshot import SnapshotError
from emulator.runtime.virtual_time import VirtualTimeLoop
from emulator.servers.line_parts import Framing
from emulator.servers.meter_line import MeterLine
from tests.emulator.servers.line_kit import (
    ANSWER,
    CLOSE_ME,
    GET,
    IDENTIFICATION,
    OPTION_E,
    PUBLIC,
    REQUEST,
    SERVER,
    SIGN_ON,
    START,
    TELL_LATER,
    HdlcClient,
    ScriptedDevice,
    apdus,
    kinds,
    profile,
    wrapped,
)

START_US = START * 1000
OCTET_300_US, OCTET_9600_US = 33_334, 1_042
INACTIVE_US = 120_000_000


def world(framing: Framing, faults: Sequence[str] = (), seed: int = 1, **changes: Any) -> LineWorld:
    """A switched-on meter on its line."""
    device, chance = ScriptedDevice(profile(**changes)), Chance(seed)
    schedule = FaultSchedule([parse(text) for text in faults], chance)
    line = MeterLine(device, "line", framing=framing)
    made = LineWorld(device, line, schedule, chance, START)
    made.start()
    return made


def told(made: LineWorld, within_us: int = 2_000_000) -> bytes:
    """Let time pass, and return what the reader received."""
    made.run_until(made.now_us + within_us)
    return b"".join(octets for _at, octets in made.take_received())


def stands(made: LineWorld) -> tuple[bool, bool]:
    """Whether the meter has power, and whether the line is there."""
    return made.powered, made.connected


def facts(made: LineWorld, kind: str) -> list[dict[str, Any]]:
    return [dict(fact.fields) for fact in made.records.take_facts() if fact.kind == kind]


def connected(made: LineWorld) -> HdlcClient:
    client = HdlcClient()
    made.send(client.snrm())
    assert kinds(told(made)) == [Kind.UA]
    return client


def opened(faults: Sequence[str] = (), **changes: Any) -> LineWorld:
    """A world whose optical line has mode E open."""
    made = world(Framing.OPTICAL, faults, sign_on=SIGN_ON, **changes)
    made.send(REQUEST)
    assert told(made, 1_000_000) == IDENTIFICATION
    made.send(OPTION_E)
    assert told(made, 900_000) == OPTION_E
    return made


def test_octets_take_their_time_at_each_speed_and_the_meter_its_reaction() -> None:
    made = world(Framing.OPTICAL, sign_on=SIGN_ON)
    made.send(REQUEST)
    made.run_until(START_US + 1_000_000)
    ((at_us, octets),) = made.take_received()
    assert octets == IDENTIFICATION
    due_us = (len(REQUEST) + len(IDENTIFICATION)) * 10 * 1_000_000 / 300 + 200_000
    assert abs(at_us - START_US - due_us) < 10
    assert made.baud == 300


def test_after_mode_e_the_line_is_fast() -> None:
    made = opened()
    assert made.baud == 9600
    client, began = HdlcClient(), made.now_us
    question = client.snrm()
    made.send(question)
    made.run_until(began + 1_000_000)
    ((at_us, answer),) = made.take_received()
    assert abs(at_us - began - (len(question) + len(answer)) * OCTET_9600_US) < 100


def test_a_network_has_latency_and_no_speed() -> None:
    made = world(Framing.WRAPPER)
    made.send(wrapped())
    made.run_until(START_US + 1_000_000)
    assert made.take_received() == [(START_US + 2 * LATENCY_US, wrapped(ANSWER, SERVER, PUBLIC))]


@pytest.mark.parametrize("framing", [Framing.OPTICAL, Framing.HDLC])
def test_a_client_reads_a_register(framing: Framing) -> None:
    made = world(framing)
    client = connected(made)
    made.send(client.ask())
    assert apdus(told(made)) == [ANSWER]
    links = [(seen.link, seen.octets[0]) for seen in made.records.take_frames(made.now_us)]
    assert links == [("line-in", 0x7E), ("line-out", 0x7E)] * 2
    assert made.records.traffic["esme/hdlc.i.get-request"] == 1
    assert made.records.traffic["reader/hdlc.i.get-response"] == 1


@pytest.mark.parametrize(
    ("fault", "answers", "heard"),
    [
        ("drop:kind=hdlc.i*@line-in", 0, 0),
        ("drop:kind=hdlc.i*@line-out", 0, 1),
        ("corrupt:kind=hdlc.i*@line-in", 0, 0),
        ("truncate:kind=hdlc.i*@line-out", 0, 1),
        ("duplicate:kind=hdlc.i*@line-in", 2, 1),
        ("noise:octets=3@line", 1, 1),
        ("delay:ms=700,kind=hdlc.i*@line", 1, 1),
        ("drop:from=esme,kind=hdlc.i*@line", 0, 1),
        ("drop:to=esme,kind=hdlc.i*@line", 0, 0),
    ],
)
def test_faults_touch_frames(fault: str, answers: int, heard: int) -> None:
    made = world(Framing.HDLC, [fault])
    client = connected(made)
    made.records.take_facts()
    made.send(client.ask())
    assert apdus(told(made, 2_000_000)) == [ANSWER] * answers
    assert isinstance(made.device, ScriptedDevice)
    assert made.device.heard == [GET] * heard
    assert facts(made, "fault")[0]["fault"] == fault
    comments = [seen.comment for seen in made.records.take_frames(made.now_us)]
    assert any(fault in comment for comment in comments)


def test_unseen_damage_is_acted_upon() -> None:
    made = world(Framing.HDLC, ["corrupt-payload:kind=hdlc.i*,bit=0@line-in"])
    client = connected(made)
    made.send(client.ask())
    told(made)
    assert isinstance(made.device, ScriptedDevice)
    assert made.device.heard == [GET[:-1] + b"\x01"]


def test_each_frame_of_one_write_is_touched_by_itself() -> None:
    made = world(Framing.HDLC, ["drop:n=2@line-in"])
    first, second, third = HdlcClient(), HdlcClient(client=2), HdlcClient(client=3)
    made.send(first.snrm() + second.snrm() + third.snrm())
    assert kinds(told(made)) == [Kind.UA, Kind.UA]


def test_silence_gives_an_unfinished_frame_up() -> None:
    made = world(Framing.HDLC)
    client = connected(made)
    made.send(b"\x7e\xa7\xff\x03\x21")
    told(made, 100_000)
    made.send(client.ask())
    assert apdus(told(made)) == [ANSWER]


def test_a_link_nobody_uses_ends_and_mode_e_with_it() -> None:
    made = opened()
    connected(made)
    made.run_until(made.now_us + INACTIVE_US)
    assert made.baud == 300
    made.send(REQUEST)
    assert told(made, 1_000_000) == IDENTIFICATION


def test_a_silent_connection_is_hung_up_and_a_new_one_can_be_made() -> None:
    made = world(Framing.WRAPPER)
    calls: list[int] = []
    made.call_on_attention(lambda: calls.append(made.now_us))
    made.run_until(START_US + INACTIVE_US)
    assert not made.connected
    assert calls == [START_US + INACTIVE_US]
    made.send(wrapped())
    assert told(made) == b""
    assert made.connect()
    made.send(wrapped())
    assert told(made) == wrapped(ANSWER, SERVER, PUBLIC)


def test_the_answer_before_a_hang_up_still_arrives() -> None:
    made = world(Framing.WRAPPER)
    made.send(wrapped(CLOSE_ME))
    assert told(made) == wrapped(CLOSE_ME, SERVER, PUBLIC)
    assert not made.connected


def test_a_reader_that_disconnects_is_told_to_the_device() -> None:
    made = world(Framing.HDLC)
    connected(made)
    made.disconnect()
    assert isinstance(made.device, ScriptedDevice)
    assert len(made.device.gone) == 1
    assert not made.connected
    optical = world(Framing.OPTICAL)
    optical.disconnect()
    assert optical.connected


def test_power_takes_what_is_under_way_and_the_state_of_the_line() -> None:
    made = opened()
    client = connected(made)
    made.send(client.ask())
    made.cut_power(5)
    made.run_until(made.now_us + 1_000)
    assert stands(made) == (False, True)
    made.send(client.ask())
    assert told(made, 4_000_000) == b""
    assert stands(made) == (False, True)
    told(made, 2_000_000)
    assert stands(made) == (True, True)
    assert made.baud == 300
    made.send(REQUEST)
    assert told(made, 1_000_000) == IDENTIFICATION


def test_power_ends_a_connection() -> None:
    made = world(Framing.WRAPPER)
    made.cut_power(5)
    told(made, 1_000)
    assert stands(made) == (False, False)
    assert not made.connect()
    told(made, 5_000_000)
    assert made.connect()
    made.send(wrapped())
    assert told(made) != b""


@pytest.mark.parametrize(
    "order",
    [
        "power-loss:after_s=1,off_s=3@esme",
        "power-loss:at=2026-01-05T09:00:01,off_s=3@esme",
    ],
)
def test_a_timed_fault_takes_the_power(order: str) -> None:
    made = world(Framing.HDLC, [order])
    seen = []
    for at_us in (999_000, 1_001_000, 4_001_000):
        made.run_until(START_US + at_us)
        seen.append(made.powered)
    assert seen == [True, False, True]


def test_a_fault_may_wait_for_a_note_of_the_device() -> None:
    made = world(Framing.HDLC, ["power-loss:note=asked,off_s=0@esme"])
    client = connected(made)
    made.send(client.ask())
    assert told(made) == b""
    assert not made.powered
    assert facts(made, "fault")[0]["effect"] == "power off for good"


def test_a_fault_without_effect_and_one_of_another_device_are_told_or_passed_over() -> None:
    made = world(Framing.HDLC, ["battery-low:after_s=1@esme", "power-loss:after_s=1@gsme"])
    made.run_until(START_US + 2_000_000)
    assert made.powered
    assert facts(made, "fault_without_effect") == [{"why": "the device has no battery"}]


def test_a_timer_of_the_device_speaks_on_its_line() -> None:
    made = world(Framing.HDLC)
    client = connected(made)
    made.send(client.ask(TELL_LATER))
    told(made, 500_000)
    assert kinds(told(made, 1_000_000)) == [Kind.UI]


# -- state -----------------------------------------------------------------------------------

FAULTS = ("corrupt:p=0.2@line", "noise:p=0.2@line-in", "delay:ms=300,every=3@line-out")


def _story() -> list[tuple[str, bytes | int]]:
    client = HdlcClient()
    return [
        ("send", REQUEST),
        ("pass", 1_200_000),
        ("send", OPTION_E),
        ("pass", 900_000),
        ("send", client.snrm()),
        ("pass", 20_000),
        ("send", client.ask()),
        ("pass", 30_000),
        ("send", client.ask(TELL_LATER)),
        ("pass", 700_000),
        ("cut", 2),
        ("pass", 1_000_000),
        ("pass", 3_000_000),
        ("send", REQUEST),
        ("pass", 5_000_000),
    ]


def _do(made: LineWorld, verb: str, what: bytes | int) -> list[Any]:
    if isinstance(what, bytes):
        made.send(what)
    elif verb == "cut":
        made.cut_power(what)
    else:
        made.run_until(made.now_us + what)
    return [made.take_received(), made.records.take_facts(), made.next_due(), made.baud]


def test_a_world_put_back_at_any_point_goes_on_alike() -> None:
    straight = world(Framing.OPTICAL, FAULTS, seed=7, sign_on=SIGN_ON)
    broken = world(Framing.OPTICAL, FAULTS, seed=7, sign_on=SIGN_ON)
    for verb, what in _story():
        again = world(Framing.OPTICAL, FAULTS, seed=7, sign_on=SIGN_ON)
        again.load(broken.dump())
        assert isinstance(again.device, ScriptedDevice)
        assert isinstance(broken.device, ScriptedDevice)
        again.device.told = broken.device.told
        broken = again
        assert _do(broken, verb, what) == _do(straight, verb, what)
    assert broken.dump() == straight.dump()


def test_the_same_seed_gives_the_same_octets_and_another_does_not() -> None:
    def played(seed: int) -> list[Any]:
        made = world(Framing.OPTICAL, FAULTS, seed=seed, sign_on=SIGN_ON)
        return [_do(made, verb, what) for verb, what in _story()]

    assert played(1) == played(1)
    assert played(1) != played(2)


@pytest.mark.parametrize(
    "other",
    [
        world(Framing.HDLC),
        world(Framing.OPTICAL, seed=2),
        world(Framing.OPTICAL, ["drop@line"]),
    ],
)
def test_the_state_of_another_world_is_refused(other: LineWorld) -> None:
    made = world(Framing.OPTICAL)
    before = made.dump()
    with pytest.raises(SnapshotError, match="another meter"):
        made.load(other.dump())
    assert made.dump() == before


def test_it_moves_with_a_loop_whose_clock_jumps() -> None:
    made = opened()
    client = HdlcClient()

    async def story() -> float:
        loop = asyncio.get_running_loop()
        base_us = made.now_us
        made.send(client.snrm())
        while not made.take_received():
            due_us = made.next_due()
            assert due_us is not None
            await asyncio.sleep((due_us - base_us) / 1_000_000 - loop.time())
            made.run_until(base_us + round(loop.time() * 1_000_000))
        return loop.time()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        taken_s = runner.run(story())
    assert taken_s == pytest.approx((9 + len(_ua())) * 10 / 9600, abs=0.001)


def _ua() -> bytes:
    made = world(Framing.HDLC)
    made.send(HdlcClient().snrm())
    octets = told(made)
    assert hdlc.decode(octets).control.kind is Kind.UA
    return octets
