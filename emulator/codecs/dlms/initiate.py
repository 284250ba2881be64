"""xDLMS initiate: what an association may do, offered and negotiated."""

import enum
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.common import Reader, encode_length
from emulator.core.values import quick

REQUEST_TAG: Final = 0x01
RESPONSE_TAG: Final = 0x08
ERROR_TAG: Final = 0x0E
DLMS_VERSION: Final = 6
#: The variable-access name of a server with logical names.
LOGICAL_NAMES: Final = 0x0007
_REQUEST_LAYER: Final = "dlms.initiate_request"
_RESPONSE_LAYER: Final = "dlms.initiate_response"
_ERROR_LAYER: Final = "dlms.confirmed_service_error"
#: [APPLICATION 31], four octets, no unused bits in the last.
_CONFORMANCE: Final = bytes.fromhex("5f1f0400")
_INITIATE_ERROR: Final = 1
_MAX_BITS: Final = 24


class Conformance(enum.IntFlag):
    """Services of an association; bit 0 of the standard is the top bit of 24.

    Source:
        IEC 62056-5-3 Conformance; numbers of reference serial-dlms.md section 3.2, and its golden
        AARQ (001A1D).
    """

    GENERAL_PROTECTION = 1 << 22
    GENERAL_BLOCK_TRANSFER = 1 << 21
    READ = 1 << 20
    WRITE = 1 << 19
    UNCONFIRMED_WRITE = 1 << 18
    DELTA_VALUE_ENCODING = 1 << 17
    ATTRIBUTE_0_WITH_SET = 1 << 15
    PRIORITY = 1 << 14
    ATTRIBUTE_0_WITH_GET = 1 << 13
    BLOCK_GET = 1 << 12
    BLOCK_SET = 1 << 11
    BLOCK_ACTION = 1 << 10
    MULTIPLE_REFERENCES = 1 << 9
    INFORMATION_REPORT = 1 << 8
    DATA_NOTIFICATION = 1 << 7
    ACCESS = 1 << 6
    PARAMETERISED_ACCESS = 1 << 5
    GET = 1 << 4
    SET = 1 << 3
    SELECTIVE_ACCESS = 1 << 2
    EVENT_NOTIFICATION = 1 << 1
    ACTION = 1 << 0


class InitiateError(enum.IntEnum):
    """Why an initiate request is refused.

    Source:
        IEC 62056-5-3 ServiceError, choice initiate.
    """

    OTHER = 0
    DLMS_VERSION_TOO_LOW = 1
    INCOMPATIBLE_CONFORMANCE = 2
    PDU_SIZE_TOO_SHORT = 3
    REFUSED_BY_VDE_HANDLER = 4


#: Choice of a service error that an initiate error is.
INITIATE_CHOICE: Final = 6
_MAX_ERROR_CHOICE: Final = 10


@quick
@dataclass(frozen=True, slots=True)
class InitiateRequest:
    """What a client offers.

    Attributes:
        conformance: Services it would use; bits the standard reserves are kept.
        max_pdu_bytes: Longest APDU it can receive, 16 bits; 0 is no limit.
        dedicated_key: Key for this association alone, under global protection; None for none.
        response_allowed: Octet of the flag as written; None when left out, which is true.
        quality_of_service: Octet as written; None when left out.
        version: DLMS version, 6.
    """

    conformance: Conformance
    max_pdu_bytes: int
    dedicated_key: bytes | None = field(default=None, repr=False)
    response_allowed: int | None = None
    quality_of_service: int | None = None
    version: int = DLMS_VERSION


@quick
@dataclass(frozen=True, slots=True)
class InitiateResponse:
    """What a server grants.

    Attributes:
        conformance: Services both will use.
        max_pdu_bytes: Longest APDU the server can receive, 16 bits; 0 is no limit.
        name: Variable-access name, 16 bits; ``LOGICAL_NAMES`` or a short name.
        quality_of_service: Octet as written; None when left out.
        version: DLMS version, 6.
    """

    conformance: Conformance
    max_pdu_bytes: int
    name: int = LOGICAL_NAMES
    quality_of_service: int | None = None
    version: int = DLMS_VERSION


@dataclass(frozen=True, slots=True)
class ConfirmedServiceError:
    """The failure of a confirmed service; of initiate, in our use.

    Attributes:
        reason: Its number within ``choice``; see ``InitiateError`` for initiate.
        choice: Choice of the service error, 0 to 10; ``INITIATE_CHOICE`` by default.
        service: Service that failed, an octet; 1 is initiate.
    """

    reason: int
    choice: int = INITIATE_CHOICE
    service: int = _INITIATE_ERROR


def _optional_octet(reader: Reader, what: str) -> int | None:
    flag = reader.u8()
    if flag > 1:
        reader.fail(f"usage flag of {what} is neither 00 nor 01", reader.at - 1)
    return reader.u8() if flag else None


def _write_optional_octet(out: bytearray, value: int | None) -> None:
    out += b"\0" if value is None else bytes((1, value))


def _read_conformance(reader: Reader) -> Conformance:
    reader.expect(_CONFORMANCE, "tag, length and unused bits of the conformance block")
    return Conformance(reader.unsigned(3))


def _write_conformance(out: bytearray, conformance: Conformance) -> None:
    if not 0 <= conformance < 1 << _MAX_BITS:
        raise ValueError(f"conformance {conformance:#x} does not fit 24 bits")
    out += _CONFORMANCE + int(conformance).to_bytes(3, "big")


def decode_request(data: bytes) -> InitiateRequest:
    """Decode an initiate request, tag 0x01 first.

    Raises:
        MalformedFrameError: Layer ``dlms.initiate_request``; a usage flag that is neither 00 nor
            01, another conformance tag, truncation, trailing octets.

    Source:
        IEC 62056-5-3 InitiateRequest; checked on the golden AARQ of reference serial-dlms.md
        section 5.
    """
    reader = Reader(_REQUEST_LAYER, data)
    reader.expect(bytes((REQUEST_TAG,)), "APDU tag")
    key = None
    flag = reader.u8()
    if flag > 1:
        reader.fail("usage flag of the dedicated key is neither 00 nor 01", reader.at - 1)
    if flag:
        key = reader.take(reader.length())
    allowed = _optional_octet(reader, "response-allowed")
    quality = _optional_octet(reader, "quality of service")
    version = reader.u8()
    conformance = _read_conformance(reader)
    request = InitiateRequest(conformance, reader.unsigned(2), key, allowed, quality, version)
    reader.finish()
    return request


def encode_request(request: InitiateRequest) -> bytes:
    """Encode an initiate request.

    Raises:
        ValueError: A field does not fit.
    """
    out = bytearray((REQUEST_TAG,))
    if request.dedicated_key is None:
        out.append(0)
    else:
        out += b"\1" + encode_length(len(request.dedicated_key)) + request.dedicated_key
    _write_optional_octet(out, request.response_allowed)
    _write_optional_octet(out, request.quality_of_service)
    out.append(request.version)
    _write_conformance(out, request.conformance)
    return bytes(out) + _u16(request.max_pdu_bytes)


def _u16(value: int) -> bytes:
    if not 0 <= value < 1 << 16:
        raise ValueError(f"{value} does not fit 16 bits")
    return value.to_bytes(2, "big")


def decode_response(data: bytes) -> InitiateResponse:
    """Decode an initiate response, tag 0x08 first.

    Raises:
        MalformedFrameError: Layer ``dlms.initiate_response``; as ``decode_request``.

    Source:
        IEC 62056-5-3 InitiateResponse; checked on the plaintext of the ciphered example of the
        DLMS Green Book (its ciphertext deciphers to this layout).
    """
    reader = Reader(_RESPONSE_LAYER, data)
    reader.expect(bytes((RESPONSE_TAG,)), "APDU tag")
    quality = _optional_octet(reader, "quality of service")
    version = reader.u8()
    conformance = _read_conformance(reader)
    limit, name = reader.unsigned(2), reader.unsigned(2)
    reader.finish()
    return InitiateResponse(conformance, limit, name, quality, version)


def encode_response(response: InitiateResponse) -> bytes:
    """Encode an initiate response.

    Raises:
        ValueError: A field does not fit.
    """
    out = bytearray((RESPONSE_TAG,))
    _write_optional_octet(out, response.quality_of_service)
    out.append(response.version)
    _write_conformance(out, response.conformance)
    return bytes(out) + _u16(response.max_pdu_bytes) + _u16(response.name)


def decode_error(data: bytes) -> ConfirmedServiceError:
    """Decode a confirmed service error, tag 0x0E first.

    Raises:
        MalformedFrameError: Layer ``dlms.confirmed_service_error``; an unknown choice,
            truncation, trailing octets.

    Source:
        IEC 62056-5-3 ConfirmedServiceError; no vector at hand.
    """
    reader = Reader(_ERROR_LAYER, data)
    reader.expect(bytes((ERROR_TAG,)), "APDU tag")
    service, choice, reason = reader.u8(), reader.u8(), reader.u8()
    if choice > _MAX_ERROR_CHOICE:
        reader.fail(f"service error {choice} is not known", reader.at - 2)
    reader.finish()
    return ConfirmedServiceError(reason, choice, service)


def encode_error(error: ConfirmedServiceError) -> bytes:
    """Encode a confirmed service error, four octets.

    Raises:
        ValueError: A field does not fit an octet, or the choice is not known.
    """
    if not 0 <= error.choice <= _MAX_ERROR_CHOICE:
        raise ValueError(f"service error {error.choice} is not known")
    return bytes((ERROR_TAG, error.service, error.choice, error.reason))
