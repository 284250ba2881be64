"""The S1SP's desk for firmware: 11.1 to a hub and the device behind it, 11.3 at the device.

Source:
    firmware.md F-024 (the S1SP verifies the authorising signature, keeps the hash per device and
    compares it with 11.3; the hub checks size and metadata), S003 §3 (hub first, then the target).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.cohort import CohortMetadata
from device_profiles.metadata_layout import MetadataMode
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.hub_image import DistributionRow, ImageTicket, Reason, Stage
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import ActivationCode
from emulator.core.clock import UtcMs, to_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from firmware_images.version import FirmwareVersion, VersionError
from harness.formats.duis.bodies import ActivateFirmware, UpdateFirmware
from harness.formats.duis.smets1_contents import Result
from harness.parties import s1sp_image
from harness.parties.s1sp_desk_faults import DeskError, DeskFault
from harness.parties.s1sp_desk_firmware import OTHER_MAKE, MakeRules, activation, not_held
from harness.parties.s1sp_desk_records import DeskRecord
from harness.parties.s1sp_image import OfferedImage
from harness.parties.s1sp_image_way import CARRIED, METADATA, STARTED, ImageWay
from harness.smets1.arguments import Arguments
from harness.smets1.steps import Account, Done

_READ: Final = "11.2"
_START: Final = "11.3"
#: Devices whose version only their hub knows, and hubs: the hub's log tells of them.
_TOLD_BY_HUB: Final = frozenset({DeviceType.PPMID, DeviceType.CHF})
#: Kind of a hub's reason -> ours; any other: the hub refused it.
_FAULTS: Final[Mapping[str, DeskFault]] = {
    Reason.SIZE.kind: DeskFault.HUB_SIZE,
    Reason.STORE_FULL.kind: DeskFault.HUB_STORE,
    Reason.STORE_BLOCKED.kind: DeskFault.HUB_STORE,
    Reason.NOT_SUPPORTED.kind: DeskFault.IMAGE_NOT_SUPPORTED,
    Reason.HELD_ALREADY.kind: DeskFault.HUB_HOLDS_ANOTHER,
    Reason.METADATA_TRUNCATED.kind: DeskFault.METADATA_REFUSED,
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a device's alert tells of an image.

    Attributes:
        code: 8F72 or 8F1C.
        says: One sentence.
        image_hash: Manufacturer Image Hash, 64 hex digits.
    """

    code: AlertCode
    says: str
    image_hash: str


class ImageDesk:
    """Brings images to devices, and has devices start them.

    Args:
        way: How images go to hubs.
        rules: What the cohort makes of PPMIDs.
        metadata: Where the cohort's hubs find metadata, by day.
        keys: Certificates of all parties.

    Attributes:
        way: How images go to hubs.
        rules: What the cohort makes of PPMIDs.
    """

    def __init__(
        self, way: ImageWay, rules: MakeRules, metadata: CohortMetadata, keys: KeyStore
    ) -> None:
        self.way = way
        self.rules = rules
        self._metadata = metadata
        self._keys = keys

    # -- 11.1 --------------------------------------------------------------------------------

    async def update(
        self, record: DeskRecord, body: UpdateFirmware, supplier: Eui64
    ) -> Receipt | None:
        """Bring an image to a device and wait for what becomes of it; None: nobody is told.

        What is kept of the device changes where the image was verified there, and only then.

        Raises:
            DeskError: The image is refused: by the S1SP, or by the hub.
        """
        if self.rules.bars_update(record):
            raise DeskError(DeskFault.OTHER_MAKE, f"{record.device} is {OTHER_MAKE}")
        image = self.opened(record, body)
        trouble = self.signature_trouble(image, supplier)
        if trouble:
            raise DeskError(DeskFault.IMAGE_SIGNATURE, trouble)
        mode = self.mode()
        metadata = self.metadata_for(image) if mode is MetadataMode.ENDURING else b""
        account = await self.way.hand_over(record.hub, image, metadata)
        row = await self._carried(record.hub, image, account)
        self.keep(record, image, row, mode)
        return self.receipt(image, row, mode)

    def opened(self, record: DeskRecord, body: UpdateFirmware) -> OfferedImage:
        """Return the image of a request, taken apart for a device.

        Raises:
            DeskError: The file contradicts itself, or there is no way to the device.
        """
        profile, hub = self._model(record.device), self._model(record.hub)
        return s1sp_image.open_image(body, record.device, profile, hub)

    def keep(
        self, record: DeskRecord, image: OfferedImage, row: DistributionRow, mode: MetadataMode
    ) -> None:
        """Keep hash and version of an image that its device has verified."""
        if row.stage is not Stage.DONE:
            return
        record.image_hash = s1sp_image.hash_of(image, mode)
        record.image_version = image.version
        record.image_file_version = image.file_version

    def mode(self) -> MetadataMode:
        """Return where the cohort's hubs find metadata today."""
        return self._metadata.mode_on(to_datetime(self.way.clock.now()).date())

    def signature_trouble(self, image: OfferedImage, supplier: Eui64) -> str:
        """Return what is wrong with the authorising signature, or nothing."""
        return s1sp_image.signature_trouble(image, self._keys, supplier)

    def metadata_for(self, image: OfferedImage) -> bytes:
        """Return the metadata the S1SP hands over beside a bare image.

        Raises:
            DeskError: The hub's layout asks for what the S1SP does not know.
        """
        return s1sp_image.metadata_of(image)

    def receipt(
        self, image: OfferedImage, row: DistributionRow, mode: MetadataMode
    ) -> Receipt | None:
        """Return what the device's supplier is told of an image; None: nothing.

        Raises:
            DeskError: The image never came to be judged by the device.
        """
        its_hash = s1sp_image.hash_of(image, mode)
        if row.stage is Stage.DONE:
            return Receipt(AlertCode.FIRMWARE_VERIFIED, "image verified", its_hash)
        if row.stage is Stage.VERIFY_FAILED:
            why = f"image not verified by the device: {row.reason.word}"
            return Receipt(AlertCode.FIRMWARE_VERIFICATION_FAILED, why, its_hash)
        raise DeskError(*_refusal(row, mode))

    async def _carried(self, hub: Eui64, image: OfferedImage, account: Account) -> DistributionRow:
        """Return how the hub's transfer ended.

        Raises:
            DeskError: The hub refused it without a word in its log, or told nothing in time.
        """
        settings = self.way.settings
        if account.done is not Done.DONE:
            refused = None
            if account.equivalent.service != METADATA:
                refused = await self.way.look(hub, image.ticket)
            if refused is None or refused.stage not in CARRIED:
                raise DeskError(DeskFault.HUB_REFUSED, account.says)
            return refused
        row = await self.way.outcome(hub, image.ticket, CARRIED, settings.patience_s)
        if row is None:
            why = f"hub {hub} told no outcome within {settings.patience_s} s"
            raise DeskError(DeskFault.NO_OUTCOME, why)
        return row

    def _model(self, device: Eui64) -> DeviceProfile:
        found = self.way.reach.profile(device)
        if found is None:
            raise DeskError(DeskFault.UNKNOWN_DEVICE, f"there is no way to {device}")
        return found

    # -- 11.3 --------------------------------------------------------------------------------

    async def activate(self, record: DeskRecord, element: str, body: ActivateFirmware) -> Result:
        """Have a device start the image that was verified last.

        Args:
            record: What is kept of the device.
            element: Name of the response's element.
            body: The request.

        Raises:
            DeskError: The device is not reached, or the gate lets the order not pass.
        """
        if self.rules.bars_update(record):
            return activation(element, ActivationCode.ACTIVATION_FAILURE, why=OTHER_MAKE)
        refused = self.hash_objection(element, record, body)
        if refused is not None:
            return refused
        version = record.image_file_version
        ticket = ImageTicket(record.device, int(version or "0", 16))
        order = Arguments(ticket=hub_image.encode_ticket(ticket))
        account = await self.way.carry(record.device, _START, order)
        why = account.says
        if account.done is Done.DONE:
            why = await self.not_started(record, ticket)
        if why:
            return activation(element, ActivationCode.ACTIVATION_FAILURE, why=why)
        started = record.image_version
        record.declared = started
        record.image_hash = record.image_version = record.image_file_version = ""
        return activation(element, ActivationCode.SUCCESS, started)

    def hash_objection(
        self, element: str, record: DeskRecord, body: ActivateFirmware
    ) -> Result | None:
        """Return the answer to a hash that is not the kept one, or None."""
        if record.image_hash and body.firmware_hash.hex() == record.image_hash:
            return None
        return not_held(element, record)

    async def not_started(self, record: DeskRecord, ticket: ImageTicket) -> str:
        """Wait until a device runs its new version; returns why it does not, or nothing."""
        settings = self.way.settings
        if record.device_type in _TOLD_BY_HUB:
            row = await self.way.outcome(
                record.hub, ticket, STARTED, settings.activation_patience_s
            )
            if row is None:
                return "the hub told no outcome"
            return "" if row.stage is Stage.ACTIVATED else row.reason.word
        return await self._not_read_back(record, ticket)

    async def _not_read_back(self, record: DeskRecord, ticket: ImageTicket) -> str:
        wanted = self._texts(record, ticket)
        settings, clock = self.way.settings, self.way.clock
        until = UtcMs(clock.now() + 1000 * settings.activation_patience_s)
        pause = 1000 * settings.first_look_s
        read = ""
        while clock.now() < until:
            await clock.sleep_until(UtcMs(min(clock.now() + pause, until)))
            account = await self.way.carry(record.device, _READ, Arguments(), patient=True)
            read = _text(account) or read
            if read in wanted:
                return ""
            pause = min(2 * pause, 1000 * settings.longest_look_s)
        return f"it runs {read}" if read else "its version could not be read back"

    def _texts(self, record: DeskRecord, ticket: ImageTicket) -> frozenset[str]:
        """Return how a device may write the version of an image."""
        version = FirmwareVersion.from_number(ticket.file_version)
        try:
            shown = version.display(self._model(record.device).firmware.version_codec)
        except VersionError:
            shown = version.cpl()
        return frozenset({shown, version.cpl()})


def _text(account: Account) -> str:
    found = [item.value.value for item in account.taken if item.value is not None]
    last = found[-1] if found else b""
    return last.decode("ascii", "replace") if isinstance(last, bytes) else ""


def _refusal(row: DistributionRow, mode: MetadataMode) -> tuple[DeskFault, str]:
    """Return our name for what a hub did with an image, and a sentence."""
    if row.stage is Stage.ABORTED:
        why = f"{row.reason.word}, {row.served} octets served"
        return DeskFault.IMAGE_ABORTED, why
    fault = _FAULTS.get(row.reason.kind, DeskFault.HUB_REFUSED)
    why = f"the hub discarded the image: {row.reason.kind} ({row.reason.word})"
    if fault is not DeskFault.METADATA_REFUSED:
        return fault, why
    note = "stand-in layout, real layout not public"
    if mode is MetadataMode.ENDURING:
        return DeskFault.OWN_METADATA_REFUSED, f"{why}; the S1SP made the metadata; {note}"
    return fault, f"{why}; they came inside the image; {note}"
