"""Tasks in processes of their own."""

import pytest

from harness.errors import BenchError
from harness.workers import Workshop, play_all
from tests.harness.worker_kit import Doubling, doubling, dying


def test_tasks_are_played_here_or_in_processes_with_the_same_outcomes() -> None:
    tasks = [{"numbers": list(range(n, n + 3))} for n in range(0, 12, 3)]
    here = list(play_all(Workshop(doubling, Doubling(2)), tasks, 1))
    there = list(play_all(Workshop(doubling, Doubling(2)), tasks, 2))
    assert sorted(one["value"] for one in there) == sorted(one["value"] for one in here)
    assert [one["value"] for one in here] == [2 * n for n in range(12)]


def test_a_process_that_dies_ends_the_run_with_a_word_on_it() -> None:
    with pytest.raises(BenchError, match="died"):
        list(play_all(Workshop(dying, None), [{"n": 1}, {"n": 2}], 2))
