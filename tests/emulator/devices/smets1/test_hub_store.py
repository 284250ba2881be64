"""The image storage of a SMETS1 hub: limit, slots, replacing, power, log and notices."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.hub_image import ImageTicket, Stage
from emulator.core.ids import Eui64
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

HUB_MODEL = "demo-s1-chf"
STORE = 2_000
R, D = ActionResult, DataAccessResult
TARGETS = [ESME, GSME, PPMID, HUB]
STRANGER = Eui64.parse("02-53-01-00-00-00-00-99")


def overlay(folder: Path, **keys: object) -> Path:
    """A folder in which the hub has other values in its [hub] table."""
    models = folder / "models"
    models.mkdir(parents=True)
    lines = [f"{key} = {str(value).lower()}" for key, value in keys.items()]
    (models / f"{HUB_MODEL}.toml").write_text("\n".join(["[hub]", *lines, ""]))
    return folder


@pytest.fixture
def small(tmp_path: Path) -> ImageHome:
    """A home whose hub has room for 2,000 octets."""
    return ImageHome(HUB_MODEL, overlays=(overlay(tmp_path, image_store_bytes=STORE),))


def sized(target: Eui64, size: int, version: int = NEW) -> bytes:
    """An image of exactly ``size`` octets for a device of the home."""
    models = {ESME: "demo-s1-esme", GSME: "demo-s1-gsme", PPMID: "demo-s1-ppmid", HUB: HUB_MODEL}
    empty = len(image_for(ROLES[target], models[target], version, body=b"\x01"))
    octets = image_for(ROLES[target], models[target], version, body=bytes(size - empty + 1))
    assert len(octets) == size
    return octets


def events(home: ImageHome) -> list[int]:
    return [row.code for row in home.hub.logs["events"].rows]


# -- size --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS, ids=ROLES.get)
def test_an_image_at_the_limit_is_taken_whatever_it_is_for(small: ImageHome, target: Eui64) -> None:
    small.stage(target, sized(target, STORE))
    assert small.log()[-1].stage is not Stage.DISCARDED


@pytest.mark.parametrize("target", TARGETS, ids=ROLES.get)
def test_one_octet_over_is_discarded_with_event_row_and_notice(
    small: ImageHome, target: Eui64
) -> None:
    ticket = ImageTicket(target, NEW)
    assert small.initiate(ticket, STORE + 1) is R.SCOPE_OF_ACCESS_VIOLATED
    small.pass_s(5)
    row = small.log()[-1]
    assert (row.ticket, row.stage.name, row.reason.word) == (ticket, "DISCARDED", "size")
    assert events(small)[-1] == EventCode.IMAGE_DISCARDED
    assert small.notices() == [row]
    assert small.facts("image_discarded")[-1]["reason"] == "size"
    assert small.hub.image.state is ImageState.NOT_INITIATED


@pytest.mark.parametrize(("over", "after"), [*itertools.product(TARGETS, TARGETS)])
def test_an_oversize_image_blocks_none_that_fits(
    small: ImageHome, over: Eui64, after: Eui64
) -> None:
    small.initiate(ImageTicket(over, NEW + 1), STORE + 1)
    small.stage(after, sized(after, 900))
    assert small.log()[-1].stage is not Stage.DISCARDED


@pytest.mark.parametrize("after", TARGETS, ids=ROLES.get)
def test_a_hub_whose_model_says_so_takes_none_after_an_oversize_image(
    tmp_path: Path, after: Eui64
) -> None:
    folder = overlay(tmp_path, image_store_bytes=STORE, oversize_blocks_store=True)
    home = ImageHome(HUB_MODEL, overlays=(folder,))
    home.stage(ESME, sized(ESME, 700))
    assert home.log()[-1].stage is not Stage.DISCARDED
    home.initiate(ImageTicket(PPMID, NEW), STORE + 1)
    home.stage(after, sized(after, 700, NEW + 5), NEW + 5, force_replace=True)
    assert home.last() == ("DISCARDED", "store-blocked")


def test_an_image_without_octets_or_name_is_refused_without_a_row(small: ImageHome) -> None:
    assert small.initiate(ImageTicket(ESME, NEW), 0) is R.SCOPE_OF_ACCESS_VIOLATED
    assert small.log() == ()


# -- targets -----------------------------------------------------------------------------------


def test_an_image_for_a_device_that_is_not_in_the_device_log_is_discarded(small: ImageHome) -> None:
    small.stage(STRANGER, sized(ESME, 700))
    assert small.last() == ("DISCARDED", "not-in-device-log")


def test_a_hub_without_secmp0007_takes_no_images_for_displays_and_all_others(
    tmp_path: Path,
) -> None:
    home = ImageHome(HUB_MODEL, overlays=(overlay(tmp_path, ppmid_ota=False),))
    home.stage(PPMID, sized(PPMID, 700))
    assert home.last() == ("DISCARDED", "not-supported")
    home.stage(ESME, sized(ESME, 700))
    assert home.log()[-1].stage is not Stage.DISCARDED


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\x01" * 700, "malformed"),
        (sized(ESME, 700) + b"\0", "malformed"),
        (sized(ESME, 700, NEW + 1), "other-version"),
    ],
)
def test_a_file_that_is_not_what_its_ticket_says_is_discarded(
    small: ImageHome, octets: bytes, reason: str
) -> None:
    small.stage(ESME, octets)
    assert small.last() == ("DISCARDED", reason)
    assert small.hub.image.state is ImageState.VERIFY_FAILED
    assert small.hub.images.store.held == {}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"manufacturer_code": 1}, "other-device"),
        ({"image_type": 9}, "other-device"),
        ({"minimum_hardware": 0x0300, "maximum_hardware": 0x0300}, "other-hardware"),
    ],
)
def test_a_hub_does_not_take_an_image_of_its_own_that_is_not_for_it(
    small: ImageHome, header: dict[str, Any], reason: str
) -> None:
    small.stage(HUB, image_for("CHF", HUB_MODEL, **header))
    assert small.last() == ("DISCARDED", reason)
    assert small.activate_hub() is R.OTHER_REASON


# -- slots, replacing --------------------------------------------------------------------------


def test_a_full_store_takes_an_image_again_when_one_has_left(tmp_path: Path) -> None:
    home = ImageHome(HUB_MODEL, overlays=(overlay(tmp_path, image_slots=1),))
    home.stage(GSME, sized(GSME, 700))
    home.stage(ESME, sized(ESME, 700))
    assert home.last() == ("DISCARDED", "store-full")
    home.pass_hours(1)
    home.stage(ESME, sized(ESME, 700))
    home.pass_s(60)
    assert home.last() == ("DONE", "none")


def test_held_images_share_the_octets_of_the_store(small: ImageHome) -> None:
    small.stage(GSME, sized(GSME, 1_200))
    small.initiate(ImageTicket(ESME, NEW), 801)
    assert small.last() == ("DISCARDED", "store-full")
    assert small.initiate(ImageTicket(ESME, NEW), 800) is R.SUCCESS


def test_without_force_replace_the_first_image_for_a_device_stays(small: ImageHome) -> None:
    small.stage(GSME, sized(GSME, 700))
    small.stage(GSME, sized(GSME, 701, NEW + 1), NEW + 1)
    assert small.last() == ("DISCARDED", "held-already")
    small.pass_hours(1)
    assert small.meter(GSME).image.header().file_version == NEW


def test_with_force_replace_the_later_image_takes_its_place(small: ImageHome) -> None:
    small.stage(GSME, sized(GSME, 1_500))
    small.stage(GSME, sized(GSME, 1_900, NEW + 1), NEW + 1, force_replace=True)
    first, second = small.log()
    assert (first.stage.name, first.reason.word) == ("ABORTED", "replaced")
    assert second.stage in {Stage.STAGED, Stage.NOTIFIED}
    assert len(small.hub.images.store.held) == 1
    small.pass_hours(1)
    assert small.last() == ("DONE", "none")
    assert small.meter(GSME).image.header().file_version == NEW + 1


def test_a_half_staged_image_is_given_up_for_another(small: ImageHome) -> None:
    small.initiate(ImageTicket(ESME, NEW), 900)
    small.blocks(sized(ESME, 900), until=2)
    small.stage(PPMID, sized(PPMID, 700))
    first, second = small.log()
    assert (first.stage.name, first.reason.word) == ("ABORTED", "replaced")
    assert second.stage is not Stage.DISCARDED


def test_the_same_image_begun_anew_is_one_image(small: ImageHome) -> None:
    ticket = ImageTicket(ESME, NEW)
    small.initiate(ticket, 900)
    small.stage(ESME, sized(ESME, 900))
    assert [row.ticket for row in small.log()] == [ticket]
    small.pass_s(60)
    assert small.last() == ("DONE", "none")


def test_the_hubs_own_image_waits_while_others_come_and_go(small: ImageHome) -> None:
    small.stage(HUB, sized(HUB, STORE))
    small.stage(ESME, sized(ESME, STORE))
    small.pass_s(60)
    assert small.activate_hub() is R.SUCCESS
    small.pass_s(60)
    assert small.running(HUB) == NEW
    assert small.log()[0].stage is Stage.ACTIVATED


def test_a_second_image_of_the_hubs_own_needs_force_replace(small: ImageHome) -> None:
    small.stage(HUB, sized(HUB, 700))
    small.stage(HUB, sized(HUB, 701, NEW + 1), NEW + 1)
    assert small.last() == ("DISCARDED", "held-already")
    small.stage(HUB, sized(HUB, 701, NEW + 1), NEW + 1, force_replace=True)
    assert [row.stage.name for row in small.log()] == ["ABORTED", "DISCARDED", "DONE"]
    small.activate_hub()
    small.pass_s(60)
    assert small.running(HUB) == NEW + 1


def test_an_identifier_that_is_no_ticket_names_the_hubs_own_image(small: ImageHome) -> None:
    from tests.emulator.devices.smets1.meter_kit import initiate_data  # noqa: PLC0415 - one use

    octets = sized(HUB, 700)
    assert small.method("initiate", initiate_data(len(octets), b"10000002")) is R.SUCCESS
    small.blocks(octets)
    small.verify()
    assert small.log()[-1].ticket == ImageTicket(HUB, NEW, force_replace=True)
    assert small.activate_hub() is R.SUCCESS


# -- power -------------------------------------------------------------------------------------


def test_a_half_staged_image_outlives_a_power_cut_where_the_model_keeps_it(
    small: ImageHome,
) -> None:
    octets = sized(ESME, 900)
    small.initiate(ImageTicket(ESME, NEW), len(octets))
    small.blocks(octets, until=2)
    small.power_cycle(HUB)
    assert small.hub.image.transfer is not None
    assert small.hub.image.transfer.first_missing == 2
    small.blocks(octets)
    small.verify()
    small.pass_s(60)
    assert small.last() == ("DONE", "none")


def test_a_half_staged_image_that_the_hub_lost_is_told_when_power_is_back(tmp_path: Path) -> None:
    folder = overlay(tmp_path)
    path = folder / "models" / f"{HUB_MODEL}.toml"
    path.write_text('[dlms.image]\npower_loss = "lost"\n')
    home = ImageHome(HUB_MODEL, overlays=(folder,))
    home.initiate(ImageTicket(ESME, NEW), 900)
    home.blocks(sized(ESME, 900), until=2)
    home.power_cycle(HUB)
    home.pass_s(600)
    assert home.last() == ("ABORTED", "power-lost")
    assert home.notices()[-1].reason.word == "power-lost"
    home.stage(ESME, sized(ESME, 900))
    home.pass_s(60)
    assert home.last() == ("DONE", "none")


def test_a_held_image_outlives_a_power_cut_of_the_hub(small: ImageHome) -> None:
    small.stage(GSME, sized(GSME, 700))
    small.power_cycle(HUB, 300)
    small.pass_hours(2)
    assert small.last() == ("DONE", "none")


def test_the_hub_finishes_its_own_activation_after_a_power_cut(small: ImageHome) -> None:
    small.stage(HUB, sized(HUB, 700))
    small.activate_hub()
    small.power_cycle(HUB, 10)
    small.pass_s(90)
    assert small.running(HUB) == NEW
    assert small.log()[-1].stage is Stage.ACTIVATED


def test_the_hubs_own_firmware_that_fails_its_self_test_is_told(small: ImageHome) -> None:
    small.stage(HUB, sized(HUB, 700))
    small.gateway.inject("self-test-fails")
    small.activate_hub()
    small.pass_s(60)
    assert small.last() == ("ACTIVATION_FAILED", "not-activated")
    assert small.running(HUB) != NEW


# -- log and notices ---------------------------------------------------------------------------


def test_an_outcome_is_told_again_until_somebody_reads_the_log(small: ImageHome) -> None:
    small.initiate(ImageTicket(ESME, NEW), STORE + 1)
    small.pass_hours(2.5)
    assert [row.reason.word for row in small.notices()] == ["size"] * 3
    assert small.read_log() == small.log()
    small.pass_hours(5)
    assert small.notices() == []


def test_an_outcome_after_the_log_was_read_is_told(small: ImageHome) -> None:
    small.initiate(ImageTicket(ESME, NEW), STORE + 1)
    small.read_log()
    small.initiate(ImageTicket(GSME, NEW), STORE + 1)
    small.pass_s(5)
    told = [row.ticket.target for row in small.notices()]
    assert told == [ESME, GSME]
    small.pass_hours(1.1)
    assert [row.ticket.target for row in small.notices()] == [GSME]


def test_the_log_shows_how_far_an_image_has_come(small: ImageHome) -> None:
    small.stage(GSME, sized(GSME, 700))
    assert small.read_log()[-1].stage is Stage.NOTIFIED
    assert small.read_log()[-1].served == 0
    small.pass_hours(1)
    row = small.read_log()[-1]
    assert (row.stage, row.served) == (Stage.DONE, 700)


def test_the_log_forgets_its_oldest_row_and_never_one_under_way(tmp_path: Path) -> None:
    home = ImageHome(HUB_MODEL, overlays=(overlay(tmp_path, distribution_log_entries=3),))
    home.stage(GSME, sized(GSME, 700))
    for version in range(6):
        home.initiate(ImageTicket(STRANGER, version), 700)
    rows = home.log()
    assert len(rows) == 3
    assert rows[0].ticket.target == GSME
    assert [row.ticket.file_version for row in rows[1:]] == [4, 5]


@pytest.mark.parametrize("octets", [b"", bytes(14), b"\x01" * 13])
def test_what_is_no_ticket_is_no_order(small: ImageHome, octets: bytes) -> None:
    assert small.put(hub_image.ORDER_OBIS, octets) is D.TYPE_UNMATCHED


@pytest.mark.parametrize("target", [ESME, GSME, PPMID, HUB, STRANGER])
@pytest.mark.parametrize("cancel", [False, True])
def test_an_order_about_an_image_that_is_not_there_is_refused(
    small: ImageHome, target: Eui64, cancel: bool
) -> None:
    assert small.order(ImageTicket(target, NEW, cancel=cancel)) is D.OBJECT_UNAVAILABLE


# -- cancel ------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS, ids=ROLES.get)
def test_an_image_that_is_coming_in_can_be_given_up(small: ImageHome, target: Eui64) -> None:
    small.initiate(ImageTicket(target, NEW), 900)
    assert small.order(ImageTicket(target, NEW, cancel=True)) is D.SUCCESS
    assert small.last() == ("ABORTED", "cancelled")
    small.stage(target, sized(target, 900, NEW + 1), NEW + 1)
    assert small.log()[-1].stage is not Stage.DISCARDED


def test_an_image_that_waits_for_a_meter_can_be_given_up(small: ImageHome) -> None:
    small.stage(GSME, sized(GSME, 900))
    assert small.order(ImageTicket(GSME, NEW, cancel=True)) is D.SUCCESS
    assert small.last() == ("ABORTED", "cancelled")
    assert small.hub.images.store.held == {}
    small.pass_hours(2)
    assert small.meter(GSME).image.transfer is None


def test_a_download_under_way_can_be_given_up(small: ImageHome) -> None:
    octets = sized(ESME, STORE)
    small.stage(ESME, octets)
    small.pass_s(0)
    assert small.log()[-1].stage is Stage.SERVING
    assert small.order(ImageTicket(ESME, NEW, cancel=True)) is D.SUCCESS
    small.pass_s(60)
    assert small.last() == ("ABORTED", "cancelled")
    assert small.meter().image.transfer is None
    assert small.notices()[-1].reason.word == "cancelled"


def test_an_image_that_a_display_or_the_hub_holds_can_be_given_up(small: ImageHome) -> None:
    small.stage(PPMID, sized(PPMID, 700))
    small.stage(HUB, sized(HUB, 700))
    small.pass_s(60)
    for target in (PPMID, HUB):
        assert small.order(ImageTicket(target, NEW, cancel=True)) is D.SUCCESS
    assert [row.reason.word for row in small.log()] == ["cancelled"] * 2
    assert small.activate_hub() is R.OTHER_REASON
    assert small.order(ImageTicket(PPMID, NEW)) is D.OBJECT_UNAVAILABLE


def test_a_meter_that_holds_its_image_is_beyond_the_hubs_reach(small: ImageHome) -> None:
    small.stage(ESME, sized(ESME, 700))
    small.pass_s(60)
    assert small.order(ImageTicket(ESME, NEW, cancel=True)) is D.OBJECT_UNAVAILABLE
    assert small.last() == ("DONE", "none")


# -- memory ------------------------------------------------------------------------------------


def test_a_home_goes_on_from_a_dump_at_any_moment(tmp_path: Path) -> None:
    folder = overlay(tmp_path, image_store_bytes=STORE)
    home = ImageHome(HUB_MODEL, overlays=(folder,))
    home.initiate(ImageTicket(ESME, NEW + 3), STORE + 1)
    home.stage(GSME, sized(GSME, 700))
    home.stage(HUB, sized(HUB, 700))
    home.initiate(ImageTicket(ESME, NEW), 900)
    home.blocks(sized(ESME, 900), until=2)
    other = ImageHome(HUB_MODEL, overlays=(folder,))
    other.world.load(home.world.dump())
    for one in (home, other):
        one.blocks(sized(ESME, 900))
        one.verify()
        one.pass_hours(2)
    assert other.world.dump() == home.world.dump()
    assert [row.stage.name for row in other.log()] == ["DISCARDED", "DONE", "DONE", "DONE"]
