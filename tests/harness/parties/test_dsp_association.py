"""Bilingual PPMIDs at the DSP: D1 to D14, hub exchanges, association conflicts (A2.13)."""

import json
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from device_profiles.cohort import CohortBilingual
from device_profiles.cpl import Cpl
from device_profiles.cpl_entry import CplEntry
from device_profiles.metadata_layout import MetadataMode
from device_profiles.words import DeviceStatus, DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from harness.formats.duis.bodies import (
    DeleteDevice,
    DevicePrenotification,
    ReadFirmwareVersion,
    UpdateFirmware,
    UpdateInventory,
)
from harness.formats.duis.smets1_bodies import LogChange, UpdateHanDeviceLog, Whitelisting
from harness.parties.import_supplier import change_body
from harness.rules.firmware_checks import Category
from tests.harness.parties.s1sp_image_world import (
    NEW_VERSION,
    ImageWorld,
    image,
    octets,
    submitted,
    wrong,
)
from tests.harness.parties.s1sp_world import CHF, EIS, ESME, GSME, MPXN, World, keys, run

S1, S2 = SmetsVersion.SMETS1, SmetsVersion.SMETS2
TACTICAL, ENDURING = MetadataMode.TACTICAL, MetadataMode.ENDURING
DISPLAY = Eui64.parse("02-53-05-00-00-00-00-77")
HUB2 = Eui64.parse("02-53-02-00-00-00-00-77")
NOMINAL, ACTUAL = "10000005", "20000007"
MAKER, MODEL = "FFF3", "01900100"


def entry(version: str, smets: SmetsVersion, image_hash: str = "") -> CplEntry:
    return CplEntry.model_validate(
        {
            "cpl_entry_id": f"BOTH-{smets}-{version}",
            "device_type": "PPMID",
            "smets": smets,
            "manufacturer_name": "Calderfold",
            "manufacturer_id": MAKER,
            "model_id": MODEL[:4],
            "hardware_version": MODEL[4:],
            "firmware_version": version,
            "esme_variant": "",
            "manufacturer_image_hash": image_hash,
            "image_hash_scope": "image",
            "status": "Active",
            "effective_from": "2014-01-01",
            "notes": "made up",
            "evidence": "stand-in",
        }
    )


SMETS1_ROW, SMETS2_ROW = entry(NOMINAL, S1), entry(ACTUAL, S2)


def world_with(*rows: CplEntry, mode: MetadataMode = TACTICAL) -> ImageWorld:
    """The SMETS1 home of the desk, and a SMETS2+ hub next door."""
    world = ImageWorld()
    dsp = world.dsp
    dsp.cpl = Cpl([*dsp.cpl.entries.values(), *rows])
    dsp.bilingual = CohortBilingual(mode=mode)
    hub = dsp.inventory.find(CHF)
    assert hub is not None
    dsp.inventory.put(replace(hub, device=HUB2, hub=HUB2, smets=S2, s1sp="", csp_region=None))
    return world


def announced(version: str) -> DevicePrenotification:
    return DevicePrenotification(DISPLAY, MAKER, MODEL, DeviceType.PPMID, firmware_version=version)


def joined(world: ImageWorld, hub: Eui64) -> Any:
    conflict = world.dsp.associate(DISPLAY, hub)
    world.dsp.inventory.move(DISPLAY, DeviceStatus.COMMISSIONED, world.clock.now())
    return conflict


def route(world: ImageWorld) -> str:
    """Return to whom a request to read the display's version goes, or why it goes nowhere."""
    found = submitted(world, world.eis, ReadFirmwareVersion(), DISPLAY)
    if world.dsp.to_s1sps:
        return "S1SP"
    return "GBCS" if world.dsp.outbox or found == "" else str(found)


@dataclass(frozen=True)
class Row:
    rows: tuple[CplEntry, ...]
    version: str
    hub: Eui64
    to: str
    shown: str
    mode: MetadataMode = TACTICAL


BOTH = (SMETS1_ROW, SMETS2_ROW)
GBCS = "unknown-device"  # it is looked for among devices of GBCS, whose keys this bench lacks
ROWS = {
    "D1": Row((SMETS1_ROW,), NOMINAL, CHF, "S1SP", NOMINAL),
    "D2": Row((SMETS2_ROW,), ACTUAL, HUB2, GBCS, ACTUAL),
    "D3": Row(BOTH, NOMINAL, CHF, "S1SP", NOMINAL),
    "D4": Row(BOTH, ACTUAL, HUB2, GBCS, ACTUAL),
    "D5": Row(BOTH, NOMINAL, HUB2, "untargetable", NOMINAL),
    "D6": Row(BOTH, ACTUAL, CHF, "untargetable", ACTUAL),
    "D8": Row((SMETS2_ROW,), ACTUAL, CHF, "untargetable", ACTUAL),
    "D11 by SMETS1": Row(BOTH, NOMINAL, CHF, "S1SP", NOMINAL, ENDURING),
    "D11 by SMETS2+": Row(BOTH, ACTUAL, CHF, "S1SP", NOMINAL, ENDURING),
    "D11 without a SMETS1 row": Row((SMETS2_ROW,), ACTUAL, CHF, "S1SP", ACTUAL, ENDURING),
    "D12 by SMETS1": Row(BOTH, NOMINAL, HUB2, GBCS, ACTUAL, ENDURING),
    "D12 by SMETS2+": Row(BOTH, ACTUAL, HUB2, GBCS, ACTUAL, ENDURING),
}


@pytest.mark.parametrize("name", list(ROWS))
def test_where_a_request_goes_follows_the_announcement_or_in_enduring_mode_the_hub(
    name: str,
) -> None:
    row = ROWS[name]
    world = world_with(*row.rows, mode=row.mode)
    assert submitted(world, world.eis, announced(row.version)) == ""
    joined(world, row.hub)
    assert route(world) == row.to
    record = world.dsp.inventory.find(DISPLAY)
    assert record is not None
    assert record.firmware_version == row.shown
    if row.to == "untargetable":
        assert "(B3)" in world.dsp.decisions[-1].objection.detail  # type: ignore[union-attr]  # it was refused


@pytest.mark.parametrize("name", ["D5", "D6", "D8"])
def test_no_image_is_sent_to_a_device_in_the_wrong_home(name: str) -> None:
    row = ROWS[name]
    world = world_with(*row.rows)
    submitted(world, world.eis, announced(row.version))
    joined(world, row.hub)
    meter = world.dsp.inventory.find(ESME)
    assert meter is not None
    world.dsp.inventory.put(replace(meter, device=Eui64.parse("02" * 8), hub=row.hub))
    body = UpdateFirmware(octets(image(ESME)), NEW_VERSION, (DISPLAY,))
    assert submitted(world, world.eis, body) == Category.UNTARGETABLE
    assert world.dsp.to_s1sps == []
    assert world.dsp.transfers == {}


def test_d9_the_actual_version_of_a_smets1_only_model_is_an_unknown_device_model() -> None:
    world = world_with(SMETS1_ROW)
    asked = world.eis.ask(announced(ACTUAL))
    got = world.eis.take(world.dsp.submit(world.eis.send(asked), EIS))
    assert got.code == "E120201"
    assert world.dsp.decisions[-1].category == Category.UNKNOWN_DEVICE_MODEL
    assert world.dsp.inventory.find(DISPLAY) is None


def test_d7_two_rows_of_one_version_are_no_list() -> None:
    with pytest.raises(Exception, match="bilingual"):
        world_with(SMETS1_ROW, entry(NOMINAL, S2))


def add() -> UpdateHanDeviceLog:
    return UpdateHanDeviceLog(DISPLAY, LogChange.ADD, Whitelisting(3600, bytes(16)))


def test_d10_what_nobody_pre_notified_does_not_join() -> None:
    world = world_with(*BOTH)
    assert submitted(world, world.eis, add(), CHF) == Category.UNKNOWN_DEVICE
    assert world.dsp.to_s1sps == []
    wrong(world, "dsp-lets-strangers-join")
    assert submitted(world, world.eis, add(), CHF) == ""


@pytest.mark.parametrize("version", [NOMINAL, ACTUAL])
def test_the_join_itself_goes_by_the_hub_whatever_the_announcement(version: str) -> None:
    world = world_with(*BOTH)
    submitted(world, world.eis, announced(version))
    assert submitted(world, world.eis, add(), CHF) == ""
    assert [one.device for one in world.dsp.to_s1sps] == [CHF]


def test_8_11_lets_nothing_in_that_stands_on_another_hubs_log() -> None:
    world = world_with(*BOTH)
    submitted(world, world.eis, announced(NOMINAL))
    joined(world, HUB2)
    before = world.dsp.inventory.dump()
    assert submitted(world, world.eis, add(), CHF) == Category.BAD_REQUEST
    assert (world.dsp.inventory.dump(), world.dsp.to_s1sps) == (before, [])
    joined(world, CHF)
    assert submitted(world, world.eis, add(), CHF) == ""


def test_8_11_lets_no_meter_in_for_a_meter_point_that_another_one_has() -> None:
    world = world_with(*BOTH)
    meter, new = world.dsp.inventory.find(ESME), Eui64.parse("02-53-01-00-00-00-00-78")
    assert meter is not None
    meter = replace(meter, hub=CHF, mpxn="9941510000017")
    world.dsp.inventory.put(meter)
    spare = replace(meter, device=new, hub=None, mpxn="", status=DeviceStatus.PENDING)
    world.dsp.inventory.put(spare)
    white = Whitelisting(3600, bytes(16), "9941510000017")
    body = UpdateHanDeviceLog(new, LogChange.ADD, white)
    assert submitted(world, world.eis, body, CHF) == Category.BAD_REQUEST
    world.dsp.inventory.put(replace(meter, hub=None))
    assert submitted(world, world.eis, body, CHF) == ""
    world.dsp.inventory.put(replace(spare, hub=CHF, mpxn="9941510000017"))
    assert world.dsp.inventory.of_mpxn("9941510000017") == world.dsp.inventory.find(new)


def test_6_23_for_another_meter_point_than_the_meters_changes_no_certificate() -> None:
    world = World()
    world.notify(ESME, EIS)
    before = world.desk.records[ESME].dump()
    for point in ("9900000000099", MPXN[GSME]):
        body = change_body(keys(), EIS, point)
        assert run(world.ask(world.eis, body, ESME)) == ("E062301", None)
    assert world.desk.records[ESME].dump() == before
    _code, answer = run(world.ask(world.eis, change_body(keys(), EIS, MPXN[ESME]), ESME))
    assert answer.success


def test_d14_a_device_that_moves_is_decommissioned_deleted_and_announced_anew() -> None:
    world = world_with(*BOTH)
    submitted(world, world.eis, announced(NOMINAL))
    joined(world, CHF)
    gone = UpdateInventory(DISPLAY, DeleteDevice())
    assert submitted(world, world.eis, gone) == Category.NOT_APPLICABLE
    assert submitted(world, world.eis, announced(ACTUAL)) == Category.BAD_REQUEST
    record = world.dsp.inventory.move(DISPLAY, DeviceStatus.DECOMMISSIONED, world.clock.now())
    world.dsp.inventory.put(replace(record, hub=None))
    assert submitted(world, world.eis, gone) == ""
    assert submitted(world, world.eis, announced(ACTUAL)) == ""
    joined(world, HUB2)
    assert route(world) == GBCS


def test_f_094_a_hub_exchange_flips_the_association_and_the_conflict_is_noted() -> None:
    world = world_with(*BOTH)
    submitted(world, world.eis, announced(NOMINAL))
    assert joined(world, CHF) is None
    own = [one.device for one in world.dsp.inventory.of_hub(CHF) if one.device != CHF]
    found = world.dsp.note_hub_exchange(CHF, HUB2)
    assert {one.device for one in found} == set(own)
    mine = next(one for one in found if one.device == DISPLAY)
    assert "A2.13" in mine.says
    assert "SMETS2+" in mine.says
    assert mine.hub == HUB2
    assert world.dsp.conflicts == found
    assert route(world) == "untargetable"
    state = json.loads(json.dumps(world.dsp.dump()))
    other = world_with(*BOTH)
    other.dsp.load(state)
    assert other.dsp.conflicts == found
    hub = world.dsp.inventory.find(CHF)
    assert hub is not None
    assert hub.hub == CHF


def test_in_enduring_mode_a_hub_exchange_leaves_no_conflict_for_a_ppmid() -> None:
    world = world_with(*BOTH, mode=ENDURING)
    submitted(world, world.eis, announced(NOMINAL))
    joined(world, CHF)
    found = world.dsp.note_hub_exchange(CHF, HUB2)
    assert DISPLAY not in {one.device for one in found}
    assert ESME in {one.device for one in found}  # a meter is of one generation


def test_the_mode_is_looked_up_by_the_day() -> None:
    world = world_with(*BOTH)
    submitted(world, world.eis, announced(ACTUAL))
    joined(world, CHF)
    world.dsp.bilingual = CohortBilingual(mode=TACTICAL, enduring_from=date(2022, 11, 1))
    assert route(world) == "untargetable"  # in March 2021
    world.dsp.bilingual = CohortBilingual(mode=TACTICAL, enduring_from=date(2021, 3, 1))
    assert route(world) == "S1SP"


def test_a_dsp_that_routes_by_association_is_seen() -> None:
    sound, bad = world_with(*BOTH), world_with(*BOTH)
    wrong(bad, "dsp-routes-by-association")
    for world in (sound, bad):
        submitted(world, world.eis, announced(ACTUAL))
        joined(world, CHF)
    assert (route(sound), route(bad)) == ("untargetable", "S1SP")


def test_of_several_rows_of_the_other_kind_the_one_with_the_same_image_counts() -> None:
    same = "ab" * 32
    rows = (entry(NOMINAL, S1, same), entry("10000004", S1, "cd" * 32), entry(ACTUAL, S2, same))
    world = world_with(*rows, mode=ENDURING)
    submitted(world, world.eis, announced(ACTUAL))
    joined(world, CHF)
    record = world.dsp.settled(DISPLAY)
    assert record is not None
    assert (record.smets, record.firmware_version, record.s1sp) == (S1, NOMINAL, "DXC")


def test_an_association_with_somebody_unknown_is_our_own_fault() -> None:
    world = world_with(*BOTH)
    with pytest.raises(ValueError, match="not in the inventory"):
        world.dsp.associate(DISPLAY, CHF)
