"""GSME: a sleepy device with a valve and a battery, FM-15 to FM-17 and FM-67."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from emulator.codecs.gbcs import metering
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.gbz import GbzMessage
from emulator.codecs.gbcs.payload import PayloadValue, encode_payload
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl.metering import ChangeSupply, SupplyStatus
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.ids import Eui64
from harness.parties.post import GBCS
from harness.ports import Observation
from harness.run import Run
from harness.scenario import step
from harness.scenarios.clauses import exact
from harness.scenarios.firmware.actions import DAY_S, HOUR_S, target
from harness.scenarios.firmware.activation import activate_now, version_reads
from harness.scenarios.firmware.distribution import (
    device_verifies,
    hub_discards,
    hub_holds,
    receipt,
    update_accepted,
)
from harness.scenarios.firmware.esme import ANSWERED, STAGE_ONE_EVENTS
from harness.scenarios.firmware.market import market
from harness.scenarios.firmware.row import row

NEEDS: Final = frozenset({"CHF", "GSME", "observations"})
#: A longer pause between blocks than within one wake window. Source: invented.
_PAUSE_MS: Final = 600_000


def _blocks(run: Run, device: Eui64) -> list[Observation]:
    """Return how a device's download went on, as seen on the air."""
    return [item for item in run.observations("ota_progress") if item.device == device]


@step("Frames reach the device in its wake windows alone", "GBZ notification flags")
async def only_awake(run: Run) -> None:
    """Compare every download event of the device with its wake windows."""
    device = target(run)
    if not run.sees(device):  # its frames on the air tell when it was awake
        moments = [item.at for item in _blocks(run, device)]
        pauses = [after - before for before, after in pairwise(moments)]
        seen = bool(moments) + sum(pause > _PAUSE_MS for pause in pauses)
        run.check("more than one window was needed", True, seen > 1)
        run.event("wake-windows", count=seen)
        return
    own = [item for item in run.bench.observed if item.device == device]
    awake, windows, outside = False, 0, 0
    for item in own:
        if item.kind == "wake_window":
            awake = bool(dict(item.fields).get("open"))
            windows += awake
        elif item.kind == "ota_state" and dict(item.fields).get("state") == "DOWNLOADING":
            outside += not awake
    run.check("download steps outside a wake window", 0, outside)
    run.check("more than one window was needed", True, windows > 1)
    run.event("wake-windows", count=windows)


FM_15: Final = row(
    id="FM-15",
    title="GSME: 256 KiB over many wake windows",
    devices=("GSME", "CHF"),
    expectation=exact("ACTIVATED", "GBCS 11.5"),
    steps=(
        update_accepted(),
        hub_holds(),
        device_verifies("GBCS FDRA", within_s=20 * DAY_S),
        only_awake,
        activate_now(),
        version_reads("new", "GBCS GCS38"),
    ),
    needs=NEEDS,
    saboteur="gsme-awake-outside-window",
    expected_events=(
        *STAGE_ONE_EVENTS,
        "wake-windows",
        *ANSWERED,
        "version-read",
    ),
    settings={"recipe": "demo-gsme-large"},
)


@dataclass(frozen=True, slots=True)
class Valve:
    """One GBCS command to the valve.

    Attributes:
        code: GCS32, GCS33 or GCS39.
        value: Its payload.
    """

    code: MessageCode
    value: GbzMessage


def change(run: Run, code: MessageCode, status: SupplyStatus) -> Valve:
    """Return GCS32 (close the valve) or GCS39 (arm it): Change Supply of the metering cluster."""
    asked = to_zigbee_seconds(run.bench.clock.now())
    return Valve(code, metering.change_supply(ChangeSupply(0, 0, asked, 0, status, 1)))


def read_valve() -> Valve:
    """Return GCS33: read the valve's state and the days of battery left."""
    return Valve(MessageCode.GCS33, metering.valve_status_request())


async def answer_to(run: Run, valve: Valve, within_s: float) -> PayloadValue | None:
    """Send a valve command of the supplier and return the payload of the answer.

    No DUIS request of these use cases is in this product yet: the supplier makes the GBCS command
    itself, signs it where it is critical, and the ACB adds the MAC.
    """
    parties, device = market(run), target(run)
    supplier = parties.supplier_of(device)
    supplier.counter += 1
    header = GroupingHeader(
        Cra.COMMAND, supplier.counter, supplier.eui64, device, OtherInformation(valve.code)
    )
    env = Envelope(header, encode_payload(valve.value), None, None)
    critical = valve.code is not MessageCode.GCS33
    message = parties.dsp.acb.protect(supplier.signed(env) if critical else env)
    parties.post.hand_over("ACB", "CHF", GBCS, message, f"{valve.code.name} for the GSME")
    await run.bench.hub.send(message)
    deadline = UtcMs(run.bench.clock.now() + round(within_s * 1000))
    while (routed := await parties.dsp.route(run.bench.hub, deadline)) is not None:
        if routed.kind == "unasked" and f"counter {supplier.counter}" in routed.detail:
            return routed.value
    return None


@step(
    "The valve is read, closed and armed while the image is on its way",
    "smetsbench valve",
    timeout_s=DAY_S,
)
async def valve_works(run: Run) -> None:
    """Operate the valve in three wake windows of a download."""
    within_s = 3 * HOUR_S
    before = metering.valve_status_of(_gbz(await answer_to(run, read_valve(), within_s)))
    run.require("GCS33 answers", True, before is not None)
    run.check("the valve is on", SupplyStatus.ON, None if before is None else before.status)
    for code, status in (
        (MessageCode.GCS32, SupplyStatus.OFF),
        (MessageCode.GCS39, SupplyStatus.OFF_ARMED),
    ):
        value = await answer_to(run, change(run, code, status), within_s)
        told = metering.supply_status_of(_gbz(value))
        run.check(f"{code.name}: state told", status, None if told is None else told.status)
    after = metering.valve_status_of(_gbz(await answer_to(run, read_valve(), within_s)))
    found = None if after is None else after.status
    run.check("the valve stands where it was put", SupplyStatus.OFF_ARMED, found)
    under_way = not [
        got
        for got in market(run).supplier_of(target(run)).inbox
        if getattr(got.value, "alert_code", 0) == AlertCode.FIRMWARE_VERIFIED
    ]
    run.check("all that happened while the download was under way", True, under_way)
    run.event("valve-operated")


def _gbz(value: PayloadValue | None) -> GbzMessage:
    return value if isinstance(value, GbzMessage) else GbzMessage(())


@step(
    "The download ends well, and the valve has not moved",
    "smetsbench valve",
    "GBCS FDRA",
    timeout_s=21 * DAY_S,
)
async def valve_untouched(run: Run) -> None:
    """Wait for 8F72 and read the valve again."""
    await receipt(run, 20 * DAY_S, AlertCode.FIRMWARE_VERIFIED)
    run.outcome("VERIFIED")
    run.event("receipt-8F72")
    valve = metering.valve_status_of(_gbz(await answer_to(run, read_valve(), 3 * HOUR_S)))
    found = None if valve is None else valve.status
    run.check("the valve stands where it was put", SupplyStatus.OFF_ARMED, found)


FM_16: Final = row(
    id="FM-16",
    title="GSME: the valve is operated during a download",
    devices=("GSME", "CHF"),
    expectation=exact("VERIFIED", "smetsbench valve"),
    steps=(update_accepted(), hub_holds(), valve_works, valve_untouched),
    needs=NEEDS,
    saboteur="gsme-valve-moves-on-download",
    expected_events=("update-accepted", "image-held", "valve-operated", "receipt-8F72"),
    settings={"recipe": "demo-gsme-large"},
    silent=("no source says that downloads leave the supply alone; any other behaviour is absurd",),
)


@step(
    "With a low battery the device puts the download off",
    "smetsbench battery",
    timeout_s=3 * DAY_S,
)
async def postponed(run: Run) -> None:
    """Wait two days: the download does not begin."""
    deadline = UtcMs(run.bench.clock.now() + 2 * DAY_S * 1000)
    while await market(run).dsp.route(run.bench.hub, deadline) is not None:
        continue
    if not run.sees(target(run)):  # why it waits is its own affair; that it does is seen
        run.check("it does not download", 0, len(_blocks(run, target(run))))
        run.event("download-postponed")
        return
    put_off = run.observations("download_postponed")
    moved = [
        item
        for item in run.observations("ota_state")
        if item.device == target(run) and dict(item.fields).get("state") == "DOWNLOADING"
    ]
    run.check("the device says that it waits", True, bool(put_off))
    run.check("it does not download", 0, len(moved))
    run.event("download-postponed")


FM_17: Final = row(
    id="FM-17",
    title="GSME: a low battery postpones the download",
    devices=("GSME", "CHF"),
    expectation=exact("VERIFIED", "smetsbench battery"),
    steps=(
        update_accepted(),
        hub_holds(),
        postponed,
        device_verifies("smetsbench battery", within_s=20 * DAY_S),
    ),
    needs=NEEDS,
    saboteur="gsme-download-ignores-battery",
    expected_events=("update-accepted", "image-held", "download-postponed", "receipt-8F72"),
    faults=("battery-low:days=10,after_s=1@gsme", "battery-low:days=2000,after_s=216000@gsme"),
    settings={"recipe": "demo-gsme-2"},
    silent=("from how many days of battery a GSME postpones: profile data",),
)

FM_67: Final = row(
    id="FM-67",
    title="GSME: the CSP loses the image on its way to the hub",
    devices=("GSME", "CHF"),
    expectation=exact("TRANSFER_FAILED", "DUIS N61"),
    steps=(
        update_accepted(),
        hub_discards("TRANSFER_FAILED", "DUIS N61"),
        version_reads("old", "GBCS GCS38"),
    ),
    needs=NEEDS,
    saboteur="dsp-no-n61",
    expected_events=("update-accepted", "delivery-failed", "version-read"),
    faults=("drop:kind=csp.chunk@csp-in",),
    settings={"recipe": "demo-gsme-2"},
)
