"""Every row of the migration pack passes on sound parties, and fails under its saboteur."""

from pathlib import Path

import pytest

from emulator.devices.defects import DEFECTS as DEVICE_DEFECTS
from harness.parties.migration_defects import DEFECTS as MIGRATION_DEFECTS
from harness.scenarios.catalogue import CATALOGUE
from harness.verdict import Verdict
from tests.scenarios.played import play, scenario

ROWS = [row for row in CATALOGUE if row.startswith("MIG-")]
#: One row of each kind that runs every day; the rest runs in the soak.
DAILY = ["MIG-026", "MIG-057", "MIG-068", "MIG-098"]
SOAK = [row for row in ROWS if row not in DAILY]
EVERY = [*DAILY, *(pytest.param(row, marks=pytest.mark.soak) for row in SOAK)]


@pytest.mark.parametrize("row", ROWS)
def test_a_row_says_what_it_claims(row: str) -> None:
    found = scenario(row)
    assert found.id == row
    assert found.clauses
    assert found.expected_events or found.settings.get("any_device")  # steps depend on the bench
    assert found.silent
    assert found.saboteur in {*DEVICE_DEFECTS, *MIGRATION_DEFECTS}
    assert {ref.id for ref in found.clauses} == {c for step in found.steps for c in step.clauses}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("row", EVERY)
def test_a_row_passes_when_all_do_right(row: str, tmp_path: Path) -> None:
    _, result = play(row, tmp_path / "run")
    assert (result.verdict, result.reason) == (Verdict.PASS, result.reason)
    assert result.outcome in scenario(row).expectation.outcomes


@pytest.mark.timeout(300)
@pytest.mark.parametrize("row", EVERY)
def test_a_row_fails_under_its_saboteur(row: str, tmp_path: Path) -> None:
    _, result = play(row, tmp_path / "run", defects=(scenario(row).saboteur,))
    assert result.verdict is Verdict.FAIL, result.reason


@pytest.mark.timeout(300)
@pytest.mark.parametrize("row", ["MIG-026", pytest.param("MIG-028", marks=pytest.mark.soak)])
def test_the_same_seed_gives_the_same_octets_and_another_seed_others(
    row: str, tmp_path: Path
) -> None:
    one, _ = play(row, tmp_path / "one")
    again, _ = play(row, tmp_path / "again")
    other, result = play(row, tmp_path / "other", seed=2)
    captured = [folder.file("capture").read_bytes() for folder in (one, again, other)]
    assert captured[0] == captured[1]
    assert captured[0] != captured[2]
    assert result.verdict is Verdict.PASS, result.reason
