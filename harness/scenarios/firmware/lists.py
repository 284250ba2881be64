"""Requests for many devices, and two at once: FM-60 to FM-62 and FM-64."""

from typing import Final

from emulator.codecs.gbcs.alerts import AlertCode
from emulator.core.ids import Eui64
from harness.formats.duis.alerts import ActivationResult
from harness.parties.received import Kind, Received
from harness.run import Run
from harness.scenario import step
from harness.scenarios.clauses import exact
from harness.scenarios.firmware.actions import (
    carry_out,
    nobody,
    request_update,
    subject,
    target,
    warning_of,
)
from harness.scenarios.firmware.activation import activate_now, version_reads
from harness.scenarios.firmware.distribution import (
    ACCEPTED,
    category,
    decision,
    deliveries,
    device_verifies,
    hub_holds,
    receipt,
    refused,
    remember,
    update_accepted,
)
from harness.scenarios.firmware.esme import ANSWERED, NEEDS, STAGE_ONE_EVENTS
from harness.scenarios.firmware.market import market
from harness.scenarios.firmware.ppmid import EVENTS, after_the_request
from harness.scenarios.firmware.ppmid import (
    NEEDS as NEEDS_PPMID,
)
from harness.scenarios.firmware.row import row


@step("The supplier names 50,001 devices; the DSP refuses", "DUIS DeviceIDList")
async def too_many(run: Run) -> None:
    """Write the request one device above the limit."""
    image = subject(run)
    remember(run, image)
    devices = (target(run), *(nobody(number) for number in range(50_000)))
    await refused(run, submit_unchecked(run, devices), "bad-list")


def submit_unchecked(run: Run, devices: tuple[Eui64, ...]) -> Received:
    """Submit an 11.1 whose list our own writer would refuse: the text is put in afterwards."""
    image = subject(run)
    supplier = market(run).supplier_of(target(run))
    asked = supplier.update_firmware(image.octets, image.version, devices[:1])
    document = supplier.send(asked)
    one, many = str(devices[0]).encode(), ",".join(map(str, devices)).encode()
    spoilt = document.replace(b"DeviceIDList>" + one, b"DeviceIDList>" + many)
    return supplier.take(market(run).dsp.submit(spoilt, supplier.eui64))


FM_60: Final = row(
    id="FM-60",
    title="ESME: a list of 50,001 devices",
    devices=("ESME", "CHF"),
    expectation=exact("REJECTED", "DUIS DeviceIDList"),
    steps=(too_many,),
    needs=NEEDS,
    saboteur="dsp-ignores-list-limit",
    expected_events=("update-refused",),
    settings={"recipe": "demo-esme-2"},
)


@step(
    "One device of the list is unknown: the DSP warns and goes on with the other",
    "DUIS 11.4",
    "DUIS warning lists",
)
async def one_unknown(run: Run) -> None:
    """Ask for the PPMID and for a device nobody has."""
    image = subject(run)
    remember(run, image)
    got = request_update(run, image, (target(run), nobody(1)))
    run.require("the DSP takes the request", ACCEPTED, decision(run))
    run.check("the answer is a warning", Kind.WARNING, got.kind, clause="DUIS warning lists")
    lists = warning_of(got)
    named = None if lists is None else lists.invalid
    run.check("list of invalid devices", (nobody(1),), named, clause="DUIS warning lists")
    run.event("update-accepted")


FM_61: Final = row(
    id="FM-61",
    title="PPMID: one device of the list is unknown",
    devices=("PPMID", "CHF"),
    expectation=exact("ACTIVATED", "SECMP0007"),
    steps=(
        one_unknown,
        *after_the_request(ActivationResult.SUCCESS),
    ),
    needs=NEEDS_PPMID,
    saboteur="dsp-wrong-warning-list",
    expected_events=EVENTS,
    settings={"recipe": "demo-ppmid-2"},
)


@step(
    "A second request for the same device is listed as in progress", "DUIS OtherRequestInProgress"
)
async def second_listed(run: Run) -> None:
    """Ask again before the device told anything."""
    got = request_update(run, subject(run), (target(run),))
    run.check("category", "other-request-in-progress", category(run))
    run.check("the response says that it is an error", True, got.code.startswith("E"))
    await carry_out(run)
    run.check("the hub got one image", 1, len(market(run).post.between("CSP", "CHF")))
    run.event("second-refused")


@step("A third one, with ForceReplace, takes the place of the image at the hub", "GBCS 11.2.2")
async def third_replaces(run: Run) -> None:
    """Ask with ForceReplace = 1 for the other version and wait for it to be held."""
    image = subject(run, "demo-esme-3", "force-replace")
    remember(run, image)
    request_update(run, image, (target(run),))
    run.require("the DSP takes the request", ACCEPTED, decision(run))
    await carry_out(run)
    run.check("N60 comes again", 2, len(deliveries(run)))
    run.event("replaced", version=image.version)


@step("The device receives the version that replaced the first", "GBCS FDRA", timeout_s=86_400)
async def replaced_version_verified(run: Run) -> None:
    """Wait for 8F72 with the hash of the replacing image."""
    got = await receipt(run, 12 * 3600, AlertCode.FIRMWARE_VERIFIED)
    run.require("a receipt comes", True, got is not None)
    run.event("receipt-8F72")


FM_62: Final = row(
    id="FM-62",
    title="ESME: a second request while the first runs, then one with ForceReplace",
    devices=("ESME", "CHF"),
    expectation=exact("ACTIVATED", "GBCS 11.2.2"),
    steps=(
        update_accepted(),
        hub_holds(),
        second_listed,
        third_replaces,
        replaced_version_verified,
        activate_now(),
        version_reads("new", "GBCS ECS52"),
    ),
    needs=NEEDS,
    saboteur="chf-ignores-force-replace",
    expected_events=(
        "update-accepted",
        "image-held",
        "second-refused",
        "replaced",
        "receipt-8F72",
        *ANSWERED,
        "version-read",
    ),
    settings={"recipe": "demo-esme-2"},
)


@step("The version is withdrawn from the CPL while the image is on its way", "smetsbench withdrawn")
async def withdrawn_under_way(run: Run) -> None:
    """Change the status of the row of the image's version."""
    parties = market(run)
    version = run.facts["version"]
    record = parties.dsp.inventory.find(target(run))
    run.require("the inventory knows the device", True, record is not None)
    model = "" if record is None else record.model
    row = next(
        entry
        for entry in parties.dsp.cpl.entries.values()
        if entry.firmware_version == version and entry.model_hex == model
    )
    parties.withdraw(row.cpl_entry_id)
    run.event("withdrawn", row=row.cpl_entry_id)


@step("A new request for the withdrawn version is refused", "smetsbench withdrawn")
async def new_one_refused(run: Run) -> None:
    """Ask again, after the first upgrade ended."""
    got = request_update(run, subject(run), (target(run),))
    run.check("category of the refusal", "not-on-cpl", category(run))
    run.check("the response says that it is an error", True, got.code.startswith("E"))
    run.event("update-refused", category=category(run))


FM_64: Final = row(
    id="FM-64",
    title="ESME: the version is withdrawn from the CPL under way",
    devices=("ESME", "CHF"),
    expectation=exact("ACTIVATED", "smetsbench withdrawn"),
    steps=(
        update_accepted(),
        hub_holds(),
        withdrawn_under_way,
        device_verifies(),
        activate_now(),
        version_reads("new", "GBCS ECS52"),
        new_one_refused,
    ),
    needs=NEEDS,
    saboteur="dsp-skips-cpl-check",
    expected_events=(
        "update-accepted",
        "image-held",
        "withdrawn",
        *STAGE_ONE_EVENTS[2:],
        *ANSWERED,
        "version-read",
        "update-refused",
    ),
    settings={"recipe": "demo-esme-2"},
)
