"""Migrations with troubles by chance: a named end, reconciled totals, invariants at every step."""

from pathlib import Path

import pytest

from harness.migration.states import RESTING
from tests.harness.migration.random_schedules import play, schedule

_SOAKED = 2000
_CHUNK = 100


@pytest.mark.parametrize("seed", range(10))
def test_a_schedule_ends_in_a_named_state(seed: int, tmp_path: Path) -> None:
    record = play(seed, tmp_path).records[0]
    assert record.state in RESTING


def test_schedules_are_drawn_from_their_seed_alone() -> None:
    assert [schedule(seed) for seed in range(50)] == [schedule(seed) for seed in range(50)]
    drawn = [schedule(seed) for seed in range(200)]
    assert len({one.cohort for one in drawn}) == 5
    assert any(one.defects for one in drawn)
    assert any(fault.startswith("file:") for one in drawn for fault in one.faults)
    assert any(not one.faults and not one.defects for one in drawn)


@pytest.mark.soak
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("first", range(10, 10 + _SOAKED, _CHUNK))
def test_two_thousand_schedules(first: int, tmp_path: Path) -> None:
    broken = []
    for seed in range(first, first + _CHUNK):
        try:
            play(seed, tmp_path / str(seed))
        except AssertionError as error:
            broken.append(str(error))
    assert not broken, "\n".join(broken)
