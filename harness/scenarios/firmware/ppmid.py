"""PPMID, HCALCS and the hub itself: FM-18 to FM-23."""

from dataclasses import replace
from typing import Final

from emulator.core.ids import Eui64
from harness.formats.duis.alerts import (
    ActivationResult,
    CommsHubAlert,
    CommsHubFirmwareActivation,
    PpmidAlert,
    TransferResponse,
)
from harness.run import Run
from harness.scenario import Step, step
from harness.scenarios.clauses import exact
from harness.scenarios.firmware.actions import (
    HOUR_S,
    carry_out,
    dcc_alert,
    is_dcc_alert,
    nobody,
    request_activation,
    request_update,
    subject,
    target,
    wait_for,
    warning_of,
)
from harness.scenarios.firmware.activation import (
    activate_now,
    image_hash,
    read_version,
    version_changed,
    version_reads,
)
from harness.scenarios.firmware.distribution import (
    device_verifies,
    hub_holds,
    refused,
    remember,
    update_accepted,
)
from harness.scenarios.firmware.esme import ANSWERED, STAGE_ONE_EVENTS
from harness.scenarios.firmware.market import market
from harness.scenarios.firmware.row import row

NEEDS: Final = frozenset({"CHF", "PPMID", "observations"})


def hub_tells_transfer(response: TransferResponse) -> Step:
    """Step: the hub sends CCS08, the DSP raises a CommsHubAlert of it."""

    async def act(run: Run) -> None:
        supplier = market(run).supplier_of(target(run))
        got = await wait_for(run, supplier, is_dcc_alert(CommsHubAlert), 12 * HOUR_S)
        alert = None if got is None else dcc_alert(got)
        transfer = alert.transfer if isinstance(alert, CommsHubAlert) else None
        run.require("the hub tells how the transfer ended", True, transfer is not None)
        if transfer is None:
            return
        run.check("outcome", response, transfer.response)
        run.check("device it names", target(run), transfer.device)
        run.check("version it names", run.facts["version"], transfer.firmware_version.zfill(8))
        run.event("transfer-alert", response=transfer.response.value)

    return step("The hub tells how the transfer ended (CCS08)", "GBCS CCS08", timeout_s=86_400)(act)


def device_tells_activation(result: ActivationResult) -> Step:
    """Step: the PPMID sends CS09 with the outcome and the version that runs."""

    async def act(run: Run) -> None:
        supplier = market(run).supplier_of(target(run))
        got = await wait_for(run, supplier, is_dcc_alert(PpmidAlert), 12 * HOUR_S)
        alert = None if got is None else dcc_alert(got)
        upgrade = alert.upgrade if isinstance(alert, PpmidAlert) else None
        run.require("the PPMID tells how its activation went", True, upgrade is not None)
        if upgrade is None:
            return
        good = upgrade.result is ActivationResult.SUCCESS
        run.outcome("ACTIVATED" if good else "ACT_FAILED")
        run.check("outcome", result, upgrade.result)
        expected = run.facts["version" if good else "old_version"]
        run.check("version it names", expected, upgrade.firmware_version.zfill(8))
        run.event("activation-alert", result=upgrade.result.value)

    return step("The PPMID tells how its activation went (CS09)", "GBCS 11.9", timeout_s=86_400)(
        act
    )


def after_the_request(result: ActivationResult) -> tuple[Step, ...]:
    """Return what follows an accepted 11.4: hub, transfer, activation, and the version read."""
    which = "new" if result is ActivationResult.SUCCESS else "old"
    return (
        hub_holds(),
        hub_tells_transfer(TransferResponse.SUCCESS),
        device_tells_activation(result),
        version_reads(which, "GBCS 11.8"),
    )


#: Events of a PPMID upgrade, however its activation ends.
EVENTS: Final = (
    "update-accepted",
    "image-held",
    "transfer-alert",
    "activation-alert",
    "version-read",
)

FM_19: Final = row(
    id="FM-19",
    title="PPMID upgrade by one request",
    devices=("PPMID", "CHF"),
    expectation=exact("ACTIVATED", "SECMP0007"),
    steps=(
        update_accepted("DUIS 11.4"),
        *after_the_request(ActivationResult.SUCCESS),
    ),
    needs=NEEDS,
    saboteur="ppmid-no-cs09",
    expected_events=EVENTS,
    settings={"recipe": "demo-ppmid-2"},
)


@step(
    "The DSP lists the PPMID: its hub's firmware cannot update it; another home's goes on",
    "SECMP0007",
    "DUIS warning lists",
)
async def unfit_hub(run: Run) -> None:
    """Ask for this PPMID and for one behind a fit hub, and read the warning's lists."""
    image = subject(run)
    remember(run, image)
    other = put_fit_home(run)
    got = request_update(run, image, (target(run), other))
    lists = warning_of(got)
    named = None if lists is None else lists.invalid_gbcs_version
    run.outcome("NOT_SUPPORTED" if named == (target(run),) else "DISTRIBUTED")
    run.require("list of unfit GBCS versions", (target(run),), named, clause="DUIS warning lists")
    run.event("update-refused")
    await carry_out(run)
    letters = market(run).post.between("CSP", "CHF")
    run.check("nothing is sent to this hub", 0, len(letters))


def put_fit_home(run: Run) -> Eui64:
    """Put another home's hub and PPMID into the inventory, and return that PPMID."""
    inventory = market(run).dsp.inventory
    mine = inventory.find(target(run))
    hub = inventory.find(run.bench.hub.eui64)
    if mine is None or hub is None:
        raise LookupError("the inventory lacks the bench's own devices")
    there, ppmid = nobody(2), nobody(3)
    inventory.put(replace(hub, device=there, hub=there, ppmid_ota=True))
    inventory.put(replace(mine, device=ppmid, hub=there))
    esme = inventory.find(run.bench.role("ESME"))
    if esme is not None:
        inventory.put(replace(esme, device=nobody(4), hub=there))
    return ppmid


FM_20: Final = row(
    id="FM-20",
    title="PPMID behind a hub whose firmware cannot update it",
    devices=("PPMID", "CHF"),
    expectation=exact("NOT_SUPPORTED", "SECMP0007"),
    steps=(unfit_hub, version_reads("old", "GBCS 11.8")),
    needs=NEEDS,
    saboteur="dsp-skips-hub-check",
    expected_events=("update-refused", "version-read"),
    settings={"recipe": "demo-ppmid-2", "profiles": {"CHF": "demo-chf-small"}},
)


@step("The supplier tries to activate by 11.3; the DSP refuses", "SECMP0007")
async def no_activation_by_command(run: Run) -> None:
    """11.3 does not apply to a PPMID."""
    remember(run, subject(run))
    got = request_activation(run, target(run), image_hash(run))
    await refused(run, got, "not-applicable")


FM_21: Final = row(
    id="FM-21",
    title="PPMID: activation by 11.3 is refused",
    devices=("PPMID", "CHF"),
    expectation=exact("REJECTED", "SECMP0007"),
    steps=(no_activation_by_command, version_reads("old", "GBCS 11.8")),
    needs=NEEDS,
    saboteur="dsp-skips-applicability",
    expected_events=("update-refused", "version-read"),
    settings={"recipe": "demo-ppmid-2"},
)

FM_22: Final = row(
    id="FM-22",
    title="PPMID: the new firmware does not start",
    devices=("PPMID", "CHF"),
    expectation=exact("ACT_FAILED", "GBCS 11.9"),
    steps=(
        update_accepted("DUIS 11.4"),
        *after_the_request(ActivationResult.FAILURE),
    ),
    needs=NEEDS,
    saboteur="ppmid-lies-activation",
    expected_events=EVENTS,
    faults=("self-test-fails:after_s=1@ppmid",),
    settings={"recipe": "demo-ppmid-2"},
)

FM_23: Final = row(
    id="FM-23",
    title="HCALCS upgrade, like an ESME's",
    devices=("HCALCS", "CHF"),
    expectation=exact("ACTIVATED", "SECMP0007"),
    steps=(
        update_accepted(),
        hub_holds(),
        device_verifies(),
        hub_tells_transfer(TransferResponse.SUCCESS),
        activate_now(),
        version_changed(),
        version_reads("new", "GBCS 11.8"),
    ),
    needs=frozenset({"CHF", "HCALCS", "observations"}),
    saboteur="hcalcs-keeps-old-version",
    expected_events=(
        *STAGE_ONE_EVENTS,
        "transfer-alert",
        *ANSWERED,
        "version-changed-8F43",
        "version-read",
    ),
    settings={"recipe": "demo-hcalcs-2"},
    silent=("an HCALCS sends its receipt alert as an ESME does (00CE): no source shows one",),
)


@step("The WAN provider sends the hub an image for itself", "GBCS 11.3")
async def hub_takes_own_image(run: Run) -> None:
    """CS05a: not a service request; the DSP only learns which version to expect."""
    image = subject(run)
    remember(run, image)
    parties = market(run)
    outcome = await parties.wan_provider.update_hub(run.bench.hub, image.octets, image.version)
    run.require("the hub holds the image", (True, "held"), (outcome.delivered, outcome.reason))
    run.event("image-held")


@step(
    "The hub runs the new version; the DCC tells the supplier",
    "DUIS CommsHubFirmwareActivation",
    timeout_s=86_400,
)
async def hub_activates(run: Run) -> None:
    """Wait for the CommsHubFirmwareActivation alert."""
    supplier = market(run).supplier_of(target(run))
    wanted = is_dcc_alert(CommsHubFirmwareActivation)
    got = await wait_for(run, supplier, wanted, 12 * HOUR_S)
    run.require("the DCC tells of the hub's new version", True, got is not None)
    alert = None if got is None else dcc_alert(got)
    told = alert.firmware_version.zfill(8) if isinstance(alert, CommsHubFirmwareActivation) else ""
    run.outcome("ACTIVATED")
    run.check("version it names", run.facts["version"], told)
    run.event("hub-activated")


@step("The devices behind the hub still answer", "GBCS 11.3", "DUIS 11.2")
async def devices_survive(run: Run) -> None:
    """Read the versions of ESME and hub through the hub that restarted."""
    esme = run.bench.role("ESME")
    record = market(run).dsp.inventory.find(esme)
    expected = "" if record is None else record.firmware_version
    run.check("the ESME's version", expected, await read_version(run, esme))
    run.require("the hub's version", run.facts["version"], await read_version(run, target(run)))
    run.event("devices-answer")


FM_18: Final = row(
    id="FM-18",
    title="The hub's own firmware, by the WAN provider",
    devices=("CHF", "ESME"),
    expectation=exact("ACTIVATED", "DUIS CommsHubFirmwareActivation"),
    steps=(hub_takes_own_image, hub_activates, devices_survive),
    needs=frozenset({"CHF", "ESME", "observations"}),
    saboteur="chf-own-update-forgets-devices",
    expected_events=("image-held", "hub-activated", "devices-answer"),
    settings={"recipe": "demo-chf-2"},
    silent=("layout and activation of a hub's own image are its maker's: stand-in throughout",),
)
