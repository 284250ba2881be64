"""HDLC frames as a construct declaration: the reference for the fast path in ``hdlc``."""

from typing import Any, Final

from construct import (
    BitsInteger,
    BitStruct,
    Bytes,
    Check,
    Checksum,
    Computed,
    Const,
    ConstructError,
    Flag,
    If,
    Int8ub,
    RawCopy,
    RepeatUntil,
    Struct,
    Terminated,
    this,
)

from emulator.codecs.dlms import hdlc
from emulator.codecs.dlms.hdlc_control import CONTROLS
from emulator.core.errors import MalformedFrameError

_ADDRESS: Final = RepeatUntil(lambda octet, _row, _context: octet & 1, Int8ub)
_HEADER: Final = Struct(
    "format"
    / BitStruct(
        "type" / Const(0xA, BitsInteger(4)),
        "segmented" / Flag,
        "length" / BitsInteger(11),
    ),
    "destination" / _ADDRESS,
    "source" / _ADDRESS,
    "control" / Int8ub,
)
_BODY: Final = Struct(
    "header" / RawCopy(_HEADER),
    "rest" / Computed(this.header.value.format.length - this.header.length - 2),
    Check(lambda context: context.rest == 0 or context.rest >= 3),
    "header_check"
    / If(this.rest > 0, Checksum(Bytes(2), hdlc.fcs, lambda context: context.header.data)),
    "information" / If(this.rest > 0, Bytes(this.rest - 2)),
)
_FRAME: Final = Struct(
    Const(b"\x7e"),
    "body" / RawCopy(_BODY),
    "check" / Checksum(Bytes(2), hdlc.fcs, this.body.data),
    Const(b"\x7e"),
    Terminated,
)


def decode(data: bytes) -> hdlc.Frame:
    """Read one frame by the declaration.

    Raises:
        MalformedFrameError: As ``hdlc.decode``, with construct's reasons.
    """
    try:
        raw: Any = _FRAME.parse(data)
    except ConstructError as error:
        raise MalformedFrameError(hdlc.LAYER, data, str(error)) from error
    body = raw.body.value
    header = body.header.value
    return hdlc.Frame(
        hdlc.decode_address(bytes(header.destination)),
        hdlc.decode_address(bytes(header.source)),
        CONTROLS[header.control],
        body.information or b"",
        header.format.segmented,
    )


def encode(frame: hdlc.Frame) -> bytes:
    """Write one frame by the declaration.

    Raises:
        ValueError: As ``hdlc.encode``.
    """
    destination = hdlc.encode_address(frame.destination)
    source = hdlc.encode_address(frame.source)
    length = len(destination) + len(source) + 5
    length += len(frame.information) + 2 if frame.information else 0
    if length > hdlc.MAX_BODY_BYTES:
        raise ValueError(f"{hdlc.LAYER}: {length} octets do not fit a frame")
    header = {
        "format": {"segmented": frame.segmented, "length": length},
        "destination": list(destination),
        "source": list(source),
        "control": frame.control.octet,
    }
    body = {"header": {"value": header}, "information": frame.information}
    octets: bytes = _FRAME.build({"body": {"value": body}})
    return octets
