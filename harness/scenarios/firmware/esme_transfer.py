"""ESME: what can be wrong with an image or its way, FM-07 to FM-11, FM-13, FM-65 and FM-66."""

from typing import Final

from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import ActivationCode
from harness.run import Run
from harness.scenario import Scenario, step
from harness.scenarios.firmware.actions import DAY_S, listen, target
from harness.scenarios.firmware.activation import activate_now, version_reads
from harness.scenarios.firmware.clauses import clauses, exact, one_of
from harness.scenarios.firmware.distribution import (
    device_rejects,
    device_verifies,
    hub_discards,
    hub_holds,
    receipt,
    update_accepted,
    update_refused,
)
from harness.scenarios.firmware.esme import ANSWERED, BASIC, NEEDS, STAGE_ONE_EVENTS, WORLD
from harness.scenarios.firmware.market import market, open_world

FM_07: Final = Scenario(
    id="FM-07",
    title="ESME: the supplier's signature of the image is wrong",
    devices=("ESME", "CHF"),
    world=WORLD,
    clauses=clauses(*BASIC, "GBCS 11.2.2", "AS302P 22.3.4"),
    expectation=exact("VERIFY_FAILED", "GBCS FDRA"),
    steps=(
        update_accepted(),
        hub_holds(),
        device_rejects(),
        version_reads("old", "GBCS ECS52"),
    ),
    setup=open_world,
    needs=NEEDS,
    saboteur="esme-accepts-bad-signature",
    expected_events=("update-accepted", "image-held", "receipt-8F1C", "version-read"),
    settings={"recipe": "demo-esme-2", "defect": "bit-flip-in-signature"},
)


@step(
    "The device asks and is told that there is no image for it",
    "ZCL OTA query",
    timeout_s=2 * DAY_S,
)
async def no_image_at_the_query(run: Run) -> None:
    """Wait a day: the hub offers nothing, nothing is transferred, nothing is told."""
    before = len(market(run).supplier_of(target(run)).inbox)
    await listen(run, DAY_S)
    refused = run.observations("image_refused")
    run.outcome("NO_IMAGE" if refused else "TRANSFER_FAILED")
    run.check("the hub refuses the query for its hardware range", True, bool(refused))
    moved = [item for item in run.observations("ota_progress") if item.device == target(run)]
    run.check("not one block is transferred", 0, len(moved))
    news = market(run).supplier_of(target(run)).inbox[before:]
    run.check("nothing is heard of the device", [], [str(got.kind) for got in news])
    run.event("no-image-available")


FM_08: Final = Scenario(
    id="FM-08",
    title="ESME: the image is for other hardware",
    devices=("ESME", "CHF"),
    world=WORLD,
    clauses=clauses(*BASIC, "ZCL OTA query"),
    expectation=exact("NO_IMAGE", "ZCL OTA query"),
    steps=(
        update_accepted(),
        hub_holds(),
        no_image_at_the_query,
        version_reads("old", "GBCS ECS52"),
    ),
    setup=open_world,
    needs=NEEDS,
    saboteur="chf-serves-wrong-hardware",
    expected_events=("update-accepted", "image-held", "no-image-available", "version-read"),
    settings={"recipe": "demo-esme-2", "defect": "wrong-hardware-range"},
)

FM_09: Final = Scenario(
    id="FM-09",
    title="ESME: the image is too large for the hub",
    devices=("ESME", "CHF"),
    world=WORLD,
    clauses=clauses(*BASIC, "DUIS N61", "DUIS FirmwareDistributionFailure", "S003 §3"),
    expectation=exact("DISCARDED", "S003 §3"),
    steps=(
        update_accepted(),
        hub_discards("DISCARDED", "S003 §3"),
        version_reads("old", "GBCS ECS52"),
    ),
    setup=open_world,
    needs=NEEDS,
    saboteur="chf-ignores-store-limit",
    expected_events=("update-accepted", "delivery-failed", "version-read"),
    settings={
        "recipe": "demo-esme-2",
        "defect": "oversize",
        "profiles": {"CHF": "demo-chf-small"},
        "list_on_cpl": True,
    },
)

FM_10: Final = Scenario(
    id="FM-10",
    title="ESME: the hash of the image is not the one on the CPL",
    devices=("ESME", "CHF"),
    world=WORLD,
    clauses=clauses("DUIS 11.1", "SEC CPL"),
    expectation=exact("REJECTED", "SEC CPL"),
    steps=(update_refused("hash-mismatch", "SEC CPL"),),
    setup=open_world,
    needs=NEEDS,
    saboteur="dsp-skips-cpl-check",
    expected_events=("update-refused",),
    settings={"recipe": "demo-esme-2", "defect": "hash-not-on-cpl"},
)

FM_11: Final = Scenario(
    id="FM-11",
    title="ESME: the version is withdrawn from the CPL",
    devices=("ESME", "CHF"),
    world=WORLD,
    clauses=clauses("DUIS 11.1", "SEC CPL"),
    expectation=exact("REJECTED", "SEC CPL"),
    steps=(update_refused("not-on-cpl", "SEC CPL"),),
    setup=open_world,
    needs=NEEDS,
    saboteur="dsp-skips-cpl-check",
    expected_events=("update-refused",),
    settings={"recipe": "demo-esme-withdrawn"},
)


@step(
    "Power fails half-way; the download goes on where it stood",
    "smetsbench resume",
    timeout_s=DAY_S,
)
async def download_resumes(run: Run) -> None:
    """Wait for 8F72 and compare how many octets were asked for twice with the profile's policy."""
    await receipt(run, 4 * 3600, AlertCode.FIRMWARE_VERIFIED)
    run.outcome("VERIFIED")
    run.event("receipt-8F72")
    lost = [item.at for item in run.observations("power") if dict(item.fields).get("on") is False]
    run.require("power was lost", True, bool(lost))
    offsets = [
        int(str(dict(item.fields).get("offset", 0)))
        for item in run.observations("ota_progress")
        if item.at > lost[0]
    ]
    half = run.facts["image_bytes"] // 2
    policy = market(run).profile(target(run)).firmware.resume_policy.value
    restarted = bool(offsets) and min(offsets) < half * 9 // 10
    run.check("progress is seen after power returned", True, bool(offsets))
    run.check("what the device does", policy, "restart" if restarted else "resume-from-offset")


FM_13: Final = Scenario(
    id="FM-13",
    title="ESME: power fails at half of the download",
    devices=("ESME", "CHF"),
    world=WORLD,
    clauses=clauses(*BASIC, "smetsbench resume"),
    expectation=exact("VERIFIED", "smetsbench resume"),
    steps=(update_accepted(), hub_holds(), download_resumes),
    setup=open_world,
    needs=NEEDS,
    saboteur="esme-ota-restarts-always",
    expected_events=STAGE_ONE_EVENTS,
    faults=("power-loss:state=DOWNLOADING,percent=50,off_s=120@esme",),
    settings={"recipe": "demo-esme-2"},
)


@step("The DSP warns that the version is no direct successor", "MP231")
async def pathway_warned(run: Run) -> None:
    """Look for the pathway warning in the DSP's decision."""
    decision = market(run).dsp.decisions[-1]
    words = [warning.split(":", 1)[0] for warning in decision.warnings]
    run.check("warning of the DSP", ["pathway"], words)
    run.event("pathway-warning")


FM_65: Final = Scenario(
    id="FM-65",
    title="ESME: upgrade out of the order of versions",
    devices=("ESME", "CHF"),
    world=WORLD,
    clauses=clauses(*BASIC, "MP231"),
    expectation=exact("ACT_FAILED", "MP231"),
    steps=(
        update_accepted(),
        pathway_warned,
        hub_holds(),
        device_verifies(),
        activate_now(ActivationCode.ACTIVATION_FAILURE, clause="MP231"),
        version_reads("old", "GBCS ECS52"),
    ),
    setup=open_world,
    needs=NEEDS,
    saboteur="esme-ignores-pathway",
    expected_events=(
        "update-accepted",
        "pathway-warning",
        "image-held",
        "receipt-8F72",
        *ANSWERED,
        "version-read",
    ),
    settings={"recipe": "demo-esme-strict-3", "profiles": {"ESME": "demo-esme-strict"}},
    silent=("what a device does with an image out of order: profile data (here: refuse)",),
)

FM_66: Final = Scenario(
    id="FM-66",
    title="ESME: one bit of block 7 is flipped on its way, unseen by the frame check",
    devices=("ESME", "CHF"),
    world=WORLD,
    clauses=clauses(*BASIC, "GBCS 11.2.2", "smetsbench transfer faults"),
    expectation=one_of(("VERIFY_FAILED", "VERIFIED"), "smetsbench transfer faults"),
    steps=(
        update_accepted(),
        hub_holds(),
        device_rejects("smetsbench transfer faults"),
        version_reads("old", "GBCS ECS52"),
    ),
    setup=open_world,
    needs=NEEDS,
    saboteur="esme-accepts-damaged-image",
    expected_events=("update-accepted", "image-held", "receipt-8F1C", "version-read"),
    faults=("corrupt-payload:kind=ota.image-block-response,n=7@han",),
    settings={"recipe": "demo-esme-2"},
)
