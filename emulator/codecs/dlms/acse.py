"""AARQ and AARE: the request for an application association, and the answer to it."""

import enum
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.common import Reader
from emulator.codecs.dlms import acse_fields as fields
from emulator.codecs.dlms.acse_fields import Fields
from emulator.core.values import quick

AARQ_TAG: Final = 0x60
AARE_TAG: Final = 0x61

_VERSION: Final = 0x80
_CONTEXT: Final = 0xA1
_USER_INFORMATION: Final = 0xBE
#: AARQ: the caller's title, certificate and user, and its authentication.
_CALLING_TITLE: Final = 0xA6
_CALLING_QUALIFIER: Final = 0xA7
_CALLING_USER: Final = 0xA9
_REQUEST_UNIT: Final = 0x8A
_REQUEST_MECHANISM: Final = 0x8B
_REQUEST_VALUE: Final = 0xAC
#: Fields that are kept as they came: called titles and ids, the caller's AP invocation, text.
_REQUEST_UNUSED: Final = (0xA2, 0xA3, 0xA4, 0xA5, 0xA8, 0x9D)
_REQUEST_ORDER: Final = (
    *(0x80, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9),
    *(0x8A, 0x8B, 0xAC, 0x9D, 0xBE),
)
#: AARE: outcome, the responder's title and certificate, and its authentication.
_RESULT: Final = 0xA2
_DIAGNOSTIC: Final = 0xA3
_RESPONDING_TITLE: Final = 0xA4
_RESPONDING_QUALIFIER: Final = 0xA5
_RESPONSE_UNIT: Final = 0x88
_RESPONSE_MECHANISM: Final = 0x89
_RESPONSE_VALUE: Final = 0xAA
_RESPONSE_UNUSED: Final = (0xA6, 0xA7, 0x9D)
_RESPONSE_ORDER: Final = (
    *(0x80, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0x88, 0x89, 0xAA, 0x9D, 0xBE),
)
#: Default of the protocol version: bit 0 alone, version 1.
_VERSION_1: Final = 0x80


class ApplicationContext(enum.IntEnum):
    """Known application contexts; others are decoded as plain integers, for a refusal.

    Source:
        IEC 62056-5-3, COSEM application context names; 1 and 3 as reference serial-dlms.md 3.2.
    """

    LN = 1
    SN = 2
    LN_CIPHERED = 3
    SN_CIPHERED = 4


class Mechanism(enum.IntEnum):
    """Known authentication mechanisms; others are decoded as plain integers, for a refusal.

    Source:
        IEC 62056-5-3, COSEM authentication mechanism names; 0, 1, 5 as the reference, 3.2.
    """

    NONE = 0
    LLS = 1
    HLS = 2
    HLS_MD5 = 3
    HLS_SHA1 = 4
    HLS_GMAC = 5
    HLS_SHA256 = 6
    HLS_ECDSA = 7


class AssociationResult(enum.IntEnum):
    """Outcome of an association request."""

    ACCEPTED = 0
    REJECTED_PERMANENT = 1
    REJECTED_TRANSIENT = 2


class DiagnosticSource(enum.IntEnum):
    """Who found the fault: the tag of the diagnostic, less 0xA0."""

    SERVICE_USER = 1
    SERVICE_PROVIDER = 2


class UserDiagnostic(enum.IntEnum):
    """Diagnostics of the service user that a DLMS server gives.

    Source:
        IEC 62056-5-3 acse-service-user; 1, 2, 11, 13, 14 as reference serial-dlms.md section 3.2.
    """

    NULL = 0
    NO_REASON_GIVEN = 1
    CONTEXT_NOT_SUPPORTED = 2
    CALLING_TITLE_NOT_RECOGNISED = 3
    MECHANISM_NOT_RECOGNISED = 11
    MECHANISM_REQUIRED = 12
    AUTHENTICATION_FAILURE = 13
    AUTHENTICATION_REQUIRED = 14


class ProviderDiagnostic(enum.IntEnum):
    """Diagnostics of the service provider."""

    NULL = 0
    NO_REASON_GIVEN = 1
    NO_COMMON_VERSION = 2


@quick
@dataclass(frozen=True, slots=True)
class Authentication:
    """The authentication functional unit of an association.

    Attributes:
        mechanism: Last arc of the mechanism name, see ``Mechanism``.
        value: Secret (LLS) or challenge (HLS), never printed; None when the field is absent.
    """

    mechanism: int
    value: bytes | None = field(default=None, repr=False)


@quick
@dataclass(frozen=True, slots=True)
class AssociationRequest:
    """An AARQ.

    Attributes:
        context: Last arc of the application context name, see ``ApplicationContext``.
        user_information: Initiate request APDU, plain or ciphered; None when absent.
        title: Calling AP title, the caller's system title; None when absent.
        qualifier: Calling AE qualifier, the caller's certificate; None when absent.
        user: Calling AE invocation id, the user of the client, an octet; None when absent.
        authentication: Mechanism and value; None when the unit is not asked for.
        version: Content of the protocol version field; None when absent, which says version 1.
        unused: Fields that say nothing to a DLMS server, (tag, content), as they came.
    """

    context: int
    user_information: bytes | None = None
    title: bytes | None = None
    qualifier: bytes | None = None
    user: int | None = None
    authentication: Authentication | None = None
    version: bytes | None = None
    unused: tuple[tuple[int, bytes], ...] = ()

    @property
    def speaks_version_1(self) -> bool:
        """Whether the caller offers ACSE version 1, the only one there is."""
        return self.version is None or bool(self.version[1] & _VERSION_1)


@quick
@dataclass(frozen=True, slots=True)
class AssociationResponse:
    """An AARE.

    Attributes:
        context: As in the request, or the context the server would accept.
        result: Accepted or rejected.
        source: Who gives the diagnostic.
        diagnostic: Its number, see ``UserDiagnostic`` and ``ProviderDiagnostic``.
        user_information: Initiate response or confirmed service error APDU; None when absent.
        title: Responding AP title, the server's system title; None when absent.
        qualifier: Responding AE qualifier, the server's certificate; None when absent.
        authentication: Mechanism and challenge; None when the unit is not used.
        version: Content of the protocol version field; None when absent.
        unused: Fields that say nothing to a DLMS client, (tag, content), as they came.
    """

    context: int
    result: AssociationResult
    source: DiagnosticSource = DiagnosticSource.SERVICE_USER
    diagnostic: int = UserDiagnostic.NULL
    user_information: bytes | None = None
    title: bytes | None = None
    qualifier: bytes | None = None
    authentication: Authentication | None = None
    version: bytes | None = None
    unused: tuple[tuple[int, bytes], ...] = ()


def decode_request(data: bytes) -> AssociationRequest:
    """Decode an AARQ, tag 0x60 first.

    Raises:
        MalformedFrameError: Layer ``dlms.aarq``; a field not known, twice or out of order, of
            another form than DLMS uses, a length that does not fit or is not in its shortest
            form, a mechanism without the authentication unit, truncation, trailing octets.

    Source:
        IEC 62056-5-3 ACSE APDUs; checked on the golden AARQ of reference serial-dlms.md 5.
    """
    found = fields.read_fields("dlms.aarq", data, AARQ_TAG, _REQUEST_ORDER)
    unit = (_REQUEST_UNIT, _REQUEST_MECHANISM, _REQUEST_VALUE)
    user = found.get(_CALLING_USER)
    return AssociationRequest(
        _read_context(found, "dlms.aarq", data),
        _read_optional_octets(found, _USER_INFORMATION),
        _read_optional_octets(found, _CALLING_TITLE),
        _read_optional_octets(found, _CALLING_QUALIFIER),
        None if user is None else fields.read_integer(user),
        _read_authentication(found, unit),
        _read_version(found),
        _read_unused(found, _REQUEST_UNUSED),
    )


def _read_context(found: Fields, layer: str, data: bytes) -> int:
    content = found.get(_CONTEXT)
    if content is None:
        Reader(layer, data).fail("there is no application context name")
    return fields.read_context(content)


def _read_optional_octets(found: Fields, tag: int) -> bytes | None:
    content = found.get(tag)
    return None if content is None else fields.read_octets(content)


def _read_version(found: Fields) -> bytes | None:
    content = found.get(_VERSION)
    if content is None:
        return None
    if content.end - content.at != 2 or content.data[content.at] > 7:
        content.fail("protocol version is no bit string of up to eight bits")
    return content.take(2)


def _read_unused(found: Fields, tags: tuple[int, ...]) -> tuple[tuple[int, bytes], ...]:
    present = [(tag, found[tag]) for tag in tags if tag in found]
    if not present:
        return ()
    return tuple([(tag, content.take(content.end - content.at)) for tag, content in present])


def _read_authentication(found: Fields, unit: tuple[int, int, int]) -> Authentication | None:
    requirement, mechanism, value = found.get(unit[0]), found.get(unit[1]), found.get(unit[2])
    if requirement is None or mechanism is None:
        for content in (requirement, mechanism, value):
            if content is not None:
                content.fail("authentication needs acse-requirements and a mechanism name")
        return None
    fields.read_unit(requirement)
    name = fields.read_mechanism(mechanism)
    return Authentication(name, None if value is None else fields.read_charstring(value))


def encode_request(request: AssociationRequest) -> bytes:
    """Encode an AARQ.

    Raises:
        ValueError: A field does not fit.
    """
    unit = (_REQUEST_UNIT, _REQUEST_MECHANISM, _REQUEST_VALUE)
    written = _common(request, unit)
    _put_octets(written, _CALLING_TITLE, request.title)
    _put_octets(written, _CALLING_QUALIFIER, request.qualifier)
    if request.user is not None:
        written[_CALLING_USER] = fields.integer_field(request.user)
    return fields.write_apdu(AARQ_TAG, written, _REQUEST_ORDER)


def _common(
    apdu: AssociationRequest | AssociationResponse, unit: tuple[int, int, int]
) -> dict[int, bytes]:
    written = {**dict(apdu.unused), _CONTEXT: fields.context_octets(apdu.context)}
    if apdu.version is not None:
        if len(apdu.version) != 2:
            raise ValueError("a protocol version has two octets: unused bits, and bits")
        written[_VERSION] = apdu.version
    _put_octets(written, _USER_INFORMATION, apdu.user_information)
    if apdu.authentication is not None:
        written[unit[0]] = fields.unit_octets()
        written[unit[1]] = fields.mechanism_octets(apdu.authentication.mechanism)
        if apdu.authentication.value is not None:
            written[unit[2]] = fields.charstring_octets(apdu.authentication.value)
    return written


def _put_octets(written: dict[int, bytes], tag: int, octets: bytes | None) -> None:
    if octets is not None:
        written[tag] = fields.octets_field(octets)


def decode_response(data: bytes) -> AssociationResponse:
    """Decode an AARE, tag 0x61 first.

    Raises:
        MalformedFrameError: Layer ``dlms.aare``; as ``decode_request``, and an unknown result or
            source of the diagnostic.

    Source:
        IEC 62056-5-3 ACSE APDUs; inferred from the same clause as the AARQ, no vector at hand.
    """
    found = fields.read_fields("dlms.aare", data, AARE_TAG, _RESPONSE_ORDER)
    if _RESULT not in found or _DIAGNOSTIC not in found:
        Reader("dlms.aare", data).fail("there is no result or no diagnostic")
    source, diagnostic = _read_diagnostic(found[_DIAGNOSTIC])
    unit = (_RESPONSE_UNIT, _RESPONSE_MECHANISM, _RESPONSE_VALUE)
    return AssociationResponse(
        _read_context(found, "dlms.aare", data),
        _read_result(found[_RESULT]),
        source,
        diagnostic,
        _read_optional_octets(found, _USER_INFORMATION),
        _read_optional_octets(found, _RESPONDING_TITLE),
        _read_optional_octets(found, _RESPONDING_QUALIFIER),
        _read_authentication(found, unit),
        _read_version(found),
        _read_unused(found, _RESPONSE_UNUSED),
    )


def _read_result(content: Reader) -> AssociationResult:
    result = fields.read_integer(content)
    if result > AssociationResult.REJECTED_TRANSIENT:
        content.fail("association result is not 0 to 2", content.at - 1)
    return AssociationResult(result)


def _read_diagnostic(content: Reader) -> tuple[DiagnosticSource, int]:
    source = content.u8() - 0xA0
    if source not in {1, 2} or content.length() != content.end - content.at:
        content.fail("diagnostic is of no known source or of a wrong length")
    return DiagnosticSource(source), fields.read_integer(content)


def encode_response(response: AssociationResponse) -> bytes:
    """Encode an AARE.

    Raises:
        ValueError: A field does not fit.
    """
    written = _common(response, (_RESPONSE_UNIT, _RESPONSE_MECHANISM, _RESPONSE_VALUE))
    _put_octets(written, _RESPONDING_TITLE, response.title)
    _put_octets(written, _RESPONDING_QUALIFIER, response.qualifier)
    written[_RESULT] = fields.integer_field(response.result)
    number = fields.integer_field(response.diagnostic)
    written[_DIAGNOSTIC] = bytes((0xA0 + response.source, len(number))) + number
    return fields.write_apdu(AARE_TAG, written, _RESPONSE_ORDER)
