"""The dongles of a bench file, looked at one after the other: ``bench probe``."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness import installed
from harness.run_options import RunOptions
from hil import wall_clock
from hil.bench_file import LoadedBench
from hil.dongle_child import DongleChild
from hil.dongle_offers import of_home
from hil.dongle_probe import ProbedDongle, probed
from hil.dongle_sections import DongleSection


def probe_dongles(
    loaded: LoadedBench, options: RunOptions, names: Sequence[str] | None = None
) -> list[ProbedDongle]:
    """Ask the dongles of a bench file who they are; nothing is sent by radio.

    Args:
        loaded: The bench file.
        options: Seed and overlays of loopback dongles.
        names: Which dongles; None: all.

    Raises:
        BenchError: A loopback dongle does not start.
        UsageError: Its home cannot be used.
    """
    found = []
    for name, section in loaded.content.dongles.items():
        if names is None or name in names:
            with _reachable(loaded, section, options) as path:
                found.append(asyncio.run(probed(name, section, path)))
    return found


@contextmanager
def _reachable(loaded: LoadedBench, section: DongleSection, options: RunOptions) -> Iterator[str]:
    """Give the path of a dongle; a loopback one is there for as long."""
    if not section.is_loopback:
        yield section.where.target
        return
    own = of_home(loaded, options)
    child = DongleChild.start(section, installed.chosen(own), own, wall_clock.now())
    try:
        yield child.path
    finally:
        child.stop()
