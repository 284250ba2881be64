"""The envelope of a GBCS message as a construct declaration: the reference for the fast path."""

from typing import Any, Final

from construct import (
    Bytes,
    Check,
    Computed,
    Const,
    Construct,
    ConstructError,
    If,
    Int8ub,
    Int16ub,
    Int64ub,
    IntegerError,
    OneOf,
    Rebuild,
    Struct,
    Tell,
    Terminated,
    len_,
    stream_read,
    stream_write,
    this,
)

from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.envelope import is_one_sequence as _is_one_sequence
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64


class BerLength(Construct):
    """A BER length of one, two (81 xx) or three (82 xx xx) octets, always the shortest form."""

    def _parse(self, stream: Any, context: Any, path: str) -> int:
        first: int = stream_read(stream, 1, path)[0]
        if first < 0x80:
            return first
        if first not in {0x81, 0x82}:
            raise IntegerError(f"length octet {first:02x} not allowed", path=path)
        length = int.from_bytes(stream_read(stream, first & 0x7F, path), "big")
        if length < (0x80 if first == 0x81 else 0x100):
            raise IntegerError("length is not in its shortest form", path=path)
        return length

    def _build(self, obj: int, stream: Any, context: Any, path: str) -> int:
        if obj >= 0x80:
            octets = 1 if obj < 0x100 else 2
            stream_write(stream, bytes([0x80 | octets]), 1, path)
            stream_write(stream, obj.to_bytes(octets, "big"), octets, path)
        else:
            stream_write(stream, bytes([obj]), 1, path)
        return obj

    def _sizeof(self, context: Any, path: str) -> int:
        raise IntegerError("a BER length has no fixed size", path=path)


def _other_length(context: Any) -> int:
    fields = (context.party, context.counter, context.originator_counter)
    return 2 + 8 * sum(f is not None for f in fields) + len(context.certificate or b"")


_HEADER: Final = Struct(
    Const(b"\xdf\x09"),  # general-signing, transaction id of nine octets
    "cra" / OneOf(Int8ub, [1, 2, 3]),
    "counter" / Int64ub,
    Const(b"\x08"),
    "originator" / Bytes(8),
    Const(b"\x08"),
    "target" / Bytes(8),
    "date_time_length" / Rebuild(OneOf(Int8ub, [0, 12]), len_(this.date_time)),
    "date_time" / Bytes(this.date_time_length),
)
_OTHER: Final = Struct(
    "length" / Rebuild(BerLength(), _other_length),
    Check(lambda context: context.length in {2, 10, 18} or context.length >= 26),
    "message_code" / Int16ub,
    "party" / If(this.length >= 10, Bytes(8)),
    "counter" / If(this.length >= 18, Int64ub),
    "originator_counter" / If(this.length == 26, Int64ub),
    "certificate" / If(this.length > 26, Bytes(this.length - 18)),
    Check(lambda c: c.certificate is None or _is_one_sequence(c.certificate)),
)
_PAYLOAD: Final = Struct(
    "length" / Rebuild(BerLength(), len_(this.content)),
    "content" / Bytes(this.length),
)
_SIGNED: Final = Struct("header" / _HEADER, "other" / _OTHER, "payload" / _PAYLOAD, "end" / Tell)
_SIGNATURE: Final = Struct(
    "length" / Rebuild(OneOf(Int8ub, [0, 64]), len_(this.value)),
    "value" / Bytes(this.length),
)
_PRE_COMMAND: Final = Struct("signed" / _SIGNED, Terminated)
_UNWRAPPED: Final = Struct("signed" / _SIGNED, "signature" / _SIGNATURE, Terminated)
_WRAPPED: Final = Struct(
    Const(b"\xdd\0\0\0\0\0\0"),  # general-ciphering, six empty fields
    "length" / BerLength(),
    "start" / Tell,
    Const(b"\x11\0\0\0\0"),  # security control, invocation counter
    "signed" / _SIGNED,
    "signature" / _SIGNATURE,
    "mac" / Bytes(12),
    "end" / Tell,
    "size" / Computed(this.end - this.start),
    Check(this.size == this.length),
    Terminated,
)


def decode(data: bytes) -> Envelope:
    """Decode one message as ``envelope.decode`` does, by the declaration (about 30 times slower).

    Raises:
        MalformedFrameError: Layer ``gbcs.envelope``; the offset is not known here.
    """
    try:
        if data[:1] == b"\xdd":
            raw = _WRAPPED.parse(data)
            return _envelope(raw.signed, raw.signature.value, raw.mac)
        signed = _SIGNED.parse(data)
        if signed.end == len(data) and signed.header.cra == Cra.COMMAND:
            return _envelope(_PRE_COMMAND.parse(data).signed, None, None)
        raw = _UNWRAPPED.parse(data)
        return _envelope(raw.signed, raw.signature.value, None)
    except ConstructError as error:
        raise MalformedFrameError("gbcs.envelope", data, str(error)) from error


def encode(env: Envelope) -> bytes:
    """Encode one message as ``envelope.encode`` does, by the declaration.

    Raises:
        ValueError: A field has a length or value that no message can have.
    """
    signed: dict[str, object] = {
        "header": {
            "cra": int(env.header.cra),
            "counter": env.header.counter,
            "originator": env.header.originator.octets,
            "target": env.header.target.octets,
            "date_time": env.header.date_time,
        },
        "other": _other_fields(env.header.other),
        "payload": {"content": env.payload},
    }
    try:
        return _build(signed, env)
    except ConstructError as error:
        raise ValueError(str(error)) from error


def _build(signed: dict[str, object], env: Envelope) -> bytes:
    if env.signature is None:
        if env.mac is not None or env.header.cra is not Cra.COMMAND:
            raise ValueError("only a pre-command goes without a signature field")
        return bytes(_PRE_COMMAND.build({"signed": signed}))
    fields: dict[str, object] = {"signed": signed, "signature": {"value": env.signature}}
    plain = bytes(_UNWRAPPED.build(fields))
    if env.mac is None:
        return plain
    fields |= {"mac": env.mac, "length": 5 + len(plain) + len(env.mac)}
    return bytes(_WRAPPED.build(fields))


def _other_fields(other: OtherInformation) -> dict[str, object]:
    return {
        "message_code": other.message_code,
        "party": other.supplementary_party and other.supplementary_party.octets,
        "counter": other.supplementary_counter,
        "originator_counter": other.supplementary_originator_counter,
        "certificate": other.certificate,
    }


def _envelope(signed: Any, signature: bytes | None, mac: bytes | None) -> Envelope:
    raw, header = signed.other, signed.header
    other = OtherInformation(
        raw.message_code,
        None if raw.party is None else Eui64(raw.party),
        raw.counter,
        raw.originator_counter,
        raw.certificate,
    )
    grouping = GroupingHeader(
        Cra(header.cra),
        header.counter,
        Eui64(header.originator),
        Eui64(header.target),
        other,
        header.date_time,
    )
    return Envelope(grouping, signed.payload.content, signature, mac)
