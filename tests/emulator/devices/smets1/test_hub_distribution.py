"""Images on their way from a SMETS1 hub to meters and displays: frames, power, damage, refusals."""

from pathlib import Path
from typing import Any

import pytest

from emulator.codecs.dlms.apdu_parts import ActionResult
from emulator.codecs.dlms.hub_image import Stage
from emulator.core.ids import Eui64
from emulator.devices.ota_table import OtaState
from emulator.devices.smets1.image import ImageState
from emulator.devices.smets1.logs import EventCode
from tests.emulator.devices.smets1.image_home import (
    ESME,
    GSME,
    HUB,
    NEW,
    PPMID,
    ROLES,
    ImageHome,
    image_for,
)

HUB_MODEL = "demo-s1-chf-ioc"
MODELS = {ESME: "demo-s1-esme", GSME: "demo-s1-gsme", PPMID: "demo-s1-ppmid"}
BEHIND = [ESME, GSME, PPMID]
LONG = bytes(range(256)) * 40


def image(target: Eui64, version: int = NEW, body: bytes = bytes(400), **header: Any) -> bytes:
    return image_for(ROLES[target], MODELS[target], version, layout=HUB_MODEL, body=body, **header)


def given(target: Eui64, **named: object) -> ImageHome:
    """A home in which a device has been given an image."""
    home = ImageHome(HUB_MODEL, **named)  # type: ignore[arg-type]  # its own names
    home.stage(target, image(target))
    home.pass_hours(1)
    return home


def client(home: ImageHome, target: Eui64) -> OtaState:
    device = home.world.box(target).device
    state: OtaState = device.images.ota.state  # type: ignore[attr-defined]  # meters and displays
    return state


@pytest.mark.parametrize("target", BEHIND, ids=ROLES.get)
def test_every_device_behind_the_hub_gets_its_image_and_says_so(target: Eui64) -> None:
    home = given(target)
    row = home.log()[-1]
    assert (row.stage, row.served) == (Stage.DONE, len(image(target)))
    assert client(home, target) is OtaState.VERIFIED_PENDING
    assert home.running(target) != NEW
    assert home.hub.images.store.held == {}


@pytest.mark.parametrize("target", [ESME, GSME], ids=ROLES.get)
def test_a_whole_image_is_that_of_the_meters_image_transfer(target: Eui64) -> None:
    home = given(target)
    meter = home.meter(target)
    assert meter.image.state is ImageState.VERIFIED
    assert bytes(meter.image.transfer.octets) == image(target)
    codes = [row.code for row in meter.logs["events"].rows]
    assert EventCode.IMAGE_VERIFIED in codes


@pytest.mark.parametrize("target", [ESME, GSME], ids=ROLES.get)
def test_a_meter_runs_it_when_its_own_association_says_so(target: Eui64) -> None:
    home = given(target)
    assert home.activate_meter(target) is ActionResult.SUCCESS
    home.pass_s(60)
    assert home.running(target) == NEW
    assert client(home, target) is OtaState.ACTIVE
    assert home.log()[-1].stage is Stage.DONE  # the hub has no part in it


@pytest.mark.parametrize("target", [ESME, GSME], ids=ROLES.get)
def test_a_meter_whose_new_firmware_fails_runs_the_old_one_and_takes_the_next(
    target: Eui64,
) -> None:
    home = given(target)
    home.world.box(target).device.inject("self-test-fails")  # type: ignore[attr-defined]  # it has
    home.activate_meter(target)
    home.pass_s(60)
    assert home.running(target) != NEW
    assert client(home, target) is OtaState.IDLE
    home.stage(target, image(target, NEW + 1), NEW + 1)
    home.pass_hours(1)
    assert home.last() == ("DONE", "none")


def test_every_state_of_a_delivery_is_noted() -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(ESME, image(ESME))
    home.pass_s(60)
    facts = home.world.records.take_facts()
    server = [dict(one.fields)["state"] for one in facts if one.kind == "server_state"]
    assert server == ["STAGING", "STAGED", "NOTIFIED", "SERVING", "DONE"]
    states = [dict(one.fields)["state"] for one in facts if one.kind == "ota_state"]
    assert states == ["QUERIED", "DOWNLOADING", "COMPLETE_UNVERIFIED", "VERIFIED_PENDING"]


def test_a_sleepy_meter_downloads_in_its_windows_and_sleeps_between() -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(GSME, image(GSME, body=LONG))
    windows = 0
    while not home.log()[-1].final and windows < 20:
        home.pass_s(1_800)
        windows += 1
        assert not home.world.box(GSME).awake
    assert home.last() == ("DONE", "none")
    assert windows >= 3


def test_a_sleepy_meter_hears_of_an_image_in_its_tunnel_and_no_frame_is_missed() -> None:
    home = ImageHome(HUB_MODEL)
    home.world.records.take_facts()
    home.stage(GSME, image(GSME))
    home.pass_hours(2)
    assert home.facts("han_frame_missed") == []
    assert home.last() == ("DONE", "none")


# -- images that are not for the device --------------------------------------------------------


@pytest.mark.parametrize("target", BEHIND, ids=ROLES.get)
@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"minimum_hardware": 0x0200, "maximum_hardware": 0x0300}, "other-hardware"),
        ({"image_type": 0x0042}, "other-device"),
    ],
)
def test_an_image_that_does_not_fit_is_discarded_at_the_query(
    target: Eui64, header: dict[str, Any], reason: str
) -> None:
    home = ImageHome("demo-s1-chf")
    home.stage(target, image_for(ROLES[target], MODELS[target], **header))
    home.pass_hours(2)
    if reason == "other-device":  # the device does not even ask about another's image
        home.pass_hours(30)
        assert home.log()[-1].stage is Stage.ABORTED
    else:
        assert home.last() == ("DISCARDED", reason)
    assert home.log()[-1].served == 0
    assert client(home, target) is OtaState.IDLE
    assert home.notices()[-1].stage is home.log()[-1].stage


@pytest.mark.parametrize("target", BEHIND, ids=ROLES.get)
def test_an_image_for_another_device_is_thrown_away_when_it_is_whole(target: Eui64) -> None:
    home = ImageHome("demo-s1-chf")
    home.stage(target, image_for(ROLES[target], MODELS[target], destination=HUB))
    home.pass_hours(1)
    assert home.last() == ("VERIFY_FAILED", "invalid-image")
    assert client(home, target) is OtaState.REJECTED
    assert home.notices()[-1].stage is Stage.VERIFY_FAILED


def test_the_version_that_runs_already_is_not_downloaded() -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(ESME, image(ESME, 0x10000001), 0x10000001)
    home.pass_hours(26)
    assert home.last() == ("ABORTED", "stalled")
    assert client(home, ESME) is OtaState.IDLE


def test_a_lower_version_is_taken_where_the_model_allows_it() -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(ESME, image(ESME, 0x0F000000), 0x0F000000)
    home.pass_s(60)
    assert home.last() == ("DONE", "none")


def test_a_device_that_never_answers_is_given_up_after_a_day() -> None:
    home = ImageHome(HUB_MODEL)
    home.world.cut_power(ESME, 0)
    home.stage(ESME, image(ESME))
    home.pass_hours(23)
    assert home.log()[-1].stage is Stage.NOTIFIED
    home.pass_hours(3)
    assert home.last() == ("ABORTED", "stalled")


# -- power -------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", BEHIND, ids=ROLES.get)
@pytest.mark.parametrize("after_s", [0.1, 5.0, 15.0, 40.0])
def test_a_device_that_loses_power_finishes_its_download(target: Eui64, after_s: float) -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(target, image(target, body=LONG[:3_000]))
    if target == GSME:
        home.pass_s(1_735)  # into its next window
    home.pass_s(after_s)
    home.power_cycle(target, 30)
    home.pass_hours(3)
    assert home.last() == ("DONE", "none")


@pytest.mark.parametrize("policy", ["resume-from-offset", "restart"])
def test_a_download_goes_on_or_begins_anew_as_the_model_says(tmp_path: Path, policy: str) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "demo-s1-esme.toml").write_text(f'[firmware]\nresume_policy = "{policy}"\n')
    home = ImageHome(HUB_MODEL, overlays=(tmp_path,))
    home.stage(ESME, image(ESME, body=LONG[:3_000]))
    home.pass_s(2)
    device = home.world.box(ESME).device
    before = device.images.ota.offset  # type: ignore[attr-defined]  # a meter's
    assert before > 0
    home.power_cycle(ESME, 30)
    kept = device.images.ota.offset  # type: ignore[attr-defined]  # a meter's
    assert kept >= before if policy != "restart" else kept < before
    home.pass_s(120)
    assert home.last() == ("DONE", "none")


@pytest.mark.parametrize("target", BEHIND, ids=ROLES.get)
def test_a_hub_that_loses_power_goes_on_serving(target: Eui64) -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(target, image(target, body=LONG[:3_000]))
    home.pass_s(3)
    home.power_cycle(HUB, 60)
    home.pass_hours(4)
    assert home.last() == ("DONE", "none")


def test_a_download_waits_while_the_hub_starts_its_own_firmware() -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(HUB, image_for("CHF", HUB_MODEL, layout=HUB_MODEL))
    home.stage(ESME, image(ESME, body=LONG))
    home.pass_s(3)
    home.activate_hub()
    home.pass_s(10)
    assert home.facts("ota_wait_for_data")
    home.pass_s(300)
    assert [row.stage.name for row in home.log()] == ["ACTIVATED", "DONE"]


# -- damage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [ESME, GSME], ids=ROLES.get)
def test_a_block_damaged_in_the_air_shows_in_the_hash_that_the_meter_tells(target: Eui64) -> None:
    right = given(target).meter(target).image.content_hash()
    home = given(target, faults=["corrupt-payload:kind=ota.image-block-response,n=7@han"])
    assert home.meter(target).image.state is ImageState.VERIFIED
    assert home.meter(target).image.content_hash() not in {right, b""}


@pytest.mark.parametrize("target", BEHIND, ids=ROLES.get)
@pytest.mark.parametrize("kind", ["query-next-image-response", "image-block-response"])
def test_lost_frames_are_asked_for_again(target: Eui64, kind: str) -> None:
    home = ImageHome(HUB_MODEL, faults=[f"drop:kind=ota.{kind},n=1@han"])
    home.stage(target, image(target))
    home.pass_hours(8)
    assert home.last() == ("DONE", "none")


def test_strangers_and_wrong_directions_are_refused_by_the_hub() -> None:
    from emulator.codecs.zcl import ota  # noqa: PLC0415 - one use
    from emulator.core.effects import DeviceEvent, Note, ZclIndication  # noqa: PLC0415 - one use

    home = ImageHome(HUB_MODEL)
    ask = ota.encode(ota.QueryNextImageRequest(1, 2, 3), 1)
    answer = ota.encode(ota.ImageNotify(100), 1)
    stranger = Eui64(bytes(8))
    for source, frame in ((stranger, ask), (ESME, answer), (ESME, b"\x01"), (ESME, ask[:-1])):
        indication = ZclIndication(source, HUB, ota.CLUSTER, frame)
        told = home.gateway.handle(DeviceEvent.ZCL, indication, home.now)
        assert [effect.kind for effect in told if isinstance(effect, Note)] == ["frame_refused"]
        assert len(told) == 1
