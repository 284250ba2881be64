"""Exception response: the answer to an APDU that no service can answer."""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.codecs.common import Reader

TAG: Final = 0xD8
_LAYER: Final = "dlms.exception_response"


class StateError(enum.IntEnum):
    """What the server's state says of the request."""

    SERVICE_NOT_ALLOWED = 1
    SERVICE_UNKNOWN = 2


class ServiceError(enum.IntEnum):
    """What became of the request."""

    OPERATION_NOT_POSSIBLE = 1
    SERVICE_NOT_SUPPORTED = 2
    OTHER_REASON = 3
    PDU_TOO_LONG = 4
    DECIPHERING_ERROR = 5
    INVOCATION_COUNTER_ERROR = 6


_STATES: Final[dict[int, StateError]] = {int(state): state for state in StateError}
_SERVICES: Final[dict[int, ServiceError]] = {int(service): service for service in ServiceError}


@dataclass(frozen=True, slots=True)
class ExceptionResponse:
    """An exception response.

    Attributes:
        state: State error.
        service: Service error.
        expected_counter: With INVOCATION_COUNTER_ERROR alone: the least counter the server would
            accept, 32 bits.
    """

    state: StateError
    service: ServiceError
    expected_counter: int | None = None


def decode(data: bytes) -> ExceptionResponse:
    """Decode an exception response, tag 0xD8 first.

    Raises:
        MalformedFrameError: Layer ``dlms.exception_response``; an unknown error, truncation,
            trailing octets.

    Source:
        IEC 62056-5-3 Exception-Response; pairs of reference serial-dlms.md section 3.2.
    """
    reader = Reader(_LAYER, data)
    reader.expect(bytes((TAG,)), "APDU tag")
    state = _STATES.get(reader.u8())
    if state is None:
        reader.fail("state error is not known", 1)
    service = _SERVICES.get(reader.u8())
    if service is None:
        reader.fail("service error is not known", 2)
    counter = reader.unsigned(4) if service is ServiceError.INVOCATION_COUNTER_ERROR else None
    reader.finish()
    return ExceptionResponse(state, service, counter)


def encode(response: ExceptionResponse) -> bytes:
    """Encode an exception response, three octets, or seven with a counter.

    Raises:
        ValueError: The counter is missing, out of place or does not fit 32 bits.
    """
    due = response.service is ServiceError.INVOCATION_COUNTER_ERROR
    if due is (response.expected_counter is None):
        raise ValueError(f"{response.service.name} with counter {response.expected_counter}")
    out = bytes((TAG, response.state, response.service))
    if response.expected_counter is None:
        return out
    if not 0 <= response.expected_counter < 1 << 32:
        raise ValueError(f"counter {response.expected_counter} does not fit 32 bits")
    return out + response.expected_counter.to_bytes(4, "big")
