"""What the decision table says of bilingual PPMIDs is what happens, in every cohort and mode."""

from pathlib import Path

import pytest

from harness.run_options import RunOptions
from harness.runner import start
from harness.setting import Setting
from harness.verdict import Verdict
from tests.scenarios.bilingual_cohorts import SCENARIOS

_MODULE = "tests.scenarios.bilingual_cohorts"
SETTING = Setting(catalogue={one.id: f"{_MODULE}:{name}" for name, one in SCENARIOS.items()})


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_decision_is_what_happens(name: str, tmp_path: Path) -> None:
    chosen = SCENARIOS[name]
    options = RunOptions(accepted=frozenset({chosen.id, *(ref.id for ref in chosen.clauses)}))
    _folder, record = start([chosen.id], options, out=tmp_path, setting=SETTING)
    (result,) = record.scenarios
    assert (result.verdict, result.reason) == (Verdict.PASS, result.reason)
