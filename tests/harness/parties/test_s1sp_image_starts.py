"""11.3 and 11.2 at the S1SP: only the kept hash starts an image; what a cohort makes of PPMIDs."""

import json
from typing import Any

import pytest

from emulator.codecs.dlms.hub_image import Reason, Stage
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.core.ids import Eui64
from harness.formats.duis.bodies import (
    ReadFirmwareVersion,
)
from harness.formats.duis.smets1_contents import Result
from harness.formats.duis.smets1_response import Smets1Response
from harness.parties.s1sp_desk_faults import DeskFault
from tests.harness.parties.s1sp_image_world import (
    KIND_OF,
    MODEL_OF,
    NEW_VERSION,
    OLD,
    ImageWorld,
    activated,
    digest,
    image,
    made_for,
    world_with,
)
from tests.harness.parties.s1sp_world import (
    CHF,
    ESME,
    PPMID,
    run,
)

ALL = list(MODEL_OF)


# --- 11.3 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ALL, ids=lambda one: KIND_OF[one])
def test_only_the_kept_hash_starts_an_image_and_the_new_version_is_read_back(device: Eui64) -> None:
    made = made_for(device)
    world = world_with(device, made)
    early = run(activated(world, device, digest(made)))
    assert early.value.body.statuses[0].error == "noImageHeld"
    run(world.update(device, made))
    other = run(activated(world, device, bytes(32)))
    assert other.value.body.statuses[0].error == "hashMismatch"
    assert world.hub.versions[device] == OLD
    answer = run(activated(world, device, digest(made)))
    assert isinstance(answer.value, Smets1Response)
    assert isinstance(answer.value.body, Result)
    assert answer.success
    names = {node.name: node.text for node in answer.value.body.values}
    assert names["FirmwareVersion"] == NEW_VERSION
    assert world.hub.versions[device] == NEW_VERSION
    record = world.dsp.inventory.find(device)
    assert record is not None
    assert record.firmware_version == NEW_VERSION
    again = run(activated(world, device, digest(made)))
    assert again.value.body.statuses[0].error == "noImageHeld"


def test_an_activation_that_shows_nowhere_has_failed() -> None:
    made = image(ESME)
    world = world_with(ESME, made)
    run(world.update(ESME, made))
    world.ports[ESME].fails = True
    answer = run(activated(world, ESME, digest(made)))
    assert not answer.success
    assert answer.value.body.statuses[0].code == 3
    assert f"it runs {OLD}" in answer.value.body.statuses[0].error
    assert world.desk.records[ESME].image_hash == digest(made).hex()
    record = world.dsp.inventory.find(ESME)
    assert record is not None
    assert record.firmware_version == OLD


@pytest.mark.parametrize("device", [PPMID, CHF], ids=lambda one: KIND_OF[one])
def test_a_failed_activation_is_told_with_the_hubs_reason(device: Eui64) -> None:
    made = image(device)
    world = world_with(device, made)
    world.hub.activation = (Stage.ACTIVATION_FAILED, Reason.NOT_ACTIVATED)
    run(world.update(device, made))
    answer = run(activated(world, device, digest(made)))
    assert not answer.success
    assert "not-activated" in answer.value.body.statuses[0].error


def test_a_device_that_is_silent_at_its_activation_is_told_by_an_alert() -> None:
    made = image(ESME)
    world = world_with(ESME, made)
    run(world.update(ESME, made))
    world.ports[ESME].mute = True
    assert run(activated(world, ESME, digest(made))).value.code == DeskFault.SILENT


def test_what_is_kept_of_an_image_comes_back_from_a_dump() -> None:
    made = image(PPMID)
    world = world_with(PPMID, made)
    run(world.update(PPMID, made))
    state = json.loads(json.dumps(world.desk.dump()))
    other = world_with(PPMID, made)
    other.desk.load(state)
    other.hub.log = world.hub.log
    assert other.desk.records[PPMID] == world.desk.records[PPMID]
    assert run(activated(other, PPMID, digest(made))).success


# --- what a cohort makes of PPMIDs ------------------------------------------------------------


async def read(world: ImageWorld, device: Eui64) -> Any:
    _code, answer = await world.ask(world.eis, ReadFirmwareVersion(), device)
    return answer


@pytest.mark.parametrize(
    ("cohort", "told"), [("IOC", OLD), ("MDS", OLD), ("EA", "20000007"), ("EB", "20000007")]
)
def test_foc_passes_on_the_executing_version_and_the_others_tell_the_lists(
    cohort: str, told: str
) -> None:
    world = ImageWorld(cohort)
    world.hub.versions[PPMID] = "20000007"
    answer = run(read(world, PPMID))
    assert [node.text for node in answer.value.body.values] == [told]
    mismatches = [
        one.response.body.alert  # type: ignore[union-attr]  # DCC alerts
        for one in world.eis.alerts()
    ]
    assert bool(mismatches) == (told != OLD)
    for alert in mismatches:
        assert (alert.inventory_version, alert.device_version) == (OLD, told)  # type: ignore[union-attr]  # the mismatch
    record = world.dsp.inventory.find(PPMID)
    assert record is not None
    assert record.firmware_version == OLD  # it goes on naming the SMETS1 entry


def test_a_ppmid_of_another_make_is_neither_updated_nor_read_on_secure() -> None:
    made = image(PPMID)
    world = world_with(PPMID, made, cohort="DA")
    world.desk.records[PPMID].own_make = False
    _code, (alert,) = run(world.update(PPMID, made))
    assert alert.code == DeskFault.OTHER_MAKE
    assert "make" in alert.information
    answer = run(read(world, PPMID))
    assert not answer.success
    assert "make" in answer.value.body.statuses[0].error
    started = run(activated(world, PPMID, digest(made)))
    assert "make" in started.value.body.statuses[0].error
    assert world.hub.asked == []


def test_a_ppmid_of_another_make_is_updated_where_the_cohorts_data_say_so() -> None:
    made = image(PPMID)
    world = world_with(PPMID, made, cohort="EA")
    world.desk.records[PPMID].own_make = False
    _code, (receipt,) = run(world.update(PPMID, made))
    assert receipt.body.code == AlertCode.FIRMWARE_VERIFIED
