"""Homes are worked at side by side: one home's trouble is no other's, nor up to chance."""

import asyncio
import hashlib
import json
import os
import subprocess  # other processes are what is tested
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from device_profiles.cohort import load_cohort
from device_profiles.words import SupplyShape
from emulator.core.clock import UtcMs
from harness.door.gbcs_homes import emulated
from harness.door.homes import Homes
from harness.door.smets1_homes import Smets1Homes
from harness.door.trust import participants_keys, trust_of
from harness.formats.migration_files.parties import TEST_PARTIES, Role
from harness.migration.calendar import first_moment
from harness.migration.course import Course
from harness.migration.lanes import Lanes
from harness.migration.script import Script
from harness.migration.states import State
from harness.new_installations import Order, generate

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
#: By then every home is switched on.
SWITCHED_ON_MS = 2 * HOUR_MS


@dataclass
class Played:
    """What a play of several homes came to."""

    homes: Smets1Homes
    on_site_ms: int = 0
    dumped: str = ""

    @property
    def course(self) -> Course:
        return self.homes.course

    def states(self) -> dict[str, State]:
        return {ref: one.state for ref, one in self.course.records.items()}

    def histories(self, *, moments: bool = True) -> dict[str, list[tuple[object, ...]]]:
        return {
            ref: [
                (one.at if moments else 0, one.step, one.result, one.text, one.code, one.state)
                for one in record.history
            ]
            for ref, record in self.course.records.items()
        }

    def digest(self) -> str:
        """Return a digest of everything that crossed and was written, in order."""
        frames = [
            [frame.at_us, frame.link, frame.frame.hex()] for frame in self.homes.bench.take_frames()
        ]
        told = json.dumps([self.histories(), frames, self.homes.dump()], sort_keys=False)
        return hashlib.sha256(told.encode()).hexdigest()


def given(folder: Path, count: int, lanes: int) -> Smets1Homes:
    """Return homes of cohort EA with electricity alone, still under their SMSO."""
    first = first_moment(load_cohort("EA"))
    made = generate(Order(count, 1, "EA", shape=SupplyShape.ELECTRICITY_ONLY))
    homes = Homes((), tuple(made), seed=1, migrated=False, start_at=first)
    keys = participants_keys(folder, homes.suppliers, 1)
    found = Smets1Homes(homes, trust_of(keys, homes.suppliers, TEST_PARTIES[Role.DSP], 1))
    return with_lanes(found, lanes)


def with_lanes(homes: Smets1Homes, lanes: int) -> Smets1Homes:
    office = homes.course.office
    office.settings = replace(office.settings, lanes=lanes)
    return homes


def silent(refs: Sequence[str]) -> Script:
    """Return a script in which the ESME of some homes is not heard while it is tested."""
    orders = {}
    for ref in refs:
        orders["before", "T3", f"ESME@{ref}"] = (f"mute:role=esme,home={ref}@han",)
        orders["after", "T3", f"ESME@{ref}"] = (f"clear:home={ref}@han",)
    return Script(orders)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    with asyncio.Runner(loop_factory=emulated().new_event_loop) as loop:
        loop.run(told())


def play(folder: Path, count: int, *, faulty: int = 0, lanes: int = 16) -> Played:
    """Migrate homes of which some, from the second on, do not answer a test."""
    played = Played(given(folder, count, lanes))
    course = played.course
    course.script = silent([*course.records][1 : 1 + faulty])

    async def story() -> None:
        clock = course.office.clock
        await clock.sleep_until(UtcMs(clock.now() + SWITCHED_ON_MS))
        await course.begin()
        began = clock.now()
        await course.on_site()
        played.on_site_ms = clock.now() - began

    run(story)
    return played


def test_many_homes_some_of_them_silent_take_as_long_as_one_silent_home(tmp_path: Path) -> None:
    one, many = play(tmp_path, 2, faulty=1), play(tmp_path, 32, faulty=6)
    assert [*many.states().values()].count(State.ROLLED_BACK) == 6
    assert [*many.states().values()].count(State.MIGRATED) == 26
    assert abs(many.on_site_ms - one.on_site_ms) < 30 * MINUTE_MS
    assert one.on_site_ms > 4 * HOUR_MS  # six of them in a row would be more than a day


def test_a_home_beside_silent_ones_migrates_at_the_moment_it_would_alone(tmp_path: Path) -> None:
    alone, beside = play(tmp_path, 6), play(tmp_path, 6, faulty=3)
    well = [ref for ref, state in beside.states().items() if state is State.MIGRATED]
    assert len(well) == 3
    for ref in well:
        assert beside.histories()[ref] == alone.histories()[ref]


def test_the_steps_of_a_home_are_those_of_homes_one_after_the_other(tmp_path: Path) -> None:
    beside, after = play(tmp_path, 5, faulty=2), play(tmp_path, 5, faulty=2, lanes=1)
    assert beside.histories(moments=False) == after.histories(moments=False)
    assert beside.on_site_ms < after.on_site_ms


def spans(played: Played) -> list[tuple[int, int]]:
    """Return from when to when each home was tested and commissioned."""
    found: list[tuple[int, int]] = []
    for record in played.course.records.values():
        moments = [one.at for one in record.history if one.step[:1] in {"T", "C", "R"}]
        found.append((moments[0], moments[-1]))
    return found


def test_no_more_homes_are_worked_at_at_a_time_than_there_are_lanes(tmp_path: Path) -> None:
    played = play(tmp_path, 9, faulty=3, lanes=2)
    work = spans(played)
    for begin, _end in work:
        assert sum(one <= begin < end for one, end in work) <= 2
    assert {*played.states().values()} == {State.MIGRATED, State.ROLLED_BACK}


def test_files_of_one_set_and_kind_have_names_of_their_own(tmp_path: Path) -> None:
    played = play(tmp_path, 8)
    files = [
        letter.summary.rpartition(": ")[2]
        for letter in played.course.office.post.letters
        if letter.summary.endswith(".xml")
    ]
    assert len(files) == len(set(files))
    assert sum(name.startswith("VIF") for name in files) == 8


def test_each_outcome_answers_the_commissioning_file_of_its_own_home(tmp_path: Path) -> None:
    played = play(tmp_path, 6)
    letters = [one for one in played.course.office.post.letters if one.summary.endswith(".xml")]
    named = {
        one.summary.rpartition(": ")[2]: one.octets
        for one in letters
        if one.summary.startswith("SCF")
    }
    outcomes = [one.octets for one in letters if one.summary.startswith("COF")]
    assert len(named) == len(outcomes) == 6
    for ref in played.course.records:
        outcome = next(one for one in outcomes if ref.encode() in one)
        answered = [name for name in named if name.encode() in outcome]
        assert [ref.encode() in named[name] for name in answered] == [True]


def two_days(folder: Path, *, restored: bool) -> Played:
    """Work until a moment in the midst of it, and on; perhaps put back between the two."""
    played = Played(given(folder, 7, 2))
    script = silent([*played.course.records][1:4])
    played.course.script = script
    until: list[UtcMs] = []

    async def first() -> None:
        course = played.course
        clock = course.office.clock
        await clock.sleep_until(UtcMs(clock.now() + SWITCHED_ON_MS))
        await course.begin()
        until.append(UtcMs(clock.now() + 6 * HOUR_MS))
        await course.on_site(until[0])
        played.dumped = json.dumps(played.homes.dump())

    async def second() -> None:
        await played.course.on_site()

    async def both() -> None:
        await first()
        await second()

    if not restored:
        run(both)
        return played
    run(first)
    assert State.AWAITING_CHF in played.states().values()
    other = with_lanes(given(folder, 7, 2), 2)
    other.load(json.loads(played.dumped))
    played.homes = with_lanes(other, 2)
    played.course.script = script
    run(second)
    return played


def test_work_that_was_put_back_at_a_moment_in_its_midst_goes_on_to_the_millisecond(
    tmp_path: Path,
) -> None:
    whole, again = two_days(tmp_path, restored=False), two_days(tmp_path, restored=True)
    assert whole.dumped == again.dumped
    assert whole.histories() == again.histories()
    assert State.AWAITING_CHF not in whole.states().values()


def test_what_breaks_at_one_home_ends_the_work_at_all() -> None:
    seen: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(number)
        if number == 3:
            raise LookupError(number)
        seen.append(number)

    async def story() -> None:
        with pytest.raises(LookupError):
            await Lanes(8).each(range(8), work)
        await asyncio.sleep(100)

    run(story)
    assert seen == [0, 1, 2]


def test_lanes_are_taken_in_the_order_of_asking() -> None:
    seen: list[int] = []

    async def work(number: int) -> None:
        seen.append(number)
        await asyncio.sleep(10 - number)

    run(lambda: Lanes(3).each(range(9), work))
    assert seen == [*range(9)]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_every_process_writes_the_same_octets_in_the_same_order() -> None:
    told = []
    for number in range(2):
        environment = {**os.environ, "PYTHONHASHSEED": str(number)}
        done = subprocess.run(
            [sys.executable, __file__],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        )
        told.append(done.stdout)
    assert told[0]
    assert told == told[:1] * 2


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(play(Path(name), 16, faulty=5, lanes=8).digest())
