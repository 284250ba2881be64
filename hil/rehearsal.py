"""How long a scenario takes by its devices' clocks, learnt by playing it on the emulated bench."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from harness.errors import HarnessError
from harness.report.model import ScenarioRecord
from harness.run_options import RunOptions
from harness.runner import start
from harness.setting import Setting

#: Longest time of the wall that a scenario may take on a paced bench, seconds.
#: Source: acceptance of issue 6.
LIMIT_S: Final = 60.0
_DAY_S, _HOUR_S, _MINUTE_S = 86_400, 3_600, 60


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What playing a scenario on the emulated bench came to.

    Attributes:
        seconds: How long it took by its devices' clocks.
        verdict: Its verdict.
    """

    seconds: float
    verdict: str


#: What has been rehearsed in this process.
_KNOWN: dict[str, Rehearsed] = {}


def rehearse(options: RunOptions) -> Rehearsed:
    """Play the scenario of a run on the emulated bench, once in a process.

    Args:
        options: The choices of the run, of which ``scenario`` is one.

    Raises:
        HarnessError: It cannot be played at all.
    """
    own = _own(options)
    key = repr(own.dump()) + options.scenario
    known = _KNOWN.get(key)
    if known is None:
        known = _KNOWN[key] = _played(own, options.scenario)
    return known


def too_long(options: RunOptions, factor: float) -> str:
    """Return why a scenario takes too long on a paced bench; empty where it does not.

    Raises:
        HarnessError: It cannot be played at all.
    """
    seconds = rehearse(options).seconds
    if seconds / factor <= LIMIT_S:
        return ""
    return (
        f"{options.scenario} takes {spoken(seconds)} by its devices' clocks (rehearsed on the"
        f" emulated bench); at clock_factor {factor:g} that is {spoken(seconds / factor)}, more"
        f" than {LIMIT_S:g} s"
    )


def spoken(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds >= 2 * _DAY_S:
        return f"{seconds / _DAY_S:.1f} days"
    if seconds >= 2 * _HOUR_S:
        return f"{seconds / _HOUR_S:.1f} h"
    if seconds >= 2 * _MINUTE_S:
        return f"{seconds / _MINUTE_S:.1f} min"
    return f"{seconds:.0f} s"


def _own(options: RunOptions) -> RunOptions:
    """Return the options without what the runner adds by itself."""
    scenario = Setting().scenario(options.scenario)
    extra = len(scenario.faults)
    faults = options.faults[: len(options.faults) - extra] if extra else options.faults
    return replace(
        options, bench=None, faults=faults, world="", devices=(), scenario="", settings={}
    )


def _played(options: RunOptions, name: str) -> Rehearsed:
    with tempfile.TemporaryDirectory(prefix="smetsbench-rehearsal-") as folder:
        _folder, record = start([name], options, out=Path(folder) / "run")
    (played,) = record.scenarios
    return Rehearsed(_seconds(played), str(played.verdict))


def _seconds(played: ScenarioRecord) -> float:
    if played.started_at is None or played.ended_at is None:
        raise HarnessError(f"{played.id} was not played on the emulated bench", where=played.id)
    return (played.ended_at - played.started_at) / 1000


def known() -> Mapping[str, Rehearsed]:
    """Return what has been rehearsed so far; for tests."""
    return _KNOWN
