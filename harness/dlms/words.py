"""What the numbers of a meter's refusals mean, in words for the person at the bench."""

from collections.abc import Mapping
from typing import Final

from emulator.codecs.dlms.acse import (
    AssociationResponse,
    DiagnosticSource,
    ProviderDiagnostic,
    UserDiagnostic,
)
from emulator.codecs.dlms.apdu_exception import ExceptionResponse, ServiceError, StateError
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.initiate import INITIATE_CHOICE, ConfirmedServiceError, InitiateError

_USER: Final[Mapping[int, str]] = {
    UserDiagnostic.NULL: "it gives no reason",
    UserDiagnostic.NO_REASON_GIVEN: (
        "no reason given: often a client SAP it does not know, or an association already open"
    ),
    UserDiagnostic.CONTEXT_NOT_SUPPORTED: (
        "application context not supported: it ciphers where we do not, or the other way round"
    ),
    UserDiagnostic.CALLING_TITLE_NOT_RECOGNISED: "it does not know our system title",
    UserDiagnostic.MECHANISM_NOT_RECOGNISED: "it does not know this authentication mechanism",
    UserDiagnostic.MECHANISM_REQUIRED: "it demands an authentication mechanism",
    UserDiagnostic.AUTHENTICATION_FAILURE: "authentication failed: wrong secret or wrong keys",
    UserDiagnostic.AUTHENTICATION_REQUIRED: "it demands authentication",
}
_PROVIDER: Final[Mapping[int, str]] = {
    ProviderDiagnostic.NULL: "it gives no reason",
    ProviderDiagnostic.NO_REASON_GIVEN: "no reason given by its ACSE provider",
    ProviderDiagnostic.NO_COMMON_VERSION: "no common ACSE version",
}
_INITIATE: Final[Mapping[int, str]] = {
    InitiateError.OTHER: "other reason",
    InitiateError.DLMS_VERSION_TOO_LOW: "our DLMS version is too low for it",
    InitiateError.INCOMPATIBLE_CONFORMANCE: "no services in common",
    InitiateError.PDU_SIZE_TOO_SHORT: "our longest APDU is too short for it",
    InitiateError.REFUSED_BY_VDE_HANDLER: "its VDE handler refuses",
}
_STATES: Final[Mapping[StateError, str]] = {
    StateError.SERVICE_NOT_ALLOWED: "service not allowed",
    StateError.SERVICE_UNKNOWN: "service unknown",
}
_SERVICES: Final[Mapping[ServiceError, str]] = {
    ServiceError.OPERATION_NOT_POSSIBLE: "operation not possible (no association, or protection "
    "missing)",
    ServiceError.SERVICE_NOT_SUPPORTED: "service not supported",
    ServiceError.OTHER_REASON: "other reason (often: it could not read or verify the APDU)",
    ServiceError.PDU_TOO_LONG: "APDU too long",
    ServiceError.DECIPHERING_ERROR: "it could not decipher the APDU",
    ServiceError.INVOCATION_COUNTER_ERROR: "invocation counter too low",
}
_DATA: Final[Mapping[DataAccessResult, str]] = {
    DataAccessResult.SUCCESS: "success",
    DataAccessResult.HARDWARE_FAULT: "hardware fault",
    DataAccessResult.TEMPORARY_FAILURE: "temporary failure: ask again later",
    DataAccessResult.READ_WRITE_DENIED: "this client may not do that",
    DataAccessResult.OBJECT_UNDEFINED: "it has no such object",
    DataAccessResult.OBJECT_CLASS_INCONSISTENT: "it has that object under another class",
    DataAccessResult.OBJECT_UNAVAILABLE: "that object is not available to this client",
    DataAccessResult.TYPE_UNMATCHED: "the value has the wrong type",
    DataAccessResult.SCOPE_OF_ACCESS_VIOLATED: "outside what may be asked of that object",
    DataAccessResult.DATA_BLOCK_UNAVAILABLE: "the block asked for is not there",
    DataAccessResult.LONG_GET_ABORTED: "the block transfer of the answer was given up",
    DataAccessResult.NO_LONG_GET_IN_PROGRESS: "no block transfer of an answer is under way",
    DataAccessResult.LONG_SET_ABORTED: "the block transfer of the value was given up",
    DataAccessResult.NO_LONG_SET_IN_PROGRESS: "no block transfer of a value is under way",
    DataAccessResult.DATA_BLOCK_NUMBER_INVALID: "wrong block number",
    DataAccessResult.OTHER_REASON: "other reason",
}


def of_refusal(response: AssociationResponse) -> str:
    """Say why a meter refuses an association."""
    table = _USER if response.source is DiagnosticSource.SERVICE_USER else _PROVIDER
    what = table.get(response.diagnostic, "a diagnostic that no standard names")
    return (
        f"the meter refuses the association (result {int(response.result)},"
        f" diagnostic {response.diagnostic}): {what}"
    )


def of_service_error(error: ConfirmedServiceError) -> str:
    """Say what a confirmed service error means."""
    if error.choice == INITIATE_CHOICE:
        return f"initiate refused: {_INITIATE.get(error.reason, f'reason {error.reason}')}"
    return f"service {error.service} failed: error {error.choice}, reason {error.reason}"


def of_exception(answer: ExceptionResponse) -> str:
    """Say what an exception response means."""
    due = answer.expected_counter
    more = "" if due is None else f", {due} at least is due"
    return (
        f"exception response {int(answer.state):02d} {int(answer.service):02d}:"
        f" {_STATES[answer.state]}, {_SERVICES[answer.service]}{more}"
    )


def of_result(result: DataAccessResult | ActionResult) -> str:
    """Say what the result of one attribute or method means.

    >>> of_result(DataAccessResult.READ_WRITE_DENIED)
    'read-write-denied (3): this client may not do that'
    """
    name = result.name.lower().replace("_", "-")
    if isinstance(result, DataAccessResult):
        return f"{name} ({int(result)}): {_DATA[result]}"
    like = DataAccessResult.__members__.get(result.name)
    if like is not None:
        return f"{name} ({int(result)}): {_DATA[like]}"
    return f"{name} ({int(result)})"
