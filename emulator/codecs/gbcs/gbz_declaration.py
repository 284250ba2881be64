"""GBZ payloads as a construct declaration: the reference for the fast path."""

from typing import Any, Final

from construct import (
    Array,
    Bytes,
    Check,
    Const,
    ConstructError,
    If,
    Int8ub,
    Int16ub,
    Int32ub,
    Struct,
    Terminated,
    this,
)

from emulator.codecs.gbcs.gbz import BLOCK_HEADER, BLOCK_OVERHEAD, Control, GbzComponent, GbzMessage
from emulator.core.clock import from_zigbee_seconds, to_zigbee_seconds
from emulator.core.errors import MalformedFrameError

_ENCRYPTED, _FROM_TIME = int(Control.ENCRYPTED), int(Control.FROM_TIME)
_KNOWN: Final = int(Control.LAST) | _ENCRYPTED | _FROM_TIME
_MANUFACTURER_SPECIFIC: Final = 0x04


def _overhead(control: int) -> int:
    """Return how much of a component's length is not payload."""
    encrypted = 4 if control & _ENCRYPTED else 0  # additional header, and length of the block
    return 3 + encrypted + (4 if control & _FROM_TIME else 0)


def _block_fits(context: Any) -> bool:
    if not context.control & _ENCRYPTED:
        return True
    payload: bytes = context.payload
    whole: bool = context.block_length == len(payload) >= BLOCK_OVERHEAD
    return whole and payload.startswith(BLOCK_HEADER)


def _last_bits_fit(context: Any) -> bool:
    bits = [bool(component.control & Control.LAST) for component in context.components]
    return bits == [False] * (context.count - 1) + [True]


_COMPONENT: Final = Struct(
    "control" / Int8ub,
    Check(this.control & ~_KNOWN == 0),
    "cluster" / Int16ub,
    "length" / Int16ub,
    Check(lambda context: context.length >= _overhead(context.control)),
    "additional" / If(this.control & _ENCRYPTED, Const(b"\x00")),
    "frame_counter" / If(this.control & _ENCRYPTED, Int8ub),
    "from_time" / If(this.control & _FROM_TIME, Int32ub),
    "frame_control" / Int8ub,
    Check(this.frame_control & _MANUFACTURER_SPECIFIC == 0),
    "sequence" / Int8ub,
    "command" / Int8ub,
    "block_length" / If(this.control & _ENCRYPTED, Int16ub),
    "payload" / Bytes(lambda context: context.length - _overhead(context.control)),
    Check(_block_fits),
)
_MESSAGE: Final = Struct(
    Const(b"\x01\x09"),  # profile
    "count" / Int8ub,
    Check(this.count > 0),
    "components" / Array(this.count, _COMPONENT),
    Check(_last_bits_fit),
    Terminated,
)


def decode(data: bytes) -> GbzMessage:
    """Decode a command's or response's payload as ``gbz.decode`` does, by the declaration.

    Raises:
        MalformedFrameError: Layer ``gbcs.gbz``; the offset is not known here.
    """
    try:
        raw = _MESSAGE.parse(data)
    except ConstructError as error:
        raise MalformedFrameError("gbcs.gbz", data, str(error)) from error
    return GbzMessage(tuple(_value(component) for component in raw.components))


def _value(raw: Any) -> GbzComponent:
    return GbzComponent(
        raw.cluster,
        raw.frame_control,
        raw.sequence,
        raw.command,
        raw.payload,
        raw.frame_counter,
        None if raw.from_time is None else from_zigbee_seconds(raw.from_time),
    )


def encode(message: GbzMessage) -> bytes:
    """Encode a command's or response's payload as ``gbz.encode`` does, by the declaration.

    Raises:
        ValueError: A field does not fit.
    """
    count = len(message.components)
    fields = [_fields(c, last=n == count) for n, c in enumerate(message.components, 1)]
    try:
        return bytes(_MESSAGE.build({"count": count, "components": fields}))
    except ConstructError as error:
        raise ValueError(str(error)) from error


def _fields(component: GbzComponent, *, last: bool) -> dict[str, object]:
    control = int(Control.LAST) if last else 0
    control |= 0 if component.frame_counter is None else _ENCRYPTED
    control |= 0 if component.from_time is None else _FROM_TIME
    at = component.from_time
    return {
        "control": control,
        "cluster": component.cluster,
        "length": _overhead(control) + len(component.payload),
        "additional": b"\x00",
        "frame_counter": component.frame_counter,
        "from_time": None if at is None else to_zigbee_seconds(at),
        "frame_control": component.frame_control,
        "sequence": component.sequence,
        "command": component.command,
        "block_length": len(component.payload),
        "payload": component.payload,
    }
