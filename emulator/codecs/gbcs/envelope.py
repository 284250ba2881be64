"""The envelope of a GBCS message: MAC wrapper, grouping header, payload and signature field.

This is the fast path; ``envelope_declaration`` says the same format in construct, and a test
holds the two to agreement on every vector and on damaged ones.
"""

import enum
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.core.values import quick

MAC_LENGTH: Final = 12
SIGNATURE_LENGTH: Final = 64
DATE_TIME_LENGTH: Final = 12
#: Tag 0xDD and the six empty fields of the general-ciphering header.
CIPHERING_HEADER: Final = b"\xdd\0\0\0\0\0\0"
#: Security control octet 0x11 and invocation counter 0.
SECURITY_HEADER: Final = b"\x11\0\0\0\0"
#: A content length needs at most two octets after 0x82.
MAX_LENGTH: Final = 0xFFFF

_WRAPPER = "gbcs.mac"
_GROUPING = "gbcs.grouping"
_HEADER = struct.Struct(">BBBQB8sB8sB")
_OTHER = {
    2: struct.Struct(">H"),
    10: struct.Struct(">H8s"),
    18: struct.Struct(">H8sQ"),
    26: struct.Struct(">H8sQQ"),
}
_CERTIFICATE_AT = 18


class Cra(enum.IntEnum):
    """Command, Response or Alert."""

    COMMAND = 1
    RESPONSE = 2
    ALERT = 3


_CRA = {int(cra): cra for cra in Cra}


@quick
@dataclass(frozen=True, slots=True)
class OtherInformation:
    """What a grouping header says beside parties and counter.

    Each field needs the one before it, except that a certificate stands in the place of the
    supplementary originator counter.

    Attributes:
        message_code: 16-bit message code.
        supplementary_party: Supplementary remote party, where the originator or target stands
            in for another.
        supplementary_counter: Supplementary remote party counter, 64 bits.
        supplementary_originator_counter: 64-bit counter of the device in some responses.
        certificate: DER key-agreement certificate of the supplementary party (commands).
    """

    message_code: int
    supplementary_party: Eui64 | None = None
    supplementary_counter: int | None = None
    supplementary_originator_counter: int | None = None
    certificate: bytes | None = None


@quick
@dataclass(frozen=True, slots=True)
class GroupingHeader:
    """Who says what kind of message to whom.

    Attributes:
        cra: Command, response or alert.
        counter: 64-bit originator counter (a response repeats its command's).
        originator: Business originator.
        target: Business target.
        other: Message code and supplementary fields.
        date_time: Empty, or the 12 octets of a DLMS date-time.
    """

    cra: Cra
    counter: int
    originator: Eui64
    target: Eui64
    other: OtherInformation
    date_time: bytes = b""


@quick
@dataclass(frozen=True, slots=True)
class Envelope:
    """One GBCS message, payload undecoded.

    Attributes:
        header: The grouping header.
        payload: DLMS, GBZ or ASN.1 octets, at most 65,535.
        signature: None where the signature field is absent (pre-commands alone), empty where
            it is the one octet 00, else 64 octets r || s.
        mac: The 12-octet MAC of a message in a MAC wrapper, else None.
    """

    header: GroupingHeader
    payload: bytes
    signature: bytes | None = None
    mac: bytes | None = None


class Split(NamedTuple):
    """A decoded message and the very octets that its protections cover.

    Attributes:
        envelope: The decoded message.
        signed: What a signature covers: from after the tag 0xDF to the end of the payload.
        maced: What a MAC covers after its fixed prefix: from 0xDF to the end of the signature
            field.
    """

    envelope: Envelope
    signed: bytes
    maced: bytes


def decode(data: bytes) -> Envelope:
    """Decode one message, beginning at 0xDD (with MAC) or 0xDF (without).

    Args:
        data: The whole message; big-endian throughout.

    Raises:
        MalformedFrameError: Layer ``gbcs.mac`` or ``gbcs.grouping``: a wrong tag, a length that
            is not in its shortest form or does not fit, truncation, trailing octets, a missing
            signature field outside of a pre-command.

    Source:
        GBCS 4.x Grouping Header and MAC Header tables as given in reference/gbcs.md §3; checked
        on the 641 RTDS 4.5.0 messages at hand.
    """
    return split(data).envelope


def split(data: bytes) -> Split:
    """Decode one message and hand out the octets its signature and its MAC cover.

    Raises:
        MalformedFrameError: As ``decode``.
    """
    if data[:1] == b"\xdd":
        start = _unwrap(data)
        end = len(data) - MAC_LENGTH
        mac: bytes | None = data[end:]
    elif data[:1] == b"\xdf":
        start, end, mac = 0, len(data), None
    else:
        raise MalformedFrameError(_WRAPPER, data, "a message begins with DD or DF", 0)
    header, at = _header(data, start, end)
    length, at = _length(data, at, end, _GROUPING)
    signed_end = at + length
    if signed_end > end:
        raise MalformedFrameError(_GROUPING, data, "payload is truncated", end)
    signature = _signature(data, signed_end, end, header.cra, wrapped=mac is not None)
    envelope = Envelope(header, data[at:signed_end], signature, mac)
    return Split(envelope, data[start + 1 : signed_end], data[start:end])


def _unwrap(data: bytes) -> int:
    """Check the MAC wrapper and return the offset of the tag 0xDF."""
    if data[:7] != CIPHERING_HEADER:
        wrong = next(i for i in range(7) if data[i : i + 1] != CIPHERING_HEADER[i : i + 1])
        raise MalformedFrameError(_WRAPPER, data, "general-ciphering fields must be empty", wrong)
    length, at = _length(data, 7, len(data), _WRAPPER)
    if at + length != len(data):
        short = at + length > len(data)
        why = "message is truncated" if short else "octets after the MAC"
        raise MalformedFrameError(_WRAPPER, data, why, min(at + length, len(data)))
    if data[at : at + 5] != SECURITY_HEADER:
        raise MalformedFrameError(_WRAPPER, data, "security header must be 11 00000000", at)
    if length < len(SECURITY_HEADER) + _HEADER.size + MAC_LENGTH or data[at + 5] != 0xDF:
        raise MalformedFrameError(_WRAPPER, data, "no grouping header in the wrapper", at + 5)
    return at + 5


def _length(data: bytes, at: int, end: int, layer: str) -> tuple[int, int]:
    """Read a BER length in its shortest form; return it and the offset after it."""
    if at >= end:
        raise MalformedFrameError(layer, data, "a length is missing", at)
    first = data[at]
    if first < 0x80:
        return first, at + 1
    octets = first - 0x80
    if octets not in {1, 2} or at + octets >= end:
        why = "length is truncated" if octets in {1, 2} else f"length octet {first:02x} not allowed"
        raise MalformedFrameError(layer, data, why, at)
    length = int.from_bytes(data[at + 1 : at + 1 + octets], "big")
    if length < (0x80 if octets == 1 else 0x100):
        raise MalformedFrameError(layer, data, "length is not in its shortest form", at)
    return length, at + 1 + octets


def _header(data: bytes, start: int, end: int) -> tuple[GroupingHeader, int]:
    """Read the grouping header at ``start``; return it and the offset of the payload length."""
    at = start + _HEADER.size
    if at > end:
        raise MalformedFrameError(_GROUPING, data, "header is truncated", end)
    _, nine, cra, counter, eight, originator, eight_, target, date_length = _HEADER.unpack_from(
        data, start
    )
    if nine != 9 or eight != 8 or eight_ != 8 or date_length not in {0, DATE_TIME_LENGTH}:
        fields = ((1, nine, {9}), (11, eight, {8}), (20, eight_, {8}), (29, date_length, {0, 12}))
        offset, found = next((o, v) for o, v, allowed in fields if v not in allowed)
        raise MalformedFrameError(_GROUPING, data, f"length {found} not allowed", start + offset)
    kind = _CRA.get(cra)
    if kind is None:
        raise MalformedFrameError(_GROUPING, data, f"CRA flag {cra} is not 1, 2 or 3", start + 2)
    date_time = data[at : at + date_length]
    length, at = _length(data, at + date_length, end, _GROUPING)
    if at + length > end:
        raise MalformedFrameError(_GROUPING, data, "other information is truncated", end)
    other = _other(data, at, length)
    header = GroupingHeader(kind, counter, _eui64(originator), _eui64(target), other, date_time)
    return header, at + length


def _other(data: bytes, at: int, length: int) -> OtherInformation:
    """Read other information of ``length`` octets at ``at``."""
    form = _OTHER.get(length)
    if form is None:
        return _other_with_certificate(data, at, length)
    if length == 2:
        return OtherInformation(data[at] << 8 | data[at + 1])
    code, party, *counters = form.unpack_from(data, at)
    return OtherInformation(code, _eui64(party), *counters)


def _other_with_certificate(data: bytes, at: int, length: int) -> OtherInformation:
    if length < 26:
        why = f"other information of {length} octets (2, 10, 18, 26 or with certificate)"
        raise MalformedFrameError(_GROUPING, data, why, at)
    certificate = data[at + _CERTIFICATE_AT : at + length]
    if not is_one_sequence(certificate):
        why = "other information does not end in one DER certificate"
        raise MalformedFrameError(_GROUPING, data, why, at + _CERTIFICATE_AT)
    code, party, counter = _OTHER[18].unpack_from(data, at)
    return OtherInformation(code, _eui64(party), counter, certificate=certificate)


def is_one_sequence(der: bytes) -> bool:
    """Say whether ``der`` is exactly one DER SEQUENCE, judged by its tag and length alone."""
    if len(der) < 2 or der[0] != 0x30:
        return False
    try:
        length, at = _length(der, 1, len(der), _GROUPING)
    except MalformedFrameError:
        return False
    return at + length == len(der)


def _signature(data: bytes, at: int, end: int, cra: Cra, *, wrapped: bool) -> bytes | None:
    """Read the signature field between ``at`` and ``end``, which it must fill."""
    if at == end:
        if wrapped or cra is not Cra.COMMAND:
            raise MalformedFrameError(_GROUPING, data, "the signature field is missing", at)
        return None
    length = data[at]
    if length not in {0, SIGNATURE_LENGTH}:
        why = f"signature length {length} is neither 0 nor 64"
        raise MalformedFrameError(_GROUPING, data, why, at)
    if at + 1 + length != end:
        short = at + 1 + length > end
        why = "signature is truncated" if short else "octets after the signature field"
        raise MalformedFrameError(_GROUPING, data, why, min(at + 1 + length, end))
    return data[at + 1 : end]


@lru_cache(maxsize=4096)
def _eui64(octets: bytes) -> Eui64:
    return Eui64(octets)


def encode(env: Envelope) -> bytes:
    """Encode one message, with a MAC wrapper where ``env.mac`` is given.

    Raises:
        ValueError: A field has a length or value that no message can have.
    """
    if env.mac is None:
        if env.signature is None:
            if env.header.cra is not Cra.COMMAND:
                raise ValueError("only a pre-command goes without a signature field")
            return b"\xdf" + signed_part(env)
        return maced_part(env)
    if len(env.mac) != MAC_LENGTH:
        raise ValueError(f"a MAC has {MAC_LENGTH} octets, got {len(env.mac)}")
    body = SECURITY_HEADER + maced_part(env) + env.mac
    return CIPHERING_HEADER + encode_length(len(body)) + body


def signed_part(env: Envelope) -> bytes:
    """Return what a signature covers: from after the tag 0xDF to the end of the payload.

    Raises:
        ValueError: A field has a length or value that no message can have.
    """
    header = env.header
    if len(header.date_time) not in {0, DATE_TIME_LENGTH}:
        raise ValueError(f"a date-time has 0 or 12 octets, got {len(header.date_time)}")
    if not 0 <= header.counter < 1 << 64:
        raise ValueError(f"originator counter {header.counter} does not fit 64 bits")
    originator, target = header.originator.octets, header.target.octets
    date_length = len(header.date_time)
    fixed = _HEADER.pack(0xDF, 9, header.cra, header.counter, 8, originator, 8, target, date_length)
    other = _encode_other(header.other)
    return b"".join(
        (
            fixed[1:],
            header.date_time,
            encode_length(len(other)),
            other,
            encode_length(len(env.payload)),
            env.payload,
        )
    )


def maced_part(env: Envelope) -> bytes:
    """Return what a MAC covers after its fixed prefix: 0xDF to the end of the signature field.

    Raises:
        ValueError: The signature field is absent, or a field cannot be encoded.
    """
    if env.signature is None:
        raise ValueError("a message with a MAC has a signature field")
    if len(env.signature) not in {0, SIGNATURE_LENGTH}:
        raise ValueError(f"a signature has 0 or 64 octets, got {len(env.signature)}")
    return b"\xdf%b%c%b" % (signed_part(env), len(env.signature), env.signature)


def _encode_other(other: OtherInformation) -> bytes:
    fields = (
        other.supplementary_party,
        other.supplementary_counter,
        other.supplementary_originator_counter,
    )
    given = [field is not None for field in fields]
    if sorted(given, reverse=True) != given:
        raise ValueError("a supplementary field needs the ones before it")
    values: list[int | bytes] = [other.message_code]
    values += [v.octets if isinstance(v, Eui64) else v for v in fields if v is not None]
    certificate = other.certificate or b""
    if other.certificate is not None and (len(values) != 3 or not _fits(certificate)):
        raise ValueError("a DER certificate follows the supplementary remote party counter")
    try:
        return _OTHER[8 * len(values) - 6].pack(*values) + certificate
    except struct.error as error:
        raise ValueError(f"other information does not fit: {error}") from None


def _fits(certificate: bytes) -> bool:
    return len(certificate) > 8 and is_one_sequence(certificate)


def encode_length(length: int) -> bytes:
    """Return a BER length in its shortest form: one octet, 81 xx or 82 xx xx.

    Raises:
        ValueError: ``length`` is above 65,535.
    """
    if length < 0x80:
        return length.to_bytes(1, "big")
    if length < 0x100:
        return b"\x81" + length.to_bytes(1, "big")
    if length > MAX_LENGTH:
        raise ValueError(f"{length} octets do not fit one message (at most {MAX_LENGTH})")
    return b"\x82" + length.to_bytes(2, "big")
