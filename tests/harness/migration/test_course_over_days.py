"""Batches of several days in one course: a hub is waited for while later homes migrate."""

import asyncio
import json
from pathlib import Path

from device_profiles.cohort import load_cohort
from emulator.core.clock import UtcMs
from harness.door.gbcs_homes import emulated
from harness.door.homes import Homes
from harness.door.smets1_homes import Smets1Homes
from harness.door.trust import participants_keys, trust_of
from harness.formats.migration_files.parties import TEST_PARTIES, Role
from harness.migration.calendar import first_moment
from harness.migration.course import Course
from harness.migration.script import Script
from harness.migration.states import State
from harness.new_installations import Order, generate

DAY_MS = 86_400_000


def two_homes(folder: Path) -> Smets1Homes:
    """Return two homes of cohort EA, still under their SMSO."""
    first = first_moment(load_cohort("EA"))
    made = tuple(generate(Order(2, 1, "EA")))
    homes = Homes((), made, seed=1, migrated=False, start_at=first)
    keys = participants_keys(folder, homes.suppliers, 1)
    trust = trust_of(keys, homes.suppliers, TEST_PARTIES[Role.DSP], 1)
    return Smets1Homes(homes, trust)


async def one_day(course: Course, ref: str) -> None:
    """Let a home begin, and work until the end of the day."""
    until = UtcMs(course.office.clock.now() + DAY_MS)
    course.scope = frozenset({ref})
    await course.begin()
    course.scope = None
    await course.on_site(until)


async def over_two_days(folder: Path, *, restored: bool) -> tuple[list[State], Course]:
    """Migrate the first home with a silent hub, the second a day later."""
    homes = two_homes(folder)
    late, early = homes.course.records
    silent = f"mute:home={late}@sim"
    homes.course.script = Script({("before", "H3", f"@{late}"): (silent,)})
    await one_day(homes.course, late)
    assert homes.course.records[late].state is State.AWAITING_CHF
    if restored:
        state = json.loads(json.dumps(homes.dump()))
        homes = two_homes(folder)
        homes.load(state)
    await one_day(homes.course, early)
    found = [one.state for one in homes.course.records.values()]
    await homes.course.on_site()
    return found, homes.course


def play(folder: Path, *, restored: bool) -> tuple[list[State], Course]:
    with asyncio.Runner(loop_factory=emulated().new_event_loop) as loop:
        return loop.run(over_two_days(folder, restored=restored))


def test_a_home_migrates_on_its_day_while_the_hub_of_another_is_awaited(tmp_path: Path) -> None:
    states, course = play(tmp_path, restored=False)
    assert states == [State.AWAITING_CHF, State.MIGRATED]
    late = next(iter(course.records.values()))
    assert (late.state, late.history[-1].code) == (State.STRANDED, "X-H4-7D")
    waited = late.history[-1].at - next(one.at for one in late.history if one.step == "H3")
    assert waited == 7 * DAY_MS


def test_a_course_restored_in_the_middle_of_a_wait_goes_on_the_same(tmp_path: Path) -> None:
    _states, whole = play(tmp_path, restored=False)
    states, again = play(tmp_path, restored=True)
    assert states == [State.AWAITING_CHF, State.MIGRATED]
    histories = [
        [(one.step, one.result, one.code) for one in course.records[ref].history]
        for course in (whole, again)
        for ref in whole.records
    ]
    assert histories[:2] == histories[2:]
    # A key of a later file set must not be drawn once more: packs of killed runs would differ.
    assert again.office.chance.dump() == whole.office.chance.dump()
    assert whole.office.chance.dump()["rp/envelope"] > 0
