"""A course put down and taken up again, in the middle of commissioning and after it."""

from typing import Any

import pytest

from device_profiles.words import DeviceStatus, DeviceType, InstallationClass, SupplyShape
from emulator.core.clock import UtcMs
from harness.formats.duis.smets1_bodies import ReadMeterBalance
from harness.migration.course import Course
from harness.migration.script import BEFORE, Script
from harness.migration.states import State
from tests.harness.migration.after_kit import (
    asked,
    device,
    home,
    played,
    put_down_and_taken_up,
    world_of,
)

HOME = home("DA", InstallationClass.ACTIVE, SupplyShape.ELECTRICITY_ONLY)
ESME = device(HOME, DeviceType.ESME)
CHF = device(HOME, DeviceType.CHF)
MUTE = Script(orders={(BEFORE, "C3", ""): ("mute:role=esme@han",)})


@pytest.mark.soak
def test_after_commissioning_a_new_process_serves_suppliers_and_forgets_no_counter() -> None:
    async def story(course: Course, bench: Any) -> None:
        assert (await asked(course, ReadMeterBalance(), ESME)).success
        fresh = put_down_and_taken_up(course, bench, HOME)
        assert fresh.cases[HOME.ref].state is State.MIGRATED
        assert (await asked(fresh, ReadMeterBalance(), ESME)).success
        assert world_of(fresh).desk.refused == []
        assert len(world_of(fresh).party.answers) == 0
        record = world_of(fresh).dsp.inventory.find(ESME)
        assert record is not None
        assert record.status is DeviceStatus.COMMISSIONED

    played(HOME, story)


def test_put_down_in_the_middle_of_commissioning_it_goes_on_where_it_was() -> None:
    """The hub is commissioned, the ESME is silent; a new process tries again, and counts on."""

    async def story(course: Course, bench: Any) -> None:
        case = course.cases[HOME.ref]
        assert case.state is State.COMMISSIONING_FAILED
        of_hub = world_of(course).dsp.inventory.find(CHF)
        assert of_hub is not None
        assert of_hub.status is DeviceStatus.COMMISSIONED
        tries = case.record.attempts
        fresh = put_down_and_taken_up(course, bench, HOME)
        await fresh.commission()  # silent still
        again = fresh.cases[HOME.ref]
        assert again.state is State.COMMISSIONING_FAILED
        await bench.disturb("clear@han")
        await bench.clock.sleep_until(UtcMs(bench.clock.now() + 3_600_000))
        last = put_down_and_taken_up(fresh, bench, HOME)
        await last.commission()
        ended = last.cases[HOME.ref]
        assert ended.state is State.MIGRATED, [str(one) for one in ended.record.history[-6:]]
        assert ended.record.attempts == tries  # one file, one attempt, however often it is tried
        skipped = {one.step for one in ended.record.history if one.result == "skipped"}
        assert {"C2", "C3"} <= skipped
        assert (await asked(last, ReadMeterBalance(), ESME)).success
        codes = {one.code for one in ended.record.history if one.result == "failed"}
        assert "X-C3" in codes

    played(HOME, story, script=MUTE)
