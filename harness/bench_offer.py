"""What a bench lacks for a scenario, and what would unlock it."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device_profiles.words import DeviceType
from harness.benches import BENCHES
from harness.run_options import RunOptions
from harness.scenario import Scenario
from harness.setting import bench_kind

#: Folder in a run folder for what devices on lines keep while the run is under way.
LINES: Final = "lines"


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing a scenario needs and a bench does not offer.

    Attributes:
        need: The need, as the scenario names it.
        unlock: What would have to be there, one sentence for people.
    """

    need: str
    unlock: str


def lacks(
    options: RunOptions,
    scenarios: Sequence[Scenario],
    benches: Mapping[str, str] = BENCHES,
) -> list[tuple[Lack, ...]]:
    """Return for each scenario what the bench lacks for it; nothing is opened.

    The module of the bench's kind says so by its function ``lacks``, called with the options and
    one scenario; a kind without one offers everything, as the emulated bench does.

    Raises:
        UsageError: The bench file cannot be used.
    """
    kind = bench_kind(options, benches)
    module = importlib.import_module(benches[kind].partition(":")[0])
    ask = getattr(module, "lacks", None)
    if ask is None:
        return [() for _scenario in scenarios]
    return [tuple(ask(options, scenario)) for scenario in scenarios]


@dataclass(frozen=True, slots=True)
class Standing:
    """What of one home of a run stands on a bench, said without opening anything.

    Attributes:
        ref: The home.
        file: The bench file.
        bench: What people call the bench.
        devices: Device type -> endpoint, as the file has it; every other device is emulated.
        is_real: Whether a device of it is no program of ours.
        lacks: What keeps the home from being played there, the weightiest first.
        next_command: What to do about that.
    """

    ref: str
    file: Path
    bench: str
    devices: Mapping[DeviceType, str]
    is_real: bool = False
    lacks: tuple[Lack, ...] = ()
    next_command: str = ""

    @property
    def skipped(self) -> str:
        """Why the home cannot be played there, and what to do; empty where it can."""
        if not self.lacks:
            return ""
        lacking = "; ".join(f"{one.need}: it takes {one.unlock}" for one in self.lacks)
        return f"bench {self.bench}: {lacking} (next: {self.next_command})"

    def __str__(self) -> str:
        """Return what stands there, in words."""
        there = ", ".join(f"{role} on {where}" for role, where in self.devices.items())
        real = " (real: read, never written to)" if self.is_real else ""
        return f"bench {self.bench}: {there}{real}; all else emulated"
