"""A course's memory: dumped and taken over between phases, it goes on alike; seeds decide all."""

import json

import pytest

from device_profiles.words import SupplyShape
from harness.migration.course import Course
from harness.migration.script import Script
from tests.harness.migration.engine_play import (
    Play,
    in_virtual_time,
    opened,
    played,
    scripted,
)

GAS_IN_ROLLBACK = scripted(R1_GSME=("mute:role=gsme@han",))


def story_of(course: Course) -> str:
    return json.dumps([one.dump() for one in course.records.values()])


def test_the_same_seed_gives_the_same_history_and_the_same_frames() -> None:
    shape = SupplyShape.ELECTRICITY_ONLY
    first, second = (played(Play(shape=shape)) for _ in range(2))
    assert story_of(first.course) == story_of(second.course)
    assert [one.frame for one in first.frames] == [one.frame for one in second.frames]


async def _through(course: Course, names: list[str]) -> None:
    for name in names:
        await getattr(course, name)()


PLAY = Play(script=GAS_IN_ROLLBACK)
SHORT = Play(shape=SupplyShape.ELECTRICITY_ONLY)


def _split(play: Play, cut: int | None) -> str:
    """Play all phases, taken over by another course before phase ``cut``."""
    told: list[str] = []

    async def story() -> None:
        bench, office, sites = opened(play)
        course = Course(office, sites, play.script)
        names = [name for name, _phase in course.phases()]
        await _through(course, names[:cut])
        if cut is not None:
            state, memory = bench.dump(), json.loads(json.dumps(course.dump()))
            bench, office, sites = opened(play)
            bench.restore(state)
            course = Course(office, sites, play.script)
            course.load(memory)
            await _through(course, names[cut:])
        told.append(story_of(course))

    in_virtual_time(story)
    return told[0]


@pytest.mark.parametrize("cut", [4, 8])
def test_a_course_taken_over_between_phases_goes_on_alike(cut: int) -> None:
    assert _split(SHORT, cut) == _split(SHORT, None)


@pytest.mark.soak
@pytest.mark.parametrize("cut", range(1, 11))
def test_a_course_whose_rollback_fails_goes_on_alike_wherever_it_is_taken_over(cut: int) -> None:
    assert _split(PLAY, cut) == _split(PLAY, None)


def test_no_key_is_in_a_history_or_a_letter() -> None:
    result = played(Play(script=GAS_IN_ROLLBACK))
    office = result.course.office
    told = story_of(result.course) + json.dumps(office.post.dump())
    for site in result.course.sites.values():
        for one in site.holders():
            device = site.eui64(one)
            held = site.credentials(one).keys
            assert held is not None
            for key in (held.unicast, held.authentication, held.master):
                assert key.hex() not in told
            for new in office.s1sp.new_keys(device):
                assert new.key.hex() not in told


def test_no_counter_of_a_file_set_is_in_a_history() -> None:
    script = Script(files={"MEF": lambda octets: octets[:-40]})
    result = played(Play(script=script, shape=SupplyShape.ELECTRICITY_ONLY))
    counter = f"{result.course.files.hands[0].counter:010d}"
    assert counter not in story_of(result.course)
