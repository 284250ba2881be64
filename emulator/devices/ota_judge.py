"""What an OTA client makes of a frame the server sent: which event it is, or why it is none."""

from dataclasses import dataclass, field
from typing import TypeAlias

from device_profiles.words import DowngradePolicy
from emulator.codecs.zcl.ota import (
    ANY_FILE_VERSION,
    ANY_IMAGE_TYPE,
    ANY_MANUFACTURER,
    ImageBlockRefusal,
    ImageBlockResponse,
    ImageBlockWait,
    ImageNotify,
    OtaStatus,
    QueryNextImageRefusal,
    QueryNextImageResponse,
    UpgradeEndResponse,
)
from emulator.devices.ota_settings import OtaSettings
from emulator.devices.ota_table import OtaEvent

ServerAnswer: TypeAlias = (
    ImageNotify
    | QueryNextImageResponse
    | QueryNextImageRefusal
    | ImageBlockResponse
    | ImageBlockWait
    | ImageBlockRefusal
    | UpgradeEndResponse
)
_E = OtaEvent


@dataclass(slots=True)
class Download:
    """A partly received image; its length is the offset of the next block.

    Attributes:
        version: File version of the image, as the OTA header counts it.
        size_bytes: Octets of the whole file.
        octets: What has arrived, without gaps.
    """

    version: int
    size_bytes: int
    octets: bytearray = field(default_factory=bytearray)


class OtaJudge:
    """Judges a server's frames against what the client is, runs and is receiving.

    Attributes:
        settings: The client's side of the device profile.
        running_version: Version that runs, as the OTA header counts it.
        download: The image being received, also kept over a break to be resumed.
        ending_version: Version an unanswered Upgrade End Request named, or None.
    """

    def __init__(self, settings: OtaSettings, running_version: int) -> None:
        self.settings = settings
        self.running_version = running_version
        self.download: Download | None = None
        self.ending_version: int | None = None

    @property
    def offset(self) -> int:
        """Octet the next block must begin at."""
        return 0 if self.download is None else len(self.download.octets)

    def judge(self, frame: ServerAnswer) -> tuple[OtaEvent, str]:
        """Say which event a frame is, and why this client may not act on it (empty: it may)."""
        if isinstance(frame, ImageNotify):
            return _E.NOTIFIED, self.why_not_notified(frame)
        if isinstance(frame, UpgradeEndResponse):
            return _E.END_ANSWERED, self.why_not_end(frame)
        if isinstance(frame, QueryNextImageResponse | QueryNextImageRefusal):
            return self._judge_offer(frame), ""
        return self._judge_block(frame), ""

    def _judge_offer(self, frame: QueryNextImageResponse | QueryNextImageRefusal) -> OtaEvent:
        if isinstance(frame, QueryNextImageRefusal) or self.why_not_offer(frame):
            return _E.NOT_OFFERED
        return _E.OFFERED

    def _judge_block(
        self, frame: ImageBlockResponse | ImageBlockWait | ImageBlockRefusal
    ) -> OtaEvent:
        if isinstance(frame, ImageBlockWait):
            return _E.WAIT
        if isinstance(frame, ImageBlockRefusal):
            final = frame.status in {OtaStatus.ABORT, OtaStatus.NO_IMAGE_AVAILABLE}
            return _E.ABORTED if final else _E.BAD_BLOCK
        if self.why_bad_block(frame):
            return _E.BAD_BLOCK
        download = self.download
        last = download is not None and self.offset + len(frame.data) == download.size_bytes
        return _E.LAST_BLOCK if last else _E.BLOCK

    def why_not_notified(self, frame: ImageNotify) -> str:
        """Return why a notification is not for this client; empty when it is."""
        settings = self.settings
        if frame.manufacturer_code not in {None, ANY_MANUFACTURER, settings.manufacturer_code}:
            return "image of another manufacturer"
        if frame.image_type not in {None, ANY_IMAGE_TYPE, settings.image_type}:
            return "image of another type"
        return "already running" if frame.file_version == self.running_version else ""

    def why_not_offer(self, frame: QueryNextImageResponse) -> str:
        """Return why an offered image is not taken; empty when it is (F-044)."""
        settings = self.settings
        if frame.manufacturer_code != settings.manufacturer_code:
            return "other manufacturer"
        if frame.image_type != settings.image_type:
            return "other image type"
        if not 0 < frame.image_size <= settings.max_image_bytes:
            return "too large for this device"
        if frame.file_version == self.running_version:
            return "already running"
        refuses = settings.downgrade_policy is DowngradePolicy.REFUSE_AT_QUERY
        return "downgrade" if refuses and frame.file_version < self.running_version else ""

    def why_bad_block(self, frame: ImageBlockResponse) -> str:
        """Return why a block cannot be the next one; empty when it is (F-047)."""
        settings, download = self.settings, self.download
        if download is None:
            return "no download"
        if (frame.manufacturer_code, frame.image_type, frame.file_version) != (
            settings.manufacturer_code,
            settings.image_type,
            download.version,
        ):
            return "block of another image"
        if frame.offset != self.offset:
            return "duplicate" if frame.offset < self.offset else "offset ahead"
        if not 0 < len(frame.data) <= settings.max_data_size:
            return "block size"
        return "past the end" if self.offset + len(frame.data) > download.size_bytes else ""

    def why_not_end(self, frame: UpgradeEndResponse) -> str:
        """Return why an Upgrade End Response is not for this client; empty when it is."""
        settings = self.settings
        if frame.manufacturer_code not in {ANY_MANUFACTURER, settings.manufacturer_code}:
            return "upgrade end of another manufacturer"
        if frame.image_type not in {ANY_IMAGE_TYPE, settings.image_type}:
            return "upgrade end of another type"
        known = frame.file_version in {ANY_FILE_VERSION, self.ending_version}
        return "" if known else "upgrade end of another version"
