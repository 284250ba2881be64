"""PPMID, HCALCS and the hub itself: FM-18 to FM-23."""

from typing import Final

from harness.formats.duis.alerts import (
    ActivationResult,
    CommsHubAlert,
    CommsHubFirmwareActivation,
    PpmidAlert,
    TransferResponse,
)
from harness.run import Run
from harness.scenario import Scenario, Step, step
from harness.scenarios.firmware.actions import (
    HOUR_S,
    carry_out,
    dcc_alert,
    is_dcc_alert,
    request_activation,
    request_update,
    subject,
    target,
    wait_for,
)
from harness.scenarios.firmware.activation import (
    activate_now,
    image_hash,
    read_version,
    version_changed,
    version_reads,
)
from harness.scenarios.firmware.clauses import clauses, exact
from harness.scenarios.firmware.distribution import (
    category,
    device_verifies,
    hub_holds,
    refused,
    remember,
    update_accepted,
)
from harness.scenarios.firmware.esme import ANSWERED, STAGE_ONE_EVENTS, WORLD
from harness.scenarios.firmware.market import market, open_world

PPMID: Final = (
    "DUIS 11.4",
    "DUIS 11.2",
    "DUIS N60",
    "GBCS 11.6",
    "GBCS CCS08",
    "GBCS 11.8",
    "GBCS 11.9",
    "SECMP0007",
    "ZCL OTA",
)
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


FM_19: Final = Scenario(
    id="FM-19",
    title="PPMID upgrade by one request",
    devices=("PPMID", "CHF"),
    world=WORLD,
    clauses=clauses(*PPMID),
    expectation=exact("ACTIVATED", "SECMP0007"),
    steps=(
        update_accepted("DUIS 11.4"),
        hub_holds(),
        hub_tells_transfer(TransferResponse.SUCCESS),
        device_tells_activation(ActivationResult.SUCCESS),
        version_reads("new", "GBCS 11.8"),
    ),
    setup=open_world,
    needs=NEEDS,
    saboteur="ppmid-no-cs09",
    expected_events=(
        "update-accepted",
        "image-held",
        "transfer-alert",
        "activation-alert",
        "version-read",
    ),
    settings={"recipe": "demo-ppmid-2"},
)


@step("The DSP lists the PPMID: the hub's firmware cannot update it", "SECMP0007")
async def unfit_hub(run: Run) -> None:
    """Ask, and read the answer's category and list."""
    image = subject(run)
    remember(run, image)
    got = request_update(run, image, (target(run),))
    word = category(run)
    run.outcome("NOT_SUPPORTED" if word == "gbcs-version" else "DISTRIBUTED")
    run.require("category of the refusal", "gbcs-version", word)
    run.check("the response says that it is an error", True, got.code.startswith("E"))
    left_out = market(run).dsp.decisions[-1].left_out
    run.check("the PPMID is left out", [target(run)], [device for device, _ in left_out])
    run.event("update-refused", category=word)
    await carry_out(run)
    letters = market(run).post.between("CSP", "CHF")
    run.check("nothing is sent to the hub", 0, len(letters))


FM_20: Final = Scenario(
    id="FM-20",
    title="PPMID behind a hub whose firmware cannot update it",
    devices=("PPMID", "CHF"),
    world=WORLD,
    clauses=clauses(*PPMID, "DUIS warning lists"),
    expectation=exact("NOT_SUPPORTED", "SECMP0007"),
    steps=(unfit_hub, version_reads("old", "GBCS 11.8")),
    setup=open_world,
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


FM_21: Final = Scenario(
    id="FM-21",
    title="PPMID: activation by 11.3 is refused",
    devices=("PPMID", "CHF"),
    world=WORLD,
    clauses=clauses(*PPMID),
    expectation=exact("REJECTED", "SECMP0007"),
    steps=(no_activation_by_command, version_reads("old", "GBCS 11.8")),
    setup=open_world,
    needs=NEEDS,
    saboteur="dsp-skips-applicability",
    expected_events=("update-refused", "version-read"),
    settings={"recipe": "demo-ppmid-2"},
)

FM_22: Final = Scenario(
    id="FM-22",
    title="PPMID: the new firmware does not start",
    devices=("PPMID", "CHF"),
    world=WORLD,
    clauses=clauses(*PPMID),
    expectation=exact("ACT_FAILED", "GBCS 11.9"),
    steps=(
        update_accepted("DUIS 11.4"),
        hub_holds(),
        hub_tells_transfer(TransferResponse.SUCCESS),
        device_tells_activation(ActivationResult.FAILURE),
        version_reads("old", "GBCS 11.8"),
    ),
    setup=open_world,
    needs=NEEDS,
    saboteur="ppmid-lies-activation",
    expected_events=(
        "update-accepted",
        "image-held",
        "transfer-alert",
        "activation-alert",
        "version-read",
    ),
    faults=("self-test-fails:after_s=1@ppmid",),
    settings={"recipe": "demo-ppmid-2"},
)

FM_23: Final = Scenario(
    id="FM-23",
    title="HCALCS upgrade, like an ESME's",
    devices=("HCALCS", "CHF"),
    world=WORLD,
    clauses=clauses(
        *PPMID, "DUIS 11.1", "DUIS 11.3", "GBCS 11", "GBCS 11.5", "GBCS FDRA", "GBCS 8F43"
    ),
    expectation=exact("ACTIVATED", "SECMP0007"),
    steps=(
        update_accepted(),
        hub_holds(),
        device_verifies(),
        activate_now(),
        version_changed(),
        version_reads("new", "GBCS 11.8"),
    ),
    setup=open_world,
    needs=frozenset({"CHF", "HCALCS", "observations"}),
    saboteur="hcalcs-keeps-old-version",
    expected_events=(
        *STAGE_ONE_EVENTS,
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


@step("The devices behind the hub still answer", "GBCS 11.3")
async def devices_survive(run: Run) -> None:
    """Read the versions of ESME and hub through the hub that restarted."""
    esme = run.bench.role("ESME")
    record = market(run).dsp.inventory.find(esme)
    expected = "" if record is None else record.firmware_version
    run.check("the ESME's version", expected, await read_version(run, esme))
    run.require("the hub's version", run.facts["version"], await read_version(run, target(run)))
    run.event("devices-answer")


FM_18: Final = Scenario(
    id="FM-18",
    title="The hub's own firmware, by the WAN provider",
    devices=("CHF", "ESME"),
    world=WORLD,
    clauses=clauses("GBCS 11.3", "DUIS 11.2", "DUIS CommsHubFirmwareActivation", "GBCS ECS52"),
    expectation=exact("ACTIVATED", "DUIS CommsHubFirmwareActivation"),
    steps=(hub_takes_own_image, hub_activates, devices_survive),
    setup=open_world,
    needs=frozenset({"CHF", "ESME", "observations"}),
    saboteur="chf-own-update-forgets-devices",
    expected_events=("image-held", "hub-activated", "devices-answer"),
    settings={"recipe": "demo-chf-2"},
    silent=("layout and activation of a hub's own image are its maker's: stand-in throughout",),
)
