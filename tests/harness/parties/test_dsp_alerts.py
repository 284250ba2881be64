import asyncio
from dataclasses import replace

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import alerts as gbcs_alerts
from emulator.codecs.gbcs import asn1
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import (
    ActivationCode,
    ActivationOutcome,
    ResultCode,
    TransferCode,
)
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.gbz import GbzAlert
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.ids import Eui64
from harness.formats.duis.alerts import (
    ActivationResult,
    CommsHubAlert,
    CommsHubFirmwareActivation,
    FirmwareTransferAlert,
    PpmidAlert,
    TransferResponse,
)
from harness.parties.received import Kind
from tests.harness.parties.dialogue import (
    IMAGE,
    SIGNED,
    WHEN,
    dcc_alert,
    hear,
    last,
    receipt,
    send,
    transfer,
)
from tests.harness.parties.party_world import (
    ACB,
    AT,
    CHF,
    ESME,
    GAS,
    GSME,
    PPMID,
    SUPPLIER,
    World,
    image,
    listing,
)


@pytest.mark.parametrize("device", [ESME, GSME])
@pytest.mark.parametrize(
    "code", [AlertCode.FIRMWARE_VERIFIED, AlertCode.FIRMWARE_VERIFICATION_FAILED]
)
def test_a_firmware_receipt_reaches_its_supplier_and_ends_the_transfer(
    device: Eui64, code: AlertCode
) -> None:
    world = World(cpl=listing((DeviceType.ESME, IMAGE)))
    asked = world.supplier.update_firmware(IMAGE, "01000001", [ESME])
    world.dsp.submit(world.supplier.send(asked), SUPPLIER)
    world.dsp.transfers[GSME] = world.dsp.transfers[ESME]
    routed = hear(world, receipt(world, device, code, bytes(range(32))))
    assert routed.kind == "device-alert"
    got = last(world)
    assert got.accepted
    assert isinstance(got.value, gbcs_alerts.DlmsAlert | GbzAlert)
    assert gbcs_alerts.image_hash_of(got.value) == bytes(range(32))
    assert device not in world.dsp.transfers
    assert len(world.dsp.transfers) == 1


@pytest.mark.parametrize(
    ("code", "response"),
    list(
        zip(
            TransferCode,
            (
                TransferResponse.SUCCESS,
                TransferResponse.DISCARDED,
                TransferResponse.HARDWARE_MISMATCH,
                TransferResponse.FAILURE,
            ),
            strict=True,
        )
    ),
)
def test_the_hubs_last_word_on_a_transfer_becomes_a_comms_hub_alert(
    code: TransferCode, response: TransferResponse
) -> None:
    octets = image(DeviceType.PPMID)
    world = World(cpl=listing((DeviceType.PPMID, octets)))
    asked = world.supplier.update_ppmid_firmware(octets, "01000001", [PPMID])
    world.dsp.submit(world.supplier.send(asked), SUPPLIER)
    assert hear(world, transfer(world, code)).kind == "comms-hub-alert"
    number, alert = dcc_alert(world.supplier)
    assert number == "N62"
    assert isinstance(alert, CommsHubAlert)
    assert alert.transfer == FirmwareTransferAlert(asked.request_id, PPMID, "01000001", response)
    assert (alert.hub, alert.at) == (CHF, AT)
    assert world.dsp.transfers == {}


def test_a_transfer_nobody_remembers_is_told_the_responsible_supplier() -> None:
    world = World()
    hear(world, transfer(world, TransferCode.SUCCESS))
    _, alert = dcc_alert(world.supplier)
    assert isinstance(alert, CommsHubAlert)
    assert alert.transfer is not None
    assert alert.transfer.request_id is None


@pytest.mark.parametrize(
    ("code", "result", "version"),
    [
        (ResultCode.SUCCESS, ActivationResult.SUCCESS, "01000001"),
        (ResultCode.FAILURE, ActivationResult.FAILURE, "01000000"),
    ],
)
def test_a_ppmids_activation_becomes_a_ppmid_alert(
    code: ResultCode, result: ActivationResult, version: str
) -> None:
    world = World()
    running = bytes.fromhex(version)
    payload = asn1.PpmidActivationAlert(
        AlertCode.PPMID_FIRMWARE_ACTIVATION, AT, running, code
    ).encode()
    message = world.device_says(
        PPMID, ACB, Cra.ALERT, MessageCode.CS09, 5000, payload, protection=SIGNED
    )
    assert hear(world, message).kind == "ppmid-alert"
    _, alert = dcc_alert(world.supplier)
    assert isinstance(alert, PpmidAlert)
    assert alert.upgrade is not None
    assert (alert.upgrade.result, alert.upgrade.firmware_version) == (result, version)
    record = world.dsp.inventory.find(PPMID)
    assert record is not None
    assert record.firmware_version == version


@pytest.mark.parametrize(
    ("alert_code", "code", "version"),
    [
        (AlertCode.FUTURE_DATED_SUCCESS, ActivationCode.SUCCESS, "01000001"),
        (AlertCode.FUTURE_DATED_FAILURE, ActivationCode.HASH_MISMATCH, "01000000"),
    ],
)
def test_the_outcome_of_a_future_dated_activation_belongs_to_its_request(
    alert_code: AlertCode, code: ActivationCode, version: str
) -> None:
    world = World()
    asked = world.supplier.activate_firmware(ESME, bytes(32), WHEN)
    command = send(world, asked)
    payload = asn1.ActivateFirmwareResponse(None).encode()
    hear(world, world.answer(command, payload, protection=SIGNED))
    outcome = ActivationOutcome(code, bytes.fromhex(version))
    told = asn1.FutureDatedFirmwareAlert(alert_code, WHEN, asked.request_id.counter, outcome)
    message = world.device_says(
        ESME, SUPPLIER, Cra.ALERT, MessageCode.CS06_ALERT, 2001, told.encode(), protection=SIGNED
    )
    assert hear(world, message).kind == "future-dated-outcome"
    got = last(world)
    assert (got.kind, got.request_id) == (Kind.FUTURE_DATED_OUTCOME, asked.request_id)
    assert got.accepted
    assert got.value == told
    record = world.dsp.inventory.find(ESME)
    assert record is not None
    assert record.firmware_version == version


def hub_alert(world: World, code: AlertCode) -> bytes:
    payload = gbcs_alerts.encode_dlms_alert(gbcs_alerts.dlms_alert(3001, code, AT))
    return world.device_says(CHF, ACB, Cra.ALERT, MessageCode.GCA, 3001, payload, protection=SIGNED)


def test_a_hub_that_runs_its_new_firmware_is_told_to_every_supplier_of_the_home() -> None:
    world = World()
    record = world.inventory.find(GSME)
    assert record is not None
    world.inventory.put(replace(record, supplier=GAS))
    outcome = asyncio.run(world.wan_provider.update_hub(world.hub, b"hub image", "1000001"))
    assert outcome.delivered
    assert world.hub.staged[0].targets == (CHF,)
    assert hear(world, hub_alert(world, AlertCode.FIRMWARE_VERSION_CHANGED)).kind == (
        "comms-hub-activation"
    )
    for user in (world.supplier, world.gas):
        assert dcc_alert(user)[1] == CommsHubFirmwareActivation(CHF, "01000001")


def test_an_image_the_hub_did_not_take_is_no_version_to_expect() -> None:
    world = World()
    world.hub.reason = "malformed"
    outcome = asyncio.run(world.wan_provider.update_hub(world.hub, b"hub image", "1000001"))
    assert not outcome.delivered
    assert world.wan_provider.sent == {}
    hear(world, hub_alert(world, AlertCode.FIRMWARE_VERSION_CHANGED))
    assert dcc_alert(world.supplier)[1] == CommsHubFirmwareActivation(CHF, "01000000")


def test_any_other_alert_of_a_hub_is_passed_on_with_its_code() -> None:
    world = World()
    routed = hear(world, hub_alert(world, AlertCode.FIRMWARE_VERIFICATION_FAILED_AT_POWER_ON))
    assert routed.kind == "comms-hub-alert"
    _, alert = dcc_alert(world.supplier)
    assert isinstance(alert, CommsHubAlert)
    assert (alert.alert_code, alert.transfer) == (0x8F1B, None)


def test_an_alert_for_a_party_that_is_not_registered_is_undeliverable() -> None:
    world = World()
    payload = gbcs_alerts.encode_dlms_alert(gbcs_alerts.dlms_alert(9, AlertCode(0x8F43), AT))
    message = world.device_says(
        ESME, Eui64(bytes(8)), Cra.ALERT, MessageCode.GCA, 9, payload, protection=SIGNED
    )
    assert hear(world, message).kind == "undeliverable"
    assert world.supplier.inbox == []
