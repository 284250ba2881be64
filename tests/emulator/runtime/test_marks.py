"""Homes that are not dumped again because nothing but time happened: as good as those that are."""

from collections.abc import Callable
from typing import Any

import pytest

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.runtime.smets1_home import Smets1Emulation
from emulator.runtime.snapshots import unpack
from emulator.runtime.world import World
from harness.benches.emulated_smets1 import EmulatedSmets1Bench
from tests.emulator.runtime.test_doze import DAY_US, HOUR_US, SECOND_US, bench, homes, worlds

Act = Callable[[Smets1Emulation], object]

ACTS: dict[str, Act] = {
    "power": lambda home: home.world.cut_power(home.roles[DeviceType.ESME], 60),
    "fault": lambda home: home.world.disturb("drop:p=0.5@han"),
    "trouble": lambda home: home.world.trouble(
        home.roles[DeviceType.CHF], UtcMs(home.world.now_us // 1000 + 5)
    ),
    "sim": lambda home: home.world.move_sim("S1SP"),
    "message": lambda home: home.world.send_wan(b"\x00\x01\x00\x01\x00\x01\x00\x01\x60"),
    "device": lambda home: home.world.box(home.roles[DeviceType.ESME]).device.load(
        home.world.box(home.roles[DeviceType.ESME]).inside.dump()
    ),
    "facts": lambda home: home.world.records.note(
        home.world.now_us, home.roles[DeviceType.CHF], Note("looked", ())
    ),
    "chance": lambda home: home.world._chance.stream("a stream of its own").below(2),
}


def dumped(here: EmulatedSmets1Bench) -> bytes:
    return here._snapshots.pack(here._states())


def dumped_whole(here: EmulatedSmets1Bench) -> bytes:
    here._snapshots.clear()
    return dumped(here)


def put_back(octets: bytes, count: int) -> list[dict[str, Any]]:
    again = bench(homes(count), doze=True)
    again.restore(octets)
    return [world.state() for world in worlds(again)]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[World]:
    """The worlds whose states were made."""
    seen, whole = list[World](), World.state

    def noted(self: World) -> dict[str, Any]:
        seen.append(self)
        return whole(self)

    monkeypatch.setattr(World, "state", noted)
    return seen


def test_homes_at_rest_are_not_dumped_again_and_come_back_as_if_they_were(
    made: list[World],
) -> None:
    here, skipped = bench(homes(3), doze=True), 0
    group = here._homes
    wake_us = group.now_us + 90 * SECOND_US + 2 * 250_000  # of the second home's gas meter
    group.run_until(wake_us + 12 * HOUR_US + 300 * SECOND_US)
    dumped(here)
    moments = (2, 11, 35, 69, 71, 72, 600, 1799)  # the first ones are within a window of it
    for number, second in enumerate(moments):
        group.run_until(wake_us + (number + 1) * DAY_US + second * SECOND_US + 1)
        made.clear()
        sparing = dumped(here)
        skipped += 3 - len(made)
        now_us, states = group.now_us, [world.state() for world in worlds(here)]
        assert put_back(sparing, 3) == states
        assert all(state["now_us"] == now_us for state in states)
    assert 8 < skipped < 3 * 8


@pytest.mark.parametrize("name", ACTS)
def test_whatever_is_done_to_a_home_is_in_the_next_dump(name: str, made: list[World]) -> None:
    here = bench(homes(3), doze=True)
    group = here._homes
    group.run_until(group.now_us + 12 * HOUR_US + 300 * SECOND_US)
    dumped(here)
    made.clear()
    dumped(here)
    assert made == []
    home = [*group.homes.values()][1]
    ACTS[name](home)
    sparing = dumped(here)
    assert made == [home.world]
    assert unpack(sparing) == unpack(dumped_whole(here))


def test_a_bench_that_was_put_back_forgets_what_it_had_packed() -> None:
    here = bench(homes(2), doze=True)
    group = here._homes
    group.run_until(group.now_us + 12 * HOUR_US + 300 * SECOND_US)
    before = dumped(here)
    later = group.now_us + 9 * HOUR_US
    group.run_until(later)
    states = [world.state() for world in worlds(here)]
    here.restore(before)
    group.run_until(later)
    assert unpack(dumped(here)) == unpack(dumped_whole(here))
    assert [world.state() for world in worlds(here)] == states


@pytest.mark.parametrize("order", ["drop:p=0.5@han", "mute@wan", "power-loss:note=looked@gsme"])
def test_a_fault_that_is_ordered_wakes_a_home_that_dozes(order: str) -> None:
    here = bench(homes(3), doze=True)
    group = here._homes
    group.run_until(group.now_us + 12 * HOUR_US + 300 * SECOND_US)
    home = [*group.homes.values()][1]
    home.world.box(home.roles[DeviceType.ESME])  # the home has come to the moment of all
    group.next_due()  # everybody dozes
    home.world.disturb(order)
    again = bench(homes(3), doze=True)
    again.restore(dumped_whole(here))
    before, later = home.world.records.traffic, group.now_us + 2 * HOUR_US
    group.run_until(later)
    again._homes.run_until(later)
    assert home.world.records.traffic != before
    assert [world.state() for world in worlds(again)] == [world.state() for world in worlds(here)]
