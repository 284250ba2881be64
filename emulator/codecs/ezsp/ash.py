"""ASH frames: the six kinds as values, read strictly and written with check and stuffing."""

import enum
from binascii import crc_hqx
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from emulator.codecs.ezsp.ash_octets import (
    CANCEL,
    CRC_BYTES,
    CRC_START,
    FLAG,
    check,
    randomise,
    stuff,
)
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick

#: The only version of the protocol there is.
ASH_VERSION: Final = 2
#: Numbers of DATA frames run from 0 to 7.
MODULUS: Final = 8
#: Shortest EZSP frame (legacy: sequence, control, frame id).
MIN_DATA_BYTES: Final = 3
#: Longest DATA field. UG101 says 128; since EZSP v8 the longest EZSP frame has 220 octets.
MAX_DATA_BYTES: Final = 220
#: Longest frame without its flag, unstuffed.
MAX_BODY_BYTES: Final = 1 + MAX_DATA_BYTES + CRC_BYTES

_LAYER: Final = "ash"
_RETRANSMITTED: Final = 0x08
_NOT_READY: Final = 0x08
_ACK: Final = 0x80
_NAK: Final = 0xA0
_RST: Final = 0xC0
_RSTACK: Final = 0xC1
_ERROR: Final = 0xC2
_SHORTEST: Final = 1 + CRC_BYTES
_END: Final = bytes((FLAG,))
_FRESH: Final = bytes((CANCEL,))


class AshReason(enum.Enum):
    """Why octets between two flags are no frame."""

    TOO_SHORT = "too short"
    TOO_LONG = "too long"
    COMM_ERROR = "marked as spoilt on the line"
    BAD_ESCAPE = "ends with an escape"
    BAD_CRC = "check does not hold"
    BAD_CONTROL = "unknown control octet"
    BAD_LENGTH = "length does not suit the kind of frame"


class MalformedAshError(MalformedFrameError):
    """Octets between two flags are no ASH frame.

    Attributes:
        reason: Which rule they break.
    """

    def __init__(self, data: bytes, reason: AshReason, offset: int = -1) -> None:
        super().__init__(_LAYER, data, reason.value, offset)
        self.reason = reason


class ResetCode(enum.IntEnum):
    """Why the NCP started anew, or why it gave up (RSTACK and ERROR)."""

    UNKNOWN = 0x00
    EXTERNAL = 0x01
    POWER_ON = 0x02
    WATCHDOG = 0x03
    ASSERT = 0x06
    BOOTLOADER = 0x09
    SOFTWARE = 0x0B
    VERSION = 0x50
    ACK_TIMEOUTS = 0x51
    RESET_FAILED = 0x52
    NCP_RESET = 0x53


@quick
@dataclass(frozen=True, slots=True)
class DataFrame:
    """One EZSP frame on its way.

    Attributes:
        number: 0 to 7.
        acknowledged: Number of the frame its sender expects next.
        payload: The EZSP frame, 3 to 220 octets, not randomised.
        retransmitted: It was sent before.
    """

    number: int
    acknowledged: int
    payload: bytes
    retransmitted: bool = False


@dataclass(frozen=True, slots=True)
class AckFrame:
    """Everything before a number has arrived.

    Attributes:
        acknowledged: Number of the frame its sender expects next, 0 to 7.
        not_ready: The host asks the NCP to hold callbacks back.
    """

    acknowledged: int
    not_ready: bool = False


@dataclass(frozen=True, slots=True)
class NakFrame:
    """Everything before a number has arrived; from there on all must come again.

    Attributes:
        acknowledged: Number of the frame its sender expects next, 0 to 7.
        not_ready: The host asks the NCP to hold callbacks back.
    """

    acknowledged: int
    not_ready: bool = False


@dataclass(frozen=True, slots=True)
class RstFrame:
    """The host asks the NCP to start anew."""


@dataclass(frozen=True, slots=True)
class RstAckFrame:
    """The NCP has started anew.

    Attributes:
        code: Why, a `ResetCode` or a number that it does not list.
        version: Version of ASH, 2.
    """

    code: int
    version: int = ASH_VERSION


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """The NCP has given up and waits for a reset.

    Attributes:
        code: Why, a `ResetCode` or a number that it does not list.
        version: Version of ASH, 2.
    """

    code: int
    version: int = ASH_VERSION


AshFrame: TypeAlias = DataFrame | AckFrame | NakFrame | RstFrame | RstAckFrame | ErrorFrame


def decode(body: bytes) -> AshFrame:
    """Read what stands between two flags, with byte stuffing undone.

    Args:
        body: Control octet, data field and check; no flag.

    Raises:
        MalformedAshError: It is no frame; says which rule it breaks.

    Source:
        UG101 2.2 and 2.3; checked on the frames of reference zigbee-dongle.md section 2.2.
    """
    size = len(body)
    if size < _SHORTEST:
        raise MalformedAshError(body, AshReason.TOO_SHORT)
    if size > MAX_BODY_BYTES:
        raise MalformedAshError(body, AshReason.TOO_LONG)
    if crc_hqx(body, CRC_START):  # a frame and its own check leave nothing
        raise MalformedAshError(body, AshReason.BAD_CRC, size - CRC_BYTES)
    control, field = body[0], body[1:-CRC_BYTES]
    if control < _ACK:
        if size - _SHORTEST < MIN_DATA_BYTES:
            raise MalformedAshError(body, AshReason.BAD_LENGTH, 1)
        again = control & _RETRANSMITTED != 0
        return DataFrame(control >> 4, control & 7, randomise(field), again)
    return _decode_control(body, control, field)


def _decode_control(body: bytes, control: int, field: bytes) -> AshFrame:
    """Read a frame that carries no EZSP frame."""
    if control in {_RSTACK, _ERROR}:
        if len(field) != 2:
            raise MalformedAshError(body, AshReason.BAD_LENGTH, 1)
        kind = RstAckFrame if control == _RSTACK else ErrorFrame
        return kind(field[1], field[0])
    if control != _RST and control & 0xF0 not in {_ACK, _NAK}:
        raise MalformedAshError(body, AshReason.BAD_CONTROL, 0)
    if field:
        raise MalformedAshError(body, AshReason.BAD_LENGTH, 1)
    if control == _RST:
        return RstFrame()
    number, not_ready = control & 7, control & _NOT_READY != 0
    return AckFrame(number, not_ready) if control < _NAK else NakFrame(number, not_ready)


def encode(frame: AshFrame) -> bytes:
    """Write ``frame`` as it goes on the wire: checked, stuffed and with its closing flag.

    Raises:
        ValueError: A number or a length does not fit its field.
    """
    content = _content(frame)
    return stuff(content + check(content)) + _END


def encode_data(number: int, acknowledged: int, payload: bytes, *, again: bool) -> bytes:
    """Write a `DataFrame` of these attributes as ``encode`` does.

    Args:
        number: 0 to 7.
        acknowledged: 0 to 7.
        payload: 3 to 220 octets.
        again: It was sent before.
    """
    control = number << 4 | acknowledged | (_RETRANSMITTED if again else 0)
    content = bytes((control,)) + randomise(payload)
    whole = content + crc_hqx(content, CRC_START).to_bytes(CRC_BYTES, "big")
    return stuff(whole) + _END


def encode_fresh(frame: AshFrame) -> bytes:
    """Write ``frame`` behind a CANCEL, which makes the receiver forget what came before it.

    Raises:
        ValueError: As ``encode``.
    """
    return _FRESH + encode(frame)


def _content(frame: AshFrame) -> bytes:
    """Return control octet and data field, before the check."""
    if isinstance(frame, DataFrame):
        size = len(frame.payload)
        if not MIN_DATA_BYTES <= size <= MAX_DATA_BYTES:
            raise ValueError(f"{_LAYER}: a DATA field has 3 to 220 octets, not {size}")
        again = _RETRANSMITTED if frame.retransmitted else 0
        control = _three_bits(frame.number) << 4 | again | _three_bits(frame.acknowledged)
        return bytes((control,)) + randomise(frame.payload)
    if isinstance(frame, RstFrame):
        return bytes((_RST,))
    if isinstance(frame, AckFrame | NakFrame):
        kind = _ACK if isinstance(frame, AckFrame) else _NAK
        held = _NOT_READY if frame.not_ready else 0
        return bytes((kind | held | _three_bits(frame.acknowledged),))
    kind = _RSTACK if isinstance(frame, RstAckFrame) else _ERROR
    return bytes((kind, frame.version, frame.code))


def _three_bits(number: int) -> int:
    if not 0 <= number < MODULUS:
        raise ValueError(f"{_LAYER}: frame numbers run from 0 to 7, not {number}")
    return number


def _short_frames() -> Mapping[bytes, AshFrame]:
    """Return the acknowledgements there can be, by their octets on the wire without the flag."""
    frames: list[AshFrame] = [
        kind(number, not_ready)
        for kind in (AckFrame, NakFrame)
        for number in range(MODULUS)
        for not_ready in (False, True)
    ]
    return {encode(frame)[: -len(_END)]: frame for frame in frames}


#: Every ACK and NAK there can be, by its octets on the wire, stuffed and without its flag.
SHORT_FRAMES: Final = _short_frames()
