"""Playing scenarios in tests: each in a folder of its own, accepted rules and all."""

import importlib
from pathlib import Path

from harness.report.model import RunRecord, ScenarioRecord
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.runner import start
from harness.scenario import Scenario
from harness.scenarios.catalogue import CATALOGUE


def scenario(scenario_id: str) -> Scenario:
    """The scenario of that id."""
    module, name = CATALOGUE[scenario_id].split(":")
    found = getattr(importlib.import_module(module), name)
    assert isinstance(found, Scenario)
    return found


def play(
    scenario_id: str,
    out: Path,
    *,
    seed: int = 1,
    defects: tuple[str, ...] = (),
    faults: tuple[str, ...] = (),
    **more: object,
) -> tuple[RunFolder, ScenarioRecord]:
    """Run one scenario, its inferred rules accepted, and return what came of it."""
    accepted = frozenset({scenario_id, *(ref.id for ref in scenario(scenario_id).clauses)})
    options = RunOptions(
        seed=seed,
        defects=defects,
        faults=faults,
        accepted=accepted,
        **more,  # type: ignore[arg-type]  # a test names fields of RunOptions
    )
    folder, record = start((scenario_id,), options, out=out)
    return folder, only(record)


def only(record: RunRecord) -> ScenarioRecord:
    """The one scenario of a run."""
    (found,) = record.scenarios
    return found
