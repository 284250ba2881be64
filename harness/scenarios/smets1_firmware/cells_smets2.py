"""Plays one cell of the firmware matrix in a SMETS2+ home: DSP, hub, device, without a journal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import ActivateFirmwareResponse, ActivationCode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.benches.emulated import EmulatedBench, open_home
from harness.firmware_cells import MatrixCell
from harness.firmware_matrix_images import signed_anew
from harness.formats.duis.alerts import (
    ActivationResult,
    CommsHubAlert,
    FirmwareDistributionFailure,
    PpmidAlert,
    TransferResponse,
)
from harness.formats.duis.bodies import UpdateFirmware, UpdatePpmidFirmware
from harness.parties.correlation import NotCorrelated
from harness.parties.received import Kind, Received
from harness.parties.supplier import Supplier
from harness.ports import Clock
from harness.rules.firmware_checks import Category
from harness.run_options import RunOptions
from harness.scenarios.firmware.actions import alert_code, dcc_alert
from harness.scenarios.firmware.market import Market
from harness.scenarios.smets1_firmware.attempt import (
    ACT_FAILED,
    ACTIVATED,
    DISCARDED,
    HASH_MISMATCH,
    NO_IMAGE,
    NOT_SUPPORTED,
    NOTHING_TOLD,
    REJECTED,
    TRANSFER_FAILED,
    UNTARGETABLE,
    VERIFY_FAILED,
)

_HW_MISMATCH: Final = "HW_MISMATCH"
_PATIENCE_MS: Final = 5 * 86_400_000
_REFUSED: Final[Mapping[str, str]] = {
    Category.UNTARGETABLE: UNTARGETABLE,
    Category.GBCS_VERSION: NOT_SUPPORTED,
}
_STARTED: Final = {
    ActivationCode.SUCCESS: ACTIVATED,
    ActivationCode.NO_IMAGE_HELD: NO_IMAGE,
    ActivationCode.HASH_MISMATCH: HASH_MISMATCH,
    ActivationCode.ACTIVATION_FAILURE: ACT_FAILED,
}


@dataclass(frozen=True, slots=True)
class _Bench:
    """The bench as parties are set up from it."""

    inner: EmulatedBench

    @property
    def clock(self) -> Clock:
        """Its time."""
        return self.inner.clock


@dataclass(frozen=True, slots=True)
class _Source:
    """One cell in the place of a run."""

    options: RunOptions
    bench: _Bench
    told: list[str] = field(default_factory=list)

    def message(
        self, sender: str, receiver: str, kind: str, octets: bytes = b"", summary: str = ""
    ) -> None:
        """Keep the summary of a message."""
        self.told.append(f"{sender} > {receiver} {kind} {len(octets)} {summary}")


@dataclass(frozen=True, slots=True)
class _Play:
    """One attempt in a SMETS2+ home."""

    cell: MatrixCell
    bench: EmulatedBench
    market: Market
    device: Eui64

    @property
    def user(self) -> Supplier:
        """The device's supplier."""
        return self.market.supplier_of(self.device)

    async def wait(self, judge: Callable[[Received], str], since: int) -> str:
        """Route what the hub sends until something of the inbox is a word; nothing: time is up."""
        deadline = UtcMs(self.bench.clock.now() + _PATIENCE_MS)
        while True:
            found = [word for got in self.user.inbox[since:] if (word := judge(got))]
            if found:
                return found[0]
            if await self.market.dsp.route(self.bench.hub, deadline) is None:
                return NOTHING_TOLD

    async def update(self) -> str:
        """Ask for 11.1 or 11.4 and carry it out; return what became of it."""
        facts = self.cell.image.facts
        self.market.list_version(self.cell.cpl)
        ppmid = self.cell.target.device_type is DeviceType.PPMID
        kind = UpdatePpmidFirmware if ppmid else UpdateFirmware
        octets = signed_anew(self.cell.image, self._scalar())
        asked = self.user.ask(kind(octets, facts.listed_version, (self.device,)))
        since = len(self.user.inbox)
        self.user.take(self.market.dsp.submit(self.user.send(asked), self.user.eui64))
        decision = self.market.dsp.decisions[-1]
        left_out = {one: why.category for one, why in decision.left_out}
        category = left_out.get(self.device) or decision.category
        if category:
            return _REFUSED.get(category, REJECTED)
        await self.market.dsp.carry_out(self.bench.hub)
        if ppmid:
            return await self.wait(_of_ppmid, since)
        word = await self.wait(_of_meter, since)
        return await self._started() if word == ACTIVATED else word

    def _scalar(self) -> int:
        return self.market.signing_scalar(self.user.eui64)

    async def _started(self) -> str:
        """Ask for 11.3, sign the pre-command, and wait for the device's answer."""
        image_hash = self.cell.case.hash
        asked = self.user.activate_firmware(self.device, image_hash)
        first = self.user.take(self.market.dsp.submit(self.user.send(asked), self.user.eui64))
        signed = self.user.sign(first)
        if isinstance(signed, NotCorrelated):
            return REJECTED
        since = len(self.user.inbox)
        self.user.take(self.market.dsp.submit(self.user.send(signed), self.user.eui64))
        await self.market.dsp.carry_out(self.bench.hub)
        return await self.wait(_of_activation, since)


def _of_ppmid(got: Received) -> str:
    alert = dcc_alert(got)
    if isinstance(alert, PpmidAlert) and alert.upgrade is not None:
        return ACTIVATED if alert.upgrade.result is ActivationResult.SUCCESS else ACT_FAILED
    if isinstance(alert, CommsHubAlert) and alert.transfer is not None:
        return {
            TransferResponse.SUCCESS: "",
            TransferResponse.HARDWARE_MISMATCH: _HW_MISMATCH,
            TransferResponse.DISCARDED: DISCARDED,
        }.get(alert.transfer.response, TRANSFER_FAILED)
    return _of_hub(got)


def _of_hub(got: Received) -> str:
    return DISCARDED if isinstance(dcc_alert(got), FirmwareDistributionFailure) else ""


def _of_meter(got: Received) -> str:
    if got.kind is Kind.DEVICE_ALERT:
        code = alert_code(got)
        if code == AlertCode.FIRMWARE_VERIFIED:
            return ACTIVATED
        if code == AlertCode.FIRMWARE_VERIFICATION_FAILED:
            return VERIFY_FAILED
    return _of_hub(got)


def _of_activation(got: Received) -> str:
    value = got.value
    if isinstance(value, ActivateFirmwareResponse) and value.outcome is not None:
        return _STARTED.get(value.outcome.code, ACT_FAILED)
    return ""


async def play(cell: MatrixCell, seed: int) -> str:
    """Play a cell of a SMETS2+ home and return its outcome word."""
    role = cell.target.device_type
    models = {DeviceType.CHF: cell.home.hub.name, DeviceType.GPF: cell.home.hub.name}
    settings = {"profiles": {**models, role: cell.target.name}}
    options = RunOptions(seed=seed, data=tuple(cell.home.folders), settings=settings)
    bench = open_home(options)
    market = Market(_Source(options, _Bench(bench)))
    market.dsp.bilingual = None
    play_ = _Play(cell, bench, market, bench.role(role.value))
    record = market.dsp.inventory.find(play_.device)
    if record is not None:
        market.dsp.inventory.put(replace(record, smets=cell.home.smets))
    return await play_.update()
