"""RLRQ and RLRE: the orderly end of an application association."""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import acse_fields as fields
from emulator.core.values import quick

RLRQ_TAG: Final = 0x62
RLRE_TAG: Final = 0x63
_REASON: Final = 0x80
_USER_INFORMATION: Final = 0xBE
_ORDER: Final = (_REASON, _USER_INFORMATION)


class ReleaseReason(enum.IntEnum):
    """Reasons of a release; 1 is "urgent" in a request and "not finished" in a response."""

    NORMAL = 0
    URGENT_OR_NOT_FINISHED = 1
    USER_DEFINED = 30


_REASONS: Final[dict[int, ReleaseReason]] = {int(reason): reason for reason in ReleaseReason}


@quick
@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """An RLRQ.

    Attributes:
        reason: Why; None when the field is absent.
        user_information: Initiate request APDU, repeated under protection in a ciphered context;
            None when absent.
    """

    reason: ReleaseReason | None = ReleaseReason.NORMAL
    user_information: bytes | None = None


@quick
@dataclass(frozen=True, slots=True)
class ReleaseResponse:
    """An RLRE; fields as in ``ReleaseRequest``, with an initiate response."""

    reason: ReleaseReason | None = ReleaseReason.NORMAL
    user_information: bytes | None = None


def decode_request(data: bytes) -> ReleaseRequest:
    """Decode an RLRQ, tag 0x62 first.

    Raises:
        MalformedFrameError: Layer ``dlms.rlrq``; a field not known, twice or out of order, an
            unknown reason, a length that does not fit, truncation, trailing octets.

    Source:
        IEC 62056-5-3 ACSE APDUs.
    """
    return ReleaseRequest(*_read("dlms.rlrq", data, RLRQ_TAG))


def decode_response(data: bytes) -> ReleaseResponse:
    """Decode an RLRE, tag 0x63 first.

    Raises:
        MalformedFrameError: Layer ``dlms.rlre``; as ``decode_request``.
    """
    return ReleaseResponse(*_read("dlms.rlre", data, RLRE_TAG))


def _read(layer: str, data: bytes, tag: int) -> tuple[ReleaseReason | None, bytes | None]:
    found = fields.read_fields(layer, data, tag, _ORDER)
    information = found.get(_USER_INFORMATION)
    octets = None if information is None else fields.read_octets(information)
    content = found.get(_REASON)
    if content is None:
        return None, octets
    reason = _REASONS.get(content.u8())
    if reason is None:
        content.fail("release reason is not known", content.at - 1)
    content.finish()
    return reason, octets


def encode_request(request: ReleaseRequest) -> bytes:
    """Encode an RLRQ.

    Raises:
        ValueError: The user information is too long.
    """
    return _write(RLRQ_TAG, request.reason, request.user_information)


def encode_response(response: ReleaseResponse) -> bytes:
    """Encode an RLRE.

    Raises:
        ValueError: The user information is too long.
    """
    return _write(RLRE_TAG, response.reason, response.user_information)


def _write(tag: int, reason: ReleaseReason | None, user_information: bytes | None) -> bytes:
    written = {} if reason is None else {_REASON: bytes((reason,))}
    if user_information is not None:
        written[_USER_INFORMATION] = fields.octets_field(user_information)
    return fields.write_apdu(tag, written, _ORDER)
