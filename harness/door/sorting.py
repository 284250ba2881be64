"""Where a document for a service user belongs: among the answers, the alerts, or both."""

from dataclasses import dataclass, field
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.door.exchange import Exchange, Raised
from harness.formats.duis import s1sp_alert, smets1_response
from harness.formats.duis.alerts import CommandFailure, S1spAlertPassed
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.responses import (
    DccAlertMessage,
    DeviceAlertMessage,
    ServiceResponse,
    Smets1ResponseMessage,
    read_response,
)
from harness.formats.duis.smets1_contents import DeviceAlert

#: What an S1SP's alert about a request has in it; those of a flood are not parsed.
_NAMED: Final = b"RequestID>"


@dataclass(slots=True)
class Sorted:
    """Documents in the order they came.

    Attributes:
        answers: Request and response to it.
        alerts: Alerts and further answers.
    """

    answers: list[tuple[int, bytes]] = field(default_factory=list)
    alerts: list[Raised] = field(default_factory=list)

    def sort(self, exchange: Exchange, user: Eui64, at: UtcMs, document: bytes) -> str | None:
        """Put a document where it belongs.

        A further answer is among both, and so is an alert that takes an answer's place.

        Args:
            exchange: What was asked and answered before.
            user: Whom it is for.
            at: When it came.
            document: The document.

        Returns:
            The RequestID it answers or is about, or None.
        """
        response = read_response(document)
        ended = _ended(response)
        identity = response.header.request_id or ended
        number = None if identity is None else exchange.of_request_id(identity)
        is_alert = isinstance(response.body, DccAlertMessage | DeviceAlertMessage)
        known = None if identity is None else str(identity)
        if number is not None and (ended is not None or not is_alert):
            before = any(request == number for request, _octets in self.answers)
            first = not before and not exchange.answers_of(number)
            self.answers.append((number, document))
            if first and not is_alert:
                return known
        self.alerts.append(Raised(user, code_of(response), number, at, document))
        return known


def _ended(response: ServiceResponse) -> RequestId | None:
    """Return the request that an alert says has no other answer to come, or None.

    The device did not answer the DSP, or the S1SP did not carry out what it was asked.
    """
    alert = response.body.alert if isinstance(response.body, DccAlertMessage) else None
    if isinstance(alert, CommandFailure):
        return alert.request_id
    if isinstance(alert, S1spAlertPassed) and _NAMED in alert.alert:
        return s1sp_alert.read_alert(alert.alert).request_id
    return None


def code_of(response: ServiceResponse) -> str:
    """Return the code that an alert or answer is listed under."""
    body = response.body
    if isinstance(body, DccAlertMessage):
        return body.code
    if isinstance(body, DeviceAlertMessage):
        return f"{body.alert_code:04X}"
    if isinstance(body, Smets1ResponseMessage):
        told = smets1_response.read_signed(body.signed).body
        return f"{told.code:04X}" if isinstance(told, DeviceAlert) else response.header.code
    return response.header.code
