"""The world: messages through tunnels, power, memory."""

from typing import Any

import pytest

from emulator.core.ids import Eui64
from emulator.runtime.snapshot import SnapshotError, pack, unpack
from emulator.runtime.world import World
from tests.emulator.runtime.small_world import (
    CHF,
    ESME,
    GSME,
    SECOND_US,
    Shape,
    message_for,
    meter,
    small_world,
)


def run_s(world: World, seconds: float) -> None:
    world.run_until(world.now_us + round(seconds * SECOND_US))


def notes(world: World, kind: str) -> list[dict[str, Any]]:
    return [dict(fact.fields) for fact in world.records.take_facts() if fact.kind == kind]


@pytest.mark.parametrize("size", [9, 40, 61, 62, 200, 1200])
def test_a_message_of_any_size_crosses_the_tunnel_and_its_answer_comes_back(size: int) -> None:
    world = small_world()
    message = message_for(ESME, size)
    world.send_wan(message)
    run_s(world, 30)
    assert meter(world, ESME).heard == [message.hex()]
    assert list(world.to_dsp) == [message[::-1]]


def test_messages_arrive_in_the_order_they_were_sent() -> None:
    world = small_world()
    sent = [message_for(ESME, 150, mark) for mark in range(20)]
    for message in sent:
        world.send_wan(message)
    run_s(world, 60)
    assert meter(world, ESME).heard == [message.hex() for message in sent]
    assert list(world.to_dsp) == [message[::-1] for message in sent]


def test_a_sleepy_gsme_receives_only_in_its_window() -> None:
    world = small_world()
    started = world.now_us
    sent = [message_for(GSME, 300, mark) for mark in range(3)]
    for message in sent:
        world.send_wan(message)
    run_s(world, 299)
    assert meter(world, GSME).heard == []
    run_s(world, 60)
    assert meter(world, GSME).heard == [message.hex() for message in sent]
    windows = [(at * 1000 - started) / SECOND_US % 300 for at in meter(world, GSME).heard_at]
    assert all(0 <= second <= 21 for second in windows)
    assert list(world.to_dsp) == [message[::-1] for message in sent]


def test_a_message_longer_than_the_tunnel_takes_is_refused_by_name() -> None:
    world = small_world(Shape(limit_bytes=100))
    world.send_wan(message_for(ESME, 101))
    run_s(world, 5)
    refusals = notes(world, "tunnel_message_refused")
    assert [(row["reason"], row["octets"], row["limit"]) for row in refusals] == [
        ("too-long", 101, 100)
    ]


def test_more_messages_than_the_hub_keeps_for_a_sleeper_are_refused_by_name() -> None:
    world = small_world()
    for mark in range(40):
        world.send_wan(message_for(GSME, 100, mark))
    run_s(world, 5)
    assert [row["reason"] for row in notes(world, "tunnel_message_refused")] == ["queue-full"] * 8


def test_a_message_for_nobody_is_refused_by_name() -> None:
    world = small_world()
    world.send_wan(message_for(Eui64(bytes(8)), 50))
    run_s(world, 5)
    assert [row["reason"] for row in notes(world, "tunnel_message_refused")] == ["unknown-device"]


@pytest.mark.parametrize("victim", [CHF, ESME])
def test_after_a_power_cut_the_tunnel_is_opened_again_and_messages_go_through(
    victim: Eui64,
) -> None:
    world = small_world()
    run_s(world, 10)
    world.cut_power(victim, 30)
    run_s(world, 60)
    message = message_for(ESME, 300)
    world.send_wan(message)
    run_s(world, 120)
    assert meter(world, ESME).heard == [message.hex()]
    assert list(world.to_dsp) == [message[::-1]]


@pytest.mark.parametrize(("second_s", "back_after_s"), [(5, 15), (100, 110), (0, None)])
def test_when_power_cuts_overlap_the_last_one_says_when_power_returns(
    second_s: float, back_after_s: int | None
) -> None:
    world = small_world()
    run_s(world, 5)
    world.cut_power(ESME, 30)
    run_s(world, 10)
    world.cut_power(ESME, second_s)
    powered = []
    for second in range(11, 201):
        run_s(world, 1)
        if world.box(ESME).powered:
            powered.append(second)
    assert (powered[0] if powered else None) == back_after_s


def test_a_message_sent_while_its_device_has_no_power_arrives_when_it_has() -> None:
    world = small_world()
    run_s(world, 10)
    world.cut_power(ESME, 7200)
    run_s(world, 1)
    message = message_for(ESME, 300)
    world.send_wan(message)
    run_s(world, 7100)
    assert meter(world, ESME).heard == []
    run_s(world, 200)
    assert meter(world, ESME).heard == [message.hex()]


def test_a_message_for_a_hub_without_power_waits_for_it() -> None:
    world = small_world()
    run_s(world, 10)
    world.cut_power(CHF, 100)
    run_s(world, 1)
    message = message_for(ESME, 300)
    world.send_wan(message)
    assert world.has_taken(message)
    run_s(world, 90)
    assert meter(world, ESME).heard == []
    run_s(world, 100)
    assert meter(world, ESME).heard == [message.hex()]


def test_a_hub_without_power_forgets_the_messages_it_held_and_says_so() -> None:
    world = small_world()
    world.send_wan(message_for(GSME, 100))
    run_s(world, 5)
    world.cut_power(CHF, 10)
    run_s(world, 1)
    assert [row["messages"] for row in notes(world, "tunnel_queue_lost")] == [1]
    run_s(world, 400)
    assert meter(world, GSME).heard == []


def busy_world(seed: int = 1) -> World:
    """A world with traffic both ways, faults, a power cut and a sleeper."""
    faults = ["drop:p=0.05@han", "corrupt:p=0.05@han", "power-cycle:after_s=40,off_s=10@esme"]
    world = small_world(Shape(chatty_s=7, wake_s=30, window_s=10), faults=faults, seed=seed)
    for mark in range(4):
        world.send_wan(message_for(ESME, 130, mark))
        world.send_wan(message_for(GSME, 130, mark))
    return world


def octets_of(world: World) -> list[tuple[int, str, bytes, str]]:
    return [(s.at_us, s.link, s.octets, s.comment) for s in world.records.take_frames(1 << 62)]


@pytest.mark.parametrize("stop_ms", [0, 1, 249, 777, 1003, 5_500, 12_345, 40_001, 45_000, 61_234])
def test_a_restored_world_goes_on_with_the_same_octets(stop_ms: int) -> None:
    world = busy_world()
    world.run_until(world.now_us + stop_ms * 1000)
    state = world.dump()
    end_us = world.now_us + 60 * SECOND_US
    world.run_until(end_us)
    went_on, final = octets_of(world), world.dump()

    other = busy_world()
    other.load(state)
    assert other.dump() == state
    other.run_until(end_us)
    assert octets_of(other) == went_on
    assert other.dump() == final

    world.load(state)  # the world itself, thrown back
    world.run_until(end_us)
    assert octets_of(world) == went_on


def test_dumping_after_every_event_changes_nothing() -> None:
    plain, dumped = busy_world(), busy_world()
    plain.run_until(plain.now_us + 20 * SECOND_US)
    end_us = dumped.now_us + 20 * SECOND_US
    while (due := dumped.next_due()) is not None and due <= end_us:
        dumped.step()
        state = dumped.dump()
        dumped = busy_world()
        dumped.load(state)
    dumped.run_until(end_us)
    assert octets_of(plain) == octets_of(dumped)


def test_one_seed_gives_one_row_of_octets_and_another_seed_another() -> None:
    rows = []
    for seed in (1, 1, 2):
        world = busy_world(seed)
        world.run_until(world.now_us + 60 * SECOND_US)
        rows.append(octets_of(world))
    assert rows[0] == rows[1]
    assert rows[0] != rows[2]


def test_a_state_of_another_run_is_refused() -> None:
    state = small_world(seed=1).dump()
    with pytest.raises(SnapshotError, match="another installation, seed or faults"):
        small_world(seed=2).load(state)
    with pytest.raises(SnapshotError, match="another installation, seed or faults"):
        small_world(seed=1, faults=["drop:n=1@han"]).load(state)


@pytest.mark.parametrize("spoil", ["", "x", "cut", "flip"])
def test_a_damaged_state_is_refused(spoil: str) -> None:
    state = small_world().dump()
    damaged = {
        "": b"",
        "x": b"x" + state,
        "cut": state[:-5],
        "flip": state[:100] + bytes([state[100] ^ 1]) + state[101:],
    }[spoil]
    with pytest.raises(SnapshotError):
        small_world().load(damaged)


def test_plain_data_survives_packing() -> None:
    value: dict[str, Any] = {"a": [1, -2.5, None, True, "x", b"\x00\xff", (1, (b"", []))], "b": {}}
    assert unpack(pack(value)) == value
    assert isinstance(unpack(pack((1,))), tuple)
