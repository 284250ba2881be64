"""Whole firmware updates between devices whose frames reach each other at once."""

import pytest

from device_profiles.words import DeviceType, ResumePolicy
from emulator.codecs.csp_transfer import (
    Reason,
)
from emulator.codecs.gbcs.asn1 import (
    ActivateFirmwareResponse,
    FirmwareTransferAlert,
    FutureDatedFirmwareAlert,
    PpmidActivationAlert,
)
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.devices.chf.delivery_table import DeliveryState
from emulator.devices.esme.esme import Esme
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.ota_table import OtaState
from tests.emulator.devices.hub_kit import activate, bench_of, firmware, hub, sent_values, stage
from tests.emulator.devices.kit import (
    CHF,
    ESME,
    EUI64_OF,
    GSME,
    HCALCS,
    NEW_VERSION,
    OLD_VERSION,
    PPMID,
    build,
    cs06,
    image,
    image_hash,
)


@pytest.mark.parametrize("device_type", [DeviceType.ESME, DeviceType.GSME, DeviceType.HCALCS])
def test_a_signed_image_is_staged_downloaded_verified_and_activated(
    device_type: DeviceType,
) -> None:
    target = EUI64_OF[device_type]
    bench = bench_of(build(DeviceType.CHF), build(device_type))
    assert stage(bench, image(device_type), target) is Reason.HELD
    bench.run(7200, until="image_verified")
    assert firmware(bench, target).ota.state is OtaState.VERIFIED_PENDING
    assert hub(bench).server.deliveries[target].state is DeliveryState.DONE
    activate(bench, target)
    gas = device_type is DeviceType.GSME
    expected = [MessageCode.FDRA_GBZ if gas else MessageCode.FDRA_DLMS]
    expected += [MessageCode.CCS08] if device_type is DeviceType.HCALCS else []
    expected += [MessageCode.CS06, MessageCode.GCA]
    assert sorted(bench.wan_codes()) == sorted(expected)
    assert firmware(bench, target).slots.running == NEW_VERSION
    assert firmware(bench, target).slots.pending is None
    [answer] = [v for _, v in sent_values(bench) if isinstance(v, ActivateFirmwareResponse)]
    assert answer.outcome is not None
    assert (answer.outcome.code, answer.outcome.firmware_version) == (0, NEW_VERSION)


def test_a_gas_meter_downloads_in_its_wake_windows_only() -> None:
    gsme = build(DeviceType.GSME)
    bench = bench_of(build(DeviceType.CHF), gsme)
    bench.run(60)  # asleep
    content = bytes(range(256)) * 60
    assert stage(bench, image(DeviceType.GSME, content=content), GSME) is Reason.HELD
    bench.run(1700)
    assert not bench.seen("ota_state")  # it has not woken yet
    bench.run(4 * 1800)
    assert firmware(bench, GSME).slots.pending is not None
    states = [row["state"] for row in bench.seen("ota_state")]
    assert states.count(OtaState.PAUSED) >= 2
    assert isinstance(gsme, Gsme)
    assert not gsme.window.awake


def test_a_gas_meter_with_little_battery_left_postpones_the_download() -> None:
    gsme = build(DeviceType.GSME)
    assert isinstance(gsme, Gsme)
    gsme.inject("battery-low")
    bench = bench_of(build(DeviceType.CHF), gsme)
    assert stage(bench, image(DeviceType.GSME), GSME) is Reason.HELD
    bench.run(4 * 1800)
    assert not bench.seen("ota_state")
    assert len(bench.seen("download_postponed")) >= 3
    gsme.battery_days = 3650
    bench.run(2 * 1800)
    assert gsme.ota.state is OtaState.VERIFIED_PENDING


def test_a_ppmid_is_activated_by_the_hub_and_tells_by_cs09() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.PPMID))
    assert stage(bench, image(DeviceType.PPMID), PPMID) is Reason.HELD
    bench.run(600)
    assert bench.wan_codes() == [MessageCode.CCS08, MessageCode.CS09]
    [(_, told), (_, done)] = sent_values(bench)
    assert isinstance(told, FirmwareTransferAlert)
    assert isinstance(done, PpmidActivationAlert)
    assert (told.alert_code, told.code, told.device) == (0x8F8A, 0, PPMID)
    assert (done.alert_code, done.code, done.firmware_version) == (0x8F8B, 0, NEW_VERSION)


def test_a_ppmid_whose_new_firmware_does_not_start_says_so_and_keeps_the_old() -> None:
    ppmid = build(DeviceType.PPMID)
    assert isinstance(ppmid, FirmwareDevice)
    ppmid.inject("self-test-fails")
    bench = bench_of(build(DeviceType.CHF), ppmid)
    stage(bench, image(DeviceType.PPMID), PPMID)
    bench.run(600)
    told = sent_values(bench)[-1][1]
    assert isinstance(told, PpmidActivationAlert)
    assert (told.code, told.firmware_version) == (1, OLD_VERSION)
    assert ppmid.slots.running == OLD_VERSION


def test_an_electricity_meter_whose_new_firmware_does_not_start_rolls_back() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    stage(bench, image(DeviceType.ESME), ESME)
    bench.run(600)
    firmware(bench, ESME).inject("self-test-fails")
    activate(bench, ESME)
    [answer] = [v for _, v in sent_values(bench) if isinstance(v, ActivateFirmwareResponse)]
    assert answer.outcome is not None
    assert (answer.outcome.code, answer.outcome.firmware_version) == (3, OLD_VERSION)
    assert bench.wan_codes()[-1] == MessageCode.GCA
    assert firmware(bench, ESME).slots.pending is None
    assert [entry.code for entry in firmware(bench, ESME).security_log] == [0x8F1B]


def test_the_order_of_activation_checks_is_image_then_hash() -> None:
    esme = build(DeviceType.ESME)
    bench = bench_of(build(DeviceType.CHF), esme)
    bench.event(CHF, DeviceEvent.WAN, cs06(ESME, bytes(32), counter=1))
    stage(bench, image(DeviceType.ESME), ESME)
    bench.run(600)
    bench.event(CHF, DeviceEvent.WAN, cs06(ESME, bytes(32), counter=2))
    bench.run(600)
    answers = [v for _, v in sent_values(bench) if isinstance(v, ActivateFirmwareResponse)]
    assert [a.outcome.code for a in answers if a.outcome] == [1, 2]
    assert isinstance(esme, FirmwareDevice)
    assert esme.slots.running == OLD_VERSION
    assert esme.slots.pending is not None


def test_a_future_dated_activation_without_an_image_fails_at_its_time() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    at = UtcMs(bench.now + 3_600_000)
    bench.event(CHF, DeviceEvent.WAN, cs06(ESME, bytes(32), counter=5, at=at))
    [(_, first)] = sent_values(bench)
    assert first == ActivateFirmwareResponse(None)
    bench.run(3599)
    assert len(bench.wan) == 1
    bench.run(2)
    told = sent_values(bench)[1][1]
    assert isinstance(told, FutureDatedFirmwareAlert)
    assert (told.alert_code, told.originator_counter, told.execution_time) == (0x8F67, 5, at)


def test_a_power_loss_during_activation_ends_in_the_truth() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    stage(bench, image(DeviceType.ESME), ESME)
    bench.run(600)
    bench.event(CHF, DeviceEvent.WAN, cs06(ESME, image_hash()))
    bench.run(10)
    bench.event(ESME, DeviceEvent.POWER_OFF)
    bench.run(300)
    assert firmware(bench, ESME).slots.running == OLD_VERSION
    bench.event(ESME, DeviceEvent.POWER_ON)
    bench.run(120)
    [answer] = [v for _, v in sent_values(bench) if isinstance(v, ActivateFirmwareResponse)]
    assert answer.outcome is not None
    assert answer.outcome.firmware_version == firmware(bench, ESME).slots.running == NEW_VERSION


def test_a_schedule_that_fell_into_a_power_loss_runs_when_power_returns() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    stage(bench, image(DeviceType.ESME), ESME)
    bench.run(600)
    at = UtcMs(bench.now + 60_000)
    bench.event(CHF, DeviceEvent.WAN, cs06(ESME, image_hash(), at=at))
    bench.event(ESME, DeviceEvent.POWER_OFF)
    bench.run(600)
    bench.event(ESME, DeviceEvent.POWER_ON)
    bench.run(120)
    assert bench.wan_codes()[-2:] == [MessageCode.CS06_ALERT, MessageCode.GCA]
    assert firmware(bench, ESME).slots.running == NEW_VERSION


@pytest.mark.parametrize("policy", list(ResumePolicy))
def test_a_power_loss_at_half_the_image_resumes_or_restarts_by_policy(
    policy: ResumePolicy,
) -> None:
    esme = build(DeviceType.ESME, firmware__resume_policy=policy)
    bench = bench_of(build(DeviceType.CHF), esme)
    content = bytes(range(256)) * 40
    stage(bench, image(DeviceType.ESME, content=content), ESME)
    bench.run(30)
    assert isinstance(esme, FirmwareDevice)
    half = esme.ota.offset
    assert 0 < half < len(content)
    bench.event(ESME, DeviceEvent.POWER_OFF)
    bench.run(60)
    bench.event(ESME, DeviceEvent.POWER_ON)
    bench.run(5.1)
    resumed = policy is ResumePolicy.RESUME_FROM_OFFSET
    assert (esme.ota.offset >= half) is resumed
    bench.run(600)
    assert esme.ota.state is OtaState.VERIFIED_PENDING


def test_lost_blocks_are_asked_for_again_and_a_deaf_hub_is_given_up() -> None:
    esme = build(DeviceType.ESME)
    bench = bench_of(build(DeviceType.CHF), esme)
    bench.run(10)
    stage(bench, image(DeviceType.ESME), ESME)
    bench.run(1)
    assert isinstance(esme, FirmwareDevice)
    bench.lose_next_blocks = 3
    bench.run(60)
    assert esme.ota.state is OtaState.VERIFIED_PENDING


def test_supply_is_not_touched_by_a_firmware_update() -> None:
    esme, gsme = build(DeviceType.ESME), build(DeviceType.GSME)
    assert isinstance(esme, Esme)
    assert isinstance(gsme, Gsme)
    bench = bench_of(build(DeviceType.CHF), esme, gsme)
    stage(bench, image(DeviceType.ESME), ESME, number=1)
    stage(bench, image(DeviceType.GSME), GSME, number=2)
    before = (esme.switch, gsme.valve)
    bench.run(4000)
    activate(bench, ESME)
    activate(bench, GSME)
    assert (esme.switch, gsme.valve) == before
    assert esme.slots.running == gsme.slots.running == NEW_VERSION


def test_an_hcalcs_answers_cs08_and_cs06() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.HCALCS))
    activate(bench, HCALCS)
    [(code, value)] = sent_values(bench)
    assert code == MessageCode.CS06
    assert isinstance(value, ActivateFirmwareResponse)
    assert value.outcome is not None
    assert value.outcome.code == 1


def test_the_clock_of_a_meter_follows_the_hub() -> None:
    esme = build(DeviceType.ESME)
    esme.clock_offset_ms = 90_000
    bench = bench_of(build(DeviceType.CHF), esme)
    assert esme.clock_reliable
    assert abs(esme.clock_offset_ms) < 1000
    assert bench.seen("clock_set")
