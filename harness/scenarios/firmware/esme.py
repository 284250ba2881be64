"""ESME: activation in all stories, FM-01 to FM-06, FM-12 and FM-14."""

from typing import Final

from device_profiles.words import DowngradePolicy
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import ActivationCode
from harness.run import Run
from harness.scenario import step
from harness.scenarios.clauses import exact, one_of
from harness.scenarios.firmware.actions import (
    DAY_S,
    HOUR_S,
    activation_outcome,
    is_device_alert,
    subject,
    target,
    wait_for,
)
from harness.scenarios.firmware.activation import (
    WORDS,
    activate_later,
    activate_now,
    cancel,
    commanded,
    date_comes,
    date_passes_quietly,
    image_hash,
    read_version,
    version_changed,
    version_reads,
    wrong_hash,
)
from harness.scenarios.firmware.distribution import (
    device_verifies,
    hub_holds,
    remember,
    update_accepted,
)
from harness.scenarios.firmware.market import market
from harness.scenarios.firmware.row import row

STAGE_ONE: Final = (update_accepted(), hub_holds(), device_verifies())
ANSWERED: Final = ("activation-commanded", "activation-answered")
STAGE_ONE_EVENTS: Final = ("update-accepted", "image-held", "receipt-8F72")
NEEDS: Final = frozenset({"CHF", "ESME", "observations"})


FM_01: Final = row(
    id="FM-01",
    title="ESME upgrade, activated at once",
    devices=("ESME", "CHF"),
    expectation=exact("ACTIVATED", "GBCS 11.5"),
    steps=(*STAGE_ONE, activate_now(), version_changed(), version_reads("new", "GBCS ECS52")),
    needs=NEEDS,
    saboteur="esme-keeps-old-version",
    expected_events=(
        *STAGE_ONE_EVENTS,
        *ANSWERED,
        "version-changed-8F43",
        "version-read",
    ),
    settings={"recipe": "demo-esme-2"},
    silent=("8F43 travels as a generic critical alert (message code 1000): no vector shows it",),
)

FM_02: Final = row(
    id="FM-02",
    title="ESME upgrade with a future date",
    devices=("ESME", "CHF"),
    expectation=exact("ACTIVATED", "GBCS 11.5"),
    steps=(
        *STAGE_ONE,
        activate_later(7 * DAY_S),
        version_reads("old", "GBCS ECS52"),
        date_comes(),
        version_reads("new", "GBCS ECS52"),
    ),
    needs=NEEDS,
    saboteur="esme-answers-future-dated-at-once",
    expected_events=(
        *STAGE_ONE_EVENTS,
        "activation-commanded",
        "activation-scheduled",
        "version-read",
        "date-outcome",
        "version-read",
    ),
    settings={"recipe": "demo-esme-2"},
)

FM_03: Final = row(
    id="FM-03",
    title="ESME upgrade with a future date, taken back",
    devices=("ESME", "CHF"),
    expectation=exact("ACTIVATED", "GBCS 11.5 cancellation"),
    steps=(
        *STAGE_ONE,
        activate_later(2 * DAY_S),
        cancel(),
        date_passes_quietly(),
        version_reads("old", "GBCS ECS52"),
        activate_now(clause="GBCS 11.5 cancellation"),
    ),
    needs=NEEDS,
    saboteur="esme-forgets-cancel",
    expected_events=(
        *STAGE_ONE_EVENTS,
        "activation-commanded",
        "activation-scheduled",
        "activation-commanded",
        "activation-cancelled",
        "date-passed",
        "version-read",
        *ANSWERED,
    ),
    settings={"recipe": "demo-esme-2"},
)

FM_04: Final = row(
    id="FM-04",
    title="ESME: the activation names a wrong hash",
    devices=("ESME", "CHF"),
    expectation=exact("HASH_MISMATCH", "GBCS 11.5"),
    steps=(
        *STAGE_ONE,
        activate_now(ActivationCode.HASH_MISMATCH, wrong_hash),
        version_reads("old", "GBCS ECS52"),
    ),
    needs=NEEDS,
    saboteur="esme-ignores-hash",
    expected_events=(
        *STAGE_ONE_EVENTS,
        *ANSWERED,
        "version-read",
    ),
    settings={"recipe": "demo-esme-2"},
)


@step("No image is distributed; the scenario only knows its hash", "GBCS 11")
async def know_the_image(run: Run) -> None:
    """Make the image, so that its hash can be named, and distribute nothing."""
    remember(run, subject(run))
    record = market(run).dsp.inventory.find(target(run))
    run.require("the inventory knows the device", True, record is not None)


FM_05: Final = row(
    id="FM-05",
    title="ESME: activation of an image it does not hold",
    devices=("ESME", "CHF"),
    expectation=exact("NO_IMAGE", "GBCS 11.5"),
    steps=(
        know_the_image,
        activate_now(ActivationCode.NO_IMAGE_HELD),
        version_reads("old", "GBCS ECS52"),
    ),
    needs=NEEDS,
    saboteur="esme-success-without-image",
    expected_events=(*ANSWERED, "version-read"),
    settings={"recipe": "demo-esme-2"},
)


@step(
    "The device may tell that the new firmware failed at power-on (8F1B)",
    "GBCS 8F1B",
    timeout_s=3 * HOUR_S,
)
async def tells_failed_boot(run: Run) -> None:
    """Wait for 8F1B, which may come; where it does, it is signed."""
    device = target(run)
    wanted = is_device_alert(AlertCode.FIRMWARE_VERIFICATION_FAILED_AT_POWER_ON, device)
    got = await wait_for(run, market(run).supplier_of(device), wanted, 2 * HOUR_S)
    if got is not None:
        run.check("8F1B is signed", True, got.accepted)
        run.event("failed-boot-8F1B")


FM_06: Final = row(
    id="FM-06",
    title="ESME: the new firmware fails its self-test and is rolled back",
    devices=("ESME", "CHF"),
    expectation=exact("ACT_FAILED", "GBCS 11.5"),
    steps=(
        *STAGE_ONE,
        activate_now(ActivationCode.ACTIVATION_FAILURE),
        tells_failed_boot,
        version_reads("old", "GBCS ECS52"),
    ),
    needs=NEEDS,
    saboteur="esme-no-rollback",
    expected_events=(
        *STAGE_ONE_EVENTS,
        *ANSWERED,
        "failed-boot-8F1B?",
        "version-read",
    ),
    faults=("self-test-fails:after_s=1@esme",),
    settings={"recipe": "demo-esme-2"},
    silent=("whether 8F1B is sent after a roll-back: the matrix says possible; the emulator does",),
)


def by_downgrade_policy(run: Run) -> ActivationCode:
    """Return what the target's profile makes of a lower version, once it holds one."""
    policy = market(run).profile(target(run)).firmware.downgrade_policy
    refuses = policy is DowngradePolicy.REFUSE_AT_ACTIVATION
    return ActivationCode.ACTIVATION_FAILURE if refuses else ActivationCode.SUCCESS


FM_12: Final = row(
    id="FM-12",
    title="ESME: a lower version is distributed and activated",
    devices=("ESME", "CHF"),
    expectation=one_of(("ACTIVATED", "ACT_FAILED"), "smetsbench downgrade"),
    steps=(*STAGE_ONE, activate_now(by_downgrade_policy, clause="smetsbench downgrade")),
    needs=NEEDS,
    saboteur="esme-refuses-downgrade",
    expected_events=(
        *STAGE_ONE_EVENTS,
        *ANSWERED,
    ),
    settings={"recipe": "demo-esme-1"},
    silent=("GBCS compares hashes, not versions, at CS06: the default profile allows a downgrade",),
)


@step(
    "The supplier activates the image; power fails while the device restarts",
    "GBCS 11.5",
    "DUIS 11.3",
    timeout_s=DAY_S,
)
async def activated_in_the_dark(run: Run) -> None:
    """Command the activation; the fault cuts the power; the answer must tell the truth."""
    got = await commanded(run, image_hash(run))
    outcome = activation_outcome(got)
    run.require("the device answers after power is back", True, outcome is not None)
    if outcome is None:
        return
    run.outcome(WORDS[outcome.code])
    run.facts["told"] = outcome.firmware_version.hex().upper()
    run.event("activation-answered", code=outcome.code.name)
    if run.sees(target(run)):
        lost = [one for one in run.observations("power") if dict(one.fields).get("on") is False]
        run.check("power was lost", True, bool(lost))


@step("Asked for its version, the device tells the one its answer told", "GBCS ECS52", "DUIS 11.2")
async def version_is_the_truth(run: Run) -> None:
    """Read the version and compare it with the activation's answer and the outcome."""
    told = await read_version(run, target(run))
    run.check("version in the answer to CS06", run.facts["told"], told)
    good = run.ended_in == "ACTIVATED"
    expected = run.facts["version" if good else "old_version"]
    run.check("version that fits the outcome", expected, told)
    run.event("version-read", version=told)


FM_14: Final = row(
    id="FM-14",
    title="ESME: power fails during activation",
    devices=("ESME", "CHF"),
    expectation=one_of(("ACTIVATED", "ACT_FAILED"), "GBCS 11.5"),
    steps=(*STAGE_ONE, activated_in_the_dark, version_is_the_truth),
    needs=NEEDS,
    saboteur="esme-loses-activation-on-power-loss",
    expected_events=(
        *STAGE_ONE_EVENTS,
        *ANSWERED,
        "version-read",
    ),
    faults=("power-loss:note=activation_started,off_s=90@esme",),
    settings={"recipe": "demo-esme-2"},
)
