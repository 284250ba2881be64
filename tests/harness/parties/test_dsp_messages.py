import asyncio
from dataclasses import replace

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.dlms import access
from emulator.codecs.gbcs import alerts as gbcs_alerts
from emulator.codecs.gbcs import asn1, dlms, envelope, gbz, metering
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import (
    ActivationCode,
    ActivationOutcome,
    ResultCode,
    TransferCode,
)
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.payload import PayloadValue
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.protection import Protection
from harness.formats.duis.alerts import (
    ActivationResult,
    CommsHubAlert,
    CommsHubFirmwareActivation,
    DccAlert,
    FirmwareTransferAlert,
    FirmwareVersionMismatch,
    PpmidAlert,
    TransferResponse,
)
from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.responses import DccAlertMessage
from harness.parties.dsp_messages import Routed, version_of
from harness.parties.received import Kind, Received
from harness.parties.supplier import Supplier
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

SIGNED, MACED = Protection.SIGNATURE, Protection.MAC
NEW, OLD = bytes.fromhex("01000001"), bytes.fromhex("01000000")
IMAGE = image(DeviceType.ESME)
WHEN = UtcMs(AT + 86_400_000)


def send(world: World, asked: ServiceRequest) -> bytes:
    """Ask, sign where needed, and return the command that reached the hub."""
    got = world.supplier.take(world.dsp.submit(world.supplier.send(asked), SUPPLIER))
    if got.kind is Kind.PRE_COMMAND:
        signed = world.supplier.sign(got)
        assert isinstance(signed, ServiceRequest)
        got = world.supplier.take(world.dsp.submit(world.supplier.send(signed), SUPPLIER))
    assert got.kind is Kind.ACKNOWLEDGEMENT
    asyncio.run(world.dsp.carry_out(world.hub))
    return world.hub.got[-1]


def hear(world: World, message: bytes) -> Routed:
    world.hub.says.append(message)
    routed = asyncio.run(world.dsp.route(world.hub, UtcMs(AT + 1000)))
    assert routed is not None
    return routed


def dcc_alert(user: Supplier) -> tuple[str, DccAlert]:
    body = user.inbox[-1].response.body
    assert isinstance(body, DccAlertMessage)
    return body.code, body.alert


def last(world: World) -> Received:
    return world.supplier.inbox[-1]


def test_nothing_said_until_the_time_is_up_is_none() -> None:
    world = World()
    until = UtcMs(AT + 5000)
    assert asyncio.run(world.dsp.route(world.hub, until)) is None
    assert world.clock.at == until


# --- responses ----------------------------------------------------------------------------------


def test_the_answer_of_an_activation_reaches_its_supplier_and_the_inventory() -> None:
    world = World()
    command = send(world, world.supplier.activate_firmware(ESME, bytes(32)))
    outcome = ActivationOutcome(ActivationCode.SUCCESS, NEW)
    payload = asn1.ActivateFirmwareResponse(outcome).encode()
    routed = hear(world, world.answer(command, payload, protection=SIGNED))
    assert (routed.kind, routed.receiver) == ("response", SUPPLIER)
    got = last(world)
    assert got.accepted
    assert got.value == asn1.ActivateFirmwareResponse(outcome)
    assert (got.request_id, got.trouble) == (world.supplier.inbox[0].request_id, "")
    record = world.dsp.inventory.find(ESME)
    assert record is not None
    assert record.firmware_version == "01000001"


@pytest.mark.parametrize(
    "code", [ActivationCode.NO_IMAGE_HELD, ActivationCode.HASH_MISMATCH, ActivationCode(3)]
)
def test_an_activation_that_failed_leaves_the_inventory_as_it_is(code: ActivationCode) -> None:
    world = World()
    command = send(world, world.supplier.activate_firmware(ESME, bytes(32)))
    payload = asn1.ActivateFirmwareResponse(ActivationOutcome(code, OLD)).encode()
    hear(world, world.answer(command, payload, protection=SIGNED))
    assert last(world).accepted
    record = world.dsp.inventory.find(ESME)
    assert record is not None
    assert record.firmware_version == "01000000"


def ecs52(counter: int, version: bytes) -> bytes:
    return access.encode_response(dlms.firmware_version_response(counter, version))


def test_a_read_version_that_equals_the_inventory_raises_nothing() -> None:
    world = World()
    command = send(world, world.supplier.read_firmware_version(ESME))
    hear(world, world.answer(command, ecs52(1000, OLD), protection=MACED))
    got = last(world)
    assert got.accepted
    assert version_of(got.value) == OLD
    assert world.supplier.alerts() == []


def test_a_read_version_that_differs_is_a_mismatch_once() -> None:
    world = World()
    for turn in (0, 1):
        command = send(world, world.supplier.read_firmware_version(ESME))
        hear(world, world.answer(command, ecs52(1000 + turn, NEW), protection=MACED))
    (alert,) = (got for got in world.supplier.inbox if got.kind is Kind.DCC_ALERT)
    body = alert.response.body
    assert isinstance(body, DccAlertMessage)
    assert body.alert == FirmwareVersionMismatch(ESME, DeviceType.ESME, "01000000", "01000001")


def test_a_gsme_tells_its_version_in_gbz() -> None:
    world = World()
    command = send(world, world.supplier.read_firmware_version(GSME))
    payload = gbz.encode(metering.firmware_version_response(NEW))
    hear(world, world.answer(command, payload, protection=MACED))
    assert isinstance(dcc_alert(world.supplier)[1], FirmwareVersionMismatch)
    read = world.supplier.last(Kind.RESPONSE)
    assert read is not None
    assert version_of(read.value) == NEW


def test_a_version_read_through_the_broker_comes_back_to_who_asked() -> None:
    world = World()
    asked = world.supplier.read_firmware_version(PPMID)
    command = send(world, asked)
    assert envelope.decode(command).header.originator == ACB
    payload = asn1.FirmwareVersionResponse(OLD, ResultCode.SUCCESS).encode()
    routed = hear(world, world.answer(command, payload, protection=MACED))
    got = last(world)
    assert (routed.kind, got.request_id) == ("response", asked.request_id)
    assert version_of(got.value) == OLD
    # Only the broker can check this MAC: the supplier has the value, and no proof.
    assert (got.accepted, got.trouble) == (False, "")


def test_a_version_that_cannot_be_read_is_no_mismatch() -> None:
    world = World()
    command = send(world, world.supplier.read_firmware_version(PPMID))
    payload = asn1.FirmwareVersionResponse(bytes(4), ResultCode.FAILURE).encode()
    hear(world, world.answer(command, payload, protection=MACED))
    assert world.supplier.alerts() == []


def test_an_answer_nobody_waits_for_goes_nowhere_and_the_second_one_neither() -> None:
    world = World()
    command = send(world, world.supplier.read_firmware_version(ESME))
    answer = world.answer(command, ecs52(1000, OLD), protection=MACED)
    assert hear(world, answer).kind == "response"
    count = len(world.supplier.inbox)
    assert hear(world, answer).kind == "unasked"
    assert len(world.supplier.inbox) == count


# --- what must not be believed ------------------------------------------------------------------


def test_octets_that_are_no_message_go_nowhere() -> None:
    world = World()
    for octets in (b"", b"\xdd", b"\xdf\x09\x02", bytes(40)):
        assert hear(world, octets).kind == "malformed"
    assert world.supplier.inbox == []


def test_a_message_of_a_device_that_is_not_in_the_inventory_goes_nowhere() -> None:
    world = World()
    message = receipt(world, ESME, AlertCode.FIRMWARE_VERIFIED)
    world.dsp.inventory.remove(ESME)
    assert hear(world, message).kind == "unknown-device"
    assert world.supplier.inbox == []


def test_a_forged_message_to_the_broker_raises_no_alert() -> None:
    world = World()
    message = bytearray(transfer(world, TransferCode.SUCCESS))
    message[-1] ^= 1
    assert hear(world, bytes(message)).kind == "refused"
    assert world.supplier.inbox == []


def test_a_forged_answer_is_delivered_and_refused_by_the_supplier() -> None:
    world = World()
    command = send(world, world.supplier.activate_firmware(ESME, bytes(32)))
    payload = asn1.ActivateFirmwareResponse(None).encode()
    message = bytearray(world.answer(command, payload, protection=SIGNED))
    message[-1] ^= 1
    hear(world, bytes(message))
    got = last(world)
    assert (got.kind, got.accepted, got.value) == (Kind.RESPONSE, False, None)
    assert (got.trouble, got.refused_because) == ("bad_signature", "bad_signature")


def test_a_genuine_answer_to_another_request_is_not_believed() -> None:
    world = World()
    command = send(world, world.supplier.activate_firmware(ESME, bytes(32)))
    payload = asn1.ActivateFirmwareResponse(None).encode()
    hear(world, world.answer(command, payload, protection=SIGNED))
    genuine = last(world)
    assert genuine.accepted
    other = world.supplier.activate_firmware(ESME, bytes(32))
    world.supplier.adopt(other)
    moved = genuine.octets.replace(b":1000<", b":1001<")
    got = world.supplier.take(moved)
    assert (got.accepted, got.trouble) == (False, "it answers another request")
    nobody = world.supplier.take(genuine.octets.replace(b":1000<", b":9999<"))
    assert (nobody.accepted, nobody.trouble) == (False, "it answers no request of ours")
    theirs = world.gas.take(genuine.octets)
    assert not theirs.accepted


# --- alerts -------------------------------------------------------------------------------------


def receipt(world: World, device: Eui64, code: AlertCode, image_hash: bytes = bytes(32)) -> bytes:
    if device == GSME:
        value: PayloadValue = gbcs_alerts.gbz_firmware_receipt(code, AT, image_hash)
        message_code = MessageCode.FDRA_GBZ
        payload = gbz.encode_alert(value)  # type: ignore[arg-type]  # the type just made
    else:
        dlms_alert = gbcs_alerts.dlms_firmware_receipt(2000, code, AT, image_hash)
        message_code = MessageCode.FDRA_DLMS
        payload = gbcs_alerts.encode_dlms_alert(dlms_alert)
    return world.device_says(
        device, SUPPLIER, Cra.ALERT, message_code, 2000, payload, protection=SIGNED
    )


def transfer(world: World, code: TransferCode, device: Eui64 = PPMID) -> bytes:
    good = code is TransferCode.SUCCESS
    alert = AlertCode.FIRMWARE_TRANSFERRED if good else AlertCode.FIRMWARE_TRANSFER_FAILED
    payload = asn1.FirmwareTransferAlert(alert, AT, device, NEW, code).encode()
    return world.device_says(
        CHF, ACB, Cra.ALERT, MessageCode.CCS08, 3000, payload, protection=SIGNED
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
    assert isinstance(got.value, gbcs_alerts.DlmsAlert | gbcs_alerts.GbzAlert)
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
