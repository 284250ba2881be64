"""Steps of stage two: activate by hash, now or later, take it back, and read the version."""

from collections.abc import Callable
from typing import Final

from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import (
    ActivateFirmwareResponse,
    ActivationCode,
    FutureDatedFirmwareAlert,
)
from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from harness.formats.duis import date_time
from harness.parties.correlation import NotCorrelated
from harness.parties.received import Kind, Received
from harness.run import Run
from harness.scenario import Step, step
from harness.scenarios.firmware.actions import (
    HOUR_S,
    activation_outcome,
    carry_out,
    is_device_alert,
    is_response_to,
    listen,
    request_activation,
    sign_and_submit,
    submit,
    target,
    version_told,
    wait_for,
)
from harness.scenarios.firmware.distribution import ACCEPTED, decision
from harness.scenarios.firmware.market import market

#: Code of a CS06 response -> outcome word.
WORDS: Final = {
    ActivationCode.SUCCESS: "ACTIVATED",
    ActivationCode.NO_IMAGE_HELD: "NO_IMAGE",
    ActivationCode.HASH_MISMATCH: "HASH_MISMATCH",
    ActivationCode.ACTIVATION_FAILURE: "ACT_FAILED",
}
CLAUSE: Final = "GBCS 11.5"


def image_hash(run: Run) -> bytes:
    """Return the hash of the distributed image."""
    return bytes.fromhex(run.facts["image_hash"])


def wrong_hash(run: Run) -> bytes:
    """Return the hash of the distributed image with its last bit flipped."""
    right = image_hash(run)
    return right[:-1] + bytes((right[-1] ^ 1,))


async def commanded(run: Run, named: bytes, at: UtcMs | None = None) -> Received | None:
    """Ask for an activation, have it signed, send it, and return the device's response."""
    device = target(run)
    answer = request_activation(run, device, named, at)
    run.require("the DSP returns a pre-command", Kind.PRE_COMMAND, answer.kind, clause="DUIS 11.3")
    accepted = sign_and_submit(run, answer, device)
    if isinstance(accepted, NotCorrelated):
        run.require(
            "the pre-command is what was asked for", "the same", str(accepted), clause="DUIS 11.3"
        )
        return None
    run.require(
        "the DSP takes the signed pre-command",
        ACCEPTED,
        decision(run),
        clause="DUIS 11.3",
    )
    run.event("activation-commanded", at="now" if at is None else iso(at))
    if at is not None and at != date_time.CANCEL and accepted.request_id is not None:
        run.facts["command_counter"] = accepted.request_id.counter
    await carry_out(run)
    supplier = market(run).supplier_of(device)
    got = await wait_for(run, supplier, is_response_to(accepted), 2 * HOUR_S)
    run.require("the device answers", True, got is not None)
    if got is not None:
        run.check("its signature verifies with the device's certificate", True, got.accepted)
    return got


def activate_now(
    expected_code: ActivationCode | Callable[[Run], ActivationCode] = ActivationCode.SUCCESS,
    named: Callable[[Run], bytes] = image_hash,
    clause: str = CLAUSE,
) -> Step:
    """Step: CS06 without a date; the response carries the code and the version that runs.

    Args:
        expected_code: Code the response must carry, or what tells it from the run.
        named: Hash the command names.
        clause: What the code rests on.
    """

    async def act(run: Run) -> None:
        code = expected_code if isinstance(expected_code, ActivationCode) else expected_code(run)
        got = await commanded(run, named(run))
        outcome = activation_outcome(got)
        run.require("the response tells an outcome at once", True, outcome is not None)
        if outcome is None:
            return
        run.outcome(WORDS[outcome.code])
        run.event("activation-answered", code=outcome.code.name)
        run.check("code of the response", code.name, outcome.code.name)
        good = code is ActivationCode.SUCCESS
        expected = run.facts["version"] if good else run.facts["old_version"]
        told = outcome.firmware_version.hex().upper()
        run.check("version in the response: the one that runs now", expected, told)

    answer = "as its profile says"
    if isinstance(expected_code, ActivationCode):
        answer = expected_code.name
    title = f"The supplier activates the image; the device answers {answer}"
    return step(title, clause, "DUIS 11.3", timeout_s=3 * HOUR_S)(act)


def activate_later(after_s: float, clause: str = CLAUSE) -> Step:
    """Step: CS06 with a date; the response carries nothing."""

    async def act(run: Run) -> None:
        at = UtcMs((run.bench.clock.now() // 1000 + round(after_s)) * 1000)
        run.facts["execute_at"] = at
        got = await commanded(run, image_hash(run), at)
        value = None if got is None else got.value
        run.check(
            "the response to a future-dated command is NULL", ActivateFirmwareResponse(), value
        )
        run.event("activation-scheduled")

    title = "The supplier sets a date for the activation; the device accepts it"
    return step(title, clause, "DUIS 11.3", timeout_s=3 * HOUR_S)(act)


def cancel(clause: str = "GBCS 11.5 cancellation") -> Step:
    """Step: CS06 with the last of all dates; the response carries nothing."""

    async def act(run: Run) -> None:
        got = await commanded(run, image_hash(run), date_time.CANCEL)
        value = None if got is None else got.value
        run.check("the response to a cancellation is NULL", ActivateFirmwareResponse(), value)
        run.event("activation-cancelled")

    return step("The supplier takes the date back", clause, "DUIS 11.3", timeout_s=3 * HOUR_S)(act)


def date_comes(code: ActivationCode = ActivationCode.SUCCESS, clause: str = CLAUSE) -> Step:
    """Step: at the date the device activates and sends 8F66 or 8F67 with the outcome."""

    async def act(run: Run) -> None:
        device, at = target(run), UtcMs(run.facts["execute_at"])
        supplier = market(run).supplier_of(device)
        left_s = (at - run.bench.clock.now()) / 1000 + HOUR_S

        def wanted(got: Received) -> bool:
            return isinstance(got.value, FutureDatedFirmwareAlert)

        got = await wait_for(run, supplier, wanted, left_s)
        run.require("the device tells how its date went", True, got is not None)
        value = None if got is None else got.value
        if got is None or not isinstance(value, FutureDatedFirmwareAlert):
            return
        run.outcome(WORDS[value.outcome.code])
        good = code is ActivationCode.SUCCESS
        alert = AlertCode.FUTURE_DATED_SUCCESS if good else AlertCode.FUTURE_DATED_FAILURE
        run.event("date-outcome", code=value.outcome.code.name)
        run.check("alert code", f"{alert:04X}", f"{value.alert_code:04X}")
        run.check("its signature verifies with the device's certificate", True, got.accepted)
        run.check("execution time it names", iso(at), iso(value.execution_time))
        run.check("outcome it names", code.name, value.outcome.code.name)
        expected = run.facts["version"] if good else run.facts["old_version"]
        told = value.outcome.firmware_version.hex().upper()
        run.check("version it names: the one that runs now", expected, told)
        counter = run.facts["command_counter"]
        run.check("counter of the command it names", counter, value.originator_counter)
        run.check("not before the date", True, got.at >= at)

    return step("The date comes; the device tells how it went", clause, timeout_s=40 * 86_400)(act)


def date_passes_quietly(clause: str = "GBCS 11.5 cancellation") -> Step:
    """Step: the cancelled date passes and nothing happens."""

    async def act(run: Run) -> None:
        device, at = target(run), UtcMs(run.facts["execute_at"])
        before = len(market(run).supplier_of(device).inbox)
        await listen(run, (at - run.bench.clock.now()) / 1000 + HOUR_S)
        news = [str(got.kind) for got in market(run).supplier_of(device).inbox[before:]]
        run.outcome("VERIFIED")
        run.check("nothing is heard of the device", [], news)
        run.event("date-passed")

    return step("The date passes and nothing happens", clause, timeout_s=40 * 86_400)(act)


def version_changed(clause: str = "GBCS 8F43") -> Step:
    """Step: the device tells that its executing version changed (8F43)."""

    async def act(run: Run) -> None:
        device = target(run)
        supplier = market(run).supplier_of(device)
        wanted = is_device_alert(AlertCode.FIRMWARE_VERSION_CHANGED, device)
        got = await wait_for(run, supplier, wanted, 2 * HOUR_S)
        run.check("8F43 arrives, signed", True, got is not None and got.accepted)
        run.event("version-changed-8F43")
        if not run.sees(device):
            return
        logged = [
            dict(item.fields).get("detail")
            for item in run.observations("logged")
            if item.device == device and dict(item.fields).get("code") == "8f43"
        ]
        run.check("its event log says so", [run.facts["version"].lower()], logged)
        run.check("no image is left pending", "none", pending_image(run, device))

    title = "The device tells that its firmware version changed (8F43)"
    return step(title, clause, timeout_s=3 * HOUR_S)(act)


def pending_image(run: Run, device: Eui64) -> str:
    """Return what a device says of its pending image."""
    for name, row in run.bench.describe().items():
        if name.endswith(str(device)):
            return row.get("pending image", "")
    return ""


async def read_version(run: Run, device: Eui64, within_s: float = 2 * HOUR_S) -> str:
    """Read a device's firmware version (11.2): eight hex digits; empty when it does not say."""
    supplier = market(run).supplier_of(device)
    accepted = submit(run, supplier.read_firmware_version(device), supplier)
    run.require("the DSP takes the read request", ACCEPTED, decision(run), clause="DUIS 11.2")
    await carry_out(run)
    got = await wait_for(run, supplier, is_response_to(accepted), within_s)
    if got is None:
        return ""
    run.check(
        "the answer's protection verifies", "sound", got.trouble or "sound", clause="DUIS 11.2"
    )
    return version_told(got)


def version_reads(which: str, clause: str) -> Step:
    """Step: the device, asked for its version, tells the new or the old one.

    Args:
        which: ``new`` or ``old``.
        clause: The clause of the read use case.
    """

    async def act(run: Run) -> None:
        expected = run.facts["version" if which == "new" else "old_version"]
        told = await read_version(run, target(run))
        run.require("firmware version the device tells", expected, told)
        run.event("version-read", version=told)

    return step(
        f"Asked for its version, the device tells the {which} one",
        clause,
        "DUIS 11.2",
        timeout_s=3 * HOUR_S,
    )(act)
