"""A display of a SMETS1 home: what it shows, its battery, its firmware, and how it joins again."""

import pytest

from device_profiles.loader import load_profile
from device_profiles.words import FirmwareSupport, SmetsVersion
from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.apdu_parts import DataAccessResult
from emulator.codecs.dlms.hub_image import ImageTicket, Stage
from emulator.codecs.zcl.prepayment import CreditFlag
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.core.errors import IllegalEventError
from emulator.devices.smets1.display_screen import EmergencyCredit, Link, Screen
from emulator.devices.smets1.prepayment import PaymentMode
from tests.emulator.devices.smets1.image_home import ESME, HUB, NEW, PPMID, ImageHome, image_for

HUB_MODEL = "demo-s1-chf"
BATTERY, BILINGUAL = "demo-s1-ppmid-ended", "demo-bilingual-ppmid"


def press(home: ImageHome) -> None:
    """Somebody presses a button, and the meter has time to answer."""
    home.world.perform(home.world.box(PPMID), home.display.press(home.now))
    home.pass_s(2)


def shown(home: ImageHome) -> dict[str, str]:
    return home.display.screen.rows()


# -- the screen --------------------------------------------------------------------------------


def test_it_shows_the_balance_that_the_meter_has() -> None:
    home = ImageHome(HUB_MODEL)
    press(home)
    balance = home.meter().account.balance(home.now)
    assert home.display.screen.balance == pytest.approx(balance, abs=5_000)
    assert shown(home)["screen"] == "connected"
    assert shown(home)["payment"] == "credit"


def test_it_follows_the_balance_down_to_the_end_of_emergency_credit() -> None:
    home = ImageHome(HUB_MODEL)
    account = home.meter().account
    account.mode = PaymentMode.PREPAYMENT
    seen = []
    for balance, selected in (
        (account.low + 50_000, False),
        (0, False),
        (100, True),
        (-1_000, True),
        (-account.emergency_limit - 10_000, True),
    ):
        account.emergency_selected = selected
        account.adjust(balance - account.balance(home.now))
        press(home)
        seen.append((shown(home)["low credit"], shown(home)["emergency credit"]))
    e = EmergencyCredit
    assert [state for _low, state in seen] == [
        e.UNAVAILABLE,
        e.AVAILABLE,
        e.SELECTED,
        e.IN_USE,
        e.EXHAUSTED,
    ]
    assert [low for low, _state in seen] == ["no", *["yes"] * 4]
    assert shown(home)["payment"] == "prepayment"


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        (CreditFlag(0), EmergencyCredit.UNAVAILABLE),
        (CreditFlag.EMERGENCY_AVAILABLE, EmergencyCredit.AVAILABLE),
        (CreditFlag.EMERGENCY_SELECTED, EmergencyCredit.SELECTED),
        (CreditFlag.EMERGENCY_IN_USE, EmergencyCredit.IN_USE),
        (CreditFlag.EXHAUSTED | CreditFlag.EMERGENCY_IN_USE, EmergencyCredit.EXHAUSTED),
    ],
)
def test_the_five_states_of_emergency_credit(flags: CreditFlag, state: EmergencyCredit) -> None:
    assert Screen(credit=flags).emergency is state


def test_a_text_of_the_head_end_appears_on_every_display() -> None:
    home = ImageHome(HUB_MODEL)
    text = "Your meter will be updated tonight"
    assert home.put(hub_image.MESSAGE_OBIS, text.encode()) is DataAccessResult.SUCCESS
    home.pass_s(5)
    assert shown(home)["message"] == text
    too_long = home.put(hub_image.MESSAGE_OBIS, bytes(117))
    assert too_long is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


def test_it_says_when_the_meter_does_not_answer() -> None:
    home = ImageHome(HUB_MODEL)
    home.world.cut_power(ESME, 0)
    home.pass_s(1)
    press(home)
    home.pass_s(40)
    assert shown(home)["screen"] == Link.NO_METER


def test_it_reads_the_meter_of_itself_as_often_as_its_model_says() -> None:
    home = ImageHome(HUB_MODEL, ppmid=BILINGUAL)
    before = home.display.screen.prepayment
    home.pass_hours(1)
    assert (before, home.display.screen.prepayment) == (None, False)


# -- joining again -----------------------------------------------------------------------------


def upgraded_hub(home: ImageHome) -> None:
    home.stage(HUB, image_for("CHF", HUB_MODEL))
    home.activate_hub()
    home.pass_s(31)


def test_a_hub_upgrade_ends_its_session_and_the_device_log_lets_it_back_in() -> None:
    home = ImageHome(HUB_MODEL)
    home.world.records.take_facts()
    upgraded_hub(home)
    home.pass_s(10)
    joined = [one for one in home.facts("device_log") if one["change"] == "joined"]
    assert len(joined) == 1
    assert home.display.session
    assert PPMID in home.hub.device_log.sessions
    press(home)
    assert shown(home)["screen"] == "connected"


def test_without_power_at_the_hubs_upgrade_it_joins_when_it_is_back() -> None:
    home = ImageHome(HUB_MODEL)
    home.world.cut_power(PPMID, 600)
    upgraded_hub(home)
    assert PPMID not in home.hub.device_log.sessions
    home.pass_s(700)
    assert PPMID in home.hub.device_log.sessions


def test_a_display_that_is_no_more_in_the_device_log_stays_out() -> None:
    home = ImageHome(HUB_MODEL)
    home.hub.device_log.remove(PPMID)
    upgraded_hub(home)
    home.power_cycle(PPMID)
    home.pass_s(700)
    assert not home.display.joined
    assert shown(home)["screen"] == Link.SEEKING


def test_a_meter_upgrade_ends_its_link_and_it_joins_again_when_it_notices() -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(ESME, image_for("ESME", "demo-s1-esme"))
    home.pass_s(60)
    home.activate_meter()
    home.pass_s(60)
    home.world.records.take_facts()
    press(home)
    home.pass_s(120)
    facts = home.world.records.take_facts()
    assert [dict(one.fields) for one in facts if one.kind == "display"] == [{"link": "lost"}]
    changes = [dict(one.fields)["change"] for one in facts if one.kind == "device_log"]
    assert changes == ["joined"]
    press(home)
    assert shown(home)["screen"] == "connected"


def test_a_download_goes_on_after_the_hubs_upgrade() -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(HUB, image_for("CHF", HUB_MODEL))
    home.stage(PPMID, image_for("PPMID", "demo-s1-ppmid", body=bytes(8_000)))
    home.activate_hub()
    home.pass_hours(2)
    assert [row.stage.name for row in home.log()] == ["ACTIVATED", "DONE"]


# -- firmware ----------------------------------------------------------------------------------


def ordered(home: ImageHome, model: str = "demo-s1-ppmid", version: int = NEW) -> ImageTicket:
    ticket = home.stage(PPMID, image_for("PPMID", model, version), version)
    home.pass_hours(1)
    assert home.last() == ("DONE", "none")
    assert home.order(ticket) is DataAccessResult.SUCCESS
    return ticket


def test_it_starts_its_image_when_the_hub_is_ordered_to_name_a_time() -> None:
    home = ImageHome(HUB_MODEL)
    old = home.running(PPMID)
    ordered(home)
    home.pass_s(30)
    assert (home.running(PPMID), shown(home)) == (old, {"screen": "dark"})
    home.pass_s(60)
    assert home.running(PPMID) == NEW
    assert home.last() == ("ACTIVATED", "none")
    assert home.hub.device_log.entries[PPMID].firmware == b"10000002"
    assert home.notices()[-1].stage is Stage.ACTIVATED


def test_without_an_order_it_goes_on_with_the_old_version() -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(PPMID, image_for("PPMID", "demo-s1-ppmid"))
    home.pass_hours(48)
    assert home.running(PPMID) != NEW
    assert home.last() == ("DONE", "none")


def test_firmware_that_fails_its_self_test_is_told_as_not_activated() -> None:
    home = ImageHome(HUB_MODEL)
    home.display.inject("self-test-fails")
    ordered(home)
    home.pass_s(120)
    assert home.running(PPMID) != NEW
    assert home.last() == ("ACTIVATION_FAILED", "not-activated")


@pytest.mark.parametrize("after_s", [1.0, 8.0, 40.0])
def test_a_power_cut_on_the_way_to_the_new_version_ends_in_it_all_the_same(after_s: float) -> None:
    home = ImageHome(HUB_MODEL)
    ordered(home)
    home.pass_s(after_s)
    home.power_cycle(PPMID, 100)
    home.pass_s(900)
    assert home.running(PPMID) == NEW
    assert home.last() == ("ACTIVATED", "none")


def test_an_order_while_it_has_no_power_is_repeated_until_it_shows_itself() -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(PPMID, image_for("PPMID", "demo-s1-ppmid"))
    home.pass_s(60)
    home.world.cut_power(PPMID, 1_000)
    home.pass_s(1)
    home.order(home.log()[-1].ticket)
    home.pass_hours(1)
    assert home.last() == ("ACTIVATED", "none")


def test_an_order_that_never_reaches_it_counts_as_not_activated() -> None:
    home = ImageHome(HUB_MODEL)
    home.stage(PPMID, image_for("PPMID", "demo-s1-ppmid"))
    home.pass_s(60)
    home.world.cut_power(PPMID, 0)
    home.pass_s(1)
    ticket = home.log()[-1].ticket
    home.order(ticket)
    assert home.order(ticket) is DataAccessResult.OBJECT_UNAVAILABLE  # it is under way
    home.pass_hours(3)
    assert home.last() == ("ACTIVATION_FAILED", "not-activated")


def test_while_an_activation_is_ordered_no_other_image_is_taken_without_force() -> None:
    home = ImageHome(HUB_MODEL)
    ordered(home)
    home.initiate(ImageTicket(PPMID, NEW + 1), 700)
    assert home.last() == ("DISCARDED", "held-already")


# -- batteries ---------------------------------------------------------------------------------


def taking(seed_from: int = 1) -> ImageHome:
    """A home whose display on batteries takes images."""
    return next(
        home
        for seed in range(seed_from, 40)
        if (home := ImageHome(HUB_MODEL, ppmid=BATTERY, seed=seed)).display.images.takes
    )


def test_a_display_on_batteries_sleeps_and_takes_an_image_in_its_windows() -> None:
    home = taking()
    assert not home.world.box(PPMID).awake
    ordered(home, BATTERY)
    home.pass_hours(2)
    assert home.running(PPMID) == NEW
    assert home.last() == ("ACTIVATED", "none")


def test_with_a_low_battery_it_postpones_and_with_a_new_one_it_goes_on() -> None:
    home = taking()
    home.display.inject("battery-low")
    home.stage(PPMID, image_for("PPMID", BATTERY))
    home.pass_hours(3)
    assert home.log()[-1].stage is Stage.NOTIFIED
    assert home.facts("download_postponed")
    home.display.load({**home.display.dump(), "battery_days": 3})
    home.pass_hours(3)
    assert home.last() == ("DONE", "none")


def test_a_button_wakes_it_and_its_screen_goes_dark_again() -> None:
    home = taking()
    press(home)
    assert shown(home)["screen"] == "connected"
    home.pass_s(70)
    assert shown(home) == {"screen": "dark"}


# -- models ------------------------------------------------------------------------------------


def test_support_that_has_ended_is_data_and_the_seed_says_whether_images_are_taken() -> None:
    firmware = load_profile(BATTERY).firmware
    assert firmware.firmware_support is FirmwareSupport.ENDED
    assert not firmware.is_supported
    takes = {
        ImageHome(HUB_MODEL, ppmid=BATTERY, seed=seed).display.images.takes for seed in range(8)
    }
    assert takes == {True, False}


def test_one_that_takes_no_images_never_asks_and_the_hub_gives_up() -> None:
    home = next(
        home
        for seed in range(40)
        if not (home := ImageHome(HUB_MODEL, ppmid=BATTERY, seed=seed)).display.images.takes
    )
    home.stage(PPMID, image_for("PPMID", BATTERY))
    home.pass_hours(30)
    assert home.last() == ("ABORTED", "stalled")
    assert home.log()[-1].served == 0


def test_a_bilingual_display_tells_the_version_that_executes_and_not_its_nominal_one() -> None:
    profile = load_profile(BILINGUAL)
    smets1 = profile.nominal_version(SmetsVersion.SMETS1)
    smets2 = profile.nominal_version(SmetsVersion.SMETS2)
    assert smets1 != smets2 == profile.identity.firmware_version
    assert profile.is_of(SmetsVersion.SMETS1)
    assert profile.is_of(SmetsVersion.SMETS2)
    home = ImageHome(HUB_MODEL, ppmid=BILINGUAL)
    assert home.display.joined
    assert home.hub.device_log.entries[PPMID].firmware.decode() == smets2
    ordered(home, BILINGUAL, 0x02000002)
    home.pass_s(120)
    assert home.hub.device_log.entries[PPMID].firmware == b"02000002"


def test_one_file_makes_a_bilingual_display_of_a_smets2_home_too() -> None:
    from device_profiles.installation import load  # noqa: PLC0415 - one use
    from device_profiles.words import DeviceType  # noqa: PLC0415 - one use
    from emulator.runtime.installation import Plan, build  # noqa: PLC0415 - one use

    home = load("demo")
    devices = tuple(
        one.model_copy(update={"profile": BILINGUAL}) if one.role is DeviceType.PPMID else one
        for one in home.devices
    )
    plan = Plan(home.model_copy(update={"devices": devices}), 1, UtcMs(1_600_000_000_000))
    emulation = build(plan)
    world = emulation.world
    world.run_until(world.now_us + 60_000_000)
    rows = world.box(emulation.roles[DeviceType.PPMID]).device.rows()
    assert rows["firmware version"] == load_profile(BILINGUAL).identity.firmware_version


# -- memory and misuse -------------------------------------------------------------------------


@pytest.mark.parametrize("after_s", [0.0, 4.0, 20.0, 70.0])
def test_it_goes_on_from_a_dump_at_any_moment(after_s: float) -> None:
    home = ImageHome(HUB_MODEL, ppmid=BILINGUAL)
    ordered(home, BILINGUAL)
    home.pass_s(after_s)
    other = ImageHome(HUB_MODEL, ppmid=BILINGUAL)
    other.world.load(home.world.dump())
    for one in (home, other):
        one.pass_hours(1)
    assert other.world.dump() == home.world.dump()
    assert other.running(PPMID) == NEW


def test_a_display_has_no_fault_of_a_meter() -> None:
    with pytest.raises(ValueError, match="no inner fault"):
        ImageHome(HUB_MODEL).display.inject("valve-stuck")


def test_a_display_has_no_wan() -> None:
    with pytest.raises(IllegalEventError):
        ImageHome(HUB_MODEL).display.handle(DeviceEvent.WAN, b"", UtcMs(0))
