"""The OTA Upgrade Image: Zigbee OTA header, Manufacturer Image, and a trailer for some kinds."""

import enum
import hashlib
from dataclasses import dataclass
from typing import Any, Final

from construct import (
    Bytes,
    BytesInteger,
    ConstructError,
    If,
    Int8ul,
    Int16ul,
    Int32ul,
    Struct,
    this,
)

from device_profiles.words import ImageKind
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

MAGIC: Final = 0x0BEEF11E
HEADER_VERSION: Final = 0x0100
STACK_VERSION: Final = 0x0002
SIGNATURE_BYTES: Final = 64
#: ForceReplace, signature length, signature.
TRAILER_BYTES: Final = 2 + SIGNATURE_BYTES
HEADER_STRING_BYTES: Final = 32
FIXED_HEADER_BYTES: Final = 56

_CREDENTIAL: Final = 0x0001
_DESTINATION: Final = 0x0002
_HARDWARE: Final = 0x0004
_KNOWN_BITS: Final = _CREDENTIAL | _DESTINATION | _HARDWARE

_FIXED = Struct(
    "magic" / Int32ul,
    "header_version" / Int16ul,
    "header_length" / Int16ul,
    "field_control" / Int16ul,
    "manufacturer_code" / Int16ul,
    "image_type" / Int16ul,
    "file_version" / Int32ul,
    "stack_version" / Int16ul,
    "header_string" / Bytes(HEADER_STRING_BYTES),
    "total_image_size" / Int32ul,
).compile()
_CONDITIONAL = Struct(
    "credential_version" / If(this._.field_control & _CREDENTIAL, Int8ul),
    "destination" / If(this._.field_control & _DESTINATION, BytesInteger(8, swapped=True)),
    "minimum_hardware" / If(this._.field_control & _HARDWARE, Int16ul),
    "maximum_hardware" / If(this._.field_control & _HARDWARE, Int16ul),
)
_TRAILER = Struct(
    "force_replace" / Int8ul,
    "signature_length" / Int8ul,
    "signature" / Bytes(SIGNATURE_BYTES),
).compile()


class ImageErrorName(enum.StrEnum):
    """The ways in which an image file contradicts itself (F-002)."""

    BAD_MAGIC = "bad-magic"
    RESERVED_FIELD_CONTROL = "reserved-field-control"
    BAD_HEADER_LENGTH = "bad-header-length"
    SIZE_MISMATCH = "size-mismatch"
    TRUNCATED_TRAILER = "truncated-trailer"
    BAD_SIG_LENGTH = "bad-sig-length"


class ImageError(MalformedFrameError):
    """An image file contradicts itself.

    Attributes:
        name: Which of the six ways.
    """

    def __init__(self, name: ImageErrorName, data: bytes, why: str, offset: int = -1) -> None:
        super().__init__("ota_file", data, f"{name}: {why}", offset)
        self.name = name


@dataclass(frozen=True, slots=True)
class OtaHeader:
    """The Zigbee OTA header as GB images use it; all integers little-endian in the file.

    Attributes:
        manufacturer_code: Zigbee manufacturer code (u16).
        image_type: Image type (u16).
        file_version: Firmware version (u32): the four octets that GBCS reports, most significant
            first when written as a number.
        header_string: 32 octets of free text.
        total_image_size: Octets of the whole file, this header included (u32).
        minimum_hardware: Lowest hardware version it is for (u16), or None.
        maximum_hardware: Highest hardware version it is for (u16), or None.
        credential_version: Security credential version (u8), or None.
        destination: The one device it is for, or None.
        stack_version: Zigbee stack version (u16).
        header_version: Version of this layout (u16).

    Source:
        Layout: firmware.md 1.2, checked on both TPL samples; optional fields and their order:
        zigpy ``OTAImageHeader`` (F-003).
    """

    manufacturer_code: int
    image_type: int
    file_version: int
    header_string: bytes
    total_image_size: int
    minimum_hardware: int | None = None
    maximum_hardware: int | None = None
    credential_version: int | None = None
    destination: Eui64 | None = None
    stack_version: int = STACK_VERSION
    header_version: int = HEADER_VERSION

    def __post_init__(self) -> None:
        if (self.minimum_hardware is None) != (self.maximum_hardware is None):
            raise ValueError("minimum and maximum hardware version come together")
        if len(self.header_string) != HEADER_STRING_BYTES:
            raise ValueError(f"the header string has {HEADER_STRING_BYTES} octets")

    @property
    def field_control(self) -> int:
        """Which optional fields are there, one bit each."""
        return (
            _CREDENTIAL * (self.credential_version is not None)
            | _DESTINATION * (self.destination is not None)
            | _HARDWARE * (self.minimum_hardware is not None)
        )

    @property
    def header_length(self) -> int:
        """Octets of this header."""
        return _header_length(self.field_control)

    @property
    def version_octets(self) -> bytes:
        """The firmware version as GBCS carries it: four octets, most significant first."""
        return self.file_version.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class OtaImage:
    """An image file, taken apart.

    Attributes:
        kind: What its tail looks like; told by the caller, never guessed (F-004).
        header: The OTA header.
        manufacturer_image: What the device runs, and what hash and signature are taken over. For
            ``wan-provider`` everything after the header: its inner layout is maker-private.
        force_replace: ForceReplace octet; ``supplier-signed`` only.
        signature: r || s, 64 octets; ``supplier-signed`` only.
    """

    kind: ImageKind
    header: OtaHeader
    manufacturer_image: bytes
    force_replace: int | None = None
    signature: bytes | None = None

    def __post_init__(self) -> None:
        signed = self.kind is ImageKind.SUPPLIER_SIGNED
        if signed != (self.signature is not None) or signed != (self.force_replace is not None):
            raise ValueError("ForceReplace and signature belong to supplier-signed images")
        if self.signature is not None and len(self.signature) != SIGNATURE_BYTES:
            raise ValueError(f"a signature has {SIGNATURE_BYTES} octets")


def _header_length(field_control: int) -> int:
    optional = ((_CREDENTIAL, 1), (_DESTINATION, 8), (_HARDWARE, 4))
    return FIXED_HEADER_BYTES + sum(size for bit, size in optional if field_control & bit)


def decode_header(data: bytes) -> OtaHeader:
    """Read the OTA header at the start of ``data``; what follows it is not looked at.

    Raises:
        ImageError: ``bad-magic``, ``reserved-field-control`` or ``bad-header-length``.
    """
    if data[:4] != MAGIC.to_bytes(4, "little"):
        why = f"it begins {data[:4].hex()}, not 1ef1ee0b"
        raise ImageError(ImageErrorName.BAD_MAGIC, data, why, 0)
    if len(data) < FIXED_HEADER_BYTES:
        why = f"{len(data)} octets are no header of {FIXED_HEADER_BYTES}"
        raise ImageError(ImageErrorName.BAD_HEADER_LENGTH, data, why, len(data))
    fixed = _FIXED.parse(data[:FIXED_HEADER_BYTES])
    if fixed.field_control & ~_KNOWN_BITS:
        why = f"field control {fixed.field_control:04x} has bits that mean nothing"
        raise ImageError(ImageErrorName.RESERVED_FIELD_CONTROL, data, why, 8)
    needed = _header_length(fixed.field_control)
    if fixed.header_length != needed:
        why = f"it says {fixed.header_length} octets, its field control makes {needed}"
        raise ImageError(ImageErrorName.BAD_HEADER_LENGTH, data, why, 6)
    if len(data) < needed:
        why = f"the file ends after {len(data)} of {needed} octets"
        raise ImageError(ImageErrorName.BAD_HEADER_LENGTH, data, why, len(data))
    optional = _parse_optional(data[FIXED_HEADER_BYTES:needed], fixed.field_control)
    return _header(fixed, optional)


def _parse_optional(data: bytes, field_control: int) -> Any:
    try:
        return _CONDITIONAL.parse(data, field_control=field_control)
    except ConstructError as error:
        raise ImageError(ImageErrorName.BAD_HEADER_LENGTH, data, str(error)) from error


def _header(fixed: Any, optional: Any) -> OtaHeader:
    destination = optional.destination
    return OtaHeader(
        manufacturer_code=fixed.manufacturer_code,
        image_type=fixed.image_type,
        file_version=fixed.file_version,
        header_string=fixed.header_string,
        total_image_size=fixed.total_image_size,
        minimum_hardware=optional.minimum_hardware,
        maximum_hardware=optional.maximum_hardware,
        credential_version=optional.credential_version,
        destination=None if destination is None else Eui64(destination.to_bytes(8, "big")),
        stack_version=fixed.stack_version,
        header_version=fixed.header_version,
    )


def encode_header(header: OtaHeader) -> bytes:
    """Write an OTA header, total size as the value says it."""
    fixed = _FIXED.build(
        {
            "magic": MAGIC,
            "header_version": header.header_version,
            "header_length": header.header_length,
            "field_control": header.field_control,
            "manufacturer_code": header.manufacturer_code,
            "image_type": header.image_type,
            "file_version": header.file_version,
            "stack_version": header.stack_version,
            "header_string": header.header_string,
            "total_image_size": header.total_image_size,
        }
    )
    destination = header.destination
    optional = _CONDITIONAL.build(
        {
            "credential_version": header.credential_version,
            "destination": None if destination is None else int(destination.hex, 16),
            "minimum_hardware": header.minimum_hardware,
            "maximum_hardware": header.maximum_hardware,
        },
        field_control=header.field_control,
    )
    return bytes(fixed + optional)


def decode(data: bytes, kind: ImageKind) -> OtaImage:
    """Read an image file whose kind the caller knows.

    Args:
        data: The whole file.
        kind: ``supplier-signed`` (ESME, GSME, HCALCS), ``unsigned`` (PPMID) or ``wan-provider``
            (a hub's own image, stand-in).

    Raises:
        ImageError: One of the six names of F-002.

    Source:
        firmware.md 1.1 facts 4 to 7; checked on both TPL samples.
    """
    header = decode_header(data)
    if header.total_image_size != len(data):
        why = f"the header says {header.total_image_size} octets, the file has {len(data)}"
        raise ImageError(ImageErrorName.SIZE_MISMATCH, data, why, 52)
    start = header.header_length
    if kind is not ImageKind.SUPPLIER_SIGNED:
        return OtaImage(kind, header, data[start:])
    end = len(data) - TRAILER_BYTES
    if end < start:
        why = f"{len(data) - start} octets after the header, the trailer alone has {TRAILER_BYTES}"
        raise ImageError(ImageErrorName.TRUNCATED_TRAILER, data, why, start)
    trailer = _TRAILER.parse(data[end:])
    if trailer.signature_length != SIGNATURE_BYTES:
        why = f"where 40 must stand before the signature stands {trailer.signature_length:02x}"
        raise ImageError(ImageErrorName.BAD_SIG_LENGTH, data, why, end + 1)
    return OtaImage(kind, header, data[start:end], trailer.force_replace, trailer.signature)


def encode(image: OtaImage) -> bytes:
    """Write an image file; the header's total size goes in as the value says it."""
    content = encode_header(image.header) + image.manufacturer_image
    if image.signature is None:
        return content
    trailer = {
        "force_replace": image.force_replace,
        "signature_length": SIGNATURE_BYTES,
        "signature": image.signature,
    }
    return content + bytes(_TRAILER.build(trailer))


def size_of(kind: ImageKind, header: OtaHeader, manufacturer_image: bytes) -> int:
    """Return the octets of the file such an image makes."""
    trailer = TRAILER_BYTES if kind is ImageKind.SUPPLIER_SIGNED else 0
    return header.header_length + len(manufacturer_image) + trailer


def manufacturer_image_hash(image: OtaImage) -> bytes:
    """Return SHA-256 (32 octets) over the Manufacturer Image: neither header nor trailer.

    Source:
        GBCS 11.2.4 (through HG); GBCS 0.8.1 p129.
    """
    return hashlib.sha256(image.manufacturer_image).digest()
