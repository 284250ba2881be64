"""Metadata of one hub maker around a Manufacturer Image: made, found and taken off."""

import enum
import functools
import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from device_profiles.metadata_layout import MetadataLayout, MetadataMode, MetadataPosition
from device_profiles.metadata_makers import HubMaker
from device_profiles.schema import DeviceProfile
from device_profiles.words import GBCS_DEVICE_NUMBER, ImageHashScope
from emulator.codecs.chf_metadata_format import LAYER, MetadataFormat, Value
from emulator.codecs.dlms.hdlc import fcs
from emulator.codecs.ota_file import OtaHeader
from emulator.core.errors import MalformedFrameError


@dataclass(frozen=True, slots=True)
class MetadataTarget:
    """What a layout may say of the device an image is for.

    Attributes:
        manufacturer_code: Its maker (u16).
        model_id: First half of its DUIS model (u16).
        hardware_version: Second half of it (u16).
        device_class: Its device type as GBCS numbers it.
    """

    manufacturer_code: int
    model_id: int
    hardware_version: int
    device_class: int

    @classmethod
    def of(cls, profile: DeviceProfile) -> "MetadataTarget":
        """Return the target that devices of a profile are."""
        identity = profile.identity
        return cls(
            identity.manufacturer_code,
            identity.model_id,
            identity.hardware_version,
            GBCS_DEVICE_NUMBER[profile.device_type],
        )


class Missing(enum.Enum):
    """Why a source yields no value."""

    UNKNOWN = "nobody said which device it is for"
    ABSENT = "the OTA header does not say it"


@dataclass(frozen=True)
class ImageFacts:
    """What the values of metadata are computed from.

    Attributes:
        layout: The layout.
        hub_code: Manufacturer code of the hub (u16).
        header: OTA header of the image.
        image: The Manufacturer Image, bare.
        target: The device it is for; None where nobody says.
    """

    layout: MetadataLayout
    hub_code: int
    header: OtaHeader
    image: bytes
    target: MetadataTarget | None = None

    @cached_property
    def sha256(self) -> bytes:
        """Digest of the bare image, 32 octets."""
        return hashlib.sha256(self.image).digest()

    def value(self, source: str) -> Value | Missing:
        """Return what a ``value_from`` yields for this image."""
        if source.startswith("image.sha256["):
            return self.sha256[: int(source[len("image.sha256[:") : -1])]
        if source.startswith("target.") and self.target is None:
            return Missing.UNKNOWN
        found = _VALUES[source](self)
        return Missing.ABSENT if found is None else found


def _target(facts: ImageFacts) -> MetadataTarget:
    if facts.target is None:
        raise ValueError(Missing.UNKNOWN.value)
    return facts.target


def _model(facts: ImageFacts) -> str:
    target = _target(facts)
    return f"{target.model_id:04X}{target.hardware_version:04X}"


def _segments(facts: ImageFacts) -> int:
    return -(-len(facts.image) // (facts.layout.segment_bytes or 1))


#: ``value_from`` -> its value; None where the header has no such field.
_VALUES: Final[Mapping[str, Callable[[ImageFacts], Value | None]]] = {
    "hub.manufacturer_code": lambda facts: facts.hub_code,
    "ota.manufacturer_code": lambda facts: facts.header.manufacturer_code,
    "ota.image_type": lambda facts: facts.header.image_type,
    "ota.file_version": lambda facts: facts.header.file_version,
    "ota.minimum_hardware": lambda facts: facts.header.minimum_hardware,
    "ota.maximum_hardware": lambda facts: facts.header.maximum_hardware,
    "image.length": lambda facts: len(facts.image),
    "image.crc32": lambda facts: zlib.crc32(facts.image),
    "image.crc16x25": lambda facts: int.from_bytes(fcs(facts.image), "little"),
    "image.sha256": lambda facts: facts.sha256,
    "metadata.length": lambda facts: facts.layout.size_bytes,
    "segment.size": lambda facts: facts.layout.segment_bytes,
    "segment.count": _segments,
    "target.manufacturer_code": lambda facts: _target(facts).manufacturer_code,
    "target.model": _model,
    "target.model_id": lambda facts: _target(facts).model_id,
    "target.hw_version": lambda facts: _target(facts).hardware_version,
    "target.device_class": lambda facts: _target(facts).device_class,
}


class MetadataError(ValueError):
    """Metadata cannot be made from what is known.

    Attributes:
        field: Name of the field.
    """

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"metadata field {field}: {why}")
        self.field = field


class MetadataCodec:
    """The metadata that the hubs of one maker ask for.

    Attributes:
        layout: Their layout.
        hub_code: Their manufacturer code (u16).
        format: The layout, compiled.

    Source:
        S003 §5 says that there are such metadata, that they are of the hub's maker and under the
        hash; every layout is invented (stand-in layout, real layout not public).
    """

    def __init__(self, layout: MetadataLayout, hub_code: int) -> None:
        self.layout: Final = layout
        self.hub_code: Final = hub_code
        self.format: Final = MetadataFormat(layout)

    def facts(
        self, header: OtaHeader, image: bytes, target: MetadataTarget | None = None
    ) -> ImageFacts:
        """Return what the values of an image's metadata are computed from."""
        return ImageFacts(self.layout, self.hub_code, header, image, target)

    def build(
        self,
        header: OtaHeader,
        image: bytes,
        target: MetadataTarget | None,
        given: Mapping[str, Value] | None = None,
    ) -> bytes:
        """Make the metadata of an image; no octets for hubs that ask for none.

        In enduring mode this is what the S1SP hands to the hub.

        Args:
            header: Its OTA header.
            image: The Manufacturer Image, bare.
            target: The device it is for.
            given: Values by field name, in the place of defaults alone.

        Raises:
            MetadataError: A value is not known, does not fit, or is not there to be given.
        """
        told = dict(given or {})
        facts = self.facts(header, image, target)
        values: dict[str, Value] = {}
        for one in self.layout.values():
            if one.const is not None:
                values[one.name] = one.const
            elif one.value_from is not None:
                found = facts.value(one.value_from)
                if isinstance(found, Missing):
                    raise MetadataError(one.name, f"{one.value_from}: {found.value}")
                values[one.name] = found
            elif one.default is not None:
                values[one.name] = told.pop(one.name, one.default)
        for name in told:
            free = [one.name for one in self.layout.values() if one.default is not None]
            why = f"{self.layout.layout_id} leaves it not free (free: {', '.join(free) or 'none'})"
            raise MetadataError(name, why)
        return self._written(values)

    def _written(self, values: Mapping[str, Value]) -> bytes:
        for one in self.layout.values():
            try:
                self.format.encoded(one, values)
            except ValueError as error:
                raise MetadataError(one.name, str(error)) from error
        return self.format.write(values)

    def join(self, metadata: bytes, image: bytes) -> bytes:
        """Put metadata and Manufacturer Image together in the order of the layout."""
        return image + metadata if self._is_suffix else metadata + image

    def split(self, content: bytes) -> tuple[bytes, bytes]:
        """Take what stands between OTA header and trailer apart, by position alone.

        Returns:
            The metadata, and the Manufacturer Image as the layout has it.

        Raises:
            MalformedFrameError: The content ends before the metadata do.
        """
        size = self.layout.size_bytes
        if size is None:  # open-ended: only reading tells where the metadata end
            size = len(self.format.read(content).octets)
        if len(content) < size:
            why = f"{len(content)} octets are no {self.layout.layout_id} of {size}"
            raise MalformedFrameError(LAYER, content, why, len(content))
        at = len(content) - size if self._is_suffix else size
        first, second = content[:at], content[at:]
        return (second, first) if self._is_suffix else (first, second)

    @property
    def _is_suffix(self) -> bool:
        return self.layout.position is MetadataPosition.SUFFIX


@functools.lru_cache(maxsize=64)
def _kept(layout: MetadataLayout, hub_code: int) -> MetadataCodec:
    return MetadataCodec(layout, hub_code)


def codec_of(maker: HubMaker) -> MetadataCodec:
    """Return the codec of a hub maker; the same maker gives the same one."""
    return _kept(maker.layout, maker.manufacturer_code)


def hashed_octets(codec: MetadataCodec, mode: MetadataMode, content: bytes) -> bytes:
    """Return what the Manufacturer Image Hash is taken over (F-053).

    Args:
        codec: Of the hub the image is for.
        mode: Where the hub finds the metadata; in enduring mode the content is the bare image.
        content: What stands between OTA header and trailer.

    Raises:
        MalformedFrameError: The hash is over the image alone and the metadata cannot be found.

    Source:
        S003 §5 (the hash is taken with the metadata in place).
    """
    whole = codec.layout.hash_scope is ImageHashScope.METADATA_AND_IMAGE
    if codec.layout.is_none or whole or mode is MetadataMode.ENDURING:
        return content
    return codec.split(content)[1]


def image_hash(codec: MetadataCodec, mode: MetadataMode, content: bytes) -> bytes:
    """Return the Manufacturer Image Hash (32 octets) that an image has for one maker's hubs.

    Raises:
        MalformedFrameError: As :func:`hashed_octets`.
    """
    return hashlib.sha256(hashed_octets(codec, mode, content)).digest()
