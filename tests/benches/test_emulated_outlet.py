"""A home whose devices stand behind a radio, all of it in virtual time."""

import asyncio
from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.runtime.virtual_time import VirtualTimeLoop
from harness.benches.emulated_outlet_bench import Behind, OutletBench, outlet_bench
from harness.errors import BenchError
from harness.run_options import RunOptions
from harness.runner import start
from harness.setting import Setting
from harness.verdict import Verdict
from tests.benches.outlet_bench import hub_of, link_keys, new_event_loop, open_bench

BENCHES = {"emulated": "tests.benches.outlet_bench:open_bench"}
HOME = RunOptions(world="SMETS2+")
ESME = frozenset({DeviceType.ESME})
MINUTE_MS = 60_000


def played(folder: Path, *rows: str) -> dict[str, tuple[Verdict | None, str]]:
    _folder, record = start(rows, RunOptions(), out=folder / "run", setting=Setting(None, BENCHES))
    return {one.id: (one.verdict, one.reason) for one in record.scenarios}


@pytest.mark.parametrize(
    "row", ["FM-01", "FM-06", "FM-13", "FM-19", pytest.param("FM-*", marks=pytest.mark.soak)]
)
def test_firmware_rows_pass_with_every_device_behind_the_radio(row: str, tmp_path: Path) -> None:
    wrong = {
        name: told
        for name, told in played(tmp_path, row).items()
        if told[0] is not Verdict.PASS and "virtual-time" not in told[1] and "meter" not in told[1]
    }
    assert wrong == {}


def scene_of(bench: OutletBench) -> UtcMs:
    return UtcMs(bench.clock.now() + MINUTE_MS)


def test_a_device_under_another_code_is_not_there_and_the_bench_says_so() -> None:
    async def scene() -> None:
        keys = {eui64: bytes(16) for eui64 in link_keys(HOME)}
        bench = outlet_bench(HOME, Behind(ESME, link_keys={**keys}), OutletBench)
        try:
            with pytest.raises(BenchError, match="did not join"):
                await bench.admit(hub_of(HOME), 15)
        finally:
            await bench.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(scene())


def test_a_radio_that_is_lost_ends_every_wait_until_it_is_back() -> None:
    async def scene() -> None:
        hub = hub_of(HOME)
        devices = frozenset({DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID})
        bench = outlet_bench(HOME, Behind(devices, link_keys={**link_keys(HOME)}), OutletBench)
        bench.begin()
        await bench.admit(hub, 15)
        loop = asyncio.get_running_loop()
        loop.call_later(5, hub.break_off, "unplugged")
        with pytest.raises(BenchError, match="unplugged"):
            await bench.clock.sleep_until(scene_of(bench))
        with pytest.raises(BenchError):
            await bench.hub.send(b"anything")
        loop.call_later(5, hub.mend)
        await asyncio.sleep(10)
        await bench.clock.sleep_until(scene_of(bench))
        await bench.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(scene())


def test_nobody_looks_into_what_stands_behind_the_radio_or_switches_its_mains() -> None:
    async def scene() -> None:
        bench = await open_bench(HOME)
        esme = bench.role("ESME")
        await bench.clock.sleep_until(scene_of(bench))
        assert bench.memory("ESME") is None
        assert esme not in {one.device for one in bench.take_observations()}
        assert bench.describe()[f"ESME {esme}"]["network"] == "joined"
        with pytest.raises(BenchError, match="cannot be switched"):
            await bench.power.cycle(esme, 5)
        with pytest.raises(BenchError, match="cannot be made here"):
            await bench.disturb("self-test-fails@esme")
        await bench.disturb("drop@han")
        assert bench.dump() is None
        with pytest.raises(BenchError, match="cannot be put back"):
            bench.restore(b"state")
        await bench.close()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(scene())


def test_another_dongle_than_the_homes_hub_is_refused() -> None:
    async def scene() -> None:
        hub = hub_of(HOME)
        hub.eui64 = next(iter(link_keys(HOME)))
        bench = outlet_bench(HOME, Behind(ESME), OutletBench)
        if hub.eui64 == bench.role("CHF"):
            hub.eui64 = bench.role("ESME")
        with pytest.raises(BenchError, match="the dongle is"):
            await bench.admit(hub, 15)
        await bench.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(scene())
