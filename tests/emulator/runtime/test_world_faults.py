"""Faults in a world: every one leaves a note and a mark in the capture."""

from typing import Any

import pytest

from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Payload
from emulator.core.errors import MalformedFrameError
from emulator.runtime.world import World
from tests.emulator.runtime.small_world import (
    CHF,
    ESME,
    GSME,
    SECOND_US,
    ScriptedMeter,
    message_for,
    meter,
    small_world,
)


def run_s(world: World, seconds: float) -> None:
    world.run_until(world.now_us + round(seconds * SECOND_US))


def faults_of(world: World) -> list[dict[str, Any]]:
    facts = world.records.take_facts()
    return [{"device": f.device, **dict(f.fields)} for f in facts if f.kind == "fault"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("drop:kind=tunnel.request,n=1@han", "tunnel.request"),
        ("corrupt:kind=aps.ack,n=2@han", "aps.ack"),
        ("duplicate:kind=tunnel.transfer-data,n=1@han", "tunnel.transfer-data"),
        ("truncate:kind=tunnel.transfer-data,n=2@han", "tunnel.transfer-data"),
        ("delay:ms=300,n=1@wan-in", "wan-in"),
        ("delay:ms=300,n=1@wan-out", "wan-out"),
    ],
)
def test_every_strike_is_noted_and_marked_in_the_capture_and_the_message_still_arrives(
    text: str, label: str
) -> None:
    world = small_world(faults=[text])
    message = message_for(ESME, 200)
    world.send_wan(message)
    run_s(world, 60)
    assert meter(world, ESME).heard == [message.hex()]
    assert list(world.to_dsp) == [message[::-1]]
    strikes = faults_of(world)
    assert [(row["fault"], row["frame"]) for row in strikes] == [(text, label)]
    marked = [seen for seen in world.records.take_frames(1 << 62) if text in seen.comment]
    assert len(marked) == (2 if text.startswith("duplicate") else 1)
    assert marked[0].comment.endswith("(lost)") == text.startswith("drop")


def test_a_lost_message_of_the_wan_is_lost() -> None:
    world = small_world(faults=["drop:n=1@wan-in"])
    message = message_for(ESME, 200)
    world.send_wan(message)
    run_s(world, 60)
    assert meter(world, ESME).heard == []
    assert not world.has_taken(message)
    world.send_wan(message)
    run_s(world, 60)
    assert meter(world, ESME).heard == [message.hex()]


def test_power_is_cut_by_time_and_by_note() -> None:
    world = small_world(
        faults=["power-cycle:after_s=10,off_s=3@esme", "power-loss:note=power,off_s=2@gsme"]
    )
    run_s(world, 9)
    assert world.box(ESME).powered
    run_s(world, 2)
    assert not world.box(ESME).powered
    run_s(world, 3)
    assert world.box(ESME).powered
    assert [row["effect"] for row in faults_of(world)] == ["power off for 3 s"]


def test_power_can_go_for_good() -> None:
    world = small_world(faults=["power-loss:after_s=5,off_s=0@chf"])
    run_s(world, 86_400)
    assert not world.box(CHF).powered
    assert [row["effect"] for row in faults_of(world)] == ["power off for good"]


def test_a_battery_can_run_low() -> None:
    world = small_world(faults=["battery-low:days=7,after_s=1@gsme"])
    run_s(world, 2)
    assert meter(world, GSME).battery_days == 7


@pytest.mark.parametrize(
    "text",
    ["battery-low:after_s=1@chf", "valve-stuck:after_s=1@gsme", "power-cycle:after_s=1@ppmid"],
)
def test_a_fault_that_can_do_nothing_says_so(text: str) -> None:
    world = small_world(faults=[text])
    run_s(world, 2)
    kinds = [fact.kind for fact in world.records.take_facts()]
    assert kinds.count("fault") == 1
    assert ("fault_without_effect" in kinds) == ("ppmid" not in text)


class Choking(ScriptedMeter):
    """A device that does not catch what it cannot read."""

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        if event is DeviceEvent.GBCS:
            raise MalformedFrameError("test", b"", "cannot be read")
        return super().handle(event, payload, now)


def test_octets_a_device_chokes_on_stop_nothing() -> None:
    world = small_world()
    world.box(ESME).device = Choking(ESME)
    world.send_wan(message_for(ESME, 50))
    run_s(world, 5)
    notes = [fact for fact in world.records.take_facts() if fact.kind == "malformed_frame"]
    assert [(note.device, dict(note.fields)["layer"]) for note in notes] == [(ESME, "test")]
