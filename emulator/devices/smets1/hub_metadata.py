"""What a SMETS1 hub asks of an image's metadata: by its own maker's layout, where its mode says.

The layouts are stand-ins (real layout not public).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from device_profiles.metadata_layout import MetadataMode
from device_profiles.metadata_makers import HubMaker
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataTarget, codec_of
from emulator.codecs.chf_metadata_check import (
    Accepted,
    MetadataRefusal,
    OfferedImage,
    Refused,
    check_image,
)
from emulator.codecs.dlms.hub_image import ImageTicket, MetadataRecord, Reason
from emulator.codecs.ota_file import OtaHeader
from emulator.core.ids import Eui64
from emulator.devices.saved import Json, Saved

#: Records of the metadata channel that are kept. Source: invented (a peer cannot fill the memory).
MOST_RECORDS: Final = 16
#: Device types whose images end with a supplier's signature. Source: firmware.md F-004.
_SIGNED: Final = frozenset({DeviceType.ESME, DeviceType.GSME, DeviceType.HCALCS})
#: The codec's word -> the log's. Written out: the log's numbers are an interface.
_REASONS: Final = {refusal: Reason.of_word(refusal.value) for refusal in MetadataRefusal}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the hub makes of an image's metadata.

    Attributes:
        reason: NONE where it takes the image.
        detail: One sentence where it does not.
        layout_id: Layout it was read by.
    """

    reason: Reason
    detail: str
    layout_id: str


class HubMetadata:
    """The hub's check of metadata.

    Attributes:
        mode: Where the hub finds them.
        records: What came over the channel: (target, version) -> metadata.

    Source:
        S003 §5. That the hub looks for a signature behind the image where the type of the target
        has one, and by the octet 40 before it where it may have: inferred.
    """

    def __init__(self, profile: DeviceProfile) -> None:
        """Take the hub's model; it is in tactical mode."""
        self.mode = MetadataMode.TACTICAL
        self.records: dict[tuple[Eui64, int], bytes] = {}
        self._maker = HubMaker.of(profile)
        self._own = MetadataTarget.of(profile)

    @property
    def layout_id(self) -> str:
        """The layout its hubs ask for."""
        return self._maker.layout.layout_id

    def take(self, record: MetadataRecord) -> bool:
        """Keep metadata that came over the channel; False in tactical mode, which has none."""
        if self.mode is MetadataMode.TACTICAL:
            return False
        key = (record.ticket.target, record.ticket.file_version)
        self.records.pop(key, None)
        self.records[key] = record.metadata
        if len(self.records) > MOST_RECORDS:
            del self.records[next(iter(self.records))]
        return True

    def judge(
        self, octets: bytes, header: OtaHeader, ticket: ImageTicket, device_type: DeviceType
    ) -> Verdict:
        """Say whether the hub takes a whole image file, by its metadata alone."""
        target = self._own if device_type is DeviceType.CHF else None
        supplied = self.records.get((ticket.target, ticket.file_version))
        first: Refused | None = None
        for content in _contents(octets, header, device_type):
            offered = OfferedImage(header, content, target, supplied)
            answer = check_image(codec_of(self._maker), self.mode, offered)
            if isinstance(answer, Accepted):
                return Verdict(Reason.NONE, "", answer.layout_id)
            first = first or answer
        if first is None:
            return Verdict(Reason.MALFORMED, "nothing stands behind the header", self.layout_id)
        return Verdict(_REASONS[first.reason], first.objection.why, first.layout_id)

    def dump(self) -> Json:
        """Return what came over the channel, as JSON values."""
        return [
            {"target": target.hex, "version": version, "metadata": octets.hex()}
            for (target, version), octets in self.records.items()
        ]

    def load(self, rows: list[Saved]) -> None:
        """Take over what a dump holds; the mode is the home's."""
        self.records = {
            (row.eui64("target"), row.number("version")): row.octets("metadata") for row in rows
        }


def _contents(octets: bytes, header: OtaHeader, device_type: DeviceType) -> Iterator[bytes]:
    """Yield what may stand between header and trailer, the likeliest first."""
    whole = octets[header.header_length :]
    signed = len(whole) > ota_file.TRAILER_BYTES and (
        whole[1 - ota_file.TRAILER_BYTES] == ota_file.SIGNATURE_BYTES
    )
    bare = whole[: -ota_file.TRAILER_BYTES]
    if device_type in _SIGNED:
        yield bare if signed else whole
        return
    yield whole
    if signed:
        yield bare
