"""Refusals of the application process: why, and the exception response that says so."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms.apdu_exception import ExceptionResponse, ServiceError, StateError
from emulator.core.errors import MalformedFrameError
from emulator.crypto.dlms_security import Refused, SecurityRefusal

#: No association, one that is not proven yet, or an APDU with less protection than agreed.
NOT_ALLOWED: Final = ExceptionResponse(
    StateError.SERVICE_NOT_ALLOWED, ServiceError.OPERATION_NOT_POSSIBLE
)
#: A service that the device does not have, or that was not negotiated.
NOT_SUPPORTED: Final = ExceptionResponse(
    StateError.SERVICE_NOT_ALLOWED, ServiceError.SERVICE_NOT_SUPPORTED
)
#: Octets that cannot be read, or whose protection does not hold.
UNREADABLE: Final = ExceptionResponse(StateError.SERVICE_UNKNOWN, ServiceError.OTHER_REASON)
_DOWNGRADES: Final = frozenset({SecurityRefusal.NOT_PROTECTED, SecurityRefusal.DOWNGRADED})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that nothing of was done.

    Attributes:
        reason: One word for the audit trail.
        detail: The same with its values, for people; never a secret.
        response: What the client is told.
    """

    reason: str
    detail: str
    response: ExceptionResponse


def not_associated(detail: str) -> Refusal:
    """Refuse a service outside an association.

    Source:
        reference serial-dlms.md 3.2: exception response 01 01.
    """
    return Refusal("not_associated", detail, NOT_ALLOWED)


def not_proven(detail: str) -> Refusal:
    """Refuse a service of a client that has not replied to the challenge.

    Source:
        inferred: Green Book, a pending association allows reply_to_HLS_authentication alone; the
        answer is that of a missing association.
    """
    return Refusal("not_proven", detail, NOT_ALLOWED)


def unknown_service(tag: int) -> Refusal:
    """Refuse an APDU that is no request of a service.

    Source:
        reference serial-dlms.md 3.2: exception response 01 02.
    """
    return Refusal("unknown_service", f"APDU {tag:02x} is no request", NOT_SUPPORTED)


def not_negotiated(service: str) -> Refusal:
    """Refuse a service that the association's conformance does not have.

    Source:
        inferred: to the client a service not negotiated is one the server does not support.
    """
    return Refusal("not_negotiated", f"{service} was not negotiated", NOT_SUPPORTED)


def malformed(error: MalformedFrameError) -> Refusal:
    """Refuse octets that do not follow their format.

    Source:
        reference serial-dlms.md 3.2: exception response 02 03.
    """
    return Refusal("malformed", f"{error.layer}: {error.why}", UNREADABLE)


def too_long(octets: int, limit: int) -> Refusal:
    """Refuse a request longer than the device takes, or an answer longer than the client takes.

    Source:
        inferred: 02 03 as for any request that cannot be taken; newer editions have "PDU too long".
    """
    return Refusal("too_long", f"{octets} octets, {limit} are the limit", UNREADABLE)


def counter_exhausted() -> Refusal:
    """Refuse because the device could not protect its answer any more.

    Source:
        invented: the standard says no more than that the key must be replaced in time.
    """
    return Refusal("counter_exhausted", "no invocation counter is left for an answer", UNREADABLE)


def insecure(refused: Refused) -> Refusal:
    """Refuse an APDU whose protection is missing, too weak, wrong or replayed.

    Source:
        reference serial-dlms.md 3.2: 01 01 with missing protection, 02 03 when unverifiable.
    """
    response = NOT_ALLOWED if refused.reason in _DOWNGRADES else UNREADABLE
    return Refusal(refused.reason.value, refused.detail, response)
