"""Hub makers, an image and its target, for tests of metadata."""

from pathlib import Path
from typing import Any, Final

from device_profiles.loader import load_profile
from device_profiles.metadata_layout import MetadataLayout, MetadataMode
from device_profiles.metadata_makers import HubMaker, load_makers
from emulator.codecs.chf_metadata import MetadataCodec, MetadataTarget, codec_of
from emulator.codecs.chf_metadata_check import Accepted, OfferedImage, Refused, check_image
from emulator.codecs.ota_file import OtaHeader
from emulator.core.chance import Stream

MAKERS: Final[dict[str, HubMaker]] = {one.layout.layout_id: one for one in load_makers().asking()}
CODECS: Final[dict[str, MetadataCodec]] = {name: codec_of(one) for name, one in MAKERS.items()}
IDS: Final = list(CODECS)
PROFILE: Final = load_profile("demo-s1-ppmid")
TARGET: Final = MetadataTarget.of(PROFILE)
OTHER_TARGET: Final = MetadataTarget.of(load_profile("demo-s1-esme"))
IMAGE: Final = Stream(5, "metadata test image").octets(161)
HEADER: Final = OtaHeader(
    manufacturer_code=PROFILE.identity.manufacturer_code,
    image_type=PROFILE.firmware.image_type,
    file_version=0x10000002,
    header_string=b"test".ljust(32, b"\0"),
    total_image_size=0,
    minimum_hardware=0x0100,
    maximum_hardware=0x01FF,
)


def content(layout_id: str, image: bytes = IMAGE, **given: Any) -> bytes:
    """What stands between header and trailer of an image for hubs of this layout."""
    codec = CODECS[layout_id]
    return codec.join(codec.build(HEADER, image, TARGET, given), image)


def tactical(
    codec: MetadataCodec,
    octets: bytes,
    target: MetadataTarget | None = TARGET,
    header: OtaHeader = HEADER,
) -> Accepted | Refused:
    return check_image(codec, MetadataMode.TACTICAL, OfferedImage(header, octets, target))


def enduring(
    codec: MetadataCodec, octets: bytes, supplied: bytes | None, header: OtaHeader = HEADER
) -> Accepted | Refused:
    offered = OfferedImage(header, octets, TARGET, supplied)
    return check_image(codec, MetadataMode.ENDURING, offered)


def layout(**changes: Any) -> MetadataLayout:
    """A small sound layout with some values changed."""
    table: dict[str, Any] = {
        "layout_id": "L-TEST",
        "position": "prefix",
        "size_bytes": 8,
        "field": [
            {"name": "magic", "type": "ascii4", "const": "TEST"},
            {"name": "size", "type": "u32", "value_from": "image.length"},
        ],
    }
    return MetadataLayout.model_validate(table | changes)


#: A maker of the user's own: open-ended TLV items behind a fixed head, no end tag.
SIXTH: Final = """
device_type = "CHF"
title = "a sixth maker"
extends = "demo-s1-chf"
[identity]
manufacturer_code = 0xFFFA
model_id = 0x0199
hardware_version = 0x0100
firmware_version = "10000001"
manufacturer_name = "Sixth"
model_name = "Six"
smets = "SMETS1"
[metadata]
layout_id = "L-SIX-1"
position = "prefix"
hash_scope = "image"
required_fields = ["magic", "name", "digest"]
field = [
    { name = "magic", type = "u16", const = 0x3636 },
    { name = "items", type = "tlv", item = [
        { tag = 9, name = "name", type = "ascii", default = "six" },
        { tag = 2, name = "digest", type = "bytes16", value_from = "image.sha256[:16]" },
        { tag = 3, name = "blob", type = "bytes", default = "0102" },
    ] },
]
[evidence]
"identity" = "stand-in"
"metadata" = "stand-in"
"""


def sixth_maker(folder: Path, text: str = SIXTH) -> Path:
    """An overlay folder with one file: the sixth maker."""
    models = folder / "models"
    models.mkdir(parents=True)
    marked = text[: text.index("[evidence]")]
    (models / "sixth-chf.toml").write_text(marked, "utf-8")
    return folder
