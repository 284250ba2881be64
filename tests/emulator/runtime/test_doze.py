"""Homes that doze: as far as those that lived through every window, and costing nothing."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from device_profiles.installation import Installation
from device_profiles.words import InstallationClass, SupplyShape
from emulator.core.clock import UtcMs
from emulator.runtime.virtual_time import VirtualTimeLoop
from emulator.runtime.world import World
from harness.benches.emulated_smets1 import EmulatedSmets1Bench, open_homes
from harness.new_installations import Order, generate
from harness.run_options import RunOptions

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
#: Numbers that windows use up, and moments of frames that came in one.
USED_UP = ("sequence", "mac", "nwk", "used", "acked", "taken", "records", "air", "entries")


def homes(count: int = 2) -> tuple[Installation, ...]:
    order = Order(count, 1, "EA", SupplyShape.DUAL_FUEL, InstallationClass.ACTIVE)
    return generate(order, ())


def bench(of: Sequence[Installation], *, doze: bool, gap_ms: int = 90_000) -> EmulatedSmets1Bench:
    settings = {"doze": doze, "gap_ms": gap_ms}
    return open_homes(of, RunOptions(seed=1, world="SMETS1", settings=settings))


def worlds(of: EmulatedSmets1Bench) -> list[World]:
    return [home.world for home in of._homes.homes.values()]


def lasting(state: Any) -> Any:
    """Return a state without what windows use up."""
    if isinstance(state, dict):
        return {name: lasting(value) for name, value in state.items() if name not in USED_UP}
    if isinstance(state, list):
        return [lasting(value) for value in state]
    return state


def due(world: World) -> list[tuple[Any, ...]]:
    """Return what will happen: when, what, where."""
    return [(row[0], *row[2:]) for row in world.state()["agenda"]["entries"]]


def kept(world: World) -> dict[str, Any]:
    state = world.state()
    state["boxes"] = [
        {**box, "device": world.boxes[number].inside.dump()}
        for number, box in enumerate(state["boxes"])
    ]
    found: dict[str, Any] = lasting(state)
    return found


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often anything happened in a world."""
    steps, step = [0], World._step

    def counting(self: World) -> None:
        steps[0] += 1
        step(self)

    monkeypatch.setattr(World, "_step", counting)
    return steps


def test_days_of_homes_that_doze_cost_no_step(counted: list[int]) -> None:
    group = bench(homes(4), doze=True)._homes
    group.run_until(group.now_us + 12 * HOUR_US)
    assert group.next_due() is None
    before = counted[0]
    group.run_until(group.now_us + 30 * DAY_US)
    assert counted[0] == before


def test_days_of_homes_that_do_not_doze_are_lived_through(counted: list[int]) -> None:
    group = bench(homes(2), doze=False)._homes
    group.run_until(group.now_us + 2 * HOUR_US)
    before = counted[0]
    group.run_until(group.now_us + DAY_US)
    assert counted[0] > before + 2 * 48


@pytest.mark.parametrize("second", [2, 5, 11, 35, 69, 70, 71, 72, 600, 1799])
def test_a_home_that_dozed_is_as_far_as_one_that_lived_through_it(second: int) -> None:
    dozing, awake = bench(homes(), doze=True)._homes, bench(homes(), doze=False)._homes
    start_us = dozing.now_us
    # The second home is switched on 90 s after the first; its gas meter is the third box.
    wake_us = start_us + 90 * SECOND_US + 2 * 250_000
    for group in (dozing, awake):
        group.run_until(start_us + HOUR_US)
        group.run_until(wake_us + 3 * DAY_US + second * SECOND_US + 1)
    one, other = ([*group.homes.values()][1].world for group in (dozing, awake))
    assert kept(one) == kept(other)
    assert due(one) == due(other)
    for group in (dozing, awake):
        group.run_until(group.now_us + 2 * HOUR_US + 17 * SECOND_US)
    assert kept(one) == kept(other)
    assert due(one) == due(other)


def test_a_home_that_dozed_answers_as_one_that_did_not_and_at_the_same_moment() -> None:
    def answered(*, doze: bool) -> list[int]:
        here = bench(homes(), doze=doze)
        ref = [*here._homes.homes][1]

        async def ask() -> list[int]:
            moments = []
            await here.clock.sleep_until(UtcMs(here.clock.now() + 5 * DAY_US // 1000))
            for role in ("ESME", "GSME"):
                name = here._section(here.role(role)).associations[0].name
                port = here.meter(f"{role}@{ref}")
                told = await port.associate(here.credentials(f"{role}@{ref}", name))
                moments += [here.clock.now(), int(told.accepted)]
                await port.release()
            return moments

        loop = VirtualTimeLoop()
        try:
            return loop.run_until_complete(asyncio.wait_for(ask(), 30 * 86_400))
        finally:
            loop.close()

    assert answered(doze=True) == answered(doze=False)


def test_a_home_with_a_fault_at_work_does_not_doze() -> None:
    group = bench(homes(), doze=True)._homes
    group.run_until(group.now_us + 12 * HOUR_US)
    assert group.next_due() is None
    group.first.disturb("drop:p=0.5@han")
    assert group.next_due() is not None
    group.first.disturb("clear@han")
    assert group.next_due() is None


def test_a_home_that_was_put_back_dozes_as_before() -> None:
    group, again = bench(homes(), doze=True)._homes, bench(homes(), doze=True)._homes
    group.run_until(group.now_us + 3 * DAY_US + 123_456)
    again.load_state(group.state())
    assert (again.now_us, again.next_due()) == (group.now_us, None)
    until_us = group.now_us + DAY_US + 200 * SECOND_US
    for one in (group, again):
        one.run_until(until_us)
    assert [world.state() for world in worlds_of(group)] == [
        world.state() for world in worlds_of(again)
    ]


def worlds_of(group: Any) -> list[World]:
    return [home.world for home in group.homes.values()]


def test_homes_are_switched_on_one_after_the_other_within_half_an_hour() -> None:
    group = bench(homes(25), doze=True)._homes
    first_us = group.now_us
    on = [min(row[0] for row in due(world)) - first_us for world in worlds_of(group)]
    assert on[:3] == [0, 90 * SECOND_US, 180 * SECOND_US]
    assert max(on) < 1800 * SECOND_US
    assert on[20] == on[0]
