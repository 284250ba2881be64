"""The bench of both worlds: one time, roles of both, and a state that comes back."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.crypto.keystore import KeyUsage
from harness.benches.emulated import new_event_loop
from harness.benches.emulated_both import EmulatedBothBench, open_bench
from harness.errors import BenchError
from harness.run_options import RunOptions
from harness.scenarios.smets1_firmware.homes import Home

HOUR_MS = 3_600_000
ROLES = [one.value for one in (DeviceType.CHF, DeviceType.ESME, DeviceType.PPMID)]


def options() -> RunOptions:
    return RunOptions(settings={"homes": (Home(gsme="").installation("FM-000"),)})


def on_a_bench(story: Callable[[EmulatedBothBench], Awaitable[None]]) -> None:
    async def whole() -> None:
        bench = open_bench(options())
        await story(bench)
        await bench.close()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(whole())


def test_each_role_names_a_device_of_its_own_world() -> None:
    async def story(bench: EmulatedBothBench) -> None:
        old = {bench.role(role) for role in ROLES}
        new = {bench.role(f"{role}@SMETS2+") for role in ROLES}
        assert len(old | new) == 2 * len(ROLES)
        assert bench.hub.eui64 == bench.role("CHF@SMETS2+")
        assert bench.credentials("ESME", "management").keys is not None
        with pytest.raises(BenchError):
            bench.meter("ESME@SMETS2+")
        with pytest.raises(BenchError):
            bench.role("GSME")
        assert bench.public_keys.find(bench.role("ESME@SMETS2+"), KeyUsage.DS) is not None

    on_a_bench(story)


def test_both_worlds_have_one_time() -> None:
    async def story(bench: EmulatedBothBench) -> None:
        began = bench.clock.now()
        await bench.clock.sleep_until(UtcMs(began + HOUR_MS))
        assert await bench.hub.received(UtcMs(began + 2 * HOUR_MS)) is None
        assert bench.clock.now() == began + 2 * HOUR_MS
        times = [one.at for one in bench.take_observations()]
        assert times == sorted(times)
        frames = [one.at_us for one in bench.take_frames()]
        assert frames == sorted(frames)

    on_a_bench(story)


def test_a_dumped_state_comes_back_with_its_moment() -> None:
    async def story(bench: EmulatedBothBench) -> None:
        await bench.clock.sleep_until(UtcMs(bench.clock.now() + HOUR_MS))
        state, at = bench.dump(), bench.clock.now()
        await bench.clock.sleep_until(UtcMs(at + 5 * HOUR_MS))
        bench.restore(state)
        assert bench.clock.now() == at
        assert bench.dump() == state

    on_a_bench(story)
