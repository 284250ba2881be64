"""What a run costs grows with its homes and no faster: counted in calls, not in seconds."""

import cProfile
import pstats
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.runtime.world import World
from harness.door import state_pieces
from harness.door.mover import Mover
from harness.dust import engine
from harness.dust.record import DustRecord
from harness.migration.states import State
from tests.harness.dust.dust_runs import USER, run, written

DEFINITION = f"""
[run]
id = "T-N"
title = "so many"
cohort = "EA"
seed = 3
[participant]
name = "Example Supplier"
user_ids = ["{USER}"]
asks = ["4.1.1", "2.2"]
[capacity]
per_day = {{count}}
days = {{days}}
[[devices]]
name = "dual"
count = {{count}}
[[entry]]
id = "E1"
check = "epcl"
[[case]]
id = "C-001"
title = "migrated"
family = "happy-path"
set = "dual"
expect = [{{{{state = "Migrated"}}}}]
"""


def calls_of(folder: Path, count: int, patch: pytest.MonkeyPatch) -> Counter[str]:
    """Run so many homes; returns how often each function of ours was called: world and pack."""
    found: Counter[str] = Counter()

    def counted(whole: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*given: Any, **more: Any) -> Any:
            profile = cProfile.Profile()
            try:
                return profile.runcall(whole, *given, **more)
            finally:
                for (file, _line, name), row in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined] # untyped
                    if "/harness/" in file or "/emulator/" in file:
                        found[f"{Path(file).name} {name}"] += row[1]

        return counting

    home = folder / str(count)
    home.mkdir()
    with patch.context() as here:
        here.setattr(Mover, "_run", counted(Mover._run))
        here.setattr(engine, "_packed", counted(engine._packed))
        record = run(written(home, DEFINITION.format(count=count, days=1)), home / "run")
    assert [one.state for one in record.installations] == [State.MIGRATED] * count
    return found


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_twice_the_homes_are_no_more_than_twice_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, some, many = (calls_of(tmp_path, count, monkeypatch) for count in (4, 8, 16))
    each, later = (some.total() - few.total()) / 4, (many.total() - some.total()) / 8
    grown = {
        name: round(((many[name] - some[name]) / 8) / max(1, (some[name] - few[name]) / 4), 1)
        for name, _count in (many - some).most_common(300)
    }
    worst = sorted(grown.items(), key=lambda one: one[1])[-10:]
    assert later < 1.15 * each, f"{later:.0f} calls a home, {each:.0f} before; growing: {worst}"


def test_a_day_of_waiting_costs_no_step_in_any_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def steps(days: int) -> tuple[int, DustRecord]:
        done, step = [0], World._step

        def counting(self: World) -> None:
            done[0] += 1
            step(self)

        folder = tmp_path / str(days)
        folder.mkdir()
        with monkeypatch.context() as here:
            here.setattr(World, "_step", counting)
            record = run(written(folder, DEFINITION.format(count=2, days=days)), folder / "run")
        return done[0], record

    (short, first), (long, last) = steps(1), steps(8)
    assert (len(first.days), len(last.days)) == (1, 8)
    # Seven days of two gas meters were 7 x 2 x 48 windows of 16 steps each.
    assert abs(long - short) < 2 * 48


def test_a_turn_in_which_homes_rest_writes_little_of_their_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, DEFINITION.format(count=6, days=6))
    kept: list[tuple[int, int]] = []
    whole = state_pieces.keep

    def noted(db: sqlite3.Connection, state: bytes) -> bytes:
        there = {bytes(row[0]) for row in db.execute("SELECT name FROM pieces")}
        names = whole(db, state)
        rows = db.execute("SELECT name, LENGTH(octets) FROM pieces").fetchall()
        kept.append((sum(size for name, size in rows if bytes(name) not in there), len(state)))
        return names

    monkeypatch.setattr(state_pieces, "keep", noted)
    run(path, tmp_path / "run")
    shares = [fresh / size for fresh, size in kept]
    assert shares[0] == 1
    # Days on which nobody migrates: meters go on counting, what parties know stays as it is.
    assert max(shares[3:7]) < 0.65
    # Turns in which no time passes.
    assert max(shares[7:]) < 0.2
