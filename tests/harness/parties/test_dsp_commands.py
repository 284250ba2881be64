import asyncio
from dataclasses import replace

import pytest

from device_profiles.words import CplStatus, DeviceStatus, DeviceType
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.protection import Accepted, open_message
from harness.formats.duis import bodies, date_time
from harness.formats.duis.faults import DuisError
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest, request, write_request
from harness.formats.duis.responses import (
    DccAlertMessage,
    ResponseMessage,
)
from harness.parties.correlation import NotCorrelated
from harness.parties.post import DCC_ALERT, GBCS, IMAGE
from harness.parties.received import Kind, Received
from harness.rules.firmware_checks import Category
from tests.given import needs_duis
from tests.harness.formats.duis_given import is_valid
from tests.harness.parties.party_world import (
    ACB,
    CHF,
    CPL,
    ESME,
    GAS,
    GSME,
    HCALCS,
    PPMID,
    SUPPLIER,
    World,
    image,
    listing,
    ring_of,
)

ESME_IMAGE = image(DeviceType.ESME)
PPMID_IMAGE = image(DeviceType.PPMID)
LISTED = listing((DeviceType.ESME, ESME_IMAGE), (DeviceType.PPMID, PPMID_IMAGE))
STRANGER = Eui64.parse("02-53-01-00-00-00-00-99")
VERSION = "01000001"


def ask(world: World, asked: ServiceRequest) -> Received:
    return world.supplier.take(world.dsp.submit(world.supplier.send(asked), SUPPLIER))


def alerts_of(got: list[Received]) -> list[object]:
    bodies_ = [item.response.body for item in got if item.kind is Kind.DCC_ALERT]
    return [body.alert for body in bodies_ if isinstance(body, DccAlertMessage)]


# --- 11.3 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [None, UtcMs(1_900_000_000_000), date_time.CANCEL])
def test_an_activation_is_transformed_correlated_signed_and_maced(at: UtcMs | None) -> None:
    world = World()
    got = ask(world, world.supplier.activate_firmware(ESME, bytes(range(32)), at))
    assert (got.kind, got.code) == (Kind.PRE_COMMAND, "I0")
    signed = world.supplier.sign(got)
    assert isinstance(signed, ServiceRequest)
    assert signed.header.command_variant == 5
    assert signed.request_id == got.request_id
    assert ask(world, signed).kind is Kind.ACKNOWLEDGEMENT
    asyncio.run(world.dsp.carry_out(world.hub))
    (command,) = world.hub.got
    opened = open_message(command, ring_of(ESME), acb=ACB)
    assert isinstance(opened, Accepted)
    assert opened.row.code == MessageCode.CS06
    assert opened.envelope.header.originator == SUPPLIER


def test_nothing_is_sent_for_a_pre_command_that_is_not_signed() -> None:
    world = World()
    ask(world, world.supplier.activate_firmware(ESME, bytes(32)))
    asyncio.run(world.dsp.carry_out(world.hub))
    assert world.hub.got == []


def test_a_pre_command_whose_request_was_another_is_not_signed() -> None:
    world = World()
    got = ask(world, world.supplier.activate_firmware(ESME, bytes(32)))
    other = world.supplier.activate_firmware(ESME, bytes(31) + b"\1")
    world.supplier.adopt(replace(other, header=replace(other.header, request_id=got.request_id)))  # type: ignore[arg-type]  # a pre-command has one
    verdict = world.supplier.sign(got)
    assert isinstance(verdict, NotCorrelated)
    assert verdict.field == "hash"


def test_a_signed_pre_command_that_differs_from_what_was_returned_is_refused() -> None:
    world = World()
    got = ask(world, world.supplier.activate_firmware(ESME, bytes(32)))
    signed = world.supplier.sign(got)
    assert isinstance(signed, ServiceRequest)
    assert isinstance(signed.body, bodies.SignedPreCommand)
    right = signed.body.gbcs_payload
    for bit in range(0, len(right) * 8, 7):
        altered = bytearray(right)
        altered[bit // 8] ^= 1 << bit % 8
        wrong = replace(signed, body=bodies.SignedPreCommand(bytes(altered)))
        refused = world.supplier.take(world.dsp.submit(write_request(wrong), SUPPLIER))
        assert refused.kind is Kind.REFUSAL
        assert world.dsp.decisions[-1].category in {
            Category.PRE_COMMAND_MISMATCH,
            Category.BAD_SIGNATURE,
        }
    assert world.dsp.outbox == []
    assert ask(world, signed).kind is Kind.ACKNOWLEDGEMENT
    assert ask(world, signed).kind is Kind.REFUSAL  # it was used


def test_the_broker_adds_a_mac_and_leaves_the_signature_as_it_is() -> None:
    world = World()
    got = ask(world, world.supplier.activate_firmware(ESME, bytes(32)))
    signed = world.supplier.sign(got)
    assert isinstance(signed, ServiceRequest)
    assert isinstance(signed.body, bodies.SignedPreCommand)
    ask(world, signed)
    asyncio.run(world.dsp.carry_out(world.hub))
    before, after = envelope.decode(signed.body.gbcs_payload), envelope.decode(world.hub.got[0])
    assert before.mac is None
    assert after.mac is not None
    assert replace(after, mac=None) == before


def test_11_3_to_a_ppmid_and_11_4_to_a_meter_are_not_applicable() -> None:
    world = World(cpl=LISTED)
    assert ask(world, world.supplier.activate_firmware(PPMID, bytes(32))).code == "E11"
    assert world.dsp.decisions[-1].category == Category.NOT_APPLICABLE
    ask(world, world.supplier.update_ppmid_firmware(PPMID_IMAGE, VERSION, [ESME]))
    assert world.dsp.decisions[-1].category == Category.NOT_APPLICABLE


# --- 11.2 and the rest --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "code"),
    [
        (ESME, MessageCode.ECS52),
        (CHF, MessageCode.ECS52),
        (GSME, MessageCode.GCS38),
        (PPMID, MessageCode.CS08),
        (HCALCS, MessageCode.CS08),
    ],
)
def test_a_read_goes_out_as_a_command_its_device_accepts(device: Eui64, code: MessageCode) -> None:
    world = World()
    got = ask(world, world.supplier.read_firmware_version(device))
    assert got.code == "I99"
    asyncio.run(world.dsp.carry_out(world.hub))
    opened = open_message(world.hub.got[0], ring_of(device), acb=ACB)
    assert isinstance(opened, Accepted)
    assert opened.row.code == code


def test_commands_of_the_broker_have_counters_of_their_own_that_rise() -> None:
    world = World()
    ask(world, world.supplier.read_firmware_version(PPMID))
    ask(world, world.supplier.read_firmware_version(CHF))
    asyncio.run(world.dsp.carry_out(world.hub))
    headers = [envelope.decode(message).header for message in world.hub.got]
    assert [header.counter for header in headers] == [501, 502]
    assert [header.other.supplementary_counter for header in headers] == [1000, 1001]


def test_a_future_dated_read_waits_for_its_time() -> None:
    world = World()
    due = UtcMs(world.clock.at + 60_000)
    ask(world, world.supplier.ask(bodies.ReadFirmwareVersion(due), ESME))
    asyncio.run(world.dsp.carry_out(world.hub))
    assert world.hub.got == []
    world.clock.at = due
    asyncio.run(world.dsp.carry_out(world.hub))
    assert len(world.hub.got) == 1


@pytest.mark.parametrize("variant", [2, 3])
def test_local_delivery_is_refused(variant: int) -> None:
    world = World()
    asked = request(bodies.ReadFirmwareVersion(), RequestId(SUPPLIER, ESME, 2000), variant)
    assert ask(world, asked).kind is Kind.REFUSAL


def test_a_request_of_somebody_else_is_refused_and_a_stranger_is_too() -> None:
    world = World()
    document = world.supplier.send(world.supplier.read_firmware_version(ESME))
    world.dsp.submit(document, GAS)
    assert world.dsp.decisions[-1].category == Category.BAD_REQUEST
    world.dsp.submit(document, STRANGER)
    assert world.dsp.decisions[-1].category == Category.NOT_ELIGIBLE_ROLE


def test_a_document_without_a_readable_header_is_refused_with_an_error() -> None:
    with pytest.raises(DuisError):
        World().dsp.submit(b"<nothing/>", SUPPLIER)


def test_a_device_is_prenotified_once_if_the_cpl_names_its_model() -> None:
    world = World()
    body = bodies.DevicePrenotification(
        STRANGER, "FFF2", "00100100", DeviceType.ESME, "SMETS2 V5.1", "01000000", "A"
    )
    assert ask(world, world.supplier.ask(body)).kind is Kind.ACKNOWLEDGEMENT
    record = world.inventory.find(STRANGER)
    assert record is not None
    assert (record.status, record.supplier) == (DeviceStatus.PENDING, SUPPLIER)
    assert ask(world, world.supplier.ask(body)).kind is Kind.REFUSAL
    unlisted = replace(body, device=HCALCS, firmware_version="0A0A0A0A")
    world.inventory.remove(HCALCS)
    assert ask(world, world.supplier.ask(unlisted)).kind is Kind.REFUSAL
    assert world.dsp.decisions[-1].category == Category.UNKNOWN_DEVICE_MODEL
    assert world.supplier.inbox[-1].code == "E120201"


def test_the_inventory_shows_an_installation_and_a_withdrawn_version() -> None:
    world = World()
    world.dsp.cpl = CPL.with_status("SYN-DEMO-ESME-01000000", CplStatus.WITHDRAWN)
    got = ask(world, world.supplier.ask(bodies.ReadInventory(ESME)))
    assert got.kind is Kind.INVENTORY
    assert isinstance(got.response.body, ResponseMessage)
    shown = {one.device: one for one in got.response.body.content.devices}  # type: ignore[union-attr]  # an inventory
    assert set(shown) == {record.device for record in world.inventory}
    assert shown[ESME].firmware_version_status is CplStatus.WITHDRAWN


def test_the_inventory_is_corrected_and_a_device_deleted() -> None:
    world = World()
    change = bodies.UpdateInventory(ESME, bodies.UpdateDeviceDetails(firmware_version="0000000a"))
    assert ask(world, world.supplier.ask(change)).kind is Kind.ACKNOWLEDGEMENT
    record = world.inventory.find(ESME)
    assert record is not None
    assert (record.firmware_version, record.model) == ("0000000A", "00100100")
    gone = bodies.UpdateInventory(ESME, bodies.DeleteDevice())
    assert ask(world, world.supplier.ask(gone)).kind is Kind.REFUSAL
    assert "decommissioned first" in world.dsp.decisions[-1].objection.detail  # type: ignore[union-attr]  # it was refused
    world.inventory.move(ESME, DeviceStatus.DECOMMISSIONED, world.clock.now())
    assert ask(world, world.supplier.ask(gone)).kind is Kind.ACKNOWLEDGEMENT
    assert world.inventory.find(ESME) is None
    assert ask(world, world.supplier.ask(gone)).kind is Kind.REFUSAL
    assert world.dsp.decisions[-1].category == Category.UNKNOWN_DEVICE


# --- the trace ----------------------------------------------------------------------------------


def test_every_message_of_an_activation_is_written_down_in_order() -> None:
    world = World()
    got = ask(world, world.supplier.activate_firmware(ESME, bytes(32)))
    signed = world.supplier.sign(got)
    assert isinstance(signed, ServiceRequest)
    ask(world, signed)
    asyncio.run(world.dsp.carry_out(world.hub))
    assert [(one.sender, one.receiver) for one in world.post.letters] == [
        ("supplier", "DSP"),
        ("DSP", "supplier"),
        ("supplier", "DSP"),
        ("DSP", "ACB"),
        ("DSP", "supplier"),
        ("ACB", "CHF"),
    ]
    assert [letter[:3] for letter in world.told] == [
        (one.sender, one.receiver, one.kind) for one in world.post.letters
    ]
    assert world.post.between("ACB", "CHF")[0].octets == world.hub.got[0]


@needs_duis
def test_every_document_the_parties_exchange_is_valid() -> None:
    world = World(cpl=LISTED)
    world.hub.reason = "busy"
    ask(world, world.supplier.update_firmware(ESME_IMAGE, VERSION, [STRANGER, ESME]))
    ask(world, world.supplier.update_firmware(ESME_IMAGE, VERSION, [STRANGER]))
    ask(world, world.supplier.ask(bodies.ReadInventory(ESME)))
    got = ask(world, world.supplier.activate_firmware(ESME, bytes(32)))
    signed = world.supplier.sign(got)
    assert isinstance(signed, ServiceRequest)
    ask(world, signed)
    asyncio.run(world.dsp.carry_out(world.hub))
    documents = [one for one in world.post.letters if one.kind not in {GBCS, IMAGE}]
    assert {one.kind for one in documents} == {"duis", DCC_ALERT}
    assert len(documents) == 12
    assert all(is_valid(one.octets) for one in documents)
