"""The dongles of a bench file, looked at one after the other: ``bench probe``."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness import installed
from harness.run_options import RunOptions
from hil import wall_clock
from hil.bench_file import LoadedBench
from hil.dongle_offers import of_home
from hil.dongle_place import Around, placed
from hil.dongle_probe import ProbedDongle, probed
from hil.dongle_sections import DongleSection
from hil.dongle_transcript import about_of, of_command


def probe_dongles(
    loaded: LoadedBench, options: RunOptions, names: Sequence[str] | None = None
) -> list[ProbedDongle]:
    """Ask the dongles of a bench file who they are; nothing is sent by radio.

    What was said on each line is kept: ``runs/probe-NAME-MOMENT/dongle``.

    Args:
        loaded: The bench file.
        options: Seed and overlays of loopback dongles.
        names: Which dongles; None: all.

    Raises:
        BenchError: A loopback dongle does not start.
        UsageError: Its home cannot be used, or a transcript cannot be written.
    """
    found = []
    for name, section in loaded.content.dongles.items():
        if names is None or name in names:
            about = about_of(name, section, loaded.content.bench.name, options.seed)
            kept = of_command(f"probe-{name}", None, about, clear=section.keep_keys)
            with _reachable(loaded, section, options) as path, kept as tap:
                found.append(asyncio.run(probed(name, section, path, tap)))
    return found


@contextmanager
def _reachable(loaded: LoadedBench, section: DongleSection, options: RunOptions) -> Iterator[str]:
    """Give the path of a dongle; a loopback one is there for as long."""

    def around() -> Around:
        own = of_home(loaded, options)
        return Around(installed.chosen(own), own, wall_clock.now())

    with placed(loaded.path, section, around) as place:
        yield place.path
