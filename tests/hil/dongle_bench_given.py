"""Bench files with dongles, and what plays on them; for tests."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from harness.run_options import RunOptions
from hil import dongle_bench, dongle_offers
from hil.bench_file import LoadedBench, load_bench

T = TypeVar("T")
HEAD = '[bench]\nname = "loop"\noperator = "A. Fitter"\nreopen_s = 60\n'
STICK = '\n[dongles.stick]\nendpoint = "loopback:dongle"\nrole = "hub"\n'
#: One device is enough where a test is about the bench and not about the home.
ESME = '\n[roles.ESME]\nendpoint = "dongle:stick"\n'


def bench_file(folder: Path, text: str = HEAD + STICK + ESME) -> LoadedBench:
    """Write a bench file and read it."""
    path = folder / "bench.toml"
    path.write_text(text, "utf-8")
    return load_bench(path)


def on_bench(
    loaded: LoadedBench,
    scene: Callable[[Any], Awaitable[T]],
    options: RunOptions | None = None,
) -> T:
    """Open a bench in its own loop, play a scene on it, and close it."""
    chosen = options or RunOptions(bench=loaded.path, world=dongle_offers.HOME_WORLD)

    async def played() -> T:
        bench = await dongle_bench.open_bench(loaded, chosen)
        try:
            return await scene(bench)
        finally:
            await bench.close()

    with asyncio.Runner(loop_factory=lambda: dongle_offers.new_event_loop(loaded)) as runner:
        return runner.run(played())
