"""ASH frames as construct declares them: what the faster codec is measured and tested against."""

from typing import Any, Final

import construct as c

from emulator.codecs.ezsp.ash import (
    AckFrame,
    AshFrame,
    AshReason,
    DataFrame,
    ErrorFrame,
    MalformedAshError,
    NakFrame,
    RstAckFrame,
    RstFrame,
)
from emulator.codecs.ezsp.ash_octets import CRC_BYTES

_POLYNOMIAL: Final = 0x1021


def _crc(octets: bytes) -> int:
    """Return the CRC-CCITT, bit by bit as the specification draws it."""
    register = 0xFFFF
    for octet in octets:
        for bit in range(7, -1, -1):
            carry = register >> 15 ^ octet >> bit & 1
            register = register << 1 & 0xFFFF ^ (_POLYNOMIAL if carry else 0)
    return register


class _Randomised(c.Adapter):
    """Octets under the randomising sequence on the wire, plain in Python."""

    def _decode(self, obj: bytes, context: Any, path: str) -> bytes:
        register, plain = 0x42, bytearray()
        for octet in obj:
            plain.append(octet ^ register)
            register = register >> 1 ^ 0xB8 if register & 1 else register >> 1
        return bytes(plain)

    _encode = _decode


_DATA: Final = c.Struct(
    "control"
    / c.BitStruct(
        "kind" / c.Const(0, c.BitsInteger(1)),
        "number" / c.BitsInteger(3),
        "retransmitted" / c.Flag,
        "acknowledged" / c.BitsInteger(3),
    ),
    "payload" / _Randomised(c.GreedyBytes),
)
_ACKNOWLEDGEMENT: Final = c.Struct(
    "control"
    / c.BitStruct(
        "kind" / c.BitsInteger(3),
        "reserved" / c.Const(0, c.BitsInteger(1)),
        "not_ready" / c.Flag,
        "acknowledged" / c.BitsInteger(3),
    ),
    c.Terminated,
)
_TOLD: Final = c.Struct("kind" / c.Int8ub, "version" / c.Int8ub, "code" / c.Int8ub, c.Terminated)
_NOTHING: Final = c.Struct("kind" / c.Const(b"\xc0"), c.Terminated)


def decode(body: bytes) -> AshFrame:
    """Read what stands between two flags, unstuffed, as `ash.decode` does.

    Raises:
        MalformedAshError: The check does not hold.
        construct.ConstructError: The content is not as declared.
    """
    content, sent = body[:-CRC_BYTES], body[-CRC_BYTES:]
    if _crc(content) != c.Int16ub.parse(sent):
        raise MalformedAshError(body, AshReason.BAD_CRC)
    if content[0] < 0x80:
        raw = _DATA.parse(content)
        control = raw.control
        return DataFrame(control.number, control.acknowledged, raw.payload, control.retransmitted)
    if content[0] < 0xC0:
        control = _ACKNOWLEDGEMENT.parse(content).control
        kind = AckFrame if control.kind == 0b100 else NakFrame
        return kind(control.acknowledged, control.not_ready)
    if content[0] == 0xC0:
        _NOTHING.parse(content)
        return RstFrame()
    told = _TOLD.parse(content)
    return (RstAckFrame if told.kind == 0xC1 else ErrorFrame)(told.code, told.version)


def encode(frame: AshFrame) -> bytes:
    """Write ``frame`` with its check, unstuffed and without flag."""
    content: bytes
    if isinstance(frame, DataFrame):
        control = {
            "number": frame.number,
            "retransmitted": frame.retransmitted,
            "acknowledged": frame.acknowledged,
        }
        content = _DATA.build({"control": control, "payload": frame.payload})
    elif isinstance(frame, AckFrame | NakFrame):
        kind = 0b100 if isinstance(frame, AckFrame) else 0b101
        control = {
            "kind": kind,
            "not_ready": frame.not_ready,
            "acknowledged": frame.acknowledged,
        }
        content = _ACKNOWLEDGEMENT.build({"control": control})
    elif isinstance(frame, RstFrame):
        content = _NOTHING.build({})
    else:
        kind = 0xC1 if isinstance(frame, RstAckFrame) else 0xC2
        content = _TOLD.build({"kind": kind, "version": frame.version, "code": frame.code})
    return content + bytes(c.Int16ub.build(_crc(content)))
