"""The S1SP's desk for images: hub first, believed or not, kept per device, started by hash."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from device_profiles.loader import load_profile
from device_profiles.metadata_layout import MetadataMode
from device_profiles.metadata_makers import HubMaker
from device_profiles.words import DeviceType
from emulator.codecs.chf_metadata import MetadataTarget, codec_of
from emulator.codecs.chf_metadata_check import Accepted, OfferedImage, check_image
from emulator.codecs.dlms.hub_image import Reason, Stage
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.ota_file import OtaImage
from emulator.core.ids import Eui64
from firmware_images.image import resized, sign
from harness.formats.duis import countersigned, s1sp_alert, smets1_response
from harness.formats.duis.bodies import (
    UpdateFirmware,
    UpdatePpmidFirmware,
)
from harness.formats.duis.countersigned import Countersigned
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.smets1_contents import DeviceAlert
from harness.parties.s1sp_desk_faults import DeskFault
from harness.parties.s1sp_desk_records import DeskRecord
from tests.harness.parties.s1sp_image_world import (
    CONTENT,
    HUB_MODEL,
    KIND_OF,
    MODEL_OF,
    NEW_VERSION,
    OTHER_HUB_MODEL,
    ImageWorld,
    digest,
    image,
    made_for,
    octets,
    owner,
    scalar,
    world_with,
    wrong,
)
from tests.harness.parties.s1sp_world import (
    CHF,
    DSP,
    EIS,
    ESME,
    GIS,
    GSME,
    PPMID,
    S1SP,
    run,
    signed_request,
    signing_key,
)

TACTICAL, ENDURING = MetadataMode.TACTICAL, MetadataMode.ENDURING
ALL = list(MODEL_OF)
OTHER_HOME = Eui64.parse("02-53-02-00-00-00-00-77")


def kept(world: ImageWorld) -> str:
    records = world.desk.dump()["records"]
    return json.dumps([{**one, "executions": None} for one in records])


# --- 11.1 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ALL, ids=lambda one: KIND_OF[one])
@pytest.mark.parametrize("mode", [TACTICAL, ENDURING])
def test_an_image_goes_to_the_hub_first_and_its_outcome_is_told(
    device: Eui64, mode: MetadataMode
) -> None:
    made = made_for(device, mode)
    world = world_with(device, made, mode=mode)
    code, told = run(world.update(device, made))
    assert code == "I99"
    (receipt,) = told
    assert isinstance(receipt.body, DeviceAlert)
    assert (receipt.device, receipt.target) == (device, owner(device))
    assert receipt.body.code == AlertCode.FIRMWARE_VERIFIED
    assert receipt.body.image_hash == digest(made)
    ((ticket, arrived),) = world.hub.taken
    assert (ticket.target, ticket.file_version) == (device, int(NEW_VERSION, 16))
    assert not ticket.force_replace
    assert arrived == octets(made)
    record = world.desk.records[device]
    assert record.image_hash == digest(made).hex()
    assert device not in world.dsp.transfers


@pytest.mark.parametrize("device", ALL, ids=lambda one: KIND_OF[one])
def test_in_enduring_mode_the_hub_gets_metadata_it_accepts_beside_the_bare_image(
    device: Eui64,
) -> None:
    made = made_for(device, ENDURING)
    world = world_with(device, made, mode=ENDURING)
    run(world.update(device, made))
    (supplied,) = world.hub.supplied
    assert supplied.ticket.target == device
    asked = world.hub.asked
    assert asked.index("set 00002c0100ff") < asked.index("action 1")
    offered = OfferedImage(
        made.header,
        made.manufacturer_image,
        MetadataTarget.of(load_profile(MODEL_OF[device])),
        supplied.metadata,
    )
    codec = codec_of(HubMaker.of(load_profile(HUB_MODEL)))
    assert isinstance(check_image(codec, ENDURING, offered), Accepted)
    other = codec_of(HubMaker.of(load_profile(OTHER_HUB_MODEL)))
    assert not isinstance(check_image(other, ENDURING, offered), Accepted)


def test_the_hash_that_is_kept_is_over_metadata_and_image_in_tactical_mode_alone() -> None:
    tactical, bare = image(PPMID), image(PPMID, layout=None)
    world = world_with(PPMID, tactical)
    run(world.update(PPMID, tactical))
    enduring = world_with(PPMID, bare, mode=ENDURING)
    run(enduring.update(PPMID, bare))
    hashes = [one.desk.records[PPMID].image_hash for one in (world, enduring)]
    assert hashes == [digest(tactical).hex(), digest(bare).hex()]
    assert hashes[0] != hashes[1]


def test_force_replace_goes_with_the_ticket() -> None:
    made = image(ESME, force=1)
    world = world_with(ESME, made)
    run(world.update(ESME, made))
    assert world.hub.taken[0][0].force_replace
    wrong(world, "s1sp-drops-force-replace")
    run(world.update(ESME, made))
    assert not world.hub.taken[1][0].force_replace


def test_an_image_the_device_finds_wrong_is_told_as_8f1c_with_the_reason_and_nothing_is_kept() -> (
    None
):
    made = image(ESME)
    world = world_with(ESME, made)
    world.hub.ends = (Stage.VERIFY_FAILED, Reason.INVALID_IMAGE)
    before = kept(world)
    _code, (receipt,) = run(world.update(ESME, made))
    assert receipt.body.code == AlertCode.FIRMWARE_VERIFICATION_FAILED
    assert "invalid-image" in receipt.body.description
    assert kept(world) == before
    wrong(world, "s1sp-keeps-what-was-not-verified")
    run(world.update(ESME, made))
    assert kept(world) != before


def spoiled_signature() -> OtaImage:
    made = image(ESME)
    return replace(made, signature=bytes(64))


REFUSED: dict[str, tuple[Callable[[], OtaImage], dict[str, Any], DeskFault]] = {
    "no signature of anybody": (spoiled_signature, {}, DeskFault.IMAGE_SIGNATURE),
    "the signature of another supplier": (
        lambda: sign(image(ESME), scalar(GIS)),
        {},
        DeskFault.IMAGE_SIGNATURE,
    ),
    "too large for the hub": (lambda: image(ESME), {"store_bytes": 300}, DeskFault.HUB_SIZE),
    "no slot at the hub": (
        lambda: image(ESME),
        {"refuses_at_initiate": Reason.STORE_FULL},
        DeskFault.HUB_STORE,
    ),
    "another image held": (
        lambda: image(ESME),
        {"refuses_at_initiate": Reason.HELD_ALREADY},
        DeskFault.HUB_HOLDS_ANOTHER,
    ),
    "a hub that does not know the device": (
        lambda: image(ESME),
        {"refuses_at_initiate": Reason.NOT_IN_DEVICE_LOG},
        DeskFault.HUB_REFUSED,
    ),
    "a hub that cannot": (
        lambda: image(ESME),
        {"refuses_at_initiate": Reason.NOT_SUPPORTED},
        DeskFault.IMAGE_NOT_SUPPORTED,
    ),
    "another maker's metadata inside": (
        lambda: image(ESME, layout=OTHER_HUB_MODEL),
        {"ends": (Stage.DISCARDED, Reason.CONST_MISMATCH)},
        DeskFault.METADATA_REFUSED,
    ),
    "a transfer that stalls": (
        lambda: image(ESME),
        {"ends": (Stage.ABORTED, Reason.STALLED)},
        DeskFault.IMAGE_ABORTED,
    ),
    "a hub that tells no outcome": (lambda: image(ESME), {"mute_log": True}, DeskFault.NO_OUTCOME),
    "a hub that does not answer": (lambda: image(ESME), {"mute": True}, DeskFault.SILENT),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_each_way_an_image_comes_to_nothing_has_a_name_and_changes_nothing(name: str) -> None:
    make, hub, fault = REFUSED[name]
    made = make()
    world = world_with(ESME, made)
    for word, value in hub.items():
        setattr(world.hub, word, value)
    before = kept(world)
    code, told = run(world.update(ESME, made))
    assert code == "I99"
    (alert,) = told
    assert isinstance(alert, S1spAlert)
    assert (alert.code, alert.device) == (fault, ESME)
    assert world.desk.refused[-1][0] is fault
    assert kept(world) == before
    assert ESME not in world.dsp.transfers  # it may be asked for again
    names = [type(one.response.body.alert).__name__ for one in world.eis.alerts()]  # type: ignore[union-attr]  # DCC alerts
    assert names == ["S1spAlertPassed", "FirmwareDistributionFailure"]


def straight(world: ImageWorld, body: UpdateFirmware, hub: Eui64 = CHF, counter: int = 5) -> Any:
    """Have the desk take an 11.1 that the DSP would not have let through."""
    request = signed_request(EIS, body, DSP, counter)
    asked = Countersigned(S1SP, hub, DSP, counter, request, EIS, counter)
    return run(world.desk.take(countersigned.write(asked, signing_key(DSP))))


def of_esme(file: bytes, version: str = NEW_VERSION) -> UpdateFirmware:
    return UpdateFirmware(file, version, (ESME,))


GOOD = octets(image(ESME))
FOREIGN: dict[str, tuple[UpdateFirmware, Eui64, DeskFault]] = {
    "no image": (of_esme(b"no image"), CHF, DeskFault.IMAGE_MALFORMED),
    "half an image": (of_esme(GOOD[:300]), CHF, DeskFault.IMAGE_MALFORMED),
    "a bare header": (
        of_esme(octets(resized(image(ESME), b""))),
        CHF,
        DeskFault.IMAGE_MALFORMED,
    ),
    "a version that is no number": (of_esme(GOOD, "1.0"), CHF, DeskFault.IMAGE_VERSION),
    "the version of another image": (of_esme(GOOD, "10000003"), CHF, DeskFault.IMAGE_VERSION),
    "11.4": (
        UpdatePpmidFirmware(octets(image(PPMID)), NEW_VERSION, (PPMID,)),
        CHF,
        DeskFault.NO_SUCH_SERVICE,
    ),
    "a hub of nobody": (of_esme(GOOD), OTHER_HOME, DeskFault.UNKNOWN_DEVICE),
    "devices of nobody": (
        UpdateFirmware(GOOD, NEW_VERSION, (OTHER_HOME,)),
        CHF,
        DeskFault.UNKNOWN_DEVICE,
    ),
}


@pytest.mark.parametrize("name", list(FOREIGN))
def test_bad_input_that_gets_past_the_dsp_is_refused_by_name_and_changes_nothing(name: str) -> None:
    body, hub, fault = FOREIGN[name]
    world = ImageWorld()
    before = kept(world)
    answered = straight(world, body, hub)
    assert [one for one, _detail in world.desk.refused] == [fault]
    assert [s1sp_alert.read_alert(one).code for one in answered] == [fault]
    assert kept(world) == before
    assert world.hub.taken == []


def test_an_image_for_devices_behind_another_hub_is_refused_there() -> None:
    world = ImageWorld()
    world.desk.enrol([DeskRecord(OTHER_HOME, DeviceType.CHF, OTHER_HOME)])
    straight(world, of_esme(GOOD), OTHER_HOME)
    assert world.desk.refused[-1][0] is DeskFault.OTHER_HUB
    assert world.hub.taken == []


def test_a_counter_that_does_not_rise_brings_no_image() -> None:
    world = ImageWorld()
    assert len(straight(world, of_esme(GOOD))) == 1
    assert straight(world, of_esme(GOOD)) == ()
    assert world.desk.refused[-1][0] is DeskFault.REPLAYED
    assert len(world.hub.taken) == 1


def test_one_bad_target_leaves_the_others_be() -> None:
    world = ImageWorld()
    world.notify(GSME, EIS)
    body = UpdateFirmware(GOOD, NEW_VERSION, (ESME, OTHER_HOME, GSME))
    first, second = straight(world, body)
    assert smets1_response.read_signed(first).device == ESME
    assert smets1_response.read_signed(second).device == GSME


def test_a_hub_that_is_not_reached_is_asked_again_until_patience_ends() -> None:
    made = image(ESME)
    world = world_with(ESME, made)
    world.hub.done_after_s = 3 * 86_400
    began = world.clock.now()
    _code, (receipt,) = run(world.update(ESME, made))
    assert receipt.body.code == AlertCode.FIRMWARE_VERIFIED
    waited_s = (world.clock.now() - began) / 1000
    assert 3 * 86_400 <= waited_s < 3 * 86_400 + 7_300
    looks = world.hub.asked.count("get 00002c0300ff")
    assert looks < 60


def test_without_the_dcos_part_neither_image_nor_metadata_pass() -> None:
    made = image(ESME, layout=None)
    world = world_with(ESME, made, mode=ENDURING, dco_knows=False)
    _code, (alert,) = run(world.update(ESME, made))
    assert alert.code == DeskFault.DCO_PART_MISSING
    assert world.hub.supplied == []
    assert world.hub.taken == []


def test_a_hub_in_the_other_mode_takes_no_metadata() -> None:
    made = image(ESME, layout=None)
    world = world_with(ESME, made, mode=ENDURING)
    world.hub.enduring = False
    _code, (alert,) = run(world.update(ESME, made))
    assert alert.code == DeskFault.HUB_REFUSED
    assert "hand over the metadata" in alert.information


def test_metadata_of_another_maker_are_told_as_the_s1sps_own_fault() -> None:
    made = image(PPMID, layout=None)
    world = world_with(PPMID, made, mode=ENDURING)
    wrong(world, "s1sp-sends-another-makers-metadata")
    world.hub.ends = (Stage.DISCARDED, Reason.CONST_MISMATCH)
    _code, (alert,) = run(world.update(PPMID, made))
    assert alert.code == DeskFault.OWN_METADATA_REFUSED
    assert "the S1SP made the metadata" in alert.information
    assert "stand-in layout" in alert.information
    codec = codec_of(HubMaker.of(load_profile(HUB_MODEL)))
    profile = load_profile(MODEL_OF[PPMID])
    supplied = world.hub.supplied[0].metadata
    offered = OfferedImage(made.header, CONTENT, MetadataTarget.of(profile), supplied)
    assert not isinstance(check_image(codec, ENDURING, offered), Accepted)
