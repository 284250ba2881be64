"""Where a document for a service user belongs: among the answers, the alerts, or both."""

from dataclasses import dataclass, field

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.door.exchange import Exchange, Raised
from harness.formats.duis import smets1_response
from harness.formats.duis.responses import (
    DccAlertMessage,
    DeviceAlertMessage,
    ServiceResponse,
    Smets1ResponseMessage,
    read_response,
)
from harness.formats.duis.smets1_response import DeviceAlert


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
        """Put a document where it belongs; a further answer is among both.

        Args:
            exchange: What was asked and answered before.
            user: Whom it is for.
            at: When it came.
            document: The document.

        Returns:
            The RequestID it answers or is about, or None.
        """
        response = read_response(document)
        identity = response.header.request_id
        number = None if identity is None else exchange.of_request_id(identity)
        is_alert = isinstance(response.body, DccAlertMessage | DeviceAlertMessage)
        known = None if identity is None else str(identity)
        if number is not None and not is_alert:
            before = any(request == number for request, _octets in self.answers)
            first = not before and not exchange.answers_of(number)
            self.answers.append((number, document))
            if first:
                return known
        self.alerts.append(Raised(user, code_of(response), number, at, document))
        return known


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
