"""What a bench lacks for a scenario, and what would unlock it."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.benches import BENCHES
from harness.run_options import RunOptions
from harness.scenario import Scenario
from harness.setting import bench_kind


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
