"""The DSP and firmware of SMETS1 devices: who may, which file, who is told, what is refused."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from device_profiles.words import DeviceType, SmetsVersion
from emulator.codecs.dlms.hub_image import Reason, Stage
from emulator.core.ids import Eui64
from harness.formats.duis.alerts import (
    ChUpdateStatus,
    FirmwareUpgradeRequested,
    FirmwareVersionMismatch,
    Smets1ChFirmwareNotification,
)
from harness.formats.duis.bodies import (
    ActivateFirmware,
    ReadFirmwareVersion,
    UpdateFirmware,
    UpdatePpmidFirmware,
)
from harness.formats.duis.responses import DccAlertMessage, ResponseMessage
from harness.parties.image_defects import DEFECTS
from harness.parties.import_supplier import ImportSupplier
from harness.rules.firmware_checks import Category
from tests.given import needs_duis
from tests.harness.formats.duis_given import is_valid
from tests.harness.parties.s1sp_image_world import (
    NEW_VERSION,
    OLD,
    ImageWorld,
    activated,
    digest,
    image,
    listed,
    octets,
    submitted,
    wrong,
)
from tests.harness.parties.s1sp_world import CHF, EIS, ESME, GIS, GSME, PPMID, run

HUB_IMAGE, PPMID_IMAGE = image(CHF), image(PPMID)


def world_of(cohort: str = "IOC") -> ImageWorld:
    world = ImageWorld(cohort)
    world.dsp.cpl = listed((CHF, HUB_IMAGE), (PPMID, PPMID_IMAGE))
    return world


def dcc_alerts(user: ImportSupplier) -> list[Any]:
    bodies = [one.response.body for one in user.alerts()]
    return [body.alert for body in bodies if isinstance(body, DccAlertMessage)]


def to(*devices: Eui64, file: Any = PPMID_IMAGE) -> UpdateFirmware:
    return UpdateFirmware(octets(file), NEW_VERSION, devices)


# --- the hub's own firmware --------------------------------------------------------------------


def test_both_suppliers_of_a_home_learn_of_a_hub_update_when_it_is_asked_and_when_it_runs() -> None:
    world = world_of()
    run(world.update(CHF, HUB_IMAGE))
    asked = Smets1ChFirmwareNotification(CHF, NEW_VERSION, ChUpdateStatus.REQUESTED)
    assert dcc_alerts(world.eis) == [asked]
    assert dcc_alerts(world.gis) == [asked]
    assert run(activated(world, CHF, digest(HUB_IMAGE))).success
    runs = replace(asked, status=ChUpdateStatus.ACTIVATED)
    assert dcc_alerts(world.gis) == [asked, runs]
    codes = [one.response.body.code for one in world.gis.alerts()]  # type: ignore[union-attr]  # DCC alerts
    assert codes == ["N56", "N57"]
    for record in world.dsp.inventory:
        hub = record.device_type in {DeviceType.CHF, DeviceType.GPF}
        assert record.firmware_version == (NEW_VERSION if hub else OLD)


def test_a_hub_that_does_not_start_its_image_is_no_activation_to_anybody() -> None:
    world = world_of()
    world.hub.activation = (Stage.ACTIVATION_FAILED, Reason.NOT_ACTIVATED)
    run(world.update(CHF, HUB_IMAGE))
    assert not run(activated(world, CHF, digest(HUB_IMAGE))).success
    assert [one.status for one in dcc_alerts(world.gis)] == [ChUpdateStatus.REQUESTED]
    record = world.dsp.inventory.find(CHF)
    assert record is not None
    assert record.firmware_version == OLD


def test_a_dsp_that_tells_nothing_of_hubs_is_seen() -> None:
    world = world_of()
    wrong(world, "dsp-tells-nothing-of-hubs")
    run(world.update(CHF, HUB_IMAGE))
    assert dcc_alerts(world.gis) == []


def test_the_other_supplier_of_a_home_learns_of_a_ppmid_update() -> None:
    world = world_of()
    run(world.update(PPMID, PPMID_IMAGE))
    wanted = FirmwareUpgradeRequested(DeviceType.PPMID, NEW_VERSION, (PPMID,))
    assert dcc_alerts(world.gis) == [wanted]
    assert dcc_alerts(world.eis) == []


@needs_duis
def test_every_document_about_smets1_firmware_is_valid() -> None:
    world = world_of("EA")
    run(world.update(CHF, HUB_IMAGE))
    run(activated(world, CHF, digest(HUB_IMAGE)))
    run(activated(world, CHF, bytes(32)))
    world.hub.versions[PPMID] = "20000007"
    run(world.ask(world.eis, ReadFirmwareVersion(), PPMID))
    world.hub.store_bytes = 1
    run(world.update(PPMID, PPMID_IMAGE))
    documents = [one.octets for user in (world.eis, world.gis) for one in user.inbox]
    assert len(documents) > 10
    assert all(map(is_valid, documents))
    kinds = {type(one).__name__ for one in dcc_alerts(world.eis)}
    assert kinds == {"Smets1ChFirmwareNotification", "FirmwareVersionMismatch", "S1spAlertPassed"}


# --- who may (F-100, F-101) --------------------------------------------------------------------


@pytest.mark.parametrize("device", [CHF, PPMID])
@pytest.mark.parametrize(("cohort", "coin"), [("IOC", True), ("DA", True), ("EA", False)])
def test_the_gas_supplier_updates_no_hub_and_no_ppmid_where_it_is_refused(
    device: Eui64, cohort: str, coin: bool
) -> None:
    world = world_of(cohort)
    world.dsp.coin = coin
    file = HUB_IMAGE if device == CHF else PPMID_IMAGE
    found = submitted(world, world.gis, to(device, file=file))
    assert found == Category.NOT_ELIGIBLE_ROLE
    assert world.dsp.to_s1sps == []
    started = submitted(world, world.gis, ActivateFirmware(bytes(32)), device)
    assert started in {Category.NOT_RESPONSIBLE, Category.NOT_ELIGIBLE_ROLE}
    assert world.dsp.transfers == {}


def test_where_nobody_coordinates_the_dsps_coin_lets_the_gas_supplier_update_a_hub() -> None:
    world = world_of("EA")
    code, told = run(world.update(CHF, HUB_IMAGE, by=world.gis))
    assert code == "I99"
    assert told[0].target == GIS
    assert run(world.ask(world.gis, ActivateFirmware(digest(HUB_IMAGE)), CHF))[1].success


@pytest.mark.parametrize(
    ("cohort", "found"),
    [("IOC", Category.NOT_ELIGIBLE_ROLE), ("EA", Category.OTHER_REQUEST_IN_PROGRESS)],
)
def test_a_second_supplier_is_refused_by_role_or_by_the_request_under_way(
    cohort: str, found: Category
) -> None:
    world = world_of(cohort)
    assert submitted(world, world.eis, to(CHF, file=HUB_IMAGE)) == ""
    assert submitted(world, world.gis, to(CHF, file=HUB_IMAGE)) == found
    assert len(world.dsp.to_s1sps) == 1


def test_a_second_image_is_refused_while_the_first_is_under_way_unless_it_forces() -> None:
    first, forced = image(ESME), image(ESME, force=1)
    world = ImageWorld()
    world.dsp.cpl = listed((ESME, first))
    assert submitted(world, world.eis, to(ESME, file=first)) == ""
    assert submitted(world, world.eis, to(ESME, file=first)) == Category.OTHER_REQUEST_IN_PROGRESS
    assert submitted(world, world.eis, to(ESME, file=forced)) == ""
    run(world.dsp.relay(world.desk))
    assert [ticket.force_replace for ticket, _octets in world.hub.taken] == [False, True]
    assert submitted(world, world.eis, to(ESME, file=first)) == ""


def test_a_supplier_of_another_home_updates_nothing() -> None:
    world = world_of()
    stranger = world.user(
        Eui64.parse("02-53-42-00-00-05-00-00"), next(iter(world.eis.roles)), "NEW"
    )
    for device, file in ((CHF, HUB_IMAGE), (PPMID, PPMID_IMAGE)):
        found = submitted(world, stranger, to(device, file=file))
        assert found == Category.NOT_ELIGIBLE_ROLE


def test_a_dsp_that_lets_any_supplier_activate_is_seen() -> None:
    world = world_of("EA")
    world.dsp.coin = False
    body = ActivateFirmware(bytes(32))
    assert submitted(world, world.gis, body, CHF) == Category.NOT_ELIGIBLE_ROLE
    wrong(world, "dsp-lets-any-supplier-activate")
    assert submitted(world, world.gis, body, CHF) == ""


# --- what is refused ---------------------------------------------------------------------------


def of_11_4(*devices: Eui64) -> UpdatePpmidFirmware:
    return UpdatePpmidFirmware(octets(PPMID_IMAGE), NEW_VERSION, devices)


def test_11_4_is_refused_for_smets1_devices_as_not_applicable() -> None:
    world = world_of()
    assert submitted(world, world.eis, of_11_4(PPMID)) == Category.NOT_APPLICABLE
    assert world.dsp.to_s1sps == []
    assert world.hub.asked == []


def test_a_dsp_that_lets_11_4_through_is_seen_and_the_s1sp_refuses_it() -> None:
    world = world_of()
    wrong(world, "dsp-lets-11.4-through")
    assert submitted(world, world.eis, of_11_4(PPMID)) == ""
    run(world.dsp.relay(world.desk))
    assert [str(one) for one, _why in world.desk.refused] == ["X-S1SP-NO-SUCH-SERVICE"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (UpdateFirmware(b"no image", NEW_VERSION, (PPMID,)), Category.BAD_IMAGE),
        (UpdateFirmware(octets(PPMID_IMAGE)[:99], NEW_VERSION, (PPMID,)), Category.BAD_IMAGE),
        (UpdateFirmware(octets(PPMID_IMAGE), "10000009", (PPMID,)), Category.NOT_ON_CPL),
        (to(PPMID, file=image(PPMID, layout=None)), Category.HASH_MISMATCH),
        (to(Eui64.parse("02-53-05-00-00-00-00-99")), Category.BAD_IMAGE),
    ],
)
def test_an_image_the_list_does_not_have_goes_nowhere(
    body: UpdateFirmware, found: Category
) -> None:
    world = world_of()
    assert submitted(world, world.eis, body) == found
    assert world.dsp.to_s1sps == []
    assert world.dsp.transfers == {}


def test_an_unknown_device_of_the_list_is_named_and_the_others_go_on() -> None:
    world = world_of()
    stranger = Eui64.parse("02-53-05-00-00-00-00-99")
    asked = world.eis.ask(to(PPMID, stranger))
    got = world.eis.take(world.dsp.submit(world.eis.send(asked), EIS))
    assert isinstance(got.response.body, ResponseMessage)
    assert got.response.body.content.invalid == (stranger,)  # type: ignore[union-attr]  # the warning
    assert [one.device for one in world.dsp.to_s1sps] == [CHF]


# --- versions ----------------------------------------------------------------------------------


def test_a_meter_whose_listed_version_changed_by_other_hands_is_told_and_believed() -> None:
    made = image(ESME)
    world = ImageWorld()
    world.dsp.cpl = listed((ESME, made))
    world.hub.versions[ESME] = NEW_VERSION
    run(world.ask(world.eis, ReadFirmwareVersion(), ESME))
    (alert,) = dcc_alerts(world.eis)
    assert alert == FirmwareVersionMismatch(ESME, DeviceType.ESME, OLD, NEW_VERSION)
    record = world.dsp.inventory.find(ESME)
    assert record is not None
    assert record.firmware_version == NEW_VERSION


def versions_after_reading(world: ImageWorld) -> Sequence[str]:
    world.hub.versions[PPMID] = "20000007"
    _code, answer = run(world.ask(world.eis, ReadFirmwareVersion(), PPMID))
    record = world.dsp.inventory.find(PPMID)
    assert record is not None
    return answer.value.body.values[0].text, record.firmware_version


def test_an_s1sp_that_transforms_in_foc_and_a_dsp_that_believes_every_version_are_seen() -> None:
    assert versions_after_reading(ImageWorld("EA")) == ("20000007", OLD)
    transforming = ImageWorld("EA")
    wrong(transforming, "s1sp-transforms-in-foc")
    assert versions_after_reading(transforming) == (OLD, OLD)
    believing = ImageWorld("EA")
    wrong(believing, "dsp-believes-every-version")
    assert versions_after_reading(believing) == ("20000007", "20000007")


# --- saboteurs of the S1SP ---------------------------------------------------------------------


def starts_anything(world: ImageWorld) -> Any:
    made = image(ESME)
    world.dsp.cpl = listed((ESME, made))
    run(world.update(ESME, made))
    return run(activated(world, ESME, bytes(32))).success


def takes_any_signature(world: ImageWorld) -> Any:
    made = replace(image(ESME), signature=bytes(64))
    world.dsp.cpl = listed((ESME, made))
    run(world.update(ESME, made))
    return len(world.hub.taken)


def tells(world: ImageWorld) -> Any:
    _code, told = run(world.update(PPMID, PPMID_IMAGE))
    return len(told)


def says_it_runs(world: ImageWorld) -> Any:
    made = image(ESME)
    world.dsp.cpl = listed((ESME, made))
    run(world.update(ESME, made))
    world.ports[ESME].fails = True
    return run(activated(world, ESME, digest(made))).success


def touches_another_make(world: ImageWorld) -> Any:
    for record in world.desk.records.values():
        record.own_make = False
    run(world.update(PPMID, PPMID_IMAGE))
    run(world.ask(world.eis, ReadFirmwareVersion(), PPMID))
    return bool(world.hub.asked)


PROBES = {
    "s1sp-skips-hash-comparison": (starts_anything, "IOC"),
    "s1sp-skips-signature": (takes_any_signature, "IOC"),
    "s1sp-tells-no-outcome": (tells, "IOC"),
    "s1sp-reads-nothing-back": (says_it_runs, "IOC"),
    "s1sp-knows-every-make": (touches_another_make, "DA"),
}
#: Seen by tests of their own, here, in test_s1sp_images.py and in test_dsp_association.py.
ELSEWHERE = {
    "s1sp-sends-another-makers-metadata",
    "s1sp-drops-force-replace",
    "s1sp-keeps-what-was-not-verified",
    "s1sp-transforms-in-foc",
    "dsp-lets-11.4-through",
    "dsp-routes-by-association",
    "dsp-believes-every-version",
    "dsp-lets-strangers-join",
    "dsp-tells-nothing-of-hubs",
    "dsp-lets-any-supplier-activate",
}


@pytest.mark.parametrize("name", list(PROBES))
def test_every_saboteur_of_images_is_seen(name: str) -> None:
    probe, cohort = PROBES[name]
    sound, bad = world_of(cohort), world_of(cohort)
    wrong(bad, name)
    assert probe(sound) != probe(bad)


def test_no_saboteur_of_images_is_without_a_test() -> None:
    assert {*PROBES, *ELSEWHERE} == set(DEFECTS)


def test_the_gas_meter_is_the_gas_suppliers_alone() -> None:
    made = image(GSME, by=GIS)
    world = ImageWorld("EA")
    world.dsp.cpl = listed((GSME, made))
    body = to(GSME, file=made)
    assert submitted(world, world.eis, body) == Category.NOT_ELIGIBLE_ROLE
    assert submitted(world, world.gis, body) == ""


def test_a_smets1_device_is_never_answered_for_in_gbcs() -> None:
    world = world_of()
    run(world.update(PPMID, PPMID_IMAGE))
    run(activated(world, PPMID, digest(PPMID_IMAGE)))
    assert world.dsp.outbox == []
    assert all(one.smets is SmetsVersion.SMETS1 for one in world.dsp.inventory)
