import asyncio

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import asn1, envelope, gbz, metering
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import (
    ActivationCode,
    ActivationOutcome,
    ResultCode,
    TransferCode,
)
from emulator.core.clock import UtcMs
from harness.formats.duis.alerts import (
    FirmwareVersionMismatch,
)
from harness.formats.duis.responses import DccAlertMessage
from harness.parties.dsp_messages import version_of
from harness.parties.received import Kind
from tests.harness.parties.dialogue import (
    MACED,
    NEW,
    OLD,
    SIGNED,
    dcc_alert,
    ecs52,
    hear,
    last,
    receipt,
    send,
    transfer,
)
from tests.harness.parties.party_world import (
    ACB,
    AT,
    ESME,
    GSME,
    PPMID,
    SUPPLIER,
    World,
)


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
