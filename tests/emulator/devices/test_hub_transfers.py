"""Image transfers to a hub that overlap, repeat, come late, or find no room in the end."""

import hashlib

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.csp_transfer import Chunk, Close, Closed, Offer, OfferAnswer, Reason
from emulator.codecs.gbcs.asn1 import FutureDatedFirmwareAlert
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import ota
from emulator.codecs.zcl.ota import OtaStatus, UpgradeEndRequest
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, ZclIndication
from emulator.core.ids import Eui64
from emulator.devices.chf.delivery_table import DeliveryState
from emulator.devices.chf.intake import MOST_ENDED, MOST_INCOMING
from emulator.devices.ota_table import OtaState
from tests.emulator.devices.hub_kit import bench_of, firmware, hub, send, sent_values, stage
from tests.emulator.devices.kit import (
    CHF,
    ESME,
    GSME,
    HCALCS,
    NEW_VERSION,
    OLD_VERSION,
    PPMID,
    Bench,
    build,
    cs06,
    cs08,
    image,
    image_hash,
)

NEWER = bytes.fromhex("0123abcf")
NEWEST = bytes.fromhex("0123abd0")
TARGETS = (ESME, GSME, PPMID, HCALCS)


def offer_of(octets: bytes, *targets: Eui64, number: int, request: str = "r") -> Offer:
    return Offer(number, request, len(octets), hashlib.sha256(octets).digest(), targets)


def fill(bench: Bench, octets: bytes, number: int) -> Reason:
    send(bench, Chunk(number, 0, octets))
    closed = send(bench, Close(number, Reason.COMPLETE))
    assert isinstance(closed, Closed)
    return closed.reason


def accept(bench: Bench, octets: bytes, *targets: Eui64, number: int) -> None:
    offer = offer_of(octets, *targets, number=number)
    assert send(bench, offer) == OfferAnswer(number, Reason.ACCEPTED)


def test_an_image_that_was_offered_while_another_was_served_is_taken_once_that_has_ended() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    stage(bench, image(DeviceType.ESME), ESME, number=1)
    newer = image(DeviceType.ESME, version=NEWER)
    accept(bench, newer, ESME, number=2)
    bench.run(300)
    assert hub(bench).server.deliveries[ESME].state is DeliveryState.DONE
    assert fill(bench, newer, 2) is Reason.HELD
    bench.run(600)
    pending = firmware(bench, ESME).slots.pending
    assert pending is not None
    assert pending.version == NEWER


def test_a_transfer_that_comes_to_nothing_takes_no_target_from_another_one_under_way() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    octets = image(DeviceType.ESME)
    accept(bench, octets, ESME, GSME, number=1)
    accept(bench, octets, ESME, number=2)
    assert send(bench, Close(1, Reason.ABANDONED)) == Closed(1, Reason.ABANDONED)
    assert hub(bench).server.deliveries[GSME].state is DeliveryState.ABORTED
    assert hub(bench).server.deliveries[ESME].state is DeliveryState.STAGING
    assert fill(bench, octets, 2) is Reason.HELD
    bench.run(600)
    assert firmware(bench, ESME).ota.state is OtaState.VERIFIED_PENDING


def test_a_late_copy_of_an_offer_is_answered_by_its_outcome_and_changes_nothing() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    octets = image(DeviceType.ESME)
    accept(bench, octets, ESME, number=1)
    fill(bench, octets, 1)
    bench.run(600)
    before = hub(bench).dump()
    again = send(bench, offer_of(octets, ESME, number=1))
    assert again == Closed(1, Reason.HELD)
    assert hub(bench).dump() == before


def test_a_number_in_use_never_puts_another_image_in_the_place_of_the_one_held() -> None:
    bench = bench_of(build(DeviceType.CHF))
    octets = image(DeviceType.ESME)
    assert stage(bench, octets, ESME, number=1) is Reason.HELD
    other = image(DeviceType.GSME)
    assert stage(bench, other, GSME, number=1) is Reason.BUSY
    assert hub(bench).store.held[1].octets == octets


def test_a_number_that_is_free_again_may_be_used_for_another_image() -> None:
    bench = bench_of(build(DeviceType.CHF))
    octets = image(DeviceType.ESME)
    accept(bench, octets, ESME, number=1)
    send(bench, Close(1, Reason.ABANDONED))
    assert stage(bench, image(DeviceType.ESME, version=NEWER), ESME, number=1) is Reason.HELD


def test_a_target_named_twice_is_one_target() -> None:
    bench = bench_of(build(DeviceType.CHF))
    assert stage(bench, image(DeviceType.ESME), ESME, ESME) is Reason.HELD
    assert hub(bench).store.held[1].targets == (ESME,)


def test_the_store_is_never_fuller_than_it_is_large() -> None:
    octets = image(DeviceType.ESME)
    chf = build(DeviceType.CHF, hub__image_store_bytes=len(octets) * 3 // 2)
    bench = bench_of(chf)
    assert stage(bench, octets, ESME, number=1) is Reason.HELD
    newer = image(DeviceType.ESME, version=NEWER)  # without ForceReplace: the first one stays
    assert stage(bench, newer, ESME, HCALCS, number=2) is Reason.STORE_FULL
    store = hub(bench).store
    assert list(store.held) == [1]
    assert store.used_bytes <= store.limit_bytes
    assert hub(bench).server.deliveries[HCALCS].state is DeliveryState.DISCARDED
    forced = image(DeviceType.ESME, version=NEWEST, force_replace=1)
    assert stage(bench, forced, ESME, HCALCS, number=3) is Reason.HELD
    assert list(store.held) == [3]


def test_a_peer_cannot_fill_the_hub_with_transfers() -> None:
    bench = bench_of(build(DeviceType.CHF, hub__image_store_bytes=1000))
    too_large = 100_000  # taken as far as the header, so it needs no room
    reasons = []
    for number in range(1, 4 * MOST_INCOMING):
        targets = tuple(t for bit, t in enumerate(TARGETS) if (number % 15 + 1) >> bit & 1)
        answer = send(bench, Offer(number, "r", too_large, bytes(32), targets * number))
        assert isinstance(answer, OfferAnswer)
        reasons.append(answer.reason)
    assert set(reasons) == {Reason.ACCEPTED, Reason.BUSY}
    assert len(hub(bench).store.incoming) <= MOST_INCOMING


def test_outcomes_of_old_transfers_are_forgotten_in_the_end() -> None:
    bench = bench_of(build(DeviceType.CHF))
    for number in range(1, MOST_ENDED + 10):
        accept(bench, image(DeviceType.ESME), ESME, number=number)
        send(bench, Close(number, Reason.ABANDONED))
    assert send(bench, Close(9, Reason.COMPLETE)) == Closed(9, Reason.UNKNOWN_TRANSFER)
    assert send(bench, Close(10, Reason.COMPLETE)) == Closed(10, Reason.ABANDONED)
    ended = hub(bench).intake.dump()["ended"]
    assert isinstance(ended, list)
    assert len(ended) == MOST_ENDED


@pytest.mark.parametrize("status", [OtaStatus.SUCCESS, OtaStatus.INVALID_IMAGE])
def test_the_end_of_another_image_does_not_end_the_delivery_under_way(status: OtaStatus) -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.PPMID))
    stage(bench, image(DeviceType.PPMID, version=NEWER, content=bytes(4000)), PPMID)
    bench.run(6)
    delivery = hub(bench).server.deliveries[PPMID]
    assert delivery.state is DeliveryState.SERVING
    header = hub(bench).store.held[1].header
    late = UpgradeEndRequest(
        status, header.manufacturer_code, header.image_type, int.from_bytes(NEW_VERSION, "big")
    )
    frame = ota.encode(late, 77)
    bench.event(CHF, DeviceEvent.ZCL, ZclIndication(PPMID, CHF, ota.CLUSTER, frame))
    assert delivery.state is DeliveryState.SERVING
    assert bench.wan_codes() == []  # no CCS08
    bench.run(600)
    assert bench.wan_codes()[0] == MessageCode.CCS08


def test_an_image_for_the_hub_that_comes_during_its_restart_is_run_after_it() -> None:
    bench = bench_of(build(DeviceType.CHF, firmware__activation_s=60))
    assert stage(bench, image(DeviceType.CHF), CHF, number=1) is Reason.HELD
    bench.run(10)
    assert stage(bench, image(DeviceType.CHF, version=NEWER), CHF, number=2) is Reason.HELD
    assert bench.wan_codes() == []  # nothing failed
    bench.run(60)
    assert hub(bench).reported_version() == NEW_VERSION
    assert hub(bench).server.is_busy(bench.now)
    bench.run(60)
    assert hub(bench).reported_version() == NEWER
    assert not hub(bench).server.is_busy(bench.now)
    assert bench.wan_codes() == [MessageCode.GCA] * 2


def test_a_hub_that_lost_power_in_its_restart_asks_clients_to_wait_until_it_is_over() -> None:
    bench = bench_of(build(DeviceType.CHF, firmware__activation_s=60))
    stage(bench, image(DeviceType.CHF), CHF)
    bench.run(50)
    bench.event(CHF, DeviceEvent.POWER_OFF)
    bench.timers.clear()
    bench.run(30)
    bench.event(CHF, DeviceEvent.POWER_ON)
    bench.run(50)
    assert hub(bench).server.is_busy(bench.now)
    bench.run(10)
    assert not hub(bench).server.is_busy(bench.now)
    assert hub(bench).reported_version() == NEW_VERSION


def test_a_future_dated_activation_never_runs_an_image_that_came_after_it() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    stage(bench, image(DeviceType.ESME), ESME, number=1)
    bench.run(300)
    due = UtcMs(bench.now + 7_200_000)
    bench.event(CHF, DeviceEvent.WAN, cs06(ESME, image_hash(), at=due))
    content = b"another content " * 20
    stage(bench, image(DeviceType.ESME, version=NEWER, content=content), ESME, number=2)
    bench.run(600)
    bench.event(ESME, DeviceEvent.POWER_OFF)
    bench.event(ESME, DeviceEvent.POWER_ON)
    bench.run(7_300)
    esme = firmware(bench, ESME)
    assert esme.slots.running == OLD_VERSION
    assert esme.slots.pending is not None
    assert esme.slots.pending.version == NEWER
    alerts = [
        value for _, value in sent_values(bench) if isinstance(value, FutureDatedFirmwareAlert)
    ]
    [alert] = alerts
    assert (alert.alert_code, alert.outcome.code, alert.execution_time) == (
        0x8F67,
        2,
        due // 1000 * 1000,
    )


def test_counters_outlive_a_power_loss_in_both_directions() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.PPMID))
    asked = cs08(PPMID, counter=7)
    bench.event(CHF, DeviceEvent.WAN, asked)
    counter = firmware(bench, PPMID).next_counter = 41
    bench.event(PPMID, DeviceEvent.POWER_OFF)
    bench.event(PPMID, DeviceEvent.POWER_ON)
    bench.event(CHF, DeviceEvent.WAN, asked)
    assert [row["reason"] for row in bench.seen("message_refused")] == ["replayed_counter"]
    assert len(bench.wan) == 1
    assert firmware(bench, PPMID).next_counter == counter
