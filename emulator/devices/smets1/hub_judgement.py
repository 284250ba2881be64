"""What a SMETS1 hub makes of an image that has come in whole, and the log's word for it."""

from dataclasses import dataclass
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.hub_image import ImageTicket, Reason
from emulator.codecs.ota_file import OtaHeader
from emulator.devices.smets1.hub_metadata import HubMetadata

#: What a hub has against running an image of its own (``ImageTransfer.why_not``) -> the log's word.
_OWN_REASONS: Final = {
    "no-image": Reason.MALFORMED,
    "size-mismatch": Reason.MALFORMED,
    "other-hardware": Reason.OTHER_HARDWARE,
    "downgrade": Reason.DOWNGRADE,
}


@dataclass(frozen=True, slots=True)
class Judge:
    """What an image is held against.

    Attributes:
        metadata: What the hub asks of metadata.
        ticket: What the image was announced as.
        device_type: What its target is now; None where the hub does not know it.
        own_objection: What the hub has against running it, if it is its own; else nothing.
    """

    metadata: HubMetadata
    ticket: ImageTicket
    device_type: DeviceType | None
    own_objection: str

    def judge(self, octets: bytes, header: OtaHeader | None) -> tuple[Reason, str]:
        """Return why the hub does not take the image, or NONE, and a detail for its reader.

        Args:
            octets: The whole file.
            header: Its OTA header, where it has one.
        """
        if header is None or header.total_image_size != len(octets):
            return Reason.MALFORMED, "no OTA header, or one of another size"
        if header.file_version != self.ticket.file_version:
            return Reason.OTHER_VERSION, f"its header says {header.file_version:08X}"
        if self.device_type is None:
            return Reason.NOT_IN_DEVICE_LOG, "it left the device log meanwhile"
        if self.own_objection:
            reason = _OWN_REASONS.get(self.own_objection, Reason.OTHER_DEVICE)
            return reason, self.own_objection
        verdict = self.metadata.judge(octets, header, self.ticket, self.device_type)
        return verdict.reason, f"{verdict.layout_id}: {verdict.detail}"
