"""What a hub does with images that are too large, damaged, replaced, its own, or for others."""

import hashlib

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.csp_transfer import (
    Chunk,
    ChunkAnswer,
    Close,
    Closed,
    Offer,
    OfferAnswer,
    Reason,
)
from emulator.codecs.gbcs.asn1 import (
    FirmwareTransferAlert,
)
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.effects import DeviceEvent
from emulator.core.ids import Eui64
from emulator.devices.chf.delivery_table import DeliveryState
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.ota_table import OtaState
from tests.emulator.devices.hub_kit import (
    bench_of,
    firmware,
    hub,
    send,
    sent_values,
    stage,
)
from tests.emulator.devices.kit import (
    CHF,
    ESME,
    NEW_VERSION,
    PPMID,
    build,
    image,
)


def test_the_hub_runs_an_image_of_its_own_and_the_han_goes_on() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    content = bytes(range(256)) * 40
    stage(bench, image(DeviceType.ESME, content=content), ESME, number=1)
    bench.run(20)
    assert stage(bench, image(DeviceType.CHF), CHF, number=2) is Reason.HELD
    bench.run(600)
    assert bench.seen("ota_wait_for_data")  # the meter was asked to wait, and went on
    assert hub(bench).reported_version() == NEW_VERSION
    assert firmware(bench, ESME).ota.state is OtaState.VERIFIED_PENDING
    assert MessageCode.GCA in bench.wan_codes()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"signer": Eui64.parse("90-B3-D5-1F-30-03-00-00")}, "bad-signature"),
        ({"minimum_hardware": 0x2000, "maximum_hardware": 0x2100}, ""),
        ({"image_type": 0x0077}, ""),
        ({"manufacturer_code": 0x1063}, ""),
    ],
    ids=["signer", "hardware", "type", "maker"],
)
def test_an_image_that_is_not_for_the_meter_never_gets_into_its_slot(
    changes: dict[str, int], why: str
) -> None:
    esme = build(DeviceType.ESME)
    bench = bench_of(build(DeviceType.CHF), esme)
    octets = image(DeviceType.ESME, **changes)  # type: ignore[arg-type] # as the image wants them
    assert stage(bench, octets, ESME) is Reason.HELD
    bench.run(600)
    assert isinstance(esme, FirmwareDevice)
    assert esme.slots.pending is None
    if why:
        assert [row["why"] for row in bench.seen("image_discarded")] == [why]
        assert bench.wan_codes() == [MessageCode.FDRA_DLMS]  # 8F1C
        assert esme.ota.state is OtaState.REJECTED
    else:
        assert not bench.seen("image_discarded")
        assert hub(bench).server.deliveries[ESME].state is DeliveryState.DISCARDED


def test_an_image_for_other_hardware_of_a_ppmid_is_told_by_code_2() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.PPMID))
    octets = image(DeviceType.PPMID, minimum_hardware=0x2000, maximum_hardware=0x2100)
    stage(bench, octets, PPMID)
    bench.run(60)
    [(_, told)] = sent_values(bench)
    assert isinstance(told, FirmwareTransferAlert)
    assert (told.alert_code, told.code, told.firmware_version) == (0x8F89, 2, NEW_VERSION)


def test_an_oversize_image_is_discarded_and_never_blocks_another() -> None:
    chf = build(DeviceType.CHF, hub__image_store_bytes=1000)
    bench = bench_of(chf, build(DeviceType.PPMID), build(DeviceType.ESME))
    big = image(DeviceType.PPMID, content=bytes(2000))
    assert stage(bench, big, PPMID, number=1) is Reason.TOO_LARGE
    [(_, told)] = sent_values(bench)
    assert isinstance(told, FirmwareTransferAlert)
    assert (told.alert_code, told.code, told.firmware_version) == (0x8F89, 1, NEW_VERSION)
    assert stage(bench, image(DeviceType.ESME), ESME, number=2) is Reason.HELD
    bench.run(600)
    assert firmware(bench, ESME).ota.state is OtaState.VERIFIED_PENDING


@pytest.mark.parametrize(("force", "ends"), [(1, Reason.HELD), (0, Reason.BUSY)])
def test_force_replace_decides_between_a_staged_image_and_a_new_one(
    force: int, ends: Reason
) -> None:
    esme = build(DeviceType.ESME)
    bench = bench_of(build(DeviceType.CHF), esme)
    bench.event(ESME, DeviceEvent.POWER_OFF)
    stage(bench, image(DeviceType.ESME), ESME, number=1)
    newer = bytes.fromhex("0123abcf")
    octets = image(DeviceType.ESME, version=newer, force_replace=force)
    assert stage(bench, octets, ESME, number=2) is ends
    bench.event(ESME, DeviceEvent.POWER_ON)
    bench.run(600)
    assert isinstance(esme, FirmwareDevice)
    assert esme.slots.pending is not None
    assert esme.slots.pending.version == (newer if force else NEW_VERSION)


def test_a_hub_without_secmp0007_takes_no_image_for_a_ppmid() -> None:
    bench = bench_of(build(DeviceType.CHF, hub__ppmid_ota=False), build(DeviceType.PPMID))
    assert stage(bench, image(DeviceType.PPMID), PPMID) is Reason.NO_TARGET_HERE
    bench.run(600)
    assert not bench.wan
    assert firmware(bench, PPMID).ota.state is OtaState.IDLE


def test_a_lost_chunk_is_asked_for_again_and_a_silent_csp_given_up() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    octets = image(DeviceType.ESME)
    digest = hashlib.sha256(octets).digest()
    send(bench, Offer(1, "r", len(octets), digest, (ESME,)))
    assert send(bench, Chunk(1, 200, octets[200:])) == ChunkAnswer(1, 0)
    assert send(bench, Offer(1, "r", len(octets), digest, (ESME,))) == OfferAnswer(
        1, Reason.ACCEPTED
    )
    send(bench, Chunk(1, 0, octets[:100]))
    bench.run(700)
    assert not hub(bench).store.incoming
    assert hub(bench).server.deliveries[ESME].state is DeliveryState.ABORTED
    assert send(bench, Close(1, Reason.COMPLETE)) == Closed(1, Reason.TRANSFER_FAILED)
    assert firmware(bench, ESME).ota.state is OtaState.IDLE  # nothing reached the HAN


def test_an_image_with_a_wrong_hash_is_not_held() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    octets = image(DeviceType.ESME)
    send(bench, Offer(1, "r", len(octets), bytes(32), (ESME,)))
    send(bench, Chunk(1, 0, octets))
    assert send(bench, Close(1, Reason.COMPLETE)) == Closed(1, Reason.HASH_MISMATCH)


def test_a_client_that_falls_silent_is_told_as_a_failed_transfer() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.PPMID))
    content = bytes(range(256)) * 20
    stage(bench, image(DeviceType.PPMID, content=content), PPMID)
    bench.run(5)
    bench.event(PPMID, DeviceEvent.POWER_OFF)
    bench.run(7 * 3600)
    [(_, told)] = sent_values(bench)
    assert isinstance(told, FirmwareTransferAlert)
    assert (told.alert_code, told.code) == (0x8F89, 3)
    assert not hub(bench).store.held
