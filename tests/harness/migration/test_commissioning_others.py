"""Other homes: a third-party PPMID added back, a change of supplier without WAN, failures."""

from typing import Any

import pytest

from device_profiles.cohort import PpmidFirmwareReading
from device_profiles.words import DeviceStatus, DeviceType, InstallationClass, SupplyShape
from emulator.core.ids import Eui64
from emulator.crypto.top_up_code import TopUp
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis.bodies import DevicePrenotification, ReadFirmwareVersion
from harness.formats.duis.smets1_contents import Result
from harness.formats.duis.smets1_response import Smets1Response
from harness.migration.commissioning import Commissioning
from harness.migration.course import Course
from harness.migration.states import State
from harness.parties.import_supplier import change_body
from harness.parties.s1sp_desk_faults import DeskFault
from tests.harness.migration.after_kit import device, home, next_door, played

SECURE = home("DA", InstallationClass.ACTIVE, SupplyShape.ELECTRICITY_ONLY)


def world_of(course: Course) -> Any:
    found = course.commissioning
    assert isinstance(found, Commissioning)
    return found.world


@pytest.mark.soak
def test_a_third_party_ppmid_left_out_is_added_back_and_its_firmware_cannot_be_read() -> None:
    said: dict[str, Any] = {}
    ppmid, esme = device(SECURE, DeviceType.PPMID), device(SECURE, DeviceType.ESME)

    async def story(course: Course, bench: Any) -> None:
        _ = bench
        world = world_of(course)
        (user,) = world.suppliers.values()
        said["before"] = world.dsp.inventory.find(ppmid)
        added = await world.add_ppmid(user, SECURE.of(DeviceType.PPMID)[0], esme)
        said["codes"] = [one.code for one in added]
        said["status"] = world.dsp.inventory.find(ppmid).status
        read = await world.ask(user, ReadFirmwareVersion(), ppmid)
        said["read"] = user.answer_to(read.request.request_id)
        # whether the device may be read is the cohort's table, not the device's
        found = world.desk.records[ppmid]
        said["own"] = found.own_make
        said["told"] = world.dsp.inventory.find(ppmid).smets

    course = played(SECURE, story)
    assert course.office.cohort.ppmid.read_firmware is PpmidFirmwareReading.OWN_MAKE_ONLY
    (case,) = course.cases.values()
    assert case.state is State.MIGRATED
    assert said["before"] is None
    assert said["codes"] == ["I99", "I99", "I99"]
    assert said["status"] is DeviceStatus.COMMISSIONED
    assert (said["own"], said["told"]) == (False, "SMETS1")
    answer = said["read"].value
    assert isinstance(answer, Smets1Response)
    assert isinstance(answer.body, Result)
    assert not answer.body.success
    assert "make" in answer.body.statuses[0].error


def test_a_new_supplier_takes_a_prepayment_home_over_while_its_wan_is_dead() -> None:
    said: dict[str, Any] = {}
    esme = device(SECURE, DeviceType.ESME)
    mpxn = SECURE.of(DeviceType.ESME)[0].mpxn or ""
    stranger = Eui64.parse("02-53-42-00-00-77-00-00")

    async def story(course: Course, bench: Any) -> None:
        world = world_of(course)
        (old,) = world.suppliers.values()
        await bench.disturb("mute@wan")
        world.change_supply(mpxn, stranger, DeviceType.ESME, "new supplier")
        new = world.suppliers[stranger]
        store = course.office.keys.store
        taken = await world.ask(new, change_body(store, stranger, mpxn), esme)
        said["6.23"] = new.answer_to(taken.request.request_id)
        refused = await world.ask(old, old.top_up(esme, TopUp(100, 1)), esme)
        said["old"] = refused.code
        asked = await world.ask(new, new.top_up(esme, TopUp(100, 1)), esme)
        said["new"] = new.answer_to(asked.request.request_id)

    played(SECURE, story, [next_door(SECURE, stranger)])
    assert said["old"] == "E4"
    assert said["6.23"].success  # no device is asked: the S1SP notes whose certificates count
    assert said["new"].value.code == DeskFault.NOT_DELIVERED
    assert len(said["new"].value.utrn) == 20


def test_a_ppmid_announced_as_smets2_cannot_be_the_target_of_any_request() -> None:
    said: dict[str, str] = {}
    esme = device(SECURE, DeviceType.ESME)
    other = Eui64.parse("02-53-05-00-00-00-77-77")

    async def story(course: Course, bench: Any) -> None:
        _ = bench
        world = world_of(course)
        (user,) = world.suppliers.values()
        cpl = course.office.lists.cpl
        entry = next(
            one
            for one in cpl.entries.values()
            if one.device_type is DeviceType.PPMID and one.smets == "SMETS2+"
        )
        model = f"{entry.model_id}{entry.hardware_version}"
        body = DevicePrenotification(
            other,
            entry.manufacturer_id,
            model,
            DeviceType.PPMID,
            firmware_version=entry.firmware_version,
        )
        said["12.2"] = (await world.ask(user, body)).code
        hub = world.dsp.inventory.find(esme).hub
        let_in = bodies.Whitelisting(3600, bytes(16))
        entry_of_log = bodies.UpdateHanDeviceLog(other, bodies.LogChange.ADD, let_in)
        said["8.11"] = (await world.ask(user, entry_of_log, hub)).code
        said["11.2"] = (await world.ask(user, ReadFirmwareVersion(), other)).code
        said["8.7.2"] = (await world.ask(user, bodies.JoinNonCritical(esme), other)).code

    played(SECURE, story)
    assert said["12.2"] == "I99"
    assert said["8.11"] == "I99"
    assert said["11.2"] == "E11"
    assert said["8.7.2"] == "E11"


@pytest.mark.soak
def test_a_commissioning_that_fails_is_named_and_tried_again_without_repeating_what_is_done() -> (
    None
):
    ref = SECURE.ref

    async def story(course: Course, bench: Any) -> None:
        _ = bench
        world = world_of(course)
        case = course.cases[ref]
        assert case.state is State.MIGRATED
        # the same installation again: nothing is asked twice
        before = world.party.counter
        commissioning = course.commissioning
        result = await commissioning.commission(course.sites[ref], case.record, None)
        assert result.commissioned
        assert world.party.counter == before
        steps = [one for one in case.record.history if one.result == "skipped"]
        assert {one.step for one in steps if one.step.startswith("C")} == {"C2", "C3", "C4"}
        # a device whose S1SP lost the DCO's part cannot be commissioned, and the code says where
        esme = device(SECURE, DeviceType.ESME)
        world.dsp.inventory.remove(esme)
        course.office.dco.ring.forget(esme)
        failed = await commissioning.commission(course.sites[ref], case.record, None)
        assert failed.failure is not None
        assert (failed.failure.step, failed.failure.code) == ("C3", "X-C3")
        assert failed.failure.device == esme
        assert not failed.commissioned

    played(SECURE, story)
