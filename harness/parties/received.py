"""What a service user makes of a response or alert it got."""

import enum
from dataclasses import dataclass

from emulator.codecs.gbcs.payload import PayloadValue
from emulator.core.clock import UtcMs
from emulator.crypto.protection import Accepted, Opened, Refused
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.responses import ServiceResponse


class Kind(enum.StrEnum):
    """Kinds of what a service user gets."""

    ACKNOWLEDGEMENT = "acknowledgement"
    REFUSAL = "refusal"
    WARNING = "warning"
    PRE_COMMAND = "pre-command"
    INVENTORY = "inventory"
    RESPONSE = "response"
    FUTURE_DATED_OUTCOME = "future-dated-outcome"
    DEVICE_ALERT = "device-alert"
    DCC_ALERT = "dcc-alert"
    SMETS1_RESPONSE = "smets1-response"
    SCHEDULE = "schedule"
    SCHEDULED_RESPONSE = "scheduled-response"


@dataclass(frozen=True, slots=True)
class Received:
    """One response or alert, read and judged.

    Attributes:
        at: When it came.
        kind: What it is.
        response: The DUIS document, read.
        octets: The DUIS document as it came.
        opened: Judgement of the GBCS message it carries, or None where it carries none.
        value: Payload of that message; None where there is none or it was refused. What the
            broker opened for others (CS08) is here too, though nobody else can check it.
        trouble: Why it must not be believed; empty when all is well.
    """

    at: UtcMs
    kind: Kind
    response: ServiceResponse
    octets: bytes
    opened: Opened | None = None
    value: PayloadValue | None = None
    trouble: str = ""

    @property
    def request_id(self) -> RequestId | None:
        """The request it belongs to, where it says so."""
        return self.response.header.request_id

    @property
    def code(self) -> str:
        """Its response code."""
        return self.response.header.code

    @property
    def accepted(self) -> bool:
        """Whether it carries a device's message whose every protection holds, and rightly so."""
        return isinstance(self.opened, Accepted) and not self.trouble

    @property
    def refused_because(self) -> str:
        """Why the device's message was refused; empty when it was not."""
        return str(self.opened.reason) if isinstance(self.opened, Refused) else ""
