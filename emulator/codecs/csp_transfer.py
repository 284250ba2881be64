"""STAND-IN: frames of the image transfer between CSP and hub, whose real form is not public.

Every frame: ``SBIT`` (4 octets), version 1, kind (1 octet), body length (4 octets), body, CRC-32
over all before it (4 octets). Numbers are big-endian. The CSP sends Offer, Chunk and Close, the
hub answers each with Offer Answer, Chunk Answer and Closed.

Source:
    invented. The CRC is the one of IEEE 802.3; reasons follow `harness.ports.StageOutcome`.
"""

import binascii
import enum
import io
from dataclasses import dataclass, fields
from typing import Any, Final

import construct as c

from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

#: Octets around the body.
OVERHEAD_BYTES: Final = 14
#: Octets of data a chunk holds at most.
MAX_CHUNK_BYTES: Final = 0xFFFF

_LAYER: Final = "csp_transfer"
_MAGIC: Final = b"SBIT"
_VERSION: Final = 1


class Reason(enum.IntEnum):
    """Why a side answers as it does; ``word`` is the outcome word of reports."""

    ACCEPTED = 0
    HELD = 1
    COMPLETE = 2
    ABANDONED = 3
    TOO_LARGE = 4
    STORE_FULL = 5
    BUSY = 6
    TRANSFER_FAILED = 7
    METADATA_MISMATCH = 8
    MALFORMED = 9
    HASH_MISMATCH = 10
    UNKNOWN_TRANSFER = 11
    NO_TARGET_HERE = 12

    @property
    def word(self) -> str:
        """The name in lower case with hyphens, e.g. ``too-large``."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Offer:
    """CSP to hub: an image for devices of your HAN.

    Attributes:
        transfer_id: 32 bits; all frames of the transfer carry it.
        request_id: The update request it belongs to, at most 255 octets of UTF-8.
        total_size: Octets of the image, 32 bits.
        sha256: Of the image, 32 octets.
        targets: Devices that are to have it.
    """

    transfer_id: int
    request_id: str
    total_size: int
    sha256: bytes
    targets: tuple[Eui64, ...]


@dataclass(frozen=True, slots=True)
class OfferAnswer:
    """Hub to CSP: ACCEPTED, or why not."""

    transfer_id: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Chunk:
    """CSP to hub: octets of the image.

    Attributes:
        transfer_id: Of the transfer.
        offset: Place of the first octet in the image.
        data: At least one octet, at most 65,535.
    """

    transfer_id: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ChunkAnswer:
    """Hub to CSP: I hold all before ``next_offset``; send on from there."""

    transfer_id: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class Close:
    """CSP to hub: COMPLETE when all was sent, ABANDONED when no more will come."""

    transfer_id: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Closed:
    """Hub to CSP: HELD, or why the image is not held."""

    transfer_id: int
    reason: Reason


Frame = Offer | OfferAnswer | Chunk | ChunkAnswer | Close | Closed


class _Reason(c.Adapter):
    def _decode(self, obj: int, context: Any, path: str) -> Reason:
        try:
            return Reason(obj)
        except ValueError:
            raise c.MappingError(f"{obj} is no reason", path=path) from None

    def _encode(self, obj: Reason, context: Any, path: str) -> int:
        return int(obj)


class _Targets(c.Adapter):
    def _decode(self, obj: list[bytes], context: Any, path: str) -> tuple[Eui64, ...]:
        return tuple(Eui64(octets) for octets in obj)

    def _encode(self, obj: tuple[Eui64, ...], context: Any, path: str) -> list[bytes]:
        return [target.octets for target in obj]


_TRANSFER: Final = "transfer_id" / c.Int32ub
_ANSWER: Final = c.Struct(_TRANSFER, "reason" / _Reason(c.Int8ub))
_FORMS: Final[dict[type[Frame], tuple[int, c.Construct]]] = {
    Offer: (
        0,
        c.Struct(
            _TRANSFER,
            "request_id" / c.PascalString(c.Int8ub, "utf8"),
            "total_size" / c.Int32ub,
            "sha256" / c.Bytes(32),
            "targets" / _Targets(c.PrefixedArray(c.Int16ub, c.Bytes(8))),
        ),
    ),
    OfferAnswer: (1, _ANSWER),
    Chunk: (
        2,
        c.Struct(
            _TRANSFER,
            "offset" / c.Int32ub,
            "size" / c.Rebuild(c.Int16ub, c.len_(c.this.data)),
            c.Check(c.this.size > 0),
            "data" / c.Bytes(c.this.size),
        ),
    ),
    ChunkAnswer: (3, c.Struct(_TRANSFER, "next_offset" / c.Int32ub)),
    Close: (4, _ANSWER),
    Closed: (5, _ANSWER),
}
_BY_KIND: Final = {kind: (frame_type, form) for frame_type, (kind, form) in _FORMS.items()}
_HEADER: Final = c.Struct(
    "magic" / c.Bytes(4), "version" / c.Int8ub, "kind" / c.Int8ub, "length" / c.Int32ub
)


def decode(data: bytes) -> Frame:
    """Read one frame of the stand-in transfer.

    Raises:
        MalformedFrameError: Too short or too long, not this format, wrong CRC, or a body that is
            not as declared.
    """
    if len(data) < OVERHEAD_BYTES:
        raise MalformedFrameError(_LAYER, data, f"less than {OVERHEAD_BYTES} octets", len(data))
    header = _HEADER.parse(data)
    if header.magic != _MAGIC or header.version != _VERSION:
        raise MalformedFrameError(_LAYER, data, "not a frame of this format and version", 0)
    if header.length != len(data) - OVERHEAD_BYTES:
        why = f"body of {header.length} octets announced, {len(data) - OVERHEAD_BYTES} there"
        raise MalformedFrameError(_LAYER, data, why, 6)
    if binascii.crc32(data[:-4]) != int.from_bytes(data[-4:], "big"):
        raise MalformedFrameError(_LAYER, data, "CRC wrong", len(data) - 4)
    if header.kind not in _BY_KIND:
        raise MalformedFrameError(_LAYER, data, f"kind {header.kind} is not known", 5)
    frame_type, form = _BY_KIND[header.kind]
    stream = io.BytesIO(data[10:-4])
    try:
        raw = form.parse_stream(stream)
    except c.ConstructError as error:
        why = " ".join(str(error).split())
        raise MalformedFrameError(_LAYER, data, why, 10 + stream.tell()) from error
    if stream.tell() != header.length:
        raise MalformedFrameError(_LAYER, data, "octets left over in the body", 10 + stream.tell())
    return frame_type(**{field.name: raw[field.name] for field in fields(frame_type)})


def encode(frame: Frame) -> bytes:
    """Write one frame of the stand-in transfer.

    Raises:
        ValueError: A value does not fit its field.
    """
    kind, form = _FORMS[type(frame)]
    try:
        body = form.build({field.name: getattr(frame, field.name) for field in fields(frame)})
    except c.ConstructError as error:
        raise ValueError(f"{_LAYER}: {' '.join(str(error).split())}") from error
    header = {"magic": _MAGIC, "version": _VERSION, "kind": kind, "length": len(body)}
    framed: bytes = _HEADER.build(header) + body
    return framed + binascii.crc32(framed).to_bytes(4, "big")
