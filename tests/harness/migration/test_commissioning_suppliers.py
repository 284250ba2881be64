"""Who is told of which meter, who may ask of it, and how often commissioning is tried."""

from typing import Any

import pytest

from device_profiles.words import DeviceType, InstallationClass, SupplyShape
from emulator.core.ids import Eui64
from emulator.crypto.top_up_code import TopUp
from harness.formats.duis.smets1_bodies import ReadMeterBalance
from harness.migration.commissioning import Commissioning
from harness.migration.course import Course
from harness.migration.script import BEFORE, Script
from harness.migration.states import State
from harness.parties.import_supplier import change_body
from tests.harness.migration.after_kit import (
    asked,
    device,
    home,
    next_door,
    played,
    put_down_and_taken_up,
    world_of,
)

SPLIT = home("EA", InstallationClass.ACTIVE, SupplyShape.SPLIT_SUPPLY)
MIXED = home("EA", InstallationClass.MIXED, SupplyShape.DUAL_FUEL)
DORMANT = home("EA", InstallationClass.DORMANT, SupplyShape.DUAL_FUEL)
LONE = home("DA", InstallationClass.ACTIVE, SupplyShape.ELECTRICITY_ONLY)
COMING = Eui64.parse("02-53-42-00-00-77-00-00")
METERS = (DeviceType.ESME, DeviceType.GSME)


def notices(course: Course) -> dict[Eui64, list[bytes]]:
    """What each supplier was told."""
    return {one: user.told for one, user in world_of(course).suppliers.items()}


def test_in_a_split_home_each_supplier_is_told_of_and_can_ask_its_own_meter_alone() -> None:
    async def story(course: Course, bench: Any) -> None:
        _ = bench
        assert course.cases[SPLIT.ref].state is State.MIGRATED
        owners = {kind: Eui64.parse(SPLIT.of(kind)[0].supplier) for kind in METERS}
        assert len(set(owners.values())) == 2
        world = world_of(course)
        for kind, other in zip(METERS, reversed(METERS), strict=True):
            (told,) = notices(course)[owners[kind]]
            assert str(device(SPLIT, kind)).encode() in told
            assert str(device(SPLIT, other)).encode() not in told
            assert (SPLIT.of(other)[0].mpxn or "?").encode() not in told
            user = world.suppliers[owners[kind]]
            own = await world.ask(user, ReadMeterBalance(), device(SPLIT, kind))
            foreign = await world.ask(user, ReadMeterBalance(), device(SPLIT, other))
            assert (own.code, foreign.code) == ("I99", "E4")

    played(SPLIT, story)


@pytest.mark.parametrize(
    "of",
    [pytest.param(MIXED, id="mixed"), pytest.param(DORMANT, id="dormant", marks=pytest.mark.soak)],
)
def test_the_incoming_supplier_is_told_of_dormant_meters_and_of_no_active_one(of: Any) -> None:
    async def before(course: Course, bench: Any) -> None:
        _ = bench
        assert isinstance(course.commissioning, Commissioning)
        for kind in METERS:
            course.commissioning.expect(of.of(kind)[0].mpxn or "", COMING)

    async def story(course: Course, bench: Any) -> None:
        assert course.cases[of.ref].state is State.MIGRATED
        asleep = [kind for kind in METERS if is_dormant(course, of.ref, kind)]
        assert len(asleep) == (1 if of is MIXED else 2)
        told = notices(course)
        assert len(told[COMING]) == len(asleep)
        for kind, notice in zip(asleep, told[COMING], strict=True):
            assert str(device(of, kind)).encode() in notice
            assert b"IncomingSupplier>true<" in notice
        owner = Eui64.parse(of.of(DeviceType.ESME)[0].supplier)
        assert len(told[owner]) == len(METERS)
        fresh = put_down_and_taken_up(course, bench, of)
        assert notices(fresh) == told
        for kind in METERS:
            record = world_of(course).dsp.inventory.find(device(of, kind))
            assert record is not None
            assert record.supplier == (COMING if kind in asleep else owner)

    played(of, story, [next_door(of, COMING)], before=before)


def is_dormant(course: Course, ref: str, kind: DeviceType) -> bool:
    part = course.detail(ref)
    meter = part.esme if kind is DeviceType.ESME else part.gsme
    return str(getattr(meter, "status", "")) == "Dormant"


def test_a_change_of_supplier_lets_the_new_one_top_up_and_shuts_the_old_one_out() -> None:
    esme = device(LONE, DeviceType.ESME)
    mpxn = LONE.of(DeviceType.ESME)[0].mpxn or ""

    async def story(course: Course, bench: Any) -> None:
        _ = bench
        world = world_of(course)
        (old,) = list(world.suppliers.values())
        world.change_supply(mpxn, COMING, DeviceType.ESME, "new supplier")
        new = world.suppliers[COMING]
        early = await world.ask(new, new.top_up(esme, TopUp(100, 1)), esme)
        assert not new.answer_to(early.request.request_id).success  # type: ignore[union-attr]  # answered
        store = course.office.keys.store
        assert (await asked(course, change_body(store, COMING, mpxn), esme, COMING)).success
        assert (await asked(course, new.top_up(esme, TopUp(100, 2)), esme, COMING)).success
        refused = await world.ask(old, old.top_up(esme, TopUp(100, 3)), esme)
        assert refused.code == "E4"

    played(LONE, story, [next_door(LONE, COMING)])


@pytest.mark.soak
def test_commissioning_is_tried_again_counts_from_the_third_failure_and_ends_in_exclusion() -> None:
    mute = Script(orders={(BEFORE, "C1", ""): ("mute@wan",)})

    async def story(course: Course, bench: Any) -> None:
        _ = bench
        case = course.cases[LONE.ref]
        counted = [case.record.attempts]
        while case.state is State.COMMISSIONING_FAILED and len(counted) < 10:
            await course.commission()
            counted.append(case.record.attempts)
        assert counted == [0, 0, 1, 2, 3, 4, 5]  # MEHRS: from the third failure of its class on
        failed = [one for one in case.record.history if (one.step, one.result) == ("C3", "failed")]
        assert len(failed) == len(counted)
        assert (case.state, case.record.exclusion) == (State.EXCLUDED, "failed_attempts")
        await course.commission()
        assert len(case.record.failures) == len(counted)  # nobody tries an excluded one

    played(LONE, story, script=mute)
