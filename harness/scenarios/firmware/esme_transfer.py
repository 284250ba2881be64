"""ESME: what can be wrong with an image or its way, FM-07 to FM-11, FM-13, FM-65 and FM-66."""

from typing import Final

from device_profiles.words import PathwayPolicy
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import ActivationCode
from harness.run import Run
from harness.scenario import step
from harness.scenarios.clauses import exact, one_of
from harness.scenarios.firmware.actions import DAY_S, alert_code, listen, target
from harness.scenarios.firmware.activation import activate_now, version_reads
from harness.scenarios.firmware.distribution import (
    any_receipt,
    device_rejects,
    device_verifies,
    hub_discards,
    hub_holds,
    pending_images,
    receipt,
    receipt_hash,
    update_accepted,
    update_refused,
)
from harness.scenarios.firmware.esme import ANSWERED, NEEDS, STAGE_ONE_EVENTS
from harness.scenarios.firmware.market import market
from harness.scenarios.firmware.row import row

FM_07: Final = row(
    id="FM-07",
    title="ESME: the supplier's signature of the image is wrong",
    devices=("ESME", "CHF"),
    expectation=exact("VERIFY_FAILED", "GBCS FDRA"),
    steps=(
        update_accepted(),
        hub_holds(),
        device_rejects(),
        version_reads("old", "GBCS ECS52"),
    ),
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


FM_08: Final = row(
    id="FM-08",
    title="ESME: the image is for other hardware",
    devices=("ESME", "CHF"),
    expectation=exact("NO_IMAGE", "ZCL OTA query"),
    steps=(
        update_accepted(),
        hub_holds(),
        no_image_at_the_query,
        version_reads("old", "GBCS ECS52"),
    ),
    needs=NEEDS,
    saboteur="chf-serves-wrong-hardware",
    expected_events=("update-accepted", "image-held", "no-image-available", "version-read"),
    settings={"recipe": "demo-esme-2", "defect": "wrong-hardware-range"},
)

FM_09: Final = row(
    id="FM-09",
    title="ESME: the image is too large for the hub",
    devices=("ESME", "CHF"),
    expectation=exact("DISCARDED", "S003 §3"),
    steps=(
        update_accepted(),
        hub_discards("DISCARDED", "S003 §3"),
        version_reads("old", "GBCS ECS52"),
    ),
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

FM_10: Final = row(
    id="FM-10",
    title="ESME: the hash of the image is not the one on the CPL",
    devices=("ESME", "CHF"),
    expectation=exact("REJECTED", "SEC CPL"),
    steps=(update_refused("hash-mismatch", "SEC CPL"),),
    needs=NEEDS,
    saboteur="dsp-skips-cpl-check",
    expected_events=("update-refused",),
    settings={"recipe": "demo-esme-2", "defect": "hash-not-on-cpl"},
)

FM_11: Final = row(
    id="FM-11",
    title="ESME: the version is withdrawn from the CPL",
    devices=("ESME", "CHF"),
    expectation=exact("REJECTED", "SEC CPL"),
    steps=(update_refused("not-on-cpl", "SEC CPL"),),
    needs=NEEDS,
    saboteur="dsp-skips-cpl-check",
    expected_events=("update-refused",),
    settings={"recipe": "demo-esme-withdrawn"},
)


@step(
    "Power fails half-way; the device takes the download up as its profile says",
    "smetsbench resume",
    "GBCS FDRA",
    timeout_s=DAY_S,
)
async def download_resumes(run: Run) -> None:
    """Wait for 8F72 and compare how many octets were asked for twice with the profile's policy."""
    await receipt(run, 4 * 3600, AlertCode.FIRMWARE_VERIFIED)
    run.outcome("VERIFIED")
    run.event("receipt-8F72")
    half = run.facts["image_bytes"] // 2
    moved = [
        (item.at, int(str(dict(item.fields).get("offset", 0))))
        for item in run.observations("ota_progress")
    ]
    if run.sees(target(run)):
        lost = [one.at for one in run.observations("power") if dict(one.fields).get("on") is False]
    else:  # only the requests on the air are seen: the supply went at the one for the half
        lost = [at for at, offset in moved if offset >= half][:1]
    run.require("power was lost", True, bool(lost))
    offsets = [offset for at, offset in moved if at > lost[0]]
    policy = market(run).profile(target(run)).firmware.resume_policy.value
    restarted = bool(offsets) and min(offsets) < half * 9 // 10
    run.check("progress is seen after power returned", True, bool(offsets))
    run.check("what the device does", policy, "restart" if restarted else "resume-from-offset")


FM_13: Final = row(
    id="FM-13",
    title="ESME: power fails at half of the download",
    devices=("ESME", "CHF"),
    expectation=exact("VERIFIED", "smetsbench resume"),
    steps=(update_accepted(), hub_holds(), download_resumes),
    needs=NEEDS,
    saboteur="esme-ota-restarts-always",
    expected_events=STAGE_ONE_EVENTS,
    faults=("power-loss:state=DOWNLOADING,percent=50,off_s=120@esme",),
    settings={"recipe": "demo-esme-2"},
)


def by_pathway_policy(run: Run) -> ActivationCode:
    """Return what the target's profile makes of an image out of order."""
    policy = market(run).profile(target(run)).firmware.pathway_policy
    if policy is PathwayPolicy.BRICK:
        run.skip("this profile starts the image and dies of it: no answer can be expected")
    refuses = policy is PathwayPolicy.REFUSE
    return ActivationCode.ACTIVATION_FAILURE if refuses else ActivationCode.SUCCESS


@step("The DSP warns that the version is no direct successor", "MP231")
async def pathway_warned(run: Run) -> None:
    """Look for the pathway warning in the DSP's decision."""
    decision = market(run).dsp.decisions[-1]
    words = [warning.split(":", 1)[0] for warning in decision.warnings]
    run.check("warning of the DSP", ["pathway"], words)
    run.event("pathway-warning")


FM_65: Final = row(
    id="FM-65",
    title="ESME: upgrade out of the order of versions",
    devices=("ESME", "CHF"),
    expectation=one_of(("ACTIVATED", "ACT_FAILED"), "smetsbench pathway"),
    steps=(
        update_accepted(),
        pathway_warned,
        hub_holds(),
        device_verifies(),
        activate_now(by_pathway_policy, clause="smetsbench pathway"),
    ),
    needs=NEEDS,
    saboteur="esme-ignores-pathway",
    expected_events=(
        "update-accepted",
        "pathway-warning",
        "image-held",
        "receipt-8F72",
        *ANSWERED,
    ),
    settings={"recipe": "demo-esme-strict-3", "profiles": {"ESME": "demo-esme-strict"}},
    silent=("what a device does with an image out of order: profile data (here: refuse)",),
)


@step(
    "The damage is found when the image is verified, or the block is asked for again",
    "smetsbench transfer faults",
    "GBCS FDRA",
    timeout_s=DAY_S,
)
async def damage_found(run: Run) -> None:
    """Wait for either receipt; what it says must fit what the device holds afterwards."""
    got = await any_receipt(run, 4 * 3600)
    run.require("a receipt comes, signed", True, got is not None and got.accepted)
    if got is None:
        return
    whole = alert_code(got) == AlertCode.FIRMWARE_VERIFIED
    told = receipt_hash(got)
    run.outcome("VERIFIED" if whole else "VERIFY_FAILED")
    run.event("receipt-8F72" if whole else "receipt-8F1C")
    right = told == run.facts["image_hash"]
    run.check("8F72 names the image's hash, 8F1C another", whole, right, clause="GBCS FDRA")
    if run.sees(target(run)):
        kept = pending_images(run) != {"none"}
        run.check("the device keeps an image only after 8F72", whole, kept)


FM_66: Final = row(
    id="FM-66",
    title="ESME: one bit of block 7 is flipped on its way, unseen by the frame check",
    devices=("ESME", "CHF"),
    expectation=one_of(("VERIFY_FAILED", "VERIFIED"), "smetsbench transfer faults"),
    steps=(
        update_accepted(),
        hub_holds(),
        damage_found,
        version_reads("old", "GBCS ECS52"),
    ),
    needs=NEEDS,
    saboteur="esme-accepts-damaged-image",
    expected_events=(
        "update-accepted",
        "image-held",
        "receipt-8F1C|receipt-8F72",
        "version-read",
    ),
    faults=("corrupt-payload:kind=ota.image-block-response,n=7@han",),
    settings={"recipe": "demo-esme-2"},
)
