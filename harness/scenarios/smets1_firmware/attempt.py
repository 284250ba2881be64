"""One attempt to bring an image to a SMETS1 device and to start it: what was told, what is so."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.hub_image import DistributionRow, ImageTicket
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.core.ids import Eui64
from firmware_images.version import FirmwareVersion, VersionError
from harness.formats.duis.bodies import (
    ActivateFirmware,
    ReadFirmwareVersion,
    UpdateFirmware,
    UpdatePpmidFirmware,
)
from harness.formats.duis.responses import ACKNOWLEDGED
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.smets1_contents import DeviceAlert, Result
from harness.formats.duis.smets1_response import Smets1Response
from harness.parties import s1sp_desk_answers as answers
from harness.parties.import_supplier import FromS1sp, ImportSupplier
from harness.parties.s1sp_desk_faults import DeskError, DeskFault
from harness.parties.s1sp_gate import GateRefusal
from harness.rules.firmware_checks import Category
from harness.scenarios.smets1_firmware.market import Smets1Market
from harness.smets1.arguments import Arguments

ACTIVATED: Final = "ACTIVATED"
VERIFIED: Final = "VERIFIED"
REJECTED: Final = "REJECTED"
DISCARDED: Final = "DISCARDED"
TRANSFER_FAILED: Final = "TRANSFER_FAILED"
VERIFY_FAILED: Final = "VERIFY_FAILED"
ACT_FAILED: Final = "ACT_FAILED"
NOT_SUPPORTED: Final = "NOT_SUPPORTED"
UNTARGETABLE: Final = "UNTARGETABLE"
HASH_MISMATCH: Final = "HASH_MISMATCH"
NO_IMAGE: Final = "NO_IMAGE"
NOTHING_TOLD: Final = "NOTHING_TOLD"
#: What the DSP says no with -> outcome word; any other category: REJECTED.
_OF_CATEGORY: Final[Mapping[str, str]] = {Category.UNTARGETABLE: UNTARGETABLE}
#: Code of an S1SP's alert -> outcome word; any other: REJECTED, by the S1SP.
_OF_FAULT: Final[Mapping[str, str]] = {
    DeskFault.OTHER_MAKE: NOT_SUPPORTED,
    DeskFault.IMAGE_NOT_SUPPORTED: NOT_SUPPORTED,
    DeskFault.METADATA_REFUSED: DISCARDED,
    DeskFault.OWN_METADATA_REFUSED: DISCARDED,
    DeskFault.HUB_SIZE: DISCARDED,
    DeskFault.HUB_STORE: DISCARDED,
    DeskFault.HUB_HOLDS_ANOTHER: DISCARDED,
    DeskFault.HUB_REFUSED: DISCARDED,
    DeskFault.IMAGE_ABORTED: TRANSFER_FAILED,
    DeskFault.NO_OUTCOME: NOTHING_TOLD,
    DeskFault.SILENT: NOTHING_TOLD,
}
#: Word with which 11.3 is answered -> outcome word.
_OF_ACTIVATION: Final[Mapping[str, str]] = {
    "hashMismatch": HASH_MISMATCH,
    "noImageHeld": NO_IMAGE,
    "activationFailure": ACT_FAILED,
}
_HW_MISMATCH: Final = "other-hardware"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt came to.

    Attributes:
        word: Outcome word.
        code: Category or code with which somebody said no; empty where nobody did.
        by: Who said it: ``DSP``, ``S1SP``, the device's type, or empty.
        told: What the supplier was told by the S1SP, in order, in words.
        row: What the hub's own log says of the image at the end, in words; empty: nothing.
        before: Version that the device itself told before.
        after: Version that the device itself told afterwards.
        claimed: Whether the supplier was told that the new version runs.
        runs: Whether the device itself tells the new version.
    """

    word: str
    code: str = ""
    by: str = ""
    told: tuple[str, ...] = ()
    row: str = ""
    before: str = ""
    after: str = ""
    claimed: bool = False
    runs: bool = False

    @property
    def text(self) -> str:
        """It in one line."""
        why = f" ({self.by}: {self.code})" if self.code else ""
        return f"{self.word}{why}"


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image as it is asked for.

    Attributes:
        octets: The file.
        version: Version of the request: that of its row of the CPL.
        file_version: Version in its OTA header.
        image_hash: Hash that 11.3 names.
    """

    octets: bytes
    version: str
    file_version: str
    image_hash: bytes


@dataclass(frozen=True, slots=True)
class Trial:
    """Brings images to one device of a home.

    Attributes:
        market: Everybody.
        role: The device's type.
        home: Number of the home.
    """

    market: Smets1Market
    role: DeviceType
    home: int = 0

    @property
    def device(self) -> Eui64:
        """The device."""
        return self.market.device(self.role, self.home)

    # -- what is so ----------------------------------------------------------------------------

    async def version(self) -> str:
        """Return the version that the device itself tells (a display: told its hub); else empty."""
        errand = self.market.world.reach.errand(self.device, "11.2", Arguments())
        if errand is None:
            return ""
        account = await self.market.office.s1sp.carry_out(errand)
        if isinstance(account, GateRefusal):
            return ""
        if self.role is DeviceType.PPMID:
            found = answers.row_of(account, self.device)
            return "" if found is None else found.firmware.decode("ascii", "replace")
        values = [item.value.value for item in account.taken if item.value is not None]
        last = values[-1] if values else b""
        return last.decode("ascii", "replace") if isinstance(last, bytes) else ""

    async def row(self, file: ImageFile) -> DistributionRow | None:
        """Return what the hub's distribution log says of an image last, or None."""
        ticket = ImageTicket(self.device, int(file.file_version, 16))
        hub = self.market.device(DeviceType.CHF, self.home)
        try:
            return await self.market.world.desk.images.way.look(hub, ticket)
        except DeskError:
            return None

    def shown(self, version: str) -> frozenset[str]:
        """Return how the device may write a version of an OTA header."""
        number = FirmwareVersion.from_cpl(version)
        codec = self.market.profile(self.role, self.home).firmware.version_codec
        try:
            return frozenset({number.display(codec), number.cpl()})
        except VersionError:
            return frozenset({number.cpl()})

    # -- asking --------------------------------------------------------------------------------

    async def whole(self, file: ImageFile, by: ImportSupplier | None = None) -> Attempt:
        """Ask for 11.1 and, once the image is verified, for 11.3; look at the device around it."""
        before = await self.version()
        attempt = replace(await self.update(file, by), before=before)
        if attempt.word == VERIFIED:
            started = await self.activate(file.image_hash, by)
            told = (*attempt.told, *started.told)
            attempt = replace(started, told=told, before=before)
        row = await self.row(file)
        text = "" if row is None else told_row(row)
        after = await self.version()
        runs = after in self.shown(file.file_version)
        claimed = attempt.word == ACTIVATED
        if claimed and not runs:
            attempt = replace(attempt, word=ACT_FAILED, code=f"it runs {after}", by=self.role.value)
        return replace(attempt, row=text, after=after, claimed=claimed, runs=runs)

    async def update(self, file: ImageFile, by: ImportSupplier | None = None) -> Attempt:
        """Ask for 11.1 and wait for what the S1SP tells of it."""
        return await self._asked(UpdateFirmware(file.octets, file.version, (self.device,)), by)

    async def update_as_smets2(self, file: ImageFile, by: ImportSupplier | None = None) -> Attempt:
        """Ask for 11.4, as for a PPMID of SMETS2+."""
        body = UpdatePpmidFirmware(file.octets, file.file_version, (self.device,))
        return await self._asked(body, by)

    async def _asked(self, body: UpdateFirmware, by: ImportSupplier | None) -> Attempt:
        user = by or self.market.supplier()
        before = len(user.answered)
        asked = await self.market.world.ask(user, body)
        category = self._refused()
        if asked.code != ACKNOWLEDGED or category:
            return Attempt(_OF_CATEGORY.get(category, REJECTED), category or asked.code, "DSP")
        return of_answers(user.answered[before:], self.device)

    async def activate(self, image_hash: bytes, by: ImportSupplier | None = None) -> Attempt:
        """Ask for 11.3."""
        user = by or self.market.supplier()
        asked = await self.market.world.ask(user, ActivateFirmware(image_hash), self.device)
        if asked.code != ACKNOWLEDGED:
            category = self._refused()
            return Attempt(_OF_CATEGORY.get(category, REJECTED), category or asked.code, "DSP")
        answer = user.answer_to(asked.request.request_id)
        return Attempt(NOTHING_TOLD) if answer is None else of_activation(answer, self.role)

    async def read(self, by: ImportSupplier | None = None) -> tuple[str, str]:
        """Ask for 11.2; return the version and an empty text, or nothing and why not."""
        user = by or self.market.supplier()
        asked = await self.market.world.ask(user, ReadFirmwareVersion(), self.device)
        if asked.code != ACKNOWLEDGED:
            return "", self._refused() or asked.code
        answer = user.answer_to(asked.request.request_id)
        body = None if answer is None else getattr(answer.value, "body", None)
        if not isinstance(body, Result):
            return "", "no answer" if answer is None else getattr(answer.value, "code", "alert")
        if not body.success:
            return "", body.statuses[0].error if body.statuses else "failed"
        return next((one.text for one in body.values if one.name == "FirmwareVersion"), ""), ""

    def _refused(self) -> str:
        """Return why the DSP left the device out of its last decision, or nothing."""
        decision = self.market.world.dsp.decisions[-1]
        left_out = {device: why.category.value for device, why in decision.left_out}
        return left_out.get(self.device) or decision.category or ""


def of_answers(answered: list[FromS1sp], device: Eui64) -> Attempt:
    """Return what an S1SP's answers to an 11.1 say of a device."""
    values = [one.value for one in answered]
    mine = [one for one in values if one.device == device]
    told = tuple(_words(one) for one in mine)
    if not mine:
        return Attempt(NOTHING_TOLD)
    last = mine[-1]
    if isinstance(last, S1spAlert):
        word = _OF_FAULT.get(last.code, REJECTED)
        if word == TRANSFER_FAILED and _HW_MISMATCH in (last.information or ""):
            word = "HW_MISMATCH"
        return Attempt(word, last.code, "S1SP", told)
    if isinstance(last.body, DeviceAlert):
        if last.body.code == AlertCode.FIRMWARE_VERIFIED:
            return Attempt(VERIFIED, told=told)
        return Attempt(VERIFY_FAILED, last.body.description, "device", told)
    return Attempt(NOTHING_TOLD, told=told)


def of_activation(answer: FromS1sp, role: DeviceType) -> Attempt:
    """Return what an S1SP's answer to an 11.3 says."""
    value = answer.value
    told = (_words(value),)
    if isinstance(value, S1spAlert):
        return Attempt(_OF_FAULT.get(value.code, REJECTED), value.code, "S1SP", told)
    if answer.success:
        return Attempt(ACTIVATED, told=told)
    statuses = value.body.statuses if isinstance(value.body, Result) else ()
    error = statuses[0].error if statuses else ""
    word = next((one for name, one in _OF_ACTIVATION.items() if error.startswith(name)), ACT_FAILED)
    return Attempt(word, error, role.value, told)


def told_row(row: DistributionRow) -> str:
    """Return a row of the hub's distribution log in words."""
    why = "" if row.reason is hub_image.Reason.NONE else f"/{row.reason.word}"
    return f"{row.stage.name}{why}"


def _words(value: Smets1Response | S1spAlert) -> str:
    if isinstance(value, S1spAlert):
        return f"alert {value.code}: {value.information or ''}"
    body = value.body
    if isinstance(body, DeviceAlert):
        return f"{body.code or 0:04X} {body.description}"
    if body.success:
        return f"{body.element}: success"
    errors = "; ".join(one.error for one in body.statuses)
    return f"{body.element}: {errors}"
