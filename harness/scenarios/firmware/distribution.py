"""Steps of stage one: ask for an update, bring the image to the hub and to the device."""

from typing import Final

from emulator.codecs.gbcs.alerts import AlertCode, DlmsAlert, image_hash_of
from emulator.codecs.gbcs.gbz import GbzAlert
from emulator.core.ids import Eui64
from harness.formats.duis.alerts import (
    CspFirmwareDeliveryStatus,
    FirmwareDistributionFailure,
    TransferStatus,
)
from harness.parties.received import Kind, Received
from harness.run import Run
from harness.scenario import Step, step
from harness.scenarios.firmware.actions import (
    Subject,
    alert_code,
    carry_out,
    dcc_alert,
    is_device_alert,
    listen,
    request_update,
    subject,
    target,
    wait_for,
)
from harness.scenarios.firmware.market import market

#: What a request that was taken is said to be.
ACCEPTED: Final = "accepted"
TAKEN: Final = frozenset({Kind.ACKNOWLEDGEMENT, Kind.WARNING})


def remember(run: Run, image: Subject) -> None:
    """Keep what later steps compare with: hash and version of the image, version before."""
    record = market(run).dsp.inventory.find(target(run))
    run.facts["image_hash"] = image.image_hash.hex()
    run.facts["version"] = image.version
    run.facts["old_version"] = "" if record is None else record.firmware_version.upper().zfill(8)
    run.facts["image_bytes"] = len(image.octets)


def category(run: Run) -> str:
    """Return the category of the DSP's latest decision; empty when it took the request."""
    decisions = market(run).dsp.decisions
    return decisions[-1].category if decisions else "no decision"


def decision(run: Run) -> str:
    """Return what the DSP decided last: ``ACCEPTED``, or the category of its refusal."""
    return category(run) or ACCEPTED


def update_accepted(clause: str = "DUIS 11.1") -> Step:
    """Step: the supplier asks for the update and the DSP takes it."""

    async def act(run: Run) -> None:
        image = subject(run)
        remember(run, image)
        run.attach("image.ota", image.octets)
        got = request_update(run, image, (target(run),))
        run.require("the DSP takes the request", ACCEPTED, decision(run))
        run.check("the answer is an acknowledgement", True, got.kind in TAKEN)
        run.event("update-accepted", version=image.version, octets=len(image.octets))

    return step("The supplier asks for the update and the DSP takes it", clause)(act)


def update_refused(expected: str, clause: str) -> Step:
    """Step: the DSP refuses the update, for the expected category; nothing is distributed."""

    async def act(run: Run) -> None:
        image = subject(run)
        remember(run, image)
        got = request_update(run, image, (target(run),))
        await refused(run, got, expected)

    return step(f"The DSP refuses the update ({expected})", clause)(act)


async def refused(run: Run, got: Received, expected: str) -> None:
    """Check a refusal: its category, its response code's letter, and that nothing moves."""
    run.outcome("REJECTED" if category(run) else "DISTRIBUTED")
    run.require("category of the refusal", expected, category(run))
    run.check("the response says that it is an error", True, got.code.startswith("E"))
    run.event("update-refused", category=category(run), code=got.code)
    await carry_out(run)
    run.check("nothing is sent to the hub", [], _moved(run))


def _moved(run: Run) -> list[str]:
    letters = [*market(run).post.between("CSP", "CHF"), *market(run).post.between("ACB", "CHF")]
    return [letter.summary for letter in letters]


def hub_holds(clause: str = "DUIS N60") -> Step:
    """Step: the CSP brings the image to the hub, and the DSP tells so (N60)."""

    async def act(run: Run) -> None:
        begun = run.bench.clock.now()
        await carry_out(run)
        delivery = deliveries(run)
        run.require("N60 tells that the hub holds the image", [TransferStatus.SUCCESS], delivery)
        told = [got.at for got in market(run).supplier_of(target(run)).inbox if _is_delivery(got)]
        held = [item.at for item in run.observations("image_held")]
        run.check("the hub held all of it before that", True, bool(held) and held[0] <= told[0])
        seconds = (run.bench.clock.now() - begun) / 1000
        run.event("image-held", seconds=round(seconds))

    return step("The hub holds all of the image (N60)", clause, timeout_s=4 * 3600)(act)


def _is_delivery(got: Received) -> bool:
    return isinstance(dcc_alert(got), CspFirmwareDeliveryStatus)


def deliveries(run: Run, device: Eui64 | None = None) -> list[TransferStatus]:
    """Return the N60 and N61 the supplier got for a device, in order."""
    wanted = device or target(run)
    found = (dcc_alert(got) for got in market(run).supplier_of(wanted).inbox)
    return [
        alert.status
        for alert in found
        if isinstance(alert, CspFirmwareDeliveryStatus) and alert.target == wanted
    ]


#: How an image transfer ended, in the CSP's words -> outcome word; any other is a failed transfer.
_DISCARDED: Final = frozenset({"too-large", "store-full", "metadata-mismatch", "malformed"})
#: Frames by which a hub tells a device of an image, or gives it some.
_TOLD: Final = ("ota.image-notify", "ota.image-block-response")


def hub_discards(word: str, clause: str) -> Step:
    """Step: the image does not stay on the hub; N61, and no device is told of it."""

    async def act(run: Run) -> None:
        before = told_of_an_image(run)
        await carry_out(run)
        reasons = market(run).dsp.staged
        reason = reasons[-1] if reasons else "nothing was sent"
        if reason == "held":
            run.outcome("HELD")
        else:
            run.outcome("DISCARDED" if reason in _DISCARDED else "TRANSFER_FAILED")
        run.check(
            "N61 tells that the hub does not hold it", [TransferStatus.FAILURE], deliveries(run)
        )
        run.event("delivery-failed", reason=reason)
        run.check("what became of the image", word, run.ended_in)
        inbox = market(run).supplier_of(target(run)).inbox
        failures = [a for a in map(dcc_alert, inbox) if isinstance(a, FirmwareDistributionFailure)]
        run.check(
            "the meters are named as not reached", [(target(run),)], [f.meters for f in failures]
        )
        await listen(run, 3600)
        run.check("frames that tell the device of an image", before, told_of_an_image(run))

    return step(f"The image does not stay on the hub ({word})", clause, timeout_s=8 * 3600)(act)


def told_of_an_image(run: Run) -> int:
    """Return how many frames told the device under test of an image so far."""
    own = run.bench.traffic().get(run.scenario.devices[0], {})
    return sum(int(own.get(kind, 0)) for kind in _TOLD)


def device_verifies(clause: str = "GBCS FDRA", *, within_s: float = 4 * 3600) -> Step:
    """Step: the device downloads the image, verifies it and sends 8F72, signed."""

    async def act(run: Run) -> None:
        begun = run.bench.clock.now()
        got = await receipt(run, within_s, AlertCode.FIRMWARE_VERIFIED)
        run.outcome("VERIFIED")
        run.event("receipt-8F72", seconds=round(((got.at if got else begun) - begun) / 1000))

    return step(
        "The device downloads the image block by block, verifies it and says so (8F72)",
        clause,
        *_receipt_clause(clause),
        timeout_s=within_s + 600,
    )(act)


def _receipt_clause(clause: str) -> tuple[str, ...]:
    return () if clause == "GBCS FDRA" else ("GBCS FDRA",)


def device_rejects(clause: str = "GBCS FDRA", *, within_s: float = 4 * 3600) -> Step:
    """Step: the device downloads the image, finds it wrong, discards it and sends 8F1C."""

    async def act(run: Run) -> None:
        await receipt(run, within_s, AlertCode.FIRMWARE_VERIFICATION_FAILED)
        run.outcome("VERIFY_FAILED")
        run.event("receipt-8F1C")
        if run.sees(target(run)):
            run.check("no device keeps the image", {"none"}, pending_images(run))

    return step(
        "The device downloads the image, finds it wrong and discards it (8F1C)",
        clause,
        *_receipt_clause(clause),
        timeout_s=within_s + 600,
    )(act)


def pending_images(run: Run) -> set[str]:
    """Return what the devices say of their pending images."""
    state = run.bench.describe()
    return {row["pending image"] for row in state.values() if "pending image" in row}


async def receipt(run: Run, within_s: float, code: AlertCode) -> Received | None:
    """Wait for a Firmware Distribution Receipt Alert and check all it says."""
    got = await any_receipt(run, within_s)
    found = (alert_code(got) if got is not None else None) or 0
    if found != code:
        verified = found == AlertCode.FIRMWARE_VERIFIED
        run.outcome("VERIFIED" if verified else "TRANSFER_FAILED")
    run.require("the receipt alert that comes", f"{code:04X}", f"{found:04X}")
    if got is None:
        return None
    run.check("its signature verifies with the device's certificate", True, got.accepted)
    told, expected = receipt_hash(got), run.facts["image_hash"]
    run.check("it names the hash of what arrived", expected, told, clause="GBCS FDRA")
    return got


async def any_receipt(run: Run, within_s: float) -> Received | None:
    """Wait for the next 8F72 or 8F1C of the device under test; None when none comes."""
    device = target(run)
    supplier = market(run).supplier_of(device)
    either = (AlertCode.FIRMWARE_VERIFIED, AlertCode.FIRMWARE_VERIFICATION_FAILED)
    before = int(run.facts.get("inbox", 0))

    def wanted(got: Received) -> bool:
        return any(is_device_alert(one, device)(got) for one in either)

    got = await wait_for(run, supplier, wanted, within_s, since=before)
    run.facts["inbox"] = len(supplier.inbox)
    return got


def receipt_hash(got: Received) -> str:
    """Return the hash a receipt alert names, in hex; empty when it names none."""
    told = image_hash_of(got.value) if isinstance(got.value, DlmsAlert | GbzAlert) else None
    return "" if told is None else told.hex()
