import asyncio
from dataclasses import replace

import pytest

from device_profiles.words import CplStatus, DeviceStatus, DeviceType
from emulator.core.ids import Eui64
from harness.formats.duis.alerts import (
    CspFirmwareDeliveryStatus,
    FirmwareDistributionFailure,
    FirmwareUpgradeRequested,
    TransferStatus,
)
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest, write_request
from harness.formats.duis.responses import (
    DccAlertMessage,
    FirmwareWarning,
    PpmidFirmwareWarning,
    ResponseMessage,
)
from harness.parties.received import Kind, Received
from harness.rules.firmware_checks import Category
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
    hash_of,
    image,
    listing,
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


# --- 11.1 and 11.4 ------------------------------------------------------------------------------


def test_an_image_for_an_esme_is_acknowledged_staged_and_n60_follows() -> None:
    world = World(cpl=LISTED)
    got = ask(world, world.supplier.update_firmware(ESME_IMAGE, VERSION, [ESME]))
    assert (got.kind, got.code) == (Kind.ACKNOWLEDGEMENT, "I99")
    assert world.hub.staged == []
    asyncio.run(world.dsp.carry_out(world.hub))
    assert [(order.image, order.targets) for order in world.hub.staged] == [(ESME_IMAGE, (ESME,))]
    last = world.supplier.inbox[-1]
    assert isinstance(last.response.body, DccAlertMessage)
    assert last.response.body.code == "N60"
    alert = last.response.body.alert
    assert isinstance(alert, CspFirmwareDeliveryStatus)
    assert (alert.hub, alert.target, alert.firmware_version) == (CHF, ESME, VERSION)
    assert alert.status is TransferStatus.SUCCESS
    assert alert.request_id == RequestId(SUPPLIER, ACB, 1000)
    assert set(world.dsp.transfers) == {ESME}
    assert world.dsp.outbox == []


def test_a_transfer_the_hub_refuses_gives_n61_and_a_distribution_failure_and_is_over() -> None:
    world = World(cpl=LISTED)
    world.hub.reason = "too-large"
    ask(world, world.supplier.update_firmware(ESME_IMAGE, VERSION, [ESME]))
    asyncio.run(world.dsp.carry_out(world.hub))
    status, failure = alerts_of(world.supplier.inbox)
    assert isinstance(status, CspFirmwareDeliveryStatus)
    assert status.status is TransferStatus.FAILURE
    assert isinstance(failure, FirmwareDistributionFailure)
    assert failure.meters == (ESME,)
    assert world.dsp.transfers == {}


def test_n60_is_not_said_before_the_hub_has_the_image() -> None:
    world = World(cpl=LISTED)
    seen: list[int] = []
    world.hub.before_staging = lambda: seen.append(len(world.supplier.alerts()))
    ask(world, world.supplier.update_firmware(ESME_IMAGE, VERSION, [ESME]))
    asyncio.run(world.dsp.carry_out(world.hub))
    assert seen == [0]


def test_an_image_for_a_ppmid_goes_by_11_4_and_the_other_supplier_learns_of_it() -> None:
    world = World(cpl=LISTED)
    record = world.inventory.find(GSME)
    assert record is not None
    world.inventory.put(replace(record, supplier=GAS))
    got = ask(world, world.supplier.update_ppmid_firmware(PPMID_IMAGE, VERSION, [PPMID]))
    assert got.kind is Kind.ACKNOWLEDGEMENT
    (told,) = alerts_of(world.gas.inbox)
    assert told == FirmwareUpgradeRequested(DeviceType.PPMID, VERSION, (PPMID,))
    assert alerts_of(world.supplier.inbox) == []


def test_some_bad_targets_are_listed_and_the_good_ones_go_on() -> None:
    world = World(cpl=LISTED)
    record = world.inventory.find(HCALCS)
    assert record is not None
    world.inventory.put(replace(record, status=DeviceStatus.PENDING))
    targets = [STRANGER, ESME, HCALCS, PPMID, GSME]
    got = ask(world, world.supplier.update_firmware(ESME_IMAGE, VERSION, targets))
    assert (got.kind, got.code) == (Kind.WARNING, "W110101")
    assert isinstance(got.response.body, ResponseMessage)
    assert got.response.body.content == FirmwareWarning(
        invalid=(STRANGER,), not_commissioned=(HCALCS,), not_applicable=(PPMID, GSME)
    )
    asyncio.run(world.dsp.carry_out(world.hub))
    assert world.hub.staged[0].targets == (ESME,)


def test_an_unknown_ppmid_is_listed_and_the_others_continue() -> None:
    world = World(cpl=LISTED)
    asked = world.supplier.update_ppmid_firmware(PPMID_IMAGE, VERSION, [STRANGER, PPMID])
    got = ask(world, asked)
    assert got.code == "W110401"
    assert isinstance(got.response.body, ResponseMessage)
    assert got.response.body.content == PpmidFirmwareWarning(invalid=(STRANGER,))


def test_a_second_request_while_the_first_runs_is_listed_and_force_replace_goes_through() -> None:
    again = image(DeviceType.ESME, force_replace=1)
    world = World(cpl=LISTED)
    ask(world, world.supplier.update_firmware(ESME_IMAGE, VERSION, [ESME]))
    got = ask(world, world.supplier.update_firmware(ESME_IMAGE, VERSION, [ESME]))
    assert got.kind is Kind.REFUSAL
    assert world.dsp.decisions[-1].category == Category.OTHER_REQUEST_IN_PROGRESS
    got = ask(world, world.supplier.update_firmware(again, VERSION, [ESME]))
    assert got.kind is Kind.ACKNOWLEDGEMENT
    assert world.dsp.transfers[ESME].request_id.counter == 1002


@pytest.mark.parametrize(
    ("version", "content", "category", "code"),
    [
        (VERSION, b"another image", Category.HASH_MISMATCH, "E110103"),
        ("01000009", b"new firmware " * 20, Category.NOT_ON_CPL, "E110105"),
        ("01000003", b"new firmware " * 20, Category.NOT_ON_CPL, "E110105"),  # Withdrawn
    ],
)
def test_what_the_cpl_does_not_bear_out_is_refused(
    version: str, content: bytes, category: Category, code: str
) -> None:
    world = World(cpl=LISTED)
    octets = image(DeviceType.ESME, content=content)
    got = ask(world, world.supplier.update_firmware(octets, version, [ESME]))
    assert (got.kind, got.code) == (Kind.REFUSAL, code)
    assert world.dsp.decisions[-1].category == category
    assert world.dsp.outbox == []


def test_a_version_withdrawn_while_a_transfer_runs_ends_nothing_but_starts_nothing() -> None:
    world = World(cpl=LISTED)
    ask(world, world.supplier.update_firmware(ESME_IMAGE, VERSION, [ESME]))
    world.dsp.cpl = LISTED.with_status("SYN-DEMO-ESME-01000001", CplStatus.WITHDRAWN)
    asyncio.run(world.dsp.carry_out(world.hub))
    assert len(world.hub.staged) == 1
    world.dsp.transfers.clear()
    ask(world, world.supplier.update_firmware(ESME_IMAGE, VERSION, [ESME]))
    assert world.dsp.decisions[-1].category == Category.NOT_ON_CPL


def test_an_image_out_of_order_is_warned_about_and_distributed() -> None:
    octets = image(DeviceType.ESME, 0x01000002)
    entries = dict(CPL.entries)
    row = entries["SYN-DEMO-ESME-01000002"]
    entries[row.cpl_entry_id] = row.model_copy(
        update={"manufacturer_image_hash": hash_of(octets).hex()}
    )
    world = World(cpl=type(CPL)(entries.values()))
    got = ask(world, world.supplier.update_firmware(octets, "01000002", [ESME]))
    assert got.kind is Kind.ACKNOWLEDGEMENT
    assert [w.split(":")[0] for w in world.dsp.decisions[-1].warnings] == ["pathway"]


def test_an_image_that_contradicts_itself_is_refused() -> None:
    world = World(cpl=LISTED)
    got = ask(world, world.supplier.update_firmware(ESME_IMAGE[:-1], VERSION, [ESME]))
    assert got.kind is Kind.REFUSAL
    assert world.dsp.decisions[-1].category == Category.BAD_IMAGE


def test_a_hub_without_secmp0007_cannot_update_ppmids() -> None:
    world = World(cpl=LISTED)
    record = world.inventory.find(CHF)
    assert record is not None
    world.inventory.put(replace(record, ppmid_ota=False))
    ask(world, world.supplier.update_ppmid_firmware(PPMID_IMAGE, VERSION, [PPMID]))
    assert world.dsp.decisions[-1].category == Category.GBCS_VERSION


def test_a_list_one_too_long_is_refused_as_a_bad_list() -> None:
    world = World(cpl=LISTED)
    asked = world.supplier.update_firmware(ESME_IMAGE, VERSION, [ESME])
    document = write_request(asked)
    many = ",".join([str(ESME)] * 50_001)
    opening, closing = b"<sr:DeviceIDList>", b"</sr:DeviceIDList>"
    head, tail = document.split(opening)[0], document.split(closing)[1]
    long = head + opening + many.encode() + closing + tail
    got = world.supplier.take(world.dsp.submit(long, SUPPLIER))
    assert (got.kind, got.code) == (Kind.REFUSAL, "E110101")
    assert world.dsp.decisions[-1].category == Category.BAD_LIST
    with pytest.raises(DuisError) as caught:
        world.supplier.send(world.supplier.update_firmware(ESME_IMAGE, VERSION, [ESME] * 50_001))
    assert caught.value.name is DuisFault.TOO_MANY_DEVICES


def test_a_device_named_twice_is_updated_once_and_reported() -> None:
    world = World(cpl=LISTED)
    got = ask(world, world.supplier.update_firmware(ESME_IMAGE, VERSION, [ESME, ESME]))
    assert got.kind is Kind.ACKNOWLEDGEMENT
    assert "duplicate" in world.dsp.decisions[-1].warnings[0]
    asyncio.run(world.dsp.carry_out(world.hub))
    assert world.hub.staged[0].targets == (ESME,)
