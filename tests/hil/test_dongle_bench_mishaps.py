"""What becomes of a bench whose dongle resets, breaks, falls silent or is unplugged in a run."""

import asyncio
import time
from pathlib import Path

import pytest

from emulator.core.clock import UtcMs
from harness.errors import BenchError
from hil.dongle_bench import DongleBench
from hil.paced_loop import wall_seconds
from tests.hil.dongle_bench_given import bench_file, on_bench

#: The contract gives a bench 15 s to notice; a machine that is not ours alone gets more.
PATIENCE_S = 40
HOUR_MS = 3_600_000


async def lost_by(bench: DongleBench, order: str) -> tuple[BenchError, float]:
    """Let something befall the dongle while somebody waits; return what that came to, and when."""
    child = bench.child
    assert child is not None
    waits = asyncio.ensure_future(bench.clock.sleep_until(UtcMs(bench.clock.now() + 100 * HOUR_MS)))
    await asyncio.sleep(wall_seconds(0.2))
    begun = time.monotonic()
    await asyncio.to_thread(child.child.ask, order)
    with pytest.raises(BenchError) as caught:
        async with asyncio.timeout(wall_seconds(PATIENCE_S)):
            await waits
    return caught.value, time.monotonic() - begun


async def is_back(bench: DongleBench) -> None:
    """Wait until the bench goes on."""
    async with asyncio.timeout(wall_seconds(PATIENCE_S)):
        while True:
            try:
                await bench.clock.sleep_until(UtcMs(bench.clock.now() + 1000))
            except BenchError:
                await asyncio.sleep(wall_seconds(0.2))
            else:
                return


@pytest.mark.parametrize(
    ("order", "amends"),
    [
        ("unplug", ""),
        pytest.param("reset", "", marks=pytest.mark.soak),
        pytest.param("fail", "", marks=pytest.mark.soak),
        pytest.param("silence on", "silence off", marks=pytest.mark.soak),
    ],
)
def test_a_mishap_in_a_run_is_an_error_of_the_bench_and_the_bench_goes_on_when_it_is_back(
    order: str, amends: str, tmp_path: Path
) -> None:
    async def scene(bench: DongleBench) -> tuple[BenchError, float]:
        error, seconds = await lost_by(bench, order)
        if amends:
            assert bench.child is not None
            await asyncio.to_thread(bench.child.child.ask, amends)
        await is_back(bench)
        return error, seconds

    error, seconds = on_bench(bench_file(tmp_path), scene)
    assert "dongle" in error.what
    assert error.next_command
    assert seconds < PATIENCE_S
